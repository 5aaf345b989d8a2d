"""The command line as a person uses it: other processes, real training, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nas_core.command import app, parse_seconds
from nas_core.errors import SettingsError
from nas_core.store import open_store

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}
COMMAND = [sys.executable, "-c", "from nas_core.command import app; app()"]


def nasight(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=240)


def searched(store: Path, *arguments: str) -> dict[str, Any]:
    result = nasight("search", "breast_cancer", "--store", str(store), "--json", *arguments)
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without what the clock decides."""
    kept = {k: v for k, v in document.items() if k not in ("run_id", "seconds", "progress")}
    kept["candidates"] = [{**c, "cost": {**c["cost"], "seconds": 0}} for c in kept["candidates"]]
    return kept


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def document(store: Path) -> dict[str, Any]:
    return searched(store, "--candidates", "24", "--seed", "0")


@pytest.mark.slow
def test_the_json_document_says_everything(document: dict[str, Any]) -> None:
    assert (document["state"], document["seed"], document["metric"]) == ("done", 0, "roc_auc")
    assert len(document["data_hash"]) == 64
    assert len(document["candidates"]) == 24
    for c in document["candidates"]:
        assert {"id", "architecture", "status", "reason", "performance", "measures", "cost", "on_front"} <= set(c)
        if c["status"] == "done":
            assert {"metric", "value", "low", "high"} == set(c["performance"])
            assert all({"value", "raw", "low", "high", "reason"} == set(m) for m in c["measures"].values())
        assert {"parameters", "operations", "seconds"} == set(c["cost"])
    assert any(c["on_front"] for c in document["candidates"])
    assert document["best"] in {c["id"] for c in document["candidates"] if c["on_front"]}
    assert document["hypervolume_losses"] == [
        "performance",
        "feature_parsimony",
        "interaction_sparsity",
        "monotone_share",
    ]
    assert 0.9 < document["hypervolume"] < 1.0
    assert {"featureless", "best_single_feature", "logistic_regression"} <= set(document["floors"])
    assert document["hypervolume"] > document["floors"]["best_single_feature"]["hypervolume"]
    seconds = document["seconds"]
    assert {"train", "measure", "strategy", "store", "idle", "elapsed", "paused"} == set(seconds)
    assert seconds["train"] > 0
    assert sum(v for k, v in seconds.items() if k not in ("elapsed", "paused")) == pytest.approx(seconds["elapsed"])
    progress = document["progress"]
    assert progress["evaluated"] == 24
    assert progress["mean_rate"] == pytest.approx(24 / seconds["elapsed"])
    assert progress["epochs"] >= 24
    assert progress["device"] == "cpu"
    assert progress["memory_bytes"] > 50_000_000


@pytest.mark.slow
def test_the_same_seed_in_another_process_gives_the_same_document(document: dict[str, Any], tmp_path: Path) -> None:
    again = searched(tmp_path, "--candidates", "24", "--seed", "0")
    assert comparable(again) == comparable(document)


@pytest.mark.slow
def test_a_run_is_listed_and_shown_afterwards(document: dict[str, Any], store: Path) -> None:
    listed = nasight("runs", "--store", str(store))
    assert document["run_id"] in listed.stdout
    shown = nasight("show", "latest", "--store", str(store))
    assert document["best"] in shown.stdout
    assert f"hypervolume {document['hypervolume']:.4f}" in shown.stdout.replace("\n", " ")
    same = json.loads(nasight("show", document["run_id"][:20], "--store", str(store), "--json").stdout)
    assert same == {k: v for k, v in document.items() if k not in ("floors", "floors_hypervolume")}


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_with_what_was_found(tmp_path: Path, way: signal.Signals) -> None:
    arguments = ["search", "breast_cancer", "--candidates", "100000", "--store", str(tmp_path), "--json"]
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    store = open_store(tmp_path)
    deadline = time.monotonic() + 120
    try:
        while not any(r.progress.get("evaluated") for r in store.runs()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(way)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    document = json.loads(out)
    assert (document["state"], document["reason"]) == ("stopped", "Stopped by Ctrl-C")
    assert len(document["candidates"]) == len(store.evaluations(document["run_id"])) >= 16
    store.close()


@pytest.mark.slow
def test_a_run_goes_on_with_a_larger_budget_as_if_it_had_had_it_at_once(tmp_path: Path) -> None:
    first = searched(tmp_path / "two", "--candidates", "16")
    again = nasight("resume", first["run_id"], "--candidates", "24", "--store", str(tmp_path / "two"), "--json")
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    at_once = searched(tmp_path / "one", "--candidates", "24")
    assert [c["id"] for c in document["candidates"]] == [c["id"] for c in at_once["candidates"]]
    assert document["hypervolume"] == at_once["hypervolume"]


@pytest.mark.slow
def test_a_run_that_a_rule_has_ended_goes_on_by_another_one_and_another_strategy(tmp_path: Path) -> None:
    first = searched(tmp_path, "--candidates", "500", "--plateau", "12", "--no-halving")
    assert first["reason"].startswith("The hypervolume has not grown for 12 candidates")
    count = len(first["candidates"])
    more = ("--plateau", "0", "--strategy", "random", "--candidates", str(count + 4))
    again = nasight("resume", first["run_id"], *more, "--store", str(tmp_path), "--json")
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    assert (document["strategy"], document["reason"]) == ("random", f"All {count + 4} candidates are evaluated")
    assert {c["operator"] for c in document["candidates"][count:]} == {"sample"}


@pytest.mark.slow
def test_a_time_budget_is_kept(tmp_path: Path) -> None:
    document = searched(tmp_path, "--time", "3s")
    assert document["reason"] == "The time budget of 3 s is used up"
    assert 3.0 <= document["seconds"]["elapsed"] < 20.0  # how late it may be is tested with runs; machines are busy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weight", "1.5"], "weight of interpretability λ is 1.5"),
        (["--weight", "nan"], "weight of interpretability λ is nan"),
        (["--family-weight", "beauty=1"], "'beauty=1' is no weight"),
        (["--family-weight", "explanation=1"], "only the family explanation counts"),
        (["--measure-weight", "additivity=much"], "'additivity=much' is no weight"),
        (["--measure-weight", "additivity=0"], "weights of all measures are zero"),
        (["--time", "soon"], "'soon' is not a time"),
        (["--strategy", "magic"], "no strategy 'magic'"),
        (["--candidates", "0"], "number for candidates is 0"),
        (["--seed", "-1"], "seed is -1"),
        (["--until-goals"], "no goal is set"),
        (["--metric", "r2"], "metric 'r2' does not fit classification"),
        (["--task", "guess"], "no task 'guess'"),
        (["--preset", "wild"], "no preset 'wild'"),
        (["--space", "missing.yaml"], "missing.yaml cannot be read"),
        (["--target", "nobody"], "nobody"),
        (["--store", "mysql://x/y"], "not a store that can be opened"),
        (["--device", "abacus"], "no device 'abacus'"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASIGHT_STORE", str(tmp_path))
    result = CliRunner().invoke(app, ["search", "breast_cancer", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Fix:" in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_data_and_runs_that_are_not_there(tmp_path: Path) -> None:
    for arguments, message in (
        (["search", "nothing_here"], "no built-in data set or file 'nothing_here'"),
        (["search", str(tmp_path / "absent.csv")], "absent.csv"),
        (["show", "20200101"], "no run '20200101' in this store"),
        (["show", "latest"], "no run 'latest' in this store"),
        (["resume", "latest"], "no run 'latest' in this store"),
    ):
        result = CliRunner().invoke(app, [*arguments, "--store", str(tmp_path / "store")])
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_an_empty_store_says_how_to_begin(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["runs", "--store", str(tmp_path)])
    assert result.exit_code == 0
    assert "nasight search breast_cancer" in result.stdout
    assert CliRunner().invoke(app, ["runs", "--store", str(tmp_path), "--json"]).stdout == "[]\n"


def test_a_space_of_other_data_is_refused(tmp_path: Path) -> None:
    from nas_core.data import Problem, load_data
    from nas_core.spaces import SearchSpace

    file = tmp_path / "wine.yaml"
    file.write_text(SearchSpace.for_problem(Problem.create(load_data("wine"))).to_yaml(), encoding="utf-8")
    result = CliRunner().invoke(app, ["search", "breast_cancer", "--space", str(file), "--store", str(tmp_path / "s")])
    assert result.exit_code == 2
    assert "made for other data: 13 features, 3 outputs" in result.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("90", 90), ("5m", 300), ("5min", 300), ("1h30m", 5400), ("1.5 h", 5400), ("2M 5s", 125)],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "soon", "-5s", "1d", "1.2.3s", "s", "h", "nan", "inf"])
def test_texts_that_are_no_time(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a time"):
        parse_seconds(text)
