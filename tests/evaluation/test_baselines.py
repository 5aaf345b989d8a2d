"""Plain models on the axes of a search: what is known of them, that they are judged alike, and data of every kind."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from signal_examples import problem_of
from typer.testing import CliRunner

from nas_core import Problem, baselines, load_data
from nas_core.command import app
from nas_core.data import Dataset, dataset_from_frame
from nas_core.errors import SettingsError
from nas_core.evaluation.baseline_models import MODELS, FittedModel, Model, TrainingRows
from nas_core.evaluation.baselines import Baseline
from nas_core.evaluation.floors import trivial_floors
from nas_core.interpretability import MEASURES
from nas_core.secrecy import HIDDEN

QUICK = tuple(m for m in MODELS if not m.library)
BY_NAME = {m.name: m for m in MODELS}
Made = dict[str, Baseline]


def made(problem: Problem, *names: str, measures: Any = None) -> Made:
    """Return baselines of a problem by name: those named, or all that are quick."""
    models = [BY_NAME[n] for n in names] or QUICK
    return {b.name: b for b in baselines(problem, measures=measures, models=models)}


@pytest.fixture(scope="module")
def cancer() -> tuple[Problem, Made]:
    problem = Problem.create(load_data("breast_cancer"))
    return problem, made(problem)


def test_the_simplest_come_first_and_only_the_constant_is_undefined(cancer: tuple[Problem, Made]) -> None:
    problem, found = cancer
    assert list(found) == [m.name for m in QUICK]
    constant = found["featureless"]
    assert constant.performance.value == pytest.approx(problem.baseline)
    assert not constant.eligible
    assert "ignores its inputs" in constant.reason
    assert all(m.value is None and m.reason for m in constant.measures.values())
    for name in list(found)[1:]:
        assert found[name].eligible, name
        assert found[name].performance.value > 0.9
        assert found[name].performance.low <= found[name].performance.value <= found[name].performance.high
    assert problem.test_opened == 0


def test_what_is_known_by_construction_is_exact(cancer: tuple[Problem, Made]) -> None:
    found = cancer[1]
    linear, tree = found["linear"], found["decision_tree"]
    for name in ("interaction_sparsity", "additivity", "monotone_share", "main_effect_simplicity"):
        assert linear.measures[name].value == pytest.approx(1.0), name
    assert linear.operations == len(linear.features) == 30
    assert tree.operations == 4
    k = len(tree.features)
    assert tree.measures["feature_parsimony"].raw == k
    assert tree.measures["interaction_sparsity"].raw == pytest.approx(k * (k - 1) / (30 * 29))
    assert tree.measures["monotone_share"].raw == pytest.approx(k / 30)
    assert found["random_forest"].operations > 100
    assert found["gradient_boosting"].measures["interaction_sparsity"].value == 0


def test_the_linear_one_is_as_good_as_the_linear_floor(cancer: tuple[Problem, Made]) -> None:
    problem, found = cancer
    floor = next(f for f in trivial_floors(problem) if f.name == "logistic_regression")
    assert found["linear"].performance.value == pytest.approx(floor.performance, abs=0.01)


def test_they_survive_json(cancer: tuple[Problem, Made]) -> None:
    for baseline in cancer[1].values():
        assert Baseline.model_validate_json(baseline.model_dump_json()) == baseline
        json.loads(json.dumps(baseline.model_dump(mode="json"), allow_nan=False))


def test_what_trees_read_together_is_a_group_and_a_single_column_is_none() -> None:
    X = np.random.default_rng(0).normal(size=(400, 3))
    boosting = BY_NAME["gradient_boosting"]
    both = boosting.fit(TrainingRows(X[:, :2], X[:, 0] * X[:, 1], None, 1, False))
    assert (0, 1) in both.groups
    alone = boosting.fit(TrainingRows(X[:, :1], X[:, 0], None, 1, False))
    assert (alone.used, alone.groups) == ((0,), ())
    tree = BY_NAME["decision_tree"].fit(TrainingRows(X, (X[:, 1] > 0).astype(int), None, 1, True))
    assert (tree.used, tree.groups, tree.operations) == ((1,), (), 1)


def test_what_a_network_shows_by_gradients_a_function_shows_by_masks() -> None:
    found = made(Problem.create(load_data("iris")), "linear", "decision_tree", measures=list(MEASURES))
    for name in ("attribution_sparsity", "explanation_stability"):
        assert 0 <= found["decision_tree"].measures[name].value <= 1
    assert "gradients" in found["decision_tree"].measures["explainer_agreement"].reason
    assert set(found["linear"].measures) == set(MEASURES)


def test_a_regression_is_judged_in_its_unit() -> None:
    problem = Problem.create(load_data("diabetes"), metric="mae")
    found = made(problem, "featureless", "linear")
    assert found["linear"].label == "Ridge regression"
    assert 0.4 < found["linear"].performance.value < found["featureless"].performance.value
    assert found["linear"].eligible


def awkward(rows: int = 300) -> Dataset:
    """Return a table with missing values, categories, a constant column and three classes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(rows) < 0.1, np.nan, x),
            "town": rng.choice(["Ulm", "Jena", "Bonn"], rows),
            "same": 1.0,
            "y": np.array(["low", "mid", "high"])[np.digitize(x, (-0.5, 0.5))],
        }
    )
    return dataset_from_frame(frame, "y")


def test_missing_values_categories_and_three_classes() -> None:
    found = made(Problem.create(awkward(), class_weights="balanced"))
    for name, baseline in found.items():
        if name != "featureless":
            assert baseline.eligible, (name, baseline.reason)
            assert "x" in baseline.features
            assert baseline.measures["additivity"].value is not None
    assert found["linear"].measures["monotone_share"].value < 1  # a missing value need not lie in the middle


@pytest.mark.parametrize("kind", ["image", "series", "padded", "words"])
def test_images_series_and_words(kind: str) -> None:
    problem = problem_of(kind, classes=2)
    found = made(problem, "linear", "decision_tree", "random_forest")
    for baseline in found.values():
        assert baseline.performance is not None, baseline.reason
    linear, tree = found["linear"], found["decision_tree"]
    if linear.eligible:
        assert linear.measures["additivity"].value == linear.measures["interaction_sparsity"].value == 1.0
        assert "no layer" in linear.measures["introspectability"].reason
    if tree.eligible:
        assert 0 <= tree.measures["additivity"].value <= 1
    if kind == "words":
        assert len(tree.features) == problem.P


def test_a_measure_that_does_not_exist_is_said_at_once() -> None:
    with pytest.raises(SettingsError, match="no measure 'magic'"):
        baselines(Problem.create(load_data("iris")), measures=["magic"])


def test_progress_is_told_and_a_model_that_cannot_be_fitted_has_a_reason() -> None:
    def broken(_rows: TrainingRows) -> FittedModel:
        raise RuntimeError("no memory, token=abc")

    models = (
        MODELS[0],
        Model("linear", "Logistic regression", broken),
        Model("wanted", "Something else", broken, library="no_such_library"),
        Model("dear", "Something dear", broken, most_numbers=10),
    )
    told: list[tuple[str, int, int]] = []
    ready: list[Baseline] = []
    problem = Problem.create(load_data("iris"))
    found = baselines(problem, None, None, lambda *step: told.append(step), on_found=ready.append, models=models)
    assert ready == found
    assert told[:2] == [("No feature at all", 0, 4), ("Logistic regression", 1, 4)]
    assert found[1].reason == f"RuntimeError: no memory, token={HIDDEN}"
    assert 'pip install "nasight[baselines]"' in found[2].reason
    assert "would take minutes" in found[3].reason
    for baseline in found[1:]:
        assert baseline.performance is None
        assert not baseline.eligible
        assert all(m.reason == baseline.reason for m in baseline.measures.values())


@pytest.mark.slow
def test_the_command_prints_a_table_and_a_document() -> None:
    answer = CliRunner().invoke(app, ["baselines", "iris", "--json"])
    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.stdout)
    assert document["metric"] == "roc_auc"
    assert [b["name"] for b in document["baselines"]] == [m.name for m in MODELS]
    shown = CliRunner().invoke(app, ["baselines", "iris", "--measures", "additivity"])
    assert "Decision tree of depth 4" in shown.stdout
    wrong = CliRunner().invoke(app, ["baselines", "iris", "--measures", "magic"])
    assert wrong.exit_code == 2
    assert "no measure 'magic'" in wrong.stderr


@pytest.mark.slow
def test_the_explainable_boosting_machine_knows_its_pairs() -> None:
    pytest.importorskip("interpret")
    model = BY_NAME["explainable_boosting"]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    product = X[:, 0] * X[:, 1]
    noisy = 3 * product + X[:, 2] + rng.normal(size=600)  # without noise it would never stop early
    fitted = model.fit(TrainingRows(X, noisy, None, 1, False))
    assert any(set(g) == {0, 1} for g in fitted.groups)
    assert np.corrcoef(fitted.predict(X)[:, 0], 3 * product + X[:, 2])[0, 1] > 0.9
    classes = model.fit(TrainingRows(X, (noisy > 0).astype(int), None, 1, True))
    assert ((classes.predict(X)[:, 0] > 0) == (noisy > 0)).mean() > 0.75
    three = model.fit(TrainingRows(X, np.digitize(X[:, 0], (-0.5, 0.5)), None, 3, True))
    assert three.predict(X).shape == (600, 3)
    assert three.groups == ()
