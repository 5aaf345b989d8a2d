"""The public fake keeps the promises of a real evaluator."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from signal_examples import problem_of

from nas_core.data import Problem, load_data
from nas_core.data.measured import OF_SIGNALS
from nas_core.evaluation.base import PackProgress
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.interpretability import MeasureContext, measure_pack
from nas_core.records import Evaluation, Proposal, Status
from nas_core.spaces import SearchSpace, facts


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(Problem.create(load_data("breast_cancer")))


@pytest.fixture(scope="module")
def proposals(space: SearchSpace) -> list[Proposal]:
    return space.initial(40, np.random.default_rng(0))


def evaluated(evaluator: SyntheticEvaluator, proposals: list[Proposal]) -> list[Evaluation]:
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    return [e.model_copy(update={"finished": 0.0}) for e in found]


def test_an_evaluation_depends_on_the_architecture_and_the_seed_only(
    space: SearchSpace, proposals: list[Proposal]
) -> None:
    whole = evaluated(SyntheticEvaluator(space, 1), proposals)
    assert evaluated(SyntheticEvaluator(space, 1), proposals[::-1]) == whole[::-1]
    assert evaluated(SyntheticEvaluator(space, 1), proposals[7:8]) == whole[7:8]
    assert evaluated(SyntheticEvaluator(space, 2), proposals) != whole


def test_its_structural_measures_are_the_real_ones(space: SearchSpace, proposals: list[Proposal]) -> None:
    architectures = [p.architecture for p in proposals]
    context = MeasureContext(space, architectures, [facts(space, a) for a in architectures])
    names = ("feature_parsimony", "interaction_sparsity", "monotone_share", "operation_economy")
    for found, measured in zip(evaluated(SyntheticEvaluator(space), proposals), measure_pack(context, names)):
        if found.status is Status.DONE:
            for name in names:
                assert found.measures[name].value == pytest.approx(measured[name].value, abs=1e-9)


def test_more_features_are_more_accurate_and_less_parsimonious(space: SearchSpace, proposals: list[Proposal]) -> None:
    done = [e for e in evaluated(SyntheticEvaluator(space), proposals) if e.performance is not None]
    performance = np.array([e.performance.value for e in done if e.performance])
    parsimony = np.array([e.measures["feature_parsimony"].value for e in done], float)
    assert len(done) > 20
    assert np.corrcoef(performance, parsimony)[0, 1] < -0.5


@pytest.mark.parametrize(("kind", "family"), [("image", "image"), ("image", "cell"), ("words", "sequence")])
def test_images_and_sequences(kind: str, family: str) -> None:
    space = SearchSpace.for_problem(problem_of(kind), family=family)
    proposals = space.initial(30, np.random.default_rng(0))
    found = evaluated(SyntheticEvaluator(space, 1), proposals)
    assert evaluated(SyntheticEvaluator(space, 1), proposals[3:4]) == found[3:4]
    architectures = [p.architecture for p in proposals]
    known = [facts(space, a) for a in architectures]
    measured = measure_pack(MeasureContext(space, architectures, known), ("interaction_sparsity", "operation_economy"))
    for e, exact in zip(found, measured):
        assert tuple(e.measures) == OF_SIGNALS
        assert all(0 <= m.value <= 1 for m in e.measures.values())
        assert {name: e.measures[name].value for name in exact} == {name: m.value for name, m in exact.items()}
    skills, operations = [e.skill.value for e in found], [np.log(k.operations) for k in known]
    assert np.corrcoef(skills, operations)[0, 1] > 0.5, "operations pay"
    assert np.ptp(skills) > 0.1


def test_failures_ineligible_ones_and_weights(space: SearchSpace, proposals: list[Proposal]) -> None:
    ids = [p.architecture.id for p in proposals[:4]]
    evaluator = SyntheticEvaluator(space, failing={ids[1]}, ineligible={ids[2]})
    found = evaluated(evaluator, proposals[:4])
    assert [e.status for e in found] == ["done", "failed", "ineligible", "done"]
    assert found[2].measures == {} and "ignores its inputs" in found[2].reason  # noqa: PT018
    assert set(evaluator.take_weights()) == {ids[0], ids[3]}
    assert evaluator.take_weights() == {}


def test_a_stop_cancels_what_is_not_finished(space: SearchSpace, proposals: list[Proposal]) -> None:
    stop = threading.Event()
    evaluator = SyntheticEvaluator(space, delay=30.0)
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    found = list(evaluator.evaluate(proposals, stop=stop))
    assert time.monotonic() - began < 2.0
    assert [e.status for e in found] == ["cancelled"] * len(proposals)
    assert evaluator.take_weights() == {}


def test_it_tells_how_far_it_is_and_how_long_it_took(space: SearchSpace, proposals: list[Proposal]) -> None:
    told: list[PackProgress] = []
    evaluator = SyntheticEvaluator(space, delay=0.01)
    list(evaluator.evaluate(proposals[:5], stop=threading.Event(), on_progress=told.append))
    assert [p.epoch for p in told] == [0, 1, 2, 3, 4]
    assert evaluator.take_seconds()["train"] >= 0.05
    assert evaluator.take_seconds()["train"] == 0.0
