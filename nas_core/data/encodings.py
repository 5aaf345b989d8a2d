"""The ways one numeric feature can enter a network; each is fitted on training values and turns N values into columns.

All are plain NumPy, deterministic, and described by a dictionary of numbers, so that an exported network carries them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENCODINGS", "Encoding", "Periodic", "Piecewise", "Quantile", "Standardised", "make_encoding"]

Floats = NDArray[np.float64]

BINS = 8
FREQUENCIES = 4
KNOTS = 256
FAR = 20.0  # standard deviations; farther out, a value says no more


class Encoding(ABC):
    """One way to turn the values of a numeric feature into columns.

    Attributes:
        name: Identifier in search spaces.
        monotone: Whether every column is a non-decreasing function of the value.
        label: What a person reads.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    monotone: ClassVar[bool]

    @classmethod
    @abstractmethod
    def fit(cls, x: Floats) -> Encoding:
        """Fit on training values x (n,), n >= 1, finite."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of columns."""

    @abstractmethod
    def __call__(self, x: Floats) -> Floats:
        """Return the columns (n, width) of finite values x (n,)."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what rebuilds this object through :func:`make_encoding`: numbers and lists only."""


class Standardised(Encoding):
    """The value minus the training mean, divided by the training standard deviation, limited to ±20.

    A linear function of it is a linear function of the feature (no unit).
    """

    name, label, monotone = "standardised", "Standardised", True

    def __init__(self, mean: float, sd: float) -> None:
        self.mean, self.sd = mean, sd

    @classmethod
    def fit(cls, x: Floats) -> Standardised:
        scale = float(np.abs(x).max()) or 1.0  # squares of very large or very small numbers leave the range of float64
        mean, sd = float((x / scale).mean()), float((x / scale).std())
        return cls(mean * scale, sd * scale if sd > 1e-12 else max(scale, 1e-300))

    @property
    def width(self) -> int:
        return 1

    def __call__(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):  # a tiny sd makes far values infinite before they are limited
            return np.clip((x - self.mean) / self.sd, -FAR, FAR)[:, None]

    def state(self) -> dict[str, Any]:
        return {"mean": self.mean, "sd": self.sd}


class Quantile(Encoding):
    """The share of training values below the value, scaled to mean 0 and standard deviation 1 of a uniform variable.

    Piecewise linear between at most 256 knots; equal values share their middle rank; constant outside the training
    range.
    """

    name, label, monotone = "quantile", "Quantile", True

    def __init__(self, knots: Floats, ranks: Floats) -> None:
        self.knots, self.ranks = knots, ranks

    @classmethod
    def fit(cls, x: Floats) -> Quantile:
        values, counts = np.unique(x, return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / len(x)
        if len(values) > KNOTS:
            pick = np.unique(
                np.searchsorted(middle, np.linspace(middle[0], middle[-1], KNOTS)).clip(0, len(values) - 1)
            )
            values, middle = values[pick], middle[pick]
        return cls(values, (middle - 0.5) * np.sqrt(12.0))

    @property
    def width(self) -> int:
        return 1

    def __call__(self, x: Floats) -> Floats:
        # Rounding may lift a value just below a knot above the knot's own rank; held there, the encoding is monotone.
        upper = np.searchsorted(self.knots, x, side="right").clip(max=len(self.knots) - 1)
        return np.minimum(np.interp(x, self.knots, self.ranks), self.ranks[upper])[:, None]

    def state(self) -> dict[str, Any]:
        return {"knots": self.knots.tolist(), "ranks": self.ranks.tolist()}


class Piecewise(Encoding):
    """Piecewise-linear bins: column b rises from 0 to 1 while the value crosses bin b.

    Source: Gorishniy, Rubachev and Babenko (2022), arXiv 2203.05556, section 3.2.
    Differs: the outer bins are limited to [0, 1] too, so the encoding is constant outside the training range; a value
    held by at least 1 / bins of the rows gets narrow bins of its own beside the quantile edges, so that "exactly zero"
    can be told from "a little more".
    """

    name, label, monotone = "piecewise", "Piecewise linear", True

    def __init__(self, edges: Floats) -> None:
        self.edges = edges

    @classmethod
    def fit(cls, x: Floats) -> Piecewise:
        return cls(bin_edges(x, BINS))

    @property
    def width(self) -> int:
        return len(self.edges) - 1

    def __call__(self, x: Floats) -> Floats:
        low, high = self.edges[:-1], self.edges[1:]
        return (np.clip(x[:, None], low, high) - low) / (high - low)

    def state(self) -> dict[str, Any]:
        return {"edges": self.edges.tolist()}


class Periodic(Encoding):
    """Sines and cosines of 1 to 4 half-turns over the central 98 % of the training values.

    Source: Gorishniy, Rubachev and Babenko (2022), arXiv 2203.05556, section 3.3.
    Differs: fixed frequencies instead of learned ones; constant beyond the range, so that nothing repeats there.
    """

    name, label, monotone = "periodic", "Periodic", False

    def __init__(self, low: float, high: float, frequencies: int = FREQUENCIES) -> None:
        self.low, self.high, self.frequencies = low, high, frequencies

    @classmethod
    def fit(cls, x: Floats) -> Periodic:
        low, high = (float(v) for v in np.quantile(x, (0.01, 0.99)))
        if not high > low:
            low, high = float(x.min()), float(x.max())
        if not high > low:
            high = low + max(1.0, abs(low))
        return cls(low, high)

    @property
    def width(self) -> int:
        return 2 * self.frequencies

    def __call__(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            share = np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)
        angle = np.pi * np.arange(1, self.frequencies + 1) * share[:, None]
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)

    def state(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "frequencies": self.frequencies}


def bin_edges(x: Floats, bins: int) -> Floats:
    """Return strictly increasing edges (b + 1,), 1 <= b <= bins + 4, of piecewise-linear bins for training values x.

    Few different values: each is an edge. Else quantile edges of the values that are not heavy, plus every heavy value
    (the two heaviest of those held by at least 1 / bins of the rows) and its two neighbours.
    """
    values, counts = np.unique(x, return_counts=True)
    if len(values) == 1:
        return np.array([values[0], values[0] + max(1.0, abs(values[0]))])
    if len(values) <= bins + 1:
        return values
    order = np.argsort(-counts, kind="stable")[:2]
    heavy = np.sort(order[counts[order] >= max(2.0, len(x) / bins)])
    near = np.unique(np.concatenate([heavy - 1, heavy, heavy + 1])).clip(0, len(values) - 1)
    rest = x[~np.isin(x, values[heavy])]
    levels = np.linspace(0, 1, max(3, bins + 1 - len(heavy)))
    # "lower" keeps edges on values that occur: an interpolated edge may differ from its neighbour by rounding only
    quantiles = np.quantile(rest, levels, method="lower")
    return np.unique(np.concatenate([values[near], quantiles]))


_CLASSES: dict[str, type[Encoding]] = {c.name: c for c in (Standardised, Quantile, Piecewise, Periodic)}
ENCODINGS: tuple[str, ...] = tuple(_CLASSES)


def make_encoding(name: str, state: dict[str, Any]) -> Encoding:
    """Return the encoding that :meth:`Encoding.state` described."""
    arrays = {k: np.asarray(v, dtype=float) if isinstance(v, list) else v for k, v in state.items()}
    return _CLASSES[name](**arrays)


def fit_encoding(name: str, x: Floats) -> Encoding:
    """Return the encoding called ``name``, fitted on training values x (n,)."""
    return _CLASSES[name].fit(x)
