"""What a tabular space allows, worked out once: limits by index instead of by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field

from nas_core.spaces.family import Constraints
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace, SpaceFeature
    from nas_core.spaces.tabular.groups import FeatureGroups
    from nas_core.spaces.tabular.marks import MonotoneMarks

__all__ = [
    "HIDDEN",
    "LINEAR_FORM",
    "NON_DECREASING",
    "PLAIN_ENCODING",
    "Rules",
    "TabularConstraints",
    "rules_of",
    "work_out",
]

NON_DECREASING = frozenset({"relu", "sigmoid", "tanh", "softplus", "identity"})
"""Activations that keep a monotone mark certified (gelu and silu dip below zero)."""

HIDDEN = ("width", "activation", "connections", "normalisation", "dropout")
"""Variables that mean nothing without a hidden layer."""

LINEAR_FORM = {
    "depth": 0,
    "width": 2,
    "activation": "identity",
    "connections": "full",
    "normalisation": "none",
    "dropout": 0.0,
}
"""What the hidden variables are set to when there is no hidden layer, the same in every space."""

PLAIN_ENCODING = "standardised"
"""The encoding of a network that reads no numeric feature."""


class TabularConstraints(Constraints):
    """Limits of feature-group networks; features are called by name, None means no limit.

    Attributes:
        max_groups: Groups, linear ones included.
        features_required: Features every network reads.
        features_forbidden: Features no network reads.
        monotone_required: Feature → direction (+1 or −1) its effect must have by construction wherever it is used.
        forbidden_pairs: Pairs that may not share a non-linear group.
    """

    max_parameters: int | None = Field(default=None, ge=1)
    max_operations: int | None = Field(default=None, ge=1)
    max_depth: int | None = Field(default=None, ge=0)
    max_features: int | None = Field(default=None, ge=1)
    max_group_size: int | None = Field(default=None, ge=1)
    max_groups: int | None = Field(default=None, ge=1)
    features_required: tuple[str, ...] = ()
    features_forbidden: tuple[str, ...] = ()
    monotone_required: dict[str, int] = Field(default_factory=dict)
    forbidden_pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rules:
    """A tabular space by index. ``markable`` holds, per encoding, which features may carry a monotone mark."""

    P: int
    outputs: int
    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    columns: dict[str, tuple[int, ...]]
    monotone_columns: dict[str, tuple[int, ...]]
    markable: dict[str, tuple[bool, ...]]
    signs: tuple[int, ...]
    allowed: tuple[int, ...]
    required: tuple[int, ...]
    enemies: dict[int, frozenset[int]]
    demanded: dict[int, int]
    linear: bool
    depths: tuple[int, ...]
    max_features: int
    max_group_size: int
    max_groups: int
    max_parameters: int | None
    max_operations: int | None
    groups_variable: FeatureGroups
    marks_variable: MonotoneMarks
    choices: dict[str, Categorical]
    depth: Integer
    reals: dict[str, Real]
    most_operations: int = 0

    @cached_property
    def hidden_depths(self) -> tuple[int, ...]:
        """Depths that have a hidden layer."""
        return tuple(d for d in self.depths if d > 0)

    def keeps_marks(self, activation: str, normalisation: str) -> bool:
        """Return whether a non-linear group with these choices can be monotone by construction."""
        return activation in NON_DECREASING and normalisation != "layer"


def rules_of(space: SearchSpace) -> Rules:
    """Return the rules of a tabular space; they are worked out once per space."""
    rules: Rules = space.compiled
    return rules


def work_out(space: SearchSpace) -> Rules:
    """Return the rules of a checked declaration; costs O(P) per encoding."""
    limits: TabularConstraints = space.constraints  # type: ignore[assignment]
    index = {f.name: j for j, f in enumerate(space.features)}
    known = space.by_name
    groups: FeatureGroups = known["groups"]  # type: ignore[assignment]
    marks: MonotoneMarks = known["marks"]  # type: ignore[assignment]
    depth: Integer = known["depth"]  # type: ignore[assignment]
    forbidden = {index[n] for n in limits.features_forbidden}
    allowed = tuple(j for j in range(len(index)) if j not in forbidden)
    top = depth.high if limits.max_depth is None else min(depth.high, limits.max_depth)
    depths = tuple(d for d in range(depth.low, top + 1) if d > 0 or groups.linear)
    encodings = tuple(dict.fromkeys([*_choices(known["encoding"]), PLAIN_ENCODING]))
    width_limit = limits.max_group_size or len(allowed)
    most_groups = limits.max_groups or len(allowed)
    return Rules(
        P=len(index),
        outputs=space.outputs,
        names=tuple(index),
        numeric=tuple(f.kind == "numeric" for f in space.features),
        columns={e: tuple(f.columns.get(e, 0) for f in space.features) for e in encodings},
        monotone_columns={e: tuple(f.monotone_columns.get(e, 0) for f in space.features) for e in encodings},
        markable={e: _markable(space, e, marks) for e in encodings},
        signs=marks.signs if space.outputs == 1 else (),
        allowed=allowed,
        required=tuple(sorted({index[n] for n in limits.features_required})),
        enemies=_enemies(limits, index),
        demanded={index[n]: sign for n, sign in limits.monotone_required.items()},
        linear=groups.linear,
        depths=depths,
        max_features=min(
            limits.max_features or len(allowed), len(allowed), most_groups * (width_limit if depths[-1:] != (0,) else 1)
        ),
        max_group_size=min(width_limit, max(1, len(allowed))),
        max_groups=most_groups,
        max_parameters=limits.max_parameters,
        max_operations=limits.max_operations,
        groups_variable=groups,
        marks_variable=marks,
        choices={n: v for n, v in known.items() if isinstance(v, Categorical)},
        depth=depth,
        reals={n: v for n, v in known.items() if isinstance(v, Real)},
    )


def _choices(variable: object) -> tuple[str, ...]:
    return tuple(str(c) for c in variable.choices) if isinstance(variable, Categorical) else ()


def _markable(space: SearchSpace, encoding: str, marks: MonotoneMarks) -> tuple[bool, ...]:
    """Return which features can be certified: numeric, one output, and an encoding with non-decreasing columns only.

    One column may be free, the missing indicator; more than one would carry the value itself, as periodic columns do.
    """
    possible = space.outputs == 1 and bool(marks.signs) and encoding != "periodic"

    def certifiable(feature: SpaceFeature) -> bool:
        columns, monotone = feature.columns.get(encoding, 0), feature.monotone_columns.get(encoding, 0)
        return feature.kind == "numeric" and monotone > 0 and columns - monotone <= 1

    return tuple(possible and certifiable(f) for f in space.features)


def _enemies(limits: TabularConstraints, index: dict[str, int]) -> dict[int, frozenset[int]]:
    pairs: dict[int, set[int]] = {}
    for a, b in limits.forbidden_pairs:
        pairs.setdefault(index[a], set()).add(index[b])
        pairs.setdefault(index[b], set()).add(index[a])
    return {j: frozenset(others) for j, others in pairs.items()}
