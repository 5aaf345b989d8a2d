"""Local additive fits: exact for sums, low where features act together, never judged on what they were fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.interpretability.masks import FOLDS, Masks, held_out_scores, shapley_masks


def score(worth: Callable[[np.ndarray], np.ndarray], features: int, most: int = 200, seed: int = 0) -> float:
    """Return the held-out R² of the fit to ``worth`` (m, P) → (m, C)."""
    masks = shapley_masks(features, most, np.random.default_rng(seed))
    empty, full = (worth(np.full((1, features), present)) for present in (False, True))
    (found,) = held_out_scores(worth(masks.present)[None], empty, full, masks)
    return float(found)


@given(st.integers(1, 30), st.integers(0, 1000), st.integers(1, 3))
def test_a_sum_is_reproduced_exactly(features: int, seed: int, C: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(features, C))
    assert score(lambda z: z @ weights + 3, features, seed=seed) == pytest.approx(1, abs=1e-9)


def test_features_that_only_count_together_are_not_reproduced() -> None:
    assert score(lambda z: z[:, :8].all(1)[:, None] * 1.0 - z[:, 8:].all(1)[:, None], 16) < 0.2
    parity = score(lambda z: 1.0 - 2 * (z[:, :6].sum(1, keepdims=True) % 2), 12)
    assert parity < 0.1
    half = score(lambda z: (z[:, [0]] & z[:, [1]]) * 1.0 + (z[:, [2]] & z[:, [3]]) - (z[:, [4]] & z[:, [5]]), 6)
    assert 0.2 < half < 0.9


def test_two_features_of_which_neither_does_anything_alone_are_not_reproduced() -> None:
    assert score(lambda z: z.all(1)[:, None] * 1.0, 2) == 0
    assert score(lambda z: z[:, :1] * 0.0 + 0.7, 2) == 1


def test_noise_is_fitted_but_not_reproduced() -> None:
    """In-sample R² of noise is high with few masks per feature; held out it is not above 0."""

    def noise(z: np.ndarray) -> np.ndarray:
        codes = z @ 2 ** np.arange(z.shape[1], dtype=np.uint64)
        return np.array([[np.random.default_rng(int(c)).normal()] for c in codes])

    features = 12
    masks = shapley_masks(features, 2 * features, np.random.default_rng(1))
    empty, full = (noise(np.full((1, features), present)) for present in (False, True))
    within = Masks(masks.present, masks.weights, np.full(len(masks.folds), -1))
    inside = _in_sample(noise(masks.present), empty, full, within)
    (outside,) = held_out_scores(noise(masks.present)[None], empty, full, masks)
    assert inside > 0.2
    assert outside < 0.0


def _in_sample(values: np.ndarray, empty: np.ndarray, full: np.ndarray, masks: Masks) -> float:
    z = masks.present.astype(float)
    design, rest = z[:, :-1] - z[:, -1:], values - empty - z[:, -1:] * (full - empty)
    root = np.sqrt(masks.weights)[:, None]
    error = rest - design @ np.linalg.lstsq(root * design, root * rest, rcond=None)[0]
    mean = np.average(values[:, 0], weights=masks.weights)
    return 1 - float((root**2 * error**2).sum() / (root[:, 0] ** 2 * (values[:, 0] - mean) ** 2).sum())


@given(st.integers(2, 40), st.integers(4, 300), st.integers(0, 99))
def test_masks_are_different_and_come_with_their_complement_in_the_same_part(P: int, most: int, seed: int) -> None:
    masks = shapley_masks(P, most, np.random.default_rng(seed))
    codes = {m.tobytes(): (f, w) for m, f, w in zip(masks.present, masks.folds, masks.weights)}
    assert len(codes) == len(masks.present) <= max(4, most)
    assert masks.weights.sum() == pytest.approx(1)
    assert ((masks.present.sum(1) > 0) & (masks.present.sum(1) < P)).all()
    for mask, fold, weight in zip(masks.present, masks.folds, masks.weights):
        other = codes[(~mask).tobytes()]
        assert other[1] == pytest.approx(weight)
        assert other[0] == fold or P == 2
    assert set(masks.folds) <= set(range(FOLDS))


def test_all_masks_have_the_weights_of_the_shapley_kernel() -> None:
    masks = shapley_masks(4, 100, np.random.default_rng(0))
    assert len(masks.present) == 14
    by_size = {int(s): w for s, w in zip(masks.present.sum(1), masks.weights)}
    # (P−1) / (C(P, s) s (P − s)): 1/4 · 1/3, 1/6 · 1/4, …
    assert by_size[1] / by_size[2] == pytest.approx((1 / 12) / (1 / 24))
    assert by_size[1] == pytest.approx(by_size[3])


def test_drawn_sizes_follow_the_kernel() -> None:
    masks = shapley_masks(30, 4000, np.random.default_rng(0))
    shares = np.bincount(masks.present.sum(1), weights=masks.weights, minlength=31)[1:30]
    sizes = np.arange(1, 30)
    expected = 1 / (sizes * (30 - sizes))
    assert shares == pytest.approx(expected / expected.sum(), abs=0.02)


def test_what_does_not_vary_is_reproduced() -> None:
    assert score(lambda z: np.full((len(z), 2), 0.7), 5) == 1
    assert score(lambda z: z @ np.ones((1, 1)), 1) == 1


def test_a_shift_common_to_all_classes_does_not_count() -> None:
    def worth(z: np.ndarray) -> np.ndarray:
        shared = 9.0 * z[:, :4].all(1, keepdims=True)
        return np.hstack([z[:, [0]], z[:, [1]], -1.0 * z[:, [2]]]) + shared

    assert score(worth, 8) == pytest.approx(1, abs=1e-9)
