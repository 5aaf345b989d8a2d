"""Measures of what gradients say about a candidate: how few features, whether methods agree, how stable it is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from types import MappingProxyType

import numpy as np

from nas_core.interpretability.base import Advice, Measure, MeasureContext, MeasuredCandidate, exact
from nas_core.interpretability.cells import cell_words
from nas_core.interpretability.explained_rows import (
    BACKGROUND,
    NODES,
    SMALL,
    ExplainedRows,
    affordable_rows,
    can_be_differentiated,
    small_changes,
)
from nas_core.interpretability.intervals import interval, resample_counts
from nas_core.interpretability.rank_agreement import gini, pair_agreement, rank_correlation, sizes
from nas_core.records import Measurement, Verdict

__all__ = ["AttributionSparsity", "ExplainerAgreement", "ExplanationStability", "mean_score"]

ROWS, STABLE_ROWS, FEWEST, FEWEST_STABLE, DRAWS = 64, 32, 8, 4, 5
# Of the training time of a signal network, at most.
SHARE = 0.04
NOT_FINITE = Measurement(reason="its attributions are not finite numbers")
NO_FEATURE = Measurement(reason="it reads no feature, so there is nothing to explain")
NO_INFLUENCE = Measurement(reason="no feature has any influence on the explained rows")


class AttributionSparsity(Measure):
    """How few features carry the explanation of a single prediction: the Gini index of |φ|, mean over rows.

    φ are integrated gradients of held-out rows, from the mean of 32 training rows, for the logit of the predicted class
    or the regression output. The index is taken over all features, used or not, and scaled by P/(P − 1): 1 when one
    feature has it all, 0 when all have the same. Rows on which no feature has any influence are not counted.

    The interval is the 95 % percentile interval over resampled rows.

    Source: Chalasani et al. (2020), arXiv 1810.06583.
    Differs: scaled, so that 1 can be reached. The gradients are taken with 16 Gauss–Legendre points, which is enough
    for the sizes; a linear fit to masks would need hundreds of predictions per row and gives unused features noise.
    Costs: 16 gradients for each of 64 rows; for signals for 8 to 64 rows, 4 % of the training.
    """

    name, label, family = "attribution_sparsity", "Few features per prediction", "explanation"
    settings = MappingProxyType({"rows": ROWS, "background rows": BACKGROUND, "points of the path": NODES})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs networks with gradients and two features or more."""
        if context.features < 2:
            return Verdict(ok=False, reason="there is a single feature, so there is nothing to spread over")
        return can_be_differentiated(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the mean scaled Gini index with its interval; raw = the same."""
        return [self._of(context, k) for k in range(len(context.facts))]

    def _of(self, context: MeasureContext, k: int) -> Measurement:
        if not context.facts[k].used_features:
            return NO_FEATURE
        count = affordable_rows(context, k, NODES, SHARE, FEWEST, ROWS)
        values = ExplainedRows(context, k, count).integrated
        if not np.isfinite(values).all():
            return NOT_FINITE
        found = gini(values)
        return mean_score(found[np.isfinite(found)], NO_INFLUENCE)

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the index, and what leaves fewer features to a prediction."""
        value = candidate.measurement.value
        if value is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        words = cell_words(candidate.signal)
        one = cell_words(candidate.signal, 1)
        state = (
            f"The influence of {words} on a prediction has a Gini index of {value:.2f}: 0 is the same for all, "
            f"1 all from one {one}."
        )
        if value >= 1:
            return Advice(state)
        if candidate.signal is None:
            return Advice(state, "Drop features with little influence, or let a stronger weight decay shrink them.")
        return Advice(state, "Pool by the maximum or by attention instead of the mean, which gives all places a part.")


class ExplainerAgreement(Measure):
    """Whether explainers agree on which features matter more: max(0, 2·PRA − 1).

    PRA is the share of pairs of used features that two methods put in the same order of |φ|; mean over the three pairs
    of integrated gradients, GradientSHAP and DeepLIFT, then over held-out rows. A pair tied in both counts as agreeing,
    tied in one as half. 0.5 is what a coin gives, so 0 is no better than that. A candidate that uses one feature has no
    pair to disagree on and scores 1.

    The interval is the 95 % percentile interval over resampled rows.

    Source: Krishna et al. (2022), arXiv 2202.01602; Sundararajan et al. (2017), arXiv 1703.01365; Erion et al. (2021),
    arXiv 1906.10670; Shrikumar et al. (2017), arXiv 1704.02685.
    Differs: unused features, on which all methods agree at 0, are left out; baselines are 32 training rows for
    GradientSHAP and their mean for the others.
    Costs: 49 gradients for each of 64 rows; for signals for 8 to 64 rows, 4 % of the training.
    """

    name, label, family = "explainer_agreement", "Explainers agree", "explanation"
    settings = MappingProxyType({"rows": ROWS, "background rows": BACKGROUND, "points of the path": NODES})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs networks with gradients."""
        return can_be_differentiated(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the agreement beyond a coin's with its interval; raw = PRA."""
        return [self._of(context, k) for k in range(len(context.facts))]

    def _of(self, context: MeasureContext, k: int) -> Measurement:
        used = list(context.facts[k].used_features)
        if len(used) < 2:
            return exact(1.0, 1.0) if used else NO_FEATURE
        count = affordable_rows(context, k, NODES + BACKGROUND + 1, SHARE, FEWEST, ROWS)
        methods = [values[:, used] for values in ExplainedRows(context, k, count).by_all_methods]
        if not all(np.isfinite(values).all() for values in methods):
            return NOT_FINITE
        counted = np.any([values.any(1) for values in methods], axis=0)
        ordered = [sizes(values[counted]) for values in methods]
        pairs = [pair_agreement(one, two) for one, two in combinations(ordered, 2)]
        return mean_score(np.mean(pairs, axis=0), NO_INFLUENCE, lambda share: np.clip(2 * share - 1, 0.0, 1.0))

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the share of pairs, and what makes the methods differ less."""
        measurement = candidate.measurement
        if measurement.value is None or measurement.raw is None:
            return Advice(f"Not measured: {measurement.reason}.")
        if len(candidate.facts.used_features) < 2:
            return Advice(f"It reads one {cell_words(candidate.signal, 1)}, so there is no order to disagree on.")
        state = (
            f"Integrated gradients, GradientSHAP and DeepLIFT put two {cell_words(candidate.signal)} in the same order "
            f"of influence in {measurement.raw:.1%} of the cases; a coin would in 50 %."
        )
        return Advice(state, "" if measurement.value >= 1 else _straighter(candidate))


class ExplanationStability(Measure):
    """Whether the explanation stays when the row hardly changes: mean Spearman correlation of |φ(x)| and |φ(x + δ)|.

    δ ~ N(0, (0.05 sd)²) is drawn 5 times for each held-out row and kept when the predicted class stays; a regression
    has no class to keep, so all draws count. Categories and missing values, of which there is no small change, and the
    padding of series stay as they are. φ are integrated gradients of the same output as for ``attribution_sparsity``.
    Features are ranked among those that are used; ties share their mean rank, and an order that is lost altogether
    counts 0. Rows on which nothing has any influence, or whose class changes in all draws, are not counted. A candidate
    that uses one feature has no order to lose and scores 1. Negative means are cut to 0.

    The interval is the 95 % percentile interval over resampled rows.

    Source: Yeh et al. (2019), arXiv 1901.09392; Agarwal et al. (2022), arXiv 2203.06877.
    Differs: unused features are left out, whose ties at 0 would be counted as stability.
    Costs: 6 times 16 gradients for each of 32 rows; for signals for 4 to 32 rows, 4 % of the training.
    """

    name, label, family = "explanation_stability", "Stable explanations", "explanation"
    settings = MappingProxyType({"rows": STABLE_ROWS, "draws": DRAWS, "noise in sd": SMALL})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs networks with gradients and features that can change a little."""
        if context.signal is None and context.problem is not None and not _numbers(context):
            return Verdict(ok=False, reason="all features are categories, which cannot change a little")
        return can_be_differentiated(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the mean correlation within [0, 1] with its interval; raw = before it is cut."""
        return [self._of(context, k) for k in range(len(context.facts))]

    def _of(self, context: MeasureContext, k: int) -> Measurement:
        used = list(context.facts[k].used_features)
        if not used:
            return NO_FEATURE
        if context.signal is None and not _numbers(context) & set(used):
            return Measurement(reason="it reads categories only, which cannot change a little")
        if len(used) < 2:
            return exact(1.0, 1.0)
        count = affordable_rows(context, k, NODES * (1 + DRAWS), SHARE, FEWEST_STABLE, STABLE_ROWS)
        rows = ExplainedRows(context, k, count)
        changed = small_changes(context, rows, k, DRAWS)
        before, after = rows.integrated[:, used], rows.integrated_at(changed)[:, used]
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            return NOT_FINITE
        same = (rows.classes(changed) == np.repeat(rows.classes(rows.E), DRAWS)).reshape(-1, DRAWS)
        found = rank_correlation(np.repeat(sizes(before), DRAWS, axis=0), sizes(after)).reshape(-1, DRAWS)
        counted = before.any(1) & same.any(1)
        none = NO_INFLUENCE
        if before.any():
            none = Measurement(reason="a small change of a row changes the predicted class every time")
        means = (found * same).sum(1)[counted] / same.sum(1)[counted]
        return mean_score(means, none)

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the correlation, and what makes gradients change less."""
        measurement = candidate.measurement
        if measurement.value is None or measurement.raw is None:
            return Advice(f"Not measured: {measurement.reason}.")
        words = cell_words(candidate.signal)
        if len(candidate.facts.used_features) < 2:
            return Advice(f"It reads one {cell_words(candidate.signal, 1)}, so there is no order to lose.")
        state = (
            f"When a row changes by 5 % of a standard deviation, the order of its {words} by influence stays: rank "
            f"correlation {measurement.raw:.3f}."
        )
        return Advice(state, "" if measurement.value >= 1 else _straighter(candidate))


def _straighter(candidate: MeasuredCandidate) -> str:
    """Return what makes the gradient of a network change less from row to row."""
    kinked = candidate.architecture.values.get("activation", "relu") == "relu"
    smoother = ", use a smoother activation than ReLU" if kinked else ""
    if candidate.signal is None:
        return f"Make groups linear{smoother}, or use fewer layers or more weight decay."
    return f"Use fewer layers{smoother}, or pool by the mean instead of the maximum."


def _numbers(context: MeasureContext) -> set[int]:
    """Return the features of a table that are numbers."""
    return {j for j, f in enumerate(context.known_problem.dataset.features) if f.kind != "categorical"}


def _cut(mean: np.ndarray) -> np.ndarray:
    return np.clip(mean, 0.0, 1.0)


def mean_score(
    values: np.ndarray, otherwise: Measurement, score: Callable[[np.ndarray], np.ndarray] = _cut
) -> Measurement:
    """Return the ``score`` of the mean of ``values`` over rows (n,); ``otherwise`` where there are none.

    From a single row there is no interval.
    """
    if not len(values):
        return otherwise
    raw = float(values.mean())
    value = float(score(np.array(raw)))
    if len(values) < 2:
        return Measurement(value=value, raw=raw)
    low, high = interval(score(resample_counts(len(values)) @ values / len(values)), value)
    return Measurement(value=value, raw=raw, low=low, high=high)
