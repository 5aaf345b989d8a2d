"""The real evaluator: small packs, trained for real."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from nas_core.data import Problem, Recipe, load_data
from nas_core.data.measured import OF_TABLES
from nas_core.evaluation.base import PackProgress
from nas_core.evaluation.packs import NOT_MEASURED, PackEvaluator
from nas_core.evaluation.performance import metric_values
from nas_core.explanations import TrainedCandidate
from nas_core.records import Architecture, Evaluation, Proposal, Status
from nas_core.spaces import SearchSpace

RECIPE = Recipe(max_epochs=8, batch_size=64, patience=8)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"), recipe=RECIPE)


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


@pytest.fixture(scope="module")
def proposals(problem: Problem, space: SearchSpace) -> list[Proposal]:
    return space.initial(12, np.random.default_rng(0), problem.hints)


@pytest.fixture(scope="module")
def evaluator(problem: Problem, space: SearchSpace) -> PackEvaluator:
    return PackEvaluator(problem, space, 5, device="cpu")


@pytest.fixture(scope="module")
def found(evaluator: PackEvaluator, proposals: list[Proposal]) -> list[Evaluation]:
    return list(evaluator.evaluate(proposals, stop=threading.Event()))


def timeless(evaluations: Sequence[Evaluation]) -> list[dict[str, object]]:
    return [e.model_dump(exclude={"finished": True, "cost": {"seconds"}}) for e in evaluations]


def test_every_proposal_is_evaluated_in_order(found: list[Evaluation], proposals: list[Proposal]) -> None:
    assert [e.id for e in found] == [p.architecture.id for p in proposals]
    assert [(e.operator, e.parents) for e in found] == [(p.operator, p.parents) for p in proposals]
    assert sum(e.status is Status.DONE for e in found) >= 8


def test_what_is_eligible_is_measured_and_what_is_not_is_not(found: list[Evaluation]) -> None:
    for e in found:
        assert tuple(e.measures) == OF_TABLES
        assert e.performance is not None
        assert e.skill is not None
        assert e.performance.low <= e.performance.value <= e.performance.high
        assert (e.skill.low > 0) == e.eligible
        for measure in e.measures.values():
            assert (measure.value is None) != e.eligible
            assert e.eligible or measure.reason == NOT_MEASURED


def test_weights_rebuild_the_candidate_that_was_judged(
    evaluator: PackEvaluator, found: list[Evaluation], problem: Problem, space: SearchSpace
) -> None:
    weights = evaluator.take_weights()
    assert set(weights) == {e.id for e in found}
    ones = np.ones((1, len(problem.valid)))
    for e in found[::3]:
        candidate = TrainedCandidate(problem, space, e.architecture, weights[e.id])
        outputs = candidate.predict(problem.valid.raw)[None]
        assert e.performance is not None
        assert metric_values("roc_auc", problem.valid.y, outputs, ones)[0, 0] == pytest.approx(
            e.performance.value, abs=1e-3
        )


def test_a_candidate_alone_gets_the_same_numbers(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], found: list[Evaluation]
) -> None:
    alone = PackEvaluator(problem, space, 5, device="cpu")
    for at in (0, 5, 11):
        again = next(iter(alone.evaluate(proposals[at : at + 1], stop=threading.Event())))
        one, other = again.performance, found[at].performance
        assert one is not None
        assert other is not None
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-3)
        assert again.curves["valid_loss"] == pytest.approx(found[at].curves["valid_loss"], rel=1e-4)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], found: list[Evaluation]
) -> None:
    again = list(PackEvaluator(problem, space, 5, device="cpu").evaluate(proposals, stop=threading.Event()))
    assert timeless(again) == timeless(found)
    other = list(PackEvaluator(problem, space, 6, device="cpu").evaluate(proposals[:2], stop=threading.Event()))
    assert timeless(other) != timeless(found[:2])


def test_it_tells_how_far_it_is_and_how_long_it_took(
    problem: Problem, space: SearchSpace, proposals: list[Proposal]
) -> None:
    evaluator = PackEvaluator(problem, space, device="cpu")
    told: list[PackProgress] = []
    list(evaluator.evaluate(proposals[:3], stop=threading.Event(), on_progress=told.append))
    phases = [p.phase for p in told if p.phase != "prepare"]
    assert phases == ["train"] * (len(phases) - 1) + ["measure"]
    assert len(phases) > 1
    assert all((p.size, p.epochs) == (3, 8) for p in told if p.phase != "prepare")
    assert [p.epoch for p in told] == sorted(p.epoch for p in told)
    seconds = evaluator.take_seconds()
    assert seconds["train"] > 0
    assert seconds["measure"] > 0
    assert evaluator.take_seconds() == {"train": 0.0, "measure": 0.0}


def test_a_stop_cancels_the_pack(problem: Problem, space: SearchSpace, proposals: list[Proposal]) -> None:
    stop = threading.Event()
    long = PackEvaluator(problem, space, recipe=Recipe(max_epochs=2000, patience=2000), device="cpu")

    def after_two(progress: PackProgress) -> None:
        if progress.epoch >= 2:
            stop.set()

    found = list(long.evaluate(proposals, stop=stop, on_progress=after_two))
    assert [e.status for e in found] == [Status.CANCELLED] * len(proposals)
    assert all(e.performance is None and not e.measures for e in found)
    assert long.take_weights() == {}
    assert {e.status for e in long.evaluate(proposals, stop=stop)} == {Status.CANCELLED}


def test_one_candidate_that_crashes_does_not_take_its_pack_along(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], found: list[Evaluation]
) -> None:
    broken = Proposal(
        architecture=Architecture(family="tabular", values={**proposals[0].architecture.values, "encoding": "?"})
    )
    pack = [*proposals[:3], broken, *proposals[3:6]]
    results = list(PackEvaluator(problem, space, 5, device="cpu").evaluate(pack, stop=threading.Event()))
    assert [e.id for e in results] == [p.architecture.id for p in pack]
    assert [e.status for e in results].count(Status.FAILED) == 1
    assert results[3].status is Status.FAILED
    assert "There is no encoding '?'" in results[3].reason
    assert [e.status for e in results[:3] + results[4:]] == [e.status for e in found[:6]]


def test_a_regression_is_judged_in_the_unit_of_the_target() -> None:
    problem = Problem.create(load_data("diabetes"), recipe=RECIPE)
    space = SearchSpace.for_problem(problem)
    proposals = space.initial(6, np.random.default_rng(0), problem.hints)
    found = list(PackEvaluator(problem, space, device="cpu").evaluate(proposals, stop=threading.Event()))
    best = max(e.performance.value for e in found if e.performance)
    assert 0.2 < best < 0.7
    assert all(e.skill == e.performance for e in found if e.performance)


def test_several_classes() -> None:
    problem = Problem.create(load_data("wine"), recipe=RECIPE)
    space = SearchSpace.for_problem(problem)
    proposals = space.initial(6, np.random.default_rng(0), problem.hints)
    found = list(PackEvaluator(problem, space, device="cpu").evaluate(proposals, stop=threading.Event()))
    assert max(e.performance.value for e in found if e.performance) > 0.9
