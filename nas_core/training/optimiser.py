"""SGD, Adam, AdamW and AdaGrad, element by element, on one flat vector that holds many candidates.

The same updates as ``torch.optim`` with its default settings (SGD with momentum 0.9); each candidate has its own
learning rate and weight decay. Weight decay is decoupled in AdamW and an L2 penalty in the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

__all__ = ["MOMENTUM", "OPTIMISERS", "ElementOptimiser", "Tuning"]

OPTIMISERS = ("sgd", "adam", "adamw", "adagrad")
MOMENTUM, BETA1, BETA2, ADAM_EPSILON, ADAGRAD_EPSILON = 0.9, 0.9, 0.999, 1e-8, 1e-10


@dataclass(frozen=True)
class Tuning:
    """How one candidate is updated; ``decays`` lists the runs (start, stop) of its vector that weight decay shrinks."""

    optimiser: str
    learning_rate: float
    weight_decay: float
    size: int
    decays: tuple[tuple[int, int], ...]


class ElementOptimiser:
    """Updates flat parameters in place; the candidates must be ordered so that each optimiser's lie together."""

    def __init__(self, tunings: Sequence[Tuning], device: torch.device) -> None:
        sizes = torch.tensor([t.size for t in tunings])
        rates = torch.tensor([t.learning_rate for t in tunings], dtype=torch.float32)
        self.rate = torch.repeat_interleave(rates, sizes).to(device)
        decay, start = torch.zeros(int(sizes.sum())), 0
        for tuning in tunings:
            for first, stop in tuning.decays:
                decay[start + first : start + stop] = tuning.weight_decay
            start += tuning.size
        self.decay = decay.to(device)
        self.first, self.second = torch.zeros_like(self.rate), torch.zeros_like(self.rate)
        self.runs: list[tuple[str, slice]] = []
        start = 0
        for name, group in groupby(tunings, key=lambda t: t.optimiser):
            stop = start + sum(t.size for t in group)
            self.runs.append((name, slice(start, stop)))
            start = stop
        self.steps = 0

    def take(self, old: ElementOptimiser, places: Tensor) -> None:
        """Continue from the state of ``old`` at the flat ``places``."""
        self.first, self.second, self.steps = old.first[places], old.second[places], old.steps

    def step(self, values: Tensor, gradient: Tensor) -> None:
        """Update ``values`` (T,) by one step; ``gradient`` (T,) is overwritten."""
        self.steps += 1
        for name, run in self.runs:
            parts = (values[run], gradient[run], self.rate[run], self.decay[run])
            if name in ("adam", "adamw"):
                self._adam(*parts, self.first[run], self.second[run], decoupled=name == "adamw")
            elif name == "sgd":
                _sgd(*parts, self.first[run])
            else:
                _adagrad(*parts, self.second[run])

    def _adam(
        self, x: Tensor, g: Tensor, rate: Tensor, decay: Tensor, first: Tensor, second: Tensor, *, decoupled: bool
    ) -> None:
        """Kingma & Ba 2015; decoupled: Loshchilov & Hutter 2019."""
        if decoupled:
            x.addcmul_(x, rate * decay, value=-1)
        else:
            g.addcmul_(decay, x)
        first.lerp_(g, 1 - BETA1)
        second.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
        root = torch.sqrt(second, out=g).div_(math.sqrt(1 - BETA2**self.steps)).add_(ADAM_EPSILON)
        update = torch.div(first, root, out=root)
        x.addcmul_(update, rate, value=-1 / (1 - BETA1**self.steps))


def _sgd(x: Tensor, g: Tensor, rate: Tensor, decay: Tensor, first: Tensor) -> None:
    g.addcmul_(decay, x)
    first.mul_(MOMENTUM).add_(g)
    x.addcmul_(first, rate, value=-1)


def _adagrad(x: Tensor, g: Tensor, rate: Tensor, decay: Tensor, second: Tensor) -> None:
    """Duchi et al. 2011."""
    g.addcmul_(decay, x)
    second.addcmul_(g, g)
    root = second.sqrt().add_(ADAGRAD_EPSILON)
    x.addcmul_(g.div_(root), rate, value=-1)
