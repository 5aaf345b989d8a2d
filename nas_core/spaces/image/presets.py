"""Ready-made image spaces for a problem."""

from __future__ import annotations

from typing import Any

from nas_core.data.signal import Signal
from nas_core.spaces.image.blocks import ImageBlocks
from nas_core.spaces.image.rules import ACTIVATIONS, ImageConstraints
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer
from nas_core.spaces.space import SearchSpace, SpaceFeature
from nas_core.spaces.variables import Variable

__all__ = ["PRESETS", "declare", "image_space"]

PRESETS = {
    "transparent": "Small receptive fields, summed by a linear head: every patch votes for itself and can be shown.",
    "balanced": "From a linear model of the pixels to residual networks of a few million operations.",
    "accurate": "Everything the family offers, up to four stages of 64 channels and dense heads.",
    "lenet": "Plain convolutions and pooling before a dense head, after LeNet-5; also networks without convolutions.",
}

_SPREAD = 2_500
"""Operations per pixel that the balanced networks of images larger than 28×28 may need."""


def declare(problem: Any, preset: str) -> SearchSpace:
    """Return the space of ``preset`` for ``problem``, which offers ``dataset`` and ``C``."""
    return image_space(problem.dataset.signal, int(problem.C), preset)


def image_space(signal: Signal, outputs: int, preset: str) -> SearchSpace:
    """Return the space of ``preset`` over images of this shape with C = ``outputs``."""
    signal = signal.model_copy(update={"words": ()})
    return SearchSpace(
        family="image",
        features=tuple(SpaceFeature(name=name, kind="numeric") for name in signal.feature_names),
        signal=signal,
        outputs=outputs,
        variables=_variables(preset, pixels=signal.place != (1, 1)),
        constraints=_limits(signal, preset),
    )


def _limits(signal: Signal, preset: str) -> ImageConstraints:
    """Return limits that keep a candidate affordable; they grow with the number of pixels."""
    pixels = signal.place[0] * signal.place[1]
    most = {"transparent": 2_000_000, "accurate": 12_000_000, "lenet": 3_000_000}.get(preset, 3_000_000)
    most = max(most, most // 1_000_000 * _SPREAD // 3 * pixels)
    if preset == "transparent":
        # Brendel & Bethge 2019 (10.48550/arXiv.1904.00760): patches of a small part of the image are enough
        side = max(3, min(max(signal.place) // 2, 17))
        return ImageConstraints(max_operations=most, max_receptive_field=side)
    return ImageConstraints(max_operations=most)


def _stages(preset: str, pixels: bool) -> ImageBlocks:
    shared: dict[str, Any] = {"name": "stages", "label": "Stages and blocks"}
    if preset == "transparent":
        return ImageBlocks(
            **shared, operations=("conv1", "conv3", "sep3", "avg"), widths=(4, 8, 16, 32, 64), min_stages=int(pixels),
            max_stages=2,
        )  # fmt: skip
    if preset == "lenet":
        return ImageBlocks(
            **shared, operations=("conv3", "conv5"), widths=(4, 6, 8, 16, 32), transitions=("max", "avg"), max_stages=3,
            max_blocks=2,
        )  # fmt: skip
    if preset == "balanced":
        return ImageBlocks(**shared, widths=(4, 8, 12, 16, 24, 32, 48), max_stages=3, max_blocks=3)
    return ImageBlocks(**shared, widths=(4, 8, 12, 16, 24, 32, 48, 64))


def _variables(preset: str, pixels: bool) -> tuple[Variable, ...]:
    activations: dict[str, tuple[str, ...]] = {
        "transparent": ("relu", "gelu", "softplus", "identity"),
        "lenet": ("relu", "tanh", "sigmoid"),
    }
    connections: dict[str, tuple[str, ...]] = {"lenet": ("plain",)}
    norms: tuple[str, ...] = ("none",) if preset == "lenet" else ("none", "batch")
    heads: dict[str, tuple[str, ...]] = {"transparent": ("gap_linear",), "lenet": ("dense", "gap_linear")}
    widths: dict[str, tuple[int, ...]] = {"accurate": (16, 32, 64, 128, 256), "lenet": (16, 32, 64, 84, 120)}
    return (
        _stages(preset, pixels),
        Categorical(name="activation", label="Activation", choices=activations.get(preset, ACTIVATIONS)),
        Categorical(name="connections", label="Connections",
                    choices=connections.get(preset, ("plain", "residual", "dense"))),
        Categorical(name="normalisation", label="Normalisation", choices=norms),
        Categorical(name="head", label="Head", choices=heads.get(preset, ("gap_linear", "dense"))),
        Integer(name="hidden_depth", label="Hidden layers of the head", low=0, high=2),
        Categorical(name="hidden_width", label="Units per hidden layer", choices=widths.get(preset, (16, 32, 64, 128)),
                    ordered=True),
        Real(name="dropout", label="Dropout", low=0.0, high=0.5, step=0.01, zero=0.5),
        Categorical(name="optimiser", label="Optimiser", choices=("sgd", "adam", "adamw", "adagrad")),
        Real(name="learning_rate", label="Learning rate", low=5e-4, high=0.05, log=True),
        Real(name="weight_decay", label="Weight decay", low=1e-6, high=0.01, log=True, zero=0.3),
    )  # fmt: skip
