"""How well an additive explanation of a single row reproduces what the network does around it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

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
from nas_core.interpretability.cells import absent_rows, cell_words, mixtures
from nas_core.interpretability.intervals import RESAMPLES, interval, resample_counts
from nas_core.interpretability.masks import FOLDS, held_out_scores, shapley_masks
from nas_core.interpretability.per_problem import KEPT, once
from nas_core.interpretability.structure import keep_apart
from nas_core.records import Measurement, Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["LocalAdditiveFidelity"]

FEWEST, MOST, SHARE = 4, 16, 0.06


class LocalAdditiveFidelity(Measure):
    """How well a sum of feature contributions explains single rows: held-out weighted R² of the KernelSHAP fit.

    Around a held-out row, sets of its features (patches, steps, words) are taken away: numbers become their mean over
    the training rows, words the padding. A weighted sum of the present features is fitted to the outputs for 4 of 5
    parts of these sets and judged on the fifth, with the Shapley kernel as weights. The score is the mean over rows of
    R², cut to [0, 1]: 1 where attributions say all there is to say, low where they hide interactions.

    The interval is the 95 % percentile interval over resampled rows; from a single row there is none.

    Source: Ribeiro et al. (2016), arXiv 1602.04938; Lundberg & Lee (2017), arXiv 1705.07874.
    Differs: R² on sets that were not in the fit, by five-fold cross-validation.
    Costs: about 4P + 16 predictions for each of 4 to 16 rows, 6 % of the training.
    """

    name, label, family = "local_additive_fidelity", "Locally additive", "summary"
    settings = MappingProxyType({"rows": MOST, "sets per row": "4 P + 16", "parts": FOLDS, "resamples": RESAMPLES})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks."""
        return needs_training(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the mean held-out R² with its interval; raw = the mean before R² is cut to [0, 1]."""
        if context.signal is not None:
            return [self._of_network(context, k) for k in range(len(context.facts))]
        rows = _masked_rows(context, MOST)
        found = rows.estimates([np.asarray(context.pack.predict(E), float) for E in rows.encoded])
        return [m if facts.pairs or m.value is None else exact(1.0, 1.0) for facts, m in zip(context.facts, found)]

    def _of_network(self, context: MeasureContext, k: int) -> Measurement:
        """Return the measurement of one signal network."""
        facts = context.facts[k]
        if not facts.pairs:
            return exact(1.0, 1.0)
        forwards = affordable(context.known_problem, facts.operations, SHARE)
        count = int(np.clip(forwards // (4 * context.features + 16), FEWEST, MOST))
        rows = _masked_rows(context, count)
        some = rows.encoded[:count]
        outputs = context.outputs(k, some.reshape(-1, some.shape[-1]))
        return rows.estimates(list(outputs.reshape(len(some), 1, some.shape[1], -1)))[0]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return what share is reproduced, and what leaves less to interactions."""
        value = candidate.measurement.value
        if value is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        words = cell_words(candidate.signal)
        state = (
            f"Around single rows, a sum of contributions of {words} reproduces {value:.1%} of the output's variation."
        )
        if value >= 1:
            return Advice(state)
        if candidate.signal is None:
            return Advice(state, "Split groups of features that interact, or make them linear.")
        return Advice(state, keep_apart(candidate))


def _masked_rows(context: MeasureContext, count: int) -> _MaskedRows:
    """Return at least ``count`` masked rows of the problem: all, for every candidate, where they are few numbers."""
    problem, features, owner = context.known_problem, context.features, context.owner
    if MOST * (4 * features + 18) * len(owner) > KEPT:
        return _MaskedRows(problem, features, owner, count)
    return once(problem, "masked rows", lambda: _MaskedRows(problem, features, owner, MOST))


class _MaskedRows:
    """A few held-out rows with sets of their features taken away, and the fits to what comes out.

    Attributes:
        masks: Of each row, m sets.
        encoded: (rows, m + 2, D) each row under its masks; the last two have no feature and all of them.
    """

    def __init__(self, problem: Problem, features: int, owner: np.ndarray, count: int) -> None:
        at = measured_rows(problem, count)
        rows = problem.valid.E[at]
        absent = absent_rows(problem, rows)
        ends = np.array([[False] * features, [True] * features])
        seeds = [derive_seed("masks", problem.spec.split_seed, i) for i in range(len(at))]
        self.masks = [shapley_masks(features, 4 * features + 16, np.random.default_rng(seed)) for seed in seeds]
        sets = len(self.masks[0].folds) + len(ends) if self.masks else 0
        self.encoded = np.empty((len(at), sets, len(owner)), np.result_type(rows, absent))
        for i, masks in enumerate(self.masks):
            self.encoded[i] = mixtures(rows[i], absent[i], np.concatenate([masks.present, ends]), owner)

    def estimates(self, outputs: list[np.ndarray]) -> list[Measurement]:
        """Return the measurements of K candidates from their outputs (K, m + 2, C) per row; the fits are shared."""
        finite = np.all([np.isfinite(o).all((1, 2)) for o in outputs], axis=0)
        scores = []
        for o, masks in zip(outputs, self.masks):
            kept = np.where(finite[:, None, None], o, 0.0)
            scores.append(held_out_scores(kept[:, :-2], kept[:, -2], kept[:, -1], masks))
        return [
            _summary(own) if ok else Measurement(reason="its outputs are not finite numbers")
            for ok, own in zip(finite, np.stack(scores, axis=1))
        ]


def _summary(found: np.ndarray) -> Measurement:
    """Return the mean of a candidate's R² (rows,) with its interval; of one row there is none."""
    kept = np.clip(found, 0.0, 1.0)
    value, raw = float(kept.mean()), float(found.mean())
    if len(kept) < 2:
        return Measurement(value=value, raw=raw)
    low, high = interval(resample_counts(len(kept)) @ kept / len(kept), value)
    return Measurement(value=value, raw=raw, low=low, high=min(1.0, high))
