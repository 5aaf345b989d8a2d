"""Residuals against SciPy, and in the target's own unit whatever the network was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from nas_core.errors import SettingsError
from nas_core.evaluation.residuals import normal_scores, own_unit, residuals

VALUES = arrays(np.float64, st.integers(3, 30), elements=st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0, 7.0]))


@given(VALUES, st.integers(0, 1000))
def test_the_spread_is_spearmans_correlation(actual: np.ndarray, seed: int) -> None:
    predicted = np.random.default_rng(seed).normal(size=len(actual))
    found = residuals(actual, predicted)
    assert np.allclose(found.residual + found.predicted, actual)
    if np.ptp(np.abs(found.residual)) > 0:
        assert found.spread == pytest.approx(spearmanr(np.abs(found.residual), predicted).statistic)
    assert found.quantiles[2] == pytest.approx(np.median(found.residual))
    assert (np.diff(found.quantiles) >= 0).all()


@given(VALUES)
def test_normal_scores_rise_with_the_values_and_are_the_same_for_equal_ones(values: np.ndarray) -> None:
    scores = normal_scores(values)
    for i in range(len(values)):
        same, lower = values == values[i], values < values[i]
        assert np.ptp(scores[same]) == 0
        assert (scores[lower] < scores[i]).all()
    assert abs(normal_scores(np.arange(9.0)).sum()) < 1e-9


def test_errors_that_do_not_vary_have_no_spread() -> None:
    assert np.isnan(residuals(np.arange(4.0), np.arange(4.0)).spread)


@pytest.mark.parametrize(("actual", "predicted"), [([], []), ([1.0], [1.0, 2.0]), ([np.nan], [1.0])])
def test_rows_that_do_not_match_are_refused(actual: list[float], predicted: list[float]) -> None:
    with pytest.raises(SettingsError, match="Residuals of"):
        residuals(np.array(actual), np.array(predicted))


@pytest.mark.parametrize("transform", ["none", "log1p", "quantile"])
def test_predictions_are_brought_back_to_the_unit_of_the_target(transform: str) -> None:
    from nas_core.data import Problem, load_data

    problem = Problem.create(load_data("diabetes"), target_transform=transform)
    y = problem.dataset.y[problem.train.rows]
    assert np.allclose(own_unit(problem, problem.target_scale.transform.forward(y)), y)
