"""Layers of image and cell networks; all maps are (N, F, height, width)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Pixels", "Reduction", "SpatialAttention", "SqueezeExcitation", "convolved"]


class Pixels(nn.Module):
    """Every channel minus its mean, divided by its standard deviation over the training rows."""

    mean: Tensor
    sd: Tensor

    def __init__(self, mean: list[float], sd: list[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("sd", torch.tensor(sd)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the standardised images."""
        return (images - self.mean) / self.sd


class SqueezeExcitation(nn.Module):
    """A gate for each channel, from the means of all channels (Hu et al. 2018)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled maps."""
        means = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.excite(torch.relu(self.squeeze(means))))


class SpatialAttention(nn.Module):
    """A gate for each place, from the mean and the largest channel around it (Woo et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled maps."""
        summary = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.convolution(summary))


def convolved(kernel: int, inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """Return ReLU, convolution, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Reduction(nn.Module):
    """A residual block that halves height and width (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = convolved(3, inputs, outputs, stride=2)
        self.second = convolved(3, outputs, outputs)
        self.pool = nn.AvgPool2d(2, stride=2, ceil_mode=True)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of half the size."""
        maps: Tensor = self.second(self.first(x))
        return maps + self.shortcut(self.pool(x))
