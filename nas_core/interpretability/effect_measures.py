"""Measures of the trained function: how additive it is, and how simple its main effects are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nas_core.interpretability.base import Advice, Measure, MeasureContext, MeasuredCandidate, exact
from nas_core.interpretability.complexity import MAX_SEGMENTS
from nas_core.interpretability.structure import largest_group
from nas_core.records import Measurement, Verdict

__all__ = ["Additivity", "MainEffectSimplicity"]

RESAMPLES = 200
NOT_FINITE = Measurement(reason="its outputs are not finite numbers")


class Additivity(Measure):
    """How much of the network's behaviour is a sum of one-feature effects: 1 − min(1, IAS).

    IAS = Σ(f(x) − f_ALE(x))² / Σ(f(x) − f0)² on fixed held-out rows, where f_ALE is f0 plus the first-order accumulated
    local effects and f is the logit or the regression output. With several classes the logits are centred over the
    classes, and numerator and denominator are summed over them. IAS is 0 when the variance of f is below
    1e-10·(1 + f0²), and exactly 0 when the architecture lets no pair of features interact. IAS can exceed 1; ``raw``
    keeps it.

    The interval is the 95 % percentile interval over 200 resamples of the rows' residuals, with the effects held fixed:
    it holds the noise of averaging over rows, not the noise of estimating the effects.

    Source: Molnar et al. (2019), arXiv 1904.03867; Apley & Zhu (2020), arXiv 1612.08468.
    Costs: two forward passes per row and used feature, of the feature's group only.
    """

    name, label, family = "additivity", "Additive", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks."""
        return _trained(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − min(1, IAS) with its interval; raw = IAS."""
        effects = context.effects
        low, high = _bootstrap(effects.residuals, effects.deviations)
        return [
            NOT_FINITE if not ok else exact(1.0, 0.0) if not facts.pairs or not varies else _estimate(ias, lo, hi)
            for ok, varies, facts, ias, lo, hi in zip(
                effects.finite, effects.varies, context.facts, effects.interaction_strength, low, high
            )
        ]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the share that interactions explain, and which group to split."""
        ias = candidate.measurement.raw
        if ias is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        if not candidate.facts.pairs:
            return Advice("The output is exactly a sum of one-feature effects.")
        state = f"Main effects leave {min(1.0, ias):.1%} of the output's variation to interactions."
        largest = largest_group(candidate)
        names = ", ".join(candidate.feature_names[j] for j in largest[:3]) + (" …" if len(largest) > 3 else "")
        return Advice(state, f"Split the group of {names}, or make it linear." if largest else "Split a group.")


class MainEffectSimplicity(Measure):
    """How simple the curves of the single features are: 1 − (max(1, MEC) − 1) / 8.

    MEC_j counts the straight segments (at most 5, greedy) that redraw the accumulated effect of feature j to 5 % of its
    variation, plus the segments that are not flat, minus 1: a straight line has 1, a V has 3, a wiggle 9. A category
    counts the levels left after merging similar ones, minus 1. MEC is their mean weighted by the variance V_j of the
    effects: Σ V_j·MEC_j / max(Σ V_j, 0.01·Var f). With several classes all curves of all classes are weighted together.

    Source: Molnar et al. (2019), arXiv 1904.03867.
    Differs: the variance floor, so that a pure interaction is not scored on the noise of effects it does not have.
    Costs: no forward passes beyond those of ``additivity``; the segments are found by prefix sums.
    """

    name, label, family = "main_effect_simplicity", "Simple curves", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks."""
        return _trained(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the score within [0, 1], without an interval; raw = MEC."""
        effects = context.effects
        return [
            Measurement(value=simplicity(float(mec)), raw=float(mec)) if ok else NOT_FINITE
            for ok, mec in zip(effects.finite, effects.complexity)
        ]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the mean complexity, and what makes curves simpler."""
        mec, score = candidate.measurement.raw, candidate.measurement.value
        if mec is None or score is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        state = f"The effect curves have a mean complexity of {mec:.2f}; a straight line has 1."
        if score >= 1:
            return Advice(state)
        return Advice(state, "Make groups linear, use fewer hidden units or layers, or mark features as monotone.")


def simplicity(mec: float) -> float:
    """Return the score of a main effect complexity: 1 for a line or less, 0 from 9 on."""
    return min(1.0, max(0.0, 1 - (max(1.0, mec) - 1) / (2 * MAX_SEGMENTS - 2)))


def _trained(context: MeasureContext) -> Verdict:
    """Return whether there are trained networks to look at."""
    if context.model is None or context.problem is None:
        return Verdict(ok=False, reason="it needs a trained network and held-out rows")
    return Verdict(ok=True, reason="measured on fixed held-out rows")


def _estimate(ias: float, low: float, high: float) -> Measurement:
    """Return the measurement of an interaction strength and its interval."""
    value, lowest, highest = (1 - min(1.0, float(strength)) for strength in (ias, high, low))
    return Measurement(value=value, raw=float(ias), low=min(value, lowest), high=max(value, highest))


def _bootstrap(residuals: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 2.5 % and 97.5 % points (K,) of Σresiduals / Σdeviations over resampled rows; both are (K, N)."""
    weights = _resample_counts(residuals.shape[1])
    bottom = weights @ deviations.T
    ratio = np.divide(weights @ residuals.T, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    low, high = np.quantile(ratio, (0.025, 0.975), axis=0)
    return low, high


@lru_cache(maxsize=8)
def _resample_counts(rows: int) -> np.ndarray:
    """Return how often each row is drawn in each resample (RESAMPLES, N): the same draws for every candidate."""
    draws = np.random.default_rng(0).integers(rows, size=(RESAMPLES, rows))
    flat = draws + rows * np.arange(RESAMPLES)[:, None]
    return np.bincount(flat.ravel(), minlength=RESAMPLES * rows).reshape(RESAMPLES, rows).astype(float)
