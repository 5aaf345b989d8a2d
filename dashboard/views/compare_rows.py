"""Where candidates part: the rows on which their attributions or their predictions differ most, and importances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.attributions import probabilities
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    from nas_core.comparison.agreement import Agreement
    from nas_core.data import Dataset
    from nas_core.data.targets import TargetTransform
    from nas_core.explanations import Attribution

__all__ = ["ImportanceLine", "PartingRow", "agreement_words", "distance_words", "parting_rows", "prediction_words",
           "side_by_side"]  # fmt: skip

SHOWN_ROWS, SHOWN_FEATURES = 8, 12


@dataclass(frozen=True)
class PartingRow:
    """A row on which two candidates part.

    Attributes:
        row: Number in the data.
        actual: Its target in words.
        predicted: What each of the two predicts.
        size: How far they are apart, in words.
    """

    row: int
    actual: str
    predicted: tuple[str, str]
    size: str


@dataclass(frozen=True)
class ImportanceLine:
    """Mean |attribution| of one feature in each candidate, as a share of all its attributions, with 95 % intervals.

    ``ranks`` counts from 1; None where the candidate does not use the feature.
    """

    name: str
    shares: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    ranks: tuple[int | None, ...]


def prediction_words(output: np.ndarray, dataset: Dataset, transform: TargetTransform | None = None) -> str:
    """Return what one output (C,) of a network predicts, in words."""
    if dataset.task == "regression":
        value = output[:1] if transform is None else transform.inverse(output[:1])
        return number(float(value[0]))
    shares = probabilities(output[None])[0]
    top = int(np.argmax(shares))
    return text("shap.predicted", name=dataset.classes[top], share=percent(float(shares[top])))


def actual_words(row: int, dataset: Dataset) -> str:
    """Return the target of a row in words."""
    y = dataset.y[row]
    return number(float(y)) if dataset.task == "regression" else dataset.classes[int(y)]


def parting_rows(
    amount: np.ndarray, words: Sequence[str], rows: np.ndarray, outputs: tuple[np.ndarray, np.ndarray],
    dataset: Dataset, transform: TargetTransform | None = None,
) -> tuple[PartingRow, ...]:  # fmt: skip
    """Return the rows with the largest ``amount`` (n,), largest first, those with none left out.

    Args:
        amount: How far the two are apart on each row.
        words: The same in words.
        rows: Numbers of the rows in the data.
        outputs: (n, C) of both candidates.
        dataset: The data.
        transform: What a regression was trained on, where that is not the target itself.
    """
    order = [int(i) for i in np.argsort(-amount, kind="stable")[:SHOWN_ROWS] if amount[i] > 1e-9]
    return tuple(
        PartingRow(
            int(rows[i]), actual_words(int(rows[i]), dataset),
            (prediction_words(outputs[0][i], dataset, transform), prediction_words(outputs[1][i], dataset, transform)),
            words[i],
        )
        for i in order
    )  # fmt: skip


def agreement_words(agreement: Agreement) -> tuple[str, ...]:
    """Return how alike the attributions of every row are, in words."""
    return tuple(text("compare.row_agreement", value=f"{c:.2f}".replace("-", "−")) for c in agreement.cosine)


def distance_words(distance: np.ndarray, dataset: Dataset) -> tuple[str, ...]:
    """Return how far predictions are apart, in words: a share of probability, or the target's unit."""
    if dataset.task == "regression":
        return tuple(text("compare.row_apart", value=number(float(d))) for d in distance)
    return tuple(text("compare.row_apart", value=percent(float(d))) for d in distance)


def side_by_side(attributions: Sequence[Attribution]) -> tuple[tuple[ImportanceLine, ...], int]:
    """Return the features that matter most to any candidate, with their share in each, and how many are left out."""
    from nas_core.explanations import importance

    found = [importance(a) for a in attributions]
    totals = [float(f.value.sum()) or 1.0 for f in found]
    shares = np.stack([f.value / t for f, t in zip(found, totals)])
    ranks = [_ranks(f.value) for f in found]
    order = [int(j) for j in np.argsort(-shares.max(axis=0), kind="stable") if shares[:, j].any()]
    lines = tuple(
        ImportanceLine(
            found[0].feature_names[j], tuple(float(s) for s in shares[:, j]),
            tuple(float(f.low[j] / t) for f, t in zip(found, totals)),
            tuple(float(f.high[j] / t) for f, t in zip(found, totals)), tuple(r[j] for r in ranks),
        )
        for j in order[:SHOWN_FEATURES]
    )  # fmt: skip
    return lines, max(0, len(order) - SHOWN_FEATURES)


def _ranks(value: np.ndarray) -> list[int | None]:
    order = np.argsort(-value, kind="stable")
    place = {int(j): at + 1 for at, j in enumerate(order)}
    return [place[j] if value[j] > 0 else None for j in range(len(value))]
