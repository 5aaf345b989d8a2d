"""Hints agree with scikit-learn, SciPy and slow twins, find what was planted, and stay quiet on noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from nas_core.data import FeatureSpec, Problem, load_data
from nas_core.data.hints import _ranks, interaction_gain, make_hints, mutual_information, spearman

Floats = NDArray[np.float64]


def _numeric(P: int) -> tuple[FeatureSpec, ...]:
    return tuple(FeatureSpec(f"f{j}", "numeric") for j in range(P))


@settings(deadline=None)
@given(
    st.integers(2, 80).flatmap(
        lambda n: st.tuples(
            arrays(np.int64, (n, 3), elements=st.integers(0, 5)), arrays(np.int64, n, elements=st.integers(0, 3))
        )
    )
)
def test_mutual_information_is_the_corrected_plug_in_estimate(
    case: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    from sklearn.metrics import mutual_info_score

    codes, target = case
    result = mutual_information(codes, target)
    entropy = mutual_info_score(target, target)
    assert np.all((result >= 0) & (result <= 1))
    for j in range(3):
        used = len(np.unique(codes[:, j])), len(np.unique(target))
        information = mutual_info_score(codes[:, j], target) - (used[0] - 1) * (used[1] - 1) / (2 * len(target))
        expected = 0.0 if used[1] == 1 else np.clip(information / entropy, 0, 1)
        assert result[j] == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(arrays(np.float64, (20, 2), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, 3.0])))
def test_direction_is_spearman(data: Floats) -> None:
    from scipy.stats import rankdata

    a, b = rankdata(data[:, 0]), rankdata(data[:, 1])
    assert np.array_equal(_ranks(data[:, 0]), a)
    expected = np.corrcoef(a, b)[0, 1] if np.ptp(a) and np.ptp(b) else 0.0
    assert spearman(data[:, 0], b) == pytest.approx(expected, abs=1e-12)


def _slow_gain(fine: NDArray[np.int64], t: Floats) -> Floats:
    """The formula of interaction_gain, cell by cell; the additive fit by scikit-learn's ridge regression."""
    from sklearn.linear_model import Ridge

    n, F = fine.shape
    B = np.concatenate([np.eye(8)[fine[:, j]] for j in range(F)], axis=1)
    best = (np.inf, t)
    for penalty in n * np.logspace(-4, 1, 21):
        r = t - Ridge(alpha=penalty).fit(B, t).predict(B)
        C = B - B.mean(axis=0)
        freedom = np.trace(C @ np.linalg.solve(C.T @ C + penalty * np.eye(8 * F), C.T))
        best = min(best, (float(np.sum(r**2)) / (1 - (freedom + 1) / n) ** 2, r), key=lambda pair: pair[0])
    r = best[1]
    gain = np.zeros((F, F))
    for i in range(F):
        for j in range(F):
            cell = fine[:, i] // 2 * 4 + fine[:, j] // 2
            sums = sum(r[cell == c].sum() ** 2 / np.sum(cell == c) for c in np.unique(cell))
            if i != j:
                gain[i, j] = max(0.0, (sums - 9 * np.mean(r**2)) / np.sum((t - t.mean()) ** 2))
    return gain


@pytest.mark.parametrize("seed", range(3))
def test_interaction_gain_against_its_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 8, size=(300, 4))
    t = fine[:, 0] * 1.0 + (fine[:, 1] > 3) * (fine[:, 2] > 3) * 3.0 + rng.normal(size=300)
    assert np.allclose(interaction_gain(fine, t[:, None]), _slow_gain(fine, t), atol=1e-8)


def test_a_planted_interaction_is_found_and_additive_effects_are_not_called_one() -> None:
    X = np.random.default_rng(0).normal(size=(1500, 12))
    xor = make_hints(_numeric(12), X, (X[:, 3] * X[:, 8] > 0).astype(np.int64), 2)
    assert np.unravel_index(xor.interaction.argmax(), (12, 12)) == (3, 8)
    assert xor.interaction[3, 8] > 0.5
    others = xor.interaction.copy()
    others[[3, 8], [8, 3]] = 0
    assert others.max() < 0.03
    additive = make_hints(_numeric(12), X, X[:, 0] ** 2 + np.abs(X[:, 1]) + X[:, 2], 0)
    assert additive.interaction.max() < 0.03


def test_relevance_and_direction_of_planted_effects() -> None:
    X = np.random.default_rng(1).normal(size=(1000, 6))
    hints = make_hints(_numeric(6), X, 2 * X[:, 0] - X[:, 1] + 0.1 * X[:, 2] ** 3, 0)
    assert list(np.argsort(-hints.relevance)[:2]) == [0, 1]
    assert hints.direction[0] > 0.7
    assert hints.direction[1] < -0.3
    assert np.abs(hints.direction[3:]).max() < 0.1
    assert np.all(hints.relevance[3:] < 0.01)


def test_categories_have_no_direction_and_no_order() -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 6, size=2000)
    y = np.isin(codes, [1, 4]).astype(np.int64)
    specs = (FeatureSpec("c", "categorical", tuple("abcdef")), FeatureSpec("x", "numeric"))
    hints = make_hints(specs, np.column_stack([codes * 1.0, rng.normal(size=2000)]), y, 2)
    assert hints.direction[0] == 0
    assert hints.relevance[0] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes", "digits"])
def test_hints_of_real_data_are_in_range(name: str) -> None:
    problem = Problem.create(load_data(name))
    hints = problem.hints
    assert hints.relevance.shape == hints.direction.shape == (problem.P,)
    assert np.all((hints.relevance >= 0) & (hints.relevance <= 1))
    assert np.all((hints.interaction >= 0) & (hints.interaction <= 1))
    assert np.array_equal(hints.interaction, hints.interaction.T)
    assert not np.diag(hints.interaction).any()
    assert np.abs(hints.direction).max() <= 1
    assert hints.direction.any() == (problem.C == 1)


def test_constant_and_single_columns() -> None:
    y = np.arange(40) % 2
    hints = make_hints(_numeric(1), np.zeros((40, 1)), y, 2)
    assert (hints.relevance[0], hints.direction[0], hints.interaction[0, 0]) == (0, 0, 0)
