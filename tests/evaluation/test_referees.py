"""Evaluators whose candidates a referee may end: what such an evaluation holds, and that nobody else notices."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
import pytest
from signal_examples import problem_of

from nas_core.data import Problem, Recipe, load_data
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.packs import HALTED, PackEvaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Halt, Proposal, Status
from nas_core.spaces import SearchSpace, facts

STRUCTURAL = ("feature_parsimony", "interaction_sparsity", "monotone_share", "operation_economy")


class Scripted:
    """Ends the candidates of a list after so many epochs; looks at every second one."""

    def __init__(self, ends: Mapping[str, tuple[int, Halt]], every: int = 2) -> None:
        self.ends, self.every = ends, every

    def looks_at(self, epoch: int) -> bool:
        return bool(self.every) and epoch % self.every == 0

    def halt(self, candidate: str, epoch: int, epochs: int, performance: float | None) -> Halt | None:
        assert epoch < epochs
        assert (performance is not None) == self.looks_at(epoch)
        at, halt = self.ends.get(candidate, (epochs, None))
        return halt if epoch >= at else None


def evaluated(
    evaluator: Evaluator, proposals: list[Proposal], referee: Scripted | None = None
) -> dict[str, Evaluation]:
    found = evaluator.evaluate(proposals, stop=threading.Event(), referee=referee)
    return {e.id: e for e in found}


def numbers(evaluation: Evaluation, *, seen: bool = False) -> dict[str, object]:
    """Everything but clocks, and without what was seen on the way."""
    whole = evaluation.model_dump(exclude={"finished": True, "cost": {"seconds"}})
    if not seen:
        whole["curves"] = {name: curve for name, curve in whole["curves"].items() if "performance" not in name}
    return whole


PRUNED, GIVEN_UP = Halt(Status.PRUNED, "dominated"), Halt(Status.CANCELLED, "a person gave it up")


@pytest.fixture(scope="module", params=["table", "image", "synthetic"])
def case(request: pytest.FixtureRequest) -> tuple[Problem, SearchSpace, list[Proposal], type[Evaluator] | None]:
    rng = np.random.default_rng(0)
    if request.param == "image":
        whole = problem_of("image", classes=3)
        recipe = Recipe(max_epochs=6, batch_size=32, patience=6, schedule="one_cycle")
        measures = ("interaction_sparsity", "operation_economy", "additivity")
        problem = Problem.create(
            whole.dataset, recipe=recipe, measures=measures, fractions=whole.spec.fractions
        )  # fmt: skip
        space = SearchSpace.for_problem(problem)
        cheap = sorted(space.initial(14, rng), key=lambda p: facts(space, p.architecture).operations)
        return problem, space, cheap[:5], PackEvaluator
    problem = Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=6, batch_size=64, patience=6))
    space = SearchSpace.for_problem(problem)
    kind = PackEvaluator if request.param == "table" else None
    return problem, space, space.initial(8, rng, problem.hints), kind


Case = tuple[Problem, SearchSpace, list[Proposal], type[Evaluator] | None]


def made(case: Case) -> Evaluator:
    problem, space, _, kind = case
    return SyntheticEvaluator(space, 5, epochs=6) if kind is None else PackEvaluator(problem, space, 5, device="cpu")


def test_what_an_ended_candidate_tells_and_that_the_others_are_the_same(case: Case) -> None:
    proposals, plain = case[2], evaluated(made(case), case[2])
    ids = [p.architecture.id for p in proposals]
    ends = {ids[1]: (4, PRUNED), ids[3]: (1, GIVEN_UP)}
    evaluator = made(case)
    found = evaluated(evaluator, proposals, Scripted(ends))
    assert set(found) == set(plain)
    for key in set(ids) - set(ends):
        assert numbers(found[key]) == numbers(plain[key])
    for key, (epoch, halt) in ends.items():
        e, whole = found[key], plain[key]
        assert (e.status, e.reason) == (halt.status, halt.reason)
        assert not e.eligible
        assert e.curves["valid_loss"] == whole.curves["valid_loss"][:epoch]
        assert e.curves.get("performance_epoch", []) == [float(n) for n in range(2, epoch + 1, 2)]
        assert e.performance.low <= e.performance.value <= e.performance.high
        assert e.skill is not None
        assert set(e.measures) == set(whole.measures)
        for name, measure in e.measures.items():
            if name in STRUCTURAL and measure.value is not None:
                assert measure.value == whole.measures[name].value or not whole.eligible
            else:
                assert measure.reason == HALTED or "no value for it" in measure.reason
    assert {ids[1], ids[3]} <= set(evaluator.take_weights())


def test_a_referee_that_ends_nobody_changes_nothing(case: Case) -> None:
    plain = evaluated(made(case), case[2])
    for referee in (Scripted({}, every=0), Scripted({}, every=1)):
        found = evaluated(made(case), case[2], referee)
        for key, e in found.items():
            assert numbers(e, seen=not referee.every) == numbers(plain[key], seen=True)
            if referee.every and e.status is Status.DONE:
                assert e.curves["performance_epoch"] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_the_last_performance_seen_is_the_one_judged_where_the_last_epoch_is_the_best(case: Case) -> None:
    found = evaluated(made(case), case[2], Scripted({}, every=1)).values()
    last = [e for e in found if e.eligible and e.curves["valid_loss"][-1] == min(e.curves["valid_loss"])]
    assert last
    for e in last:
        assert e.curves["performance"][-1] == pytest.approx(e.performance.value, abs=2e-3)


def test_made_up_curves_rise_to_the_made_up_performance() -> None:
    space = SearchSpace.for_problem(Problem.create(load_data("breast_cancer")))
    proposals = space.initial(30, np.random.default_rng(1))
    ids = [p.architecture.id for p in proposals]
    evaluator = SyntheticEvaluator(space, 2, epochs=20, failing={ids[0]}, ineligible={ids[1]})
    found = evaluated(evaluator, proposals, Scripted({ids[1]: (3, PRUNED)}, every=1))
    assert found[ids[0]].status is Status.FAILED
    assert found[ids[1]].performance.value == 0.5
    early = []
    for e in found.values():
        if e.status is Status.DONE:
            seen = e.curves["performance"]
            assert len(seen) == len(e.curves["valid_loss"]) == 20
            assert seen == sorted(seen)
            assert seen[-1] == pytest.approx(e.performance.value, abs=1e-12)
            early.append((seen[2], seen[-1]))
    order = np.argsort(np.array(early), axis=0)
    assert (order[:, 0] != order[:, 1]).any(), "curves cross"


def test_a_made_up_candidate_is_given_up_while_it_is_waited_for() -> None:
    space = SearchSpace.for_problem(Problem.create(load_data("breast_cancer")))
    (proposal,) = space.initial(1, np.random.default_rng(1))
    evaluator = SyntheticEvaluator(space, 2, epochs=1000, delay=60.0)
    ended = evaluated(evaluator, [proposal], Scripted({proposal.architecture.id: (2, GIVEN_UP)}, every=0))
    found = ended[proposal.architecture.id]
    assert found.status is Status.CANCELLED
    assert found.cost.seconds == pytest.approx(0.12)
    assert evaluator.take_seconds()["train"] < 10.0
