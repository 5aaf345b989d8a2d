"""Splitting the rows once: to train on, to choose by, and to report on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import Dataset
from nas_core.errors import DataError
from nas_core.records import derive_seed

__all__ = ["FRACTIONS", "Split", "split"]

FRACTIONS = (0.6, 0.2, 0.2)
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, each sorted; together they are all rows, once.

    Attributes:
        train: Rows the networks learn from.
        valid: Rows the search compares candidates on.
        test: Rows that only a report opens.
    """

    train: Rows
    valid: Rows
    test: Rows


def split(dataset: Dataset, seed: int, fractions: tuple[float, float, float] = FRACTIONS) -> Split:
    """Return a random split that depends on the seed, the number of rows and (classification) the classes only.

    Classes are stratified: each part holds every class in proportion, and at least one row of it. Where the data
    declare their own test part, that is the test part, and the first two fractions divide the other rows.

    Raises:
        DataError: The fractions are not positive numbers that add up to 1.
    """
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not np.all(shares > 0) or abs(shares.sum() - 1) > 1e-6:
        raise DataError(
            f"The parts of the split are {tuple(fractions)}",
            allowed="three positive numbers that add up to 1: train, validation, test",
            fix=f"use {FRACTIONS}",
        )
    rng = np.random.default_rng(derive_seed("split", seed))
    y = dataset.y if dataset.task == "classification" else np.zeros(dataset.N, dtype=np.int64)
    free = np.ones(dataset.N, dtype=bool)
    if dataset.held_out is not None:
        free[dataset.held_out] = False
        shares = shares[:2] / shares[:2].sum()
    strata = [rng.permutation(np.flatnonzero((y == k) & free)) for k in range(int(y.max()) + 1)]
    counts = _allocate(np.array([len(s) for s in strata]), shares)
    parts = []
    for p in range(len(shares)):
        pieces = [s[counts[k, :p].sum() : counts[k, : p + 1].sum()] for k, s in enumerate(strata)]
        parts.append(np.sort(np.concatenate(pieces)).astype(np.int64))
    if dataset.held_out is not None:
        parts.append(np.sort(dataset.held_out))
    return Split(*parts)


def _allocate(sizes: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the (S, parts) number of rows of each stratum in each part.

    Rounding errors are carried from one stratum to the next, so that the totals keep to the shares as well.
    """
    exact = np.outer(sizes, shares)
    counts = np.zeros(exact.shape, dtype=np.int64)
    carried = np.zeros(len(shares))
    for k, size in enumerate(sizes):
        wanted = exact[k] + carried
        counts[k] = np.clip(np.floor(wanted), 1, max(1, size - len(shares) + 1))
        while counts[k].sum() < size:
            counts[k, np.argmax(wanted - counts[k])] += 1
        while counts[k].sum() > size:
            over = np.where(counts[k] > 1, wanted - counts[k], np.inf)
            counts[k, np.argmin(over)] -= 1
        # one row at most: what tiny classes are owed for their minimum must not bend the shares of a large one
        carried = np.clip(wanted - counts[k], -1.0, 1.0)
    return counts
