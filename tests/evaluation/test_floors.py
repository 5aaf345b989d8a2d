"""The trivial models beside every result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from nas_core.data import Dataset, Problem, dataset_from_frame, image_signal, load_data, sequence_signal
from nas_core.data.arrays import signal_dataset
from nas_core.evaluation.floors import Floor, floor_losses, trivial_floors
from nas_core.runs.report import floors_document


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"))


@pytest.fixture(scope="module")
def floors(problem: Problem) -> list[Floor]:
    return trivial_floors(problem)


def test_the_floors_are_those_that_the_literature_prints(floors: list[Floor], problem: Problem) -> None:
    names = [f.name for f in floors]
    assert names[:2] == ["featureless", "best_single_feature"]
    assert names[-1] == "logistic_regression"
    assert names[2:-1] == [f"greedy_{k}" for k in range(2, len(names) - 1)]
    assert floors[0].losses == (0.5, 0.0, 0.0, 0.0)
    assert floor_losses(problem) == ("performance", "feature_parsimony", "interaction_sparsity", "monotone_share")
    assert all(len(f.losses) == 4 for f in floors)
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


@pytest.mark.parametrize("metric", ["mse", "mae", "r2"])
def test_floors_of_a_quantity_get_better_whichever_way_that_is(metric: str) -> None:
    problem = Problem.create(load_data("diabetes"), metric)
    floors = trivial_floors(problem)
    path = [f.losses[0] for f in floors[:-1]]
    assert path == sorted(path, reverse=True)
    assert floors[0].performance == problem.baseline
    assert (floors[1].performance > floors[0].performance) is (metric == "r2")
    X, own = problem.train.E[:, _standardised(problem)], problem.train.target
    fitted = LinearRegression().fit(X, own).predict(problem.valid.E[:, _standardised(problem)])
    mse = float(np.mean((fitted - problem.valid.target) ** 2))
    if metric == "mse":
        assert floors[-1].performance == pytest.approx(mse, rel=1e-3)


def _standardised(problem: Problem) -> np.ndarray:
    return np.concatenate([problem.encoder.columns("standardised", j) for j in range(problem.P)])


def test_a_floor_of_a_transformed_target_is_judged_without_the_transform() -> None:
    problem = Problem.create(load_data("diabetes"), "mse", target_transform="log1p")
    columns = _standardised(problem)
    model = Ridge(alpha=1e-6).fit(problem.train.E[:, columns], np.log1p(problem.dataset.y[problem.train.rows]))
    own = np.clip(np.expm1(model.predict(problem.valid.E[:, columns])), *_range(problem))
    expected = np.mean((own - problem.dataset.y[problem.valid.rows]) ** 2) / problem.target_scale.own_sd**2
    assert trivial_floors(problem)[-1].performance == pytest.approx(expected, rel=1e-4)


def _range(problem: Problem) -> tuple[float, float]:
    y = problem.dataset.y[problem.train.rows]
    return float(y.min()), float(y.max())


def test_class_weights_reach_the_floors() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=600)})
    frame["target"] = np.where(frame.x + rng.normal(size=600) > 2, "rare", "common")
    data = dataset_from_frame(frame)
    plain, balanced = (
        trivial_floors(Problem.create(data, "balanced_accuracy", class_weights=w))[-1].performance
        for w in ("none", "balanced")
    )
    assert balanced > plain + 0.1


def images(rows: int = 240) -> Dataset:
    """Three classes of 8 × 8 images: the mean of the upper left quarter decides."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, rows)
    X = rng.normal(size=(rows, 1, 8, 8))
    X[:, 0, :2, :2] += 3.0 * y[:, None, None]
    return signal_dataset(X, y, image_signal(1, 8, 8).model_copy(update={"cell": (2, 2)}), name="squares")


def texts(rows: int = 300) -> Dataset:
    """Two classes of texts: only those of the second hold word 5, anywhere; word 1 begins each."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, rows)
    X = rng.integers(6, 20, (rows, 6))
    X[np.arange(rows), rng.integers(1, 6, rows)] = np.where(y == 1, 5, 6)
    X[:, 0] = 1
    signal = sequence_signal(1, 6, vocabulary=20, words=tuple(f"w{k}" for k in range(20)))
    return signal_dataset(X[:, None, :], y, signal, name="texts")


def without_effort(data: Dataset) -> Problem:
    """A problem whose searched measures need no search space."""
    problem = Problem.create(data)
    spec = problem.spec.model_copy(update={"search_measures": ("interaction_sparsity", "additivity")})
    return Problem(spec, data, problem.split)


def test_images_have_floors_of_one_cell_and_of_all_columns() -> None:
    problem = without_effort(images())
    floors = trivial_floors(problem)
    assert [f.name for f in floors] == ["featureless", "best_single_cell", "logistic_regression"]
    assert floors[1].features == ("patch 1.1",)
    assert floors[0].losses == (pytest.approx(1 - problem.baseline), 0.0, 0.0)
    assert floors[1].performance > 0.9
    assert floors[2].losses[1:] == (0.0, 0.0)
    assert problem.test_opened == 0
    model = LogisticRegression(max_iter=300).fit(problem.train.E, problem.train.y)
    assert floors[2].performance == pytest.approx(model.score(problem.valid.E, problem.valid.y))


def test_the_linear_model_of_a_text_counts_words() -> None:
    floors = trivial_floors(without_effort(texts()))
    assert floors[2].label == "Logistic regression on all word counts"
    assert floors[2].performance > 0.99  # no single place says so much
    assert floors[1].performance < 0.8


def test_padded_series_have_floors() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=120)
    X = rng.normal(size=(120, 2, 5))
    X[:, 1, 2] += 2 * y
    X[::3, :, 4] = np.nan
    data = signal_dataset(X, y, sequence_signal(2, 5, padded=True), name="series", task="regression")
    floors = trivial_floors(without_effort(data))
    assert floors[1].features == ("step 3",)
    assert floors[2].name == "linear_regression"
    assert floors[1].performance > 0.6
