"""The layers of a sequence network as torch modules.

All maps are (n, F, steps). ``present`` (n, 1, steps) is 1 where a sequence has a step and 0 in its padding, None where
all have one length; what lies in the padding is 0 after every layer and never reaches the steps before it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nas_core.spaces.layers import Dropout
from nas_core.spaces.sequence.rules import POSITIONS, Layer

__all__ = [
    "ACTIVATION_LAYERS",
    "NOWHERE",
    "ChannelNorm",
    "Convolution",
    "Embedding",
    "Recurrent",
    "SelfAttention",
    "SequenceLayer",
    "StepNorm",
    "WeightedMean",
    "Weights",
    "lengths_of",
    "positions",
    "turned_order",
]

ACTIVATION_LAYERS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
}

NOWHERE = -1e30
"""A score whose weight after the softmax is exactly 0, but which leaves a number where all scores are such."""


class Embedding(nn.Module):
    """A vector for each word id; ids (n, 1, steps) as numbers → (n, width, steps). Id 0, the padding, is zeros."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width, padding_idx=0)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors of the ids, rounded to whole numbers."""
        vectors: Tensor = self.table(ids[:, 0].round().long())
        return vectors.transpose(1, 2)


class StepNorm(nn.Module):
    """Batch normalisation over all steps that are there, padding left out of the statistics.

    Source: Ioffe & Szegedy (2015); the same as ``torch.nn.BatchNorm1d`` where nothing is padded.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))
        self.momentum, self.epsilon = 0.1, 1e-5

    def forward(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return the normalised maps."""
        mean, variance = self.running_mean, self.running_var
        if self.training:
            here = torch.ones_like(x[:, :1]) if present is None else present
            count = here.sum().clamp(min=1)
            mean = (x * here).sum((0, 2)) / count
            variance = ((x - mean[:, None]).square() * here).sum((0, 2)) / count
            with torch.no_grad():
                unbiased = variance * count / (count - 1).clamp(min=1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.epsilon)
        return x * scale[:, None] + (self.bias - mean * scale)[:, None]


class ChannelNorm(nn.Module):
    """Layer normalisation over the maps of each step (Ba, Kiros & Hinton 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return the normalised maps."""
        normal: Tensor = self.norm(x.transpose(1, 2))
        return normal.transpose(1, 2)


class Convolution(nn.Module):
    """A convolution that keeps the length; beyond the ends of a sequence are zeros."""

    def __init__(self, inputs: int, width: int, kernel: int, dilation: int, *, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, width, kernel, padding=kernel // 2 * dilation, dilation=dilation, bias=bias)

    def forward(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return the maps."""
        maps: Tensor = self.conv(x)
        return maps


class Recurrent(nn.Module):
    """A GRU or LSTM that reads forwards, or both ways; backwards it begins at the last step that is there."""

    def __init__(self, kind: str, inputs: int, width: int, *, both: bool) -> None:
        super().__init__()
        cell = nn.GRU if kind == "gru" else nn.LSTM
        self.forwards = cell(inputs, width, batch_first=True)
        self.backwards = cell(inputs, width, batch_first=True) if both else None

    def forward(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return the states after each step, those of the two directions side by side."""
        steps = x.transpose(1, 2)
        maps = self.forwards(steps)[0].transpose(1, 2)
        if self.backwards is None:
            return maps
        order = turned_order(x.shape[-1], x.device, present)
        turned = self.backwards(_picked(x, order).transpose(1, 2))[0].transpose(1, 2)
        return torch.cat([maps, _picked(turned, order)], dim=1)


class Weights(nn.Module):
    """Scores to weights that sum to one over the last axis: the module whose output is the visible attention."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the softmax of the scores."""
        return torch.softmax(scores, dim=-1)


class SelfAttention(nn.Module):
    """Attention of every step to every step; its weights (n, heads, steps, steps) are the output of ``weights``.

    Queries and keys read the step and 8 sinusoidal coordinates of its place, values the step alone; so a weight says
    how much of what a step holds goes on, wherever it stands. Keys and values need no bias: it would cancel in the
    softmax, and pass through to that of the output.
    Source: Vaswani et al. (2017), arXiv 1706.03762.
    """

    def __init__(self, inputs: int, width: int, heads: int, *, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(inputs + POSITIONS, width)
        self.key = nn.Linear(inputs + POSITIONS, width, bias=False)
        self.value = nn.Linear(inputs, width, bias=False)
        self.weights = Weights()
        self.out = nn.Linear(width, width, bias=bias)

    def forward(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return for each step the weighted sum of the values of all steps that are there."""
        n, _, length = x.shape
        steps = x.transpose(1, 2)
        placed = torch.cat([steps, positions(length, x).expand(n, -1, -1)], dim=-1)
        query, key, value = (self._by_head(y) for y in (self.query(placed), self.key(placed), self.value(steps)))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if present is not None:
            scores = scores.masked_fill(present[:, None] == 0, NOWHERE)
        mixed = (self.weights(scores) @ value).transpose(1, 2).reshape(n, length, -1)
        result: Tensor = self.out(mixed)
        return result.transpose(1, 2)

    def _by_head(self, y: Tensor) -> Tensor:
        return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class WeightedMean(nn.Module):
    """Pooling with visible weights (n, steps), the output of ``weights``: the softmax of one linear score per step.

    Source: Lin et al. (2017), arXiv 1703.03130, with a linear score.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)
        self.weights = Weights()

    def forward(self, maps: Tensor, present: Tensor | None) -> Tensor:
        """Return (n, F) from maps (n, F, steps)."""
        scores = self.score(maps.transpose(1, 2))[..., 0]
        if present is not None:
            scores = scores.masked_fill(present[:, 0] == 0, NOWHERE)
        weighted = self.weights(scores)[:, None] * maps
        return weighted.sum(-1)


class SequenceLayer(nn.Module):
    """Mixing over steps, normalisation, activation, dropout, and the residual sum around them where there is one."""

    def __init__(
        self, layer: Layer, inputs: int, *, activation: str, normalisation: str, dropout: float, residual: bool
    ) -> None:
        super().__init__()
        kind, width, bias = layer["kind"], layer["width"], normalisation != "batch"
        self.mixer: nn.Module
        if kind == "conv":
            self.mixer = Convolution(inputs, width, layer["kernel"], layer["dilation"], bias=bias)
        elif kind == "attention":
            self.mixer = SelfAttention(inputs, width, layer["heads"], bias=bias)
        else:
            self.mixer = Recurrent(kind, inputs, width, both=layer["both"])
        outputs = width * (1 + bool(layer.get("both")))
        norm = {"batch": StepNorm, "layer": ChannelNorm}.get(normalisation)
        self.norm = norm(outputs) if norm else None
        active = kind == "conv" and activation != "identity"
        self.activation = ACTIVATION_LAYERS[activation]() if active else None
        self.dropout = Dropout(dropout) if dropout else None
        self.residual = residual

    def forward(self, x: Tensor, present: Tensor | None) -> Tensor:
        """Return the maps after this layer, 0 in the padding."""
        maps: Tensor = self.mixer(x, present)
        if self.norm is not None:
            maps = self.norm(maps, present)
        if self.activation is not None:
            maps = self.activation(maps)
        if self.dropout is not None:
            maps = self.dropout(maps)
        if present is not None:
            maps = maps * present
        return x + maps if self.residual else maps


def lengths_of(present: Tensor) -> Tensor:
    """Return (n,) the place after the last step that is there."""
    places = torch.arange(1, present.shape[-1] + 1, device=present.device)
    return (places * (present[:, 0] > 0)).amax(-1)


def turned_order(length: int, device: torch.device, present: Tensor | None) -> Tensor:
    """Return (n or 1, steps) from which step each step of the turned sequence comes; padding stays where it is."""
    places = torch.arange(length, device=device)[None]
    if present is None:
        return places.flip(-1)
    ends = lengths_of(present)[:, None]
    return torch.where(places < ends, ends - 1 - places, places)


def _picked(x: Tensor, order: Tensor) -> Tensor:
    return x.gather(-1, order[:, None].expand(x.shape))


def positions(length: int, like: Tensor) -> Tensor:
    """Return (steps, 8): sine and cosine of the place at four speeds, the same however long a sequence is."""
    places = torch.arange(length, device=like.device, dtype=like.dtype)[:, None]
    speeds = 1000.0 ** (-torch.arange(POSITIONS // 2, device=like.device, dtype=like.dtype) / (POSITIONS // 2))
    return torch.cat([(places * speeds).sin(), (places * speeds).cos()], dim=-1)
