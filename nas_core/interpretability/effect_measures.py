"""Measures of the trained function: how additive it is, and how simple its main effects are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nas_core.interpretability.base import (
    Advice,
    Measure,
    MeasureContext,
    MeasuredCandidate,
    exact,
    measured_rows,
    needs_training,
)
from nas_core.interpretability.budget import affordable
from nas_core.interpretability.cell_effects import CellResiduals, cell_residuals, other_rows
from nas_core.interpretability.cells import cell_words
from nas_core.interpretability.complexity import MAX_SEGMENTS
from nas_core.interpretability.structure import keep_apart, largest_group
from nas_core.records import Measurement, Verdict, derive_seed

__all__ = ["Additivity", "MainEffectSimplicity"]

RESAMPLES = 200
NOT_FINITE = Measurement(reason="its outputs are not finite numbers")
# Of signals: other rows per explained row, explained rows at least and at most, share of the training time.
OTHERS, FEWEST, MOST, SHARE = 4, 8, 500, 0.15


class Additivity(Measure):
    """How much of the network's behaviour is a sum of effects of single features, patches or steps: 1 − min(1, IAS).

    IAS = Σ(f(x) − f_ALE(x))² / Σ(f(x) − f0)² on fixed held-out rows, where f_ALE is f0 plus the first-order accumulated
    local effects and f is the logit or the regression output. With several classes the logits are centred over the
    classes, and numerator and denominator are summed over them. IAS is 0 when the variance of f is below
    1e-10·(1 + f0²), and exactly 0 when the architecture lets no pair of features interact. IAS can exceed 1; ``raw``
    keeps it.

    The interval is the 95 % percentile interval over 200 resamples of the rows' residuals, with the effects held fixed:
    it holds the noise of averaging over rows, not the noise of estimating the effects.

    Source: Molnar et al. (2019), arXiv 1904.03867; Apley & Zhu (2020), arXiv 1612.08468.
    Differs: patches, steps and words have no order to accumulate over. Their effects are first-order functional-ANOVA
    effects, the mean change when the cell of a row is put into 4 other held-out rows, and products of residuals at
    different other rows replace the square, which the noise of a mean over few rows would make too large. Cells are put
    together as if they were independent: where neighbours go together, the mixtures are unlike the data and a network
    that reacts to edges seems less additive than on the data alone.
    Costs: two forward passes per row and used feature, of the feature's group only. For signals at most 4 predictions
    per row and cell, 12,000 in all and 15 % of the training; costly networks are measured on fewer rows.
    """

    name, label, family = "additivity", "Additive", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks."""
        return needs_training(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − min(1, IAS) with its interval; raw = IAS."""
        if context.signal is not None:
            return [_of_cells(context, k) for k in range(len(context.facts))]
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
        single = cell_words(candidate.signal, 1)
        if not candidate.facts.pairs:
            return Advice(f"The output is exactly a sum of one-{single} effects.")
        if candidate.signal is not None:
            state = f"Effects of single {cell_words(candidate.signal)} leave {min(1.0, ias):.1%} of the variation"
            return Advice(f"{state} to interactions.", keep_apart(candidate) if ias > 0 else "")
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
        """Return that it needs trained networks and features with values in an order."""
        if context.signal is not None:
            return Verdict(
                ok=False, reason=f"{cell_words(context.signal)} have no order, so there are no effect curves"
            )
        return needs_training(context)

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


def _of_cells(context: MeasureContext, k: int) -> Measurement:
    """Return the additivity of one signal network."""
    facts = context.facts[k]
    if not facts.pairs:
        return exact(1.0, 0.0)
    problem, P = context.known_problem, context.features
    forwards = affordable(problem, facts.operations, SHARE)
    at = measured_rows(problem, MOST)
    if len(at) < FEWEST:
        return Measurement(reason=f"it needs {FEWEST} held-out rows, there are {len(at)}")
    pool = problem.valid.E[at]
    chooser = np.random.default_rng(derive_seed("mixed rows", problem.spec.split_seed))
    others = other_rows(len(at), OTHERS, chooser)[: max(FEWEST, forwards // (P * OTHERS))]
    found: CellResiduals = cell_residuals(
        lambda E: context.outputs(k, E), pool[: len(others)], pool, others, context.owner
    )
    if not found.finite:
        return NOT_FINITE
    if not found.varies:
        return exact(1.0, 0.0)
    low, high = _bootstrap(found.residuals[None], found.deviations[None])
    return _estimate(found.interaction_strength, float(low[0]), float(high[0]))


def _estimate(ias: float, low: float, high: float) -> Measurement:
    """Return the measurement of an interaction strength and its interval."""
    value, lowest, highest = (1 - min(1.0, max(0.0, float(strength))) for strength in (ias, high, low))
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
