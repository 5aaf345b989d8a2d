"""The split is fair and repeatable, and nothing a search uses depends on the test rows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.data import (
    Dataset,
    DataSource,
    FeatureSpec,
    Problem,
    ProblemSpec,
    Recipe,
    dataset_from_frame,
    load_data,
    split,
)
from nas_core.errors import DataError, SettingsError


def _dataset(y: np.ndarray, classes: int) -> Dataset:
    names = tuple(f"class {k}" for k in range(classes))
    task = "classification" if classes else "regression"
    source = DataSource(kind="memory", location="made up")
    X = np.arange(len(y), dtype=float)[:, None]
    return Dataset("made up", (FeatureSpec("x", "numeric"),), X, y, task, names, "y", source)


@settings(deadline=None)
@given(
    sizes=st.lists(st.one_of(st.just(3), st.integers(3, 60)), min_size=2, max_size=12),
    seed=st.integers(0, 2**40),
    shares=st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.1, 0.1), (0.34, 0.33, 0.33), (0.1, 0.1, 0.8)]),
)
def test_every_class_is_in_every_part_in_proportion(
    sizes: list[int], seed: int, shares: tuple[float, float, float]
) -> None:
    y = np.repeat(np.arange(len(sizes)), sizes)
    parts = split(_dataset(y, len(sizes)), seed, shares)
    together = np.concatenate([parts.train, parts.valid, parts.test])
    assert np.array_equal(np.sort(together), np.arange(len(y)))
    for rows, share in zip((parts.train, parts.valid, parts.test), shares, strict=True):
        assert np.all(np.diff(rows) > 0)
        counts = np.bincount(y[rows], minlength=len(sizes))
        assert np.all(counts >= 1)
        assert np.all(np.abs(counts - share * np.array(sizes)) <= 2 + 1e-9)


@settings(deadline=None)
@given(N=st.integers(10, 500), seed=st.integers(0, 2**40))
def test_the_split_of_a_regression_ignores_the_target(N: int, seed: int) -> None:
    rng = np.random.default_rng(0)
    one, two = (split(_dataset(rng.normal(size=N), 0), seed) for _ in range(2))
    assert np.array_equal(one.train, two.train)
    assert np.array_equal(one.test, two.test)
    assert abs(len(one.train) - 0.6 * N) <= 1


def test_the_split_depends_on_the_seed_and_is_the_same_in_another_process() -> None:
    code = "from nas_core.data import load_data, split; print(split(load_data('iris'), 7).valid.tolist())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    dataset = load_data("iris")
    assert there == str(split(dataset, 7).valid.tolist())
    assert there != str(split(dataset, 8).valid.tolist())


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.0), (0.9, 0.9, 0.9), (0.6, 0.4), (1.2, -0.1, -0.1)])
def test_fractions_must_add_up(fractions: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="three positive numbers that add up to 1"):
        split(load_data("iris"), 0, fractions)


def _mixed(task: str) -> Dataset:
    rng = np.random.default_rng(3)
    n = 200
    a, c = rng.normal(size=n), rng.integers(0, 4, n)
    signal = a + (c == 2) + rng.normal(size=n) * 0.3
    frame = pd.DataFrame({"a": np.where(rng.random(n) < 0.1, np.nan, a), "b": rng.normal(size=n), "c": c.astype(str)})
    frame["y"] = signal if task == "regression" else np.where(signal > 0.5, "high", "low")
    return dataset_from_frame(frame)


@pytest.mark.parametrize("poison", [np.nan, 1e30, -7.0])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("metric", [None, "accuracy", "log_loss"])
def test_poisoned_test_rows_change_nothing_the_search_sees(task: str, poison: float, metric: str | None) -> None:
    if task == "regression" and metric:
        metric = "r2"
    clean = _mixed(task)
    problem = Problem.create(clean, metric)
    test = problem.split.test
    X, y = clean.X.copy(), clean.y.copy()
    X[test] = poison
    y[test] = 0 if task == "classification" else poison
    poisoned = Problem(problem.spec, replace(clean, X=X, y=y), problem.split)
    for one, two in ((problem.train, poisoned.train), (problem.valid, poisoned.valid)):
        for field in ("rows", "raw", "X", "E", "y"):
            assert np.array_equal(getattr(one, field), getattr(two, field), equal_nan=True)
    for field in ("relevance", "interaction", "direction"):
        assert np.array_equal(getattr(problem.hints, field), getattr(poisoned.hints, field))
    assert problem.encoder.state() == poisoned.encoder.state()
    assert problem.baseline == poisoned.baseline
    assert (problem.target_mean, problem.target_sd) == (poisoned.target_mean, poisoned.target_sd)
    assert poisoned.test_opened == 0
    assert np.array_equal(poisoned.open_test().raw, X[test], equal_nan=True)
    assert poisoned.test_opened == 1


def test_parts_are_encoded_and_standardised_by_the_training_part() -> None:
    problem = Problem.create(load_data("diabetes"))
    train = problem.train
    assert train.y.mean() == pytest.approx(0, abs=1e-12)
    assert train.y.std() == pytest.approx(1)
    assert np.allclose(train.y * problem.target_sd + problem.target_mean, problem.dataset.y[train.rows])
    column = problem.encoder.columns("standardised", 0)[0]
    assert train.E[:, column].mean() == pytest.approx(0, abs=1e-6)
    assert abs(problem.valid.E[:, column].mean()) > 1e-4
    assert len(train) + len(problem.valid) + len(problem.open_test()) == problem.dataset.N


@pytest.mark.parametrize(
    ("name", "metric", "outputs"),
    [("breast_cancer", "roc_auc", 1), ("iris", "roc_auc", 3), ("diabetes", "r2", 1)],
)
def test_defaults(name: str, metric: str, outputs: int) -> None:
    problem = Problem.create(load_data(name))
    assert (problem.objective.name, problem.C) == (metric, outputs)
    assert problem.feature_names == problem.dataset.feature_names


@pytest.mark.parametrize(
    ("metric", "scorer", "options"),
    [
        ("accuracy", "accuracy", {}), ("balanced_accuracy", "balanced_accuracy", {}), ("roc_auc", "roc_auc", {}),
        ("log_loss", "neg_log_loss", {"strategy": "prior"}), ("f1", "f1", {"strategy": "constant", "constant": 1}),
        ("precision", "precision", {"strategy": "constant", "constant": 1}),
        ("r2", "r2", {}), ("mse", "neg_mean_squared_error", {}),
        ("mae", "neg_mean_absolute_error", {"strategy": "median"}),
    ],
)  # fmt: skip
def test_baseline_is_that_of_a_dummy_model(metric: str, scorer: str, options: dict) -> None:
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.metrics import get_scorer

    regression = metric in ("r2", "mse", "mae")
    problem = Problem.create(load_data("diabetes" if regression else "breast_cancer"), metric)
    train, valid = problem.train, problem.valid
    dummy = (DummyRegressor if regression else DummyClassifier)(**options)
    score = get_scorer(scorer)(dummy.fit(train.X, train.y), valid.X, valid.y)
    sign = 1.0 if problem.objective.maximise else -1.0
    assert problem.baseline == pytest.approx(sign * score, abs=0.02 if metric == "r2" else 1e-12)


@pytest.mark.parametrize("metric", ["recall", "precision", "f1", "log_loss"])
def test_the_baseline_of_several_classes(metric: str) -> None:
    problem = Problem.create(load_data("wine"), metric)
    shares = np.bincount(problem.train.y) / len(problem.train)
    expected = -np.mean(np.log(shares[problem.valid.y])) if metric == "log_loss" else 1 / 3
    assert problem.baseline == pytest.approx(expected)
    assert problem.objective.loss(problem.baseline) < 1.0


@pytest.mark.parametrize("balanced", [False, True])
def test_the_featureless_loss_is_that_of_a_dummy_model(balanced: bool) -> None:
    from sklearn.dummy import DummyClassifier

    problem = Problem.create(load_data("iris"), class_weights="balanced" if balanced else "none")
    dummy = DummyClassifier(strategy="prior").fit(problem.train.X, problem.train.y, problem.train.weights)
    shares = dummy.predict_proba(problem.valid.X)
    losses = -np.log(shares[np.arange(len(shares)), problem.valid.y])
    weights = np.ones(len(losses)) if problem.valid.weights is None else problem.valid.weights
    assert problem.featureless_loss == pytest.approx((losses * weights).mean(), rel=1e-4)
    quantities = Problem.create(load_data("diabetes"))
    assert quantities.featureless_loss == pytest.approx(np.mean(quantities.valid.y**2), rel=1e-6)


def test_a_metric_must_exist_and_fit() -> None:
    with pytest.raises(SettingsError, match=r"no metric 'auc'.*roc_auc"):
        Problem.create(load_data("iris"), "auc")
    with pytest.raises(SettingsError, match=r"'r2' does not fit classification.*roc_auc, accuracy"):
        Problem.create(load_data("iris"), "r2")


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
def test_a_problem_comes_back_from_its_spec(name: str) -> None:
    problem = Problem.create(load_data(name), seed=5, recipe=Recipe(max_epochs=3))
    again = Problem.load(ProblemSpec.model_validate_json(problem.spec.model_dump_json()))
    assert again.spec == problem.spec
    assert np.array_equal(again.train.E, problem.train.E)
    assert again.dataset.classes == problem.dataset.classes


def test_changed_data_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    _frame = pd.DataFrame({"a": np.arange(40) % 7, "target": np.arange(40) % 2})
    _frame.to_csv(file, index=False)
    problem = Problem.create(load_data(file, kinds={"a": "categorical"}))
    assert Problem.load(problem.spec).dataset.features == problem.dataset.features
    _frame.assign(a=1 + np.arange(40) % 5).to_csv(file, index=False)
    with pytest.raises(DataError, match=r"table.csv' changed.*restore the file"):
        Problem.load(problem.spec)


@settings(deadline=None)
@given(n=st.integers(3, 2_000_000))
def test_an_epoch_is_short_whatever_the_table(n: int) -> None:
    recipe = Recipe.for_rows(n)
    steps = -(-n // recipe.batch_size)
    assert steps <= 64
    assert steps >= min(5, n // 8)
    assert 40 <= recipe.max_epochs <= 60


def test_the_recipe_of_breast_cancer() -> None:
    recipe = Problem.create(load_data("breast_cancer")).spec.recipe
    assert (recipe.batch_size, recipe.max_epochs, recipe.patience) == (64, 60, 10)


def test_long_tables_are_thinned_evenly_and_say_so_in_the_spec() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=500), "target": rng.integers(0, 2, 500)})
    problem = Problem.create(dataset_from_frame(frame), max_train_rows=50, max_valid_rows=20)
    assert (len(problem.train), len(problem.valid)) == (50, 20)
    assert set(problem.train.rows) <= set(problem.split.train)
    assert problem.spec.max_train_rows == 50
    assert [n.split(" rows")[0] for n in problem.notes] == [
        "The search trains on 50 of 300",
        "The search compares candidates on 20 of 100",
    ]
    assert Recipe.for_rows(50) == problem.spec.recipe
