"""``nasight search --start`` and ``--warm``: what a person may give a search to begin with, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_examples import synthetic
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.command.beginning import earlier_runs, say_warm
from nas_core.data import Problem
from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.runs import registry
from nas_core.runs.report import run_document
from nas_core.runs.settings import RunSettings
from nas_core.runs.start_file import read_architectures
from nas_core.runs.viewer import RunView
from nas_core.spaces import SearchSpace
from nas_core.store import Store, open_store

command = CliRunner()


@pytest.fixture
def drawn(space: SearchSpace) -> list[Architecture]:
    return [space.sample(np.random.default_rng([5, i])) for i in range(4)]


def written(folder: Path, document: Any) -> Path:
    file = folder / "start.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def test_a_list_of_architectures_or_of_their_values_is_read(
    tmp_path: Path, space: SearchSpace, drawn: list[Architecture]
) -> None:
    whole = [a.model_dump(mode="json") for a in drawn[:2]]
    file = written(tmp_path, [*whole, *(a.values for a in drawn[2:])])
    assert read_architectures(file, space) == (drawn, [])


def test_what_is_there_twice_counts_once_and_is_said(
    tmp_path: Path, space: SearchSpace, drawn: list[Architecture]
) -> None:
    found, notes = read_architectures(written(tmp_path, [a.values for a in [*drawn, *drawn]]), space)
    assert found == drawn
    assert notes == ["4 of 8 architectures of start.json are there twice and count once"]


def test_the_document_of_a_run_gives_its_front(tmp_path: Path, launch: Any, space: SearchSpace, store: Store) -> None:
    run = launch(candidates=24)
    assert run.wait(20)
    document = run_document(RunView(store, run.id))
    found, _ = read_architectures(written(tmp_path, document), space)
    assert {a.id for a in found} == {c["id"] for c in document["candidates"] if c["on_front"]}
    rows, _ = read_architectures(written(tmp_path, document["candidates"]), space)
    assert len(rows) == 24


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{not json", r"is not JSON.*JSON list of architectures"),
        ("[" * 100_000, "nested too deeply"),
        ("3", r"holds no architectures: it is of the type int.*show --json"),
        ('{"values": {}}', "holds no architectures: it is of the type dict"),
        ("[]", "holds no architectures: it is an empty list"),
        ("[3]", r"Architecture 1 of .*start.json is of the type int"),
        ("[{}]", r"Architecture 1 of .*groups is missing"),
        ('[{"family": "image", "values": {}}]', r"Architecture 1 .*of the family 'image'.*'tabular'"),
    ],
)
def test_a_file_that_is_no_list_of_architectures_is_refused(
    tmp_path: Path, space: SearchSpace, content: str, message: str
) -> None:
    with pytest.raises(SpaceError, match=message):
        read_architectures(written(tmp_path, content), space)


def test_odd_values_and_long_lists_are_refused(tmp_path: Path, space: SearchSpace, drawn: list[Architecture]) -> None:
    values = next(a.values for a in drawn if a.values["depth"])
    with pytest.raises(SpaceError, match=r"Architecture 2 of .*width is 7; allowed: 4, 8, 16, 32"):
        read_architectures(written(tmp_path, [values, {**values, "width": 7}]), space)
    for odd in ({"groups": 3}, {"marks": None}, {"depth": "deep"}, {"activation": []}, {"dropout": {}}):
        with pytest.raises(SpaceError, match="Architecture 1 of"):
            read_architectures(written(tmp_path, [{**values, **odd}]), space)
    with pytest.raises(SpaceError, match=r"holds 1,001 architectures.*at most 1,000.*keep the best"):
        read_architectures(written(tmp_path, [values] * 1_001), space)
    with pytest.raises(SpaceError, match=r"start.json.*7,870,000 characters.*at most 4,000,000.*keep the best"):
        read_architectures(written(tmp_path, [values] * 10_000), space)
    with pytest.raises(SpaceError, match=r"nowhere.json cannot be read.*check the path"):
        read_architectures(tmp_path / "nowhere.json", space)


def test_many_architectures_are_evaluated_in_packs(problem: Problem, space: SearchSpace, store: Store) -> None:
    many = [space.sample(np.random.default_rng([9, i])) for i in range(20)]
    run = registry.start_run(
        store, problem, space, RunSettings(candidates=30, pack_size=8), first=many, made="from a file",
        evaluator=synthetic(),
    )  # fmt: skip
    assert run.wait(20)
    found = store.evaluations(run.id)
    assert [e.architecture for e in found[:20]] == many
    assert {e.operator for e in found[:20]} == {"from a file"}
    assert run.snapshot().progress.packs == 5
    assert len(found) == 30


def test_auto_takes_the_newest_runs_that_fit(
    launch: Any, problem: Problem, space: SearchSpace, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert earlier_runs(store, ["auto"], problem, space) == []
    assert "no earlier run is on data of this shape" in capsys.readouterr().err
    for seed in range(4):
        assert launch(candidates=8, seed=seed).wait(20)
    newest = [r.id for r in store.runs()]
    assert earlier_runs(store, ["auto"], problem, space) == newest[:3]
    assert f"Starting from {newest[0]}: breast_cancer" in capsys.readouterr().err
    assert earlier_runs(store, [newest[3], "latest"], problem, space) == [newest[3], newest[0]]
    run = registry.start_run(store, problem, space, RunSettings(candidates=8), warm=[newest[0]], evaluator=synthetic())
    assert run.wait(20)
    say_warm(store, run.id)
    assert f"architectures of {newest[0]} are evaluated first" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_starts_from_a_file_and_from_an_earlier_run(tmp_path: Path) -> None:
    where = ["--store", str(tmp_path / "store"), "--json", "--candidates"]
    first = command.invoke(app, ["search", "iris", *where, "6"])
    assert first.exit_code == 0, first.output
    document = json.loads(first.stdout)
    file = written(tmp_path, document)
    again = command.invoke(app, ["search", "iris", *where, "6", "--warm", "latest", "--start", str(file)])
    assert again.exit_code == 0, again.output
    assert "are evaluated first" in again.stderr
    rows = json.loads(again.stdout)["candidates"]
    assert rows[0]["operator"] == "from a file"
    assert {r["id"] for r in document["candidates"] if r["on_front"]} <= {r["id"] for r in rows}
    store = open_store(tmp_path / "store")
    settings = RunSettings.model_validate(store.runs()[0].settings)
    store.close()
    assert settings.warm == (document["run_id"],)
    wrong = command.invoke(app, ["search", "breast_cancer", *where, "6", "--warm", document["run_id"]])
    assert wrong.exit_code == 2
    assert "is no start for this search" in wrong.output
    missing = command.invoke(app, ["search", "iris", *where, "6", "--warm", "nowhere"])
    assert missing.exit_code == 2
    assert "no run 'nowhere'" in missing.output
