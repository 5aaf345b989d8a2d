"""Goals of a run: refused where nobody can reach them, followed and remembered, and told in its document."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from run_examples import synthetic

from nas_core.command.parsing import parse_goals
from nas_core.errors import SettingsError
from nas_core.objectives import metric_objective
from nas_core.preferences import Goal, Preference
from nas_core.runs.report import run_document
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.runs.tables import front_table, summary_line
from nas_core.runs.viewer import RunView
from nas_core.store import Store

Launch = Callable[..., Run]
REACHED = (Goal(name="performance", value=0.6), Goal(name="feature_parsimony", value=0.5))
BEYOND = (Goal(name="performance", value=0.9999), Goal(name="interpretability", value=0.99))


def document(store: Store, run: Run) -> dict[str, Any]:
    assert run.wait(20)
    found: dict[str, Any] = json.loads(json.dumps(run_document(RunView(store, run.id)), allow_nan=False))
    return found


def test_what_meets_the_goals_is_told(launch: Launch, store: Store) -> None:
    found = document(store, launch(candidates=48, preference=Preference(goals=REACHED)))
    goals, rows = found["goals"], {c["id"]: c for c in found["candidates"]}
    assert goals["met"] == sum(c["meets_goals"] for c in rows.values()) > 0
    assert goals["best"] == found["best"]
    assert goals["nearest"] is None
    assert rows[found["best"]]["meets_goals"]
    assert [line["name"] for line in goals["lines"]] == ["performance", "feature_parsimony"]
    assert all(line["lacks"] == 0.0 and line["met"] >= goals["met"] for line in goals["lines"])
    for c in rows.values():
        kept = c["status"] == "done" and c["performance"]["value"] >= 0.6
        assert c["meets_goals"] == (kept and c["measures"]["feature_parsimony"]["value"] >= 0.5)
    assert summary_line(found).endswith(f"{goals['met']} of {goals['eligible']} candidates meet both goals; best: "
                                        f"#{rows[found['best']]['index']}.")  # fmt: skip
    table = front_table(found)
    assert "goals" in [column.header for column in table.columns]


def test_the_nearest_is_told_while_nobody_meets_them(launch: Launch, store: Store) -> None:
    found = document(store, launch(candidates=32, preference=Preference(goals=BEYOND)))
    goals = found["goals"]
    assert (goals["met"], goals["best"], goals["nearest"]) == (0, None, found["best"])
    assert "No candidate meets the goals; nearest: #" in summary_line(found)
    assert "(goal 0.9999)" in goals["sentence"]
    assert any(line["lacks"] > 0.0 for line in goals["lines"])
    console = Console(width=200, record=True)
    console.print(front_table(found))
    assert f"{found['best']} ◀" in console.export_text()  # also where it is not on the front


def test_without_goals_there_is_nothing_to_tell(launch: Launch, store: Store) -> None:
    found = document(store, launch(candidates=16))
    assert found["goals"] is None
    assert "goal" not in summary_line(found)


def test_goals_that_nobody_can_reach_are_refused_before_there_is_a_run(launch: Launch, store: Store) -> None:
    for goal, wrong in (("performance", r"which no model can reach"), ("beauty", r"'beauty', which is not measured")):
        with pytest.raises(SettingsError, match=wrong):
            launch(preference=Preference(goals=(Goal(name=goal, value=1.0 + (goal == "performance")),)))
    assert store.runs() == []


def test_a_run_can_be_steered_by_goals_and_refuses_impossible_ones(launch: Launch, store: Store) -> None:
    run = launch(synthetic(0.01), candidates=64)
    with pytest.raises(SettingsError, match="which no model can reach"):
        run.steer(Preference(goals=(Goal(name="performance", value=1.5),)))
    with pytest.raises(SettingsError, match="'beauty', which is not measured here"):
        run.steer(Preference(goals=(Goal(name="beauty", value=0.5),)))
    run.steer(Preference(goals=REACHED))
    assert run.wait(20)
    assert RunSettings.model_validate(store.run(run.id).settings).preference.goals == REACHED
    assert len(store.evaluations(run.id)) == 64


def test_goals_are_written_as_text() -> None:
    auc = metric_objective("roc_auc")
    found = parse_goals(["roc_auc=0.95", "interpretability = 0.5", "additivity=1"], auc)
    assert [(g.name, g.value) for g in found] == [("performance", 0.95), ("interpretability", 0.5), ("additivity", 1.0)]
    assert parse_goals(["performance=3"], metric_objective("mse"))[0].value == 3.0
    with pytest.raises(
        SettingsError, match=r"'roc_auc' is no goal.*NAME=NUMBER with performance, roc_auc.*roc_auc=0\.9"
    ):
        parse_goals(["roc_auc"], auc)
