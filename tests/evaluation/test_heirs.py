"""Candidates that begin with their parents' weights are judged as all are: neither refused nor let through for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from nas_core.data import Problem, Recipe, load_data
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Architecture, Evaluation, Proposal, Status
from nas_core.spaces import SearchSpace
from nas_core.training.progress import Parent

RECIPE = Recipe(max_epochs=8, batch_size=64, patience=8)
STILL = {"learning_rate": 1e-12, "optimiser": "sgd", "weight_decay": 0.0}


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"), recipe=RECIPE)


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


def grown(problem: Problem, space: SearchSpace) -> tuple[Evaluation, Parent]:
    """A parent that was trained."""
    evaluator = PackEvaluator(problem, space, 5, device="cpu")
    (found,) = evaluator.evaluate([Proposal(architecture=plain())], stop=threading.Event())
    return found, Parent(found.architecture, evaluator.take_weights()[found.id])


def plain(**changes: object) -> Architecture:
    values = {
        "groups": [{"features": [0, 21], "linear": False}, {"features": [7], "linear": False}], "marks": {},
        "depth": 2, "width": 8, "activation": "tanh", "connections": "full", "normalisation": "none", "dropout": 0.0,
        "weight_decay": 0.001, "optimiser": "adam", "learning_rate": 0.003, "encoding": "standardised",
    }  # fmt: skip
    return Architecture(family="tabular", values={**values, **changes})


def born(problem: Problem, space: SearchSpace, parent: Parent, children: Sequence[Architecture]) -> list[Evaluation]:
    """The evaluations of children whose parent has been trained."""

    def parents(proposals: Sequence[Proposal]) -> dict[str, tuple[Parent, ...]]:
        return {p.architecture.id: (parent,) for p in proposals}

    evaluator = PackEvaluator(problem, space, 5, device="cpu", parents=parents)
    return list(evaluator.evaluate([Proposal(architecture=c) for c in children], stop=threading.Event()))


def test_heirs_are_marked_and_not_refused_as_untrained(problem: Problem, space: SearchSpace) -> None:
    before, parent = grown(problem, space)
    children = [plain(dropout=0.2), plain(groups=[{"features": [0, 21], "linear": False}]), plain(width=16)]
    heirs = born(problem, space, parent, children)
    assert [e.inherited for e in heirs] == [before.id, before.id, ""]
    assert {e.status for e in heirs} == {Status.DONE}
    own = PackEvaluator(problem, space, 5, device="cpu")
    twin = next(iter(own.evaluate([Proposal(architecture=children[0])], stop=threading.Event())))
    assert heirs[0].curves["valid_loss"][0] < twin.curves["valid_loss"][0]


def test_one_that_inherited_everything_has_learnt_what_its_parent_had(problem: Problem, space: SearchSpace) -> None:
    before, parent = grown(problem, space)
    (still,) = born(problem, space, parent, [plain(**STILL)])
    assert still.status is Status.DONE
    assert still.performance.value == pytest.approx(before.performance.value, abs=0.01)


def test_an_untrained_one_is_refused_although_it_has_a_parent(problem: Problem, space: SearchSpace) -> None:
    _, parent = grown(problem, space)
    strangers = [plain(width=16, **STILL), plain(activation="relu", **STILL)]
    for e in born(problem, space, parent, strangers):
        assert e.inherited == ""
        assert e.status is Status.INELIGIBLE
    alone = PackEvaluator(problem, space, 5, device="cpu")
    same = list(alone.evaluate([Proposal(architecture=a) for a in strangers], stop=threading.Event()))
    assert [e.reason for e in same] == [e.reason for e in born(problem, space, parent, strangers)]


def test_a_parent_that_knew_nothing_passes_on_nothing_to_be_let_through_for(
    problem: Problem, space: SearchSpace
) -> None:
    _, parent = grown(problem, space)
    silent = Parent(parent.architecture, {n: np.zeros_like(v) for n, v in parent.weights.items()})
    (child,) = born(problem, space, silent, [plain(**STILL)])
    assert child.inherited == parent.architecture.id
    assert child.status is Status.INELIGIBLE
