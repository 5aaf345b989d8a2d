"""Layers of sequence networks; maps are (N, F, steps), ``present`` (N, 1, steps) is 1 where a sequence has a step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["ChannelNorm", "Recurrent", "SelfAttention", "Series", "WeightedMean", "ends_of", "largest_of", "last_of"]


class Series(nn.Module):
    """Every channel minus its mean, divided by its standard deviation over the training rows; NaN (padding) becomes 0.

    Where sequences differ in length (``padded``) one more channel, the last, is 1 where there is a step.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, mean: list[float], sd: list[float], padded: bool) -> None:
        super().__init__()
        self.padded = padded
        self.register_buffer("mean", torch.tensor(mean)[:, None], persistent=False)
        self.register_buffer("sd", torch.tensor(sd)[:, None], persistent=False)

    def forward(self, series: Tensor) -> Tensor:
        """Return the standardised series."""
        scaled = (series - self.mean) / self.sd
        if not self.padded:
            return scaled
        absent = torch.isnan(scaled)
        present = 1.0 - absent.float().amax(dim=1, keepdim=True)
        return torch.cat([torch.where(absent, 0.0, scaled), present], dim=1)


class ChannelNorm(nn.Module):
    """Layer normalisation over the maps of each step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised maps."""
        normal: Tensor = self.norm(x.transpose(1, 2))
        return normal.transpose(1, 2)


def ends_of(present: Tensor) -> Tensor:
    """Return (N,) the place after the last step that is there."""
    places = torch.arange(1, present.shape[-1] + 1, device=present.device)
    return (places * (present[:, 0] > 0)).amax(dim=-1)


class Recurrent(nn.Module):
    """A GRU or LSTM that reads forwards, or both ways; backwards it begins at the last step that is there."""

    def __init__(self, cell: type[nn.GRU] | type[nn.LSTM], inputs: int, width: int, *, both: bool) -> None:
        super().__init__()
        self.forwards = cell(inputs, width, batch_first=True)
        self.backwards = cell(inputs, width, batch_first=True) if both else None

    def forward(self, x: Tensor, present: Tensor | None = None) -> Tensor:
        """Return the states after each step, those of the two directions side by side."""
        maps: Tensor = self.forwards(x.transpose(1, 2))[0].transpose(1, 2)
        if self.backwards is None:
            return maps
        turned = self.backwards(self.turned(x, present).transpose(1, 2))[0].transpose(1, 2)
        return torch.cat([maps, self.turned(turned, present)], dim=1)

    def turned(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return the steps in the opposite order; padding stays where it is."""
        if present is None:
            return x.flip(-1)
        places = torch.arange(x.shape[-1], device=x.device)[None]
        ends = ends_of(present)[:, None]
        order = torch.where(places < ends, ends - 1 - places, places)
        return x.gather(-1, order[:, None].expand(-1, x.shape[1], -1))


class SelfAttention(nn.Module):
    """Attention of every step to every step (Vaswani et al. 2017); queries and keys also read 8 sines of the place."""

    def __init__(self, inputs: int, width: int, heads: int, *, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(inputs + 8, width)
        self.key = nn.Linear(inputs + 8, width, bias=False)
        self.value = nn.Linear(inputs, width, bias=False)
        self.out = nn.Linear(width, width, bias=bias)

    def forward(self, x: Tensor, present: Tensor | None = None) -> Tensor:
        """Return for each step the weighted sum of the values of all steps that are there."""
        mixed = (self.weights(x, present) @ self.by_head(self.value(x.transpose(1, 2)))).transpose(1, 2)
        result: Tensor = self.out(mixed.flatten(2))
        return result.transpose(1, 2)

    def weights(self, x: Tensor, present: Tensor | None = None) -> Tensor:
        """Return the attention weights (N, heads, steps, steps): how much each step takes of every other."""
        steps = x.transpose(1, 2)
        placed = torch.cat([steps, self.places(x).expand(x.shape[0], -1, -1)], dim=-1)
        query, key = self.by_head(self.query(placed)), self.by_head(self.key(placed))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if present is not None:
            scores = torch.where(present[:, None] == 0, -1e30, scores)
        return torch.softmax(scores, dim=-1)

    def by_head(self, y: Tensor) -> Tensor:
        """Return (N, heads, steps, width of a head)."""
        return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def places(self, x: Tensor) -> Tensor:
        """Return (steps, 8): sine and cosine of the place at four speeds."""
        places = torch.arange(x.shape[-1], device=x.device, dtype=torch.float32)[:, None]
        speeds = 1000.0 ** (-torch.arange(4, device=x.device, dtype=torch.float32) / 4)
        return torch.cat([(places * speeds).sin(), (places * speeds).cos()], dim=-1)


class WeightedMean(nn.Module):
    """A weighted mean over the steps; the weights are the softmax of one linear score per step (Lin et al. 2017)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, maps: Tensor, present: Tensor | None = None) -> Tensor:
        """Return (N, F) of maps (N, F, steps)."""
        scores = self.score(maps.transpose(1, 2))[..., 0]
        if present is not None:
            scores = torch.where(present[:, 0] == 0, -1e30, scores)
        return (torch.softmax(scores, dim=-1)[:, None] * maps).sum(dim=-1)


def largest_of(maps: Tensor, present: Tensor) -> Tensor:
    """Return the largest value of each map over the steps that are there, 0 without any."""
    largest = torch.where(present == 0, -1e30, maps).amax(dim=-1)
    return torch.where(present.sum(dim=-1) > 0, largest, 0.0)


def last_of(maps: Tensor, present: Tensor) -> Tensor:
    """Return the values of each map at the last step that is there."""
    at = torch.clamp(ends_of(present) - 1, min=0)[:, None, None].expand(-1, maps.shape[1], 1)
    return maps.gather(-1, at)[..., 0]
