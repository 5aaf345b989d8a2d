"""Early stops in a whole run: they say why, are the same after a resume, and can be overruled."""

from __future__ import annotations

from collections.abc import Callable

from run_examples import numbers

from nas_core.data import Problem
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Status
from nas_core.runs.registry import resume_run
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore

Launch = Callable[..., Run]


def in_epochs(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
    """Return the fake that goes through as many epochs as the problem's recipe."""
    return SyntheticEvaluator(space, settings.seed, epochs=problem.spec.recipe.max_epochs)


def test_hopeless_candidates_are_ended_with_a_reason_and_only_where_it_is_asked_for(launch: Launch) -> None:
    run = launch(in_epochs, candidates=200, pack_size=20, first_pack=20, halving=True)
    assert run.wait(60)
    ended = [e for e in run.store.evaluations(run.id) if e.status is Status.PRUNED]
    assert len(ended) >= 10
    assert all(e.reason.startswith("Dominated at epoch ") and not e.eligible for e in ended)
    assert all(len(e.curves["performance"]) == len(e.curves["performance_epoch"]) >= 1 for e in ended)
    everything = launch(in_epochs, into=InMemoryStore(), candidates=200, pack_size=20, first_pack=20)
    assert everything.wait(60)
    assert not [e for e in everything.store.evaluations(everything.id) if e.status is Status.PRUNED]


def test_early_stops_are_the_same_when_a_run_goes_on_later(launch: Launch) -> None:
    settings = {"pack_size": 20, "first_pack": 20, "halving": True}
    whole = launch(in_epochs, candidates=160, **settings)
    assert whole.wait(60)
    parts = launch(in_epochs, into=InMemoryStore(), candidates=100, **settings)
    assert parts.wait(60)
    parts = resume_run(parts.store, parts.id, candidates=160, evaluator=in_epochs)
    assert parts.wait(60)
    assert numbers(parts.store.evaluations(parts.id)) == numbers(whole.store.evaluations(whole.id))


def test_an_early_stop_that_is_overruled_is_trained_to_the_end(launch: Launch) -> None:
    run = launch(in_epochs, candidates=160, pack_size=20, first_pack=20, halving=True)
    assert run.wait(60)
    early = next(e for e in run.store.evaluations(run.id) if e.status is Status.PRUNED)
    again = resume_run(run.store, run.id, candidates=180, overrule=[early.id], evaluator=in_epochs)
    assert again.wait(60)
    late = run.store.evaluation(run.id, early.id)
    assert (late.status, late.index) == (Status.DONE, early.index)
    assert late.eligible
    assert [e.payload["candidate"] for e in run.store.events(run.id) if e.kind == "replaced"] == [early.id]


def test_halving_can_be_turned_on_in_a_run_that_goes_on(launch: Launch) -> None:
    run = launch(in_epochs, candidates=80, pack_size=20, first_pack=20)
    assert run.wait(60)
    again = resume_run(run.store, run.id, candidates=200, halving=True, evaluator=in_epochs)
    assert again.wait(60)
    statuses = [e.status for e in run.store.evaluations(run.id)]
    assert Status.PRUNED not in statuses[:80]
    assert Status.PRUNED in statuses[80:]
