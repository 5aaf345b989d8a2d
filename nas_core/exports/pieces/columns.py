"""From the raw values of one column of a table to what the network reads, and back to the unit of the target."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = [
    "Bins",
    "Feature",
    "Interpolation",
    "LogTarget",
    "OneHot",
    "PlainTarget",
    "PowerTarget",
    "Quantile",
    "QuantileTarget",
    "Standardised",
    "Waves",
]


class Feature(nn.Module):
    """One column of the table: NaN becomes ``fill``, then the encoding.

    ``flagged`` adds a column that is 1 where it was NaN.
    """

    def __init__(self, encoding: nn.Module, fill: float, flagged: bool) -> None:
        super().__init__()
        self.encoding, self.fill, self.flagged = encoding, fill, flagged

    def forward(self, values: Tensor) -> Tensor:
        """Return the encoded columns (N, d) of raw values (N,) float64."""
        missing = torch.isnan(values)
        columns = self.encoding(torch.where(missing, self.fill, values)).float()
        return torch.cat([columns, missing[:, None].float()], dim=1) if self.flagged else columns


class Standardised(nn.Module):
    """(value - mean) / sd of the training rows, within ±20."""

    def __init__(self, mean: float, sd: float) -> None:
        super().__init__()
        self.mean, self.sd = mean, sd

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, 1)."""
        return torch.clamp((values - self.mean) / self.sd, -20.0, 20.0)[:, None]


class Interpolation(nn.Module):
    """The piecewise linear function through (xs, ys), constant outside; xs increase and there are at least two."""

    xs: Tensor
    ys: Tensor

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("xs", torch.tensor(xs, dtype=torch.float64), persistent=False)
        self.register_buffer("ys", torch.tensor(ys, dtype=torch.float64), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return (N,) of values (N,) float64."""
        last = self.xs.shape[0] - 1
        within = torch.clamp(values, min=self.xs[0], max=self.xs[last])
        below = (within[:, None] >= self.xs).sum(dim=1)  # knots at or below each value
        left = torch.clamp(below - 1, 0, last - 1)
        x0, x1, y0, y1 = self.xs[left], self.xs[left + 1], self.ys[left], self.ys[left + 1]
        found = y0 + (within - x0) * ((y1 - y0) / (x1 - x0))
        return torch.minimum(found, self.ys[torch.clamp(below, 0, last)])


class Quantile(nn.Module):
    """The share of training values below the value, scaled to mean 0 and standard deviation 1."""

    def __init__(self, knots: Sequence[float], ranks: Sequence[float]) -> None:
        super().__init__()
        self.ranks = Interpolation(knots, ranks)

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, 1)."""
        ranked: Tensor = self.ranks(values)
        return ranked[:, None]


class Bins(nn.Module):
    """Piecewise linear: column b rises from 0 to 1 while the value crosses bin b."""

    low: Tensor
    high: Tensor

    def __init__(self, edges: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(edges[:-1], dtype=torch.float64), persistent=False)
        self.register_buffer("high", torch.tensor(edges[1:], dtype=torch.float64), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, bins)."""
        within = torch.minimum(torch.maximum(values[:, None], self.low), self.high)
        return (within - self.low) / (self.high - self.low)


class Waves(nn.Module):
    """Sines and cosines of 1, 2, … half-turns between ``low`` and ``high``, constant outside."""

    turns: Tensor

    def __init__(self, low: float, high: float, frequencies: int) -> None:
        super().__init__()
        self.low, self.high = low, high
        turns = math.pi * torch.arange(1, frequencies + 1, dtype=torch.float64)
        self.register_buffer("turns", turns, persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, 2 · frequencies)."""
        share = torch.clamp((values - self.low) / (self.high - self.low), 0.0, 1.0)
        angles = (share[:, None] * self.turns).float()
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


class OneHot(nn.Module):
    """One column for each category seen in training; any other code gives zeros."""

    codes: Tensor

    def __init__(self, codes: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes, dtype=torch.float64), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, categories)."""
        return (values[:, None] == self.codes).float()


class PlainTarget(nn.Module):
    """From the network's output to the target's own unit: output · sd + mean."""

    def __init__(self, mean: float, sd: float) -> None:
        super().__init__()
        self.mean, self.sd = mean, sd

    def forward(self, outputs: Tensor) -> Tensor:
        """Return (N,) float64 of outputs (N, 1)."""
        return outputs[:, 0].double() * self.sd + self.mean


class LogTarget(nn.Module):
    """The network predicts ln(1 + target), standardised; the answer stays within the training range."""

    def __init__(self, mean: float, sd: float, ends: Sequence[float], low: float, high: float) -> None:
        super().__init__()
        self.mean, self.sd, self.ends, self.low, self.high = mean, sd, tuple(ends), low, high

    def forward(self, outputs: Tensor) -> Tensor:
        """Return (N,) float64 of outputs (N, 1)."""
        u = torch.clamp(outputs[:, 0].double() * self.sd + self.mean, self.ends[0], self.ends[1])
        return torch.clamp(torch.exp(u) - 1.0, self.low, self.high)


class PowerTarget(nn.Module):
    """The network predicts the target after the power transform of Yeo and Johnson (2000), standardised."""

    def __init__(self, mean: float, sd: float, ends: Sequence[float], low: float, high: float, power: float) -> None:
        super().__init__()
        self.mean, self.sd, self.ends, self.low, self.high = mean, sd, tuple(ends), low, high
        self.power = power

    def forward(self, outputs: Tensor) -> Tensor:
        """Return (N,) float64 of outputs (N, 1)."""
        u = torch.clamp(outputs[:, 0].double() * self.sd + self.mean, self.ends[0], self.ends[1])
        above = self.unpowered(torch.clamp(u, min=0.0), self.power)
        below = -self.unpowered(torch.clamp(-u, min=0.0), 2.0 - self.power)
        return torch.clamp(torch.where(u >= 0, above, below), self.low, self.high)

    def unpowered(self, u: Tensor, power: float) -> Tensor:
        """Return x of ((1 + x)^power - 1) / power = u, or of ln(1 + x) = u."""
        if abs(power) < 1e-12:
            return torch.exp(u) - 1.0
        return torch.exp(torch.log(1.0 + torch.clamp(power * u, min=-1.0 + 1e-16)) / power) - 1.0


class QuantileTarget(nn.Module):
    """The network predicts the normal score of the target's rank, standardised."""

    def __init__(self, mean: float, sd: float, scores: Sequence[float], values: Sequence[float]) -> None:
        super().__init__()
        self.mean, self.sd = mean, sd
        self.values = Interpolation(scores, values)

    def forward(self, outputs: Tensor) -> Tensor:
        """Return (N,) float64 of outputs (N, 1)."""
        found: Tensor = self.values(outputs[:, 0].double() * self.sd + self.mean)
        return found
