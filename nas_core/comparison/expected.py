"""What architectures that nobody trained are worth: exact where the structure says it, predicted where it does not.

Letters: n evaluated candidates, s architectures asked about, D entries of an encoding, M measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.interpretability import MEASURES
from nas_core.interpretability.base import MeasureContext
from nas_core.preferences import Preference, interpretability
from nas_core.records import Estimate
from nas_core.search.surrogate import Surrogate, normal_scores
from nas_core.spaces.family import facts

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces.space import SearchSpace

__all__ = ["EXACT", "FEWEST", "Evidence", "Expectation", "exact_measures", "expected"]

EXACT = ("feature_parsimony", "interaction_sparsity", "monotone_share", "operation_economy")
"""Measures that the architecture alone decides."""

FEWEST = 8
"""Evaluated candidates below which nothing is predicted."""

NEAREST = 300
"""Evaluated candidates that are learned from, the nearest ones."""

DRAWS = 400
EDGES = (0.025, 0.975)


@dataclass(frozen=True)
class Evidence:
    """What a run has found, candidates that may not enter a front left out.

    Attributes:
        codes: (n, D) encodings.
        performance: (n,) in the unit of the metric.
        measures: (n, M) scores in [0, 1], NaN where undefined, columns ``names``.
    """

    codes: np.ndarray
    performance: np.ndarray
    measures: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Expectation:
    """What one architecture is expected to measure.

    Attributes:
        performance: Median and 95 % interval of its next measurement, noise included; None with too little evidence.
        interpretability: The same of the weighted mean of the measures.
        exact: The measures that are no prediction, by name.
        learned_from: Evaluated candidates behind the predictions.
        on_front: Chance that no candidate of the evidence dominates its next measurement; None where one of the two
            predictions is missing.
        skill: Spearman correlation of predicted and measured performance on a fifth of these that was held out; None
            for fewer than 50.
    """

    performance: Estimate | None
    interpretability: Estimate | None
    exact: dict[str, float]
    learned_from: int
    skill: float | None
    on_front: float | None = None


def exact_measures(
    space: SearchSpace, architectures: Sequence[Architecture], names: Sequence[str]
) -> list[dict[str, float]]:
    """Return those of the measures ``names`` that the structure decides, of each architecture."""
    if not architectures:
        return []
    context = MeasureContext(space, architectures, [facts(space, a) for a in architectures])
    found: list[dict[str, float]] = [{} for _ in architectures]
    for name in (n for n in names if n in EXACT and MEASURES[n].applies_to(context).ok):
        for at, score in enumerate(MEASURES[name].score(context)):
            if score.value is not None:
                found[at][name] = score.value
    return found


def expected(
    space: SearchSpace, architectures: Sequence[Architecture], evidence: Evidence, preference: Preference, *,
    seed: int = 0, maximise: bool = True,
) -> list[Expectation]:  # fmt: skip
    """Return what each of s architectures is expected to measure, by Gaussian processes over the encodings.

    Structural measures are computed. The others and performance are predicted by ``nas_core.search.surrogate`` from the
    300 nearest candidates, one surrogate each; draws from its normal scores are read back through the values that were
    measured, so no prediction lies outside what the run has seen.

    Args:
        space: The search space.
        architectures: What is asked about.
        evidence: What was found.
        preference: The weights of the measures.
        seed: Of the draws.
        maximise: Whether larger performance is better.

    Differs from a joint model: measures are drawn independently of one another, so the interval of interpretability
    is too narrow where they fail together.
    Costs: 12 factorisations of at most 300 rows for performance and for each predicted measure.
    """
    known = exact_measures(space, architectures, evidence.names)
    if len(evidence.performance) < FEWEST or not architectures:
        return [Expectation(None, None, exact, len(evidence.performance), None) for exact in known]
    codes = np.stack([space.encode(a) for a in architectures])
    near = _nearest(evidence.codes, codes)
    X, performance, measures = evidence.codes[near], evidence.performance[near], evidence.measures[near]
    rng = np.random.default_rng(seed)
    drawn = _draws(X, performance, codes, rng)
    scores = np.full((len(codes), DRAWS, len(evidence.names)), np.nan)
    for at, name in enumerate(evidence.names):
        told = np.array([k.get(name, np.nan) for k in known])
        defined = ~np.isnan(measures[:, at])
        if not np.isnan(told).any():
            scores[:, :, at] = told[:, None]
        elif defined.sum() >= FEWEST:
            scores[:, :, at] = _draws(X[defined], measures[defined, at], codes, rng)
    weights = preference.vector(evidence.names)
    whole = interpretability(scores.reshape(-1, len(evidence.names)), weights).reshape(len(codes), DRAWS)
    skill = _held_out_skill(X, performance, rng)
    present = np.column_stack([evidence.performance, interpretability(evidence.measures, weights)])
    sign = np.array([1.0 if maximise else -1.0, 1.0])
    return [
        Expectation(
            _estimate(drawn[i]), _estimate(whole[i]), known[i], len(near), skill,
            _undominated(sign * np.column_stack([drawn[i], whole[i]]), sign * present),
        )
        for i in range(len(codes))
    ]  # fmt: skip


def _undominated(draws: np.ndarray, present: np.ndarray) -> float | None:
    """Return the share of ``draws`` (d, 2) that no row of ``present`` (n, 2) dominates, larger being better."""
    if np.isnan(draws).any():
        return None
    present = present[~np.isnan(present).any(axis=1)]
    dominated = [bool(((present >= d).all(axis=1) & (present > d).any(axis=1)).any()) for d in draws]
    return 1.0 - sum(dominated) / len(draws)


def _nearest(codes: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the positions (at most 300) of the candidates nearest to any of the architectures asked about."""
    if len(codes) <= NEAREST:
        return np.arange(len(codes))
    squared = (codes**2).sum(1)[:, None] + (asked**2).sum(1)[None, :] - 2.0 * codes @ asked.T
    return np.sort(np.argsort(squared.min(axis=1), kind="stable")[:NEAREST])


def _draws(X: np.ndarray, values: np.ndarray, asked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return draws (s, DRAWS) of what the next measurement of each architecture is."""
    if np.ptp(values) == 0.0:
        return np.full((len(asked), DRAWS), values[0])
    believed = Surrogate(X, values[:, None]).posterior(asked)
    sd = np.sqrt(believed.variance[:, 0] + believed.noise[0])
    z = believed.mean[:, :1] + sd[:, None] * rng.standard_normal(DRAWS)[None, :]
    order = np.argsort(values, kind="stable")
    found: np.ndarray = np.interp(z, normal_scores(values)[order], values[order])
    return found


def _held_out_skill(X: np.ndarray, values: np.ndarray, rng: np.random.Generator) -> float | None:
    """Return how well the order of a held-out fifth is predicted from the rest; None where nothing has an order."""
    from nas_core.interpretability.rank_agreement import rank_correlation

    if len(values) < 50:
        return None
    order = rng.permutation(len(values))
    held, rest = order[: len(values) // 5], order[len(values) // 5 :]
    if np.ptp(values[held]) == 0.0 or np.ptp(values[rest]) == 0.0:
        return None
    guess = Surrogate(X[rest], values[rest, None]).mean(X[held])[:, 0]
    return float(rank_correlation(guess[None], values[held][None])[0])


def _estimate(draws: np.ndarray) -> Estimate | None:
    if np.isnan(draws).any():
        return None
    low, middle, high = np.quantile(draws, (EDGES[0], 0.5, EDGES[1]))
    return Estimate(value=float(middle), low=float(low), high=float(high))
