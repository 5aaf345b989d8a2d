"""Where the parameters of networks of sequences lie in those of the steps of their pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from torch import nn

from nas_core.spaces.layers import SignalNetwork
from nas_core.spaces.sequence.blocks import Recurrent, SelfAttention
from nas_core.spaces.sequence.rules import POSITIONS
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.schedule import Step
from nas_core.training.batched.sequence_cells import GATES, GRU_GATES, LSTM_GATES
from nas_core.training.batched.weights import PackWeights

__all__ = ["place_parameters"]

Shapes = list[tuple[int, ...]]
Named = Callable[[str], np.ndarray | None]
"""Name of a parameter of a layer → where its numbers lie in the flat vector, in its shape; None where it has none."""


def place_parameters(
    step: Step, plans: Sequence[Plan], networks: Sequence[SignalNetwork], weights: PackWeights
) -> None:
    """Add the parameters of a step and say where those of its networks lie in them."""
    if step.kind == "words":
        return _words(step, plans, weights)
    first = step.members[0]
    read, made = plans[first.network].reads[first.operation], plans[first.network].layouts[first.operation].size
    added = weights.add(_shapes(step, read, made))
    for slot, member in enumerate(step.members if added else ()):
        plan, network = plans[member.network], networks[member.network]
        operation = plan.program.operations[member.operation]
        named = partial(_named, weights, member.network, operation.place)
        inputs = plan.layout(operation.inputs[0]).places
        _place(step.kind, [block[slot] for block in added], named, network.get_submodule(operation.place), inputs)


def _named(weights: PackWeights, k: int, place: str, name: str) -> np.ndarray | None:
    return weights.places(k, f"{place}.{name}")


def _words(step: Step, plans: Sequence[Plan], weights: PackWeights) -> None:
    """Add one table (V, widths of all networks) of the vectors of words."""
    operations = [plans[member.network].program.operations[member.operation] for member in step.members]
    (table,) = weights.add([(step.traits[0], sum(operation.shape[2] for operation in operations))])
    start = 0
    for member, operation in zip(step.members, operations, strict=True):
        table[:, start : start + operation.shape[2]] = weights.places(member.network, f"{operation.place}.weight")
        start += operation.shape[2]


def _shapes(step: Step, read: int, made: int) -> Shapes:
    """Return the shapes of the parameters of a step; slots come first."""
    S, kind = step.slots, step.kind
    if kind == "convolve":
        return [(S, step.traits[0] * made, read), (S, 1, made)]
    if kind == "gates":
        return [(S, read, made), (S, 2, made)]
    if kind in ("gru", "lstm"):
        return [(S, made, GATES * made)]
    if kind == "attend":
        wide = -(-made // step.traits[0]) * step.traits[0]  # heads of equal size
        return [(S, read + POSITIONS, 3 * wide), (S, 1, 3 * wide), (S, wide, made), (S, 1, made)]
    if kind in ("step norm", "channel norm"):
        return [(S, 1, made), (S, 1, made)]
    if kind == "weigh":
        return [(S, 1, 1, read)]
    return [(S, read, made), (S, 1, made)] if kind == "readout" else []


def _place(kind: str, blocks: Sequence[np.ndarray], named: Named, module: nn.Module, inputs: np.ndarray) -> None:
    """Say where the parameters of one network lie in its slot of the ``blocks``."""
    if kind == "convolve":
        _convolution(blocks, named)
    elif kind in ("gates", "gru", "lstm"):
        _cells(kind == "gates", blocks, named, module)
    elif kind == "attend":
        assert isinstance(module, SelfAttention)
        _attention(blocks, named, module)
    elif kind == "readout":
        _linear(blocks[0], named("weight"), inputs)
        _vector(blocks[1], named("bias"))
    else:
        for block, name in zip(blocks, ("weight", "bias")):
            _vector(block, named(name))


def _convolution(blocks: Sequence[np.ndarray], named: Named) -> None:
    """Weights (made, C, kernel): the windows are those of the gradient, which read the kernel the other way round."""
    weight = named("conv.weight")
    assert weight is not None
    outputs, inputs, kernel = weight.shape
    by_tap = blocks[0].reshape(kernel, -1, blocks[0].shape[-1])
    by_tap[:, :outputs, :inputs] = weight.transpose(2, 0, 1)
    _vector(blocks[1], named("conv.bias"))


def _cells(gates: bool, blocks: Sequence[np.ndarray], named: Named, module: nn.Module) -> None:
    """Weights (gates · width, C) and biases of a cell, or of both ways of a layer, one behind the other."""
    if isinstance(module, nn.RNNBase):
        return _cell(gates, blocks, named, module)
    assert isinstance(module, Recurrent)
    for start, way in ((0, "forwards."), (module.forwards.hidden_size, "backwards.")):
        _cell(gates, blocks, named, module.forwards, way, start)


def _cell(
    gates: bool, blocks: Sequence[np.ndarray], named: Named, cell: nn.RNNBase, way: str = "", start: int = 0
) -> None:
    """Say where the parameters of one cell lie, whose units begin at ``start``."""
    width, lstm = cell.hidden_size, isinstance(cell, nn.LSTM)
    units = slice(start, start + width)
    for number, name in enumerate(("ih", "hh")):
        places = list(LSTM_GATES if lstm else GRU_GATES[name])
        weight, bias = (named(f"{way}{what}_{name}_l0") for what in ("weight", "bias"))
        assert weight is not None
        assert bias is not None
        if gates:
            blocks[1][number].reshape(GATES, -1)[places, units] = bias.reshape(-1, width)
        if gates == (name == "ih"):
            rows = slice(weight.shape[1]) if gates else units
            table = blocks[0].reshape(len(blocks[0]), GATES, -1)[rows]
            table[:, places, units] = weight.reshape(-1, width, weight.shape[1]).transpose(2, 0, 1)


def _attention(blocks: Sequence[np.ndarray], named: Named, module: SelfAttention) -> None:
    """Queries, keys and values side by side, each head padded; coordinates come behind the padded channels."""
    heads, width = module.heads, module.out.in_features
    for number, name in enumerate(("query", "key", "value")):
        weight, bias = named(f"{name}.weight"), named(f"{name}.bias")
        assert weight is not None
        channels = weight.shape[1] if name == "value" else weight.shape[1] - POSITIONS
        by_head = blocks[0].reshape(len(blocks[0]), 3, heads, -1)[:, number, :, : width // heads]
        own = weight.T.reshape(-1, heads, width // heads)
        by_head[:channels] = own[:channels]
        if name != "value":
            by_head[-POSITIONS:] = own[channels:]
        if bias is not None:
            blocks[1][0].reshape(3, heads, -1)[number, :, : width // heads] = bias.reshape(heads, -1)
    weight = named("out.weight")
    assert weight is not None
    by_head = blocks[2].reshape(heads, -1, blocks[2].shape[-1])
    by_head[:, : width // heads, : len(weight)] = weight.T.reshape(heads, width // heads, -1)
    _vector(blocks[3], named("out.bias"))


def _linear(block: np.ndarray, weight: np.ndarray | None, inputs: np.ndarray) -> None:
    assert weight is not None
    block[np.ix_(inputs[: weight.shape[1]], np.arange(len(weight)))] = weight.T


def _vector(block: np.ndarray, own: np.ndarray | None) -> None:
    if own is not None:
        block[..., : own.size] = own.ravel()
