"""Ties and leads under the intervals: a slow twin, certainty without intervals, goals, the empty archive."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_chances import snapshot_of, told

from nas_core.preferences import Goal, Preference, tchebycheff
from nas_core.search import quick_chances
from nas_core.search.chances import front_draws
from nas_core.search.front_luck import GRID, LEVEL, front_luck
from nas_core.search.ranking import front_scale

tenths = st.integers(1, 9).map(lambda k: k / 10)
some = st.lists(st.tuples(tenths, st.sampled_from((0.0, 0.02, 0.1)), tenths), min_size=1, max_size=10)


@settings(max_examples=25, deadline=None)
@given(some, st.sampled_from((0, 30, 50, 100)))
def test_ties_and_the_lead_agree_with_one_draw_after_the_other(rows: list, row: int) -> None:
    snapshot = snapshot_of(*(told(at, value, half, score) for at, (value, half, score) in enumerate(rows)))
    ranked = snapshot.rank(Preference(weight=float(GRID[row])))
    luck = front_luck(snapshot, ranked, draws=40)
    at, losses = front_draws(snapshot, ranked.preference, draws=40)
    ideal, span = front_scale(ranked.losses[ranked.leaders])
    scores = np.array([tchebycheff((one - ideal) / span, float(GRID[row])) for one in losses])
    best = list(at).index(luck.best[row])
    for k, position in enumerate(at):
        share = (scores[:, k] <= scores[:, best]).mean()
        assert luck.tied[row, k] == (k != best and share > LEVEL)
        assert position in at
    assert luck.lead[row] == pytest.approx((scores[:, best] <= scores.min(axis=1)).mean())
    chances = quick_chances(snapshot, ranked.preference, draws=40)
    np.testing.assert_allclose(luck.chance, chances[at])


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 1.0])
def test_the_best_at_each_weight_is_that_of_the_ranking(weight: float) -> None:
    rng = np.random.default_rng(1)
    snapshot = snapshot_of(*(told(at, *rng.random(1), 0.01, *rng.random(1)) for at in range(60)))
    ranked = snapshot.rank(Preference(weight=weight))
    luck = front_luck(snapshot, ranked, draws=10)
    assert ranked.score[luck.best[luck.at(weight)]] == pytest.approx(ranked.score[ranked.best])


def test_without_intervals_nobody_else_is_tied_and_the_lead_is_certain() -> None:
    snapshot = snapshot_of(told(1, 0.9, 0.0, 0.2), told(2, 0.7, 0.0, 0.7), told(3, 0.5, 0.0, 0.9))
    luck = front_luck(snapshot, snapshot.rank(Preference()), draws=20)
    assert not luck.tied.any()
    assert (luck.lead == 1.0).all()
    assert luck.unstable() == []


def test_two_that_are_alike_are_tied_wherever_one_of_them_wins() -> None:
    snapshot = snapshot_of(told(1, 0.90, 0.05, 0.5), told(2, 0.89, 0.05, 0.5), told(3, 0.2, 0.0, 0.9))
    luck = front_luck(snapshot, snapshot.rank(Preference()))
    assert luck.tied_at(0.0).tolist() == [1]
    assert luck.tied_at(1.0).tolist() == []
    ((low, high),) = luck.unstable()
    assert low == 0.0
    assert 0.3 < high < 1.0


def test_who_misses_a_goal_is_tied_with_nobody() -> None:
    snapshot = snapshot_of(told(1, 0.90, 0.05, 0.5), told(2, 0.89, 0.05, 0.5))
    ranked = snapshot.rank(Preference(goals=(Goal(name="performance", value=0.895),)))
    assert not front_luck(snapshot, ranked).tied.any()


def test_what_is_outside_the_space_does_not_count() -> None:
    snapshot = snapshot_of(told(1, 0.95, 0.05, 0.5), told(2, 0.89, 0.05, 0.5))
    inside = np.array([False, True])
    luck = front_luck(snapshot, snapshot.rank(Preference(), inside), inside)
    assert luck.positions.tolist() == [1]
    assert luck.chance.tolist() == [1.0]


def test_an_empty_archive_has_no_luck() -> None:
    snapshot = snapshot_of()
    luck = front_luck(snapshot, snapshot.rank(Preference()))
    assert luck.positions.tolist() == []
    assert (luck.best == -1).all()
    assert luck.unstable() == []
    assert luck.tied_at(0.5).tolist() == []


def test_ten_thousand_candidates_take_seconds_not_minutes() -> None:
    rng = np.random.default_rng(0)
    snapshot = snapshot_of(*(told(at, *rng.random(1), 0.01, *rng.random(1), 0.02) for at in range(10_000)))
    began = time.process_time()
    luck = front_luck(snapshot, snapshot.rank(Preference()))
    assert time.process_time() - began < 20.0
    assert len(luck.positions) < 2_000
