"""What a person asks of a live run, from another thread: seen at the next pack, refused at once where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from run_examples import numbers, synthetic, until
from test_exact import forbidding

from nas_core.data import Problem
from nas_core.errors import RunError, SettingsError, SpaceError, StoreError
from nas_core.preferences import Preference
from nas_core.records import RunState, Status
from nas_core.runs import registry
from nas_core.runs.control import Rules
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import space_versions
from nas_core.spaces import SearchSpace
from nas_core.store import Store

Launch = Callable[..., Run]


def kinds(store: Store, run: Run) -> list[str]:
    return [e.kind for e in store.events(run.id)]


def payload(store: Store, run: Run, kind: str) -> dict[str, Any]:
    return next(e.payload for e in store.events(run.id) if e.kind == kind)


def single(space: SearchSpace) -> SearchSpace:
    """Return the space of one architecture: one linear feature with one recipe."""
    names = [f.name for f in space.features]
    fixed = []
    variables: tuple[Any, ...] = space.variables
    for v in variables:
        changes: dict[str, Any] = {}
        if v.kind == "categorical":
            changes = {"choices": v.choices[:1]}
        elif v.kind == "integer":
            changes = {"low": 0, "high": 0}
        elif v.kind == "real":
            changes = {"high": v.low, "zero": 0.0}
        elif v.kind == "monotone_marks":
            changes = {"signs": ()}
        fixed.append(v.model_copy(update=changes))
    limits = {**space.constraints.model_dump(), "features_forbidden": tuple(names[1:]), "max_depth": 0}
    return space.changed(variables=tuple(type(v).model_validate(v.model_dump()) for v in fixed), constraints=limits)


def test_a_strategy_is_switched_and_told_what_was_found(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.005), candidates=64)
    until(lambda: len(store.evaluations(run.id)) >= 8)
    run.set_strategy("random")
    assert run.wait(20)
    event = next(e for e in store.events(run.id) if e.kind == "strategy")
    assert event.payload == {"from": "nsga2", "to": "random", "told": event.evaluated}
    assert RunSettings.model_validate(store.run(run.id).settings).strategy == "random"
    found = store.evaluations(run.id)
    assert len({e.id for e in found}) == 64
    assert {e.operator for e in found[event.evaluated :]} == {"sample"}


def test_a_switch_while_paused_is_taken_over_before_the_run_goes_on(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.005), candidates=48)
    run.pause()
    until(lambda: run.state is RunState.PAUSED)
    run.set_strategy("tpe")
    run.set_strategy("random")  # only the latest counts
    run.set_halving(True)
    until(lambda: "strategy" in kinds(store, run))
    assert run.state is RunState.PAUSED
    assert run.snapshot().record.settings["strategy"] == "random"
    assert run.snapshot().record.settings["halving"] is True
    run.set_strategy("random")  # as it is: nothing to do
    run.resume()
    assert run.wait(20)
    assert kinds(store, run).count("strategy") == 1


def test_an_unknown_strategy_is_refused_at_once(launch: Launch) -> None:
    run = launch(synthetic(0.02))
    with pytest.raises(SettingsError, match=r"no strategy 'magic'.*nsga2"):
        run.set_strategy("magic")
    run.stop()


def test_an_edited_space_is_searched_and_can_be_read_back(
    launch: Launch, store: Store, space: SearchSpace, problem: Problem
) -> None:
    run = launch(synthetic(0.004), candidates=72)
    until(lambda: len(store.evaluations(run.id)) >= 16)
    narrow = forbidding(space, 0, 7, 22, 27)
    run.edit_space(narrow, "Four features left out")
    until(lambda: "space" in kinds(store, run))
    until(lambda: len(store.evaluations(run.id)) >= 56)
    run.edit_space(space, "Back again")
    assert run.wait(20)
    found, record = store.evaluations(run.id), store.run(run.id)
    one, two, three = space_versions(store.events(run.id), record)
    assert (one.space, one.words) == (space, "")
    assert (two.space, two.words) == (narrow, "Four features left out")
    assert (three.space.id, three.space.version) == (space.id, 3)
    assert SearchSpace.model_validate(record.space) == three.space
    assert two.inside == sum(not narrow.validate_architecture(e.architecture) for e in found[: two.since])
    assert 0 < two.inside < two.since == two.inside + two.outside
    assert three.inside == three.since, "everything lies in the first content"
    for e in found:
        version = 1 if e.index < two.since else 2 if e.index < three.since else 3
        assert e.space == version
    assert all(not narrow.validate_architecture(e.architecture) for e in found[two.since : three.since])
    assert len({e.id for e in found}) == 72


def test_scores_stay_on_the_scale_of_the_first_version(launch: Launch, store: Store, space: SearchSpace) -> None:
    narrow = space.changed(constraints={**space.constraints.model_dump(), "max_operations": 300})
    first = launch(candidates=16)
    first.wait(20)
    edited = registry.resume_run(store, first.id, candidates=32, space=narrow, evaluator=synthetic())
    assert edited.wait(20)
    found = store.evaluations(first.id)
    one = next(e for e in found[:16] if (e.measures["operation_economy"].raw or 0) > 1).measures["operation_economy"]
    scale = np.log(one.raw) / (1.0 - one.value)
    for e in found:
        measured = e.measures["operation_economy"]
        if measured.raw and measured.raw > 1 and measured.value:
            assert np.log(measured.raw) / (1.0 - measured.value) == pytest.approx(scale)
    assert {e.space for e in found} == {1, 2}


def test_a_widened_space_is_evaluated_and_what_costs_more_than_the_first_scale_scores_nothing(
    problem: Problem, space: SearchSpace, store: Store
) -> None:
    narrow = space.changed(constraints={**space.constraints.model_dump(), "max_operations": 60}, version=1)
    settings = RunSettings(candidates=8, pack_size=8, first_pack=8)
    run = registry.start_run(store, problem, narrow, settings, evaluator=synthetic())
    assert run.wait(20)
    assert registry.resume_run(store, run.id, candidates=40, space=space, evaluator=synthetic()).wait(20)
    wide = [e for e in store.evaluations(run.id) if e.cost.operations > 60]
    assert wide
    assert {e.measures["operation_economy"].value for e in wide} == {0.0}


def test_drawings_outside_the_new_space_are_dropped_and_that_is_said(
    launch: Launch, store: Store, space: SearchSpace
) -> None:
    run = launch(synthetic(0.005), candidates=40)
    run.pause()
    until(lambda: run.state is RunState.PAUSED)
    narrow = forbidding(space, 0)
    rng = np.random.default_rng(3)
    drawn = [space.sample(rng) for _ in range(40)]
    outside = next(a for a in drawn if narrow.validate_architecture(a))
    inside = next(a for a in drawn if not narrow.validate_architecture(a))
    run.propose(outside)
    run.propose(inside)
    until(lambda: len(run.snapshot().progress.waiting) == 2)
    run.edit_space(narrow)
    with pytest.raises(SpaceError, match="not in the search space"):
        run.propose(outside)
    until(lambda: "dropped" in kinds(store, run))
    assert payload(store, run, "dropped")["candidates"] == [outside.id]
    assert "not in the new version" in payload(store, run, "dropped")["reason"]
    run.resume()
    assert run.wait(20)
    found = {e.id for e in store.evaluations(run.id)}
    assert inside.id in found
    assert outside.id not in found


def test_a_space_for_other_data_or_without_any_architecture_is_refused_at_once(
    launch: Launch, store: Store, space: SearchSpace
) -> None:
    run = launch(synthetic(0.02))
    with pytest.raises(SpaceError, match="differs in what an edit cannot change: outputs"):
        run.edit_space(space.changed(outputs=3))
    limits = space.constraints.model_dump()
    with pytest.raises(SpaceError, match="no valid candidate: the constraint max_parameters"):
        run.edit_space(space.changed(constraints={**limits, "max_parameters": 1}))
    run.stop()
    assert run.wait(10)
    with pytest.raises(SpaceError, match="no valid candidate"):
        registry.resume_run(store, run.id, space=space.changed(constraints={**limits, "max_parameters": 1}))
    assert store.run(run.id).state is RunState.STOPPED
    with pytest.raises(RunError, match="cannot be given another search space"):
        run.edit_space(space)


def test_an_edit_that_changes_nothing_is_no_version(launch: Launch, store: Store, space: SearchSpace) -> None:
    run = launch(synthetic(0.004))
    run.edit_space(space.changed(version=9))
    assert run.wait(20)
    assert "space" not in kinds(store, run)


def test_a_space_of_one_architecture_is_exhausted_and_another_one_goes_on(
    problem: Problem, space: SearchSpace, store: Store
) -> None:
    run = registry.start_run(store, problem, single(space), RunSettings(candidates=12), evaluator=synthetic())
    assert run.wait(20)
    assert len(store.evaluations(run.id)) == 1
    assert "search space is exhausted" in store.run(run.id).reason
    assert registry.resume_run(store, run.id, space=space, evaluator=synthetic()).wait(20)
    assert len(store.evaluations(run.id)) == 12


def working(run: Run) -> list[str]:
    pack = run.snapshot().progress.pack
    return [] if pack is None else [c.id for c in pack.candidates]


def test_one_candidate_is_given_up_and_the_others_go_on(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.05), candidates=8)
    until(lambda: len(working(run)) >= 3)
    shown = run.snapshot().progress.pack
    victim = shown.candidates[-1]
    run.kill(victim.id)
    with pytest.raises(RunError, match="is being given up already"):
        run.kill(victim.id)
    until(lambda: victim.id in {e.id for e in store.evaluations(run.id)})
    assert run.wait(20)
    found = store.evaluation(run.id, victim.id)
    assert (found.status, found.reason, found.index) == (Status.CANCELLED, "Given up by a person", victim.number)
    assert found.architecture == victim.proposal.architecture
    assert run.snapshot().progress.by_status == {"cancelled": 1, "done": 7}


def test_a_candidate_given_up_is_not_trained_again_on_resume(launch: Launch, store: Store) -> None:
    whole = launch(candidates=24)
    assert whole.wait(20)
    run = launch(synthetic(0.05), candidates=24)
    until(lambda: len(working(run)) >= 3)
    victim = working(run)[-1]
    run.kill(victim)
    until(lambda: "killed" in kinds(store, run))
    run.stop()
    assert run.wait(10)
    assert registry.resume_run(store, run.id, evaluator=synthetic()).wait(20)
    assert store.evaluation(run.id, victim).status is Status.CANCELLED
    assert store.evaluation(whole.id, victim).status is Status.DONE
    others = [e for e in numbers(store.evaluations(run.id))[:8] if e["id"] != victim]
    assert others == [e for e in numbers(store.evaluations(whole.id))[:8] if e["id"] != victim]


def test_only_what_is_in_work_can_be_given_up(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.02))
    until(lambda: len(store.evaluations(run.id)) >= 8)
    done = store.evaluations(run.id)[0].id
    with pytest.raises(RunError, match=rf"{done} cannot be given up: it is done already"):
        run.kill(done)
    with pytest.raises(RunError, match="nobody cannot be given up: this run has no such candidate"):
        run.kill("nobody")
    run.stop()


def test_a_drawing_that_waits_is_forgotten_when_it_is_given_up(
    launch: Launch, store: Store, space: SearchSpace
) -> None:
    run = launch(synthetic(0.005), candidates=24)
    run.pause()
    until(lambda: run.state is RunState.PAUSED)
    one, two = (space.sample(np.random.default_rng([5, at])) for at in range(2))
    run.propose(one)
    until(lambda: [p.architecture.id for p in run.snapshot().progress.waiting] == [one.id])
    run.kill(one.id)
    until(lambda: run.snapshot().progress.waiting == ())
    run.resume()
    assert run.wait(20)
    found = {e.id for e in store.evaluations(run.id)}
    assert one.id not in found
    assert two.id not in found
    assert payload(store, run, "killed") == {"candidates": [one.id], "waiting": True}


def test_what_was_given_up_is_overruled_when_the_run_goes_on(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.05), candidates=8)
    until(lambda: len(working(run)) >= 3)
    victim = working(run)[-1]
    run.kill(victim)
    assert run.wait(20)
    done = next(e.id for e in store.evaluations(run.id) if e.status is Status.DONE)
    with pytest.raises(RunError, match=rf"{done} was not stopped early: it is done.*pruned or cancelled"):
        registry.resume_run(store, run.id, overrule=[done], evaluator=synthetic())
    with pytest.raises(StoreError, match="no candidate 'nobody'"):
        registry.resume_run(store, run.id, overrule=["nobody"], evaluator=synthetic())
    again = registry.resume_run(store, run.id, overrule=[victim], evaluator=synthetic())
    assert again.wait(20)
    assert store.evaluation(run.id, victim).status is Status.DONE
    assert again.snapshot().progress.by_status == {"done": 8}
    assert payload(store, run, "replaced") == {"candidate": victim, "before": "cancelled", "now": "done"}


def test_a_candidate_that_is_trained_again_may_be_given_up_again(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.05), candidates=8)
    until(lambda: len(working(run)) >= 3)
    victim = working(run)[-1]
    run.kill(victim)
    assert run.wait(20)
    again = registry.resume_run(store, run.id, overrule=[victim], evaluator=synthetic(3.0))
    until(lambda: working(again) == [victim])
    again.kill(victim)
    again.stop()
    assert again.wait(10)
    assert store.evaluation(run.id, victim).status is Status.CANCELLED


def test_a_plateau_ends_the_run_and_another_rule_lets_it_go_on(launch: Launch, store: Store) -> None:
    run = launch(candidates=2000, plateau=40)
    assert run.wait(60)
    record = store.run(run.id)
    assert record.state is RunState.DONE
    assert record.reason.startswith("The hypervolume has not grown for 40 candidates: .")
    count = len(store.evaluations(run.id))
    assert 48 <= count < 2000
    same = registry.resume_run(store, run.id, evaluator=synthetic())
    assert same.wait(20)
    assert (len(store.evaluations(run.id)), store.run(run.id).reason) == (count, record.reason)
    more = registry.resume_run(store, run.id, rules=Rules(False, None), candidates=count + 8, evaluator=synthetic())
    assert more.wait(20)
    assert store.run(run.id).reason == f"All {count + 8} candidates are evaluated"


def test_a_person_who_changes_the_way_gives_a_plateau_new_time(launch: Launch, store: Store) -> None:
    run = launch(candidates=2000, plateau=40)
    assert run.wait(60)
    count = len(store.evaluations(run.id))
    assert registry.resume_run(store, run.id, strategy="random", evaluator=synthetic()).wait(60)
    assert len(store.evaluations(run.id)) >= count + 40


def test_rules_can_be_set_while_it_runs(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.002), candidates=5000)
    until(lambda: len(store.evaluations(run.id)) >= 16)
    with pytest.raises(SettingsError, match="number for plateau is 0"):
        run.set_rules(until_goals=False, plateau=0)
    with pytest.raises(SettingsError, match="no goal is set"):
        run.set_rules(until_goals=True, plateau=None)
    run.set_rules(until_goals=False, plateau=16)
    assert run.wait(60)
    assert "has not grown for 16 candidates" in store.run(run.id).reason
    assert payload(store, run, "rules") == {"until_goals": False, "plateau": 16}


def test_a_run_that_should_end_at_its_goals_needs_one(launch: Launch, store: Store) -> None:
    with pytest.raises(SettingsError, match=r"no goal is set.*leave until_goals off"):
        launch(until_goals=True)
    assert store.runs() == []


def test_controls_of_a_run_that_has_ended_are_refused_with_the_way_out(launch: Launch, space: SearchSpace) -> None:
    run = launch(candidates=8)
    run.wait(20)
    acts: list[Callable[[], None]] = [
        lambda: run.set_strategy("random"), lambda: run.kill("x"), lambda: run.overrule("x"),
        lambda: run.set_rules(until_goals=False, plateau=None), lambda: run.set_halving(True),
        lambda: run.steer(Preference()),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(RunError, match=r"cannot be .*resume_run"):
            act()
