"""Architectures between two others: each difference between them is a part that is taken from one or the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.insight.facets import decided_of
from nas_core.spaces.cell.topology import EDGES

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces.space import SearchSpace

__all__ = ["Mixer", "Piece", "mixer_of"]

Value = Any
Mix = Callable[[Value, Value, frozenset[str]], Value]


@dataclass(frozen=True)
class Piece:
    """One difference between two architectures.

    Attributes:
        key: ``variable`` or ``variable.part``, that of a facet where there is one.
        label: What a person reads.
        change: What it changes from and to, in words; "" where it is too long to say.
    """

    key: str
    label: str
    change: str = ""


@dataclass(frozen=True)
class Mixer:
    """Makes the architectures between ``source`` and ``target``.

    Attributes:
        space: The space that says which of them are valid.
        source, target: The ends.
        pieces: The differences.
        along: Variables with nothing to decide at one end; they have the value of the other end everywhere between.
    """

    space: SearchSpace = field(repr=False)
    source: Architecture
    target: Architecture
    pieces: tuple[Piece, ...]
    along: dict[str, Any] = field(default_factory=dict)

    def mixed(self, taken: frozenset[str]) -> Architecture | None:
        """Return the architecture with the pieces ``taken`` from the target and the others from the source.

        None where the space has no such architecture.
        """
        if taken == {piece.key for piece in self.pieces}:
            return self.target
        values = {}
        for variable in self.space.variables:
            name, kind = variable.name, getattr(variable, "kind", "")
            if name in self.along:
                values[name] = self.along[name]
                continue
            mix = _MIXES.get(kind, (_whole, None))[0]
            values[name] = mix(self.source.values[name], self.target.values[name], _of(taken, name))
        try:
            return self.space.architecture(values)
        except SpaceError:
            return None


def mixer_of(space: SearchSpace, source: Architecture, target: Architecture) -> Mixer:
    """Return what lies between two architectures of (versions of) ``space``.

    A difference that is only written down is none: with the activation of a linear network nothing was decided.
    """
    decided = decided_of(space, [v.name for v in space.variables], [source.values, target.values])
    pieces: list[Piece] = []
    along: dict[str, Any] = {}
    for variable, (here, there) in zip(space.variables, decided.T):
        name, a, b = variable.name, source.values[variable.name], target.values[variable.name]
        if a == b:
            continue
        if not (here and there) and _means_nothing(space, target if here else source, name, a if here else b):
            along[name] = a if here else b
            continue
        label = variable.label or name
        parts = _MIXES.get(getattr(variable, "kind", ""), (_whole, None))[1]
        if parts is None:
            plain = all(isinstance(v, int | float | str | bool) for v in (a, b))
            pieces.append(Piece(name, label, f"{_say(a)} → {_say(b)}" if plain else ""))
        else:
            pieces += [Piece(f"{name}.{part}", words, change) for part, words, change in parts(a, b, label)]
    return Mixer(space, source, target, tuple(pieces), along)


def _means_nothing(space: SearchSpace, architecture: Architecture, name: str, value: Any) -> bool:
    """Return whether ``architecture`` stays what it is with another value of the variable ``name``."""
    values = {**architecture.values, name: value}
    return not space.engine.problems(space, values) and space.engine.canonical(space, values) == architecture.values


def _of(taken: frozenset[str], name: str) -> frozenset[str]:
    """Return the parts of a variable that are taken; "" for the variable as a whole."""
    return frozenset(key.partition(".")[2] for key in taken if key.partition(".")[0] == name)


def _whole(a: Value, b: Value, taken: frozenset[str]) -> Value:
    return b if taken else a


def _say(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _mixed_groups(a: Value, b: Value, taken: frozenset[str]) -> Value:
    """Return the features of one value in the groups of one value; a feature that has no group there keeps its own."""
    chosen = b if "features" in taken else a
    grouped, other = (b, a) if "together" in taken else (a, b)
    wanted = {j for group in chosen for j in group["features"]}
    found = []
    for source in (grouped, other):
        for group in source:
            inside = [j for j in group["features"] if j in wanted]
            if inside:
                found.append({"features": inside, "linear": group["linear"]})
                wanted -= set(inside)
    return found


def _group_parts(a: Value, b: Value, label: str) -> list[tuple[str, str, str]]:
    before, after = ({j for group in value for j in group["features"]} for value in (a, b))
    found = []
    if before != after:
        found.append(("features", "Which features", f"{len(before)} → {len(after)}"))
    if _mixed_groups(a, b, frozenset({"features"})) != b or before == after:
        sizes = [max((len(g["features"]) for g in v if not g["linear"]), default=1) for v in (a, b)]
        found.append(("together", "How features are grouped", f"{sizes[0]} → {sizes[1]}"))
    return found


def _mixed_places(a: Sequence[Any], b: Sequence[Any], taken: frozenset[str]) -> list[Any]:
    """Return a list with the places ``taken`` as in b and the others as in a; a place that is missing there is left."""
    found = []
    for place in range(max(len(a), len(b))):
        source = b if str(place + 1) in taken else a
        if place < len(source):
            found.append(source[place])
    return found


def _place_parts(a: Sequence[Any], b: Sequence[Any], label: str) -> list[tuple[str, str, str]]:
    longest = range(max(len(a), len(b)))
    differ = [p for p in longest if p >= len(a) or p >= len(b) or a[p] != b[p]]
    change = {True: "removed", False: ""}
    return [(str(p + 1), f"{label} {p + 1}", "added" if p >= len(a) else change[p >= len(b)]) for p in differ]


def _mixed_edges(a: Sequence[str], b: Sequence[str], taken: frozenset[str]) -> list[str]:
    return [y if f"edge_{i}_{j}" in taken else x for (i, j), x, y in zip(EDGES, a, b)]


def _edge_parts(a: Sequence[str], b: Sequence[str], label: str) -> list[tuple[str, str, str]]:
    from nas_core.spaces.cell.topology import WORDS

    return [
        (f"edge_{i}_{j}", f"Edge {i} → {j}", f"{WORDS[x]} → {WORDS[y]}") for (i, j), x, y in zip(EDGES, a, b) if x != y
    ]


_MIXES: dict[str, tuple[Mix, Callable[[Any, Any, str], list[tuple[str, str, str]]] | None]] = {
    "feature_groups": (_mixed_groups, _group_parts),
    "cell_edges": (_mixed_edges, _edge_parts),
    "image_blocks": (_mixed_places, lambda a, b, _: _place_parts(a, b, "Stage")),
    "sequence_layers": (_mixed_places, lambda a, b, _: _place_parts(a, b, "Layer")),
}
"""How the values of a structured variable are mixed, and which parts of two of them differ."""
