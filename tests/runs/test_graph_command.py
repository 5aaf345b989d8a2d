"""``nasight graph``: the network of a candidate as a file or as text."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.data import Problem, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, RunRecord, RunState
from nas_core.runs.report import run_document
from nas_core.runs.tables import front_table
from nas_core.runs.viewer import RunView
from nas_core.spaces import SearchSpace
from nas_core.store import open_store

run = CliRunner()


def stored(folder: Path, data: str) -> list[Evaluation]:
    """Write a finished run of eight candidates into a store and return them."""
    problem = Problem.create(load_data(data))
    space = SearchSpace.for_problem(problem)
    proposals = space.initial(8, np.random.default_rng(0))
    found = SyntheticEvaluator(space).evaluate(proposals, stop=threading.Event())
    store = open_store(str(folder))
    store.create_run(
        RunRecord(id="made", name=data, created=time.time(), state=RunState.CREATED, settings={},
                  problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"),
                  data_hash=problem.spec.data_hash)
    )  # fmt: skip
    numbered = [e.model_copy(update={"index": i, "revision": 2}) for i, e in enumerate(found, start=1)]
    store.commit("made", numbered, None, {"evaluated": 8}, state=RunState.DONE)
    store.close()
    return numbered


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Evaluation]]:
    folder = tmp_path_factory.mktemp("table")
    return folder, stored(folder, "iris")


@pytest.mark.parametrize(
    ("name", "beginning"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.dot", b"digraph"), ("a.mmd", b"---")]
)
def test_the_ending_of_the_file_says_the_format(
    table: tuple[Path, list[Evaluation]], tmp_path: Path, name: str, beginning: bytes
) -> None:
    file = tmp_path / name
    result = run.invoke(app, ["graph", "latest", "2", "-o", str(file), "--store", str(table[0])])
    assert result.exit_code == 0, result.output
    assert file.read_bytes().startswith(beginning)


def test_a_candidate_is_named_by_number_or_by_the_beginning_of_its_id(table: tuple[Path, list[Evaluation]]) -> None:
    folder, found = table
    one = found[3]
    answers = {
        run.invoke(app, ["graph", "made", name, "--format", "dot", "--store", str(folder)]).stdout
        for name in (one.id, one.id[:9], "#4", "4")
    }
    assert len(answers) == 1
    assert "iris #4" in answers.pop()


def test_without_a_file_the_text_is_printed(table: tuple[Path, list[Evaluation]]) -> None:
    result = run.invoke(app, ["graph", "made", "1", "--store", str(table[0])])
    assert result.exit_code == 0
    assert "flowchart" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["99"], "has no candidate '99'"),
        (["1", "--format", "gif"], "There is no graph format 'gif'"),
        (["1", "--format", "png"], "A PNG is not text"),
        (["1", "-o", "picture"], "no ending that says its format"),
        (["1", "-o", "/no/such/folder/a.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_said(table: tuple[Path, list[Evaluation]], words: list[str], said: str) -> None:
    result = run.invoke(app, ["graph", "made", *words, "--store", str(table[0])])
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def headers(folder: Path) -> tuple[list[str], dict]:
    store = open_store(str(folder))
    document = run_document(RunView(store, "made"))
    store.close()
    return [str(c.header) for c in front_table(document).columns], document


def test_the_front_of_a_table_has_the_columns_of_a_table(table: tuple[Path, list[Evaluation]]) -> None:
    names, document = headers(table[0])
    assert names[2:] == [document["metric"], "95 %", "interpretability", "features", "pairs", "not monotone",
                         "parameters"]  # fmt: skip
    assert all(c["structure"] and c["receptive_field"] is None for c in document["candidates"])


def test_the_front_of_images_has_what_applies_to_images(tmp_path: Path) -> None:
    stored(tmp_path, "digits_images")
    names, document = headers(tmp_path)
    assert names[5:] == ["pairs", "additivity", "operations", "sees", "parameters"]
    assert document["features"] == "patches"
    assert all(len(c["receptive_field"]) == 2 for c in document["candidates"])
