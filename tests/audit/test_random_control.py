"""Random-control faithfulness: near 1 for exact values, near 0 for random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audited_candidates import made_table, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.audit import random_control
from nas_core.explanations import TrainedCandidate, default_background, explain

CANDIDATE = trained(made_table("all"), *[(j,) for j in range(8)], epochs=10)
BACKGROUND = default_background(CANDIDATE.problem)
ROWS = CANDIDATE.problem.valid.raw[:20]
EXACT = explain(CANDIDATE, ROWS, BACKGROUND)


def test_exact_values_of_an_additive_network_have_all_of_it() -> None:
    found = random_control(CANDIDATE, EXACT, background=BACKGROUND)
    assert found.value > 0.95
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.raw == pytest.approx(1.0, abs=0.05)  # the correlation is 1, random ones are 0 on average


def test_without_an_attribution_it_makes_one() -> None:
    assert random_control(CANDIDATE).value > 0.95


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_random_values_have_none_of_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = random_control(CANDIDATE, replace(EXACT, values=rng.normal(size=EXACT.values.shape)))
    assert abs(found.raw) < 0.5
    assert found.value < 0.5


def test_values_of_the_wrong_features_have_little_of_it() -> None:
    mixed = replace(EXACT, values=np.roll(EXACT.values, 3, axis=1))
    assert random_control(CANDIDATE, mixed).value < 0.6
    turned = replace(EXACT, values=-EXACT.values)
    found = random_control(CANDIDATE, turned, background=BACKGROUND)
    assert found.value == 0
    assert found.raw == pytest.approx(-1.0, abs=0.05)


def test_the_unit_does_not_matter() -> None:
    scaled = replace(EXACT, values=1000 * EXACT.values)
    assert random_control(CANDIDATE, scaled).raw == pytest.approx(random_control(CANDIDATE, EXACT).raw)


def test_an_attribution_without_rows_says_so() -> None:
    found = random_control(CANDIDATE, explain(CANDIDATE, np.zeros((0, 8))))
    assert found.value is None
    assert "no rows" in found.reason


def test_the_same_seed_gives_the_same_answer() -> None:
    candidate: TrainedCandidate = CANDIDATE
    assert random_control(candidate, EXACT, seed=2) == random_control(candidate, EXACT, seed=2)
