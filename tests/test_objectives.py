"""Which way is better, and between which bounds: the one place that knows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.errors import SettingsError
from nas_core.objectives import METRICS, Objective, metric_objective, metrics_for, recorded_objective

ALL = [metric_objective(name, classes) for name in METRICS for classes in (2, 7)]
thousandths = st.integers(-2000, 4000).map(lambda k: k / 1000)
"""Values far enough apart that rounding cannot make their skills equal."""


@given(objective=st.sampled_from(ALL), share=st.floats(0, 1))
def test_losses_and_values_are_inverse(objective: Objective, share: float) -> None:
    assert objective.loss(objective.value(share)) == pytest.approx(share)


@given(objective=st.sampled_from(ALL), one=thousandths, two=thousandths)
def test_the_better_value_never_has_the_larger_loss(objective: Objective, one: float, two: float) -> None:
    if objective.better(one, two):
        assert objective.loss(one) <= objective.loss(two)
        baseline = objective.value(0.5)
        assert objective.skill(one, baseline) > objective.skill(two, baseline)


@pytest.mark.parametrize("objective", ALL, ids=lambda o: o.name)
def test_a_perfect_model_has_skill_one_and_loss_zero(objective: Objective) -> None:
    assert objective.loss(objective.best) == 0.0
    assert objective.loss(math.nan) == 1.0
    assert objective.skill(objective.best, objective.value(0.7)) == pytest.approx(1.0)
    assert (objective.best > objective.worst) is objective.maximise


def test_the_log_loss_is_measured_against_equal_probabilities() -> None:
    assert metric_objective("log_loss", 10).loss(math.log(10)) == pytest.approx(1.0)
    assert metric_objective("log_loss", 10).loss(math.log(2)) < 0.31
    assert recorded_objective({"metric": "log_loss", "classes": 3}).worst == pytest.approx(math.log(3))
    assert recorded_objective({"metric": "log_loss"}).worst == pytest.approx(math.log(2))  # written by an older version


def test_the_default_metric_comes_first() -> None:
    assert metrics_for("classification", 2)[0] == "roc_auc"
    assert metrics_for("classification", 5)[0] == "roc_auc"
    assert metrics_for("classification", 5, "image")[0] == "accuracy"
    assert metrics_for("classification", 2, "sequence")[0] == "roc_auc"
    assert metrics_for("regression", 0, "image") == ("r2", "mse", "mae")
    assert set(metrics_for("classification", 5, "image")) == set(metrics_for("classification", 5))


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"no metric 'auc'.*roc_auc.*log_loss"):
        metric_objective("auc")


def test_a_guard_is_a_metric_of_the_same_task() -> None:
    for objective in METRICS.values():
        assert not objective.guard or METRICS[objective.guard].task == objective.task
