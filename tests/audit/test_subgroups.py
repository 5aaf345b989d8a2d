"""Subgroups: the few for whom a model does not work are found, chance is not taken for it, the small are counted."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.audit.subgroups import Subgroups, subgroup_skills
from nas_core.data import Dataset, DataSource, FeatureSpec, Problem, load_data


def table(rows: int = 3000, task: str = "classification", metric: str | None = None) -> Problem:
    """Return a problem with a number, a category whose third level is rare, missing values, and a constant."""
    rng = np.random.default_rng(0)
    group = rng.choice(3, size=rows, p=[0.6, 0.395, 0.005]).astype(float)
    age = rng.normal(size=rows)
    age[rng.random(rows) < 0.1] = np.nan
    signal = rng.normal(size=rows)
    X = np.column_stack([signal, age, group, np.ones(rows)])
    features = (
        FeatureSpec("signal", "numeric"), FeatureSpec("age", "numeric", missing=int(np.isnan(age).sum())),
        FeatureSpec("group", "categorical", ("red", "green", "rare")), FeatureSpec("one", "numeric"),
    )  # fmt: skip
    y = (signal > 0).astype(np.int64) if task == "classification" else signal
    classes = ("no", "yes") if task == "classification" else ()
    source = DataSource(kind="memory", location="groups")
    return Problem.create(Dataset("groups", features, X, y, task, classes, "y", source), metric)


def outputs_of(problem: Problem, broken: np.ndarray) -> np.ndarray:
    """Return good outputs, and noise on the ``broken`` rows."""
    noise = np.random.default_rng(1).normal(size=len(problem.valid))
    good = problem.valid.raw[:, 0] + 0.3 * noise
    return np.where(broken, noise, good)[:, None]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_group_that_is_failed_is_the_worst_and_clearly_lower(task: str) -> None:
    problem = table(task=task)
    found = subgroup_skills(problem, outputs_of(problem, problem.valid.raw[:, 2] == 1))
    assert found.worst is not None
    assert found.worst.name == "group = green"
    assert found.worst.lower
    assert found.worst.skill.value < 0.2 < found.overall.value
    assert "lower than all rows by more than chance, even after looking at all of them" in found.words
    assert found.worst.rows == int((problem.valid.raw[:, 2] == 1).sum())


def test_a_model_that_is_good_for_all_is_not_accused() -> None:
    problem = table()
    found = subgroup_skills(problem, outputs_of(problem, np.zeros(len(problem.valid), bool)))
    own = [g for g in found.groups if g.feature != 0]  # within a quarter of the signal it is harder for everybody
    assert own
    assert not any(g.lower for g in own)


def test_the_small_and_the_constant_are_no_groups() -> None:
    problem = table()
    found = subgroup_skills(problem, outputs_of(problem, np.zeros(len(problem.valid), bool)))
    names = [g.name for g in found.groups]
    assert "group = rare" not in names
    assert "age is missing" in names
    assert not any(name.startswith("one") for name in names)
    assert found.ignored >= 1
    assert "ignored (fewer than 30 rows" in found.words


def test_noise_alone_is_called_noise() -> None:
    accused = 0
    problem = table(rows=2000)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y = 2.0 * problem.valid.target - 1
        outputs = (y + 2.0 * rng.normal(size=len(y)))[:, None]  # equally good for everybody
        accused += any(g.lower for g in subgroup_skills(problem, outputs, seed=seed).groups)
    assert accused <= 2


def test_the_same_seed_finds_the_same() -> None:
    problem = table(rows=800)
    outputs = outputs_of(problem, np.zeros(len(problem.valid), bool))
    assert subgroup_skills(problem, outputs, seed=3) == subgroup_skills(problem, outputs, seed=3)


def test_few_rows_are_a_reason_in_words() -> None:
    problem = table(rows=100)
    found = subgroup_skills(problem, outputs_of(problem, np.zeros(len(problem.valid), bool)))
    assert found.groups == ()
    assert found.worst is None
    assert "No subgroup is large enough to say anything" in found.reason
    assert found.words.startswith("No subgroup is large enough")


def test_a_narrow_quarter_is_no_failure_of_a_regression() -> None:
    """Within a quarter of the only feature hardly anything varies, so R² within it would be far below 0."""
    problem = table(task="regression")
    found = subgroup_skills(problem, outputs_of(problem, np.zeros(len(problem.valid), bool)))
    assert all(g.skill.value > 0.8 for g in found.groups)
    assert found.overall.value == pytest.approx(0.91, abs=0.02)


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "f1", "recall", "balanced_accuracy"])
def test_every_metric_has_a_skill(metric: str) -> None:
    problem = table(metric=metric)
    found = subgroup_skills(problem, 3 * outputs_of(problem, np.zeros(len(problem.valid), bool)))
    assert found.groups
    assert all(g.skill.low <= g.skill.value <= g.skill.high for g in found.groups)


def test_a_constant_model_has_no_skill_anywhere() -> None:
    problem = table()
    found = subgroup_skills(problem, np.zeros((len(problem.valid), 1)))
    assert {g.skill.value for g in found.groups} == {0.0}
    assert not any(g.lower for g in found.groups)


def test_images_are_divided_by_class() -> None:
    problem = Problem.create(load_data("digits_images"))
    y, rng = problem.valid.target, np.random.default_rng(0)
    outputs = 5.0 * np.eye(10)[y] + rng.normal(size=(len(y), 10))
    threes = y == 3
    outputs[threes] = rng.normal(size=(int(threes.sum()), 10))
    found: Subgroups = subgroup_skills(problem, outputs)
    assert found.metric == "share found"
    assert found.worst.name == "class 3"
    assert found.worst.lower
    assert all(not g.lower for g in found.groups[1:])
    assert len(found.groups) + found.ignored == 10
