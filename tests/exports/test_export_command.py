"""``nasight export``: files of every format, never over another file, and errors that say what to do."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from recorded import RUN, recorded_run
from typer.testing import CliRunner

from nas_core import export_candidate, export_run
from nas_core.command import app
from nas_core.errors import ExportError
from nas_core.exports.files import write_export
from nas_core.store import open_store

run = CliRunner()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("store")
    opened = open_store(str(folder))
    recorded_run(opened, count=10)
    opened.close()
    return str(folder)


def export(store: str, *arguments: str) -> tuple[int, str]:
    result = run.invoke(app, ["export", "latest", *arguments, "--store", store])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "name", "beginning"),
    [
        (("4", "--to", "source"), "a.zip", b"PK"),
        (("4", "--to", "json"), "a.json", b"{"),
        (("4", "--to", "card"), "a.md", b"# Model card"),
        (("4", "--to", "card-html"), "a.html", b"<!doctype html>"),
        (("--to", "csv"), "a.csv", b"\xef\xbb\xbfnumber,id"),
        (("--to", "parquet"), "a.parquet", b"PAR1"),
        (("--to", "optuna"), "a.db", b"SQLite format 3"),
        (("--to", "json"), "b.json", b"{"),
    ],
)
def test_every_format_writes_its_file(
    store: str, tmp_path: Path, arguments: tuple[str, ...], name: str, beginning: bytes
) -> None:
    file = tmp_path / name
    code, said = export(store, *arguments, "-o", str(file))
    assert code == 0, said
    assert file.read_bytes().startswith(beginning)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert ("validation rows" in said) == ("source" in arguments)


def test_without_a_number_it_is_the_best_at_the_weight(store: str, tmp_path: Path) -> None:
    code, said = export(store, "--to", "json", "--weight", "1", "-o", str(tmp_path / "a.json"))
    assert code == 0, said
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["format"] == "nasight-candidate"
    assert f"The best at λ = 1 is #{document['evaluation']['index']}." in said


def test_a_file_is_not_overwritten_unless_asked(store: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("mine")
    code, said = export(store, "--to", "csv", "-o", str(file))
    assert code == 2
    assert "exists" in said
    assert "--force" in said
    assert file.read_text() == "mine"
    assert export(store, "--to", "csv", "-o", str(file), "--force")[0] == 0
    assert file.read_text(encoding="utf-8-sig").startswith("number,id")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--to", "docx"), "There is no export format 'docx'"),
        (("4", "--to", "csv"), "A candidate cannot be exported as csv"),
        (("9", "--to", "source"), "no trained weights: it is failed"),
        (("--to", "card", "--weight", "2"), "λ is 2"),
        (("no-such", "--to", "card"), "has no candidate 'no-such'"),
    ],
)
def test_errors_say_what_to_do(store: str, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    code, said = export(store, *arguments, "-o", str(tmp_path / "a"))
    assert code == 2
    assert words in " ".join(said.split())
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_and_one_that_is(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        write_export(tmp_path / "none" / "a", b"x")
    with pytest.raises(ExportError, match="is a folder"):
        write_export(tmp_path, b"x", force=True)


def test_the_public_door_exports(store: str, tmp_path: Path) -> None:
    opened = open_store(store)
    try:
        candidate = opened.evaluations(RUN)[3].id
        told: list[float] = []
        made = export_candidate(opened, RUN, candidate, "source", on_progress=lambda words, share: told.append(share))
        assert told == sorted(told)
        (tmp_path / made.name).write_bytes(made.data)
        assert zipfile.is_zipfile(tmp_path / made.name)
        assert made.check is not None
        assert made.check.rows == 114
        assert export_run(opened, RUN, "csv").name == "breast_cancer.csv"
        with pytest.raises(ExportError, match="There is no export format 'onnx' here"):
            export_run(opened, RUN, "onnx")
    finally:
        opened.close()
