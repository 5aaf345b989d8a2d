"""The picture of a cell network as data: every cell with its nodes and edges, in a group that can be collapsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.spaces.cell.rules import CellRules
from nas_core.spaces.cell.structure import (
    Block,
    Cost,
    blocks_of,
    convolution_cost,
    edge_cost,
    reduction_costs,
)
from nas_core.spaces.cell.topology import CONSTANT, EDGES, WORDS, Cell, node_inputs

if TYPE_CHECKING:
    import networkx

__all__ = ["network_graph"]

Values = dict[str, Any]
Shape = tuple[int, ...]

_KINDS = {"nor_conv_1x1": "conv", "nor_conv_3x3": "conv", "avg_pool_3x3": "pool", "skip_connect": "identity"}


class _Picture:
    """A graph that is drawn node by node; ``features`` are those that everything added from now on depends on."""

    def __init__(self, graph: networkx.DiGraph, features: tuple[int, ...]) -> None:
        self.graph, self.features, self.group = graph, features, -1

    def add(
        self, name: str, kind: str, label: str, shape: Shape, cost: Cost = (0, 0), *, module: str = "",
        sources: tuple[str, ...] = (), skips: tuple[str, ...] = (),
    ) -> str:  # fmt: skip
        """Add a node behind its sources; those in ``skips`` by a skip connection."""
        self.graph.add_node(
            name, kind=kind, label=label, shape=shape, parameters=cost[0], operations=cost[1], group=self.group,
            features=self.features, module=module,
        )  # fmt: skip
        self.graph.add_edges_from(((source, name) for source in sources), skip=False)
        self.graph.add_edges_from(((source, name) for source in skips), skip=True)
        return name


def network_graph(rules: CellRules, values: Values) -> networkx.DiGraph:
    """Return the network of canonical ``values``; each cell and each reduction is a group."""
    import networkx as nx

    cell, blocks = tuple(values["cell"]), list(blocks_of(rules, values))
    groups, numbers = {}, [0] * (values["stages"] + 1)
    for block in blocks:
        numbers[block.stage] += not block.reduces
        words = "reduction" if block.reduces else f"cell {numbers[block.stage]}"
        groups[block.index] = f"Stage {block.stage + 1}: {words}"
    picture = _Picture(nx.DiGraph(family="cell", groups=groups), tuple(range(rules.P)))
    width, (height, across) = int(values["width"]), rules.size
    last = picture.add("input", "input", "Image", (rules.channels, height, across))
    cost = convolution_cost(3, rules.channels, width, height * across)
    last = picture.add("stem", "conv", "Stem: 3×3 convolution", (width, height, across), cost, module="stem",
                       sources=(last,))  # fmt: skip
    size = rules.size
    for block in blocks:
        picture.group = block.index
        last = _reduction(picture, block, size, last) if block.reduces else _cell(picture, block, cell, last)
        size = block.size
    picture.group = -1
    _head(picture, rules, blocks[-1], last)
    return picture.graph


def _cell(picture: _Picture, block: Block, cell: Cell, source: str) -> str:
    """Add the operations of a cell and its sums; a skip is an edge, unless it would lie on another one."""
    shape, places = (block.outputs, *block.size), block.size[0] * block.size[1]
    prefix, module = f"block{block.index + 1}", f"blocks.{block.index}"
    if cell == CONSTANT:
        picture.features = ()
        return picture.add(f"{prefix}.zeros", "identity", "Zeros: no way through the cell", shape, module=module)
    nodes = {0: source}
    for j, edges in node_inputs(cell).items():
        terms, skips = [], []
        for edge, i, operation in edges:
            a, b = EDGES[edge]
            if operation == "skip_connect" and nodes[i] not in skips:
                skips.append(nodes[i])
                continue
            name = f"{prefix}.{a}to{b}"
            label = f"{WORDS[operation].capitalize()} {a} → {b}"
            own = "" if operation == "skip_connect" else f"{module}.edge{a}{b}"
            cost = edge_cost(operation, block.outputs, places)
            terms.append(picture.add(name, _KINDS[operation], label, shape, cost, module=own, sources=(nodes[i],)))
        count = len(terms) + len(skips)
        if count > 1:
            extra = (0, (count - 1) * block.outputs * places)
            nodes[j] = picture.add(
                f"{prefix}.node{j}", "add", f"Sum at node {j}", shape, extra, module=f"{module}.node{j}",
                sources=tuple(terms), skips=tuple(skips),
            )  # fmt: skip
        elif count:
            nodes[j] = [*terms, *skips][0]
    return nodes[3]


def _reduction(picture: _Picture, block: Block, before: tuple[int, int], source: str) -> str:
    shape, small = (block.outputs, *block.size), (block.inputs, *block.size)
    costs = reduction_costs(block.inputs, block.outputs, before[0] * before[1], block.size[0] * block.size[1])
    prefix, module = f"block{block.index + 1}", f"blocks.{block.index}"

    def part(name: str, kind: str, label: str, shape: Shape, *sources: str) -> str:
        return picture.add(
            f"{prefix}.{name}", kind, label, shape, costs[name], module=f"{module}.{name}", sources=sources
        )

    first = part("first", "conv", "3×3 convolution, stride 2", shape, source)
    second = part("second", "conv", "3×3 convolution", shape, first)
    pool = part("pool", "pool", "2×2 average pooling", small, source)
    shortcut = part("shortcut", "conv", "1×1 convolution", shape, pool)
    return picture.add(
        f"{prefix}.sum", "add", "Add", shape, costs["sum"], module=module, sources=(second,), skips=(shortcut,)
    )


def _head(picture: _Picture, rules: CellRules, block: Block, last: str) -> None:
    width, places = block.outputs, block.size[0] * block.size[1]
    shape = (width, *block.size)
    values = width * places
    last = picture.add("norm", "norm", "Batch norm", shape, (2 * width, values), module="norm", sources=(last,))
    last = picture.add("activation", "activation", "relu", shape, (0, values), module="activation", sources=(last,))
    last = picture.add("pool", "pool", "Mean over places", (width,), (0, values), module="pool", sources=(last,))
    cost = ((width + 1) * rules.outputs, width * rules.outputs)
    label = f"Linear {width} → {rules.outputs}"
    last = picture.add("readout", "readout", label, (rules.outputs,), cost, module="readout", sources=(last,))
    picture.add("output", "output", "Output", (rules.outputs,), sources=(last,))
