"""What the networks of every signal family have in common: how they are read, and randomness that can be repeated."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

__all__ = ["Dropout", "SignalNetwork", "seed_dropout"]


class SignalNetwork(nn.Module, ABC):
    """A network that reads images or sequences: maps over places, then a head that sums them up.

    Attributes:
        layers: Names of the submodules whose outputs are the activations of the layers, from the input to the head.
    """

    layers: tuple[str, ...]

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return the maps (n, F, height, width) or (n, F, steps) of ``x`` (n, *signal.encoded_shape)."""

    @abstractmethod
    def head(self, maps: Tensor) -> Tensor:
        """Return the outputs (n, C), logits or standardised regression outputs, of the maps."""

    @property
    @abstractmethod
    def map_weights(self) -> Tensor | None:
        """(C, F) what each map adds to each output where the head is a mean over places and a linear layer; else None.

        With it class-activation maps are exact: the output is the bias plus the mean over the places of the weighted
        maps (Zhou et al. 2016, arXiv 1512.04150).
        """

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (n, C) of ``x`` (n, *signal.encoded_shape)."""
        outputs: Tensor = self.head(self.features(x))
        return outputs


class Dropout(nn.Module):
    """Dropout whose noise comes from a generator of its own, so that training can be repeated beside anything else.

    Source: Srivastava et al. (2014).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with the share ``p`` of its units set to zero and the others scaled, in training only."""
        if not self.training or self.p == 0:
            return x
        keep = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * keep / (1 - self.p)

    def extra_repr(self) -> str:
        """Return the share."""
        return f"p={self.p}"


def seed_dropout(module: nn.Module, seed: int, device: torch.device) -> None:
    """Give every :class:`Dropout` inside ``module`` a generator that depends on ``seed`` and its position only."""
    found = [m for m in module.modules() if isinstance(m, Dropout)]
    for at, layer in enumerate(found):
        layer.generator = torch.Generator(device).manual_seed((seed + 0x9E3779B97F4A7C15 * (at + 1)) % 2**63)
