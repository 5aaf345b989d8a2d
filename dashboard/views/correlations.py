"""How alike the measures of a run rank its candidates, as data: a matrix of correlations and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import said, text
from dashboard.views.card import measure_label
from dashboard.views.lettering import shorten
from dashboard.views.words import count, percent

if TYPE_CHECKING:
    from nas_core.search.correlations import Correlations, Doubled

__all__ = ["CorrelationsView", "correlations_view"]

LETTERS = 26


@dataclass(frozen=True)
class CorrelationsView:
    """A lower triangle of correlations.

    Attributes:
        labels: K names: performance, then the measures.
        rho: (K, K) ρ below the diagonal, None above it, on it, and where there is none.
        hover: (K, K) the same in words.
        marked: Cells (row, column) of pairs that count twice.
        warnings: What to do about them.
        reasons: Which measures correlate with nothing, and why.
        summary: Everything in one sentence.
    """

    labels: tuple[str, ...]
    rho: tuple[tuple[float | None, ...], ...]
    hover: tuple[tuple[str, ...], ...]
    marked: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    summary: str


def correlations_view(found: Correlations, metric: str) -> CorrelationsView:
    """Return what is drawn of the correlations of a run whose performance is called ``metric``."""
    labels = [metric, *(measure_label(name) for name in found.names[1:])]
    where = {name: at for at, name in enumerate(found.names)}
    rho = [[_below(i, j, float(found.rho[i, j])) for j in range(len(labels))] for i in range(len(labels))]
    hover = [[_words(labels, found, i, j) for j in range(len(labels))] for i in range(len(labels))]
    known = [(abs(v), i, j) for i, row in enumerate(rho) for j, v in enumerate(row) if v is not None]
    summary = text("correlations.summary_none")
    if known:
        _, i, j = max(known)
        summary = text("correlations.summary", count=len(known), first=labels[j], second=labels[i],
                       rho=f"{found.rho[i, j]:.2f}")  # fmt: skip
    return CorrelationsView(
        tuple(shorten(label, LETTERS) for label in labels),
        tuple(map(tuple, rho)),
        tuple(map(tuple, hover)),
        tuple((where[d.second], where[d.first]) for d in found.doubled),
        tuple(_warning(d) for d in found.doubled),
        tuple(f"{labels[where[n]]}: {said(why)}" for n, why in found.reasons.items()),
        summary,
    )


def _below(i: int, j: int, value: float) -> float | None:
    return value if j < i and math.isfinite(value) else None


def _words(labels: list[str], found: Correlations, i: int, j: int) -> str:
    if j >= i:
        return ""
    value, n = float(found.rho[i, j]), count(int(found.n[i, j]))
    key = "correlations.hover" if math.isfinite(value) else "correlations.hover_none"
    return text(key, first=labels[j], second=labels[i], rho=f"{value:.3f}", n=n)


def _warning(pair: Doubled) -> str:
    key = "correlations.alike" if pair.rho > 0 else "correlations.opposed"
    first, second = (percent(w) for w in pair.weights)
    return text(key, first=measure_label(pair.first), second=measure_label(pair.second), rho=f"{pair.rho:.2f}",
                n=count(pair.n), one=first, two=second)  # fmt: skip
