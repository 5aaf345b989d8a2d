"""What the steps of a pack of networks of sequences compute: values (S, n, steps, C) in, one such value out.

S slots, one for each network; C channels, padded. Each slot of a value depends on the same slot of what is given alone.
Gradients are written down where torch's own would take more launches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_core.spaces.layers import Dropout
from nas_core.spaces.sequence.blocks import NOWHERE, lengths_of, positions, turned_order
from nas_core.training.batched.works import Products

__all__ = ["Batch", "Work", "convolution", "each_channel", "join", "pooling", "product", "scale", "words"]


@dataclass
class Batch:
    """What all networks are given: rows (1, n, steps, C), or word ids (n, steps), and where there is a step.

    Attributes:
        present: (n, steps) 1 where a sequence has a step, 0 in its padding; None where all have one length.
    """

    rows: Tensor
    present: Tensor | None
    training: bool

    @cached_property
    def mask(self) -> Tensor | None:
        """(1, n, steps, 1), what maps are multiplied by."""
        return None if self.present is None else self.present[None, :, :, None]

    @cached_property
    def shares(self) -> Tensor:
        """(1, 1, n · steps) how much each step counts in a mean over all that are there."""
        there = self.rows.new_ones(self.rows.shape[-3:-1]) if self.present is None else self.present
        return (there / there.sum().clamp(min=1)).view(1, 1, -1)

    @cached_property
    def unbiased(self) -> Tensor | float:
        """What a variance over all steps that are there is multiplied by, to estimate that of all data."""
        if self.present is None:
            count = self.rows.shape[-3] * self.rows.shape[-2]
            return count / max(count - 1, 1)
        total = self.present.sum().clamp(min=1)
        return total / (total - 1).clamp(min=1)

    @cached_property
    def order(self) -> Tensor:
        """(1, n or 1, steps, 1) from which step each step of the turned sequences comes."""
        steps = self.rows.shape[-2] if self.present is None else self.present.shape[-1]
        present = None if self.present is None else self.present[:, None]
        return turned_order(steps, self.rows.device, present)[None, :, :, None]

    @cached_property
    def last(self) -> Tensor:
        """(1, n, 1, 1) the last step that is there."""
        assert self.present is not None
        return (lengths_of(self.present[:, None]) - 1).clamp(min=0)[None, :, None, None]

    @cached_property
    def nowhere(self) -> Tensor:
        """(1, n, 1, 1, steps) beside which the score of a step that is not there vanishes, 0 for those that are."""
        assert self.present is not None
        return ((1 - self.present) * NOWHERE)[None, :, None, None]

    @cached_property
    def places(self) -> Tensor:
        """(steps, 8) coordinates of the steps."""
        steps = self.rows.shape[-2] if self.present is None else self.present.shape[-1]
        return positions(steps, self.rows)

    @cached_property
    def longer(self) -> Tensor:
        """(1, n, 1, 1) steps of the longest sequence for each that is there."""
        assert self.present is not None
        return (self.present.shape[-1] / self.present.sum(-1).clamp(min=1))[None, :, None, None]


Work = Callable[[Sequence[Tensor], Sequence[Tensor], Batch], Tensor]
"""Values, parameters, what all networks are given → the value."""


def words(widths: Sequence[int], size: int, slots: int, device: torch.device) -> Work:
    """Return the vectors of words, looked up in one table (V, widths of all networks), which is not padded."""
    places = torch.full((slots, size), sum(widths))
    for slot, (start, width) in enumerate(zip(accumulate(widths, initial=0), widths)):
        places[slot, :width] = torch.arange(start, start + width)
    there = torch.cat([torch.arange(width) + slot * size for slot, width in enumerate(widths)])
    forth, back = places.reshape(-1).to(device), there.to(device)

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        y: Tensor = _Words.apply(own[0], batch.rows.long(), forth, back)
        return y.unflatten(-1, (slots, size)).permute(2, 0, 1, 3).contiguous()

    return work


class _Words(torch.autograd.Function):
    """Table (V, W), ids (n, steps), where the numbers of a vector go and come from → (n, steps, S · C).

    The padding, id 0, learns nothing.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor, forth: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(ids, back)
        ctx.words = len(table)
        return functional.pad(functional.embedding(ids, table), (0, 1)).index_select(-1, forth)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        ids, back = ctx.saved_tensors
        slopes = torch.ops.aten.embedding_dense_backward(gradients[0].index_select(-1, back), ids, ctx.words, 0, False)
        return slopes, None, None, None


def product(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    """Multiply the channels of each step: weight (S, C, made), biases (S, any, made), which are summed."""
    x = given[0]
    bias = own[1] if own[1].shape[1] == 1 else own[1].sum(1, keepdim=True)
    y: Tensor = Products.apply(x.flatten(1, 2), own[0], bias)
    return y.unflatten(1, x.shape[1:3])


def convolution(steps: int, kernel: int, dilation: int, device: torch.device) -> Work:
    """Return a convolution over steps that keeps the length; weight (S, kernel · made, C), bias (S, 1, made)."""
    places = torch.arange(steps)[:, None] + (torch.arange(kernel) - kernel // 2) * dilation
    places = torch.where((places < 0) | (places >= steps), steps, places)
    forth, back = (p.reshape(-1).to(device) for p in (places, places.flip(1)))

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        y: Tensor = _Convolution.apply(given[0], *own, forth, back)
        return y

    return work


class _Convolution(torch.autograd.Function):
    """As products of contiguous matrices; both gradients read the same windows of that of the value."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, forth: Tensor, back: Tensor) -> Tensor:
        S, n, steps, inputs = x.shape
        ctx.save_for_backward(x, weight, back)
        by_input = weight.view(S, -1, bias.shape[-1], inputs).transpose(2, 3).reshape(S, -1, bias.shape[-1])
        return torch.baddbmm(bias, _windows(x, forth), by_input).view(S, n, steps, -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight, back = ctx.saved_tensors
        y = gradients[0].contiguous()
        windows = _windows(y, back)
        slopes = torch.bmm(windows.mT, x.flatten(1, 2))
        return torch.bmm(windows, weight).view(x.shape), slopes, y.flatten(1, 2).sum(1, keepdim=True), None, None


def _windows(x: Tensor, places: Tensor) -> Tensor:
    """Return (S, n · steps, kernel · C): what a kernel sees at each step, zeros beyond the ends."""
    S, n, steps, _ = x.shape
    return functional.pad(x, (0, 0, 0, 1)).index_select(2, places).view(S, n * steps, -1)


def each_channel(modules: Sequence[nn.Module], slots: int) -> Work:
    """Return activations, those that are the same on slots that lie together."""
    runs = [(next(same), sum(1 for _ in same) + 1) for same in (group for _, group in groupby(modules, key=repr))]
    sizes = [size for _, size in runs]
    sizes[-1] += slots - sum(sizes)

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        if len(runs) == 1:
            only: Tensor = runs[0][0](given[0])
            return only
        return torch.cat([module(x) for (module, _), x in zip(runs, given[0].split(sizes), strict=True)])

    return work


def join(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    """Put the channels of two values side by side, neither of which is padded."""
    return torch.cat(list(given), -1)


class _Scale:
    """Dropout, padding set to zero, and the residual sum: maps · scale, or x + maps · scale.

    Each network draws its noise as it does alone: from its own generator, in the order of torch, (n, channels, steps).
    """

    def __init__(self, modules: Sequence[Dropout | None], widths: Sequence[int], size: int, slots: int, device: Any):
        self._drawn = [(slot, m, w) for slot, (m, w) in enumerate(zip(modules, widths, strict=True)) if m is not None]
        rates = [0.0 if m is None else m.p for m in modules] + [0.0] * (slots - len(modules))
        self._rates = torch.tensor(rates, device=device)[:, None, None, None]
        self._kept = 1 / (1 - self._rates)
        self._size, self._slots, self._device = size, slots, device
        self._places: dict[tuple[int, int], Tensor] = {}  # of the noise, by rows and steps

    def __call__(self, given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        maps = given[0]
        factor = batch.mask
        if batch.training and self._drawn:
            keep = self._noise(maps.shape[1], maps.shape[2]) >= self._rates
            factor = keep * (self._kept if factor is None else self._kept * factor)
        if len(given) == 1:
            return maps if factor is None else maps * factor
        return given[1] + maps if factor is None else torch.addcmul(given[1], maps, factor)

    def _noise(self, n: int, steps: int) -> Tensor:
        """Return (S, n, steps, C) noise; where there is none to draw, 1."""
        total = 1 + n * steps * sum(width for _, _, width in self._drawn)
        noise = torch.ones(total, device=self._device)
        start = 1
        for _, module, width in self._drawn:
            stop = start + n * steps * width
            torch.rand(stop - start, generator=module.generator, out=noise[start:stop])
            start = stop
        if (n, steps) not in self._places:
            self._places[n, steps] = self._spots(n, steps).to(self._device)
        return noise.index_select(0, self._places[n, steps]).view(self._slots, n, steps, self._size)

    def _spots(self, n: int, steps: int) -> Tensor:
        """Return where in the noise that of each number of the maps lies; 0, where it is 1, for those without."""
        places = torch.zeros(self._slots, n, steps, self._size, dtype=torch.int32)
        start = 1
        for slot, _, width in self._drawn:
            own = torch.arange(start, start + n * width * steps, dtype=torch.int32)
            places[slot, :, :, :width] = own.view(n, width, steps).transpose(1, 2)
            start += n * width * steps
        return places.view(-1)


def scale(modules: Sequence[Dropout | None], widths: Sequence[int], size: int, slots: int, device: Any) -> Work:
    """Return dropout, the mask of the padding and the residual sum in one."""
    return _Scale(modules, widths, size, slots, device)


def pooling(kind: str, traits: tuple[Any, ...]) -> Work:
    """Return what makes (S, n, 1, C) of the maps."""
    if kind == "mean":
        return _mean_of_steps if traits[0] else _mean
    return {"last": _last, "largest": _largest, "weigh": _weigh, "flatten": _flatten}[kind]


def _mean(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    return given[0].mean(2, keepdim=True)


def _mean_of_steps(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    return given[0].mean(2, keepdim=True) * batch.longer


def _last(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    x = given[0]
    if batch.present is None:
        return x[:, :, -1:]
    return x.gather(2, batch.last.expand(x.shape[0], -1, -1, x.shape[-1]))


def _largest(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    x = given[0]
    if batch.mask is None:
        return x.amax(2, keepdim=True)
    largest = x.masked_fill(batch.mask == 0, torch.finfo(x.dtype).min).amax(2, keepdim=True)
    return largest * (batch.mask.sum(2, keepdim=True) > 0)


def _weigh(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    x = given[0]
    scores = (x * own[0]).sum(-1, keepdim=True)
    if batch.mask is not None:
        scores = scores.masked_fill(batch.mask == 0, NOWHERE)
    return (scores.softmax(2) * x).sum(2, keepdim=True)


def _flatten(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
    return given[0].flatten(2)[:, :, None]
