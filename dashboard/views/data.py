"""A table as the Data page shows it: columns with what they seem to be, the target's distribution, the split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import said, text
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    import pandas as pd

    from nas_core.data import ColumnGuess, Dataset, Split

__all__ = [
    "ColumnView",
    "SplitView",
    "TableView",
    "TargetView",
    "corrections",
    "split_view",
    "table_view",
    "target_view",
]

BINS = 30
MANY_MISSING = 0.3


@dataclass(frozen=True)
class ColumnView:
    """One column: its kind (guessed, or as corrected), why, and what a person should look at (``flag``, a phrase)."""

    name: str
    kind: str
    guess: str
    reason: str
    missing: int
    missing_share: float
    unique: int
    example: str
    flag: str


@dataclass(frozen=True)
class TableView:
    """The raw table: its size and its columns except the target; ``warnings`` are sentences."""

    rows: int
    columns: tuple[ColumnView, ...]
    warnings: tuple[str, ...]

    @property
    def words(self) -> str:
        """The table in one line."""
        kinds = [c.kind for c in self.columns]
        return text(
            "data.words", rows=f"{self.rows:,}", numeric=kinds.count("numeric"), categorical=kinds.count("categorical"),
            ignored=kinds.count("ignore"),
        )  # fmt: skip


@dataclass(frozen=True)
class TargetView:
    """The distribution of the target.

    Attributes:
        labels: Classes (empty for regression).
        edges: Bin edges of the histogram, (bins + 1,) (empty for classification).
        counts: Rows per class or per bin.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    edges: np.ndarray
    counts: np.ndarray
    words: str


@dataclass(frozen=True)
class SplitView:
    """Rows in each part, and for classification the share of every class in each part, (3, C)."""

    names: tuple[str, str, str]
    rows: tuple[int, int, int]
    labels: tuple[str, ...]
    shares: np.ndarray


def table_view(frame: pd.DataFrame, guesses: list[ColumnGuess], kinds: Mapping[str, str]) -> TableView:
    """Return the view of a raw table; ``kinds`` are a person's corrections."""
    rows = len(frame)
    columns = tuple(
        ColumnView(
            g.name, kinds.get(g.name, g.kind), g.kind, said(g.reason), g.missing, g.missing / max(rows, 1), g.unique,
            g.example, text(f"data.flag_{g.flag}") if g.flag else "",
        )
        for g in guesses
    )  # fmt: skip
    return TableView(rows, columns, tuple(_warnings(columns)))


def _warnings(columns: tuple[ColumnView, ...]) -> list[str]:
    found = []
    for column in columns:
        if column.flag and column.kind != "ignore":
            found.append(text("data.warn_flag", name=column.name, kind=column.kind, flag=column.flag))
        elif column.kind != "ignore" and column.missing_share > MANY_MISSING:
            found.append(text("data.warn_missing", name=column.name, share=percent(column.missing_share)))
    return found


def corrections(columns: tuple[ColumnView, ...], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the kinds a person changed: only those that differ from the guess."""
    return {c.name: chosen[c.name] for c in columns if c.name in chosen and chosen[c.name] != c.guess}


def target_view(dataset: Dataset) -> TargetView:
    """Return the distribution of the target of ``dataset``."""
    if dataset.task == "classification":
        counts = np.bincount(dataset.y.astype(np.int64), minlength=len(dataset.classes))
        top = int(np.argmax(counts))
        words = text(
            "data.target_classes", count=len(dataset.classes), name=dataset.classes[top],
            share=percent(counts[top] / counts.sum()),
        )  # fmt: skip
        return TargetView(dataset.target, dataset.task, dataset.classes, np.empty(0), counts, words)
    y = dataset.y.astype(float)
    counts, edges = np.histogram(y, bins=BINS)
    words = text(
        "data.target_quantity", low=number(float(y.min())), high=number(float(y.max())), mean=number(float(y.mean())),
        sd=number(float(y.std())),
    )  # fmt: skip
    return TargetView(dataset.target, dataset.task, (), edges, counts, words)


def split_view(dataset: Dataset, parts: Split) -> SplitView:
    """Return how large the three parts are and how the classes are spread over them."""
    rows = [parts.train, parts.valid, parts.test]
    shares = np.empty((3, 0))
    if dataset.task == "classification":
        counts = [np.bincount(dataset.y[r].astype(np.int64), minlength=len(dataset.classes)) for r in rows]
        shares = np.stack([c / max(1, c.sum()) for c in counts])
    names = (text("data.train"), text("data.valid"), text("data.test"))
    return SplitView(names, (len(rows[0]), len(rows[1]), len(rows[2])), dataset.classes, shares)
