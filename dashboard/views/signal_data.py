"""Examples of images, series and texts as the Data page shows them, some of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.texts import text
from dashboard.views.words import count, number
from nas_core.data import Dataset, Signal
from nas_core.data.tokens import UNKNOWN

__all__ = ["Group", "ImageGrid", "SeriesLines", "TextExamples", "image_grid", "series_lines", "signal_words",
           "text_examples"]  # fmt: skip

GROUPS = 10
PARTS = 4  # a quantity is shown in so many parts of equal size
AVERAGED = 2_000
BYTES = 128  # values up to here or more, and no more than 255, are bytes and keep their brightness
UNKNOWN_MARK = "▢"
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Group:
    """A class, or a part of a quantity, with the rows that are shown; declared test rows are never among them."""

    label: str
    rows: NDArray[np.int64]
    size: int


@dataclass(frozen=True)
class ImageGrid:
    """Images of some rows of each group.

    Attributes:
        labels: Names of the groups, one per line.
        pixels: (lines, tiles, height, width, 3) bytes; a line with fewer images ends with blank tiles.
        filled: Images in each line.
        words: What is seen, for those who do not see it.
        hidden: How many groups are not shown.
    """

    labels: tuple[str, ...]
    pixels: NDArray[np.uint8]
    filled: tuple[int, ...]
    words: str
    hidden: int


@dataclass(frozen=True)
class SeriesLines:
    """Some series of each group, in one channel.

    Attributes:
        labels: Names of the groups.
        steps: (T,) counted from 1.
        examples: One array (k, T) per group, NaN = padding.
        means: One array (T,) per group: the mean of at most 2,000 series at each step, NaN where none is so long.
        channel, channels: Which channel is shown, of how many.
        words: What is seen.
        hidden: How many groups are not shown.
    """

    labels: tuple[str, ...]
    steps: NDArray[np.int64]
    examples: tuple[Floats, ...]
    means: tuple[Floats, ...]
    channel: int
    channels: int
    words: str
    hidden: int


@dataclass(frozen=True)
class TextExamples:
    """Some texts of each group as the networks read them; words outside the vocabulary are marked."""

    labels: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    hidden: int


def signal_words(dataset: Dataset) -> str:
    """Return what the rows are in a sentence: how many, how large, and what counts as one feature."""
    signal = _signal(dataset)
    held = 0 if dataset.held_out is None else len(dataset.held_out)
    test = text("signal_data.held", count=count(held)) if held else ""
    if signal.modality == "image":
        ph, pw = signal.cell
        colours = {1: "signal_data.grey", 3: "signal_data.colour"}.get(signal.channels)
        return text(
            "signal_data.images", rows=count(dataset.N), height=signal.shape[1], width=signal.shape[2],
            colours=text(colours) if colours else text("signal_data.channels", count=signal.channels),
            patches=signal.features, patch=f"{ph} × {pw}", test=test,
        )  # fmt: skip
    if signal.vocabulary:
        known = count(signal.vocabulary - 2)
        return text("signal_data.texts", rows=count(dataset.N), length=signal.shape[1], words=known,
                    cells=_cells(signal), test=test)  # fmt: skip
    channels = text("signal_data.in_channels", count=signal.channels) if signal.channels > 1 else ""
    return text("signal_data.series", rows=count(dataset.N), length=count(signal.shape[1]), channels=channels,
                cells=_cells(signal), test=test)  # fmt: skip


def _cells(signal: Signal) -> str:
    """Return what the features of a sequence are: single steps or words, or runs of them."""
    what = "word" if signal.vocabulary else "step"
    return text(
        f"signal_data.cells_{what}{'s' if signal.cell[1] > 1 else ''}", count=signal.features, run=signal.cell[1]
    )


def image_grid(dataset: Dataset, *, tiles: int = 10) -> ImageGrid:
    """Return ``tiles`` images of each of the first ten classes; all but bytes are stretched to their range."""
    groups, hidden = _groups(dataset, tiles)
    shape = _signal(dataset).shape
    shown = [dataset.X[g.rows].reshape(len(g.rows), *shape) for g in groups]
    values = np.concatenate(shown)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low >= 0 and BYTES <= high <= 255:
        low, high = 0.0, 255.0
    pixels = np.full((len(groups), tiles, *shape[1:], 3), 255, dtype=np.uint8)
    for line, images in enumerate(shown):
        scaled = np.clip(255 * (images - low) / ((high - low) or 1.0), 0, 255).astype(np.uint8)
        rgb = scaled[:, :3] if shape[0] >= 3 else np.repeat(scaled[:, :1], 3, axis=1)
        pixels[line, : len(images)] = np.moveaxis(rgb, 1, -1)
    told = text(
        "signal_data.grid_words", count=sum(len(g.rows) for g in groups), groups=", ".join(g.label for g in groups)
    )
    return ImageGrid(tuple(g.label for g in groups), pixels, tuple(len(g.rows) for g in groups), told, hidden)


def series_lines(dataset: Dataset, *, channel: int = 0, most: int = 6) -> SeriesLines:
    """Return ``most`` series of each of the first ten classes in one channel, and the mean of each class."""
    groups, hidden = _groups(dataset, AVERAGED)
    channels, length = _signal(dataset).shape
    examples: list[NDArray[Any]] = []
    means: list[Floats] = []
    for group in groups:
        values = dataset.X[group.rows].reshape(len(group.rows), channels, length)[:, channel]
        there = ~np.isnan(values)
        total = np.where(there, values, 0).sum(axis=0, dtype=np.float64)
        known = there.sum(axis=0)
        mean = np.where(known > 0, total / np.maximum(known, 1), np.nan)
        means.append(np.asarray(mean, dtype=np.float32))
        examples.append(values[_spread(len(values), most)])
    told = text("signal_data.lines_words", groups="; ".join(
        text("signal_data.line_words", label=g.label, low=number(float(np.nanmin(m))), high=number(float(np.nanmax(m))))
        for g, m in zip(groups, means)
    ))  # fmt: skip
    return SeriesLines(
        tuple(g.label for g in groups), np.arange(1, length + 1), tuple(examples), tuple(means), channel, channels,
        told, hidden,
    )  # fmt: skip


def text_examples(dataset: Dataset, *, most: int = 3, words: int = 40) -> TextExamples:
    """Return the first ``words`` words of ``most`` texts of each of the first ten classes."""
    groups, hidden = _groups(dataset, most)
    known = _signal(dataset).words
    found = []
    for group in groups:
        lines = []
        for ids in dataset.X[group.rows].astype(np.int64):
            told = [known[k] if known[k] != UNKNOWN else UNKNOWN_MARK for k in ids if k]
            lines.append(" ".join(told[:words]) + (" …" if len(told) > words else ""))
        found.append(tuple(lines))
    return TextExamples(tuple(g.label for g in groups), tuple(found), hidden)


def _signal(dataset: Dataset) -> Signal:
    assert dataset.signal is not None, "a table has no signal"
    return dataset.signal


def _groups(dataset: Dataset, most: int) -> tuple[list[Group], int]:
    """Return the first ten classes, or quarters of a quantity, with ``most`` evenly spaced rows each; and the rest."""
    free = np.ones(dataset.N, dtype=bool)
    if dataset.held_out is not None:
        free[dataset.held_out] = False
    rows = np.flatnonzero(free)
    if dataset.task == "classification":
        parts = [(name, rows[dataset.y[rows] == k]) for k, name in enumerate(dataset.classes)]
    else:
        ordered = rows[np.argsort(dataset.y[rows], kind="stable")]
        cuts = [np.sort(part) for part in np.array_split(ordered, PARTS)]
        parts = [
            (f"{number(float(dataset.y[p].min()))} – {number(float(dataset.y[p].max()))}", p) for p in cuts if len(p)
        ]
    groups = [Group(name, part[_spread(len(part), most)], len(part)) for name, part in parts[:GROUPS]]
    return groups, max(0, len(parts) - GROUPS)


def _spread(size: int, most: int) -> NDArray[np.int64]:
    """Return at most ``most`` evenly spaced numbers below ``size``."""
    if size <= most:
        return np.arange(size)
    return np.linspace(0, size - 1, most).astype(np.int64)
