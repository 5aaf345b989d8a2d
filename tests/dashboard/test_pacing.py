"""How often tabs look at a live run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pacing import REFRESH, SHARE, STEPS, Pace


def told(cost: float) -> Pace:
    pace = Pace(cost)
    for _ in range(60):
        pace.told(cost)
    return pace


def test_one_tab_and_the_one_that_steers_look_every_second() -> None:
    pace = told(0.2)
    assert pace.seconds(1) == REFRESH
    assert pace.seconds(50, steers=True) == REFRESH


@given(st.integers(2, 60), st.floats(0.005, 0.3))
def test_all_looks_together_take_no_more_than_their_share(tabs: int, cost: float) -> None:
    seconds = told(cost).seconds(tabs)
    assert seconds in STEPS
    assert tabs * cost / seconds <= 1.2 * SHARE + 1e-9 or seconds == STEPS[-1]


def test_a_cost_that_varies_a_little_changes_nothing() -> None:
    pace = told(SHARE)
    first = pace.seconds(9)
    for k in range(100):
        pace.told(SHARE * (0.85 if k % 2 else 1.15))
        assert pace.seconds(9) == first


def test_fewer_tabs_and_cheaper_looks_bring_the_pace_back() -> None:
    pace = told(SHARE)
    assert pace.seconds(9) == 8.0
    assert pace.seconds(3) == 5.0
    for _ in range(60):
        pace.told(0.2 * SHARE)
    assert pace.seconds(3) == pytest.approx(REFRESH)
