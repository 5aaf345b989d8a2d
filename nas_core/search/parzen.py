"""Tree-structured Parzen estimators over choices, for a whole pack of questions at once."""

from __future__ import annotations

import numpy as np

from nas_core.search.surrogate import on_one_thread

__all__ = ["DRAWN", "log_density", "parzen_answers"]

DRAWN = 24
"""Draws from the density of the good among which each answer is the best."""

GOOD_SHARE, MOST_GOOD = 0.1, 25
"""The share of the candidates that are good, and how many at most."""


def log_density(matches: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the logarithm (s,) of the estimated density of s points.

    The density is the mean of n + 1 kernels: a uniform one, and one around each of the n known points, which gives
    the option chosen there 1 + 1/(n + 1) parts and every other option 1/(n + 1) of a part. So a kernel depends on
    nothing but the number of decisions in which two points agree.

    Args:
        matches: (s, n) in how many decisions each point agrees with each known one.
        sizes: (d,) options of each decision.
    """
    n = matches.shape[1]
    uniform = np.full((len(matches), 1), -np.log(sizes).sum())
    kernels = matches * np.log(n + 2.0) - np.log(sizes + n + 1.0).sum()
    kernels = np.concatenate([kernels, uniform], axis=1)
    largest = kernels.max(axis=1)
    density: np.ndarray = largest + np.log(np.exp(kernels - largest[:, None]).sum(axis=1)) - np.log(n + 1.0)
    return density


@on_one_thread
def parzen_answers(known: np.ndarray, sizes: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return answers (n, d), each the best of some draws from the density of the good, by the ratio of densities.

    Each answer counts as a bad one for those after it.

    Args:
        known: (k, d) positions of the chosen options, the best candidate first.
        sizes: (d,) options of each decision.
        n: How many answers.
        rng: Draws.
    """
    good = min(int(np.ceil(GOOD_SHARE * len(known))), MOST_GOOD)
    worse = len(known) - good
    drawn = _drawn(known[:good], sizes, DRAWN * n, rng)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    codes = _one_hot(drawn, starts, int(sizes.sum()))
    matches = codes @ _one_hot(known, starts, int(sizes.sum())).T
    good_density = log_density(matches[:, :good], sizes)
    bad = np.concatenate([matches[:, good:], np.zeros((len(drawn), n), dtype=matches.dtype)], axis=1)
    answers = np.empty((n, len(sizes)), dtype=np.int64)
    for at in range(n):
        own, later = slice(DRAWN * at, DRAWN * (at + 1)), slice(DRAWN * (at + 1), None)
        gain = good_density[own] - log_density(bad[own, : worse + at], sizes)
        chosen = DRAWN * at + int(np.argmax(gain))
        answers[at] = drawn[chosen]
        bad[later, worse + at] = codes[later] @ codes[chosen]
    return answers


def _drawn(good: np.ndarray, sizes: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return draws (count, d) from the density whose known points are ``good`` (g, d)."""
    kernel = rng.integers(len(good) + 1, size=count)
    kept = rng.random((count, len(sizes))) < (len(good) + 1.0) / (sizes + len(good) + 1.0)
    kept[kernel == len(good)] = False
    anything = (rng.random((count, len(sizes))) * sizes).astype(np.int64)
    return np.where(kept, good[np.minimum(kernel, len(good) - 1)], anything)


def _one_hot(points: np.ndarray, starts: np.ndarray, width: int) -> np.ndarray:
    """Return (s, width) indicators of the chosen options; the sums of their products are exact."""
    codes = np.zeros((len(points), width), dtype=np.float32)
    codes[np.arange(len(points))[:, None], starts + points] = 1.0
    return codes
