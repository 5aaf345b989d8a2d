"""How well an additive explanation of a single row reproduces what the network does around it."""

from __future__ import annotations

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
from nas_core.interpretability.masks import held_out_scores, shapley_masks
from nas_core.interpretability.structure import keep_apart
from nas_core.records import Measurement, Verdict, derive_seed

__all__ = ["LocalAdditiveFidelity"]

FEWEST, MOST, SHARE = 4, 16, 0.06
RESAMPLES = 200


class LocalAdditiveFidelity(Measure):
    """How well a sum of feature contributions explains single rows: held-out weighted R² of the KernelSHAP fit.

    Around a held-out row, sets of its features (patches, steps, words) are taken away: numbers become their mean over
    the training rows, words the padding. A weighted sum of the present features is fitted to the outputs for 4 of 5
    parts of these sets and judged on the fifth, with the Shapley kernel as weights. The score is the mean over rows of
    R², cut to [0, 1]: 1 where attributions say all there is to say, low where they hide interactions.

    The interval is the 95 % percentile interval over resampled rows.

    Source: Ribeiro et al. (2016), arXiv 1602.04938; Lundberg & Lee (2017), arXiv 1705.07874.
    Differs: R² on sets that were not in the fit, by five-fold cross-validation.
    Costs: about 4P + 16 predictions for each of 4 to 16 rows, 6 % of the training.
    """

    name, label, family = "local_additive_fidelity", "Locally additive", "summary"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks."""
        return needs_training(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the mean held-out R² with its interval; raw = the mean before R² is cut to [0, 1]."""
        if context.signal is not None:
            return [self._of_network(context, k) for k in range(len(context.facts))]
        rows = _MaskedRows(context, MOST)
        values = [np.asarray(context.pack.predict(E), float) for E in rows.encoded]
        return [
            rows.estimate([v[k] for v in values]) if facts.pairs else exact(1.0, 1.0)
            for k, facts in enumerate(context.facts)
        ]

    def _of_network(self, context: MeasureContext, k: int) -> Measurement:
        """Return the measurement of one signal network."""
        facts = context.facts[k]
        if not facts.pairs:
            return exact(1.0, 1.0)
        forwards = affordable(context.known_problem, facts.operations, SHARE)
        rows = _MaskedRows(context, int(np.clip(forwards // (4 * context.features + 16), FEWEST, MOST)))
        return rows.estimate([context.outputs(k, E) for E in rows.encoded])

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


class _MaskedRows:
    """A few held-out rows with sets of their features taken away, encoded, and the fits to what comes out.

    The last two encoded rows of each have no feature and all of them.
    """

    def __init__(self, context: MeasureContext, count: int) -> None:
        problem = context.known_problem
        at = measured_rows(problem, count)
        E = problem.valid.E[at]
        absent = absent_rows(problem, E)
        ends = np.array([[False] * context.features, [True] * context.features])
        self.masks, self.encoded = [], []
        for i in range(len(at)):
            seed = derive_seed("masks", problem.spec.split_seed, i)
            masks = shapley_masks(context.features, 4 * context.features + 16, np.random.default_rng(seed))
            present = np.concatenate([masks.present, ends])
            self.masks.append(masks)
            self.encoded.append(mixtures(E[i], absent[i], present, context.owner))

    def estimate(self, outputs: list[np.ndarray]) -> Measurement:
        """Return the measurement of one candidate from its outputs (m + 2, C) per row."""
        if not all(np.isfinite(o).all() for o in outputs):
            return Measurement(reason="its outputs are not finite numbers")
        found = np.concatenate(
            [held_out_scores(o[None, :-2], o[None, -2], o[None, -1], m) for o, m in zip(outputs, self.masks)]
        )
        kept = np.clip(found, 0.0, 1.0)
        draws = np.random.default_rng(0).integers(len(kept), size=(RESAMPLES, len(kept)))
        low, high = np.quantile(kept[draws].mean(1), (0.025, 0.975))
        value = float(kept.mean())
        return Measurement(
            value=value, raw=float(found.mean()), low=min(value, float(low)), high=max(value, float(high))
        )
