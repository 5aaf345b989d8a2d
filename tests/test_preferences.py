"""Preferences: what is refused, and the properties of the two numbers made from them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_core.errors import SettingsError
from nas_core.preferences import STRUCTURE_MEASURES, Preference, interpretability, tchebycheff

unit = st.floats(0.0, 1.0)
scores = arrays(np.float64, st.tuples(st.integers(1, 6), st.just(4)), elements=unit)
weights = arrays(np.float64, 4, elements=st.floats(0.01, 1.0))


@pytest.mark.parametrize("weight", [-0.01, 1.01, math.nan, math.inf, "half", True, None, [0.5]])
def test_a_weight_outside_the_unit_interval_is_refused(weight: Any) -> None:
    with pytest.raises(SettingsError, match=r"The weight of interpretability λ is .*from 0 .* to 1"):
        Preference(weight=weight)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "much", None])
def test_a_measure_weight_that_is_no_share_is_refused(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"The weight of the measure 'additivity' is .*zero or more"):
        Preference(measures={"feature_parsimony": 1.0, "additivity": value})


@pytest.mark.parametrize("measures", [{"additivity": 0.0}, {"additivity": 0, "monotone_share": 0}])
def test_weights_that_are_all_zero_are_refused(measures: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=r"weights of all measures are zero.*at least one"):
        Preference(measures=measures)


def test_measure_weights_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"measure weights are .*a mapping"):
        Preference(measures=["additivity"])


def test_a_weight_for_a_measure_that_is_not_measured_is_refused() -> None:
    preference = Preference(measures={"additivity": 1.0, "beauty": 2.0})
    with pytest.raises(SettingsError, match=r"weight for 'beauty', which is not measured here.*additivity"):
        preference.vector(["additivity", "monotone_share"])


def test_a_zero_weight_for_an_unknown_measure_is_no_harm() -> None:
    assert Preference(measures={"additivity": 1.0, "beauty": 0.0}).vector(["additivity"]).tolist() == [1.0]


def test_by_default_all_structural_measures_count_alike_in_the_middle() -> None:
    preference = Preference()
    assert preference.weight == 0.5
    assert preference.vector(STRUCTURE_MEASURES) == pytest.approx([1 / 6] * 6)


@given(unit, st.dictionaries(st.sampled_from(STRUCTURE_MEASURES), st.floats(1e-3, 1e3), min_size=1))
def test_weights_sum_to_one_and_survive_json(weight: float, measures: dict[str, float]) -> None:
    preference = Preference(weight=weight, measures=measures)
    assert math.fsum(preference.measures.values()) == pytest.approx(1.0)
    assert Preference.model_validate(json.loads(preference.model_dump_json())) == preference


def test_vector_follows_the_order_of_the_names() -> None:
    preference = Preference(measures={"additivity": 1.0, "monotone_share": 3.0})
    assert preference.vector(["monotone_share", "operation_economy", "additivity"]).tolist() == [0.75, 0.0, 0.25]


def test_the_mean_of_a_known_candidate() -> None:
    expected = ((0.01 + 0.5) / 1.01) ** 0.25 * ((0.01 + 0.8) / 1.01) ** 0.75
    assert interpretability(np.array([[0.5, 0.8]]), np.array([1.0, 3.0])) == pytest.approx([expected])


@given(scores, weights)
def test_the_mean_lies_between_the_extremes_and_is_one_for_perfection(scores: np.ndarray, weights: np.ndarray) -> None:
    mean = interpretability(scores, weights)
    low, high = ((0.01 + s) / 1.01 for s in (scores.min(axis=1), scores.max(axis=1)))
    assert (mean >= low - 1e-12).all()
    assert (mean <= high + 1e-12).all()
    assert interpretability(np.ones((1, 4)), weights) == pytest.approx([1.0])


@given(scores, weights, st.integers(0, 3), st.floats(0.0, 1.0))
def test_a_better_score_never_lowers_the_mean(scores: np.ndarray, weights: np.ndarray, at: int, by: float) -> None:
    better = scores.copy()
    better[:, at] += by * (1.0 - better[:, at])
    assert (interpretability(better, weights) >= interpretability(scores, weights) - 1e-12).all()


@given(scores, weights, st.integers(0, 3))
def test_an_undefined_measure_leaves_the_mean_of_the_others(scores: np.ndarray, weights: np.ndarray, at: int) -> None:
    gap = scores.copy()
    gap[:, at] = np.nan
    without = interpretability(np.delete(scores, at, axis=1), np.delete(weights, at))
    assert interpretability(gap, weights) == pytest.approx(without)


def test_without_any_defined_weighted_measure_there_is_no_mean() -> None:
    mean = interpretability(np.array([[np.nan, 0.5], [0.5, np.nan]]), np.array([1.0, 0.0]))
    assert np.isnan(mean).tolist() == [True, False]
    assert interpretability(np.empty((0, 2)), np.ones(2)).shape == (0,)


def test_one_useless_measure_is_not_bought_off_by_a_perfect_one() -> None:
    balanced, lopsided = interpretability(np.array([[0.5, 0.5], [1.0, 0.0]]), np.ones(2))
    assert lopsided < 0.25 * balanced


def test_the_scalar_of_a_known_candidate() -> None:
    assert tchebycheff(np.array([[0.2, 0.6]]), 0.25) == pytest.approx([0.15 + 0.05 * 0.3])


@given(arrays(np.float64, (5, 2), elements=unit), unit, arrays(np.float64, (5, 2), elements=unit))
def test_a_dominating_candidate_never_scores_worse(losses: np.ndarray, weight: float, more: np.ndarray) -> None:
    worse = losses + more
    assert (tchebycheff(losses, weight) <= tchebycheff(worse, weight)).all()


def test_the_scalar_reaches_a_front_point_that_no_weighted_sum_reaches() -> None:
    losses = np.array([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])  # the middle one lies behind the line between the others
    grid = np.linspace(0.0, 1.0, 101)
    assert all(np.argmin(losses @ [1.0 - w, w]) != 1 for w in grid)
    assert any(np.argmin(tchebycheff(losses, w)) == 1 for w in grid)
