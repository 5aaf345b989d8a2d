"""The benchmark command from the outside: a file in, a table or one JSON document out."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from nas_core.command import app

COLUMNS = ["--variables", "a,b,c", "--search", "seen", "--report", "shown"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [(a, b, c, -((a - 1) ** 2) - (b - 2) ** 2 - c) for a, b, c in itertools.product(range(4), repeat=3)]
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "seen"])
    frame["shown"] = 10 * frame["seen"]
    frame.to_csv(tmp_path / "recorded.csv", index=False)
    return tmp_path / "recorded.csv"


def test_json_has_mean_error_and_curve_of_each_strategy(table: Path) -> None:
    options = ["--strategies", "random, local_search", "--budget", "30", "--trials", "10", "--workers", "1", "--json"]
    answer = CliRunner().invoke(app, ["benchmark", str(table), *COLUMNS, *options])
    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.stdout)
    assert document["architectures"] == 64
    assert set(document["strategies"]) == {"random", "local_search"}
    for result in document["strategies"].values():
        assert result["mean"] == result["curve"][-1]
        assert len(result["curve"]) == 30
        assert result["standard_error"] >= 0
    assert document["strategies"]["local_search"]["mean"] == 0.0
    assert document["strategies"]["random"]["mean"] < 0.0


def test_people_get_a_table_with_the_best_first(table: Path) -> None:
    options = ["--strategies", "random,local_search", "--budget", "12", "--trials", "4", "--workers", "1"]
    answer = CliRunner().invoke(app, ["benchmark", str(table), *COLUMNS, *options])
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.index("local_search") < answer.stdout.index("random")
    assert "64 architectures" in answer.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--variables", "a,z", "--search", "seen", "--report", "shown"], "no column 'z'"),
        ([*COLUMNS, "--strategies", "tea"], "no strategy 'tea'"),
        ([*COLUMNS, "--trials", "1"], "number of trials is 1"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_words(table: Path, options: list[str], said: str) -> None:
    answer = CliRunner().invoke(app, ["benchmark", str(table), *options])
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.output
