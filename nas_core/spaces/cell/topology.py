"""What a cell is, and when two cells are the same network.

A cell has nodes 0 (its input) to 3 (its output) and an operation on each edge i → j with i < j; a node is the sum of
what its edges bring. Two cells are the same when, with the same weights, they compute the same function. That is
decided on a normal form, exactly:

* An edge that is ``none``, cannot be reached from node 0 or does not lead to node 3 brings nothing and is removed.
* A node is a sum of terms c · pool^k(source), the source being the cell's input or one convolution; ``skip_connect``
  passes on the terms of its node, and ``avg_pool_3x3``, which is linear, raises the k of each of them.
* A convolution is its kind and the terms it reads. Each has weights of its own, so x → conv → two readers is one
  convolution, and two convolutions of x are two.
* The numbering of the convolutions is arbitrary: the smallest form over all numberings counts.

NAS-Bench-201 lets a convolution of nothing bring the shift of its batch normalisation; here it brings nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product
from typing import Any, NamedTuple

from nas_core.errors import SpaceError

__all__ = [
    "CONSTANT",
    "EDGES",
    "IDENTITY",
    "OPERATIONS",
    "WORDS",
    "Cell",
    "all_cells",
    "cell_of_string",
    "cell_to_string",
    "live_edges",
    "node_inputs",
    "normal_form",
    "powers_of",
    "representative",
    "root_of",
]

Cell = tuple[str, ...]
"""The six operations, in the order of EDGES."""

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
WORDS = {
    "none": "nothing",
    "skip_connect": "skip",
    "nor_conv_1x1": "1×1 convolution",
    "nor_conv_3x3": "3×3 convolution",
    "avg_pool_3x3": "3×3 average pooling",
}

CONSTANT: Cell = ("none",) * 6
"""The cell without a path from its input to its output: zeros."""

IDENTITY: Cell = ("none", "none", "none", "skip_connect", "none", "none")

_CONVOLUTIONS = ("nor_conv_1x1", "nor_conv_3x3")
_INPUT = -1

Source = tuple[int, int]
"""A source (−1 the input of the network, else cell · 6 + edge of a convolution) and how often it is pooled."""

Terms = Counter[Source]


class Expression(NamedTuple):
    """What cells in a row compute: the terms of the output, and kind and terms read of each convolution."""

    output: Terms
    convolutions: dict[int, tuple[str, Terms]]


def all_cells(operations: Sequence[str] = OPERATIONS) -> Iterator[Cell]:
    """Yield every cell over ``operations``: 15,625 over all five."""
    return product(operations, repeat=len(EDGES))


def cell_to_string(cell: Sequence[str]) -> str:
    """Return the form of NAS-Bench-201: "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…~0|…~1|…~2|"."""
    nodes: dict[int, list[str]] = defaultdict(list)
    for (i, j), operation in zip(EDGES, cell):
        nodes[j].append(f"{operation}~{i}")
    return "+".join(f"|{'|'.join(nodes[j])}|" for j in sorted(nodes))


def cell_of_string(text: str) -> Cell:
    """Return the cell of a string of NAS-Bench-201.

    Raises:
        SpaceError: The text is no such string.
    """
    found: dict[tuple[int, int], str] = {}
    for j, node in enumerate(text.strip().split("+"), 1):
        for part in node.strip("|").split("|"):
            operation, _, source = part.partition("~")
            if source.isdigit() and operation in OPERATIONS:
                found[int(source), j] = operation
    cell = tuple(found.get(edge, "") for edge in EDGES)
    if cell_to_string(cell) != text.strip():
        raise SpaceError(
            f"{text!r} is no cell of NAS-Bench-201",
            allowed=f"six operations of {', '.join(OPERATIONS)}, written like {cell_to_string(IDENTITY)}",
            fix="correct the string",
        )
    return cell


def live_edges(cell: Sequence[str]) -> Cell:
    """Return the cell with ``none`` on every edge that is not part of a way from node 0 to node 3."""
    reached, leading = {0}, {3}
    for (i, j), operation in zip(EDGES, cell):
        if operation != "none" and i in reached:
            reached.add(j)
    for (i, j), operation in reversed(list(zip(EDGES, cell))):
        if operation != "none" and j in leading:
            leading.add(i)
    return tuple(o if i in reached and j in leading else "none" for (i, j), o in zip(EDGES, cell))


def node_inputs(cell: Sequence[str]) -> dict[int, list[tuple[int, int, str]]]:
    """Return for each node from 1 on its edges that are not ``none``: (edge, node it comes from, operation)."""
    inputs: dict[int, list[tuple[int, int, str]]] = {1: [], 2: [], 3: []}
    for edge, ((i, j), operation) in enumerate(zip(EDGES, cell)):
        if operation != "none":
            inputs[j].append((edge, i, operation))
    return inputs


def expression_of(cell: Sequence[str], repeats: int = 1) -> Expression:
    """Return what ``repeats`` cells in a row compute, each with its own weights."""
    value: Terms = Counter({(_INPUT, 0): 1})
    convolutions: dict[int, tuple[str, Terms]] = {}
    inputs = node_inputs(live_edges(cell))
    for copy in range(repeats):
        nodes = {0: value}
        for j, edges in inputs.items():
            terms: Terms = Counter()
            for edge, i, operation in edges:
                if operation == "skip_connect":
                    terms.update(nodes[i])
                elif operation == "avg_pool_3x3":
                    for (source, pooled), count in nodes[i].items():
                        terms[source, pooled + 1] += count
                else:
                    convolutions[6 * copy + edge] = (operation, nodes[i])
                    terms[6 * copy + edge, 0] += 1
            nodes[j] = terms
        value = nodes[3]
    return Expression(value, convolutions)


def normal_form(cell: Sequence[str], repeats: int = 1) -> tuple[Any, ...]:
    """Return the one form of what ``repeats`` cells in a row compute; equal forms are equal functions.

    Convolutions are first told apart by the expression they stand for, written out as a tree; only those with equal
    trees are numbered in every way.
    """
    expression = expression_of(cell, repeats)
    trees: dict[int, str] = {_INPUT: "x"}

    def written(terms: Terms) -> str:
        return "+".join(sorted(f"{count}*p{pooled}({trees[source]})" for (source, pooled), count in terms.items()))

    for name, (kind, terms) in expression.convolutions.items():
        trees[name] = f"{kind}({written(terms)})"
    alike: dict[str, list[int]] = defaultdict(list)
    for name in expression.convolutions:
        alike[trees[name]].append(name)
    orders = product(*(permutations(alike[tree]) for tree in sorted(alike)))
    return min(_numbered(expression, [name for group in order for name in group]) for order in orders)


def _numbered(expression: Expression, order: Iterable[int]) -> tuple[Any, ...]:
    """Return the expression with its convolutions numbered in this order."""
    number = {name: n for n, name in enumerate(order)}
    number[_INPUT] = _INPUT

    def plain(terms: Terms) -> tuple[tuple[int, int, int], ...]:
        return tuple(sorted((number[source], pooled, count) for (source, pooled), count in terms.items()))

    convolutions = tuple(
        (kind, plain(terms)) for kind, terms in (expression.convolutions[name] for name in number if name != _INPUT)
    )
    return convolutions, plain(expression.output)


class _Classes(NamedTuple):
    """Every cell's representative, and the cells that are another cell in a row: cell → (root, how often)."""

    member: dict[Cell, Cell]
    root: dict[Cell, tuple[Cell, int]]


@lru_cache(maxsize=1)
def _classes() -> _Classes:
    """Return the classes of all 15,625 cells; takes about a second, once per process."""
    forms: dict[Cell, tuple[Any, ...]] = {}
    cheapest: dict[tuple[Any, ...], Cell] = {}
    cells = {cell: live_edges(cell) for cell in all_cells()}
    for live in dict.fromkeys(cells.values()):
        form = forms[live] = normal_form(live)
        if form not in cheapest or _price(live) < _price(cheapest[form]):
            cheapest[form] = live
    member = {cell: cheapest[forms[live]] for cell, live in cells.items()}
    root: dict[Cell, tuple[Cell, int]] = {}
    for cell in cheapest.values():
        weights = sum(o in _CONVOLUTIONS for o in cell)
        for times in (2, 3):
            if cell not in (CONSTANT, IDENTITY) and weights * times <= len(EDGES):
                power = cheapest.get(normal_form(cell, times))
                if power is not None:
                    root[power] = (cell, times)
    return _Classes(member, root)


def _price(cell: Cell) -> tuple[Any, ...]:
    """Return what decides which of two equal cells stands for both: fewer poolings, sums, edges, then the order."""
    sums = sum(max(0, len(edges) - 1) for edges in node_inputs(cell).values())
    used = len(EDGES) - cell.count("none")
    return cell.count("avg_pool_3x3"), sums, used, tuple(OPERATIONS.index(o) for o in cell)


def representative(cell: Sequence[str]) -> Cell:
    """Return the cheapest cell that computes the same."""
    return _classes().member[tuple(cell)]


def root_of(cell: Cell) -> tuple[Cell, int]:
    """Return the cell that a representative is a row of, and how many; itself, once, where it is no such row."""
    found = _classes().root.get(cell)
    return found if found else (cell, 1)


def powers_of(root: Cell) -> dict[int, Cell]:
    """Return the single cells that are ``root`` once, twice, three times in a row, where there are such."""
    return {1: root} | {times: power for power, (of, times) in _classes().root.items() if of == root}
