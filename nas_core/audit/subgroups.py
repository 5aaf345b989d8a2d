"""The worst subgroup: a model can be good on average because it is good for the many and useless for the few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from nas_core.data.featureless import featureless_value
from nas_core.evaluation.performance import metric_values, resample_weights
from nas_core.objectives import metric_objective
from nas_core.records import Estimate, FiniteRecord, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["Subgroup", "Subgroups", "subgroup_skills"]

BINS, FEW_BINS, MANY = 4, 2, 200
SMALLEST, SHARE, OF_EACH_CLASS = 30, 0.02, 5
RESAMPLES = 200
EDGES = (0.025, 0.975)


class Subgroup(FiniteRecord):
    """The skill of a model on some of the rows.

    Attributes:
        name: Which rows, in words ("age ≤ 31", "colour = red", "class b").
        feature: The feature that makes it; −1 for a class.
        rows: How many.
        performance: The metric; of a class the share of its rows that is found.
        skill: The same as a share of the way from ignoring the inputs to perfect, with its 95 % interval.
        lower: True when it is below that of all rows by more than chance explains, after looking at all subgroups.
    """

    name: str
    feature: int
    rows: int
    performance: float
    skill: Estimate
    lower: bool


class Subgroups(FiniteRecord):
    """The skill of a model on every subgroup, the worst first.

    Attributes:
        overall: Skill on all rows, in the same sense.
        metric: Label of what was measured.
        groups: The subgroups.
        ignored: Subgroups that are too small to say anything.
        smallest: Rows that a subgroup needs.
        reason: Why there are none; empty where there are.
        words: What was found.
    """

    overall: Estimate | None
    metric: str
    groups: tuple[Subgroup, ...] = ()
    ignored: int = 0
    smallest: int = SMALLEST
    reason: str = ""
    words: str = ""

    @property
    def worst(self) -> Subgroup | None:
        """The subgroup with the lowest skill."""
        return self.groups[0] if self.groups else None


@dataclass(frozen=True)
class _Rows:
    """A subgroup to be: its name, its feature, and which rows (n,) are in it."""

    name: str
    feature: int
    inside: np.ndarray


def subgroup_skills(problem: Problem, outputs: np.ndarray, *, seed: int = 0) -> Subgroups:
    """Return the skill on subgroups of the validation rows.

    A categorical feature makes one subgroup of each level, a numeric one of each quarter of its values (half, of fewer
    than 200 rows), missing values one of their own. Of images and sequences, whose rows have no columns to divide them
    by, the classes are the subgroups, and the metric is the share of a class that is found. Too few rows, or fewer than
    five of a class, are ignored and counted.

    Errors (of a quantity, and the log loss) are compared with the error of ignoring the inputs on *all* rows: within a
    quarter of a feature that decides, little varies, and any model would seem to explain nothing. Rankings and shares
    of classes are compared within the subgroup; there a quarter of a feature that decides is harder for every model.

    The lowest of many subgroups is low by chance alone. So ``lower`` asks for a difference beyond the two-sided 95 %
    interval after Bonferroni's correction for the number of subgroups.

    Source: guard 6 of the measures (sparse models can fail minorities); Bonferroni (1936) for the correction.
    Costs: 200 resamples of each subgroup.

    Args:
        problem: The problem.
        outputs: (N, C) of the validation rows, as the network gives them.
        seed: Decides the resamples.
    """
    if problem.dataset.signal is not None or problem.P == 0:
        return _by_class(problem, outputs, seed)
    y, metric = problem.valid.target, problem.objective
    smallest = max(SMALLEST, int(np.ceil(SHARE * len(y))))
    judged, overall = problem.judged(outputs), None
    found, ignored = [], 0
    for rows in _divided(problem):
        if not _enough(problem, y[rows.inside], smallest):
            ignored += 1
            continue
        found.append((rows, *_skill(problem, judged[rows.inside], y[rows.inside], seed)))
    if _enough(problem, y, 1):
        overall = _skill(problem, judged, y, seed)[1]
    return _told(found, overall, metric.label, ignored, smallest)


def _by_class(problem: Problem, outputs: np.ndarray, seed: int) -> Subgroups:
    """Return the share of each class that is found, as a skill over guessing one of the classes."""
    if problem.task != "classification":
        reason = "The rows have no columns and no classes to divide them by"
        return Subgroups(overall=None, metric="", reason=reason, words=f"{reason}.")
    y = problem.valid.target
    names, base = problem.dataset.classes, 1.0 / len(problem.dataset.classes)
    predicted = (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1)
    hits = (predicted == y).astype(np.float64)
    found, ignored = [], 0
    for c, name in enumerate(names):
        inside = y == c
        if inside.sum() < SMALLEST:
            ignored += 1
            continue
        rows = _Rows(f"class {name}", -1, inside)
        found.append((rows, *_share(hits[inside], base, derive_seed("class", seed, c))))
    overall = _share(hits, base, derive_seed("class", seed))[1] if len(hits) else None
    return _told(found, overall, "share found", ignored, SMALLEST)


def _share(hits: np.ndarray, base: float, seed: int) -> tuple[float, Estimate, float]:
    """Return the share of hits, its skill over ``base``, and the skill's standard error."""
    draws = np.random.default_rng(seed).integers(len(hits), size=(RESAMPLES, len(hits)))
    value, each = (hits.mean() - base) / (1 - base), (hits[draws].mean(1) - base) / (1 - base)
    low, high = np.quantile(each, EDGES)
    # no error in few rows does not mean that there is none: the rule of three, as a standard error
    error = max(float(each.std(ddof=1)), 1.5 / len(hits))
    return float(hits.mean()), _estimate(value, low, high), error


def _skill(problem: Problem, judged: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, Estimate, float]:
    """Return the metric on some rows, its skill against ignoring the inputs there, and the skill's standard error."""
    metric = metric_objective("mse") if problem.objective.name == "r2" else problem.objective
    classes = len(problem.dataset.classes) if problem.task == "classification" else 0
    whole = y if metric.maximise else problem.valid.target
    base = featureless_value(metric.name, problem.train.target, whole, classes)
    weights = resample_weights(y, classes, RESAMPLES, derive_seed("subgroup", seed, len(y)))
    weights = np.concatenate([np.ones((1, len(y)), weights.dtype), weights])
    values = metric_values(metric.name, y, judged[None], weights)[0]
    skills = np.array([metric.skill(v, base) for v in values])
    values = skills if problem.objective.name == "r2" else values
    low, high = np.quantile(skills[1:], EDGES)
    error = max(float(skills[1:].std(ddof=1)), 1.5 / len(y))
    return float(values[0]), _estimate(skills[0], low, high), error


def _estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=float(value), low=float(min(low, value)), high=float(max(high, value)))


def _enough(problem: Problem, y: np.ndarray, smallest: int) -> bool:
    """Return whether rows with these targets say anything: enough of them, of every class they have, and differing."""
    if len(y) < smallest:
        return False
    if problem.task != "classification":
        return float(np.ptp(y)) > 1e-9 * (1.0 + float(np.abs(y).max()))
    counts = np.bincount(y.astype(np.int64), minlength=len(problem.dataset.classes))
    present = counts[counts > 0]
    return len(present) > 1 and int(present.min()) >= min(OF_EACH_CLASS, smallest)


def _divided(problem: Problem) -> Iterator[_Rows]:
    """Yield the subgroups that the features of a table make of its validation rows."""
    raw = problem.valid.raw
    for j, feature in enumerate(problem.dataset.features):
        column = raw[:, j]
        missing = np.isnan(column)
        if feature.kind == "categorical":
            for code, level in enumerate(feature.levels):
                if (inside := column == code).any():
                    yield _Rows(f"{feature.name} = {level}", j, inside)
        elif not missing.all():
            yield from _quarters(feature.name, j, column)
        if missing.any():
            yield _Rows(f"{feature.name} is missing", j, missing)


def _quarters(name: str, feature: int, column: np.ndarray) -> Iterator[_Rows]:
    """Yield the quarters or halves of a numeric column, fewer where many values are equal; none where all are."""
    known = column[~np.isnan(column)]
    values = np.unique(known)
    if len(values) < 2:
        return
    bins = BINS if len(column) >= MANY else FEW_BINS
    if len(values) <= bins:
        for value in values:
            yield _Rows(f"{name} = {value:.4g}", feature, column == value)
        return
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins, method="lower"))
    edges = edges[edges < values[-1]]
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        inside = ~np.isnan(column)
        inside &= True if low is None else column > low
        inside &= True if high is None else column <= high
        if low is None:
            words = f"{name} ≤ {high:.4g}"
        else:
            words = f"{name} > {low:.4g}" if high is None else f"{low:.4g} < {name} ≤ {high:.4g}"
        yield _Rows(words, feature, inside)


def _told(
    found: list[tuple[_Rows, float, Estimate, float]], overall: Estimate | None, metric: str, ignored: int,
    smallest: int,
) -> Subgroups:  # fmt: skip
    """Return the subgroups in order, the worst first, with what they mean."""
    few = f"{ignored} smaller one{'s' * (ignored != 1)} ignored (fewer than {smallest} rows, or too few of a class)"
    if not found or overall is None:
        reason = f"No subgroup is large enough to say anything: {few}"
        return Subgroups(overall=overall, metric=metric, ignored=ignored, smallest=smallest, reason=reason,
                         words=f"{reason}.")  # fmt: skip
    reach = NormalDist().inv_cdf(1 - 0.025 / len(found))
    groups = [
        Subgroup(name=rows.name, feature=rows.feature, rows=int(rows.inside.sum()), performance=value, skill=skill,
                 lower=skill.value + reach * error < overall.value)
        for rows, value, skill, error in found
    ]  # fmt: skip
    groups.sort(key=lambda g: (g.skill.value, g.name))
    worst, lower = groups[0], sum(g.lower for g in groups)
    words = (
        f"The lowest skill is {worst.skill.value:.2f} ({worst.skill.low:.2f} to {worst.skill.high:.2f}) on the "
        f"{worst.rows} rows with {worst.name}, against {overall.value:.2f} on all rows. "
    )
    if lower:
        words += (
            f"{lower} of {len(groups)} subgroups {'is' if lower == 1 else 'are'} lower than all rows by more than "
            "chance, even after looking at all of them."
        )
    else:
        words += (
            f"The lowest of {len(groups)} subgroups is low by chance alone: none differs from all rows by more than "
            "that."
        )
    return Subgroups(overall=overall, metric=metric, groups=tuple(groups), ignored=ignored, smallest=smallest,
                     words=f"{words} {few[0].upper()}{few[1:]}." if ignored else words)  # fmt: skip
