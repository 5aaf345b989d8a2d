"""What the network uses beside what the data say: importances of several kinds on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.words import number, percent, signed

if TYPE_CHECKING:
    from dashboard.views.attributions import AttributionView
    from nas_core.explanations import Associations, PermutationImportance, Shared, Surprise

__all__ = ["ComparedView", "Series", "compared", "shared_words", "shuffled_cells", "surprise_words"]

RESAMPLES = 200


@dataclass(frozen=True)
class Series:
    """One kind of importance of P' features, as a share of its largest value.

    Attributes:
        key: "attribution", "permutation" or "information".
        label: What it is called.
        share, low, high: (P',) value and 95 % interval; NaN where there is none.
        words: (P',) the value in its own unit.
    """

    key: str
    label: str
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    words: tuple[str, ...]


@dataclass(frozen=True)
class ComparedView:
    """Kinds of importance side by side, the features that matter most to the network first.

    Attributes:
        names: P' features, with a note where the network does not read one.
        series: The kinds.
        hidden: Features that are not drawn.
        spoken: The first features in words.
    """

    names: tuple[str, ...]
    series: tuple[Series, ...]
    hidden: int
    spoken: str


def compared(
    view: AttributionView, method: str, permuted: PermutationImportance | None, found: Associations,
    used: tuple[int, ...], top: int = 14,
) -> ComparedView:  # fmt: skip
    """Return the importances of the ``top`` features side by side; ``permuted`` is None where it is undefined.

    Drawn are the features that are largest in any kind; sorted by the attribution, whose ``method`` is named, then by
    what the data say.
    """
    sizes = np.abs(view.values)
    mean = sizes.mean(0)
    words = tuple(f"{number(float(v))} {view.unit}" for v in mean)
    scaled = [_scaled("attribution", text("whole.series_attribution", method=method), mean, *_bootstrap(sizes), words)]
    if permuted is not None:
        scaled.append(_shuffled(permuted))
    nats = found.information
    told = tuple(
        reason if reason else text("whole.nats", value=number(float(v))) + _ranked(float(r))
        for v, r, reason in zip(nats, found.correlation, found.reasons)
    )
    scaled.append(_scaled("information", text("whole.series_information"), nats, nats, nats, told))
    largest = np.max([np.nan_to_num(s.share) for s in scaled], axis=0)
    chosen = np.argsort(-largest, kind="stable")[:top]
    size, known = np.nan_to_num(mean), np.nan_to_num(nats)
    order = sorted(chosen[largest[chosen] > 0], key=lambda j: (-size[j], -known[j], j))
    names = tuple(view.names[j] if j in used else text("whole.unread", name=view.names[j]) for j in order)
    return _drawn(names, scaled, order, int((largest > 0).sum()) - len(order))


def shuffled_cells(permuted: PermutationImportance, top: int = 14) -> ComparedView:
    """Return the permutation importance of the ``top`` cells of a signal, the most important first."""
    series = _shuffled(permuted)
    order = [int(j) for j in permuted.order[:top] if permuted.value[j] > 0]
    names = tuple(permuted.feature_names[j] for j in order)
    return _drawn(names, [series], order, int((permuted.value != 0).sum()) - len(order))


def surprise_words(surprises: tuple[Surprise, ...], names: tuple[str, ...], most: int = 6) -> tuple[str, ...]:
    """Return what is surprising, a sentence for each feature, ``most`` at most."""
    told = []
    for s in surprises[:most]:
        if s.kind == "silent":
            told.append(text("whole.silent", name=names[s.feature]))
        elif s.stands_in:
            others = ", ".join(names[j] for j in s.stands_in[:3])
            told.append(text("whole.unused_instead", name=names[s.feature], others=others))
        else:
            told.append(text("whole.unused", name=names[s.feature]))
    return tuple(told)


def shared_words(shared: tuple[Shared, ...], names: tuple[str, ...], most: int = 4) -> tuple[str, ...]:
    """Return which used features others repeat, a sentence for each, ``most`` at most."""
    told = []
    for s in shared[:most]:
        others = ", ".join(f"{names[j]} ({signed(r, 2)})" for j, r in zip(s.others[:3], s.correlations))
        if len(s.others) > 3:
            others = text("whole.and_more", names=others, count=len(s.others) - 3)
        told.append(text("whole.shared", name=names[s.feature], others=others))
    return tuple(told)


def _drawn(names: tuple[str, ...], scaled: list[Series], order: list[int], hidden: int) -> ComparedView:
    """Return the kinds of importance of the features in ``order``."""
    series = tuple(
        Series(s.key, s.label, s.share[order], s.low[order], s.high[order], tuple(s.words[j] for j in order))
        for s in scaled
    )
    spoken = "; ".join(
        f"{name}: {', '.join(f'{s.label} {percent(float(s.share[i]))}' for s in series)}"
        for i, name in enumerate(names[:5])
    )
    return ComparedView(names, series, hidden, spoken)


def _shuffled(permuted: PermutationImportance) -> Series:
    half = 1.96 * np.where(np.isfinite(permuted.error), permuted.error, 0.0)
    words = tuple(
        text("whole.drop", metric=permuted.metric, value=signed(float(v), 4), error=number(float(e), 2))
        for v, e in zip(permuted.value, permuted.error)
    )
    value, label = permuted.value, text("whole.series_permutation")
    return _scaled("permutation", label, value, value - half, value + half, words)


def _bootstrap(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval (P,) of mean |φ| over resampled rows."""
    n = len(sizes)
    draws = np.random.default_rng(0).integers(0, n, (RESAMPLES, n))
    means = np.stack([np.bincount(d, minlength=n) for d in draws]) / n @ sizes
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high


def _scaled(
    key: str, label: str, value: np.ndarray, low: np.ndarray, high: np.ndarray, words: tuple[str, ...]
) -> Series:  # fmt: skip
    """Return values as shares of the largest; where none is above 0 there is nothing to compare, and all are 0."""
    largest = float(np.nan_to_num(value).max(initial=0.0))
    scale = 1 / largest if largest > 0 else 0.0
    return Series(key, label, value * scale, low * scale, high * scale, words)


def _ranked(correlation: float) -> str:
    return "" if np.isnan(correlation) else text("whole.correlation", value=signed(correlation, 2))
