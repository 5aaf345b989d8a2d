"""The torch network of a cell architecture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas_core.spaces.cell.rules import CellRules
from nas_core.spaces.cell.structure import blocks_of
from nas_core.spaces.cell.topology import EDGES, Cell, node_inputs
from nas_core.spaces.layers import SignalNetwork

__all__ = ["CellModule", "CellNetwork"]

Values = dict[str, Any]


class Sum(nn.Module):
    """The sum of the maps that meet at a node."""

    def forward(self, *maps: Tensor) -> Tensor:
        """Return the sum."""
        total = maps[0]
        for more in maps[1:]:
            total = total + more
        return total


class CellModule(nn.Module):
    """A cell of four nodes; zeros where no way leads through it."""

    def __init__(self, cell: Cell, width: int) -> None:
        super().__init__()
        self._inputs = node_inputs(cell)
        for edge, operation in enumerate(cell):
            i, j = EDGES[edge]
            if operation not in ("none", "skip_connect"):
                self.add_module(f"edge{i}{j}", _operation(operation, width))
        for j, edges in self._inputs.items():
            if len(edges) > 1:
                self.add_module(f"node{j}", Sum())

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps of the last node."""
        nodes = {0: x}
        for j, edges in self._inputs.items():
            terms = [nodes[i] if o == "skip_connect" else self._edge(i, j)(nodes[i]) for _, i, o in edges]
            if terms:
                nodes[j] = terms[0] if len(terms) == 1 else self.get_submodule(f"node{j}")(*terms)
        return nodes[3] if 3 in nodes else torch.zeros_like(x)

    def _edge(self, i: int, j: int) -> nn.Module:
        return self.get_submodule(f"edge{i}{j}")


class Reduction(nn.Module):
    """A residual block that halves the size (He et al. 2016), as NAS-Bench-201 has it between two stages."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = _convolution(3, inputs, outputs, stride=2)
        self.second = _convolution(3, outputs, outputs)
        self.pool = nn.AvgPool2d(2, stride=2, ceil_mode=True)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of half the size."""
        maps: Tensor = self.second(self.first(x))
        return maps + self.shortcut(self.pool(x))


class CellNetwork(SignalNetwork):
    """Stem, cells and reductions, then normalisation, ReLU, the mean over places and a linear layer."""

    def __init__(self, rules: CellRules, values: Values) -> None:
        super().__init__()
        width = int(values["width"])
        self.stem = nn.Sequential(
            nn.Conv2d(rules.channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )  # fmt: skip
        built: list[nn.Module] = []
        for block in blocks_of(rules, values):
            if block.reduces:
                built.append(Reduction(block.inputs, block.outputs))
            else:
                built.append(CellModule(tuple(values["cell"]), block.outputs))
            width = block.outputs
        self.blocks = nn.ModuleList(built)
        self.norm = nn.BatchNorm2d(width)
        self.activation = nn.ReLU()
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.readout = nn.Linear(width, rules.outputs)
        self.layers = ("stem", *(f"blocks.{i}" for i in range(len(built))), "activation")

    def features(self, x: Tensor) -> Tensor:
        """Return the last maps (n, F, height, width)."""
        maps: Tensor = self.stem(x)
        for block in self.blocks:
            maps = block(maps)
        active: Tensor = self.activation(self.norm(maps))
        return active

    def head(self, maps: Tensor) -> Tensor:
        """Return the outputs (n, C)."""
        outputs: Tensor = self.readout(self.pool(maps))
        return outputs

    @property
    def map_weights(self) -> Tensor:
        """(C, F): the head is a mean over places and a linear layer."""
        return self.readout.weight


def _convolution(kernel: int, inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """Return ReLU, convolution, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _operation(name: str, width: int) -> nn.Module:
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return _convolution(3 if name == "nor_conv_3x3" else 1, width, width)
