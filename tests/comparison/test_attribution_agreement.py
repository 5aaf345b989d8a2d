"""How alike two attributions are: bounds, symmetry, what is invariant, and the cases where nothing is attributed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as scipy_cosine

from nas_core.comparison.agreement import attribution_agreement, prediction_distance, top_overlap
from nas_core.errors import ExplanationError
from nas_core.explanations import Attribution


def attribution(values: np.ndarray) -> Attribution:
    values = np.asarray(values, float)
    values = values[:, :, None] if values.ndim == 2 else values
    n, P, C = values.shape
    names = tuple(f"x{j}" for j in range(P))
    data = np.arange(n * P, dtype=float).reshape(n, P)
    return Attribution(values, np.zeros(C), values.sum(1), data, names, tuple("abcdef"[:C]), "made")


SHAPES = st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(1, 3))


@given(shape=SHAPES, seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_agreement_is_bounded_symmetric_and_perfect_with_itself(shape: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(shape) * (rng.random(shape) < 0.7) for _ in range(2))
    there, back = (
        attribution_agreement(attribution(a), attribution(b)),
        attribution_agreement(attribution(b), attribution(a)),
    )
    assert np.allclose(there.cosine, back.cosine)
    assert (there.cosine >= -1).all()
    assert (there.cosine <= 1).all()
    assert ((there.top >= 0) & (there.top <= 1)).all()
    assert there.score.low <= there.score.value <= there.score.high
    same = attribution_agreement(attribution(a), attribution(a))
    assert np.allclose(same.cosine, 1.0)
    assert (same.top == 1).all()
    assert np.allclose(same.weight, 0.0, atol=1e-9)


@given(seed=st.integers(0, 999), factor=st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_the_scale_of_one_network_does_not_matter_and_its_sign_does(seed: int, factor: float) -> None:
    values = np.random.default_rng(seed).standard_normal((5, 4))
    assert np.allclose(attribution_agreement(attribution(values), attribution(factor * values)).cosine, 1.0)
    turned = attribution_agreement(attribution(values), attribution(-values))
    assert np.allclose(turned.cosine, -1.0)
    assert np.allclose(turned.order, 1.0)


def test_the_cosine_is_scipys() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 6, 5))
    found = attribution_agreement(attribution(a), attribution(b)).cosine
    assert found == pytest.approx([1 - scipy_cosine(x, y) for x, y in zip(a, b)])


def test_logits_that_are_raised_together_change_nothing() -> None:
    a, b = np.random.default_rng(1).standard_normal((2, 4, 3, 3))
    raised = b + np.random.default_rng(2).standard_normal((4, 3, 1))
    before = attribution_agreement(attribution(a), attribution(b))
    after = attribution_agreement(attribution(a), attribution(raised))
    assert np.allclose(before.cosine, after.cosine)


@pytest.mark.parametrize(("one", "two", "expected"), [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1e-200, 1e200, 1.0)])
def test_rows_without_attribution(one: float, two: float, expected: float) -> None:
    found = attribution_agreement(attribution(np.full((1, 3), one)), attribution(np.full((1, 3), two)))
    assert found.cosine[0] == pytest.approx(expected)


def test_agreeing_about_features_in_general_is_what_shuffled_rows_have() -> None:
    rng = np.random.default_rng(0)
    general = np.array([5.0, 1.0, 0.1])
    a, b = (general + 0.01 * rng.standard_normal((30, 3)) for _ in range(2))
    assert attribution_agreement(attribution(a), attribution(b)).chance > 0.99
    a, b = rng.standard_normal((2, 200, 3))
    assert abs(attribution_agreement(attribution(a), attribution(b)).chance) < 0.1


def test_the_top_counts_only_what_has_influence() -> None:
    a = np.array([[3.0, 2.0, 0.0, 0.0]])
    assert top_overlap(a, np.array([[1.0, 9.0, 0.0, 0.0]]), 3) == pytest.approx([1.0])
    assert top_overlap(a, np.array([[1.0, 0.0, 0.0, 4.0]]), 2) == pytest.approx([0.5])
    assert top_overlap(np.zeros((1, 4)), np.zeros((1, 4))) == pytest.approx([1.0])


def test_attributions_of_other_rows_are_refused() -> None:
    one, other = attribution(np.ones((2, 3))), attribution(np.ones((3, 3)))
    with pytest.raises(ExplanationError, match="the same rows"):
        attribution_agreement(one, other)
    with pytest.raises(ExplanationError, match="no rows"):
        attribution_agreement(attribution(np.ones((0, 3))), attribution(np.ones((0, 3))))


def test_predictions_are_apart_by_the_probability_that_lies_elsewhere() -> None:
    sure, unsure = np.array([[50.0]]), np.array([[0.0]])
    assert prediction_distance(sure, unsure, "classification") == pytest.approx([0.5])
    assert prediction_distance(sure, -sure, "classification") == pytest.approx([1.0])
    three = np.array([[100.0, 0.0, 0.0]]), np.array([[0.0, 100.0, 0.0]])
    assert prediction_distance(*three, "classification") == pytest.approx([1.0])
    assert prediction_distance(np.array([[2.0]]), np.array([[-1.0]]), "regression") == pytest.approx([3.0])
