"""Rankings and who wins at which λ."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_core.errors import SettingsError
from nas_core.preferences import Preference, interpretability
from nas_core.search.fronts import non_dominated
from nas_core.search.ranking import Ranking, rank_candidates, steering_scores, winners

NAMES = ("feature_parsimony", "additivity")
unit = st.floats(0.0, 1.0)
grid = st.integers(0, 8).map(lambda k: k / 8)


def rank(loss: np.ndarray, measures: np.ndarray, weight: float, eligible: np.ndarray | None = None) -> Ranking:
    mask = np.ones(len(loss), dtype=bool) if eligible is None else eligible
    return rank_candidates(loss, measures, mask, NAMES, Preference(weight=weight, measures=dict.fromkeys(NAMES, 1.0)))


candidates = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=grid), arrays(np.float64, (n, 2), elements=grid), arrays(bool, n)
    )
)


@given(candidates, unit | st.sampled_from([0.0, 1.0]))
def test_the_best_is_on_the_front_and_the_ineligible_come_last(
    given: tuple[np.ndarray, np.ndarray, np.ndarray], weight: float
) -> None:
    loss, measures, eligible = given
    ranking = rank(loss, measures, weight, eligible)
    assert sorted(ranking.order) == list(range(len(loss)))
    if not eligible.any():
        assert ranking.best is None
        assert not ranking.on_front.any()
        return
    assert ranking.on_front[ranking.best]
    assert (np.diff(eligible[ranking.order].astype(int)) <= 0).all()
    assert (np.diff(ranking.score[ranking.order][: eligible.sum()]) >= 0).all()
    assert not ranking.on_front[~eligible].any()
    assert np.isnan(ranking.interpretability[~eligible]).all()


@given(candidates)
def test_the_ends_of_the_slider_give_the_most_accurate_and_the_most_interpretable(
    given: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    loss, measures, _ = given
    accurate, simple = rank(loss, measures, 0.0), rank(loss, measures, 1.0)
    mean = interpretability(measures, np.ones(2))
    assert loss[accurate.best] == loss.min()
    assert mean[accurate.best] == mean[loss == loss.min()].max()
    assert mean[simple.best] == mean.max()
    assert loss[simple.best] == loss[mean == mean.max()].min()


def test_the_middle_of_the_slider_is_the_middle_of_the_front_whatever_the_size_of_the_losses() -> None:
    mean = np.linspace(0.4, 0.9, 11)
    measures = np.repeat((mean * 1.01 - 0.01)[:, None], 2, axis=1)
    for span in (1.0, 0.01):
        assert rank(0.01 + span * np.linspace(0.0, 0.5, 11), measures, 0.5).best == 5


def test_no_candidate_at_all() -> None:
    ranking = rank(np.empty(0), np.empty((0, 2)), 0.5)
    assert ranking.best is None
    assert len(ranking.order) == 0


def test_a_weight_for_an_unknown_measure_is_refused() -> None:
    with pytest.raises(SettingsError, match="'monotone_share', which is not measured here"):
        rank_candidates(
            np.zeros(1), np.ones((1, 2)), np.ones(1, dtype=bool), NAMES, Preference(measures={"monotone_share": 1.0})
        )


fronts = st.integers(1, 15).flatmap(lambda n: arrays(np.float64, (n, 2), elements=grid | unit))


@given(fronts)
def test_the_intervals_tile_the_slider_from_accurate_to_interpretable(losses: np.ndarray) -> None:
    intervals = winners(losses)
    assert intervals[0].low == 0.0
    assert intervals[-1].high == 1.0
    assert all(a.high == b.low and a.low <= a.high for a, b in pairwise(intervals))
    assert len({i.position for i in intervals}) == len(intervals)
    won = losses[[i.position for i in intervals]]
    assert (np.diff(won[:, 0]) > 0).all()
    assert (np.diff(won[:, 1]) < 0).all()


@given(fronts, st.lists(unit, min_size=1, max_size=20))
def test_inside_its_interval_nobody_scores_better_than_the_winner(losses: np.ndarray, weights: list[float]) -> None:
    intervals = winners(losses)
    front = non_dominated(losses)
    for weight in [*weights, *(i.low for i in intervals), *(0.5 * (i.low + i.high) for i in intervals)]:
        score = steering_scores(losses, front, weight)
        winner = next(i for i in intervals if i.low <= weight <= i.high)
        assert score[winner.position] <= score.min() + 1e-9


def test_a_known_ribbon() -> None:
    # The first two draw level where 1.05·λ = 1.05·.5·(1 − λ) + .05·.2·λ: by hand, as λ < .5/.7 there.
    intervals = winners(np.array([[0.0, 1.0], [0.5, 0.2], [1.0, 0.0], [1.0, 1.0], [np.nan, 0.0]]))
    assert [i.position for i in intervals] == [0, 1, 2]
    assert intervals[0].high == pytest.approx(0.525 / (1.05 + 0.525 - 0.01))


def test_without_a_candidate_nobody_wins() -> None:
    assert winners(np.empty((0, 2))) == []
    assert winners(np.full((2, 2), np.nan)) == []


def test_of_equal_candidates_the_first_wins() -> None:
    assert [i.position for i in winners(np.array([[0.5, 0.5], [0.5, 0.5]]))] == [0]


def test_a_range_that_is_only_rounding_does_not_blow_up() -> None:
    losses = np.array([[0.0, 1e-311], [0.0, 0.125], [0.125, 0.0]])
    assert np.isfinite(steering_scores(losses, non_dominated(losses), 0.0)).all()
    assert winners(losses)[0].position == 0
