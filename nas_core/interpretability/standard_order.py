"""An order of rows and features that depends on what they hold and on the function, not on where they stand.

Whatever is random or has a direction (resampled rows, cells with one closed end, draws of masks) is taken in this
order. So shuffled rows, features in other places and features in other units, turned round too, are measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["StandardOrder", "chosen_rows", "standard_order"]

# Sums are rounded before they order anything: in another order of summation they differ in the last digits.
DIGITS = 9
# Numbers up to which rows are chosen by what they hold; of larger data by where they stand.
KEYED = 5_000_000


@dataclass(frozen=True)
class StandardOrder:
    """How rows and features are taken.

    Attributes:
        rows: (N,) row numbers.
        features: (P,) feature numbers: those that go with the output most first.
        signs: (P,) −1 where a feature is turned round so that the output rises with it, else 1; by feature number.
    """

    rows: np.ndarray
    features: np.ndarray
    signs: np.ndarray

    def turned(self, X: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Return the columns ``features`` of rows (n, P), in this order and direction where they have one."""
        return X[:, features] * self.signs[features]


def chosen_rows(X: np.ndarray, categorical: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return at most ``most`` row numbers of ``X`` (N, P), drawn with ``seed`` from the rows in an order of their own.

    Rows are ordered by how far each value is from the middle of its column, in ranks, so that neither the place nor the
    unit of a row or a feature matters. Beyond 5 million numbers they are drawn by where they stand.
    """
    n = len(X)
    if n <= most:
        return np.arange(n)
    drawn = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    if X.size > KEYED:
        return drawn
    keys, distance = np.zeros(n, np.uint64), np.zeros(n)
    for j in range(X.shape[1]):
        rank = _centred_ranks(X[:, j])
        keys += _mixed(rank if categorical[j] else np.abs(rank))
        if not categorical[j] and (spread := float(X[:, j].std())) > 0:
            distance += np.abs(X[:, j] - X[:, j].mean()) / spread
    return np.lexsort((distance, keys))[drawn]  # rows may share their ranks, hardly their distances as well


def standard_order(X: np.ndarray, outputs: np.ndarray, categorical: np.ndarray) -> StandardOrder:
    """Return the order of the rows ``X`` (N, P) with the ``outputs`` (N, C) of a function.

    It is exact where no two features go with the output to the same degree and no two different rows agree in all of
    it; else ties are broken by where they stand.
    """
    P = X.shape[1]
    # Several outputs count as one that tells them apart.
    single = (outputs - outputs.mean(0)) @ np.arange(1, outputs.shape[1] + 1)
    scale = float(np.sqrt((single**2).sum()))
    keys = np.zeros(len(X), np.uint64)
    ranks = np.stack([_centred_ranks(X[:, j]) for j in range(P)], 1)
    lengths = np.sqrt((ranks.astype(float) ** 2).sum(0))
    together = ranks.T @ single
    strength = np.round(np.divide(together, lengths * scale, out=np.zeros(P), where=lengths * scale > 0), DIGITS)
    lopsided = np.array([_lopsided(X[:, j]) for j in range(P)])
    signs = np.where(strength != 0, np.sign(strength), np.where(lopsided != 0, np.sign(lopsided), 1.0))
    signs[categorical] = 1.0
    for j in range(P):
        keys += _mixed(ranks[:, j] * int(signs[j]))
    levels = np.array([len(np.unique(ranks[:, j])) for j in range(P)])
    features = np.lexsort((-np.round(np.abs(lopsided), DIGITS), -levels, -np.abs(strength)))
    rounded = np.round(single / scale, DIGITS) if scale > 0 else single
    turned = (ranks * signs.astype(int))[:, features[:8]]
    return StandardOrder(np.lexsort((*turned.T[::-1], keys, rounded)), features, signs)


def _centred_ranks(x: np.ndarray) -> np.ndarray:
    """Return the rank (N,) of each value among the different values, twice its distance to the middle one: int64."""
    values, rank = np.unique(x, return_inverse=True)
    return 2 * rank.astype(np.int64) - (len(values) - 1)


def _lopsided(x: np.ndarray) -> float:
    """Return the skewness of a column, 0 for rounding."""
    spread = x - x.mean()
    width = float(np.abs(spread).max())
    if width <= 1e-12 * float(np.abs(x).max()):
        return 0.0
    return float(np.round(np.mean((spread / width) ** 3), DIGITS))


def _mixed(codes: np.ndarray) -> np.ndarray:
    """Return 64 well-mixed bits (N,) of each integer; sums of them, modulo 2^64, do not depend on the order.

    Source: Steele, Lea & Flood (2014), doi 10.1145/2660193.2660195 (SplitMix64).
    """
    z = codes.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
