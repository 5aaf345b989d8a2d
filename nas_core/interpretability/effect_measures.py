"""Measures of the trained function: how additive it is, and how simple its main effects are."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nas_core.interpretability.base import (
    MAX_ROWS,
    Advice,
    Measure,
    MeasureContext,
    MeasuredCandidate,
    exact,
    measured_rows,
    needs_training,
)
from nas_core.interpretability.budget import MOST_PREDICTIONS, affordable
from nas_core.interpretability.cell_effects import CellMixtures, other_rows
from nas_core.interpretability.cells import cell_words
from nas_core.interpretability.complexity import MAX_SEGMENTS, TOLERANCE
from nas_core.interpretability.effect_noise import REDRAWS, STUDENT, complexity_draws, strength_influence
from nas_core.interpretability.effects import Effects
from nas_core.interpretability.grid import MAX_CELLS
from nas_core.interpretability.intervals import interval, resample_counts
from nas_core.interpretability.per_problem import once
from nas_core.interpretability.structure import keep_apart, largest_group
from nas_core.records import Measurement, Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["Additivity", "MainEffectSimplicity", "additivity_of", "simplicity_of"]

# Resamples of a linear statistic are cheap, and the ends of its interval are steadier for it.
LINEAR_RESAMPLES = 1000
NOT_FINITE = Measurement(reason="its outputs are not finite numbers")
# Rows at least; of signals: other rows per explained row, explained rows at most, share of the training time.
FEWEST, OTHERS, MOST, SHARE = 8, 4, 500, 0.15


class Additivity(Measure):
    """How much of the network's behaviour is a sum of effects of single features, patches or steps: 1 − min(1, IAS).

    IAS = Σ(f(x) − f_ALE(x))² / Σ(f(x) − f0)² on fixed held-out rows, where f_ALE is f0 plus the first-order accumulated
    local effects and f is the logit or the regression output. With several classes the logits are centred over the
    classes, and numerator and denominator are summed over them. IAS is 0 when the variance of f is below
    1e-10·(1 + f0²), and exactly 0 when the architecture lets no pair of features interact. IAS can exceed 1; ``raw``
    keeps it.

    The interval is the 95 % percentile interval over 1,000 resamples of the rows. What a row adds to IAS, through its
    own residual and through the cell means that all effects are summed from, is linearised: a resample costs one sum,
    and the noise of the effects is in it. In 200 simulated data sets each of 500 or 2,000 rows it held the large-sample
    value in 92 to 96 % for three functions of independent features; for correlated normal ones in 87 and 94 %, since
    few rows in the tails carry much of it (tests/bench/interval_coverage.py). Of signals the effects are held fixed:
    the interval has the noise of averaging over rows only.

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
    settings = MappingProxyType(
        {"rows": MAX_ROWS, "cells": MAX_CELLS, "resamples": LINEAR_RESAMPLES, "other rows": OTHERS}
    )

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks."""
        return needs_training(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − min(1, IAS) with its interval; raw = IAS."""
        if context.signal is not None:
            return [_of_cells(context, k) for k in range(len(context.facts))]
        found = additivity_of(context.effects)
        # Where nothing can interact, what is measured is the rounding of the grid.
        return [
            exact(1.0, 0.0) if finite and not facts.pairs else m
            for finite, facts, m in zip(context.effects.finite, context.facts, found)
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

    The interval is MEC ± 2.26 standard deviations over 10 redrawn sets of curves (Student's t): rows get other weights,
    and the steps of the curves the noise that this puts on the means of their cells.

    Source: Molnar et al. (2019), arXiv 1904.03867.
    Differs: the variance floor, so that a pure interaction is not scored on the noise of effects it does not have.
    Costs: no forward passes beyond those of ``additivity``. The segments are found by prefix sums, once for the value
    and ten times for the interval.
    """

    name, label, family = "main_effect_simplicity", "Simple curves", "structure"
    settings = MappingProxyType(
        {"rows": MAX_ROWS, "cells": MAX_CELLS, "segments": MAX_SEGMENTS, "tolerance": TOLERANCE, "redraws": REDRAWS}
    )

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks and features with values in an order."""
        if context.signal is not None:
            return Verdict(
                ok=False, reason=f"{cell_words(context.signal)} have no order, so there are no effect curves"
            )
        return needs_training(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the score within [0, 1] with its interval; raw = MEC."""
        return simplicity_of(context.effects)

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the mean complexity, and what makes curves simpler."""
        mec, score = candidate.measurement.raw, candidate.measurement.value
        if mec is None or score is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        state = f"The effect curves have a mean complexity of {mec:.2f}; a straight line has 1."
        if score >= 1:
            return Advice(state)
        return Advice(state, "Make groups linear, use fewer hidden units or layers, or mark features as monotone.")


def additivity_of(effects: Effects) -> list[Measurement]:
    """Return the additivity (K) of functions whose effects are known, with its interval; raw = IAS."""
    N = effects.deviations.shape[1]
    if N < FEWEST:
        return [_too_few(N)] * len(effects.finite)
    draws = (
        effects.interaction_strength[:, None]
        + strength_influence(effects) @ (resample_counts(N, LINEAR_RESAMPLES) - 1).T
    )
    return [
        NOT_FINITE if not ok else exact(1.0, 0.0) if not varies else _estimate(float(ias), *interval(own, float(ias)))
        for ok, varies, ias, own in zip(effects.finite, effects.varies, effects.interaction_strength, draws)
    ]


def simplicity_of(effects: Effects) -> list[Measurement]:
    """Return the main effect simplicity (K) of functions whose effects are known, with its interval; raw = MEC."""
    N = effects.deviations.shape[1]
    if N < FEWEST or not len(effects.finite):
        return [_too_few(N)] * len(effects.finite)
    margin = STUDENT * complexity_draws(effects).std(0, ddof=1)
    return [
        Measurement(value=simplicity(mec), raw=mec, low=simplicity(mec + d), high=simplicity(mec - d))
        if ok
        else NOT_FINITE
        for ok, mec, d in zip(effects.finite, effects.complexity.tolist(), margin.tolist())
    ]


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
        return _too_few(len(at))
    mixed = once(problem, "mixed rows", lambda: _mixtures(problem, at, context.owner))
    found = mixed.residuals(context.quick_network(k).outputs, max(FEWEST, forwards // (P * OTHERS)))
    if not found.finite:
        return NOT_FINITE
    if not found.varies:
        return exact(1.0, 0.0)
    counts = resample_counts(len(found.deviations))
    bottom = counts @ found.deviations
    draws = np.divide(counts @ found.residuals, bottom, out=np.full(len(bottom), np.nan), where=bottom > 0)
    return _estimate(found.interaction_strength, *interval(draws, found.interaction_strength))


def _mixtures(problem: Problem, at: np.ndarray, owner: np.ndarray) -> CellMixtures:
    """Return the mixtures of the rows ``at`` with each other, of as many rows as any candidate is measured on."""
    pool = problem.valid.E[at]
    chooser = np.random.default_rng(derive_seed("mixed rows", problem.spec.split_seed))
    most = max(FEWEST, MOST_PREDICTIONS // (problem.P * OTHERS))
    return CellMixtures(pool[:most], pool, other_rows(len(at), OTHERS, chooser)[:most], owner)


def _too_few(rows: int) -> Measurement:
    """Return that so few rows say nothing."""
    return Measurement(reason=f"it needs {FEWEST} held-out rows, there are {rows}")


def _estimate(ias: float, low: float, high: float) -> Measurement:
    """Return the measurement of an interaction strength and its interval."""
    value, lowest, highest = (1 - min(1.0, max(0.0, float(strength))) for strength in (ias, high, low))
    return Measurement(value=value, raw=float(ias), low=min(value, lowest), high=max(value, highest))
