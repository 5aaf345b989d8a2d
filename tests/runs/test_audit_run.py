"""The audit of a real run: what it promises, JSON, progress, cancelling, fresh rows only when asked, the command."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.data import Problem, Recipe, load_data
from nas_core.errors import RunError, SettingsError, StoreError
from nas_core.records import RunState
from nas_core.runs.auditing import AUDIT_MEASURES, AuditProgress, RunAudit, audit_run
from nas_core.runs.confirming import front_chances, run_front
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

RECIPE = Recipe(max_epochs=8, batch_size=64, patience=8)


def searched(store: Store, candidates: int = 14) -> str:
    problem = Problem.create(load_data("breast_cancer"), recipe=RECIPE)
    space = SearchSpace.for_problem(problem)
    run = start_run(store, problem, space, RunSettings(candidates=candidates, seed=1, device="cpu"))
    run.wait(120)
    assert store.run(run.id).state is RunState.DONE
    return run.id


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audited")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    made = open_store(place)
    yield made
    stop_all(timeout=10)
    made.close()


@pytest.fixture(scope="module")
def run_id(store: Store) -> str:
    return searched(store)


@pytest.fixture(scope="module")
def heard() -> list[AuditProgress]:
    return []


@pytest.fixture(scope="module")
def audit(store: Store, run_id: str, heard: list[AuditProgress]) -> RunAudit:
    return audit_run(store, run_id, seeds=2, on_progress=heard.append)


def test_the_front_is_audited_whole(audit: RunAudit, store: Store, run_id: str) -> None:
    front = run_front(store, run_id)
    assert [c.id for c in audit.candidates] == [e.id for e in front.front]
    assert (audit.run_id, audit.seeds, audit.complete, audit.metric) == (run_id, 2, True, "ROC AUC")
    for c in audit.candidates:
        assert 0.0 <= c.front_probability <= 1.0
        assert c.seeds.trained == 2
        assert c.subgroups.words
        assert {g.name for g in c.guards} == {"skill", "varies", "certainty", "values", "learnt"}
        assert all(g.ok for g in c.guards)
        assert [r.name for r in c.twin] == list(Problem.load(front.problem.spec).spec.measures)
        assert c.off_data.words
        assert set(c.audit_measures) == set(AUDIT_MEASURES)
        assert all(m.value is not None or m.reason for m in c.audit_measures.values())


def test_it_survives_json(audit: RunAudit) -> None:
    assert RunAudit.model_validate_json(audit.model_dump_json()) == audit
    assert json.loads(audit.model_dump_json())["candidates"]


def test_the_test_part_stays_closed_unless_it_is_asked_for(audit: RunAudit, store: Store, run_id: str) -> None:
    assert audit.fresh is None
    assert any("the test part was not opened" in words for words in audit.caveats)
    assert not [e for e in store.events(run_id) if e.kind == "test_opened"]
    opened = audit_run(store, run_id, seeds=0, fresh="test")
    (noted,) = [e for e in store.events(run_id) if e.kind == "test_opened"]
    assert noted.payload["candidates"] == [c.id for c in opened.candidates]
    assert opened.fresh.rows == len(Problem.load(run_front(store, run_id).problem.spec).split.test)
    assert {c.id for c in opened.fresh.candidates} == {c.id for c in opened.candidates}
    f = opened.fresh
    assert 0.0 <= f.hypervolume_pessimistic <= f.hypervolume_optimistic <= 1.0
    assert any("test rows" in words for words in opened.caveats)
    assert any("No candidate was trained again" in words for words in opened.caveats)
    same = {c.id: c.front_probability for c in audit.candidates}
    assert {c.id: c.front_probability for c in opened.candidates} == same  # seeds of the bootstrap are fixed


def test_progress_is_told_in_order(audit: RunAudit, heard: list[AuditProgress]) -> None:
    steps = list(dict.fromkeys(p.step for p in heard))
    assert steps == ["front", "seeds", "candidates"]
    assert all(0 <= p.done <= p.total and p.words for p in heard)
    shares = [p.done for p in heard if p.step == "seeds"]
    assert shares == sorted(shares)


@pytest.mark.parametrize("step", ["front", "seeds", "candidates"])
def test_cancelled_half_way_it_keeps_what_it_has(store: Store, run_id: str, step: str) -> None:
    stop = threading.Event()

    def told(p: AuditProgress) -> None:
        if p.step == step and (p.done > 0 or step == "front"):
            stop.set()

    found = audit_run(store, run_id, seeds=2 if step == "seeds" else 0, on_progress=told, stop=stop)
    assert not found.complete
    assert found.caveats[0] == "The audit was cancelled: what is missing was not reached."
    assert found.candidates[0].front_probability is not None
    assert found.candidates[-1].subgroups is None
    assert (found.candidates[0].subgroups is not None) == (step == "candidates")
    assert found.seeds < 2


def test_a_run_without_a_front_says_so(problem: Problem, space: SearchSpace) -> None:
    empty = InMemoryStore()
    run = start_run(empty, problem, space, RunSettings(candidates=1, device="cpu"))
    run.stop("at once")
    run.wait(60)
    if not any(e.eligible for e in empty.evaluations(run.id)):
        with pytest.raises(RunError, match="has no candidate on a front"):
            audit_run(empty, run.id)


@pytest.mark.parametrize(("given", "message"), [({"seeds": -1}, "-1 other seeds"), ({"fresh": "train"}, "fresh rows")])
def test_wrong_settings_are_refused(store: Store, run_id: str, given: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        audit_run(store, run_id, **given)


def test_an_unknown_run_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        audit_run(store, "nothing")


def test_a_candidate_off_the_front_can_contend(store: Store, run_id: str) -> None:
    inside = {e.id for e in run_front(store, run_id).contenders}
    outside = [e for e in store.evaluations(run_id) if e.eligible and e.id not in inside]
    key = outside[0].id if outside else next(iter(inside))
    front = run_front(store, run_id, also=key)
    chances = front_chances(store, front)
    assert 0.0 <= chances.chances[key] <= 1.0
    assert chances.missing == {}


def test_the_command_prints_a_table_and_json(place: Path, store: Store, run_id: str) -> None:
    asked = ["audit", run_id, "--store", str(place), "--seeds", "0"]
    plain = CliRunner().invoke(app, asked)
    assert plain.exit_code == 0, plain.output
    assert "P(front)" in plain.stdout
    assert "worst subgroup" in plain.stdout
    as_json = CliRunner().invoke(app, [*asked, "--fresh", "test", "--json"])
    found = RunAudit.model_validate_json(as_json.stdout)
    assert found.fresh is not None


def test_the_command_refuses_in_words(place: Path, store: Store, run_id: str) -> None:
    wrong = CliRunner().invoke(app, ["audit", run_id, "--store", str(place), "--fresh", "train"])
    assert wrong.exit_code == 2
    assert "There are no fresh rows called 'train'" in wrong.output
