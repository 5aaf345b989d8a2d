"""Attributions of images and sequences as pictures need them: a row with what each place adds, and means over rows.

Letters: n explained rows, P cells (patches, steps, words), H × W pixels, L steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.attributions import AttributionView
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.data import Dataset
    from nas_core.data.signal import Signal
    from nas_core.explanations import Attribution

__all__ = [
    "CellRow",
    "MeanView",
    "PictureView",
    "SeriesView",
    "Word",
    "WordsView",
    "cell_rows",
    "cells_view",
    "mean_view",
    "of_predicted",
    "picture_view",
    "series_view",
    "unit_of",
    "words_view",
]

CLIP = 99  # percentile of |value| at which colours end


@dataclass(frozen=True)
class PictureView:
    """One image with what its places add to an output.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) colour, in [0, 1].
        overlay: (H, W) attribution at every pixel: of its patch, or of the place itself.
        limit: Absolute value at which colours end, > 0.
        patches: (H, W) name of the patch of every pixel.
        totals: (H, W) attribution of the whole patch.
        unit: Of the attributions.
        signed: Whether values may be negative.
        smooth: Whether the overlay differs from pixel to pixel.
    """

    pixels: np.ndarray
    overlay: np.ndarray
    limit: float
    patches: np.ndarray
    totals: np.ndarray
    unit: str
    signed: bool
    smooth: bool


@dataclass(frozen=True)
class SeriesView:
    """One series with what its steps add to an output.

    Attributes:
        lines: (channels, L) raw values, NaN = padding.
        names: (L,) name of the cell of every step.
        overlay: (L,) attribution at every step: of its cell, or of the step itself.
        limit, unit, signed: As in :class:`PictureView`.
    """

    lines: np.ndarray
    names: tuple[str, ...]
    overlay: np.ndarray
    limit: float
    unit: str
    signed: bool


@dataclass(frozen=True)
class Word:
    """A word of a text, what it (or its cell) adds, and how strong its colour is, in [−1, 1]."""

    word: str
    value: float
    strength: float


@dataclass(frozen=True)
class WordsView:
    """One text, word by word, without its padding."""

    words: tuple[Word, ...]
    unit: str
    signed: bool


@dataclass(frozen=True)
class MeanView:
    """Mean |attribution| over rows at every place, (H, W), or (1, L) of sequences.

    Attributes:
        mean: The mean at every place.
        low, high: Its 95 % bootstrap interval over the rows.
        names: (H, W) name of the cell at every place.
        rows: Rows it was averaged over.
        unit: Of the attributions.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    names: np.ndarray
    rows: int
    unit: str


@dataclass(frozen=True)
class CellRow:
    """One line of the table beside a picture: a cell, what it holds, what it adds, its share of all that is added."""

    name: str
    content: str
    value: float
    share: float


def of_predicted(attribution: Attribution) -> Attribution:
    """Return the attribution of one output (C = 1): for each row that of the class it is predicted to be.

    Its base is the mean of theirs, so only the values mean something, not their sum.
    """
    at = np.argmax(attribution.outputs, axis=1)
    rows = np.arange(len(at))
    return replace(
        attribution,
        values=attribution.values[rows, :, at][:, :, None],
        errors=None if attribution.errors is None else attribution.errors[rows, :, at][:, :, None],
        maps=None if attribution.maps is None else attribution.maps[rows, at][:, None],
        base=attribution.base[at].mean(keepdims=True),
        outputs=attribution.outputs[rows, at][:, None],
        output_names=("",),
        additive=False,
    )


def unit_of(attribution: Attribution, dataset: Dataset) -> str:
    """Return the unit of the attributions in words."""
    if attribution.unit == "share":
        return text("signal.share_unit")
    unit = attribution.output_names[0] if dataset.task == "regression" else text("shap.log_odds")
    return text("explain.per_sd", unit=unit) if attribution.unit == "slope" else unit


def cells_view(attribution: Attribution, output: int, rows: np.ndarray, dataset: Dataset) -> AttributionView:
    """Return the attributions of the cells for one output as those of the features of a table are seen."""
    one = attribution.output(output)
    signal = _signal(dataset)
    n, P = one.values.shape[:2]
    texts = tuple(tuple(_content(one.data[i], signal, j) for j in range(P)) for i in range(n))
    return AttributionView(
        one.feature_names, one.values[:, :, 0], np.full((n, P), np.nan), texts, np.asarray(rows), float(one.base[0]),
        one.residual, one.output_names[0], unit_of(attribution, dataset), one.method, one.reason, one.seconds,
    )  # fmt: skip


def picture_view(attribution: Attribution, output: int, position: int, dataset: Dataset) -> PictureView:
    """Return the image of the row at ``position`` with its attributions for one output."""
    signal = _signal(dataset)
    height, width = signal.place
    planes = _places(attribution, signal)[position, output]
    cells = signal.owner[: height * width].reshape(height, width)
    names = np.array(signal.feature_names, dtype=object)
    return PictureView(
        _pixels(attribution.data, position, signal), planes, _limit(planes), names[cells],
        attribution.values[position, cells, output], unit_of(attribution, dataset), attribution.signed,
        attribution.maps is not None,
    )  # fmt: skip


def series_view(attribution: Attribution, output: int, position: int, dataset: Dataset) -> SeriesView:
    """Return the series of the row at ``position`` with its attributions for one output."""
    signal = _signal(dataset)
    overlay = _places(attribution, signal)[position, output, 0]
    lines = attribution.data[position].reshape(signal.shape)
    names = tuple(signal.feature_names[j] for j in signal.owner[: signal.shape[-1]])
    return SeriesView(lines, names, overlay, _limit(overlay), unit_of(attribution, dataset), attribution.signed)


def words_view(attribution: Attribution, output: int, position: int, dataset: Dataset) -> WordsView:
    """Return the words of the row at ``position`` with their attributions for one output."""
    signal = _signal(dataset)
    overlay = _places(attribution, signal)[position, output, 0]
    ids = np.nan_to_num(attribution.data[position]).astype(int)
    limit = _limit(overlay)
    words = tuple(Word(_word(signal, i), float(v), float(np.clip(v / limit, -1, 1))) for i, v in zip(ids, overlay) if i)
    return WordsView(words, unit_of(attribution, dataset), attribution.signed)


def mean_view(attribution: Attribution, output: int, dataset: Dataset, *, resamples: int = 200) -> MeanView:
    """Return the mean absolute attribution over the rows at every place, for one output."""
    signal = _signal(dataset)
    sizes = np.abs(_places(attribution, signal)[:, output])
    n = len(sizes)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=resamples) / n
    low, high = np.percentile(np.tensordot(draws, sizes, 1), [2.5, 97.5], axis=0)
    height, width = signal.place
    names = np.array(signal.feature_names, dtype=object)[signal.owner[: height * width].reshape(height, width)]
    return MeanView(sizes.mean(0), low, high, names, n, unit_of(attribution, dataset))


def cell_rows(view: AttributionView, position: int, top: int = 12) -> tuple[CellRow, ...]:
    """Return the ``top`` cells of a row by absolute attribution, those that add nothing left out."""
    phi = view.values[position]
    total = float(np.abs(phi).sum()) or 1.0
    order = [j for j in np.argsort(-np.abs(phi), kind="stable")[:top] if phi[j] != 0.0]
    return tuple(
        CellRow(view.names[j], view.texts[position][j], float(phi[j]), float(abs(phi[j])) / total) for j in order
    )


def _signal(dataset: Dataset) -> Signal:
    assert dataset.signal is not None  # the Explain tab shows these for images and sequences only
    return dataset.signal


def _places(attribution: Attribution, signal: Signal) -> np.ndarray:
    """Return the attributions (n, C, H, W) at every place: the method's own maps, else each cell's value on it."""
    if attribution.maps is not None:
        return attribution.maps
    height, width = signal.place
    cells = signal.owner[: height * width]
    values = attribution.values[:, cells].transpose(0, 2, 1)
    return values.reshape(*values.shape[:2], height, width)


def _limit(values: np.ndarray) -> float:
    """Return the absolute value at which colours end: the 99th percentile, the largest where that is 0, else 1."""
    sizes = np.abs(values)
    return float(np.percentile(sizes, CLIP)) or float(sizes.max(initial=0.0)) or 1.0


def _pixels(data: np.ndarray, position: int, signal: Signal) -> np.ndarray:
    """Return an image as (H, W) grey or (H, W, 3), with the range of all explained images as black to white."""
    low, high = float(np.nanmin(data)), float(np.nanmax(data))
    image = np.nan_to_num(data[position], nan=low).reshape(signal.shape)
    image = np.clip((image - low) / (high - low or 1.0), 0.0, 1.0)
    return image.transpose(1, 2, 0) if len(image) == 3 else image.mean(0)


def _word(signal: Signal, token: int) -> str:
    return signal.words[token] if token < len(signal.words) else str(token)


def _content(row: np.ndarray, signal: Signal, cell: int) -> str:
    """Return what a cell of a row holds in words: its words, the mean of its numbers, or that it is padding."""
    held = row[signal.owner == cell]
    if signal.vocabulary:
        words = " ".join(_word(signal, int(i)) for i in np.nan_to_num(held) if i)
        return words or text("signal.padding")
    known = held[~np.isnan(held)]
    if not known.size:
        return text("signal.padding")
    return "" if signal.modality == "image" else number(float(known.mean()))
