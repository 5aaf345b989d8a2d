"""Sequences and sequence spaces to try things on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from nas_core.data.signal import Signal, sequence_signal
from nas_core.records import Architecture, canonical_json
from nas_core.spaces import Categorical, Real, SearchSpace, SequenceConstraints, SequenceLayers, sequence_space

SERIES = sequence_signal(2, 24)
PADDED = sequence_signal(3, 20, padded=True)
TEXT = sequence_signal(1, 14, vocabulary=25)


def limited(signal: Signal = SERIES, outputs: int = 2, preset: str = "accurate", **limits: Any) -> SearchSpace:
    """Return a preset space with constraints."""
    return sequence_space(signal, outputs, preset).changed(constraints=SequenceConstraints(**limits))


def architecture(space: SearchSpace, layers: list[dict[str, Any]], **changes: Any) -> Architecture:
    """Return the architecture with these layers; everything else is plain unless it is given."""
    values = {
        "layers": layers, "pooling": "mean", "activation": "relu", "connections": "plain", "normalisation": "none",
        "dropout": 0.0, "optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.0, **changes,
    }  # fmt: skip
    if "embedding" in space.by_name:
        values.setdefault("embedding", 16)
    return space.architecture(values)


def conv(width: int = 8, kernel: int = 3, dilation: int = 1) -> dict[str, Any]:
    return {"kind": "conv", "width": width, "kernel": kernel, "dilation": dilation}


def gru(width: int = 8, both: bool = False, kind: str = "gru") -> dict[str, Any]:
    return {"kind": kind, "width": width, "both": both}


def attention(width: int = 8, heads: int = 1) -> dict[str, Any]:
    return {"kind": "attention", "width": width, "heads": heads}


def network(space: SearchSpace, a: Architecture, seed: int = 0) -> torch.nn.Module:
    """Return the network in eval mode, double precision, with random weights and batch statistics."""
    module = space.engine.module(space, a.values).double().eval().requires_grad_(False)  # type: ignore[attr-defined]
    generator = torch.Generator().manual_seed(seed)
    for name, values in module.state_dict().items():
        if "running_var" in name:
            values.uniform_(0.5, 2.0, generator=generator)
        else:
            values.normal_(0, 0.5, generator=generator)
        if name == "embedding.table.weight":
            values[0] = 0.0
    return module


def rows(signal: Signal, n: int = 6, seed: int = 0, shortest: int = 3) -> torch.Tensor:
    """Return (n, *encoded_shape) random sequences, padded ones of random lengths."""
    rng = np.random.default_rng(seed)
    length = signal.shape[-1]
    ends = rng.integers(min(shortest, length), length + 1, n)
    there = np.arange(length)[None, None] < ends[:, None, None]
    if signal.vocabulary:
        return torch.tensor(rng.integers(1, signal.vocabulary, (n, 1, length)) * there, dtype=torch.float64)
    x = rng.normal(size=(n, signal.channels, length))
    if not signal.padded:
        return torch.tensor(x)
    return torch.tensor(np.concatenate([x * there, there], axis=1))


def tiny_space(signal: Signal, kinds: tuple[str, ...], most: int = 2, **limits: Any) -> SearchSpace:
    """Return a space small enough to enumerate."""
    one: dict[str, Any] = {"low": 0.01, "high": 0.01, "log": True}
    words = signal.vocabulary > 0
    return sequence_space(signal, 2).changed(
        variables=(
            SequenceLayers(
                name="layers", kinds=kinds, widths=(1, 2), kernels=(1, 3), dilations=(1, 2), max_layers=most
            ),
            Categorical(name="pooling", choices=("mean", "flat")),
            *((Categorical(name="embedding", choices=(2, 4)),) if words else ()),
            Categorical(name="activation", choices=("relu", "identity")),
            Categorical(name="connections", choices=("plain", "residual")),
            Categorical(name="normalisation", choices=("none", "layer")),
            Real(name="dropout", low=0.0, high=0.5, step=0.5),
            Categorical(name="optimiser", choices=("adam",)),
            Real(name="learning_rate", **one),
            Real(name="weight_decay", **one),
        ),
        constraints=SequenceConstraints(**limits),
    )


def enumerate_space(space: SearchSpace) -> set[str]:
    """Return the canonical JSON of every architecture of a tiny space, by trying all raw values (the slow twin)."""
    found = set()
    for values in _raw_values(space):
        if not space.engine.problems(space, values):
            canonical = space.engine.canonical(space, values)
            if space.engine.rejection(space, canonical) is None:
                found.add(canonical_json(canonical))
    return found


def _raw_values(space: SearchSpace) -> Iterator[dict[str, Any]]:
    known: Any = space.by_name
    variable = known["layers"]
    singles = [
        *(conv(w, k, d) for w in variable.widths for k in variable.kernels for d in variable.dilations),
        *(gru(w, b, kind) for kind in ("gru", "lstm") for w in variable.widths for b in (False, True)),
        *(attention(w, h) for w in variable.widths for h in variable.heads),
    ]
    singles = [s for s in singles if s["kind"] in variable.kinds]
    names = [v.name for v in space.variables if isinstance(v, Categorical)]
    for depth in range(variable.max_layers + 1):
        for layers in itertools.product(singles, repeat=depth):
            for choice in itertools.product(*(known[n].choices for n in names), (0.0, 0.5)):
                yield {
                    "layers": list(layers), **dict(zip(names, choice)), "dropout": choice[-1], "learning_rate": 0.01,
                    "weight_decay": 0.01,
                }  # fmt: skip


@st.composite
def constrained_spaces(draw: st.DrawFn) -> SearchSpace:
    """Return spaces over series and texts of 1 … 30 steps, with constraints that leave some architecture."""
    length = draw(st.integers(1, 30))
    words = draw(st.booleans())
    signal = sequence_signal(
        1 if words else draw(st.integers(1, 3)), length, vocabulary=20 if words else 0, padded=draw(st.booleans())
    )
    outputs = draw(st.integers(1, 3))
    preset = draw(st.sampled_from(["transparent", "balanced", "accurate"]))
    return limited(
        signal,
        outputs,
        preset,
        max_layers=draw(st.none() | st.integers(0, 3)),
        max_parameters=draw(st.none() | st.integers(700, 5000)),
        max_operations=draw(st.none() | st.integers(2000, 200_000)),
        max_receptive_field=draw(st.none() | st.integers(1, 20)),
    )
