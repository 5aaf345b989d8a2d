"""A decision can be had again: the command gives the same network with the same numbers, in another process."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from recorded import RUN, recorded_run

from nas_core.command import app
from nas_core.data import Problem, load_data
from nas_core.preferences import Goal, Preference
from nas_core.records import Event
from nas_core.reports import DecisionRecord, decision_record, retrained_choice
from nas_core.reports.remaking import repeatable_budget
from nas_core.reports.repeating import compared
from nas_core.runs.registry import start_run
from nas_core.runs.settings import RunSettings
from nas_core.runs.viewer import RunView
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, open_store

WISH = Preference(
    weight=0.3, goals=(Goal(name="performance", value=0.5),), measures={"additivity": 1, "feature_parsimony": 2}
)


def searched(data: str = "iris", **settings: object) -> DecisionRecord:
    problem = Problem.create(load_data(data))
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(InMemoryStore(), problem, space, RunSettings(seed=5, preference=WISH, **settings))
    run.wait(240)
    return decision_record(RunView(run.store, run.id))


@pytest.fixture(scope="module")
def record() -> DecisionRecord:
    return searched(candidates=20)


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from dashboard.command import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=280)


@pytest.mark.slow
def test_the_command_finds_the_same_candidate_with_the_same_numbers(record: DecisionRecord, tmp_path: Path) -> None:
    assert record.remake.exact
    assert not record.remake.because
    program, *arguments = shlex.split(record.remake.search)
    assert program == "nasight"
    done = in_a_process(*arguments, "--store", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["data_hash"] == record.data.hash
    assert again["best"] == record.chosen.id
    (found,) = [c for c in again["candidates"] if c["id"] == record.chosen.id]
    assert found["index"] == record.chosen.number
    assert found["performance"]["value"] == pytest.approx(record.chosen.performance.value, abs=1e-6)
    assert found["interpretability"] == pytest.approx(record.chosen.interpretability, abs=1e-6)
    for name, measure in record.chosen.measures.items():
        assert found["measures"][name]["value"] == pytest.approx(measure.value, abs=1e-6)
    store = open_store(tmp_path)
    second = decision_record(RunView(store, store.runs()[0].id))
    store.close()
    assert second.alternatives == record.alternatives
    assert second.remake == record.remake


def test_the_chosen_network_alone_is_trained_to_the_same_numbers(record: DecisionRecord) -> None:
    found = retrained_choice(record)
    assert found.same
    assert {"performance", "skill", "additivity"} <= {number.name for number in found.numbers}


def test_the_command_reproduce_compares_and_says_so(record: DecisionRecord, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(record.model_dump_json())
    told = CliRunner().invoke(app, ["reproduce", str(file)])
    assert told.exit_code == 0
    assert "The same network with the same numbers." in told.stdout
    wrong = record.chosen.model_copy(
        update={"performance": record.chosen.performance.model_copy(update={"value": 0.1})}
    )
    file.write_text(record.model_copy(update={"chosen": wrong}).model_dump_json())
    told = CliRunner().invoke(app, ["reproduce", str(file), "--json"])
    assert told.exit_code == 1
    (number,) = [n for n in json.loads(told.stdout)["numbers"] if n["name"] == "performance"]
    assert number["recorded"] == 0.1
    assert not number["same"]


def test_what_is_no_record_is_said_in_words(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text('{"run_id": 3}')
    told = CliRunner().invoke(app, ["reproduce", str(file)])
    assert told.exit_code == 2
    assert "is no decision record" in told.stderr
    assert "cannot be read" in CliRunner().invoke(app, ["reproduce", str(tmp_path / "none.json")]).stderr


def test_a_steered_run_has_no_exact_command_and_says_why() -> None:
    store, _ = recorded_run()
    payload = {"preference": Preference(weight=0.9).model_dump(mode="json")}
    store.note(RUN, [Event(kind="steered", time=1.0, evaluated=10, payload=payload)])
    record = decision_record(RunView(store, RUN))
    assert not record.remake.exact
    (reason,) = [c for c in record.remake.because if c.kind == "steered"]
    assert reason.facts == {"count": "1", "kinds": "steered", "evaluated": "10"}
    assert record.remake.retrainable
    assert [a.kind for a in record.acts] == ["steered"]


def test_what_the_command_line_cannot_say_is_left_to_the_record() -> None:
    problem = Problem.create(load_data("iris"), seed=7)  # no option says how the split is seeded
    space = SearchSpace.for_problem(problem, "balanced")
    store, found = recorded_run(name="iris")
    store.update_run(RUN, problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"))
    record = decision_record(RunView(store, RUN))
    assert record.remake.search == f"nasight reproduce decision-{RUN}-{record.chosen.number}.json --search"
    assert "file" in [c.kind for c in record.remake.because]
    inherited = found[0].model_copy(update={"inherited": found[1].id})
    store.commit(RUN, [inherited], None, {})
    record = decision_record(RunView(store, RUN), found[0].id)
    assert not record.remake.retrainable
    assert "inherited" in [c.kind for c in record.caveats]


@given(st.integers(1, 400), st.integers(1, 100), st.integers(1, 100), st.one_of(st.none(), st.integers(1, 500)))
def test_a_repetition_ends_with_a_pack_and_reaches_everything(
    evaluated: int, pack: int, first: int, budget: int | None
) -> None:
    evaluated = evaluated if budget is None else min(evaluated, budget)
    began = RunSettings(candidates=budget, seconds=9.0, pack_size=pack, first_pack=min(first, pack))
    found = repeatable_budget(began, evaluated)
    assert found.seconds is None
    assert found.candidates >= evaluated
    whole = (found.candidates - began.first_pack) % pack == 0
    assert whole or found.candidates == budget
    assert found.candidates - evaluated < max(pack, began.first_pack) or found.candidates == began.first_pack


def test_a_candidate_that_was_not_found_again_is_not_the_same(record: DecisionRecord) -> None:
    assert not compared(record.chosen, None).same
