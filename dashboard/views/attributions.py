"""Attributions as pictures need them: beeswarm offsets, waterfall steps, importance with intervals, shape functions.

Units: attributions are on the scale of the model's output, log-odds for a classifier, the target's unit for a
regression (of its transform, where the network was trained on one). Letters: n explained rows, P features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.refit_bands import RefitBand
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.data import Dataset, FeatureSpec
    from nas_core.explanations import Attribution, ShapeFunction

__all__ = [
    "AttributionView",
    "Beeswarm",
    "Importance",
    "ShapeView",
    "Swarm",
    "Waterfall",
    "WaterfallStep",
    "attribution_view",
    "beeswarm",
    "importance",
    "probabilities",
    "shape_views",
    "value_words",
    "waterfall",
]

BINS = 60
RESAMPLES = 200


@dataclass(frozen=True)
class AttributionView:
    """The attributions of one output of one candidate.

    Attributes:
        values: Attributions, (n, P).
        data: Feature values of the explained rows, (n, P); NaN = missing.
        texts: The same values as a person reads them, n tuples of P.
        rows: Row numbers in the data set, (n,).
        base: Mean output over the background rows.
        residual: Largest absolute difference between base + sum of attributions and the model's output.
        output: Name of the explained output.
        unit: "log-odds" or the target's name.
        method, reason: How they were computed, and why this method applies.
        seconds: Time it took.
    """

    names: tuple[str, ...]
    values: np.ndarray
    data: np.ndarray
    texts: tuple[tuple[str, ...], ...]
    rows: np.ndarray
    base: float
    residual: float
    output: str
    unit: str
    method: str
    reason: str
    seconds: float

    def position(self, row: int) -> int:
        """Return where data-set row ``row`` stands among the explained rows; 0 when it was not explained."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if found.size else 0

    def order(self) -> np.ndarray:
        """Return the feature indices by falling mean absolute attribution; ties by index."""
        return np.argsort(-np.abs(self.values).mean(axis=0), kind="stable")


@dataclass(frozen=True)
class Swarm:
    """One line of a beeswarm: attribution ``x``, offset in [-0.4, 0.4], colour in [0, 1] (NaN where missing)."""

    name: str
    x: np.ndarray
    offset: np.ndarray
    colour: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Beeswarm:
    """Lines from the most important feature to the least, and how many features are not shown."""

    swarms: tuple[Swarm, ...]
    rows: np.ndarray
    hidden: int
    unit: str


@dataclass(frozen=True)
class Importance:
    """Mean absolute attribution per feature with its 95 % bootstrap interval over the rows, largest first."""

    names: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unit: str


@dataclass(frozen=True)
class WaterfallStep:
    """One bar of a waterfall, from ``start`` to ``end``; ``text`` is the feature's value in this row."""

    name: str
    text: str
    start: float
    end: float

    @property
    def change(self) -> float:
        """Signed length of the bar."""
        return self.end - self.start


@dataclass(frozen=True)
class Waterfall:
    """From ``base``, named ``start``, to this row's output ``total``: smallest steps first, joined where many."""

    row: int
    base: float
    total: float
    steps: tuple[WaterfallStep, ...]
    output: str
    unit: str
    start: str


@dataclass(frozen=True)
class ShapeView:
    """What an additive model adds for one feature, as a function of its value.

    Attributes:
        x: Values of the feature (numeric), or level positions 0 … L−1.
        y: Contribution at ``x``, centred on the background rows.
        levels: Names of the levels of a categorical feature; empty when numeric.
        edges, counts: Histogram of the training values, (Q + 1,) and (Q,); per level and no edges for a category.
        missing: Contribution of a missing value; None where there are none.
        mark: +1 or −1 where the architecture certifies that direction, 0 otherwise.
        refits: The band over refits; None where nothing was trained again.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    levels: tuple[str, ...]
    edges: np.ndarray
    counts: np.ndarray
    missing: float | None
    mark: int
    unit: str
    refits: RefitBand | None = None


def attribution_view(attribution: Attribution, output: int, rows: np.ndarray, dataset: Dataset) -> AttributionView:
    """Return the view of one output of an attribution of the data-set rows ``rows``."""
    one = attribution.output(output)
    texts = tuple(tuple(value_words(v, f) for v, f in zip(row, dataset.features)) for row in one.data)
    unit = one.output_names[0] if dataset.task == "regression" else text("shap.log_odds")
    unit = text("explain.per_sd", unit=unit) if one.unit == "slope" else unit
    return AttributionView(
        one.feature_names, one.values[:, :, 0], one.data, texts, np.asarray(rows), float(one.base[0]), one.residual,
        one.output_names[0], unit, one.method, one.reason, one.seconds,
    )  # fmt: skip


def value_words(value: float, feature: FeatureSpec) -> str:
    """Return the value of a feature as a person reads it: a number, the name of a category, or "missing"."""
    if np.isnan(value):
        return text("shap.missing")
    if feature.kind == "categorical":
        code = int(value)
        return feature.levels[code] if 0 <= code < len(feature.levels) else str(code)
    return number(float(value))


def shape_views(
    shapes: Sequence[ShapeFunction],
    output: int,
    certified: Mapping[int, int],
    unit: str,
    refits: Mapping[int, RefitBand] | None = None,
) -> tuple[ShapeView, ...]:
    """Return the views of shape functions for one output; ``certified`` maps features to a promised direction.

    ``refits`` maps features to their bands over refits.
    """
    bands = refits or {}
    return tuple(
        ShapeView(
            s.name, np.arange(len(s.grid)) if s.levels else s.grid, s.effect[:, output], s.levels, s.edges, s.counts,
            None if s.missing is None else float(s.missing[output]), certified.get(s.feature, 0), unit,
            bands.get(s.feature),
        )
        for s in shapes
    )  # fmt: skip


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return class probabilities (n, classes) of logits (n, C); one logit stands for two classes."""
    logits = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def beeswarm(view: AttributionView, top: int = 12) -> Beeswarm:
    """Return the beeswarm of the ``top`` features that have any influence."""
    order = [j for j in view.order() if np.any(view.values[:, j] != 0.0)]
    span = float(np.ptp(view.values)) if view.values.size else 0.0
    swarms = tuple(
        Swarm(
            view.names[j],
            view.values[:, j],
            swarm_offsets(view.values[:, j], span),
            colour_shares(view.data[:, j]),
            tuple(row[j] for row in view.texts),
        )
        for j in order[:top]
    )
    return Beeswarm(swarms, view.rows, max(0, len(order) - top), view.unit)


def swarm_offsets(x: np.ndarray, span: float, bins: int = BINS) -> np.ndarray:
    """Return offsets in [-0.4, 0.4] that spread rows with nearly the same ``x``: alternating sides, dense bins wider.

    Deterministic, so that the same rows are always drawn at the same place.
    """
    offsets = np.zeros(len(x))
    if span <= 0.0 or len(x) < 2:
        return offsets
    cell = np.floor((x - x.min()) / span * bins).astype(int)
    rank = np.zeros(len(x), dtype=int)
    seen: dict[int, int] = {}
    for i, c in enumerate(cell):
        rank[i] = seen.get(int(c), 0)
        seen[int(c)] = rank[i] + 1
    side = np.where(rank % 2 == 0, 1.0, -1.0) * ((rank + 1) // 2)
    return 0.4 * (side / max(8.0, np.abs(side).max()))


def colour_shares(values: np.ndarray) -> np.ndarray:
    """Return where each value lies between the 5th (0) and 95th (1) percentile, clipped; 0.5 when all are equal."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return np.full(len(values), np.nan)
    low, high = np.percentile(known, [5, 95])
    if low == high:
        low, high = known.min(), known.max()
    if low == high:
        return np.where(np.isfinite(values), 0.5, np.nan)
    # clipped before it is divided: an outlier over a span of 1e-300 would overflow
    return np.clip((np.clip(values, low, high) - low) / (high - low), 0.0, 1.0)


def importance(view: AttributionView, top: int = 12) -> Importance:
    """Return mean |attribution| of the ``top`` features with percentile bootstrap intervals over the rows."""
    order = [j for j in view.order() if np.any(view.values[:, j] != 0.0)][:top]
    size = np.abs(view.values[:, order])
    n = len(size)
    draws = np.random.default_rng(0).integers(0, n, (RESAMPLES, n))
    counts = np.stack([np.bincount(d, minlength=n) for d in draws]) / n
    means = counts @ size
    low, high = np.percentile(means, [2.5, 97.5], axis=0) if order else (np.empty(0), np.empty(0))
    return Importance(tuple(view.names[j] for j in order), size.mean(axis=0), low, high, view.unit)


def waterfall(
    view: AttributionView, position: int, top: int = 9, *, start: str = "shap.mean_output", others: str = "shap.others"
) -> Waterfall:
    """Return the waterfall of the row at ``position``: the smallest features joined, then one step per feature.

    The steps add up exactly: base + Σ changes = total. ``start`` and ``others`` are the texts for where it begins and
    for the features joined.
    """
    phi = view.values[position]
    texts = view.texts[position]
    order = [j for j in np.argsort(-np.abs(phi), kind="stable") if phi[j] != 0.0]
    shown, rest = order[:top], order[top:]
    if len(rest) == 1:
        shown, rest = order, []
    changes: list[tuple[str, str, float]] = []
    if rest:
        changes.append((text(others, count=len(rest)), "", float(phi[rest].sum())))
    changes += [(view.names[j], texts[j], float(phi[j])) for j in reversed(shown)]
    return Waterfall(
        int(view.rows[position]), view.base, view.base + sum(c for _, _, c in changes), _steps(view.base, changes),
        view.output, view.unit, text(start, value=f"{view.base:.3g}"),
    )  # fmt: skip


def _steps(base: float, changes: Sequence[tuple[str, str, float]]) -> tuple[WaterfallStep, ...]:
    steps = []
    at = base
    for name, words, change in changes:
        steps.append(WaterfallStep(name, words, at, at + change))
        at += change
    return tuple(steps)
