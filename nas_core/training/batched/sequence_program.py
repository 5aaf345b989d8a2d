"""A network of sequences as a list of operations: what its layers compute, in the order in which they do.

Maps are (1, steps, channels). What says where a sequence has a step is a value of two channels: 1 where it has one, and
1 up to its last one.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from nas_core.spaces.sequence.blocks import (
    ChannelNorm,
    Convolution,
    Recurrent,
    SelfAttention,
    SequenceLayer,
    StepNorm,
)  # fmt: skip
from nas_core.spaces.sequence.network import Pooling, SequenceNetwork
from nas_core.spaces.sequence.rules import POSITIONS
from nas_core.training.batched.program import INPUT, Operation, Program

__all__ = ["sequence_program"]

SUMMED = {"last": "last step", "max": "largest step"}


def sequence_program(network: SequenceNetwork, channels: int, steps: int) -> Program:
    """Return the operations of a network of sequences.

    Args:
        network: The network; it is left as it is.
        channels: Channels of its rows, with the one that says where there is a step.
        steps: Their steps.
    """
    writer = _Writer(channels, steps)
    maps = INPUT
    if network.padded:
        writer.present = writer.add("presence", (INPUT,), 2, traits=(0 if network.embedding else network.channels,))
    if network.embedding is not None:
        width, words = network.embedding.table.embedding_dim, network.embedding.table.num_embeddings
        maps = writer.add("words", (INPUT,), width, "embedding.table", (words,))
    if network.padded:
        maps = writer.add("mask", (maps,), network.channels if maps == INPUT else writer.width(maps))
    for number, layer in enumerate(network.stack):
        assert isinstance(layer, SequenceLayer)
        maps = writer.layer(layer, f"stack.{number}", maps)
    maps = writer.pooling(network.pool, maps)
    writer.add("linear", (maps,), network.readout.out_features, "readout", steps=1)
    return Program(tuple(writer.operations), writer.given)


class _Writer:
    """Writes one operation after the other; each method returns the number of the value."""

    def __init__(self, channels: int, steps: int) -> None:
        self.given, self.steps = (1, steps, channels), steps
        self.operations: list[Operation] = []
        self.present: int | None = None

    def width(self, number: int) -> int:
        """Return the channels of a value."""
        return self.given[2] if number == INPUT else self.operations[number].shape[2]

    def add(
        self, kind: str, inputs: tuple[int, ...], width: int, place: str = "", traits: tuple[Any, ...] = (),
        *, steps: int | None = None,
    ) -> int:  # fmt: skip
        """Add an operation; those that ask where there is a step are given that value last."""
        if kind in PRESENCE and self.present is not None:
            inputs = (*inputs, self.present)
        shape = (1, self.steps if steps is None else steps, width)
        self.operations.append(Operation(kind, inputs, shape, place, traits))
        return len(self.operations) - 1

    def layer(self, layer: SequenceLayer, name: str, x: int) -> int:
        """Add the mixing over steps and what follows it."""
        maps = self._mixer(layer.mixer, f"{name}.mixer", x)
        maps = self._norm(layer.norm, f"{name}.norm", maps)
        width = self.width(maps)
        if layer.activation is not None:
            maps = self.add("each channel", (maps,), width, f"{name}.activation", (repr(layer.activation),))
        if layer.dropout is not None:
            maps = self.add("dropout", (maps,), width, f"{name}.dropout")
        if self.present is not None:
            maps = self.add("mask", (maps,), width)
        return self.add("sum", (x, maps), width) if layer.residual else maps

    def pooling(self, pool: Pooling, maps: int) -> int:
        """Add what makes one vector of the maps."""
        width = self.width(maps)
        if pool.name == "flat":
            return self.add("flatten", (maps,), width * self.steps, steps=1)
        if pool.attention is not None:
            scores = self._each_step("pool.attention.score", maps, 1, bias="")
            weights = self.add("weights of steps", (scores,), 1)
            return self.add("mix", (maps, weights), width, traits=(1,), steps=1)
        if pool.name in SUMMED:
            return self.add(SUMMED[pool.name], (maps,), width, steps=1)
        kind = "mean" if pool.name == "sum" or self.present is None else "mean of steps"
        return self.add(kind, (maps,), width, steps=1)

    def _mixer(self, mixer: nn.Module, name: str, x: int) -> int:
        if isinstance(mixer, Convolution):
            conv = mixer.conv
            traits = (conv.kernel_size[0], conv.padding[0], conv.dilation[0], "weight", "bias")
            return self.add("step convolution", (x,), conv.out_channels, f"{name}.conv", traits)
        if isinstance(mixer, Recurrent):
            forwards = self._states(mixer.forwards, f"{name}.forwards", x, turned=False)
            if mixer.backwards is None:
                return forwards
            backwards = self._states(mixer.backwards, f"{name}.backwards", x, turned=True)
            return self.add("join", (forwards, backwards), 2 * self.width(forwards))
        assert isinstance(mixer, SelfAttention)
        width, heads = mixer.out.out_features, mixer.heads
        placed = self.add("coordinates", (x,), self.width(x) + POSITIONS)
        query = self._each_step(f"{name}.query", placed, width)
        key = self._each_step(f"{name}.key", placed, width)
        value = self._each_step(f"{name}.value", x, width)
        weights = self.add("attention", (query, key), heads * self.steps)
        mixed = self.add("mix", (value, weights), width, traits=(heads,))
        return self._each_step(f"{name}.out", mixed, width)

    def _states(self, cell: nn.RNNBase, name: str, x: int, *, turned: bool) -> int:
        lstm, width = isinstance(cell, nn.LSTM), cell.hidden_size
        gates = self._each_step(name, x, (3 + lstm) * width, weight="weight_ih_l0", bias="bias_ih_l0")
        return self.add("states", (gates,), width, name, (lstm, turned))

    def _each_step(self, name: str, x: int, width: int, *, weight: str = "weight", bias: str = "bias") -> int:
        """Add a linear layer of each step."""
        return self.add("step convolution", (x,), width, name, (1, 0, 1, weight, bias))

    def _norm(self, norm: nn.Module | None, name: str, x: int) -> int:
        if isinstance(norm, StepNorm):
            kind = "norm" if self.present is None else "norm of steps"
            return self.add(kind, (x,), self.width(x), name, (norm.momentum, norm.epsilon))
        if isinstance(norm, ChannelNorm):
            return self.add("norm of channels", (x,), self.width(x), f"{name}.norm", (0.0, norm.norm.eps))
        return x


PRESENCE = (
    "mask", "states", "attention", "weights of steps", "last step", "largest step", "mean of steps", "norm of steps",
)  # fmt: skip
"""Kinds that are given where there is a step, in sequences that are padded."""
