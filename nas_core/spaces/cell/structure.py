"""The skeleton of a cell network, its costs and its exact structural facts.

Stem: a 3×3 convolution and batch normalisation. Stages of equal cells; between two of them a residual block halves the
size and doubles the width: two 3×3 convolutions (each behind a ReLU, with batch normalisation) beside 2×2 average
pooling and a 1×1 convolution. Head: batch normalisation, ReLU, the mean over places, a linear layer. For a map of m
places and c channels: a convolution of kernel k has k²·c² weights and 2·c parameters of its normalisation, no biases,
and takes m·(k²·c² + 2·c) operations with its ReLU and normalisation; a pooling 9·m·c, a sum m·c for each map added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nas_core.spaces.cell.rules import CellRules, Size, halved
from nas_core.spaces.cell.topology import CONSTANT, Cell, node_inputs
from nas_core.spaces.family import StructuralFacts
from nas_core.spaces.receptive import Axis, Windows, axis_of, field_of, joined, pairs_together, slide

__all__ = [
    "Block",
    "blocks_of",
    "cell_cost",
    "cell_facts",
    "convolution_cost",
    "edge_cost",
    "max_operations",
    "network_cost",
    "receptive_field",
    "reduction_costs",
    "window_sides",
]

Values = dict[str, Any]
Cost = tuple[int, int]
"""Parameters and operations."""

_KERNEL = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


@dataclass(frozen=True)
class Block:
    """One cell or reduction: its place in the module, its stage (from 0), what it reads and what it gives."""

    index: int
    stage: int
    reduces: bool
    inputs: int
    outputs: int
    size: Size
    """Of what it gives."""


def blocks_of(rules: CellRules, values: Values) -> Iterator[Block]:
    """Yield the cells and reductions between stem and head."""
    width, size, index = int(values["width"]), rules.size, 0
    for stage in range(values["stages"]):
        if stage:
            size = halved(size)
            yield Block(index, stage, True, width, 2 * width, size)
            width, index = 2 * width, index + 1
        for _ in range(values["repeats"]):
            yield Block(index, stage, False, width, width, size)
            index += 1


def convolution_cost(kernel: int, inputs: int, outputs: int, places: int) -> Cost:
    """Return the cost of a convolution and its batch normalisation on maps of ``places`` places."""
    weights = kernel * kernel * inputs * outputs
    return weights + 2 * outputs, places * (weights + outputs)


def edge_cost(operation: str, width: int, places: int) -> Cost:
    """Return the cost of an edge of the cell; the ReLU before a convolution belongs to it."""
    if operation in _KERNEL:
        parameters, operations = convolution_cost(_KERNEL[operation], width, width, places)
        return parameters, operations + width * places
    return 0, 9 * width * places if operation == "avg_pool_3x3" else 0


@lru_cache(maxsize=65536)
def cell_cost(cell: Cell, width: int, places: int) -> Cost:
    """Return the cost of a cell, of its edges and sums."""
    costs = [edge_cost(o, width, places) for o in cell if o != "none"]
    sums = sum(max(0, len(edges) - 1) for edges in node_inputs(cell).values())
    return sum(p for p, _ in costs), sum(o for _, o in costs) + sums * width * places


def reduction_costs(inputs: int, outputs: int, before: int, places: int) -> dict[str, Cost]:
    """Return the costs of the parts of a reduction from ``before`` to ``places`` places, ReLUs with convolutions."""
    first, second = convolution_cost(3, inputs, outputs, places), convolution_cost(3, outputs, outputs, places)
    return {
        "first": (first[0], first[1] + inputs * before),
        "second": (second[0], second[1] + outputs * places),
        "pool": (0, 4 * inputs * places),
        "shortcut": (inputs * outputs, inputs * outputs * places),
        "sum": (0, outputs * places),
    }


def network_cost(rules: CellRules, values: Values) -> Cost:
    """Return (parameters, operations) of the network."""
    cell, stages, repeats, width = tuple(values["cell"]), values["stages"], values["repeats"], int(values["width"])
    parameters, operations = _skeleton_cost(rules.channels, rules.outputs, rules.size, stages, width)
    size = rules.size
    for _ in range(stages):
        p, o = cell_cost(cell, width, size[0] * size[1])
        parameters, operations = parameters + repeats * p, operations + repeats * o
        width, size = 2 * width, halved(size)
    return parameters, operations


@lru_cache(maxsize=4096)
def _skeleton_cost(channels: int, classes: int, size: Size, stages: int, width: int) -> Cost:
    """Return the cost of everything but the cells."""
    parts = [convolution_cost(3, channels, width, size[0] * size[1])]
    for _ in range(stages - 1):
        after = halved(size)
        parts += reduction_costs(width, 2 * width, size[0] * size[1], after[0] * after[1]).values()
        width, size = 2 * width, after
    places = size[0] * size[1]
    parts += [(2 * width, 2 * width * places), (0, width * places), ((width + 1) * classes, width * classes)]
    return sum(p for p, _ in parts), sum(o for _, o in parts)


def cell_facts(rules: CellRules, values: Values) -> StructuralFacts:
    """Return the structural facts of canonical values.

    The last ReLU sees what all before it see, so two cells of the image act together when one place of the last maps
    sees both.
    """
    parameters, operations = network_cost(rules, values)
    constant = tuple(values["cell"]) == CONSTANT
    axes = _axes(rules, values)
    return StructuralFacts(
        used_features=() if constant else tuple(range(rules.P)),
        pairs=0 if constant else pairs_together([Windows(*axes)], rules.cell),
        certified={},
        operations=operations,
        parameters=parameters,
        max_operations=rules.most_operations,
        receptive_field=receptive_field(rules, values),
    )


def receptive_field(rules: CellRules, values: Values) -> Size:
    """Return height and width of what one place of the last maps sees; nothing where the network is constant."""
    if tuple(values["cell"]) == CONSTANT:
        return 0, 0
    rows, columns = _axes(rules, values)
    return field_of(rows), field_of(columns)


def window_sides(rules: CellRules, values: Values) -> int:
    """Return height plus width of what one place of the last maps would see of an image without borders."""
    rows, columns = _axes(rules, values)
    return rows.length + columns.length


def _axes(rules: CellRules, values: Values) -> tuple[Axis, Axis]:
    rows, columns = (
        _axis(size, tuple(values["cell"]), values["stages"], values["repeats"]) for size in rules.size
    )  # fmt: skip
    return rows, columns


@lru_cache(maxsize=16384)
def _axis(size: int, cell: Cell, stages: int, repeats: int) -> Axis:
    """Return how the last maps see one axis."""
    axis = slide(axis_of(size), 3, padding=1)
    for stage in range(stages):
        if stage:
            block = slide(slide(axis, 3, stride=2, padding=1), 3, padding=1)
            axis = joined(block, slide(axis, 2, stride=2))
        for _ in range(repeats):
            axis = _through(axis, cell)
    return axis


def _through(axis: Axis, cell: Cell) -> Axis:
    nodes = {0: axis}
    for j, edges in node_inputs(cell).items():
        for _, i, operation in edges:
            one = slide(nodes[i], 3, padding=1) if operation in ("nor_conv_3x3", "avg_pool_3x3") else nodes[i]
            nodes[j] = joined(nodes[j], one) if j in nodes else one
    return nodes.get(3, axis)


def max_operations(rules: CellRules) -> int:
    """Return the most operations an architecture of the space needs (a bound where another limit comes first)."""
    most = 0
    dearest = {_counts(cell): cell for cell in rules.classes}
    stages = rules.numbers["stages"]
    for width in rules.choices["width"].choices:
        for depth in range(stages.low, stages.high + 1):
            for cell in dearest.values():
                values = {"cell": cell, "stages": depth, "repeats": rules.repeats[-1], "width": width}
                most = max(most, network_cost(rules, values)[1])
    return most if rules.limits.max_operations is None else min(most, rules.limits.max_operations)


def _counts(cell: Cell) -> tuple[int, ...]:
    """Return what the cost of a cell depends on."""
    sums = sum(max(0, len(edges) - 1) for edges in node_inputs(cell).values())
    return sums, cell.count("nor_conv_1x1"), cell.count("nor_conv_3x3"), cell.count("avg_pool_3x3")
