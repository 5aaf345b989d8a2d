"""The trivial models beside every result."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from nas_core.data import Problem, load_data
from nas_core.evaluation.floors import FLOOR_LOSSES, Floor, trivial_floors
from nas_core.runs.report import floors_document


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"))


@pytest.fixture(scope="module")
def floors(problem: Problem) -> list[Floor]:
    return trivial_floors(problem)


def test_the_floors_are_those_that_the_literature_prints(floors: list[Floor]) -> None:
    names = [f.name for f in floors]
    assert names[:2] == ["featureless", "best_single_feature"]
    assert names[-1] == "logistic_regression"
    assert names[2:-1] == [f"greedy_{k}" for k in range(2, len(names) - 1)]
    assert floors[0].losses == (0.5, 0.0, 0.0, 0.0)
    assert all(len(f.losses) == len(FLOOR_LOSSES) for f in floors)
    assert [len(f.features) for f in floors[:-1]] == list(range(len(floors) - 1))


def test_each_step_of_the_greedy_path_helps(floors: list[Floor]) -> None:
    path = [f.performance for f in floors[:-1]]
    assert path == sorted(path)
    assert len(set(path)) == len(path)


def test_logistic_regression_is_scikit_learns(floors: list[Floor], problem: Problem) -> None:
    scaler = StandardScaler().fit(problem.train.X)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(problem.train.X), problem.train.y)
    expected = roc_auc_score(problem.valid.y, model.decision_function(scaler.transform(problem.valid.X)))
    assert floors[-1].performance == pytest.approx(expected, abs=2e-3)


def test_the_best_single_feature_is_the_best(floors: list[Floor], problem: Problem) -> None:
    each = [max(a, 1 - a) for a in (roc_auc_score(problem.valid.y, problem.valid.X[:, j]) for j in range(problem.P))]
    assert floors[1].features == (problem.feature_names[int(np.argmax(each))],)
    assert floors[1].performance == pytest.approx(max(each))


def test_the_document_holds_the_hypervolume_of_each_and_of_all(floors: list[Floor]) -> None:
    document = floors_document(floors)
    single = document["floors"]["best_single_feature"]
    p, share = 1 - single["losses"][0], 1 - single["losses"][1]
    assert document["floors"]["featureless"]["hypervolume"] == pytest.approx(0.5)
    assert single["hypervolume"] == pytest.approx(0.5 + (p - 0.5) * share)
    assert document["floors_hypervolume"] >= max(f["hypervolume"] for f in document["floors"].values())


def test_the_test_part_is_not_opened(problem: Problem, floors: list[Floor]) -> None:
    assert problem.test_opened == 0


@pytest.mark.parametrize(("name", "last"), [("diabetes", "linear_regression"), ("wine", "logistic_regression")])
def test_other_tasks_have_floors_too(name: str, last: str) -> None:
    floors = trivial_floors(Problem.create(load_data(name)))
    assert (floors[0].name, floors[-1].name) == ("featureless", last)
    assert floors[-1].performance > floors[0].performance
