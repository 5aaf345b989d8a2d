"""Warm starts: which runs fit, what is taken over, what is repaired, and that a resume changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_examples import numbers, synthetic, until

from nas_core.data import Problem, load_data
from nas_core.errors import SettingsError, StoreError
from nas_core.records import RunState
from nas_core.runs import registry
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.runs.viewer import RunView
from nas_core.runs.warm import STARTS, fitting_runs, hints_of, misfit, spread, usage_bonus, warm_start
from nas_core.spaces import Choice, SearchSpace, TabularConstraints, forbid, has
from nas_core.spaces.tabular.moves import relevance_weights
from nas_core.store import InMemoryStore, Store

Launch = Callable[..., Run]


@pytest.fixture
def source(launch: Launch) -> Run:
    """An earlier run, finished."""
    run = launch(candidates=60)
    assert run.wait(30)
    return run


def reversed_space(space: SearchSpace) -> SearchSpace:
    """Return the same space with the columns of the table the other way round."""
    return space.model_copy(update={"features": tuple(reversed(space.features))})


def test_a_new_run_begins_with_the_front_of_an_earlier_one(
    source: Run, launch: Launch, problem: Problem, space: SearchSpace, store: Store
) -> None:
    run = registry.start_run(
        store, problem, space, RunSettings(candidates=60, pack_size=8, seed=5), warm=[source.id], evaluator=synthetic()
    )
    assert run.wait(30)
    found = store.evaluations(run.id)
    begun = [e for e in found if e.operator == f"warm start: {source.id}"]
    assert [e.index for e in begun] == list(range(len(begun)))
    snapshot = RunView(store, source.id).snapshot
    ranking = snapshot.rank(RunSettings.model_validate(store.run(source.id).settings).preference)
    front = {snapshot.ids[at] for at in np.flatnonzero(ranking.on_front)}
    best = snapshot.ids[int(np.nanargmin(ranking.losses[:, 0]))]
    assert best in {e.id for e in begun}
    assert len(front) > 2
    assert {e.origin for e in found} == {"strategy"}
    assert len({e.id for e in found}) == 60
    settings = RunSettings.model_validate(store.run(run.id).settings)
    assert settings.warm == (source.id,)
    assert len(settings.warm_relevance) == len(space.features)
    (event,) = [e for e in store.events(run.id) if e.kind == "warm"]
    assert event.payload == {"runs": [source.id], "candidates": len(begun), "notes": []}


def test_a_resumed_warm_run_ends_as_if_it_had_never_stopped_even_without_its_source(
    source: Run, problem: Problem, space: SearchSpace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RunSettings(candidates=70, pack_size=8, seed=3)
    whole = registry.start_run(store, problem, space, settings, warm=[source.id], evaluator=synthetic())
    assert whole.wait(30)
    run = registry.start_run(store, problem, space, settings, warm=[source.id], evaluator=synthetic(0.02))
    until(lambda: len(store.evaluations(run.id)) >= 12)
    run.stop()
    assert run.wait(10)
    assert len(store.evaluations(run.id)) < 70
    monkeypatch.setattr(registry, "warm_start", None)  # a resume must not look at earlier runs
    again = registry.resume_run(store, run.id, evaluator=synthetic())
    assert again.wait(30)
    assert numbers(store.evaluations(run.id)) == numbers(store.evaluations(whole.id))


def test_only_runs_on_data_of_the_same_shape_are_offered(
    source: Run, problem: Problem, space: SearchSpace, store: Store
) -> None:
    iris = Problem.create(load_data("iris"))
    other = SearchSpace.for_problem(iris)
    third = registry.start_run(store, iris, other, RunSettings(candidates=8, pack_size=8), evaluator=synthetic())
    assert third.wait(20)
    store.create_run(store.run(source.id).model_copy(update={"id": "empty", "progress": {}}))
    (fits,) = fitting_runs(store, problem, space)
    assert fits.record.id == source.id
    assert fits.same_data
    assert fits.sentence.startswith("breast_cancer, 20")
    assert fits.sentence.endswith("60 candidates on the same data")
    assert replace(fits, same_data=False).sentence.endswith("other rows with the same columns")
    assert [f.record.id for f in fitting_runs(store, iris, other)] == [third.id]
    assert fitting_runs(InMemoryStore(), problem, space) == []
    split = Problem.create(load_data("breast_cancer"), seed=7)
    assert [f.record.id for f in fitting_runs(store, split, SearchSpace.for_problem(split))] == [source.id]


def test_a_misfit_says_what_is_different(source: Run, space: SearchSpace, store: Store) -> None:
    record = store.run(source.id)

    def with_space(**changes: object) -> str:
        return misfit(record.model_copy(update={"space": {**record.space, **changes}}), True, space)

    assert with_space() == ""
    assert with_space(features=list(reversed(record.space["features"]))) == ""
    assert "family 'image'" in with_space(family="image")
    assert "classification with 3 outputs" in with_space(outputs=3)
    assert "features differ" in with_space(features=record.space["features"][1:])
    assert "its task is classification" in misfit(record, False, space)


def test_columns_in_another_order_are_renamed(source: Run, problem: Problem, space: SearchSpace, store: Store) -> None:
    P = len(space.features)
    mirrored = reversed_space(space)
    here, there = (warm_start(store, [source.id], problem, s) for s in (space, mirrored))
    assert there.notes == ()
    assert there.relevance == here.relevance[::-1]
    for one, two in zip(here.proposals, there.proposals):
        assert mirrored.validate_architecture(two.architecture) == []
        used = [sorted(j for g in p.architecture.values["groups"] for j in g["features"]) for p in (one, two)]
        assert used[1] == sorted(P - 1 - j for j in used[0])


def test_what_no_longer_fits_is_changed_or_left_out_and_said(
    source: Run, problem: Problem, space: SearchSpace, store: Store
) -> None:
    gone = Choice("encoding", "piecewise")
    smaller = forbid(space, gone)
    assert any(has(p.architecture, gone) for p in warm_start(store, [source.id], problem, space).proposals)
    start = warm_start(store, [source.id], problem, smaller)
    assert all(smaller.validate_architecture(p.architecture) == [] for p in start.proposals)
    assert start == warm_start(store, [source.id], problem, smaller)
    assert any("were changed to fit this space" in note for note in start.notes)
    impossible = space.changed(
        constraints=TabularConstraints(max_parameters=3, features_required=(space.features[0].name,))
    )
    assert all(
        impossible.validate_architecture(p.architecture) == []
        for p in warm_start(store, [source.id], problem, impossible).proposals
    )


def test_several_runs_take_turns_and_nothing_comes_twice(
    source: Run, launch: Launch, problem: Problem, space: SearchSpace, store: Store
) -> None:
    second = launch(candidates=40, seed=9)
    assert second.wait(20)
    start = warm_start(store, [source.id, second.id, source.id], problem, space, 10)
    assert start.runs == (source.id, second.id)
    taken = [p.operator.removeprefix("warm start: ") for p in start.proposals]
    assert taken[0] == source.id
    assert 3 <= taken.count(second.id) <= 5, "what both found counts for the first"
    assert len({p.architecture.id for p in start.proposals}) == len(start.proposals) == 10
    assert len(warm_start(store, [source.id], problem, space).proposals) <= STARTS


def test_what_is_no_start_is_refused(source: Run, problem: Problem, space: SearchSpace, store: Store) -> None:
    with pytest.raises(StoreError, match="no run 'nowhere'"):
        registry.start_run(store, problem, space, warm=["nowhere"], evaluator=synthetic())
    iris = Problem.create(load_data("iris"))
    with pytest.raises(SettingsError, match=r"is no start for this search: its task.*same family"):
        registry.start_run(store, iris, SearchSpace.for_problem(iris), warm=[source.id], evaluator=synthetic())
    barren = store.run(source.id).model_copy(update={"id": "barren", "state": RunState.DONE})
    store.create_run(barren)
    with pytest.raises(SettingsError, match=r"barren has nothing to start from.*choose another run"):
        warm_start(store, ["barren"], problem, space)
    assert len(store.runs()) == 2, "no run was recorded"


def test_a_budget_smaller_than_the_front_is_kept(
    source: Run, problem: Problem, space: SearchSpace, store: Store
) -> None:
    run = registry.start_run(store, problem, space, RunSettings(candidates=3), warm=[source.id], evaluator=synthetic())
    assert run.wait(20)
    assert len(store.evaluations(run.id)) == 3


def test_the_spread_begins_with_both_ends_and_covers_the_front(source: Run, store: Store) -> None:
    snapshot = RunView(store, source.id).snapshot
    ranking = snapshot.rank(RunSettings().preference)
    chosen = spread(snapshot, ranking.losses, 6)
    eligible = snapshot.eligible
    assert ranking.losses[chosen[0], 0] == np.nanmin(ranking.losses[eligible, 0])
    assert ranking.losses[chosen[1], 1] == np.nanmin(ranking.losses[eligible, 1])
    assert len(set(chosen)) == len(chosen) == 6
    assert set(spread(snapshot, ranking.losses, 10_000)) >= set(np.flatnonzero(ranking.on_front))


@given(st.integers(1, 30), st.integers(0, 60), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_bonus_is_bounded_and_zero_for_what_a_front_uses_no_more_than_all(
    front: int, others: int, P: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    everywhere = rng.random((front + others, P)) < rng.random(P)
    bonus = usage_bonus(everywhere[:front], everywhere)
    assert ((bonus >= 0) & (bonus <= 1)).all()
    less = everywhere[:front].mean(axis=0) <= everywhere.mean(axis=0)
    assert (bonus[less] == 0).all()


@given(st.lists(st.floats(0, 1), min_size=30, max_size=30))
def test_no_hint_is_lowered_and_none_passes_the_most_relevant(problem: Problem, bonus: list[float]) -> None:
    hints = problem.hints
    assert hints is not None
    raised = hints_of(problem, RunSettings(warm_relevance=tuple(bonus)))
    assert raised is not None
    assert (raised.relevance >= hints.relevance).all()
    assert raised.relevance.max() == hints.relevance.max()
    before, after = (relevance_weights(h, 30) for h in (hints, raised))
    assert (after >= before - 1e-12).all(), "nothing is drawn less often than before by weight"
    assert raised.order == hints.order


def test_without_a_warm_start_the_hints_are_those_of_the_data(problem: Problem) -> None:
    assert hints_of(problem, RunSettings()) is problem.hints
    assert hints_of(problem, RunSettings(warm_relevance=(1.0,))) is problem.hints
