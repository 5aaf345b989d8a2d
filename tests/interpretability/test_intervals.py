"""Intervals of resampled numbers: the quantiles of NumPy to the bit, and what is left out of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.interpretability.intervals import interval


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 1200), st.integers(-12, 12), st.booleans())
def test_the_ends_are_the_quantiles_of_numpy_to_the_bit(seed: int, count: int, power: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    draws = rng.integers(-3, 4, count).astype(float) if ties else rng.normal(size=count) * 10.0**power
    value = float(np.median(draws))
    low, high = np.quantile(draws, (0.025, 0.975))
    assert interval(draws, value) == (min(value, float(low)), max(value, float(high)))


def test_draws_that_are_no_numbers_are_left_out() -> None:
    draws = np.array([np.nan, 3.0, 1.0, np.inf, 2.0, -np.inf])
    assert interval(draws, 2.0) == interval(np.array([1.0, 2.0, 3.0]), 2.0)
    assert interval(np.full(5, np.nan), 0.3) == (0.3, 0.3)


def test_the_interval_holds_the_value() -> None:
    draws = np.linspace(0, 1, 100)
    assert interval(draws, -2.0)[0] == -2.0
    assert interval(draws, 2.0)[1] == 2.0
