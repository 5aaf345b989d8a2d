"""Splitting the rows once: to train on, to choose by, and to report on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import Aside, Dataset
from nas_core.errors import DataError
from nas_core.records import Record, derive_seed

__all__ = ["FRACTIONS", "RANDOM", "Split", "SplitScheme", "split"]

FRACTIONS = (0.6, 0.2, 0.2)
Rows = NDArray[np.int64]
MANY_GROUPS = 4_000  # so many groups are dealt out at random: their sizes even out
PARTS = ("training", "validation", "test")


class SplitScheme(Record):
    """How rows are put into parts.

    Attributes:
        kind: ``random`` (classes stratified), ``group`` (rows with the same value of a column stay together) or
            ``time`` (training before validation before test).
        column: The column of ``group`` and ``time``, kept aside by the data set; None in ``time`` is the order of rows.
    """

    kind: Literal["random", "group", "time"] = "random"
    column: str | None = None


RANDOM = SplitScheme()


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


def split(
    dataset: Dataset, seed: int, fractions: tuple[float, float, float] = FRACTIONS, scheme: SplitScheme = RANDOM
) -> Split:
    """Return a split of the rows, the same for the same seed in every process.

    Where the data declare their own test part, that is the test part, and the first two fractions divide the other
    rows. ``random`` depends on the seed, the number of rows and the classes only: each part holds every class in
    proportion, and at least one row of it. ``group`` never divides a group; sizes and classes are as near to the
    fractions as whole groups allow. ``time`` never divides rows of the same time, and the seed changes nothing.

    Raises:
        DataError: The fractions are not positive numbers that add up to 1; the column is not there or has no order;
            there are too few groups or times; a part would lack classes.
    """
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not np.all(shares > 0) or abs(shares.sum() - 1) > 1e-6:
        raise DataError(
            f"The parts of the split are {tuple(fractions)}",
            allowed="three positive numbers that add up to 1: train, validation, test",
            fix=f"use {FRACTIONS}",
        )
    free = np.ones(dataset.N, dtype=bool)
    if dataset.held_out is not None:
        free[dataset.held_out] = False
        shares = shares[:2] / shares[:2].sum()
    rows = np.flatnonzero(free)
    if scheme.kind == "random":
        part = _random(dataset, rows, shares, seed)
    elif scheme.kind == "group":
        part = _by_group(dataset, rows, shares, seed, _column(dataset, scheme))
    else:
        part = _by_time(rows, shares, _times(dataset, scheme), scheme)
    parts = [rows[part == p] for p in range(len(shares))]
    if dataset.held_out is not None:
        parts.append(np.sort(dataset.held_out))
    made = Split(*(p.astype(np.int64) for p in parts))
    if scheme.kind != "random":
        _check_classes(dataset, made, scheme)
    return made


def _random(dataset: Dataset, rows: Rows, shares: NDArray[np.float64], seed: int) -> Rows:
    """Return the part (n,) of each of ``rows``, classes stratified."""
    rng = np.random.default_rng(derive_seed("split", seed))
    y = dataset.y[rows] if dataset.task == "classification" else np.zeros(len(rows), dtype=np.int64)
    classes = int(dataset.y.max()) + 1 if dataset.task == "classification" else 1
    strata = [rng.permutation(np.flatnonzero(y == k)) for k in range(classes)]
    counts = _allocate(np.array([len(s) for s in strata]), shares)
    part = np.empty(len(rows), dtype=np.int64)
    for stratum, own in zip(strata, counts):
        part[stratum] = np.repeat(np.arange(len(shares)), own)
    return part


def _by_group(dataset: Dataset, rows: Rows, shares: NDArray[np.float64], seed: int, aside: Aside) -> Rows:
    """Return the part (n,) of each of ``rows``, whole groups at a time; rows without a group are one group."""
    groups, index = np.unique(aside.codes[rows], return_inverse=True)
    if len(groups) < len(shares):
        raise DataError(
            f"The column {aside.name!r} has {len(groups)} group{'s' * (len(groups) != 1)}",
            allowed=f"at least {len(shares)} groups: one for each part",
            fix="choose a column with more groups, or split at random",
        )
    y = dataset.y[rows] if dataset.task == "classification" else np.zeros(len(rows), dtype=np.int64)
    counts = np.zeros((len(groups), int(y.max()) + 1))
    np.add.at(counts, (index, y.astype(np.int64)), 1.0)
    rng = np.random.default_rng(derive_seed("split", seed))
    if len(groups) <= MANY_GROUPS:
        return _deal(counts, shares, rng)[index]
    order = rng.permutation(len(groups))
    ends = np.cumsum(counts[order].sum(axis=1)) / len(rows)
    chosen = np.empty(len(groups), dtype=np.int64)
    chosen[order] = np.searchsorted(np.cumsum(shares)[:-1], ends - 1e-12)
    return chosen[index]


def _deal(counts: NDArray[np.float64], shares: NDArray[np.float64], rng: np.random.Generator) -> Rows:
    """Return the part (G,) of groups with so many rows of each class (G, C), the largest first.

    Each goes where it brings the shares of all classes nearest to what they should be, and no part stays empty.
    """
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    total = np.maximum(counts.sum(axis=0), 1.0)
    held = np.zeros((len(shares), counts.shape[1]))
    chosen = np.empty(len(counts), dtype=np.int64)
    for done, group in enumerate(order):
        empty = np.flatnonzero(held.sum(axis=1) == 0)
        allowed = empty if len(empty) >= len(counts) - done else np.arange(len(shares))
        # only the part that grows changes its distance, so the gain of each part is compared
        before = ((held / total - shares[:, None]) ** 2).sum(axis=1)
        after = (((held + counts[group]) / total - shares[:, None]) ** 2).sum(axis=1)
        chosen[group] = allowed[np.argmin((after - before)[allowed])]
        held[chosen[group]] += counts[group]
    return chosen


def _by_time(rows: Rows, shares: NDArray[np.float64], times: Rows, scheme: SplitScheme) -> Rows:
    """Return the part (n,) of each of ``rows``: cut between different times, as near to the shares as they allow."""
    rank = np.unique(times[rows], return_inverse=True)[1]
    ends = np.cumsum(np.bincount(rank))  # rows up to and including each time
    if len(ends) < len(shares):
        raise DataError(
            f"The column {scheme.column!r} has {len(ends)} different value{'s' * (len(ends) != 1)}",
            allowed=f"at least {len(shares)} different times: some for each part",
            fix="choose a column with more different times, or split at random",
        )
    cuts, least = [], 0
    for p, wanted in enumerate(np.cumsum(shares)[:-1] * len(rows)):
        last = len(ends) - (len(shares) - 1 - p)  # every later part needs a time as well
        cuts.append(least + int(np.argmin(np.abs(ends[least:last] - wanted))))
        least = cuts[-1] + 1
    return np.searchsorted(np.asarray(cuts), rank, side="left").astype(np.int64)


def _column(dataset: Dataset, scheme: SplitScheme) -> Aside:
    """Return the column that ``scheme`` names.

    Raises:
        DataError: The data set does not hold it.
    """
    if dataset.aside is not None and scheme.column == dataset.aside.name:
        return dataset.aside
    held = repr(dataset.aside.name) if dataset.aside else "none"
    raise DataError(
        f"The rows are to be split by {scheme.column!r}, which {dataset.name} does not keep aside",
        allowed=f"the column kept aside ({held}), or a random split",
        fix="name the column when the data are read: load_data(…, aside=COLUMN)",
    )


def _times(dataset: Dataset, scheme: SplitScheme) -> Rows:
    """Return the time (N,) of each row as a rank."""
    if scheme.column is None:
        return np.arange(dataset.N, dtype=np.int64)
    aside = _column(dataset, scheme)
    missing = int((aside.codes < 0).sum())
    if not aside.ordered or missing:
        raise DataError(
            f"The column {aside.name!r} cannot order the rows in time: "
            + (aside.reason if not aside.ordered else f"{missing} rows have no value"),
            allowed="numbers, or dates such as 2024-01-31, in every row",
            fix="correct the column, choose another, or split at random",
        )
    return aside.codes


def _check_classes(dataset: Dataset, parts: Split, scheme: SplitScheme) -> None:
    """Raise DataError when training lacks a class, or a part to compare on holds one class only."""
    if dataset.task != "classification":
        return
    fix = "choose another column, other shares or another seed, or split at random"
    by = f"Split by {'time' if scheme.kind == 'time' else 'group'} ({scheme.column or 'order of the rows'})"
    for name, rows in zip(PARTS, (parts.train, parts.valid, parts.test)):
        found = np.bincount(dataset.y[rows].astype(np.int64), minlength=len(dataset.classes)) > 0
        if name == "training" and not found.all():
            lacking = ", ".join(repr(dataset.classes[k]) for k in np.flatnonzero(~found)[:5])
            raise DataError(f"{by}, the training part has no row of {lacking}", allowed="every class", fix=fix)
        if found.sum() < 2:
            only = dataset.classes[int(np.argmax(found))]
            raise DataError(f"{by}, the {name} part holds the class {only!r} only", allowed="two classes", fix=fix)


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
