"""The simulated user: foresees what explanations tell, and no more than a bounded memory holds."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited_candidates import made_table, trained
from signal_examples import problem_of

import nas_core
from nas_core.audit import random_control, simulated_user_accuracy
from nas_core.audit.simulated_user import LEVELS, Term, studied, terms_of
from nas_core.data import Problem
from nas_core.explanations import SignalCandidate, TrainedCandidate, explain
from nas_core.interpretability import DEFAULT_MEASURES, MEASURES
from nas_core.objectives import metrics_for
from nas_core.preferences import Preference
from nas_core.spaces import SearchSpace

SINGLE = [(j,) for j in range(8)]


@pytest.fixture(scope="module")
def two() -> TrainedCandidate:
    return trained(made_table("two"), *SINGLE)


@pytest.fixture(scope="module")
def every() -> TrainedCandidate:
    return trained(made_table("all", 16), *[(j,) for j in range(15)])


@pytest.fixture(scope="module")
def product() -> TrainedCandidate:
    return trained(made_table("product"), (0, 1), epochs=200)


@pytest.fixture(scope="module")
def classes() -> TrainedCandidate:
    return trained(made_table("classes"), *SINGLE)


def signal_network(kind: str) -> SignalCandidate:
    problem = problem_of(kind)
    space = SearchSpace.for_problem(problem)
    architecture = space.sample(np.random.default_rng(0))
    module = space.engine.module(space, architecture.values)  # type: ignore[attr-defined]
    weights = {name: value.numpy().copy() for name, value in module.state_dict().items()}
    return SignalCandidate.rebuilt(problem, space, architecture, weights)


def test_a_network_of_few_simple_effects_is_foreseen(two: TrainedCandidate) -> None:
    found = simulated_user_accuracy(two)
    assert found.value is not None
    assert found.value > 0.75
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def test_what_does_not_fit_in_the_memory_is_not_foreseen(two: TrainedCandidate, every: TrainedCandidate) -> None:
    few, many = simulated_user_accuracy(every), simulated_user_accuracy(every, memory=15)
    assert few.value < many.value
    assert few.value < simulated_user_accuracy(two).value
    assert simulated_user_accuracy(two, memory=0).value == 0


def test_a_product_is_not_foreseen_from_single_effects(product: TrainedCandidate) -> None:
    corner = np.array([[0.8, 0.8], [-0.8, 0.8]])
    rows = np.tile(product.problem.valid.raw[:1], (2, 1))
    rows[:, :2] = corner
    assert np.ptp(product.predict(rows)) > 2  # it has learned the product
    assert simulated_user_accuracy(product).value < 0.4


def level(value: float, borders: np.ndarray | None) -> float:
    """Return the part of the values that one lies in."""
    if borders is None:
        return value
    return 99 if np.isnan(value) else sum(value >= e for e in borders)


def by_hand(candidate: TrainedCandidate, memory: int = 5) -> float:
    """Return the share of right guesses, in loops."""
    told, problem = studied(candidate, 0), candidate.problem
    asked = problem.valid.raw
    truth = candidate.predict(asked)[:, 0]
    sizes = np.abs(told.values[:, :, 0]).mean(0)
    guesses = np.full(len(asked), told.base[0])
    for j in [int(j) for j in np.argsort(-sizes, kind="stable")[:memory]]:
        x, phi = told.data[:, j], told.values[:, j, 0]
        borders = None  # of three levels each is kept
        if problem.dataset.features[j].kind != "categorical":
            borders = np.quantile(x[~np.isnan(x)], [0.2, 0.4, 0.6, 0.8])
        for i, row in enumerate(asked):
            same = [p for v, p in zip(x, phi) if level(v, borders) == level(row[j], borders)]
            guesses[i] += np.mean(same) if same else phi.mean()
    if problem.task == "classification":
        return float(((guesses > 0) == (truth > 0)).mean())
    return float((np.abs(guesses - truth) <= truth.std() / 2).mean())


@pytest.mark.parametrize("memory", [1, 5])
def test_the_guesses_are_those_of_a_slow_twin(two: TrainedCandidate, classes: TrainedCandidate, memory: int) -> None:
    for candidate in (two, classes):
        found = simulated_user_accuracy(candidate, memory=memory)
        assert found.raw == pytest.approx(by_hand(candidate, memory), abs=1e-9)


def test_it_is_corrected_for_the_best_constant_guess(classes: TrainedCandidate, two: TrainedCandidate) -> None:
    found = simulated_user_accuracy(classes)
    answers = classes.predict(classes.problem.valid.raw)[:, 0] > 0
    constant = max(answers.mean(), 1 - answers.mean())
    assert found.value == pytest.approx(max(0.0, (found.raw - constant) / (1 - constant)))
    outputs = two.predict(two.problem.valid.raw)[:, 0]
    near = max(float((np.abs(outputs - guess) <= outputs.std() / 2).mean()) for guess in outputs)
    told = simulated_user_accuracy(two)
    assert told.value == pytest.approx((told.raw - near) / (1 - near))


def test_a_term_recalls_the_mean_of_its_level_and_of_all_where_it_knows_none() -> None:
    term = Term(np.array([0, 0, 1, 3]), np.array([0, 1, 2, 3]), np.array([[1.0], [3.0], [5.0], [-1.0]]))
    assert term.recalled()[:, 0] == pytest.approx([2.0, 5.0, 2.0, -1.0])
    assert term.size == pytest.approx(2.5)
    alike = Term(np.array([0]), np.array([0]), np.array([[4.0, 4.0, 4.0]]))
    assert alike.size == 0  # the same for every class decides nothing


def test_a_user_tells_few_levels_apart(classes: TrainedCandidate) -> None:
    problem = classes.problem
    told = studied(classes, 0)
    for term in terms_of(problem, told, problem.valid.raw):
        assert len(np.unique(term.studied)) <= LEVELS + 1  # a missing value is one more
        assert set(np.unique(term.asked)) <= set(range(LEVELS + 2))


@pytest.mark.parametrize("kind", ["image", "series", "padded", "words"])
def test_signals_are_foreseen_by_their_cells_or_words(kind: str) -> None:
    candidate = signal_network(kind)
    found = simulated_user_accuracy(candidate)
    assert found.value is not None or found.reason
    if found.value is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1
    told = studied(candidate, 0)
    terms = terms_of(candidate.problem, told, candidate.problem.valid.raw)
    assert terms
    if kind == "words":  # a word is one thing wherever it stands: nothing is lost and nothing counted twice
        assert sum(t.values for t in terms) == pytest.approx(told.values.sum(1) - padding(told), abs=1e-9)


def padding(told: object) -> np.ndarray:
    here = np.nan_to_num(told.data) == 0  # type: ignore[attr-defined]
    return np.einsum("np,npc->nc", here.astype(float), told.values)  # type: ignore[attr-defined]


def test_the_same_seed_gives_the_same_answer(classes: TrainedCandidate) -> None:
    assert simulated_user_accuracy(classes, seed=3) == simulated_user_accuracy(classes, seed=3)


class TestBadInput:
    """What cannot be asked is told in words."""

    def test_a_constant_network(self) -> None:
        candidate = trained(made_table("classes"), (0,))
        with_bias = [p for n, p in candidate.module.named_parameters() if n == "bias"]
        for parameter in candidate.module.parameters():
            parameter.data.zero_()
        with_bias[0].data.fill_(2.0)
        found = simulated_user_accuracy(candidate)
        assert found.value is None
        assert "nothing to foresee" in found.reason
        assert "does not change the output" in random_control(candidate).reason

    def test_too_few_rows(self, classes: TrainedCandidate) -> None:
        few = explain(classes, classes.problem.train.raw[:5])
        assert "it needs 10 explained rows, there are 5" in simulated_user_accuracy(classes, attribution=few).reason

    def test_attributions_that_are_not_numbers(self, classes: TrainedCandidate) -> None:
        told = studied(classes, 0)
        values = told.values.copy()
        values[-1, 0, 0] = np.nan
        broken = replace(told, values=values)
        assert "not numbers" in simulated_user_accuracy(classes, attribution=broken).reason
        assert "not numbers" in random_control(classes, broken).reason

    def test_attributions_in_another_unit(self, classes: TrainedCandidate) -> None:
        told = replace(studied(classes, 0), unit="share")
        assert "cannot be added up" in simulated_user_accuracy(classes, attribution=told).reason

    def test_a_network_whose_outputs_are_not_numbers(self) -> None:
        candidate = trained(made_table("classes"), (0,), epochs=1)
        candidate.module.bias.data.fill_(float("nan"))
        assert "not finite" in simulated_user_accuracy(candidate).reason
        assert "no explanation to judge" in random_control(candidate).reason

    def test_one_feature(self) -> None:
        problem = made_table("classes")
        found = simulated_user_accuracy(trained(problem, (0,)))
        assert found.value > 0.6


def test_audit_measures_are_in_no_registry_and_no_objective() -> None:
    names = {"simulated_user_accuracy", "simulated_user", "random_control", "random_control_faithfulness"}
    assert not names & {*MEASURES, *DEFAULT_MEASURES, *Preference().measures}
    for task, number in (("classification", 2), ("classification", 3), ("regression", 0)):
        for modality in ("tabular", "image", "sequence"):
            assert not names & set(metrics_for(task, number, modality))
    problem: Problem = made_table("classes")
    assert not names & {*problem.spec.measures, *problem.spec.search_measures}


def test_nothing_that_searches_imports_an_audit() -> None:
    root = Path(nas_core.__file__).parent
    rooms = ("data", "spaces", "training", "interpretability", "explanations", "evaluation", "search")
    for path in [p for room in rooms for p in (root / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            assert not [n for n in named if n.startswith("nas_core.audit")], path
