"""A run from start to end, and everything a person does to it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from run_examples import numbers, synthetic, until

from nas_core.errors import RunError, SettingsError
from nas_core.preferences import Preference
from nas_core.records import RunState
from nas_core.runs import registry
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.store import Store

Launch = Callable[..., Run]


def events(store: Store, run: Run) -> list[str]:
    """Return what happened, besides that packs were finished."""
    return [e.kind for e in store.events(run.id) if e.kind != "pack"]


def test_a_run_evaluates_its_budget_and_ends(launch: Launch, store: Store) -> None:
    run = launch(candidates=40)
    assert run.wait(20)
    found = store.evaluations(run.id)
    assert [e.index for e in found] == list(range(40))
    assert len({e.id for e in found}) == 40
    snapshot = run.snapshot()
    assert (snapshot.record.state, snapshot.record.reason) == (RunState.DONE, "All 40 candidates are evaluated")
    assert snapshot.record == store.run(run.id)
    assert snapshot.progress.evaluated == snapshot.progress.asked == 40
    assert snapshot.progress.by_status == {"done": 40}
    assert snapshot.progress.packs == 5
    assert snapshot.progress.rate is not None
    assert events(store, run) == ["started", "done"]
    assert not registry.active()


def test_packs_grow_from_the_first_to_the_full_size(launch: Launch, store: Store) -> None:
    run = launch(candidates=30, pack_size=16, first_pack=4)
    run.wait(20)
    assert run.snapshot().progress.packs == 3  # 4, 16, 10


def test_weights_are_kept_for_every_finished_candidate(launch: Launch, store: Store) -> None:
    from nas_core.runs.candidates import load_weights

    run = launch(candidates=16)
    run.wait(20)
    found = store.evaluations(run.id)
    assert all(e.weights is not None for e in found)
    for e in found:
        assert e.skill is not None
        assert load_weights(store, e)["readout"] == pytest.approx([e.skill.value])
    assert len({e.weights.artifact for e in found if e.weights}) == 2


def test_the_same_seed_gives_the_same_run(launch: Launch, store: Store) -> None:
    runs = [launch(seed=3), launch(seed=3), launch(seed=4)]
    assert all(run.wait(20) for run in runs)
    first, second, other = (numbers(store.evaluations(run.id)) for run in runs)
    assert first == second
    assert [e["id"] for e in first] != [e["id"] for e in other]


def test_a_time_budget_ends_the_run_in_the_middle_of_a_pack(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.02), candidates=None, seconds=0.3, pack_size=64, first_pack=64)
    assert run.wait(5)
    assert run.snapshot().record.reason == "The time budget of 0.3 s is used up"
    assert run.state is RunState.DONE
    assert 1 <= len(store.evaluations(run.id)) < 30
    assert events(store, run) == ["started", "cancelled", "done"]


def test_a_stop_is_seen_within_half_a_second(launch: Launch, store: Store) -> None:
    run = launch(synthetic(3.0))
    until(lambda: run.snapshot().progress.pack is not None)
    began = time.monotonic()
    run.stop()
    assert run.snapshot().stopping
    assert run.wait(0.5), "it took longer than half a second"
    assert time.monotonic() - began < 0.5
    assert (run.state, run.snapshot().record.reason) == (RunState.STOPPED, "Stopped by a person")
    assert store.evaluations(run.id) == []
    cancelled = next(e for e in store.events(run.id) if e.kind == "cancelled")
    assert len(cancelled.payload["candidates"]) == 8


def test_a_run_can_end_after_its_pack_and_nothing_is_given_up(launch: Launch, store: Store) -> None:
    whole = launch()
    whole.wait(20)
    run = launch(synthetic(0.03))
    until(lambda: run.snapshot().progress.pack is not None)
    run.stop_after_pack()
    assert run.snapshot().stopping
    assert run.wait(10)
    assert (run.state, run.snapshot().record.reason) == (RunState.STOPPED, "Stopped by a person after the pack in work")
    kept = len(store.evaluations(run.id))
    assert kept > 0
    assert kept % 8 == 0
    assert "cancelled" not in events(store, run)
    again = registry.resume_run(store, run.id, evaluator=synthetic())
    assert again.wait(20)
    assert numbers(store.evaluations(run.id)) == numbers(store.evaluations(whole.id))
    with pytest.raises(RunError, match="cannot be stopped"):
        run.stop_after_pack()


def test_a_paused_run_ends_where_it_is_and_a_stop_overrules_the_wait_for_the_pack(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.02))
    run.pause()
    until(lambda: run.state is RunState.PAUSED)
    kept = len(store.evaluations(run.id))
    run.stop_after_pack()
    assert run.wait(5)
    assert len(store.evaluations(run.id)) == kept
    assert events(store, run)[-2:] == ["paused", "stopped"]
    other = launch(synthetic(3.0))
    until(lambda: other.snapshot().progress.pack is not None)
    other.stop_after_pack()
    other.stop()
    assert other.wait(2)
    assert store.evaluations(other.id) == []


@pytest.mark.parametrize("after", [1, 5, 8, 13])
def test_a_stopped_run_continues_as_if_it_had_not_been_stopped(launch: Launch, store: Store, after: int) -> None:
    whole = launch()
    whole.wait(20)
    run = launch(synthetic(0.03))
    until(lambda: len(store.evaluations(run.id)) >= after)
    run.stop()
    assert run.wait(5)
    kept = len(store.evaluations(run.id))
    assert after <= kept < 40
    again = registry.resume_run(store, run.id, evaluator=synthetic())
    assert again.wait(20)
    assert numbers(store.evaluations(run.id)) == numbers(store.evaluations(whole.id))
    assert events(store, run)[-2:] == ["resumed", "done"]
    assert again.snapshot().progress.evaluated == 40
    assert again.snapshot().progress.packs == 5


def test_a_pause_comes_after_the_pack_and_costs_no_running_time(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.02), seconds=30.0)
    until(lambda: run.snapshot().progress.pack is not None)
    run.pause()
    assert run.snapshot().pausing
    until(lambda: run.state is RunState.PAUSED)
    assert len(store.evaluations(run.id)) % 8 == 0
    elapsed = run.snapshot().progress.elapsed
    time.sleep(0.3)
    kept = len(store.evaluations(run.id))
    run.resume()
    assert run.wait(20)
    assert len(store.evaluations(run.id)) == 40 > kept
    progress = run.snapshot().progress
    assert progress.paused >= 0.3
    assert sum(progress.seconds.values()) == pytest.approx(progress.elapsed)
    assert progress.elapsed > elapsed
    assert progress.elapsed < 40 * 0.02 + 1.0
    assert events(store, run) == ["started", "paused", "resumed", "done"]


def test_a_paused_run_can_be_stopped_and_steered(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.02))
    run.pause()
    until(lambda: run.state is RunState.PAUSED)
    run.steer(Preference(weight=0.9))
    until(lambda: "steered" in events(store, run))
    assert run.state is RunState.PAUSED
    run.stop()
    assert run.wait(2)
    assert events(store, run) == ["started", "paused", "steered", "stopped"]
    assert RunSettings.model_validate(store.run(run.id).settings).preference == Preference(weight=0.9)


def test_steering_changes_what_is_asked_next_and_is_remembered(launch: Launch, store: Store) -> None:
    plain = launch(candidates=80, preference=Preference(weight=0.1))
    plain.wait(20)
    run = launch(synthetic(0.01), candidates=80, preference=Preference(weight=0.1))
    until(lambda: len(store.evaluations(run.id)) >= 30)
    run.steer(Preference(weight=0.95))
    assert run.wait(20)
    steered = [e for e in store.events(run.id) if e.kind == "steered"]
    assert [e.payload["preference"]["weight"] for e in steered] == [0.95]
    at = steered[0].evaluated
    assert at % 8 == 0
    ours, theirs = numbers(store.evaluations(run.id)), numbers(store.evaluations(plain.id))
    assert ours[:at] == theirs[:at]
    assert ours[at:] != theirs[at:]


def test_the_budget_can_change_while_it_runs(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.01), candidates=1000)
    until(lambda: len(store.evaluations(run.id)) >= 8)
    run.set_budget(candidates=48, seconds=None)
    assert run.wait(20)
    assert len(store.evaluations(run.id)) == 48
    assert run.snapshot().progress.candidates == 48


def test_a_finished_run_continues_with_a_larger_budget(launch: Launch, store: Store) -> None:
    whole = launch(candidates=40)
    run = launch(candidates=24)
    assert whole.wait(20)
    assert run.wait(20)
    assert run.state is RunState.DONE
    assert registry.resume_run(store, run.id, candidates=40, evaluator=synthetic()).wait(20)
    assert numbers(store.evaluations(run.id)) == numbers(store.evaluations(whole.id))


def test_controls_of_an_ended_run_say_what_to_do(launch: Launch) -> None:
    run = launch(candidates=8)
    run.wait(20)
    for control in (run.pause, run.resume, lambda: run.steer(Preference()), run.start):
        with pytest.raises(RunError, match=r"resume"):
            control()
    run.stop()  # harmless


def test_a_budget_outside_what_is_allowed_is_refused_at_once(launch: Launch) -> None:
    run = launch(synthetic(0.05))
    with pytest.raises(SettingsError, match="number for candidates is 0"):
        run.set_budget(candidates=0, seconds=None)
    run.stop()


def test_an_unknown_strategy_is_refused_before_anything_is_recorded(launch: Launch, store: Store) -> None:
    with pytest.raises(SettingsError, match=r"no strategy 'magic'.*nsga2.*random"):
        launch(strategy="magic")
    assert store.runs() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"candidates": 0}, "number for candidates is 0"),
        ({"pack_size": -1}, "number for pack_size is -1"),
        ({"seconds": 0}, "time budget is 0"),
        ({"seconds": float("nan")}, "time budget is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"device": "abacus"}, "no device 'abacus'"),
        ({"preference": {"weight": 1.5}}, "weight of interpretability λ is 1.5"),
    ],
)
def test_settings_outside_what_is_allowed(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        RunSettings.model_validate(settings)


def test_weights_saved_before_a_stop_are_not_overwritten_by_those_after_it(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.1), candidates=8)
    until(lambda: 0 < len(store.evaluations(run.id)) < 8)
    run.stop()
    assert run.wait(5)
    kept = store.evaluations(run.id)
    assert 0 < len(kept) < 8, "stopped within the pack"
    assert registry.resume_run(store, run.id, evaluator=synthetic(0.1)).wait(20)
    found = store.evaluations(run.id)
    assert len(found) == 8
    assert all(e.weights and store.get_artifact(e.weights.artifact, e.weights.sha256) for e in found)
