"""A search space as its page shows it: what is limited, how large it is, what a sample looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.texts import catalogue, said, spoken_line, text
from dashboard.views.graph import GraphView, graph_view
from dashboard.views.space_fields import label_of
from dashboard.views.words import count

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace

__all__ = [
    "SampleView",
    "SpaceSummary",
    "architecture_words",
    "checked_pairs",
    "named_options",
    "range_changed",
    "sample_view",
    "samples",
    "space_summary",
]

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class SpaceSummary:
    """A space in words: its size, and one line per constraint in force."""

    size: str
    exact: bool
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
    told = re.sub(r"10\^(\d+)", lambda m: "10" + m[1].translate(RAISED), said(size.text))
    return SpaceSummary(told, size.exact, tuple(_limits(space.constraints.model_dump())))


def _limits(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield the constraints in force, by the form of their values; known ones have sentences of their own."""
    for name, value in found.items():
        key = f"space.{name}_words"
        if value is None or value is False or value == () or value == {}:
            continue
        if isinstance(value, dict):
            for item, sign in value.items():
                direction = text("space.increasing" if sign > 0 else "space.decreasing")
                yield text("space.monotone_words", name=item, direction=direction)
        elif isinstance(value, (tuple, list)) and isinstance(value[0], (tuple, list)):
            yield from (text("space.pair_words", one=pair[0], two=pair[1]) for pair in value)
        elif isinstance(value, (tuple, list)):
            names = ", ".join(str(v) for v in value)
            yield text(key, names=names) if key in catalogue("en") else f"{label_of(name)}: {names}"
        elif value is True:
            yield label_of(name)
        else:
            told = count(value) if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
            yield text(key, value=told) if key in catalogue("en") else f"{label_of(name)}: {told}"


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
    cost = text("space.sample_cost", parameters=count(found.parameters), operations=count(found.operations))
    drawn = graph_view(graph(space, architecture), names, room=room, limit=limit, tallest=tallest)
    return SampleView(architecture.id, architecture_words(space, architecture), cost, drawn)


def architecture_words(space: SearchSpace, architecture: Architecture) -> str:
    """Return an architecture in one line: the features of a table it reads, and what it is made of."""
    told = spoken_line(space.engine.describe(space, architecture.values))
    groups = architecture.values.get("groups")
    if space.signal is not None or groups is None:
        return told
    used = sum(len(group["features"]) for group in groups)
    key = "space.sample_words_one" if len(groups) == 1 else "space.sample_words"
    return f"{text(key, used=used, all=len(space.features), groups=len(groups))} · {told}"


def named_options(space: SearchSpace, name: str, present: Sequence[str]) -> list[str]:
    """Return what a constraint that names things may name: features, or what the variables of the space offer."""
    if name.startswith("features"):
        found = [f.name for f in space.features]
    else:
        found = [
            choice
            for variable in space.variables
            for field in type(variable).model_fields
            if isinstance(value := getattr(variable, field), tuple)
            for choice in value
            if isinstance(choice, str)
        ]
    return list(dict.fromkeys([*found, *present]))


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
