"""The surrogate against a plain Gaussian process, and what an improvement must satisfy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from nas_core.preferences import AUGMENTATION
from nas_core.search.fronts import hypervolume
from nas_core.search.improvement import BLOCK, choose, scalar_gain, volume_gain
from nas_core.search.surrogate import JUDGED, LENGTHS, NOISES, Posterior, Surrogate, normal_scores


def plain_process(X: np.ndarray, y: np.ndarray, Z: np.ndarray, length: float, noise: float) -> tuple[np.ndarray, ...]:
    """The textbook formulas, with an inverse (Rasmussen and Williams 2006, eq. 2.25, 2.26)."""
    distance = ((X[:, None] - X[None]) ** 2).sum(-1)
    scale = distance.sum() / (len(X) * (len(X) - 1))
    K = np.exp(-distance / (length * scale)) + noise * np.eye(len(X))
    k = np.exp(-((Z[:, None] - X[None]) ** 2).sum(-1) / (length * scale))
    own = np.exp(-((Z[:, None] - Z[None]) ** 2).sum(-1) / (length * scale))
    inverse = np.linalg.inv(K)
    amplitude = y @ inverse @ y / len(y)
    evidence = -0.5 * len(y) * np.log(amplitude) - 0.5 * np.linalg.slogdet(K)[1]
    return k @ inverse @ y, amplitude * (own - k @ inverse @ k.T), evidence


def test_the_ensemble_is_the_mixture_of_plain_processes() -> None:
    rng = np.random.default_rng(0)
    X, Z = rng.random((25, 4)), rng.random((6, 4))
    Y = np.stack([X[:, 0] + rng.normal(0, 0.1, 25), np.sin(5 * X[:, 1])], axis=1)
    surrogate = Surrogate(X, Y)
    believed = surrogate.posterior(Z)
    for j in range(2):
        y = normal_scores(Y[:, j])
        members = [plain_process(X, y, Z, ell, noise) for ell, noise in itertools.product(LENGTHS, NOISES)]
        evidence = np.array([m[2] for m in members])
        weights = np.exp(evidence - evidence.max())
        weights /= weights.sum()
        weights[weights < 0.02] = 0
        weights /= weights.sum()
        mean = sum(w * m[0] for w, m in zip(weights, members))
        assert believed.mean[:, j] == pytest.approx(mean, abs=1e-8)
        covariance = sum(w * m[1] for w, m in zip(weights, members))
        covariance[np.diag_indices(6)] += sum(w * m[0] ** 2 for w, m in zip(weights, members)) - mean**2
        assert np.stack([believed.row(at)[j] for at in range(6)]) == pytest.approx(covariance, abs=1e-8)
        assert believed.variance[:, j] == pytest.approx(np.diag(covariance), abs=1e-8)


def test_it_predicts_what_it_was_not_shown() -> None:
    rng = np.random.default_rng(1)
    X = rng.integers(0, 2, (120, 20)).astype(float)
    truth = X[:, 0] + 0.6 * X[:, 1] * X[:, 2] - 0.4 * X[:, 3]
    believed = Surrogate(X[:90], (truth + rng.normal(0, 0.05, 120))[:90, None]).posterior(X[90:])
    assert np.corrcoef(rankdata(believed.mean[:, 0]), rankdata(truth[90:]))[0, 1] > 0.8


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_normal_scores_keep_the_order_and_only_the_order(values: list[int]) -> None:
    given_values = np.array(values, dtype=float)
    scores = normal_scores(given_values)
    assert np.isfinite(scores).all()
    assert normal_scores(np.exp(given_values)) == pytest.approx(scores)
    assert (np.sign(np.subtract.outer(scores, scores)) == np.sign(np.subtract.outer(given_values, given_values))).all()
    assert scores.mean() == pytest.approx(0.0, abs=0.35)


points = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda p: (p[0] / 4, p[1] / 4))


beliefs = st.tuples(st.floats(-1.0, 3.0), st.floats(0.05, 1.0))


@settings(max_examples=25, deadline=None)
@given(st.lists(points, min_size=1, max_size=8), beliefs, beliefs)
def test_the_volume_gain_is_the_mean_difference_of_hypervolumes(told: list, one: tuple, two: tuple) -> None:
    known = np.array(told)
    reference = known.max(axis=0) + 1.0
    before = hypervolume(known, reference)
    mean, sd = np.array([[one[0], two[0]]]), np.array([[one[1], two[1]]])
    draws = mean + sd * np.random.default_rng(0).standard_normal((1500, 2))
    gains = np.array([hypervolume(np.vstack([known, d]), reference) - before for d in draws])
    error = gains.std() / np.sqrt(len(gains)) + 1e-3  # a rare improvement may not have been drawn at all
    assert volume_gain(mean, sd, known)[0] == pytest.approx(gains.mean(), abs=5 * error)


@settings(max_examples=50, deadline=None)
@given(st.lists(points, min_size=1, max_size=8), st.lists(st.tuples(beliefs, beliefs), min_size=1, max_size=4),
       st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))  # fmt: skip
def test_the_scalar_gain_is_the_mean_improvement(told: list, believed: list, weight: float) -> None:
    known = np.array(told)
    mean, sd = (np.array([[b[0][i], b[1][i]] for b in believed]) for i in (0, 1))
    found = scalar_gain(mean, sd, known, weight)
    draws = mean + sd * np.random.default_rng(0).standard_normal((20_000, 1, 2))
    low, wish = known.min(axis=0), np.array([1.0 - weight, weight])
    if weight in (0.0, 1.0):
        at = int(weight)
        slow = np.maximum(low[at] - draws[..., at], 0.0)
    else:  # in the augmentation each loss takes the other at its mean
        weighted, expected = (draws - low) * wish, (mean - low) * wish
        scalar = (weighted * (1 + AUGMENTATION) + AUGMENTATION * expected[:, ::-1]).max(axis=-1)
        told_weighted = (known - low) * wish
        best = (told_weighted.max(axis=-1) + AUGMENTATION * told_weighted.sum(axis=-1)).min()
        slow = np.maximum(best - scalar, 0.0)
    assert found == pytest.approx(slow.mean(axis=0), abs=5 * float(slow.std()) / np.sqrt(len(slow)) + 1e-4)


def test_a_pack_does_not_choose_the_same_thing_under_two_names() -> None:
    covariance = np.array([[[1.0, 0.999, 0.0], [0.999, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    mean = np.array([[-1.0], [-0.99], [-0.9]])
    believed = Posterior(mean, np.ones((3, 1)), np.zeros(1), lambda at: covariance[:, at])
    chosen = choose(believed, np.array([[0.0], [1.0]]), 2, 0.0, np.random.default_rng(0))
    assert set(chosen) in ({0, 2}, {1, 2})


def test_the_noise_of_a_measurement_is_part_of_what_may_improve() -> None:
    alone = np.array([[0.01, 0.0], [0.0, 0.01]])
    believed = Posterior(np.array([[0.5], [0.6]]), np.full((2, 1), 0.01), np.array([1.0]), lambda at: alone[None, at])
    assert choose(believed, np.array([[0.0]]), 1, 0.0, np.random.default_rng(0)) == [0]
    X = np.random.default_rng(1).random((40, 3))
    noisy = Surrogate(X, np.random.default_rng(2).standard_normal((40, 1))).posterior(X[:2])
    smooth = Surrogate(X, X[:, :1]).posterior(X[:2])
    assert noisy.noise[0] > 5 * smooth.noise[0]


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5])
def test_a_pack_is_chosen_as_with_the_whole_covariance(weight: float) -> None:
    rng = np.random.default_rng(3)
    size = 5 * BLOCK  # most gains are not looked at again
    X, Y, Z = rng.integers(0, 2, (40, 8)).astype(float), rng.random((40, 2)), rng.random((size, 8))
    surrogate = Surrogate(X, Y)
    believed = surrogate.posterior(Z)
    whole = np.stack([believed.row(at) for at in range(size)], axis=1)  # (m, s, s)
    told, slow, rng = surrogate.targets.copy(), [], np.random.default_rng(5)
    for _ in range(12):
        sd = np.sqrt(np.maximum(np.diagonal(whole, axis1=1, axis2=2).T, 1e-12) + believed.noise)
        gain = (scalar_gain(believed.mean, sd, told, weight) if rng.random() < abs(2 * weight - 1)
                else volume_gain(believed.mean, sd, told))  # fmt: skip
        gain[slow] = -np.inf
        slow.append(int(np.argmax(gain)))
        told = np.vstack([told, believed.mean[slow[-1]]])
        rows = whole[:, slow[-1]].copy()
        whole -= np.einsum("ma,mb->mab", rows, rows) / (rows[:, slow[-1], None, None] + 1e-9)
    assert choose(believed, surrogate.targets, 12, weight, np.random.default_rng(5)) == slow


def test_of_many_rows_the_members_that_count_are_fitted_to_all_and_weighted_by_some() -> None:
    rng = np.random.default_rng(4)
    X, Z = rng.random((JUDGED + 60, 3)), rng.random((5, 3))
    Y = X[:, :1] + rng.normal(0, 0.2, (len(X), 1))
    surrogate = Surrogate(X, Y)
    some = np.linspace(0, len(X) - 1, JUDGED).round().astype(int)
    y = normal_scores(Y[:, 0])
    scale = ((X[:, None] - X[None]) ** 2).sum() / (len(X) * (len(X) - 1))
    evidence = []
    for length, noise in itertools.product(LENGTHS, NOISES):
        K = np.exp(-((X[some, None] - X[some]) ** 2).sum(-1) / (length * scale)) + noise * np.eye(JUDGED)
        amplitude = y[some] @ np.linalg.solve(K, y[some]) / JUDGED
        evidence.append(-0.5 * len(X) * np.log(amplitude) - 0.5 * np.linalg.slogdet(K)[1] * len(X) / JUDGED)
    weights = np.exp(np.array(evidence) - max(evidence))
    weights = np.where(weights / weights.sum() < 0.02, 0.0, weights)
    members = [plain_process(X, y, Z, ell, noise)[0] for ell, noise in itertools.product(LENGTHS, NOISES)]
    mean = sum(w * member for w, member in zip(weights / weights.sum(), members))
    assert surrogate.mean(Z)[:, 0] == pytest.approx(mean, abs=1e-6)
    assert 0 < len(surrogate.weights) < len(members)
    step = 1e-5 * np.eye(3)
    slope = [(surrogate.mean(Z + d) - surrogate.mean(Z - d))[:, 0] / 2e-5 for d in step]
    assert surrogate.slope(Z) == pytest.approx(np.stack(slope, axis=1), abs=1e-5)
