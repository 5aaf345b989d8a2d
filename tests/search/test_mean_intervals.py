"""The interval of a weighted geometric mean: against draws, exact where one measure is uncertain, NaN and ends."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.preferences import interpretability
from nas_core.search.chances import interval_draws
from nas_core.search.mean_intervals import mean_interval

unit = st.integers(0, 20).map(lambda k: k / 20)
rows = st.lists(st.tuples(unit, unit, unit, st.integers(0, 4)), min_size=1, max_size=6)


def spread(found: list[tuple[float, float, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, ends and weights of one candidate."""
    low, score, high = np.sort(np.array([row[:3] for row in found]), axis=1).T[:, None, :]
    return score, low, high, np.array([row[3] for row in found], float)


@given(rows)
def test_the_interval_holds_the_mean_and_lies_between_the_ends_of_all(found: list) -> None:
    score, low, high, weights = spread(found)
    least, most = mean_interval(score, low, high, weights)
    mean = interpretability(score, weights)
    if np.isnan(mean[0]):
        assert np.isnan([least[0], most[0]]).all()
        return
    assert interpretability(low, weights)[0] - 1e-12 <= least[0] <= mean[0] + 1e-12
    assert mean[0] - 1e-12 <= most[0] <= interpretability(high, weights)[0] + 1e-12


@given(rows, st.integers(0, 5))
def test_one_uncertain_measure_gives_exactly_the_means_at_its_ends(found: list, which: int) -> None:
    score, low, high, weights = spread(found)
    exact = np.arange(len(found)) != which % len(found)
    low[:, exact] = high[:, exact] = score[:, exact]
    least, most = mean_interval(score, low, high, weights)
    np.testing.assert_allclose(least, interpretability(low, weights), rtol=1e-12)
    np.testing.assert_allclose(most, interpretability(high, weights), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.3, 0.9), st.floats(0.0, 0.1), st.floats(0.0, 0.1), st.integers(1, 3)),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_the_ends_agree_with_forty_thousand_draws(found: list) -> None:
    score, below, above, weights = (np.array(part, float) for part in zip(*found))
    low, high = score - below, np.minimum(1.0, score + above)
    z = np.random.default_rng(0).standard_normal((40_000, len(found)))
    drawn = interpretability(interval_draws(score, low, high, z), weights)
    least, most = mean_interval(score[None], low[None], high[None], weights)
    width = most[0] - least[0]
    assert abs(np.quantile(drawn, 0.025) - least[0]) <= 0.15 * width + 1e-3
    assert abs(np.quantile(drawn, 0.975) - most[0]) <= 0.15 * width + 1e-3


def test_an_undefined_measure_is_left_out_and_an_end_that_is_missing_is_the_score() -> None:
    nan = np.nan
    scores = np.array([[0.5, nan], [nan, nan], [0.5, 0.5]])
    low, high = np.array([[0.4, nan], [nan, nan], [0.4, nan]]), np.array([[0.6, nan], [nan, nan], [0.6, nan]])
    least, most = mean_interval(scores, low, high, np.array([1.0, 1.0]))
    np.testing.assert_allclose([least[0], most[0]], [(0.01 + 0.4) / 1.01, (0.01 + 0.6) / 1.01])
    assert np.isnan([least[1], most[1]]).all()
    assert least[2] > least[0]  # half the weight, a shorter arm


def test_measures_without_intervals_give_the_mean_itself() -> None:
    scores = np.random.default_rng(0).random((50, 8))
    least, most = mean_interval(scores, scores, scores, np.ones(8))
    np.testing.assert_allclose(least, interpretability(scores, np.ones(8)))
    np.testing.assert_allclose(most, least)
