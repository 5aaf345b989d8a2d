"""Watching: views agree with the store at every moment, are shared, and cost the search nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from run_examples import synthetic, until
from test_exact import forbidding

from nas_core.data import Problem
from nas_core.errors import ExplanationError, StoreError
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Event, RunState
from nas_core.runs import registry
from nas_core.runs.candidates import load_candidate, load_weights
from nas_core.runs.run import Run
from nas_core.runs.viewer import RunView, follow
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

Launch = Callable[..., Run]


def catch_up(view: RunView) -> None:
    """Refresh without the pause between two looks."""
    time.sleep(0.21)
    view.refresh()


def test_a_view_has_what_the_run_has_found(launch: Launch, store: Store, problem: Problem, space: SearchSpace) -> None:
    run = launch(candidates=24)
    run.wait(20)
    view = follow(store, run.id)
    assert view.snapshot.ids == tuple(e.id for e in store.evaluations(run.id))
    assert (view.record, view.progress) == (store.run(run.id), run.snapshot().progress)
    assert view.space == space
    assert (view.objective.name, view.baseline) == ("roc_auc", 0.5)
    assert [e.kind for e in view.events if e.kind != "pack"] == ["started", "done"]
    assert view.evaluation(view.snapshot.ids[3]) == store.evaluations(run.id)[3]
    assert view.archive.rank(Preference()).best is not None


def test_a_view_sees_what_was_noted_after_the_run_had_ended_here(launch: Launch, store: Store) -> None:
    run = launch(synthetic(), candidates=8)
    assert run.wait(20)
    view = follow(store, run.id)
    store.note(run.id, [Event(kind="decision", time=1.0)])
    catch_up(view)
    assert view.events[-1].kind == "decision"
    assert view.record.revision == store.run(run.id).revision


def test_a_live_view_only_grows_and_ends_complete(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.004), candidates=64)
    view = RunView(store, run.id)
    seen = []
    while run.alive:
        view.refresh()
        seen.append(len(view.snapshot))
        time.sleep(0.05)
    catch_up(view)
    assert seen == sorted(seen)
    assert len(view.snapshot) == 64
    assert view.record.state is RunState.DONE
    assert len(view.events) == len(store.events(run.id))


def test_a_view_of_another_store_object_sees_the_same(launch: Launch, tmp_path: Path) -> None:
    writer, reader = open_store(tmp_path), open_store(tmp_path)
    run = launch(synthetic(0.004), into=writer, candidates=48)
    view = RunView(reader, run.id)
    until(lambda: bool(view.refresh()) and len(view.snapshot) > 0)
    run.wait(20)
    catch_up(view)
    assert np.array_equal(view.snapshot.performance, RunView(writer, run.id).snapshot.performance)
    writer.close()
    reader.close()


def test_one_view_is_shared(launch: Launch, store: Store) -> None:
    run = launch(candidates=8)
    run.wait(20)
    assert follow(store, run.id) is follow(store, run.id)
    with pytest.raises(StoreError, match="no run 'nothing'"):
        follow(store, "nothing")


def test_nothing_new_costs_no_evaluations(launch: Launch, store: Store) -> None:
    run = launch(candidates=8)
    run.wait(20)
    view = follow(store, run.id)
    before = view.snapshot
    time.sleep(0.21)
    assert view.refresh() is False
    assert view.snapshot is before


class SlowReader(InMemoryStore):
    """A store on which reading evaluations can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def evaluations(self, run_id: str, since: int = 0) -> list[Evaluation]:
        if threading.current_thread().name == "viewer":
            self.go.wait(10)
        return super().evaluations(run_id, since)


def test_the_search_does_not_wait_for_a_viewer_that_hangs(launch: Launch) -> None:
    slow = SlowReader()
    run = launch(synthetic(), into=slow, candidates=40)
    viewer = threading.Thread(target=lambda: follow(slow, run.id), name="viewer")
    viewer.start()
    assert run.wait(10), "the search waited for the viewer"
    assert viewer.is_alive()
    slow.go.set()
    viewer.join()


def test_a_view_knows_what_lies_in_the_space_that_is_in_force(launch: Launch, store: Store, space: SearchSpace) -> None:
    run = launch(candidates=24)
    run.wait(20)
    view = RunView(store, run.id)
    assert view.inside().all()
    for content, count in ((forbidding(space, 0, 7, 27), 40), (space, 56), (forbidding(space, 1), 60)):
        assert registry.resume_run(store, run.id, candidates=count, space=content, evaluator=synthetic()).wait(20)
        before = view.snapshot
        catch_up(view)
        found = store.evaluations(run.id)
        assert len(view.inside(before)) == len(before), "a snapshot keeps its length"
        expected = [not content.validate_architecture(e.architecture) for e in found]
        assert view.inside().tolist() == expected
        assert (view.space.id, len(found)) == (content.id, count)
        assert all(view.space_of(e).validate_architecture(e.architecture) == [] for e in found)
    assert [v.space.version for v in view.versions] == [1, 2, 3, 4]
    assert not view.inside().all()


def test_who_lies_in_a_space_is_worked_out_once_for_each_version(
    launch: Launch, store: Store, space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = launch(candidates=24)
    run.wait(20)
    narrow = forbidding(space, 0, 7, 27)
    assert registry.resume_run(store, run.id, candidates=40, space=narrow, evaluator=synthetic()).wait(20)
    view = RunView(store, run.id)
    mask = view.inside()
    monkeypatch.setattr(SearchSpace, "validate_architecture", lambda *_: pytest.fail("it was looked at again"))
    assert np.array_equal(view.inside(), mask)


def test_a_candidate_is_loaded_and_measured_in_the_version_it_was_proposed_in(
    problem: Problem, space: SearchSpace, store: Store
) -> None:
    from nas_core.data.recipe import Recipe
    from nas_core.evaluation.base import Evaluator
    from nas_core.evaluation.packs import PackEvaluator
    from nas_core.runs.measuring import measure_stored
    from nas_core.runs.settings import RunSettings

    def quick(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        return PackEvaluator(problem, space, settings.seed, recipe=Recipe(max_epochs=2), device="cpu")

    encodings = [
        v.model_copy(update={"choices": ("standardised",)}) if v.name == "encoding" else v for v in space.variables
    ]
    settings = RunSettings(candidates=6, pack_size=6)
    run = registry.start_run(store, problem, space, settings, evaluator=quick)
    assert run.wait(60)
    plain = space.changed(variables=tuple(encodings))
    assert registry.resume_run(store, run.id, candidates=10, space=plain, evaluator=quick).wait(60)
    found = [e for e in store.evaluations(run.id) if e.eligible]
    outside = [e for e in found if plain.validate_architecture(e.architecture)]
    assert outside
    assert {e.space for e in found} == {1, 2}
    assert {e.architecture.values["encoding"] for e in found if e.space == 2} == {"standardised"}
    for e in found:
        measured = measure_stored(store, run.id, e.id, ["operation_economy"], problem=problem)["operation_economy"]
        assert measured == e.measures["operation_economy"]
        assert load_candidate(store, run.id, e.id, problem=problem) is not None


def test_a_candidate_without_weights_cannot_be_loaded(launch: Launch, store: Store) -> None:
    first = launch(candidates=8)
    first.wait(20)
    victim = store.evaluations(first.id)[0]
    run = launch(synthetic(failing=lambda _: {victim.id}), candidates=8)
    run.wait(20)
    with pytest.raises(ExplanationError, match="has no trained weights: it is failed"):
        load_candidate(store, run.id, victim.id)
    with pytest.raises(StoreError, match="no candidate 'nobody'"):
        load_candidate(store, run.id, "nobody")


def test_weights_that_are_not_what_they_should_be(launch: Launch, store: Store) -> None:
    run = launch(candidates=8)
    run.wait(20)
    found = store.evaluations(run.id)[0]
    assert found.weights is not None
    digest = store.put_artifact(found.weights.artifact, b"not tensors")
    with pytest.raises(StoreError, match="has changed since it was written"):
        load_weights(store, found)
    forged = found.model_copy(update={"weights": found.weights.model_copy(update={"sha256": digest})})
    with pytest.raises(StoreError, match="holds no weights"):
        load_weights(store, forged)
