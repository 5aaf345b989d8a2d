"""``nasight insight``: the table and the document of a run in a store, and what it says when there is too little."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.data import Problem, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.runs.registry import start_run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import open_store


def searched(folder: Path, candidates: int) -> str:
    problem = Problem.create(load_data("iris"))
    store = open_store(folder)
    run = start_run(
        store, problem, SearchSpace.for_problem(problem, "balanced"), RunSettings(candidates=candidates, seed=0),
        evaluator=lambda _p, space, own: SyntheticEvaluator(space, own.seed),
    )  # fmt: skip
    assert run.wait(60)
    store.close()
    return run.id


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("store")
    searched(found, 60)
    return found


def nasight(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_table_has_a_row_for_each_choice_and_says_how_well_they_predict(folder: Path) -> None:
    said = nasight("insight", "latest", "--store", str(folder), "--no-shap")
    assert "candidates that ended well" in said
    assert "Of candidates not seen before the surrogate explains" in said
    for words in ("ROC AUC", "Interpretability", "Which features", "interactions", "95 %"):
        assert words in said


def test_the_document_is_the_same_table_and_the_same_every_time(folder: Path) -> None:
    arguments = ("insight", "latest", "--store", str(folder), "--json", "--for", "feature_parsimony")
    document = json.loads(nasight(*arguments))
    assert [aim["name"] for aim in document["aims"]] == ["feature_parsimony"]
    (aim,) = document["aims"]
    assert aim["predicts"]
    assert aim["choices"][0]["key"] == "groups.features"
    assert aim["sentence"].startswith("Of the variation of")
    shares = [choice["share"]["value"] for choice in aim["choices"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1.001
    assert abs(sum(choice["shap"]["value"] for choice in aim["choices"]) - 1.0) < 1e-3
    assert json.loads(nasight(*arguments)) == document


def test_too_few_candidates_and_unknown_names_are_said(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["insight", "latest", "--store", str(folder), "--for", "beauty"])
    assert result.exit_code == 2
    assert "There is nothing called 'beauty' to explain" in result.output
    searched(tmp_path, 12)
    result = CliRunner().invoke(app, ["insight", "latest", "--store", str(tmp_path)])
    assert result.exit_code == 2
    assert "30 are needed" in result.output
    assert "Traceback" not in result.output
