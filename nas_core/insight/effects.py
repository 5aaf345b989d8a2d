"""What single options do: mean aims by level of a choice, by the surrogate and as observed, alone and in pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.insight.facets import Facet
from nas_core.insight.importance import Explained
from nas_core.insight.marginals import Answers

__all__ = ["Effect", "LevelEffect", "PairMap", "PartEffect", "effect_of", "pair_map"]

Z = 1.96


@dataclass(frozen=True)
class LevelEffect:
    """One level of a choice.

    Attributes:
        label: The level.
        count: How many candidates have it.
        observed, observed_low, observed_high: Their mean with its 95 % interval (± 1.96 standard errors); NaN intervals
            of fewer than two.
        mean, low, high: The surrogate's mean over everything else, with its 95 % bootstrap interval.
    """

    label: str
    count: int
    observed: float
    observed_low: float
    observed_high: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class PartEffect:
    """What one part of a choice does (one feature of "which features"): mean with it minus mean without it.

    Attributes:
        label: The part.
        count: How many candidates have it.
        change, low, high: In the surrogate's mean over everything else, with its 95 % bootstrap interval.
    """

    label: str
    count: int
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """What a choice does to an aim: level by level, and part by part where it has parts that are there or not."""

    key: str
    label: str
    levels: tuple[LevelEffect, ...]
    parts: tuple[PartEffect, ...]
    undecided: int


@dataclass(frozen=True)
class PairMap:
    """Mean aim for each combination of two choices.

    Attributes:
        labels: The two choices.
        rows, columns: Their levels.
        mean: (r, c) the surrogate's mean over everything else; NaN where a level has no answer that is integrated over.
        count: (r, c) how many candidates have both; 0 is where the surrogate guesses.
    """

    labels: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    mean: np.ndarray
    count: np.ndarray


def effect_of(found: Explained, key: str) -> Effect:
    """Return what each level of the facet ``key`` does.

    The surrogate's mean differs from the observed one where levels go together with other choices: it holds these
    alike. Neither is an experiment.

    Raises:
        SettingsError: No facet of this name varies.
    """
    at = found.place(key)
    facet, answers, values = found.facets[at], found.answers[at], found.forest.values
    curves = np.array([boxes.curve(at) for boxes in found.boxes])
    means = _by_level(curves, answers, len(facet.levels))
    levels = []
    for number, label in enumerate(facet.levels):
        own = values[facet.level == number]
        half = float(Z * own.std(ddof=1) / np.sqrt(len(own))) if len(own) > 1 else float("nan")
        observed = float(own.mean()) if len(own) else float("nan")
        mean, spread = float(means[:, number].mean()), float(Z * means[:, number].std(ddof=1))
        levels.append(LevelEffect(label, len(own), observed, observed - half, observed + half, mean, mean - spread,
                                  mean + spread))  # fmt: skip
    return Effect(key, facet.label, tuple(levels), _parts(facet, answers, curves), int((~facet.decided).sum()))


def pair_map(found: Explained, one: str, other: str) -> PairMap:
    """Return the mean aim for each combination of levels of two facets.

    Raises:
        SettingsError: No facet of one of these names varies.
    """
    p, q = found.place(one), found.place(other)
    first, second = found.facets[p], found.facets[q]
    rows, columns = (_level_weights(found.answers[i], len(found.facets[i].levels)) for i in (p, q))
    surface = np.mean([boxes.surface(p, q) for boxes in found.boxes], axis=0)
    count = np.zeros((len(first.levels), len(second.levels)), dtype=np.int64)
    both = first.decided & second.decided
    np.add.at(count, (first.level[both], second.level[both]), 1)
    return PairMap((first.label, second.label), first.levels, second.levels, rows @ surface @ columns.T, count)


def _level_weights(answers: Answers, levels: int) -> np.ndarray:
    """Return how much each answer counts in each level, (levels, u), rows summing to 1; NaN for an empty level."""
    weights = np.zeros((levels, len(answers.weights)))
    weights[answers.level, np.arange(len(answers.weights))] = answers.weights
    total = weights.sum(axis=1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1.0), np.nan)


def _by_level(curves: np.ndarray, answers: Answers, levels: int) -> np.ndarray:
    """Return the mean of curves (parts, u) in each level, (parts, levels)."""
    found: np.ndarray = curves @ _level_weights(answers, levels).T
    return found


def _parts(facet: Facet, answers: Answers, curves: np.ndarray) -> tuple[PartEffect, ...]:
    """Return the parts that are there or not, the strongest first; none of a choice among options."""
    found = []
    w = answers.weights
    for column, at in enumerate(facet.kept):
        if at >= facet.reader.parts:
            continue
        has = answers.rows[:, column] != 0
        share = float(w @ has)
        if not 0.0 < share < 1.0:
            continue
        change = curves @ (w * has) / share - curves @ (w * ~has) / (1.0 - share)
        mean, half = float(change.mean()), Z * float(change.std(ddof=1))
        count = int((facet.columns[:, column] != 0).sum())
        found.append(PartEffect(facet.names[column], count, mean, mean - half, mean + half))
    return tuple(sorted(found, key=lambda part: -abs(part.change)))
