"""A search space as its page shows it: what may vary, what is limited, how large it is, what a sample looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.texts import text
from dashboard.views.card import structure_words
from dashboard.views.graph import GraphView, graph_view
from dashboard.views.words import count

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace

__all__ = [
    "SampleView",
    "SpaceSummary",
    "checked_pairs",
    "menu",
    "range_changed",
    "sample_view",
    "samples",
    "space_summary",
]

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LIMITS = ("max_parameters", "max_operations", "max_depth", "max_features", "max_group_size", "max_groups")


@dataclass(frozen=True)
class SpaceSummary:
    """A space in words: its size, one line per variable and one per constraint in force."""

    size: str
    exact: bool
    variables: tuple[tuple[str, str], ...]
    constraints: tuple[str, ...]


@dataclass(frozen=True)
class SampleView:
    """One random architecture: what it is in a line, what it costs, and its graph."""

    id: str
    words: str
    cost: str
    graph: GraphView


def space_summary(space: SearchSpace) -> SpaceSummary:
    """Return ``space`` in words."""
    size = space.size()
    told = re.sub(r"10\^(\d+)", lambda m: "10" + m[1].translate(RAISED), size.text)
    variables = tuple((v.label or v.name, _domain(v)) for v in space.variables)
    return SpaceSummary(told, size.exact, variables, tuple(_limits(space.constraints.model_dump())))


def _domain(variable: Any) -> str:
    """Return the domain of a variable in words, by what it declares."""
    if hasattr(variable, "choices"):
        return ", ".join(str(c) for c in variable.choices)
    if hasattr(variable, "low"):
        zero = text("space.or_zero") if getattr(variable, "zero", 0) else ""
        return text("space.range", low=f"{variable.low:g}", high=f"{variable.high:g}") + zero
    if hasattr(variable, "signs"):
        names = {1: text("space.increasing"), -1: text("space.decreasing")}
        return ", ".join(names[s] for s in variable.signs) or text("space.off")
    if hasattr(variable, "linear"):
        return text("space.groups_linear") if variable.linear else text("space.groups_plain")
    return ""


def _limits(found: Mapping[str, Any]) -> Iterable[str]:
    for name in LIMITS:
        if found.get(name) is not None:
            yield text(f"space.{name}_words", value=count(found[name]))
    for name in ("features_required", "features_forbidden"):
        if found.get(name):
            yield text(f"space.{name}_words", names=", ".join(found[name]))
    for name, sign in found.get("monotone_required", {}).items():
        direction = text("space.increasing" if sign > 0 else "space.decreasing")
        yield text("space.monotone_words", name=name, direction=direction)
    for one, two in found.get("forbidden_pairs", ()):
        yield text("space.pair_words", one=one, two=two)


def samples(space: SearchSpace, seed: int, how_many: int = 3) -> list[Architecture]:
    """Return up to ``how_many`` different random architectures; the same seed gives the same ones.

    Raises:
        SpaceError: The space has no valid candidate.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Architecture] = {}
    for _ in range(4 * how_many):
        drawn = space.sample(rng)
        found.setdefault(drawn.id, drawn)
        if len(found) == how_many:
            break
    return list(found.values())


def sample_view(
    space: SearchSpace, architecture: Architecture, *, room: float = 320.0, limit: int = 12, tallest: float = 400.0
) -> SampleView:
    """Return one architecture with its graph laid out for a frame ``room`` points wide and ``tallest`` high."""
    from nas_core.spaces import facts, graph

    found = facts(space, architecture)
    names = [f.name for f in space.features]
    groups = len(architecture.values.get("groups", ()))
    words = text("space.sample_words", used=len(found.used_features), all=len(names), groups=groups)
    cost = text("space.sample_cost", parameters=count(found.parameters), operations=count(found.operations))
    drawn = graph_view(graph(space, architecture), names, room=room, limit=limit, tallest=tallest)
    return SampleView(architecture.id, f"{words} · {structure_words(architecture.values)}", cost, drawn)


def menu(name: str, spaces: Sequence[SearchSpace]) -> tuple[Any, ...]:
    """Return every choice that any of ``spaces`` offers for the variable ``name``, in their order."""
    found = [c for s in spaces if name in s.by_name for c in getattr(s.by_name[name], "choices", ())]
    choices = list(dict.fromkeys(found))
    if choices and all(isinstance(c, int) for c in choices):
        choices.sort()
    return tuple(choices)


def checked_pairs(rows: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a table with the columns ``one`` and ``two``; incomplete and repeated rows are left out."""
    pairs: dict[tuple[str, str], None] = {}
    for row in rows:
        one, two = row.get("one"), row.get("two")
        if isinstance(one, str) and isinstance(two, str) and one and two:
            pairs[(one, two) if one <= two else (two, one)] = None
    return tuple(pairs)


def range_changed(variable: Any, low: float, high: float, zero: bool) -> dict[str, Any]:
    """Return the fields of a real variable with this range; 0 keeps its present probability, or gets 0.2."""
    share = (variable.zero or 0.2) if zero else 0.0
    return {"low": low, "high": high, "zero": share}
