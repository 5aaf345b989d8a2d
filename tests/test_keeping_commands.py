"""``nasight check``, ``backup`` and ``delete``, as a person uses them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.errors import StoreError
from nas_core.records import Architecture, Evaluation, RunRecord, RunState, Status
from nas_core.store import open_store
from nas_core.store.owner import this_process

RUN = "20250101-120000-abcd"


def nasight(*arguments: str, said: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments, input=said)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def place(tmp_path: Path) -> str:
    store = open_store(tmp_path / "runs")
    record = RunRecord(
        id=RUN, name="wine", created=1.0, state=RunState.DONE, problem={}, space={}, settings={}, data_hash="abc"
    )
    store.create_run(record)
    architecture = Architecture(family="tabular", values={})
    found = Evaluation(id=architecture.id, architecture=architecture, status=Status.DONE)
    store.commit(RUN, [found], {"told": 1}, {})
    store.close()
    return str(tmp_path / "runs")


def test_check_says_what_it_looked_at_and_what_it_found(place: str) -> None:
    code, said, _ = nasight("check", place)
    assert code == 0
    assert "1 runs, 1 candidates, 0 events, 0 marks, 0 artifacts (0.0 MB)" in said
    assert "The store is sound." in said
    stray = Path(place) / "nasight-artifacts" / "loose"
    stray.write_bytes(b"x")
    code, said, _ = nasight("check", "--store", place)
    assert (code, "left over: 1 files that nothing refers to, such as loose" in said) == (0, True)
    assert "--repair tidies up" in said
    code, said, _ = nasight("check", place, "--repair")
    assert (code, "repaired: 1 files" in said, stray.exists()) == (0, True, False)


def test_check_ends_with_1_for_damage(place: str) -> None:
    store = open_store(place)
    store.commit(RUN, [], {"told": 2}, {})
    store.close()
    code, said, _ = nasight("check", place)
    assert code == 1
    assert f"damaged: run {RUN}: 1 of 2 candidates are missing" in said
    code, said, _ = nasight("check", place, "--json")
    document = json.loads(said)
    assert (code, document["sound"], document["counts"]["evaluations"]) == (1, False, 1)
    assert document["findings"][0]["harmful"] is True


@pytest.mark.parametrize("command", [["check"], ["backup", "copy"]])
def test_looking_after_a_store_never_makes_one(tmp_path: Path, command: list[str]) -> None:
    code, _, said = nasight(*command, "--store", str(tmp_path / "nothing"))
    assert code == 2
    assert f"There is no store at {tmp_path / 'nothing' / 'nasight.sqlite'}" in said
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_checked_is_said(place: str) -> None:
    assert "nothing to check in memory:" in nasight("check", "memory:")[2]
    assert "Two stores are given" in nasight("check", place, "--store", "other")[2]


def test_a_backup_passes_the_check(place: str, tmp_path: Path) -> None:
    code, said, _ = nasight("backup", str(tmp_path / "copy"), "--store", place)
    assert (code, f"{place}/nasight.sqlite is copied to {tmp_path}/copy/nasight.sqlite" in said) == (0, True)
    assert nasight("check", str(tmp_path / "copy"))[0] == 0
    code, said, _ = nasight("backup", str(tmp_path / "other.db"), "--store", place, "--json")
    assert json.loads(said)["copy"] == str(tmp_path / "other.db")


def test_delete_asks(place: str) -> None:
    code, _, asked = nasight("delete", "latest", "--store", place, said="n\n")
    assert code == 1
    assert f"Delete the run {RUN} (wine, done) with 1 candidates for good?" in asked
    store = open_store(place)
    assert len(store.runs()) == 1
    assert nasight("delete", RUN[:6], "--store", place, said="y\n")[0] == 0
    assert store.runs() == []
    code, _, said = nasight("delete", RUN, "--store", place, "--yes")
    assert (code, f"no run '{RUN}'" in said) == (2, True)
    store.close()


DAMAGES = ["{", '{"id": 3}', "", "[" * 5000, "null", '{"id": "\\ud800"}']


@pytest.mark.parametrize("body", DAMAGES)
def test_a_damaged_run_is_named_hides_no_other_and_can_be_deleted(place: str, body: str, tmp_path: Path) -> None:
    store = open_store(place)
    store.create_run(store.run(RUN).model_copy(update={"id": "20250102-120000-beef", "created": 2.0}))
    assert store.damaged_runs() == []
    connection = sqlite3.connect(Path(place) / "nasight.sqlite")
    with connection:
        connection.execute("UPDATE runs SET body = ? WHERE id = ?", (body, RUN))
    connection.close()
    assert [r.id for r in store.runs()] == ["20250102-120000-beef"]
    (damaged,) = store.damaged_runs()
    assert damaged.id == RUN
    assert "is damaged (RunRecord" in damaged.reason
    for command in (["show", RUN], ["resume", RUN], ["export", RUN, "csv"], ["backup", str(tmp_path / "copy")]):
        code, said, told = nasight(*command, "--store", place)
        assert (code, said) == (2, "")
        assert f"A record of the run {RUN} is damaged" in told
        assert "`nasight check` lists all damage; restore the store from a backup" in told
    code, said, told = nasight("runs", "--store", place)
    assert (code, "20250102-120000-beef" in said, f"Damaged: A record of the run {RUN}" in told) == (0, True, True)
    assert nasight("check", place)[0] == 1
    assert nasight("delete", RUN, "--store", place, "--yes")[0] == 0
    assert store.damaged_runs() == []
    assert nasight("check", place)[0] == 0
    store.close()


@pytest.mark.parametrize(("table", "method"), [("evaluations", "evaluations"), ("strategy_states", "strategy_state")])
def test_damage_within_a_run_is_said(place: str, table: str, method: str) -> None:
    connection = sqlite3.connect(Path(place) / "nasight.sqlite")
    with connection:
        connection.execute(f"UPDATE {table} SET body = '{{'")
    connection.close()
    store = open_store(place)
    assert [r.id for r in store.runs()] == [RUN]
    with pytest.raises(StoreError, match=f"A record of the run {RUN} is damaged"):
        getattr(store, method)(RUN)
    store.close()


def test_delete_refuses_a_run_that_is_alive(place: str) -> None:
    store = open_store(place)
    store.update_run(RUN, state=RunState.RUNNING, owner=this_process())
    code, _, said = nasight("delete", RUN, "--store", place, "--yes")
    assert (code, "is running and cannot be deleted" in said) == (2, True)
    store.update_run(RUN, state=RunState.STOPPED, owner="")
    code, said, _ = nasight("delete", RUN, "--store", place, "--yes", "--json")
    assert json.loads(said) == {"run_id": RUN, "candidates": 1}
    store.close()
