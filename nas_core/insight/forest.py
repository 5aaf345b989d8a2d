"""The surrogate: small forests on bootstrap samples of the candidates, judged by candidates they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.insight.facets import Facet
from nas_core.records import derive_seed

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesRegressor

__all__ = ["Forest", "Part", "Reliability"]

PARTS = 16
"""Bootstrap samples."""
TREES = 8
LEAVES = 64
RESAMPLES = 400
"""Bootstrap samples behind the interval of the reliability."""
STAND_INS = 4
"""Values that stand in, one after the other, where a new architecture had nothing to decide."""


@dataclass(frozen=True)
class Reliability:
    """How well the surrogate predicts candidates it has not seen, over n of them.

    Attributes:
        r2, r2_low, r2_high: Share of the variance that is predicted, with its 95 % bootstrap interval over candidates.
        rank, rank_low, rank_high: Spearman's ρ of predicted and true, likewise.
        n: How many candidates.
    """

    r2: float
    r2_low: float
    r2_high: float
    rank: float
    rank_low: float
    rank_high: float
    n: int

    @property
    def predicts(self) -> bool:
        """Whether it says anything about candidates it has not seen: the lower bound of R² is above 0."""
        return self.r2_low > 0.0


@dataclass(frozen=True)
class Part:
    """A small forest on one bootstrap sample.

    Attributes:
        model: scikit-learn's forest.
        columns: (n, D) what it reads of the n candidates, with stand-ins where nothing was decided.
        drawn: (n,) how often each candidate was drawn.
    """

    model: ExtraTreesRegressor = field(repr=False)
    columns: np.ndarray = field(repr=False)
    drawn: np.ndarray = field(repr=False)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the prediction (m,) for ``X`` (m, D), float32; the trees are asked directly, as m is small."""
        return np.asarray(np.mean([t.tree_.predict(X).reshape(len(X)) for t in self.model.estimators_], axis=0))


class Forest:
    """16 forests of 8 extremely randomised trees of at most 64 leaves, each forest on a bootstrap sample.

    One forest per sample makes every quantity derived from it have a bootstrap distribution over candidates, and the
    candidates that a sample did not draw, about a third, judge it. Related candidates make that judgement kinder than
    one by architectures of another search would be.

    Where a candidate had nothing to decide (the activation of a linear network) a decided answer drawn at random stands
    in: so the facet explains nothing there, and does not stand for the choice that left it without meaning.

    Source: Geurts, Ernst & Wehenkel (2006), 10.1007/s10994-006-6226-1; bagging of them, Breiman (1996).
    Costs: about a second for 1,000 candidates and 150 numbers.

    Args:
        facets: What the n candidates decided.
        values: (n,) what is explained; rows without a value are left out.
        seed: Decides samples, trees and stand-ins.
        on_progress: Told the share that is done.
    """

    def __init__(
        self, facets: Sequence[Facet], values: np.ndarray, *, seed: int = 0,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:  # fmt: skip
        self.known: np.ndarray = np.flatnonzero(np.isfinite(values))
        self.facets = tuple(f.rows(self.known) for f in facets)
        self.values = np.asarray(values, dtype=np.float64)[self.known]
        self.varies = bool(len(self.known) > 1 and np.ptp(self.values) > 1e-12)
        self.slices = _slices(self.facets)
        self._seed = seed
        self.parts: list[Part] = []
        if self.varies and self.facets:
            for number in range(PARTS):
                self.parts.append(self._part(number))
                if on_progress:
                    on_progress((number + 1) / PARTS)
        self.held_out = self._held_out()

    def _part(self, number: int) -> Part:
        from sklearn.ensemble import ExtraTreesRegressor

        n, rng = len(self.values), np.random.default_rng(derive_seed(self._seed, "part", number))
        columns = np.concatenate([_filled(f, rng) for f in self.facets], axis=1).astype(np.float32)
        rows = rng.integers(0, n, n)
        model = ExtraTreesRegressor(
            TREES, max_features=0.5, max_leaf_nodes=LEAVES, min_samples_leaf=2, random_state=int(rng.integers(2**31)),
        ).fit(columns[rows], self.values[rows])  # fmt: skip
        return Part(model, columns, np.bincount(rows, minlength=n))

    def _held_out(self) -> np.ndarray:
        """Return the prediction (n,) of each candidate by the parts that have not seen it; NaN where all have."""
        total, times = np.zeros(len(self.values)), np.zeros(len(self.values))
        for part in self.parts:
            unseen = part.drawn == 0
            if unseen.any():
                total[unseen] += part.predict(part.columns[unseen])
                times[unseen] += 1
        return np.where(times > 0, total / np.maximum(times, 1), np.nan)

    @property
    def residuals(self) -> np.ndarray:
        """True minus predicted value of the candidates that some part has not seen."""
        known = np.isfinite(self.held_out)
        return np.asarray(self.values[known] - self.held_out[known])

    def reliability(self) -> Reliability:
        """Return how well candidates are predicted that a part has not seen; all zero where nothing varies."""
        known = np.isfinite(self.held_out)
        y, f = self.values[known], self.held_out[known]
        if not self.parts or len(y) < 3:
            return Reliability(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, len(y))
        rng = np.random.default_rng(derive_seed(self._seed, "reliability"))
        at = rng.integers(0, len(y), (RESAMPLES, len(y)))
        r2, rank = _r2(y[at], f[at]), _correlation(_ranks(y)[at], _ranks(f)[at])
        low, high = np.nanquantile(r2, [0.025, 0.975])
        rank_low, rank_high = np.nanquantile(rank, [0.025, 0.975])
        whole = _r2(y[None], f[None])[0], _correlation(_ranks(y)[None], _ranks(f)[None])[0]
        return Reliability(float(whole[0]), float(low), float(high), float(whole[1]), float(rank_low),
                           float(rank_high), len(y))  # fmt: skip

    def predict(self, architectures: Sequence[dict[str, Any]], decided: np.ndarray) -> np.ndarray:
        """Return the prediction (PARTS, m) of each part for m architectures.

        Args:
            architectures: Their values.
            decided: (m, F) bool, whether there was something to decide, facet by facet.
        """
        if not self.parts:
            return np.full((1, len(architectures)), float(self.values.mean()) if len(self.values) else np.nan)
        rng = np.random.default_rng(derive_seed(self._seed, "predict"))
        blocks = [np.array([f.read(v) for v in architectures]) for f in self.facets]
        total = np.zeros((len(self.parts), len(architectures)))
        for _ in range(1 if decided.all() else STAND_INS):
            filled = [
                _filled(Facet(f.reader, block, f.kept, decided[:, p], f.levels, np.zeros(len(block), int)), rng, f)
                for p, (f, block) in enumerate(zip(self.facets, blocks))
            ]
            X = np.concatenate(filled, axis=1).astype(np.float32)
            total += np.stack([part.predict(X) for part in self.parts])
        return np.asarray(total / (1 if decided.all() else STAND_INS))


def _slices(facets: Sequence[Facet]) -> tuple[slice, ...]:
    """Return which of all columns belong to each facet."""
    ends = np.cumsum([f.columns.shape[1] for f in facets])
    return tuple(slice(int(e) - f.columns.shape[1], int(e)) for e, f in zip(ends, facets))


def _filled(facet: Facet, rng: np.random.Generator, donors: Facet | None = None) -> np.ndarray:
    """Return the columns with answers of others, drawn at random, where nothing was decided."""
    donors = donors or facet
    empty = np.flatnonzero(~facet.decided)
    if not len(empty):
        return facet.columns
    columns = facet.columns.copy()
    answers = donors.columns[donors.decided]
    if len(answers):
        columns[empty] = answers[rng.integers(0, len(answers), len(empty))]
    return columns


def _r2(y: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Return R² of each row of (r, n); NaN where a row does not vary."""
    total = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 1.0 - ((y - f) ** 2).sum(axis=1) / total, np.nan)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each row of (r, n); 0 where one does not vary."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(size > 0, size, np.inf))


def _ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values))
