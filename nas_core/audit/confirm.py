"""How much of a front is luck: the same candidates on other rows, with other seeds, and on rows that nobody has seen.

A search reports the best of many measured values, and the best of many is the luckiest as well (the winner's curse).
Letters: R resamples, K candidates, m losses, N rows, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.evaluation.base import PackProgress, Stop
from nas_core.evaluation.performance import Judge, metric_values, resample_weights
from nas_core.preferences import Preference, interpretability
from nas_core.records import Architecture, Estimate, Evaluation, FiniteRecord, Measurement, Proposal, derive_seed
from nas_core.search.chances import front_probability, interval_draws, possible
from nas_core.search.fronts import hypervolume, non_dominated

if TYPE_CHECKING:
    from nas_core.data.problem import Part, Problem
    from nas_core.explanations.base import Candidate
    from nas_core.spaces.space import SearchSpace

__all__ = [
    "Contender",
    "Fresh",
    "FreshPerformance",
    "SeedSpread",
    "contending",
    "front_probability",
    "judged_fresh",
    "network_outputs",
    "resampled_losses",
    "retrained",
    "seed_spreads",
]

FEWEST, MOST = 200, 1000
NUMBERS = 5_000_000  # weights of rows that are held at once


@dataclass(frozen=True)
class Contender:
    """A candidate that may be on the front.

    Attributes:
        id: Its identity.
        outputs: (N, C) of the validation rows, as its network gives them.
        measures: Its measures, with their intervals.
    """

    id: str
    outputs: np.ndarray
    measures: Mapping[str, Measurement]


class SeedSpread(FiniteRecord):
    """One architecture, trained again with other seeds.

    Attributes:
        trained: How many times it was trained again.
        eligible: How many of these may enter a front; the means are over them.
        performance, interpretability: Means; None where none was eligible.
        performance_sd, interpretability_sd: Standard deviations from seed to seed; None for fewer than two.
        on_front: Share of the seeds in which it is on the front of the candidates trained with that seed.
        reasons: Why some were not eligible.
    """

    trained: int
    eligible: int
    performance: float | None = None
    performance_sd: float | None = None
    interpretability: float | None = None
    interpretability_sd: float | None = None
    on_front: float = 0.0
    reasons: tuple[str, ...] = ()


class FreshPerformance(FiniteRecord):
    """One candidate on rows that the search never saw: the optimistic value it was chosen by, and the honest one."""

    id: str
    validation: Estimate
    fresh: Estimate
    fresh_skill: Estimate
    reason: str = ""


class Fresh(FiniteRecord):
    """A front on fresh rows.

    Attributes:
        rows: How many.
        candidates: One of each front candidate that still predicts.
        hypervolume_validation: What the search believed: of performance and interpretability, reference point 1.
        hypervolume_optimistic: On the fresh rows, of those that are still not dominated.
        hypervolume_pessimistic: On the fresh rows, of those that dominate no other: the worst choice one could make.
    """

    rows: int
    candidates: tuple[FreshPerformance, ...]
    hypervolume_validation: float
    hypervolume_optimistic: float
    hypervolume_pessimistic: float


def network_outputs(candidate: Candidate, rows: np.ndarray) -> np.ndarray:
    """Return the outputs (n, C) of raw rows as the network gives them: logits, or the standardised target."""
    problem = candidate.problem
    return (candidate.predict(rows) - problem.target_mean) / problem.target_sd


def contending(
    performance: np.ndarray, interpretable: np.ndarray, on_front: np.ndarray, *, most: int = 40
) -> np.ndarray:
    """Return the positions of the front and of those that could be on it, the nearest ones first, at most ``most`` + k.

    A candidate off the front could be on it when nobody is better even at its best: the losses at the good ends of its
    intervals are not dominated by those of a front candidate at the bad ends. Whoever is dominated at its best decides
    nothing, and is left out.

    Args:
        performance: (n, 3) losses: low, value, high; NaN for an ineligible candidate.
        interpretable: (n, 3) the same of interpretability.
        on_front: (n,) bool, k of them.
        most: Candidates off the front at most.
    """
    front = np.flatnonzero(on_front)
    bad = np.column_stack([performance[front, 2], interpretable[front, 2]])
    found: list[tuple[float, int]] = []
    values = np.column_stack([performance[:, 1], interpretable[:, 1]])
    may_be = possible(np.column_stack([performance[:, 0], interpretable[:, 0]]), bad) & ~np.isnan(values).any(1)
    for k in np.flatnonzero(may_be & ~on_front):
        behind = np.maximum(0.0, values[k] - values[front])
        found.append((float(behind.max(1).min(initial=np.inf)), int(k)))
    return np.array([*front.tolist(), *(k for _, k in sorted(found)[:most])], dtype=np.int64)


def resampled_losses(
    problem: Problem, contenders: Sequence[Contender], preference: Preference, *, seed: int = 0
) -> np.ndarray:
    """Return the losses (R, K, 2) of performance and interpretability in joint resamples of the validation rows.

    Performance is computed from the predictions, on the same resampled rows for all, so candidates are compared in
    pairs. A measure that is an estimate is drawn from its 95 % interval (a normal with its own width to each side),
    independently of the other candidates; one that is exact stays as it is.

    Differs: measures are not taken again on the resampled rows, which would cost a thousand evaluations; drawing them
    independently makes candidates that are alike change places more often than they would, so chances near the edge
    are cautious.
    """
    y, classes = problem.valid.target, len(problem.dataset.classes) if problem.task == "classification" else 0
    resamples = int(np.clip(NUMBERS // max(1, len(y)), FEWEST, MOST))
    weights = resample_weights(y, classes, resamples, derive_seed("front", seed))
    outputs = problem.judged(np.stack([c.outputs for c in contenders]))
    values = metric_values(problem.objective.name, y, outputs, weights)
    performance = np.vectorize(problem.objective.loss, otypes=[float])(values).T
    names = problem.spec.measures
    rng = np.random.default_rng(derive_seed("measures", seed))
    scores = np.stack([_drawn(c.measures, names, rng.standard_normal((resamples, len(names)))) for c in contenders], 1)
    whole = interpretability(scores.reshape(-1, len(names)), preference.vector(names))
    return np.stack([performance, 1.0 - whole.reshape(resamples, -1)], axis=2)


def retrained(
    problem: Problem,
    space: SearchSpace,
    architectures: Sequence[Architecture],
    *,
    seed: int,
    repeats: int,
    stop: Stop,
    device: str = "auto",
    on_progress: Callable[[int, PackProgress], None] | None = None,
) -> Iterator[tuple[int, list[Evaluation]]]:
    """Yield (number, evaluations) of the architectures trained again, with one other seed after the other.

    Everything is as in the search: packs, guards, measures. A seed that was cancelled half-way is not yielded.
    """
    from nas_core.evaluation.packs import PackEvaluator

    for number in range(repeats):
        if stop.is_set():
            return
        evaluator = PackEvaluator(problem, space, derive_seed("other seed", seed, number), device=device)
        told = None if on_progress is None else (lambda p, n=number: on_progress(n, p))
        proposals = [Proposal(architecture=a) for a in architectures]
        found = list(evaluator.evaluate(proposals, stop=stop, on_progress=told))
        evaluator.take_weights()
        if stop.is_set():
            return
        order = {a.id: at for at, a in enumerate(architectures)}
        yield number, sorted(found, key=lambda e: order[e.id])


def seed_spreads(
    problem: Problem, seeds: Sequence[Sequence[Evaluation]], preference: Preference
) -> dict[str, SeedSpread]:
    """Return how the candidates of several trainings spread, by identity; none where nothing was trained again."""
    names, found = problem.spec.measures, {}
    numbers: dict[str, list[tuple[float, float, bool]]] = {e.id: [] for one in seeds for e in one}
    reasons: dict[str, list[str]] = {key: [] for key in numbers}
    for one in seeds:
        losses = np.array([_losses(problem, e, names, preference) for e in one]).reshape(-1, 2)
        for e, loss, stays in zip(one, losses, non_dominated(losses), strict=True):
            if np.isnan(loss).any() or e.performance is None:
                reasons[e.id].append(e.reason or "its interpretability is undefined")
            else:
                numbers[e.id].append((e.performance.value, 1.0 - float(loss[1]), bool(stays)))
    for key, rows in numbers.items():
        trained = len(rows) + len(reasons[key])
        columns = np.array([row[:2] for row in rows]).reshape(-1, 2)
        mean = columns.mean(0) if len(rows) else (None, None)
        sd = columns.std(0, ddof=1) if len(rows) > 1 else (None, None)
        found[key] = SeedSpread(
            trained=trained, eligible=len(rows), performance=mean[0], interpretability=mean[1], performance_sd=sd[0],
            interpretability_sd=sd[1], on_front=sum(row[2] for row in rows) / trained,
            reasons=tuple(dict.fromkeys(reasons[key])),
        )  # fmt: skip
    return found


def judged_fresh(
    problem: Problem,
    part: Part,
    outputs: Mapping[str, np.ndarray],
    chosen: Sequence[Evaluation],
    preference: Preference,
) -> Fresh:
    """Return what the chosen candidates are worth on rows that no part of the search has seen.

    Args:
        problem: The problem.
        part: The rows.
        outputs: (N, C) of these rows by identity.
        chosen: The front as the search reports it.
        preference: What interpretability is made of; it is not measured again.

    Source: Feurer et al. (2023), on the gap between a front and its generalisation: after measuring again, the points
        that are not dominated make the optimistic front, those that dominate no other the pessimistic one.
    """
    from nas_core.data.featureless import featureless_value

    classes = len(problem.dataset.classes) if problem.task == "classification" else 0
    baseline = featureless_value(problem.objective.name, problem.train.target, part.target, classes)
    judge = Judge(
        problem.objective, part.target, baseline=baseline, classes=classes, seed=problem.spec.split_seed,
        unit=problem.judged,
    )  # fmt: skip
    kept = [e for e in chosen if e.id in outputs and e.performance is not None]
    judged = judge.judge(np.stack([outputs[e.id] for e in kept])) if kept else []
    rows = [
        FreshPerformance(id=e.id, validation=e.performance, fresh=j.performance, fresh_skill=j.skill, reason=j.reason)
        for e, j in zip(kept, judged, strict=True)
        if e.performance is not None
    ]
    before = np.array([_losses(problem, e, problem.spec.measures, preference) for e in kept]).reshape(-1, 2)
    after = before.copy()
    after[:, 0] = [problem.objective.loss(row.fresh.value) for row in rows]
    corner = np.ones(2)
    sound = after[~np.isnan(after).any(1)]
    return Fresh(
        rows=len(part), candidates=tuple(rows), hypervolume_validation=hypervolume(before, corner),
        hypervolume_optimistic=hypervolume(sound, corner),
        hypervolume_pessimistic=hypervolume(sound[non_dominated(-sound)], corner) if len(sound) else 0.0,
    )  # fmt: skip


def _drawn(measures: Mapping[str, Measurement], names: Sequence[str], z: np.ndarray) -> np.ndarray:
    """Return draws (R, M) of the measures, NaN where undefined; ``z`` (R, M) are standard normal numbers."""
    found = np.full(z.shape, np.nan)
    for at, name in enumerate(names):
        m = measures.get(name)
        if m is None or m.value is None:
            continue
        low, high = (m.value if end is None else end for end in (m.low, m.high))
        found[:, at] = interval_draws(np.array(m.value), np.array(low), np.array(high), z[:, at])
    return found


def _losses(problem: Problem, e: Evaluation, names: Sequence[str], preference: Preference) -> tuple[float, float]:
    """Return the losses of performance and interpretability, NaN where the candidate may not enter a front."""
    if not e.eligible or e.performance is None:
        return np.nan, np.nan
    found = [e.measures.get(name) for name in names]
    scores = np.array([[np.nan if m is None or m.value is None else m.value for m in found]])
    whole = float(interpretability(scores, preference.vector(names))[0])
    return problem.objective.loss(e.performance.value), 1.0 - whole
