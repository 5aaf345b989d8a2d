"""Gini, Spearman and pairwise rank agreement: oracles, slow twins, ties and zeros at every position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from nas_core.interpretability.rank_agreement import gini, pair_agreement, rank_correlation, sizes

FEW = st.integers(0, 3).map(float)  # ties are the rule
ROWS = arrays(float, st.tuples(st.integers(1, 4), st.integers(2, 6)), elements=FEW)
TWO = st.tuples(st.integers(1, 4), st.integers(2, 6)).flatmap(
    lambda shape: st.tuples(arrays(float, shape, elements=FEW), arrays(float, shape, elements=FEW))
)


@pytest.mark.parametrize("P", [2, 3, 10, 100])
def test_one_feature_has_it_all_or_all_have_the_same(P: int) -> None:
    for at in range(0, P, max(1, P // 7)):
        assert gini(np.eye(P)[at : at + 1] * -4.2) == pytest.approx([1.0], abs=1e-12)
    assert gini(np.full((1, P), -0.3)) == pytest.approx([0.0], abs=1e-12)


def test_without_influence_or_with_one_feature_there_is_no_index() -> None:
    assert np.isnan(gini(np.zeros((3, 4)))).all()
    assert np.isnan(gini(np.ones((3, 1)))).all()


@given(ROWS)
def test_gini_is_the_mean_difference_of_pairs(values: np.ndarray) -> None:
    for row, found in zip(values, gini(values)):
        if not row.any():
            assert np.isnan(found)
            continue
        P = len(row)
        slow = sum(abs(a - b) for a in row for b in row) / (2 * P * row.sum()) * P / (P - 1)
        assert found == pytest.approx(slow, abs=1e-12)
        assert -1e-12 <= found <= 1 + 1e-12


@given(ROWS, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_gini_depends_on_neither_scale_sign_nor_order(values: np.ndarray, scale: float, random: object) -> None:
    order = np.arange(values.shape[1])
    random.shuffle(order)  # type: ignore[attr-defined]
    assert gini(-scale * values[:, order]) == pytest.approx(gini(values), abs=1e-9, nan_ok=True)


@given(TWO)
def test_rank_correlation_is_spearmans(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, two = pair
    for a, b, found in zip(one, two, rank_correlation(one, two)):
        flat = (np.ptp(a) == 0, np.ptp(b) == 0)
        expected = float(all(flat)) if any(flat) else spearmanr(a, b).statistic
        assert found == pytest.approx(expected, abs=1e-12)


@given(TWO)
def test_pair_agreement_is_a_count_of_pairs(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, two = pair
    for a, b, found in zip(one, two, pair_agreement(one, two)):
        total, pairs = 0.0, 0
        for i in range(len(a)):
            for j in range(i):
                first, second = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
                total += 1.0 if first == second else 0.5 if 0 in (first, second) else 0.0
                pairs += 1
        assert found == pytest.approx(total / pairs, abs=1e-12)


@given(ROWS)
def test_an_order_agrees_with_itself_and_not_with_its_reverse(values: np.ndarray) -> None:
    distinct = values + np.arange(values.shape[1]) * 1e-3
    assert (pair_agreement(values, values) == 1).all()
    assert (pair_agreement(distinct, -distinct) == 0).all()
    assert rank_correlation(distinct, -distinct) == pytest.approx(-np.ones(len(values)))
    assert pair_agreement(distinct, np.zeros_like(values)) == pytest.approx(np.full(len(values), 0.5))  # a coin


def test_one_feature_has_no_pair() -> None:
    assert np.isnan(pair_agreement(np.ones((2, 1)), np.ones((2, 1)))).all()


def test_rounding_does_not_order_features() -> None:
    values = np.array([[1.0, 1e-9, 0.0, -1.0 - 1e-9], [0.0, 0.0, 0.0, 0.0]])
    assert sizes(values).tolist() == [[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    assert sizes(np.array([[2.0, -1.0]])).tolist() == [[1.0, 0.5]]
