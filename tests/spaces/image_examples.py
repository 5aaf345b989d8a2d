"""Small image spaces, modules with random weights, and the outputs on fixed weights that the tests of images share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from nas_core.data.signal import Signal
from nas_core.records import Architecture
from nas_core.spaces import ImageConstraints, SearchSpace, family_named, image_space

SCALARS: dict[str, Any] = {
    "activation": "relu", "connections": "plain", "normalisation": "none", "head": "gap_linear", "hidden_depth": 0,
    "hidden_width": 16, "dropout": 0.0, "optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.0,
}  # fmt: skip


def pixels(height: int, width: int, channels: int = 1, cell: int = 1) -> Signal:
    """Return images whose cells have ``cell`` pixels on each side."""
    return Signal(modality="image", shape=(channels, height, width), cell=(cell, cell))


def open_space(signal: Signal, outputs: int = 3, preset: str = "accurate", **limits: Any) -> SearchSpace:
    """Return the preset over these images with these constraints and no others."""
    return image_space(signal, outputs, preset).changed(constraints=ImageConstraints(**limits))


def stage(*blocks: str, to: str = "none") -> dict[str, Any]:
    """Return a stage from words: ``stage("conv3-8", "max", to="conv-16")``."""
    return {"blocks": [_part(word) for word in blocks], "transition": _part(to)}


def build(space: SearchSpace, *stages: dict[str, Any], **scalars: Any) -> Architecture:
    """Return the architecture of these stages, the other variables as in SCALARS."""
    return space.architecture({"stages": list(stages), **SCALARS, **scalars})


def network(space: SearchSpace, architecture: Architecture, seed: int = 0, scale: float = 1.0) -> Any:
    """Return the module in double precision for prediction, every weight and statistic random."""
    made: Any = family_named("image").module(space, architecture.values)  # type: ignore[attr-defined]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if value.dtype.is_floating_point:
                fan = max(1, value[0].numel()) if value.dim() > 1 else 1
                fresh = torch.randn(value.shape, generator=generator) * scale / fan**0.5
                value.copy_(fresh.abs() + 0.5 if "running_var" in name else fresh)
    return made.double().eval()


def computed(space: SearchSpace, values: dict[str, Any], draw: int = 0) -> np.ndarray:
    """Return the outputs (3, C) on fixed images with weights that depend on the draw, their order and shape only."""
    made: Any = family_named("image").module(space, values)  # type: ignore[attr-defined]
    made = made.double().eval()
    with torch.no_grad():
        for at, parameter in enumerate(made.parameters()):
            fan = max(1, parameter[0].numel()) if parameter.dim() > 1 else 1
            drawn = np.random.default_rng([draw, at, *parameter.shape]).standard_normal(parameter.shape)
            parameter.copy_(torch.from_numpy(drawn) / fan**0.5)
        outputs: np.ndarray = made(fixed_images(space)).numpy()
    return outputs


def fixed_images(space: SearchSpace) -> torch.Tensor:
    """Return the three images of :func:`computed`."""
    assert space.signal is not None
    return torch.from_numpy(np.random.default_rng(0).standard_normal((3, *space.signal.encoded_shape)))


def weights_of(module: nn.Module) -> int:
    """Return the number of trainable numbers."""
    return sum(p.numel() for p in module.parameters())


def _part(word: str) -> dict[str, Any]:
    operation, _, width = word.partition("-")
    return {"operation": operation, "width": int(width)} if width else {"operation": operation}
