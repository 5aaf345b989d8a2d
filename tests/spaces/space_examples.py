"""Small tabular spaces, hints and constraints that the tests of this folder share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nas_core.records import canonical_json
from nas_core.spaces import (
    Categorical,
    FeatureGroups,
    Integer,
    MonotoneMarks,
    Real,
    SearchSpace,
    SpaceFeature,
    TabularConstraints,
    preset_space,
)

WIDTHS = {"standardised": 1, "quantile": 1, "piecewise": 4, "periodic": 6}


@dataclass(frozen=True)
class ExampleHints:
    """Hints for P features."""

    relevance: np.ndarray
    interaction: np.ndarray
    direction: np.ndarray
    order: tuple[int, ...] = ()


def example_hints(P: int, seed: int = 0) -> ExampleHints:
    """Return random hints; feature 0 is by far the most relevant and points down."""
    rng = np.random.default_rng(seed)
    relevance, direction = rng.random(P) * 0.1, rng.uniform(-1, 1, P)
    relevance[0], direction[0] = 1.0, -0.9
    interaction = rng.random((P, P))
    return ExampleHints(relevance, (interaction + interaction.T) / 2, direction)


def feature(name: str, kind: str = "numeric", missing: bool = False) -> SpaceFeature:
    """Return a feature: numeric with the columns of WIDTHS, or one-hot of three levels; one more column if missing."""
    extra = int(missing)
    if kind == "categorical":
        return SpaceFeature(
            name=name, kind=kind, levels=3, columns=dict.fromkeys(WIDTHS, 3 + extra),
            monotone_columns=dict.fromkeys(WIDTHS, 0),
        )  # fmt: skip
    columns = {e: w + extra for e, w in WIDTHS.items()}
    monotone = {e: 0 if e == "periodic" else w for e, w in WIDTHS.items()}
    return SpaceFeature(name=name, kind=kind, columns=columns, monotone_columns=monotone)


def features(P: int) -> tuple[SpaceFeature, ...]:
    """Return P features f0, f1 …: every fourth categorical, every fifth with a missing indicator."""
    return tuple(feature(f"f{j}", "categorical" if j % 4 == 3 else "numeric", missing=j % 5 == 4) for j in range(P))


def example_space(P: int = 8, outputs: int = 1, preset: str = "accurate", **limits: Any) -> SearchSpace:
    """Return a preset space over :func:`features` with constraints."""
    space = preset_space(features(P), outputs, preset)
    return space.changed(constraints=TabularConstraints(**limits)) if limits else space


def tiny_space(
    P: int = 3, outputs: int = 1, linear: bool = True, depth: tuple[int, int] = (0, 2), **limits: Any
) -> SearchSpace:
    """Return a space small enough to enumerate: the last feature is categorical."""
    one: dict[str, Any] = {"low": 0.01, "high": 0.01, "log": True}
    return SearchSpace(
        features=(*(feature(f"f{j}") for j in range(P - 1)), feature(f"f{P - 1}", "categorical")),
        outputs=outputs,
        variables=(
            FeatureGroups(name="groups", linear=linear),
            MonotoneMarks(name="marks"),
            Integer(name="depth", low=depth[0], high=depth[1]),
            Categorical(name="width", choices=(2,)),
            Categorical(name="activation", choices=("relu", "gelu")),
            Categorical(name="connections", choices=("full", "dense", "residual")),
            Categorical(name="normalisation", choices=("none", "layer")),
            Real(name="dropout", low=0.0, high=0.0),
            Categorical(name="encoding", choices=("standardised", "periodic")),
            Categorical(name="optimiser", choices=("adam",)),
            Real(name="learning_rate", **one),
            Real(name="weight_decay", **one),
        ),
        constraints=TabularConstraints(**limits),
    )


def enumerate_space(space: SearchSpace) -> set[str]:
    """Return the canonical JSON of every architecture of a tiny space, by trying all raw values (the slow twin)."""
    found = set()
    for values in _raw_values(space):
        canonical = space.engine.canonical(space, values)
        if space.engine.rejection(space, canonical) is None:
            found.add(canonical_json(canonical))
    return found


def _raw_values(space: SearchSpace) -> Iterator[dict[str, Any]]:
    known = space.by_name
    lists = [known[n].choices for n in ("width", "activation", "connections", "normalisation", "encoding")]  # type: ignore[attr-defined]
    fixed = {"optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.01, "dropout": 0.0}
    depths = range(max(0, known["depth"].low), known["depth"].high + 1)  # type: ignore[attr-defined]
    for groups, marks in _raw_groups(len(space.features)):
        for depth, width, activation, connections, norm, encoding in itertools.product(depths, *lists):
            yield {
                "groups": groups, "marks": marks, "depth": depth, "width": width, "activation": activation,
                "connections": connections, "normalisation": norm, "encoding": encoding, **fixed,
            }  # fmt: skip


def _raw_groups(P: int) -> Iterator[tuple[list[dict[str, Any]], dict[str, int]]]:
    for homes in itertools.product(("unused", "linear", *range(P)), repeat=P):
        blocks = [h for h in homes if isinstance(h, int)]
        if list(dict.fromkeys(blocks)) != list(range(len(set(blocks)))):
            continue  # the same grouping with other group numbers
        used = [j for j in range(P) if homes[j] != "unused"]
        if used:
            groups = [{"features": [j], "linear": True} for j in used if homes[j] == "linear"]
            for g in range(P):
                if members := [j for j in used if homes[j] == g]:
                    groups.append({"features": members, "linear": False})
            for signs in itertools.product((0, 1, -1), repeat=len(used)):
                yield groups, {str(j): s for j, s in zip(used, signs, strict=True) if s}


@st.composite
def constrained_spaces(draw: st.DrawFn) -> SearchSpace:
    """Return spaces of 2 … 10 features with constraints that leave some architecture."""
    P = draw(st.integers(2, 10))
    names = [f"f{j}" for j in range(P)]
    numeric = [n for j, n in enumerate(names) if j % 4 != 3]
    required = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    free = [n for n in names if n not in required]
    forbidden = draw(st.lists(st.sampled_from(free), max_size=len(free) // 2, unique=True)) if free else []
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=4))
    outputs = draw(st.sampled_from([1, 1, 3]))
    demanded = draw(st.dictionaries(st.sampled_from(numeric), st.sampled_from([1, -1]), max_size=3))
    return example_space(
        P,
        outputs,
        draw(st.sampled_from(["transparent", "balanced", "accurate"])),
        features_required=tuple(required),
        features_forbidden=tuple(forbidden),
        forbidden_pairs=tuple(p for p in pairs if p[0] != p[1]),
        monotone_required=demanded if outputs == 1 else {},
        max_features=draw(st.none() | st.integers(2, 6)),
        max_group_size=draw(st.none() | st.integers(1, 4)),
        max_groups=draw(st.none() | st.integers(2, 6)),
        max_depth=draw(st.none() | st.integers(0, 2)),
        max_parameters=draw(st.none() | st.integers(100, 2000)),
        max_operations=draw(st.none() | st.integers(100, 2000)),
    )
