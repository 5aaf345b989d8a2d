"""Candidates that a person draws: evaluated next, told to the strategy, never lost and never evaluated twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from run_examples import numbers, synthetic, until

from nas_core.data import Problem
from nas_core.errors import RunError, SpaceError
from nas_core.records import Architecture, RunState
from nas_core.runs import registry
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import Store

Launch = Callable[..., Run]


def drawn(space: SearchSpace, count: int, seed: int = 99) -> list[Architecture]:
    return [space.sample(np.random.default_rng([seed, i])) for i in range(count)]


def test_own_architectures_come_first_and_the_strategy_goes_on(
    problem: Problem, space: SearchSpace, store: Store
) -> None:
    own = drawn(space, 3)
    settings = RunSettings(candidates=30, pack_size=8, first_pack=8)
    run = registry.start_run(store, problem, space, settings, first=own, evaluator=synthetic())
    assert run.wait(20)
    found = store.evaluations(run.id)
    assert [e.architecture for e in found[:3]] == own
    assert [(e.origin, e.operator) for e in found[:3]] == [("manual", "drawn")] * 3
    assert len({e.id for e in found}) == len(found) == 30
    assert {e.origin for e in found[3:]} == {"strategy"}


def test_a_live_run_takes_a_drawing_next_and_only_once(launch: Launch, space: SearchSpace, store: Store) -> None:
    run = launch(synthetic(0.01), candidates=60)
    until(lambda: len(store.evaluations(run.id)) >= 8)
    (own,) = drawn(space, 1)
    parent = store.evaluations(run.id)[0].id
    run.propose(own, parents=[parent])
    run.propose(own)
    assert run.wait(30)
    found = store.evaluations(run.id)
    mine = [e for e in found if e.id == own.id]
    assert [(e.origin, e.parents) for e in mine] == [("manual", (parent,))]
    assert mine[0].index < 40, "it did not wait for the end of the run"
    assert [e.index for e in found] == list(range(60))


def test_a_drawing_survives_a_stop_before_its_evaluation(launch: Launch, space: SearchSpace, store: Store) -> None:
    run = launch(synthetic(0.02), candidates=40)
    until(lambda: len(store.evaluations(run.id)) >= 8)
    run.pause()
    until(lambda: run.state is RunState.PAUSED)
    (own,) = drawn(space, 1)
    run.propose(own)
    until(lambda: any(e.kind == "proposed" for e in store.events(run.id)))
    run.stop()
    assert run.wait(10)
    assert own.id not in {e.id for e in store.evaluations(run.id)}
    again = registry.resume_run(store, run.id, evaluator=synthetic())
    assert again.wait(20)
    found = store.evaluations(run.id)
    assert own.id in {e.id for e in found}
    assert len(found) == 40


def test_a_stop_in_the_middle_of_own_candidates_changes_nothing_in_the_end(
    problem: Problem, space: SearchSpace, store: Store
) -> None:
    own = drawn(space, 8)
    settings = RunSettings(candidates=24, pack_size=8, first_pack=8)
    whole = registry.start_run(store, problem, space, settings, first=own, evaluator=synthetic())
    assert whole.wait(20)
    run = registry.start_run(store, problem, space, settings, first=own, evaluator=synthetic(0.1))
    until(lambda: len(store.evaluations(run.id)) >= 2)
    run.stop()
    assert run.wait(10)
    assert len(store.evaluations(run.id)) < 8
    again = registry.resume_run(store, run.id, evaluator=synthetic())
    assert again.wait(20)
    assert numbers(store.evaluations(run.id)) == numbers(store.evaluations(whole.id))


def test_what_is_not_in_the_space_is_refused_with_the_reason(
    problem: Problem, space: SearchSpace, store: Store, launch: Launch
) -> None:
    deep = next(a for a in drawn(space, 20) if a.values["depth"])
    foreign = Architecture(family=space.family, values={**deep.values, "width": 7})
    with pytest.raises(SpaceError, match=r"not in the search space: .*width is 7.*wider space"):
        registry.start_run(store, problem, space, RunSettings(), first=[foreign], evaluator=synthetic())
    assert store.runs() == []
    run = launch(candidates=8)
    run.wait(20)
    with pytest.raises(RunError, match="cannot be given another candidate"):
        run.propose(drawn(space, 1)[0])
