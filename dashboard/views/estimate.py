"""What candidates of a space cost: the spread of parameters and operations over a random sample."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.words import count
from nas_core.records import derive_seed

if TYPE_CHECKING:
    from nas_core.spaces import SearchSpace

__all__ = ["CostSpread", "CostView", "cost_view"]

SAMPLED = 200
PATIENCE = 4.0  # seconds after which fewer samples must do
BINS = 24


@dataclass(frozen=True, eq=False)
class CostSpread:
    """How one quantity is spread over the sample.

    Attributes:
        label: What it is.
        edges: (b + 1,) borders of the bars, evenly spaced in the logarithm of 1 + value.
        counts: (b,) candidates in each.
        low, middle, high: 5 %, 50 % and 95 % quantile of the sample.
        least, most: The smallest and the largest value seen.
    """

    label: str
    edges: np.ndarray
    counts: np.ndarray
    low: float
    middle: float
    high: float
    least: int
    most: int

    @property
    def words(self) -> str:
        """The spread in one sentence."""
        return text("space.cost_words", label=self.label, middle=count(round(self.middle)), low=count(round(self.low)),
                    high=count(round(self.high)))  # fmt: skip


@dataclass(frozen=True, eq=False)
class CostView:
    """What candidates cost, over ``sampled`` random ones."""

    sampled: int
    spreads: tuple[CostSpread, ...]


def cost_view(space: SearchSpace, *, how_many: int = SAMPLED, patience: float = PATIENCE) -> CostView:
    """Return the costs of random candidates; a slow space is sampled less, but 20 times at least.

    Raises:
        SpaceError: The space has no valid candidate.
    """
    from nas_core.spaces import facts

    parameters, operations = [], []
    until = time.monotonic() + patience
    for i in range(how_many):
        found = facts(space, space.sample(np.random.default_rng(derive_seed("cost", i))))
        parameters.append(found.parameters)
        operations.append(found.operations)
        if i >= 19 and time.monotonic() > until:
            break
    spreads = (_spread(text("draw.parameters"), parameters), _spread(text("draw.operations"), operations))
    return CostView(len(parameters), spreads)


def _spread(label: str, found: list[int]) -> CostSpread:
    values = np.array(found)
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    least, most = int(values.min()), int(values.max())
    edges = np.expm1(np.linspace(np.log1p(least), np.log1p(max(most, least + 1)), BINS + 1))
    edges[0], edges[-1] = least, max(most, least + 1)  # rounding must not push an end out
    counts, _ = np.histogram(values, edges)
    return CostSpread(label, edges, counts, float(low), float(middle), float(high), least, most)
