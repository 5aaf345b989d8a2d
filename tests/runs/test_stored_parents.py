"""Runs whose children start from their parents' stored weights: the same ones after a stop and a resume."""

from __future__ import annotations

import numpy as np
import pytest
from run_examples import numbers, until

from nas_core.data import Problem, Recipe, load_data
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Proposal, Status
from nas_core.runs import executing, registry
from nas_core.runs.candidates import load_weights
from nas_core.runs.inheriting import StoredParents
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.search.halving import Halving
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store

SETTINGS = RunSettings(strategy="local_search", candidates=24, pack_size=8, first_pack=8, inherit=True, device="cpu")


@pytest.fixture(scope="module")
def quick() -> Problem:
    return Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=3, batch_size=64, patience=3))


def begun(store: Store, problem: Problem, settings: RunSettings = SETTINGS) -> Run:
    return registry.start_run(store, problem, SearchSpace.for_problem(problem), settings)


@pytest.fixture(scope="module")
def whole(quick: Problem) -> tuple[Store, Run]:
    store = InMemoryStore()
    run = begun(store, quick)
    assert run.wait(60)
    return store, run


def test_children_say_whose_weights_they_began_with(whole: tuple[Store, Run]) -> None:
    store, run = whole
    found = {e.id: e for e in store.evaluations(run.id)}
    heirs = [e for e in found.values() if e.inherited]
    assert heirs
    for e in heirs:
        assert e.inherited in e.parents
        assert found[e.inherited].eligible
        assert found[e.inherited].index < 8 * (e.index // 8), "the parent was told before the pack"


def test_a_run_that_is_stopped_and_resumed_inherits_the_same(whole: tuple[Store, Run], quick: Problem) -> None:
    store = InMemoryStore()
    run = begun(store, quick)
    until(lambda: len(store.evaluations(run.id)) >= 8, 30)
    run.stop()
    assert run.wait(30)
    again = registry.resume_run(store, run.id)
    assert again.wait(60)
    assert numbers(store.evaluations(run.id)) == numbers(whole[0].evaluations(whole[1].id))


def test_nothing_is_inherited_unless_it_is_asked_for(quick: Problem) -> None:
    store = InMemoryStore()
    run = begun(store, quick, SETTINGS.model_copy(update={"inherit": False, "candidates": 16}))
    assert run.wait(60)
    assert {e.inherited for e in store.evaluations(run.id)} == {""}


def test_only_parents_that_finished_well_and_were_told_count(whole: tuple[Store, Run]) -> None:
    store, run = whole
    found = store.evaluations(run.id)
    done, other = next(e for e in found if e.eligible), next((e for e in found if not e.eligible), None)
    child = SearchSpace.model_validate(run.snapshot().record.space).sample(np.random.default_rng(7))
    unusable = ["elsewhere", *([] if other is None else [other.id])]
    find = StoredParents(store, run.id)
    (parent,) = find([Proposal(architecture=child, parents=(*unusable, done.id))])[child.id]
    assert parent.architecture == done.architecture
    expected = load_weights(store, done)
    assert all(np.array_equal(parent.weights[name], expected[name]) for name in expected)
    assert find([Proposal(architecture=child, parents=tuple(unusable))]) == {}
    refused = done.model_copy(update={"status": Status.PRUNED})
    fresh = InMemoryStore()
    fresh.create_run(run.snapshot().record)
    fresh.commit(run.id, [refused], {"told": 24}, {})
    assert StoredParents(fresh, run.id)([Proposal(architecture=child, parents=(done.id,))]) == {}
    fresh.commit(run.id, [done], {"told": done.index}, {})
    assert StoredParents(fresh, run.id)([Proposal(architecture=child, parents=(done.id,))]) == {}


def test_settings_decide_what_a_run_is_made_of(quick: Problem) -> None:
    space, store = SearchSpace.for_problem(quick), InMemoryStore()
    parents = StoredParents(store, "any")
    for inherit in (False, True):
        settings = RunSettings(inherit=inherit)
        made = executing.trained_in_packs(quick, space, settings, parents)
        assert isinstance(made, PackEvaluator)
        assert made._parents is (parents if inherit else None)
    assert isinstance(registry._halving(quick, space, RunSettings(halving=True)), Halving)
