"""The real evaluator on images and sequences: each candidate by itself, as soon as it is trained."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from signal_examples import problem_of

from nas_core.data import Problem, Recipe
from nas_core.evaluation import turns
from nas_core.evaluation.base import PackProgress
from nas_core.evaluation.packs import PackEvaluator
from nas_core.evaluation.performance import metric_values
from nas_core.evaluation.turns import in_turns
from nas_core.explanations import SignalCandidate
from nas_core.records import Architecture, Evaluation, Proposal, Status
from nas_core.spaces import SearchSpace, facts

RECIPE = Recipe(max_epochs=6, batch_size=32, patience=6, schedule="one_cycle")
MEASURES = ("interaction_sparsity", "operation_economy", "additivity")


def made(kind: str, classes: int) -> Problem:
    whole = problem_of(kind, classes=classes)
    return Problem.create(whole.dataset, recipe=RECIPE, measures=MEASURES, fractions=whole.spec.fractions)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return made("image", 3)


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


@pytest.fixture(scope="module")
def proposals(space: SearchSpace) -> list[Proposal]:
    return sorted(space.initial(14, np.random.default_rng(0)), key=lambda p: facts(space, p.architecture).operations)[
        :7
    ]


@pytest.fixture(scope="module")
def evaluator(problem: Problem, space: SearchSpace) -> PackEvaluator:
    return PackEvaluator(problem, space, 5, device="cpu")


@pytest.fixture(scope="module")
def found(evaluator: PackEvaluator, proposals: list[Proposal]) -> dict[str, Evaluation]:
    evaluations = list(evaluator.evaluate(proposals, stop=threading.Event()))
    assert len(evaluations) == len(proposals)
    return {e.id: e for e in evaluations}


def test_every_proposal_is_judged_and_measured(found: dict[str, Evaluation], proposals: list[Proposal]) -> None:
    assert set(found) == {p.architecture.id for p in proposals}
    assert {p.operator for p in proposals} == {e.operator for e in found.values()}
    assert sum(e.status is Status.DONE for e in found.values()) >= 3
    for e in found.values():
        assert e.performance is not None
        assert e.performance.low <= e.performance.value <= e.performance.high
        assert len(e.curves["valid_loss"]) == RECIPE.max_epochs
        assert tuple(e.measures) == MEASURES
        if e.status is Status.DONE:
            assert all(m.value is not None for m in e.measures.values())
        assert e.cost.seconds > 0


def test_weights_rebuild_the_candidate_that_was_judged(
    evaluator: PackEvaluator, found: dict[str, Evaluation], problem: Problem, space: SearchSpace
) -> None:
    weights = evaluator.take_weights()
    assert set(weights) == set(found)
    ones = np.ones((1, len(problem.valid)))
    for e in found.values():
        outputs = SignalCandidate.rebuilt(problem, space, e.architecture, weights[e.id]).predict(problem.valid.raw)
        again = metric_values(problem.objective.name, problem.valid.target, outputs[None], ones)[0, 0]
        assert again == pytest.approx(e.performance.value, abs=1e-6)


def test_a_candidate_alone_gets_the_same_numbers(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], found: dict[str, Evaluation]
) -> None:
    alone = PackEvaluator(problem, space, 5, device="cpu")
    for proposal in proposals[::3]:
        again = next(iter(alone.evaluate([proposal], stop=threading.Event())))
        other = found[again.id]
        assert (again.performance, again.curves, again.measures) == (other.performance, other.curves, other.measures)


def test_each_is_evaluated_while_others_are_trained(
    problem: Problem, space: SearchSpace, proposals: list[Proposal]
) -> None:
    stop = threading.Event()
    quick, *rest = in_turns(space, proposals)[0]
    long = PackEvaluator(problem, space, recipe=Recipe(max_epochs=400, patience=60, min_delta=10.0), device="cpu")
    results = long.evaluate([*rest, quick], stop=stop)
    first = next(results)
    assert first.id == quick.architecture.id, "the cheapest comes first"
    assert first.status in (Status.DONE, Status.INELIGIBLE)
    stop.set()
    left = list(results)
    assert len(left) == len(rest)
    assert Status.CANCELLED in {e.status for e in left}
    assert first.id in long.take_weights()


def test_one_that_cannot_be_built_fails_alone(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], found: dict[str, Evaluation]
) -> None:
    values = {**proposals[0].architecture.values, "optimiser": "?"}
    broken = Proposal(architecture=Architecture(family="image", values=values))
    results = list(
        PackEvaluator(problem, space, 5, device="cpu").evaluate([proposals[0], broken], stop=threading.Event())
    )
    by_id = {e.id: e for e in results}
    assert by_id[broken.architecture.id].status is Status.FAILED
    assert by_id[broken.architecture.id].reason.startswith("KeyError")
    assert by_id[proposals[0].architecture.id].performance == found[proposals[0].architecture.id].performance


def test_one_that_has_no_facts_fails_alone(problem: Problem, space: SearchSpace, proposals: list[Proposal]) -> None:
    broken = Proposal(architecture=Architecture(family="image", values={"stages": [{"nonsense": 1}]}))
    pack = [proposals[0], broken, proposals[1]]
    results = list(PackEvaluator(problem, space, 5, device="cpu").evaluate(pack, stop=threading.Event()))
    assert len(results) == 3
    assert [e.id for e in results if e.status is Status.FAILED] == [broken.architecture.id]


def test_it_tells_how_far_it_is_and_how_long_it_took(
    problem: Problem, space: SearchSpace, proposals: list[Proposal]
) -> None:
    evaluator, told = PackEvaluator(problem, space, device="cpu"), []
    list(evaluator.evaluate(proposals[:2], stop=threading.Event(), on_progress=told.append))
    assert all(isinstance(p, PackProgress) and p.size == 2 and p.epochs == 6 for p in told)
    assert [p.epoch for p in told] == sorted(p.epoch for p in told)
    assert told[-1].epoch == 6
    seconds = evaluator.take_seconds()
    assert seconds["train"] > 0
    assert seconds["measure"] > 0


@pytest.mark.parametrize(("kind", "classes"), [("image", 0), ("image", 2), ("series", 2), ("padded", 3), ("words", 2)])
def test_every_kind_of_data(kind: str, classes: int) -> None:
    problem = made(kind, classes)
    space = SearchSpace.for_problem(problem)
    proposals = space.initial(3, np.random.default_rng(1))
    found = list(PackEvaluator(problem, space, device="cpu").evaluate(proposals, stop=threading.Event()))
    assert {e.status for e in found} <= {Status.DONE, Status.INELIGIBLE}
    assert all(e.performance is not None for e in found)


def test_turns_alternate_between_cheap_and_dear(
    space: SearchSpace, proposals: list[Proposal], monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = in_turns(space, proposals)
    cost = [facts(space, p.architecture).operations for p in one]
    assert sorted(p.architecture.id for p in one) == sorted(p.architecture.id for p in proposals)
    assert cost[0] == min(cost)
    assert cost[1] == max(cost)
    assert cost[::2] == sorted(cost[::2])
    assert cost[1::2] == sorted(cost[1::2], reverse=True)
    assert max(cost[::2]) <= min(cost[1::2])
    most = max(facts(space, p.architecture).parameters for p in proposals)
    monkeypatch.setattr(turns, "MOST_PARAMETERS", most)
    parts = in_turns(space, proposals)
    assert len(parts) > 1
    assert [p for part in parts for p in part] == one
    for part in parts:
        assert sum(facts(space, p.architecture).parameters for p in part) <= most
