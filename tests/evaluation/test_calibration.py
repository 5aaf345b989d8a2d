"""Calibration: an estimate that follows what was measured, for tables, images and sequences."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from signal_examples import problem_of

from nas_core.data import DataSource, Problem, Recipe, load_data
from nas_core.errors import SettingsError
from nas_core.evaluation.calibration import SHARED_AFTER, Calibration, Law, calibrate
from nas_core.evaluation.calibration_steps import sizes
from nas_core.evaluation.cores import processes_for
from nas_core.spaces import SearchSpace, facts
from nas_core.training.fit import PackItem, train_pack


@pytest.fixture(scope="module")
def image() -> Problem:
    whole = problem_of("image")
    recipe = Recipe(max_epochs=10, batch_size=16, patience=10, schedule="one_cycle")
    return Problem.create(whole.dataset, recipe=recipe, measures=("operation_economy", "additivity"))


@pytest.fixture(scope="module")
def space(image: Problem) -> SearchSpace:
    return SearchSpace.for_problem(image)


@pytest.fixture(scope="module")
def found(image: Problem, space: SearchSpace) -> Calibration:
    return calibrate(image, space, seed=1, budget_seconds=2.0)


def test_the_estimate_of_a_training_is_about_what_it_takes(
    found: Calibration, image: Problem, space: SearchSpace
) -> None:
    items = [PackItem(space.sample(np.random.default_rng(n)), n) for n in range(8)]
    train_pack(image, space, items[:1], device="cpu")
    result = train_pack(image, space, items, device="cpu")
    training = replace(found, law=replace(found.law, measuring=()))  # measuring is not what is compared here
    taken, expected = sum(o.seconds for o in result.outcomes), sum(training.seconds(i.architecture) for i in items)
    assert taken / 6 < expected < 6 * taken, "other work on the machine changes both"


def test_dearer_candidates_take_longer(found: Calibration, space: SearchSpace) -> None:
    drawn = [space.sample(np.random.default_rng(n)) for n in range(60)]
    drawn.sort(key=lambda a: facts(space, a).operations)
    assert found.seconds(drawn[-1]) > found.seconds(drawn[0])
    assert min(found.seconds(a) for a in drawn) > 0
    assert list(found.sample) == sorted(found.sample)


def test_it_says_what_was_measured_and_how_wide_the_spread_is(found: Calibration) -> None:
    assert "random networks trained for some gradient steps" in found.words
    assert "10 epochs" in found.words
    run = found.run_seconds(100)
    assert 0 < run.low <= run.value <= run.high
    assert found.run_seconds(200).value == pytest.approx(2 * run.value)
    with pytest.raises(SettingsError, match=r"0 candidates.*Allowed: 1 or more"):
        found.run_seconds(0)


@pytest.mark.parametrize("kind", ["series", "words"])
def test_sequences(kind: str) -> None:
    problem = problem_of(kind, classes=2)
    space = SearchSpace.for_problem(problem)
    began = time.monotonic()
    assert calibrate(problem, space, budget_seconds=1.0).run_seconds(10).value > 0
    assert time.monotonic() - began < 30


def test_tables_are_measured_in_packs() -> None:
    problem = Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=2, patience=2))
    space = SearchSpace.for_problem(problem)
    found = calibrate(problem, space, budget_seconds=20.0)
    assert "random candidates, trained and measured" in found.words
    a, b = (space.sample(np.random.default_rng(n)) for n in range(2))
    assert found.seconds(a) == found.seconds(b) > 0
    run = found.run_seconds(64)
    assert run.low <= run.value <= run.high


def test_what_all_cores_share_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(max_epochs=2, patience=2)
    source = load_data("breast_cancer")
    problem = Problem.create(source, recipe=recipe)
    space = SearchSpace.for_problem(problem)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert calibrate(problem, space, budget_seconds=0.5).shared == 1.0
    monkeypatch.delenv("OMP_NUM_THREADS")
    cores = processes_for(problem, space, torch.device("cpu"))
    if cores == 1:
        pytest.skip("one processor core has nobody to share with")
    found = calibrate(problem, space, budget_seconds=0.5)
    assert 0 < found.shared <= 1
    assert f"{min(cores, 5)} processes share every pack" in found.words
    handed_over = replace(source, source=DataSource(kind="memory", location="a table"))
    assert processes_for(Problem.create(handed_over, recipe=recipe), space, torch.device("cpu")) == 1


@given(st.floats(0.01, 1), st.floats(0.001, 1), st.integers(1, 5000))
def test_a_search_is_quicker_once_all_cores_share_it(shared: float, each: float, candidates: int) -> None:
    alone = Calibration(SPACE, Law(1.0), 1, (each, each), "")
    together = replace(alone, shared=shared).run_seconds(candidates).value
    seconds = alone.run_seconds(candidates).value
    if seconds <= SHARED_AFTER:
        assert together == seconds
    else:
        assert together - SHARED_AFTER == pytest.approx(shared * (seconds - SHARED_AFTER), rel=1e-6, abs=1e-6)


def test_a_pack_that_takes_too_long_is_carried_on() -> None:
    problem = Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=3000, patience=3000))
    found = calibrate(problem, SearchSpace.for_problem(problem), budget_seconds=1.5)
    assert "carried on to the last epoch" in found.words
    run = found.run_seconds(64)
    assert run.value > 3.0, "3000 epochs are more than the seconds that were measured"
    assert run.low < run.value < run.high


def test_sizes_are_those_of_the_layers(space: SearchSpace) -> None:
    linear = next(v for name, v in space.engine.landmarks(space, None) if name == "linear model of the pixels")
    architecture = space.architecture(linear)
    assert sizes(space, architecture) == (facts(space, architecture).operations, 36 + 3, 2)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.integers(1, 1000), st.integers(1, 8))
def test_the_interval_holds_the_estimate(sample: list[float], candidates: int, workers: int) -> None:
    whole = Calibration(SPACE, Law(1.0), workers, tuple(sorted(sample)), "")
    run = whole.run_seconds(candidates)
    assert run.low <= run.value <= run.high
    assert run.value == pytest.approx(candidates * np.mean(sample) / workers)


@given(st.floats(1, 1e7))
def test_a_law_lies_between_its_points(operations: float) -> None:
    law = Law(2.0, (1e-6, 0.5), ((10.0, 1.0), (1e6, 3.0)))
    own = 2.0 + 1e-6 * operations + 0.5 * 4
    assert own + 1.0 <= law.seconds((operations, 4.0)) <= own + 3.0


SPACE = SearchSpace.for_problem(problem_of("image"))
