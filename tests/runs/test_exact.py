"""Exact resume of a run that is steered: from every commit there is, the same candidates, numbers and events follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from run_examples import numbers
from steered_runs import Act, RememberingStore, live, recorded, steered

from nas_core.data import Problem
from nas_core.preferences import Preference
from nas_core.records import Proposal, RunState, Status
from nas_core.runs import coordinator
from nas_core.runs.control import Control, Rules, SpaceEdit, StrategyChange
from nas_core.runs.settings import RunSettings
from nas_core.search.standing import UNFINISHED
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore

Acts = Mapping[int, Sequence[tuple[str, Act]]]


def forbidding(space: SearchSpace, *features: int) -> SearchSpace:
    """Return the space without some features."""
    names = tuple(space.features[j].name for j in features)
    return space.changed(constraints={**space.constraints.model_dump(), "features_forbidden": names})


def switch(name: str) -> tuple[str, Act]:
    return "strategy", lambda control, store: control.ask(StrategyChange(name))


def edit(space: SearchSpace) -> tuple[str, Act]:
    return "space", lambda control, store: control.ask(SpaceEdit(space, "for the test"))


def steer(weight: float) -> tuple[str, Act]:
    return "steered", lambda control, store: control.ask(Preference(weight=weight))


def overrule(control: Control, store: InMemoryStore) -> None:
    """Train every candidate to the end that was not."""
    for e in store.evaluations("run"):
        if e.status in UNFINISHED:
            control.overrule(e.id)


def propose(space: SearchSpace, count: int) -> tuple[str, Act]:
    own = [space.sample(np.random.default_rng([7, at])) for at in range(count)]

    def act(control: Control, store: InMemoryStore) -> None:
        for architecture in own:
            control.propose(Proposal(architecture=architecture, operator="drawn", origin="manual"))

    return "proposed", act


def script(space: SearchSpace, first: str, second: str) -> Acts:
    return {
        6: [switch(second)],
        12: [edit(forbidding(space, 0, 7, 20, 22, 27)), steer(0.8)],
        18: [("overruled", overrule), propose(forbidding(space, 0, 7, 20, 22, 27), 2)],
        20: [steer(0.2)],  # after the two of the person: some strategies look at everything told again
        26: [edit(space), switch(first)],
        32: [("overruled", overrule), ("rules", lambda control, store: control.ask(Rules(False, 6)))],
    }


@pytest.fixture
def every_candidate_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "COMMIT_SECONDS", 0.0)


@pytest.mark.usefixtures("every_candidate_committed")
@pytest.mark.parametrize(
    ("first", "second", "step"),
    [("nsga2", "local_search", 1), ("regularised_evolution", "reinforce", 5), ("random", "bayesian", 9)],
)
def test_a_steered_run_continues_exactly_from_every_commit(
    problem: Problem, space: SearchSpace, first: str, second: str, step: int
) -> None:
    settings = RunSettings(strategy=first, candidates=60, pack_size=6, first_pack=6, seed=5, halving=True)
    acts = script(space, first, second)
    whole = recorded(problem, space, settings)
    end = live(whole, problem, acts)
    found = whole.evaluations("run")
    assert end.state is RunState.DONE
    assert end.reason.startswith("The hypervolume has not grown for 6 candidates"), end.reason
    assert {kind for kind, _ in steered(whole)} >= {"strategy", "space", "steered", "overruled", "replaced", "killed"}
    assert [e.index for e in found] == list(range(len(found)))
    assert len(whole.commits) > 40
    for at, copy in [*enumerate(whole.commits)][::step]:
        again = live(copy, problem, acts)
        assert numbers(copy.evaluations("run")) == numbers(found), f"commit {at}"
        assert steered(copy) == steered(whole), f"commit {at}"
        assert copy.strategy_state("run") == whole.strategy_state("run"), f"commit {at}"
        assert (again.reason, again.space, again.settings) == (end.reason, end.space, end.settings)
        assert again.progress["by_status"] == end.progress["by_status"], f"commit {at}"


def finished(store: InMemoryStore, kind: str) -> list[dict[str, Any]]:
    return [e.payload for e in store.events("run") if e.kind == kind]


def test_what_is_given_up_and_what_is_pruned_is_trained_to_the_end_when_overruled(
    problem: Problem, space: SearchSpace
) -> None:
    settings = RunSettings(strategy="local_search", candidates=30, pack_size=10, first_pack=10, seed=5, halving=True)
    plain, ruled = recorded(problem, space, settings), recorded(problem, space, settings)
    live(plain, problem, {})
    early = {e.id: e for e in plain.evaluations("run")[:20] if e.status in UNFINISHED}
    assert {e.status for e in early.values()} == set(UNFINISHED)
    live(ruled, problem, {20: [("overruled", overrule)]})
    for key, before in early.items():
        after = ruled.evaluation("run", key)
        assert (after.index, after.origin, after.parents) == (before.index, before.origin, before.parents)
        assert after.status is Status.DONE
        assert after.weights is not None
    assert {p["candidate"] for p in finished(ruled, "replaced")} == set(early)
    assert ruled.run("run").progress["by_status"]["done"] >= 20
    assert sum(ruled.run("run").progress["by_status"].values()) == 30
    ours, theirs = ([e.id for e in s.evaluations("run")] for s in (ruled, plain))
    assert ours[:20] == theirs[:20]
    assert ours[20:] != theirs[20:], "the strategy learned nothing from them"


def test_a_candidate_that_is_given_up_carries_no_numbers(problem: Problem, space: SearchSpace) -> None:
    store = recorded(problem, space, RunSettings(candidates=40, pack_size=20, first_pack=20, seed=5))
    live(store, problem, {})
    gone = [e for e in store.evaluations("run") if e.status is Status.CANCELLED]
    assert gone
    for e in gone:
        assert e.reason == "Given up by a person"
        assert (e.performance, e.measures, e.curves, e.weights) == (None, {}, {}, None)
    assert sorted(c for p in finished(store, "killed") for c in p["candidates"]) == sorted(e.id for e in gone)


def test_the_referee_is_not_asked_where_the_halving_is_off(problem: Problem, space: SearchSpace) -> None:
    store = recorded(problem, space, RunSettings(candidates=20, pack_size=10, seed=5))
    live(store, problem, {})
    assert Status.PRUNED not in {e.status for e in store.evaluations("run")}


def test_own_candidates_are_never_halted(problem: Problem, space: SearchSpace) -> None:
    store: RememberingStore = recorded(problem, space, RunSettings(candidates=40, pack_size=8, seed=5, halving=True))
    live(store, problem, {8: [propose(space, 16)]})
    own = [e for e in store.evaluations("run") if e.origin == "manual"]
    assert len(own) == 16
    assert Status.PRUNED not in {e.status for e in own}
    assert Status.PRUNED in {e.status for e in store.evaluations("run")}
