"""Ready-made sequence spaces for a problem."""

from __future__ import annotations

from typing import Any

from nas_core.data.signal import Signal
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical
from nas_core.spaces.sequence.layer_list import SequenceLayers
from nas_core.spaces.sequence.rules import ACTIVATIONS, SequenceConstraints
from nas_core.spaces.space import SearchSpace, SpaceFeature
from nas_core.spaces.variables import Variable

__all__ = ["PRESETS", "declare", "sequence_space"]

PRESETS = {
    "transparent": "Linear models and one short convolution, summed over the steps: each run of steps adds its own.",
    "balanced": "Convolutions, recurrent layers and visible attention, at most three of them, up to 32 wide.",
    "accurate": "Everything the family offers: up to four layers, 64 wide, with dilation and residual sums.",
}


def declare(problem: Any, preset: str) -> SearchSpace:
    """Return the space of ``preset`` for ``problem``, which offers ``dataset`` and ``C``."""
    return sequence_space(problem.dataset.signal, int(problem.C), preset)


def sequence_space(signal: Signal, outputs: int, preset: str = "balanced") -> SearchSpace:
    """Return the space of ``preset`` over the cells of ``signal`` with C = ``outputs``."""
    return SearchSpace(
        family="sequence",
        features=tuple(SpaceFeature(name=name, kind="numeric") for name in signal.feature_names),
        signal=signal.model_copy(update={"words": ()}),
        outputs=outputs,
        variables=_variables(preset, signal),
        constraints=SequenceConstraints(),
    )


def _layers(preset: str) -> SequenceLayers:
    if preset == "transparent":
        return SequenceLayers(
            name="layers", label="Layers", kinds=("conv",), widths=(4, 8, 16, 32), kernels=(3, 5, 7), max_layers=1
        )
    if preset == "balanced":
        return SequenceLayers(name="layers", label="Layers", widths=(4, 8, 16, 32), max_layers=3)
    return SequenceLayers(
        name="layers", label="Layers", widths=(8, 16, 32, 64), dilations=(1, 2, 4), heads=(1, 2, 4), max_layers=4
    )


def _variables(preset: str, signal: Signal) -> tuple[Variable, ...]:
    padded = signal.padded or signal.vocabulary > 0
    poolings: tuple[str, ...] = ("mean", *(("sum",) if padded else ()), "last", "max", "attention", "flat")
    if preset == "transparent":
        poolings = ("sum" if padded else "mean", "flat")
    widths = {"transparent": (2, 4, 8, 16), "balanced": (4, 8, 16, 32)}.get(preset, (8, 16, 32, 64))
    activations = ("relu", "tanh", "softplus", "identity") if preset == "transparent" else ACTIVATIONS[:-1]
    norms = ("none", "batch") if preset == "transparent" else ("none", "batch", "layer")
    connections = ("plain",) if preset == "transparent" else ("plain", "residual")
    embedding = Categorical(name="embedding", label="Numbers per word", choices=widths, ordered=True)
    return (
        _layers(preset),
        Categorical(name="pooling", label="Pooling over the steps", choices=poolings),
        *((embedding,) if signal.vocabulary else ()),
        Categorical(name="activation", label="Activation", choices=activations),
        Categorical(name="connections", label="Connections", choices=connections),
        Categorical(name="normalisation", label="Normalisation", choices=norms),
        Real(name="dropout", label="Dropout", low=0.0, high=0.5, step=0.01, zero=0.5),
        Categorical(name="optimiser", label="Optimiser", choices=("sgd", "adam", "adamw", "adagrad")),
        Real(name="learning_rate", label="Learning rate", low=1e-3, high=0.05, log=True),
        Real(name="weight_decay", label="Weight decay", low=1e-6, high=0.01, log=True, zero=0.3),
    )
