"""All metrics of a task: the searched one as the search reports it, the others as scikit-learn gives them."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.data import Problem, load_data
from nas_core.errors import SettingsError
from nas_core.evaluation.metric_intervals import metric_intervals, validation_outputs
from nas_core.evaluation.performance import Judge
from nas_core.objectives import metrics_for


@pytest.mark.parametrize(
    ("name", "transform"), [("breast_cancer", "none"), ("iris", "none"), ("diabetes", "none"), ("diabetes", "log1p")]
)
def test_the_searched_metric_has_the_interval_of_the_search(name: str, transform: str) -> None:
    problem = Problem.create(load_data(name), target_transform=transform)
    rng = np.random.default_rng(1)
    outputs = rng.normal(size=(len(problem.valid), problem.C))
    found = metric_intervals(problem, outputs)
    classes = len(problem.dataset.classes)
    judge = Judge(problem.objective, problem.valid.target, baseline=problem.baseline, classes=classes,
                  seed=problem.spec.split_seed, unit=problem.judged)  # fmt: skip
    told = judge.judge(outputs[None])[0].performance
    own = found[problem.objective.name]
    assert (own.value, own.low, own.high) == pytest.approx((told.value, told.low, told.high))
    assert set(found) == set(metrics_for(problem.task, classes))
    assert all(e.low <= e.value <= e.high for e in found.values())


def test_classification_metrics_are_those_of_scikit_learn() -> None:
    from sklearn import metrics

    problem = Problem.create(load_data("breast_cancer"))
    outputs = np.random.default_rng(2).normal(size=(len(problem.valid), 1))
    y, predicted = problem.valid.target, (outputs[:, 0] > 0).astype(int)
    found = metric_intervals(problem, outputs, resamples=20)
    for name, oracle in (
        ("accuracy", metrics.accuracy_score),
        ("balanced_accuracy", metrics.balanced_accuracy_score),
        ("f1", metrics.f1_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
    ):
        assert found[name].value == pytest.approx(oracle(y, predicted))
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(y, outputs[:, 0]))


def test_what_a_candidate_predicts_becomes_what_its_network_gives() -> None:
    problem = Problem.create(load_data("diabetes"))
    outputs = np.random.default_rng(3).normal(size=(len(problem.valid), 1))
    predicted = outputs * problem.target_sd + problem.target_mean
    assert np.allclose(validation_outputs(problem, predicted), outputs)


def test_other_rows_are_refused() -> None:
    problem = Problem.create(load_data("iris"))
    with pytest.raises(SettingsError, match="a row for each validation row"):
        metric_intervals(problem, np.zeros((3, 3)))
