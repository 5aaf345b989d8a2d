"""The untrained twin, the guards asked again, and behaviour off the data: known answers and bad input."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from audited_candidates import made_table

from nas_core.audit.eligibility import guard_checks, row_losses
from nas_core.audit.off_data import off_data_check
from nas_core.audit.untrained import untrained_twin
from nas_core.data import Problem, load_data
from nas_core.evaluation.packs import PackEvaluator
from nas_core.explanations import TrainedCandidate
from nas_core.interpretability import MeasureContext, measure_pack
from nas_core.records import Architecture, Evaluation, Measurement, Proposal
from nas_core.spaces import SearchSpace, facts
from nas_core.training.progress import PackItem
from nas_core.training.untrained import untrained_pack

VALUES = {
    "marks": {}, "depth": 2, "width": 16, "activation": "tanh", "connections": "full", "normalisation": "none",
    "dropout": 0.0, "weight_decay": 0.0, "optimiser": "adam", "learning_rate": 0.02, "encoding": "standardised",
}  # fmt: skip


def built(problem: Problem, *groups: tuple[int, ...], linear: bool = False) -> tuple[SearchSpace, Architecture]:
    space = SearchSpace.for_problem(problem, "accurate")
    return space, space.architecture({**VALUES, "groups": [{"features": list(g), "linear": linear} for g in groups]})


@pytest.fixture(scope="module")
def dense() -> tuple[Problem, SearchSpace, Evaluation, TrainedCandidate]:
    problem = made_table("product", features=5)
    space, architecture = built(problem, (0, 1, 2))
    evaluator = PackEvaluator(problem, space, 0, device="cpu")
    (found,) = evaluator.evaluate([Proposal(architecture=architecture)], stop=threading.Event())
    weights = evaluator.take_weights()[found.id]
    return problem, space, found, TrainedCandidate(problem, space, architecture, weights)


def test_the_twin_is_measured_as_any_network_is(dense: tuple) -> None:
    problem, space, found, _ = dense
    rows = untrained_twin(problem, space, found.architecture, found.measures, seed=found.seed, device="cpu")
    known = [facts(space, found.architecture)]
    pack = untrained_pack(problem, space, [PackItem(found.architecture, found.seed)], device="cpu")
    direct = measure_pack(MeasureContext(space, [found.architecture], known, problem, pack), list(found.measures))[0]
    assert {r.name: r.untrained for r in rows} == direct
    assert {r.name: r.trained for r in rows} == found.measures


def test_a_product_is_less_additive_than_the_network_it_began_as_and_that_is_a_warning(dense: tuple) -> None:
    problem, space, found, _ = dense
    rows = {
        r.name: r for r in untrained_twin(problem, space, found.architecture, found.measures, seed=found.seed)
    }  # fmt: skip
    assert rows["additivity"].warning
    assert rows["additivity"].untrained.value > rows["additivity"].trained.value + 0.3
    assert "not learned from the data" in rows["additivity"].words
    for name in ("feature_parsimony", "interaction_sparsity", "operation_economy"):
        assert rows[name].structural
        assert not rows[name].warning
        assert rows[name].trained.value == rows[name].untrained.value


def test_what_the_architecture_alone_sees_to_is_no_warning() -> None:
    problem = made_table("two", features=4)
    space, architecture = built(problem, (0,), (3,), linear=True)
    measures = {"additivity": Measurement(value=1.0, low=1.0, high=1.0)}
    (row,) = untrained_twin(problem, space, architecture, measures, seed=0)
    assert not row.warning
    assert "the architecture alone sees to it" in row.words


def test_a_measure_without_a_value_says_why() -> None:
    problem = made_table("two", features=4)
    space, architecture = built(problem, (0,), linear=True)
    (row,) = untrained_twin(problem, space, architecture, {"additivity": Measurement(reason="no luck")}, seed=0)
    assert (row.warning, row.words) == (False, "no luck")


def test_the_guards_say_the_same_of_the_stored_network(dense: tuple) -> None:
    problem, _, found, candidate = dense
    checks = guard_checks(candidate, found, device="cpu")
    assert [c.name for c in checks] == ["skill", "varies", "values", "learnt"]
    assert all(c.ok for c in checks), checks
    assert "Training brought its validation loss from" in checks[-1].words
    kept = found.curves["valid_loss"][int(np.argmin(found.curves["valid_loss"]))]
    outputs = (candidate.predict(problem.valid.raw) - problem.target_mean) / problem.target_sd
    assert row_losses(problem, outputs).mean() == pytest.approx(kept, rel=1e-4)


def test_an_untrained_network_fails_the_guard_of_learning(dense: tuple) -> None:
    problem, space, found, _ = dense
    pack = untrained_pack(problem, space, [PackItem(found.architecture, found.seed)], device="cpu")
    raw = TrainedCandidate(problem, space, found.architecture, pack.weights(0))
    failed = [c.name for c in guard_checks(raw, found, device="cpu") if c.ok is False]
    assert failed == ["learnt"]


def test_weights_that_are_no_numbers_are_said() -> None:
    problem = made_table("classes", features=4)
    space, architecture = built(problem, (0,), linear=True)
    pack = untrained_pack(problem, space, [PackItem(architecture, 0)], device="cpu")
    broken = {name: np.full_like(values, np.nan) for name, values in pack.weights(0).items()}
    e = Evaluation(id=architecture.id, architecture=architecture, status="done")
    skill, finite = guard_checks(TrainedCandidate(problem, space, architecture, broken), e)
    assert (skill.ok, skill.words) == (None, "Its skill was not recorded.")
    assert (finite.ok, finite.name) == (False, "finite")


def test_losses_are_those_of_the_training_with_balanced_classes() -> None:
    problem = Problem.create(load_data("iris"), class_weights="balanced")
    f = np.random.default_rng(0).normal(size=(len(problem.valid), 3))
    chance = np.exp(f) / np.exp(f).sum(1, keepdims=True)
    expected = -np.log(chance[np.arange(len(f)), problem.valid.y]) * problem.valid.weights
    np.testing.assert_allclose(row_losses(problem, f), expected)


X = np.random.default_rng(0).normal(size=(300, 4))


@pytest.mark.parametrize(
    ("predict", "rows", "reason"),
    [
        (lambda Z: Z[:, 0], X[:20], "There are 20 rows"),
        (lambda Z: Z[:, 0], np.ones((300, 4)), "Fewer than two features vary"),
        (lambda Z: Z[:, 0] * np.nan, X, "not finite"),
        (lambda Z: np.full(len(Z), 0.7), X, "do not vary"),
    ],
)
def test_behaviour_off_the_data_has_a_reason_where_there_is_no_verdict(
    predict: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, reason: str
) -> None:
    found = off_data_check(predict, rows)
    assert reason in found.reason
    assert found.words == f"{found.reason}."
    assert (found.flagged, found.lost) == (False, None)


def test_a_function_of_several_outputs_with_missing_values_is_compared() -> None:
    rows = X.copy()
    rows[::7, 1] = np.nan
    found = off_data_check(lambda Z: np.column_stack([Z[:, 0], -Z[:, 2], 0 * Z[:, 0]]), rows, seed=2)
    assert not found.flagged
    assert found.possible > 0.8
    assert found == off_data_check(lambda Z: np.column_stack([Z[:, 0], -Z[:, 2], 0 * Z[:, 0]]), rows, seed=2)


def test_noise_is_not_accused() -> None:
    """What trees cannot follow is no evidence of anything."""
    found = off_data_check(lambda Z: np.sin(1e4 * Z.sum(1)), X)
    assert not found.flagged
    assert "cannot follow it" in found.words
