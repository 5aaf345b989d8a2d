"""The six edges of a cell: the variable of the NAS-Bench-201 topology."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from nas_core.spaces.cell.rules import CellRules, rules_of
from nas_core.spaces.cell.topology import CONSTANT, EDGES, OPERATIONS, WORDS, representative
from nas_core.spaces.variables import Chooser, Context, Edit, Variable, register_variable

__all__ = ["CellEdges", "reduced"]

Edges = list[str]

_CHEAPER = ("none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3")
"""From what costs least to what costs most."""


class CellEdges(Variable):
    """The operation on each edge of a cell of four nodes, in the order 0→1, 0→2, 1→2, 0→3, 1→3, 2→3.

    Source: NAS-Bench-201 (Dong & Yang 2020, arXiv 2001.00326).
    Differs: cells that compute the same with the same weights are one (see ``nas_core.spaces.cell.topology``); the
    cheapest stands for them, also where it needs an operation that the space does not offer for other edges.

    Attributes:
        operations: What an edge may be.
    """

    kind: Literal["cell_edges"] = "cell_edges"
    operations: tuple[str, ...] = OPERATIONS

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [o for o in self.operations if o not in OPERATIONS]
        if unknown or not self.operations or len(set(self.operations)) < len(self.operations):
            given = unknown[0] if unknown else list(self.operations)
            raise ValueError(f"{self.name} offers {given!r}; allowed: some of {', '.join(OPERATIONS)}, each once")
        return self

    def sample(self, rng: np.random.Generator, context: Context) -> Edges:
        """Return the representative of a cell whose edges are drawn alike; a constant one is drawn again."""
        rules = rules_of(context.space)
        for _ in range(100):
            drawn = representative([self.operations[int(rng.random() * len(self.operations))] for _ in EDGES])
            if drawn != CONSTANT or rules.limits.allow_constant:
                return list(drawn)
        others = sorted(rules.classes - {CONSTANT})
        return list(others[int(rng.random() * len(others))] if others else CONSTANT)

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> Edges:
        """Return the representative of a cell one edge, or one new way, away."""
        steps = list(dict.fromkeys(tuple(s) for s in self.neighbours(value, context)))
        return list(steps[int(rng.random() * len(steps))]) if steps else list(value)

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Edges:
        """Return a cell with each edge from one parent; parts of one that then hang in the air go."""
        child = representative([x if rng.random() < 0.5 else y for x, y in zip(a, b)])
        return list(child) if child in rules_of(context.space).classes else list(a)

    def neighbours(self, value: Any, context: Context) -> Iterator[Edges]:
        """Yield the representatives of other cells with one edge changed, or with a way through an unused node."""
        rules, own = rules_of(context.space), representative(value)
        for changed in self._steps(value):
            near = representative(changed)
            if near != own and near in rules.classes:
                yield list(near)

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield, edge by edge: every other operation, none, and its operation moved to an edge without one."""
        for edge, (i, j) in enumerate(EDGES):
            place, present = f"edge {i} → {j}", value[edge]
            for operation in self.operations:
                if operation != present:
                    verb: Literal["add", "remove", "change"] = "add" if present == "none" else "change"
                    words = WORDS[operation]
                    if operation == "none":
                        verb, words = "remove", WORDS[present]
                    yield Edit(place, verb, words, _with(value, {edge: operation}))
            for other, (a, b) in enumerate(EDGES):
                if present != "none" and value[other] == "none" and {a, b} & {i, j}:
                    moved = _with(value, {edge: "none", other: present})
                    yield Edit(place, "rewire", f"{WORDS[present]} to {a} → {b}", moved)

    def count(self, context: Context) -> int:
        """Return how many different cells the operations can make."""
        return len(rules_of(context.space).classes)

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return, for each edge, which of the five operations it has."""
        return np.array([float(o == operation) for o in value for operation in OPERATIONS])

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        return [f"{i} → {j}: {operation}" for i, j in EDGES for operation in OPERATIONS]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is no cell that the operations of the space can make, or None."""
        if not isinstance(value, list) or len(value) != len(EDGES):
            return f"{self.name} is {value!r}; allowed: a list of six operations"
        for (i, j), operation in zip(EDGES, value):
            if operation not in OPERATIONS:
                return f"the edge {i} → {j} is {operation!r}; allowed: {', '.join(self.operations)}"
        if representative(value) not in rules_of(context.space).classes:
            foreign = [o for o in value if o not in self.operations]
            return f"the cell needs {foreign[0]}; allowed: {', '.join(self.operations)}"
        return None

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> Edges:
        """Return a cell: one decision for the operation of each edge."""
        decided = []
        for at, (i, j) in enumerate(EDGES):
            known = self.operations.index(like[at]) if like is not None and like[at] in self.operations else None
            decided.append(self.operations[chooser.pick(f"edge {i} → {j}", self.operations, known)])
        return list(representative(decided))

    def tidy(self, value: Any) -> Edges:
        """Return the representative."""
        return list(representative(value))

    def _steps(self, value: Edges) -> Iterator[Edges]:
        for edge, present in enumerate(value):
            yield from (_with(value, {edge: o}) for o in self.operations if o != present)
        real = [o for o in self.operations if o != "none"]
        for node in (1, 2):
            into, out = EDGES.index((0, node)), EDGES.index((node, 3))
            if value[into] == value[out] == "none":
                yield from (_with(value, {into: a, out: b}) for a in real for b in real)


def _with(value: Edges, changes: dict[int, str]) -> Edges:
    return [changes.get(edge, operation) for edge, operation in enumerate(value)]


def reduced(rules: CellRules, value: Edges) -> Iterator[Edges]:
    """Yield the representatives of cells with one edge that costs less."""
    for edge, present in enumerate(value):
        for operation in _CHEAPER[: _CHEAPER.index(present)]:
            near = representative(_with(value, {edge: operation}))
            if near in rules.classes:
                yield list(near)


register_variable("cell_edges", CellEdges)
