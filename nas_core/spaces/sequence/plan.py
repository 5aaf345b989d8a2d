"""The parts of a sequence network, in order, with their shapes and costs.

Parameters are those of the module. Operations are multiply-adds and function evaluations of one prediction over all
steps: weights once per step and unit, one for each activation, 1 per value for batch normalisation, 3 for layer
normalisation, 1 for a residual sum; biases, reading a row of an embedding and leaving out padding are free. A GRU of
width H on I channels takes 3·H·(I + H) + 3·H functions + 3·H products a step, an LSTM 4·H·(I + H) + 5·H + 3·H. An
attention layer of width D with M heads takes its four projections, 2·D·L² for scores and weighted sums and M·L²
functions for the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nas_core.spaces.sequence.rules import POSITIONS, RECURRENT, Layer, SequenceRules, output_width
from nas_core.spaces.sequence.rules import WORDS as WORDS_OF

__all__ = ["Part", "Plan", "embedding_part", "head_parts", "keeps_width", "layer_label", "layer_parts", "plan_of"]

Values = dict[str, Any]

_NORM_OPERATIONS = {"none": 0, "batch": 1, "layer": 3}
_NORM_WORDS = {"batch": "Batch norm", "layer": "Layer norm"}
_POOL_WORDS = {
    "mean": "Mean over steps", "sum": "Sum over steps", "last": "Last step", "max": "Maximum over steps",
    "attention": "Attention over steps", "flat": "All steps side by side",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One operation of the network: ``shape`` is its output's, ``module`` the submodule whose output that is."""

    name: str
    kind: str
    label: str
    shape: tuple[int, ...]
    parameters: int
    operations: int
    module: str
    layer: int = -1


@dataclass(frozen=True)
class Plan:
    """All parts from the embedding to the readout, layer by layer."""

    before: tuple[Part, ...]
    layers: tuple[tuple[Part, ...], ...]
    head: tuple[Part, ...]
    parameters: int
    operations: int


def plan_of(rules: SequenceRules, values: Values) -> Plan:
    """Return the plan of canonical ``values``."""
    embedding = values.get("embedding", 0)
    before = (embedding_part(rules, embedding),) if rules.vocabulary else ()
    width = rules.inputs(embedding)
    layers = []
    for index, layer in enumerate(values["layers"]):
        layers.append(layer_parts(rules, layer, index, width, values))
        width = output_width(layer)
    head = head_parts(rules, width, values["pooling"])
    everything = [*before, *(p for parts in layers for p in parts), *head]
    return Plan(
        before, tuple(layers), head, sum(p.parameters for p in everything), sum(p.operations for p in everything)
    )


def keeps_width(rules: SequenceRules, layers: Sequence[Layer], embedding: int) -> list[bool]:
    """Return for each layer whether it has as many maps as it reads channels, so that a residual sum is possible."""
    width, keeps = rules.inputs(embedding), []
    for layer in layers:
        keeps.append(output_width(layer) == width)
        width = output_width(layer)
    return keeps


def embedding_part(rules: SequenceRules, width: int) -> Part:
    """Return the table that has ``width`` numbers for each word (a row of zeros for the padding)."""
    label = f"Embedding of {rules.vocabulary:,} words"
    return Part("embedding", "embedding", label, (width, rules.length), rules.vocabulary * width, 0, "embedding")


def layer_parts(rules: SequenceRules, layer: Layer, index: int, inputs: int, values: Values) -> tuple[Part, ...]:
    """Return the parts of one layer: its weights, normalisation, activation, dropout, residual sum."""
    width, steps, norm = output_width(layer), rules.length, values["normalisation"]
    shape, module = (width, steps), f"stack.{index}"

    def part(name: str, kind: str, label: str, parameters: int, operations: int) -> Part:
        return Part(f"layer{index + 1}.{name}", kind, label, shape, parameters, operations, f"{module}.{name}", index)

    kind = "recurrent" if layer["kind"] in RECURRENT else str(layer["kind"])
    parts = [part("mixer", kind, layer_label(layer), *_mixer_cost(_frozen(layer), inputs, steps, norm != "batch"))]
    if norm != "none":
        parts.append(part("norm", "norm", _NORM_WORDS[norm], 2 * width, _NORM_OPERATIONS[norm] * width * steps))
    if layer["kind"] == "conv" and values["activation"] != "identity":
        parts.append(part("activation", "activation", values["activation"], 0, width * steps))
    if values["dropout"]:
        parts.append(part("dropout", "dropout", f"Dropout {values['dropout']:g}", 0, 0))
    if values["connections"] == "residual" and width == inputs:
        parts.append(Part(f"layer{index + 1}.add", "add", "Add", shape, 0, width * steps, module, index))
    return tuple(parts)


def head_parts(rules: SequenceRules, width: int, pooling: str) -> tuple[Part, ...]:
    """Return the pooling over the steps and the linear readout."""
    places = width * rules.length
    parameters, operations = {
        "mean": (0, places),
        "sum": (0, places),
        "max": (0, places),
        "attention": (width, 2 * places + rules.length),
    }.get(pooling, (0, 0))
    read = places if pooling == "flat" else width
    kind = {"flat": "flatten", "attention": "attention"}.get(pooling, "pool")
    weights = read * rules.outputs
    return (
        Part("pool", kind, _POOL_WORDS[pooling], (read,), parameters, operations, "pool"),
        Part("readout", "readout", f"Linear {read} → {rules.outputs}", (rules.outputs,), weights + rules.outputs,
             weights, "readout"),
    )  # fmt: skip


def layer_label(layer: Layer) -> str:
    """Return a layer in words: its kind, what it sees and how wide it is."""
    words = WORDS_OF[layer["kind"]]
    if layer["kind"] == "conv":
        gap = f", every {layer['dilation']}" if layer["dilation"] > 1 else ""
        return f"Convolution over {layer['kernel']} steps{gap} × {layer['width']}"
    if layer["kind"] in RECURRENT:
        return f"{words} {layer['width']}{' both ways' if layer['both'] else ''}"
    return f"Attention {layer['width']}, {layer['heads']} {'head' if layer['heads'] == 1 else 'heads'}"


def _frozen(layer: Layer) -> tuple[str, int, int, int]:
    """Return (kind, width, kernel or heads or ways, dilation) of a layer."""
    kind, width = layer["kind"], layer["width"]
    if kind == "conv":
        return kind, width, layer["kernel"], layer["dilation"]
    return kind, width, (layer["heads"] if kind == "attention" else 1 + layer["both"]), 1


@lru_cache(maxsize=16384)
def _mixer_cost(layer: tuple[str, int, int, int], inputs: int, steps: int, biased: bool) -> tuple[int, int]:
    """Return (parameters, operations) of the weights of a layer; ``biased`` is False before a batch norm."""
    kind, width, number, _ = layer
    if kind == "conv":
        weights = number * inputs * width
        return weights + width * biased, weights * steps
    if kind == "gru":
        weights = 3 * width * (inputs + width)
        return number * (weights + 6 * width), number * steps * (weights + 6 * width)
    if kind == "lstm":
        weights = 4 * width * (inputs + width)
        return number * (weights + 8 * width), number * steps * (weights + 8 * width)
    weights = (2 * (inputs + POSITIONS) + inputs + width) * width
    return weights + width + width * biased, weights * steps + (2 * width + number) * steps * steps
