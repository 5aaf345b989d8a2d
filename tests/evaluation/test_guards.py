"""The guards: what says nothing is refused with a reason in words, and what is merely simple, steep or sure is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.evaluation.guards import flat, not_learnt, output_reasons, saturated, two_valued
from nas_core.evaluation.performance import Judge
from nas_core.objectives import metric_objective
from nas_core.training.progress import TrainOutcome

RNG = np.random.default_rng(0)
Z = RNG.normal(size=400)
Y = (Z + 0.5 * RNG.normal(size=400) > 0).astype(np.int64)


def column(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, float)[:, None]


def test_a_constant_with_rounding_around_it_is_flat_and_a_weak_model_is_not() -> None:
    assert "hardly vary" in flat(column(np.full(400, 0.7)))
    assert "hardly vary" in flat(column(0.7 + 1e-6 * Z))
    assert "hardly vary" in flat(column(1e6 + Z))
    assert flat(column(0.7 + 1e-2 * Z)) == ""
    assert flat(column(1e3 + Z)) == ""


def test_a_shift_of_all_logits_is_no_variation() -> None:
    shift = np.repeat(column(Z), 3, axis=1)
    assert "hardly vary" in flat(shift + np.array([0.0, 1.0, 2.0]))
    assert flat(shift * np.array([1.0, 0.0, -1.0])) == ""


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), C=st.sampled_from([1, 3]), scale=st.floats(1e-2, 1e2), shift=st.floats(-5, 5))
def test_flatness_does_not_depend_on_the_order_of_rows_or_classes(
    seed: int, C: int, scale: float, shift: float
) -> None:
    rng = np.random.default_rng(seed)
    f = shift + scale * rng.normal(size=(50, C)) * rng.choice([0.0, 1e-6, 1.0])
    assert bool(flat(f)) == bool(flat(f[rng.permutation(50)][:, rng.permutation(C)]))
    assert bool(flat(f)) == bool(flat(-f))


def test_a_steep_boundary_that_is_right_is_not_saturated_and_one_that_is_wrong_is() -> None:
    assert saturated(column(1e4 * (Z + 1e-9)), (Z > 0).astype(np.int64)) == ""
    reason = saturated(column(1e4 * (Z + 1e-9)), Y)
    wrong = int(((Z > 0) != Y)[np.abs(1e4 * (Z + 1e-9)) > 13.8].sum())
    assert f"wrong in {wrong} of them" in reason
    assert "certain to one in a million" in reason


def test_a_single_mistake_of_a_sure_model_is_forgiven() -> None:
    truth = (Z > 0).astype(np.int64)
    truth[int(np.argmax(np.abs(Z)))] ^= 1
    assert saturated(column(1e4 * Z), truth) == ""


def test_saturation_of_several_classes_is_seen_in_their_differences() -> None:
    truth = RNG.integers(0, 3, 300)
    hot = 50.0 * np.eye(3)[truth]
    assert saturated(hot + 7.0, truth) == ""
    assert "saturated" in saturated(hot + 7.0, (truth + (np.arange(300) % 10 == 0)) % 3)
    assert saturated(0.1 * hot, (truth + 1) % 3) == ""  # wrong everywhere, but not certain


def test_honest_logits_are_not_saturated() -> None:
    assert saturated(column(3.0 * Z), Y) == ""
    assert output_reasons(np.stack([column(3 * Z), column(0 * Z)]), Y, classes=2) == ["", flat(column(0 * Z))]


def test_certainty_is_not_asked_of_a_regression() -> None:
    assert output_reasons(column(1e5 * Z)[None], Z, classes=0) == [""]


def test_two_values_where_the_inputs_have_many_are_dead_units() -> None:
    X = RNG.normal(size=(400, 2))
    step = column(np.where(X[:, 0] > 0, 3.0, -3.0))
    assert "2 different values where its inputs have 400" in two_valued(step, X)
    assert "1 different value where" in two_valued(np.zeros((400, 1)), X)
    assert two_valued(step + 1e-2 * X[:, :1], X) == ""
    assert two_valued(column(X[:, 0]), X) == ""


def test_two_values_are_fine_where_there_is_no_more_to_say() -> None:
    binary = RNG.integers(0, 2, size=(400, 3)).astype(float)
    assert two_valued(column(binary[:, 0]), binary) == ""
    assert two_valued(column(binary[:, 0]), np.zeros((400, 0))) == ""  # categories only
    assert two_valued(np.zeros((0, 1)), np.zeros((0, 2))) == ""


def test_values_of_several_outputs_count_together() -> None:
    X = RNG.normal(size=(1200, 2))
    both = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, np.zeros(1200)]).astype(float)
    assert two_valued(both, X) == ""  # four corners
    assert "2 different values" in two_valued(both[:, [0, 0, 2]], X)


def test_a_value_that_comes_late_counts() -> None:
    X = RNG.normal(size=(1200, 1))
    f = np.where(X > 0, 1.0, 0.0)
    f[-1] = 0.5
    assert two_valued(f, X) == ""


@pytest.mark.parametrize(
    ("start", "kept", "refused"),
    [(0.7, 0.7, True), (0.7, 0.699, True), (0.7, 0.9, True), (0.7, 0.5, False), (None, 0.5, False), (0.7, None, False),
     (float("inf"), 0.5, False), (0.0, 0.0, False),
     (0.7, 0.696, True), (0.7, 0.69, False),  # no better than the inputs ignored: one per cent
     (0.4, 0.395, True), (0.4, 0.37, False),  # lucky: a twentieth of what it knows must be learned
     (0.608, 0.603, False), (0.608, 0.6075, True)],  # little to be known: little is enough
)  # fmt: skip
def test_training_must_have_improved_on_the_initial_weights(
    start: float | None, kept: float | None, refused: bool
) -> None:
    reason = not_learnt(TrainOutcome("done", start_loss=start, kept_loss=kept), 0.61)
    assert bool(reason) == refused
    assert not refused or f"It has not learnt: training brought its validation loss from {start} to" in reason


def test_the_judge_refuses_what_its_metric_likes() -> None:
    """A ranking in the last digits has a perfect AUC."""
    judge = Judge(metric_objective("roc_auc"), Y, baseline=0.5, classes=2, seed=0)
    tiny, sure, good = judge.judge(np.stack([column(v) for v in (0.7 + 1e-6 * Z, 1e5 * (Z + 1e-9), 2.0 * Z)]))
    assert (tiny.skill.low > 0.5, sure.skill.low > 0.5, good.reason) == (True, True, "")
    assert "hardly vary" in tiny.reason
    assert "saturated" in sure.reason
