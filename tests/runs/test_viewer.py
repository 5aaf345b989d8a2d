"""Watching: views agree with the store at every moment, are shared, and cost the search nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from run_examples import synthetic, until

from nas_core.data import Problem
from nas_core.errors import ExplanationError, StoreError
from nas_core.preferences import Preference
from nas_core.records import Evaluation, RunState
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
    assert [e.kind for e in view.events] == ["started", "done"]
    assert view.evaluation(view.snapshot.ids[3]) == store.evaluations(run.id)[3]
    assert view.archive.rank(Preference()).best is not None


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
