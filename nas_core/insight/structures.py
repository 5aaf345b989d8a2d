"""Readers of the structured variables: the questions that feature groups, marks, stages, layers and cells answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nas_core.insight.facets import Reader
from nas_core.insight.readers import plain
from nas_core.spaces.cell.topology import EDGES, OPERATIONS
from nas_core.spaces.cell.topology import WORDS as CELL_WORDS
from nas_core.spaces.image.rules import WORDS as BLOCK_WORDS
from nas_core.spaces.sequence.rules import KINDS
from nas_core.spaces.sequence.rules import WORDS as LAYER_WORDS

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.variables import Variable

__all__ = ["STRUCTURES", "PartReader"]

Value = Any
NONE = "none"
MIXED = "several"
TRANSITIONS = {"max": "max pooling", "avg": "average pooling", "conv": "convolution", "none": "none"}


class PartReader(Reader):
    """One question of a structured variable.

    Args:
        variable: Of which.
        part: Which question; ``key`` is ``variable.part``.
        label: What a person calls it.
        names: What each number is.
        row: From the value of the variable to these numbers.
        level: From the value to what a person compares.
        order: The levels in their order, where they are no numbers.
        words: What a person reads for them.
        parts: How many of the first numbers are parts that are there or not.
    """

    def __init__(
        self, variable: Variable, part: str, label: str, names: Sequence[str],
        row: Callable[[Value], Sequence[float]], level: Callable[[Value], Any], *,
        order: Sequence[Any] | None = None, words: dict[Any, str] | None = None,
        parts: int = 0,
    ) -> None:  # fmt: skip
        self._variable, self.key, self.label, self.parts = variable.name, f"{variable.name}.{part}", label, parts
        self.names, self._row, self._level = tuple(names), row, level
        self._order, self._words = None if order is None else tuple(order), words or {}

    def row(self, values: dict[str, Any]) -> Sequence[float]:
        return self._row(values[self._variable])

    def level(self, values: dict[str, Any]) -> Any:
        return self._level(values[self._variable])

    def levels(self) -> tuple[Any, ...] | None:
        return self._order

    def say(self, level: Any) -> str:
        return self._words.get(level, plain(level) if isinstance(level, int | float) else str(level))


def _groups(variable: Variable, space: SearchSpace, seen: Sequence[Value]) -> list[Reader]:
    """Return which features are used, which of them bend, and which act together."""
    names, P = [f.name for f in space.features], len(space.features)

    def used(value: Value) -> list[float]:
        row = [0.0] * (P + 1)
        for group in value:
            for j in group["features"]:
                row[j] = 1.0
        row[P] = sum(row)
        return row

    def bends(value: Value) -> list[float]:
        """Return who bends; a feature that is not used as the others do on average, so that use is not told again."""
        bent = [j for group in value if not group["linear"] for j in group["features"]]
        straight = [j for group in value if group["linear"] for j in group["features"]]
        share = len(bent) / max(1, len(bent) + len(straight))
        row = [share] * (P + 1)
        for j in bent:
            row[j] = 1.0
        for j in straight:
            row[j] = 0.0
        return row

    def joins(value: Value) -> list[float]:
        """Return who acts with how many others, likewise, then how many pairs there are and the largest group."""
        sizes = {j: 0 if g["linear"] else len(g["features"]) - 1 for g in value for j in g["features"]}
        mean = sum(sizes.values()) / max(1, len(sizes))
        return [*(sizes.get(j, mean) / max(1, P - 1) for j in range(P)), sum(sizes.values()) / 2,
                1.0 + max(sizes.values(), default=0)]  # fmt: skip

    def how(value: Value) -> str:
        share = bends(value)[P]
        return NONE if share == 0 else "all" if share == 1 else "some"

    return [
        PartReader(variable, "features", "Which features", [*(f"uses {n}" for n in names), "number of features"],
                   used, lambda v: int(used(v)[P]), parts=P),
        PartReader(variable, "curves", "Lines or curves", [*(f"{n} bends" for n in names), "share of features"],
                   bends, how, order=(NONE, "some", "all"),
                   words={NONE: "lines only", "some": "some curves", "all": "curves only"}),
        PartReader(variable, "together", "How features are grouped",
                   [*(f"{n} acts with others" for n in names), "pairs", "largest group"], joins,
                   lambda v: int(joins(v)[P + 1]) if joins(v)[P] else 1),
    ]  # fmt: skip


def _marks(variable: Variable, space: SearchSpace, seen: Sequence[Value]) -> list[Reader]:
    names, P = [f.name for f in space.features], len(space.features)

    def marks(value: Value) -> list[float]:
        row = [0.0] * (P + 1)
        for name, sign in value.items():
            row[int(name)] = float(sign)
        row[P] = float(len(value))
        return row

    return [
        PartReader(variable, "features", "Which features are monotone", [*(f"{n} is monotone" for n in names), "count"],
                   marks, len, parts=P)
    ]  # fmt: skip


def _stages(variable: Variable, space: SearchSpace, seen: Sequence[Value]) -> list[Reader]:
    """Return how deep, of which operations, how wide, and how stages are joined."""
    blocks = [b for value in seen for stage in value for b in stage["blocks"]]
    operations = [o for o in BLOCK_WORDS if any(b["operation"] == o for b in blocks)]
    depth = max((len(value) for value in seen), default=0)
    kinds = list(TRANSITIONS)

    def sizes(value: Value) -> list[float]:
        each = [float(len(stage["blocks"])) for stage in value]
        return [*each, *([0.0] * (depth - len(each))), float(len(value)), sum(each)][: depth + 2]

    def counts(value: Value) -> list[float]:
        return _mix([b["operation"] for stage in value for b in stage["blocks"]], operations)

    def widths(value: Value) -> list[float]:
        found = [[b["width"] for b in stage["blocks"] if "width" in b] for stage in value]
        each = [float(max(w, default=0)) for w in found]
        return [*each, *([0.0] * (depth - len(each))), max(each, default=0.0)][: depth + 1]

    def joints(value: Value) -> list[float]:
        each = [stage["transition"]["operation"] for stage in value]
        row = [float(len(each) > s and each[s] == k) for s in range(depth) for k in kinds]
        return [*row, *_mix(each, kinds)]

    numbered = [f"stage {s + 1}" for s in range(depth)]
    main = (NONE, *operations)
    return [
        PartReader(variable, "depth", "Stages and blocks", [*(f"blocks of {n}" for n in numbered), "stages", "blocks"],
                   sizes, lambda v: int(sizes(v)[-1])),
        PartReader(variable, "operations", "Operations of the blocks", [BLOCK_WORDS[o] for o in operations], counts,
                   lambda v: _most([b["operation"] for s in v for b in s["blocks"]]), order=main,
                   words={o: f"mostly {BLOCK_WORDS[o]}" for o in operations} | {NONE: "no blocks"}),
        PartReader(variable, "widths", "Maps of the convolutions", [*(f"widest of {n}" for n in numbered), "widest"],
                   widths, lambda v: int(widths(v)[-1])),
        PartReader(variable, "transitions", "Between the stages",
                   [*(f"{n}: {TRANSITIONS[k]}" for n in numbered for k in kinds), *kinds], joints,
                   lambda v: _most([t for s in v if (t := s["transition"]["operation"]) != NONE]),
                   order=tuple(kinds), words={k: f"mostly {w}" for k, w in TRANSITIONS.items() if k != NONE}),
    ]  # fmt: skip


def _layers(variable: Variable, space: SearchSpace, seen: Sequence[Value]) -> list[Reader]:
    """Return how many layers, of which kinds, how wide, how far they see, and in which directions."""
    kinds = [k for k in KINDS if any(layer["kind"] == k for value in seen for layer in value)]
    depth = max((len(value) for value in seen), default=0)

    def placed(value: Value) -> list[float]:
        each = [layer["kind"] for layer in value]
        return [*(float(len(each) > s and each[s] == k) for s in range(depth) for k in kinds), *_mix(each, kinds)]

    def widest(value: Value) -> list[float]:
        each = [float(layer["width"]) for layer in value]
        return [*each, *([0.0] * (depth - len(each))), max(each, default=0.0)]

    def spans(value: Value) -> list[float]:
        each = [float(1 + (x["kernel"] - 1) * x["dilation"]) for x in value if x["kind"] == "conv"]
        return [max(each, default=0.0), float(sum(e - 1 for e in each))]

    def ways(value: Value) -> list[float]:
        both = [float(x["both"]) for x in value if "both" in x]
        heads = [float(x["heads"]) for x in value if "heads" in x]
        return [sum(both), max(heads, default=0.0)]

    numbered = [f"layer {s + 1}" for s in range(depth)]
    return [
        PartReader(variable, "depth", "How many layers", ["layers"], lambda v: [float(len(v))], len),
        PartReader(variable, "kinds", "Kinds of layers",
                   [*(f"{n}: {LAYER_WORDS[k]}" for n in numbered for k in kinds), *(LAYER_WORDS[k] for k in kinds)],
                   placed, lambda v: _most([x["kind"] for x in v]), order=(NONE, *kinds),
                   words={k: f"mostly {LAYER_WORDS[k]}" for k in kinds} | {NONE: "no layers"}),
        PartReader(variable, "widths", "Width of the layers", [*(f"width of {n}" for n in numbered), "widest"], widest,
                   lambda v: int(widest(v)[-1])),
        PartReader(variable, "spans", "Steps a convolution sees", ["longest", "together"], spans,
                   lambda v: int(spans(v)[0])),
        PartReader(variable, "ways", "Directions and heads", ["layers that read both ways", "heads"], ways,
                   lambda v: _way(ways(v)), order=(NONE, "both", "heads", MIXED),
                   words={NONE: "neither", "both": "both ways", "heads": "several heads", MIXED: "both and heads"}),
    ]  # fmt: skip


def _cell(variable: Variable, space: SearchSpace, seen: Sequence[Value]) -> list[Reader]:
    """Return the operation of each edge."""
    return [_edge(variable, at, f"Edge {i} → {j}") for at, (i, j) in enumerate(EDGES)]


def _edge(variable: Variable, at: int, label: str) -> Reader:
    return PartReader(
        variable, f"edge_{EDGES[at][0]}_{EDGES[at][1]}", label, [CELL_WORDS[o] for o in OPERATIONS],
        lambda v: [float(v[at] == o) for o in OPERATIONS], lambda v: v[at], order=OPERATIONS, words=CELL_WORDS,
    )  # fmt: skip


def _mix(items: Sequence[str], kinds: Sequence[str]) -> list[float]:
    """Return how many of each kind there are."""
    return [float(items.count(k)) for k in kinds]


def _most(items: Sequence[str]) -> str:
    """Return what occurs most often, of equals the first; "none" of nothing."""
    return max(dict.fromkeys(items), key=items.count) if items else NONE


def _way(row: Sequence[float]) -> str:
    both, heads = row[0] > 0, row[1] > 1
    return MIXED if both and heads else "both" if both else "heads" if heads else NONE


STRUCTURES: dict[str, Callable[[Variable, SearchSpace, Sequence[Value]], list[Reader]]] = {
    "feature_groups": _groups,
    "monotone_marks": _marks,
    "image_blocks": _stages,
    "sequence_layers": _layers,
    "cell_edges": _cell,
}
"""From the kind of a structured variable to its questions."""
