"""A network of sequences as the coarse operations of a pack, each with the size its channels are padded to.

Values are (slots, n, steps, channels), a slot for each network. Sizes depend on the network alone, never on its
company. There are few of them: channels that are padded cost little on an accelerator, launches much.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from torch import nn

from nas_core.spaces.sequence.blocks import (
    ChannelNorm,
    Convolution,
    Recurrent,
    SelfAttention,
    SequenceLayer,
    StepNorm,
)  # fmt: skip
from nas_core.spaces.sequence.network import SequenceNetwork
from nas_core.training.batched.layout import Layout, Plan
from nas_core.training.batched.program import INPUT, Operation, Program

__all__ = ["padded", "sequence_plan"]

LEAST, MOST = 64, 1024

MIXED = ("each channel", "gru", "lstm")
"""Kinds whose traits may differ among those that are computed together."""

POOLINGS = {"sum": "mean", "mean": "mean", "last": "last", "max": "largest", "attention": "weigh", "flat": "flatten"}


def padded(size: int) -> int:
    """Return the size that channels are padded to: a power of two of at least 64, multiples of 1,024 beyond it."""
    if size > MOST:
        return -(-size // MOST) * MOST
    return max(LEAST, 1 << (size - 1).bit_length())


def sequence_plan(network: SequenceNetwork, steps: int) -> Plan:
    """Return how a network of sequences is computed beside others; ``steps`` are those of the longest sequence."""
    writer = _Writer(network, steps)
    maps = INPUT
    if network.embedding is not None:
        table = network.embedding.table
        maps = writer.add("words", (INPUT,), table.embedding_dim, "embedding.table", (table.num_embeddings,))
    for number, layer in enumerate(network.stack):
        assert isinstance(layer, SequenceLayer)
        maps = writer.layer(layer, f"stack.{number}", maps)
    maps = writer.pooling(network, maps)
    outputs = network.readout.out_features
    writer.add("readout", (maps,), outputs, "readout", steps=1, layout=Layout.plain(outputs, -(-outputs // 16) * 16))
    return writer.plan()


class _Writer:
    """Writes one operation after the other; each method returns the number of the value."""

    def __init__(self, network: SequenceNetwork, steps: int) -> None:
        self._padded, self._steps = network.padded, steps
        channels = 1 if network.embedding else padded(network.channels)
        self._given = (1, steps, channels)
        self._operations: list[Operation] = []
        self._layouts: list[Layout] = []
        self._reads: list[int] = []
        self._keys: list[Hashable] = []

    def plan(self) -> Plan:
        """Return the operations that have been written."""
        program = Program(tuple(self._operations), self._given)
        return Plan(program, tuple(self._layouts), tuple(self._reads), tuple(self._keys))

    def add(
        self, kind: str, inputs: tuple[int, ...], width: int, place: str = "", traits: tuple[Any, ...] = (),
        *, steps: int | None = None, layout: Layout | None = None,
    ) -> int:  # fmt: skip
        """Add an operation with a value of so many channels, by default each padded to its size."""
        made = Layout.plain(width, padded(width)) if layout is None else layout
        read = self._given[2] if inputs[0] == INPUT else self._layouts[inputs[0]].size
        self._operations.append(
            Operation(kind, inputs, (1, self._steps if steps is None else steps, width), place, traits)
        )
        self._layouts.append(made)
        self._reads.append(read)
        self._keys.append((kind, None if kind in MIXED else traits, read, made.size))
        return len(self._operations) - 1

    def layer(self, layer: SequenceLayer, name: str, x: int) -> int:
        """Add the mixing over steps and what follows it."""
        maps = self._mixer(layer.mixer, f"{name}.mixer", x)
        width = self._width(maps)
        if isinstance(layer.norm, StepNorm):
            maps = self.add("step norm", (maps,), width, f"{name}.norm", (layer.norm.momentum, layer.norm.epsilon))
        if isinstance(layer.norm, ChannelNorm):
            maps = self.add("channel norm", (maps,), width, f"{name}.norm.norm", (layer.norm.norm.eps,))
        if layer.activation is not None:
            maps = self.add("each channel", (maps,), width, f"{name}.activation", (repr(layer.activation),))
        dropout = f"{name}.dropout" if layer.dropout is not None else ""
        if layer.residual:
            return self.add("scale and add", (maps, x), width, dropout)
        return self.add("scale", (maps,), width, dropout) if dropout or self._padded else maps

    def pooling(self, network: SequenceNetwork, maps: int) -> int:
        """Add what makes one vector of the maps."""
        width, name = self._width(maps), network.pooling
        if name == "flat":
            size, spots = self._size(maps), np.arange(self._steps) * self._size(maps)
            places = (np.arange(width)[:, None] + spots).ravel()
            return self.add("flatten", (maps,), len(places), steps=1, layout=Layout(size * self._steps, places))
        place = "pool.attention.score" if name == "attention" else ""
        traits = (name == "mean" and self._padded,) if POOLINGS[name] == "mean" else ()
        return self.add(POOLINGS[name], (maps,), width, place, traits, steps=1)

    def _mixer(self, mixer: nn.Module, name: str, x: int) -> int:
        if isinstance(mixer, Convolution):
            conv = mixer.conv
            return self.add("convolve", (x,), conv.out_channels, name, (conv.kernel_size[0], conv.dilation[0]))
        if isinstance(mixer, SelfAttention):
            return self.add("attend", (x,), mixer.out.out_features, name, (mixer.heads,))
        assert isinstance(mixer, Recurrent)
        width = mixer.forwards.hidden_size
        if mixer.backwards is None:
            return self._cell(mixer.forwards, f"{name}.forwards", x, width, (0, 0))
        if padded(width) > width:  # both ways are one cell: the second half of its units reads backwards
            return self._cell(mixer.forwards, name, x, 2 * width, (width, 2 * width))
        forwards = self._cell(mixer.forwards, f"{name}.forwards", x, width, (0, 0))
        backwards = self._cell(mixer.backwards, f"{name}.backwards", x, width, (0, width))
        return self.add("join", (forwards, backwards), 2 * width)

    def _cell(self, cell: nn.RNNBase, name: str, x: int, width: int, turned: tuple[int, int]) -> int:
        """Add a GRU or an LSTM of ``width`` units, those from the first to the second of ``turned`` read backwards."""
        gates = self.add("gates", (x,), 4 * width, name, layout=Layout.plain(4 * width, 4 * padded(width)))
        return self.add("lstm" if isinstance(cell, nn.LSTM) else "gru", (gates,), width, name, turned)

    def _width(self, number: int) -> int:
        return self._given[2] if number == INPUT else self._operations[number].shape[2]

    def _size(self, number: int) -> int:
        return self._given[2] if number == INPUT else self._layouts[number].size
