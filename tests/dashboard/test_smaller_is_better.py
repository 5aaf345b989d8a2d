"""Where smaller values of the metric are better, nothing shows the worst candidate as the best."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.views.front import FrontView, front_view
from nas_core.objectives import metric_objective
from nas_core.preferences import Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.runs.tables import front_table
from nas_core.search import Archive
from nas_core.search.snapshot import Snapshot

WORDS = {"summary": "{count} {front} {metric} {low} {high}"}
VALUES = (0.9, 0.5, 0.3, 0.7)


def found(metric: str) -> Snapshot:
    """Four candidates; a better value has the lower interpretability."""
    objective = metric_objective(metric)
    archive = Archive(objective)
    for at, value in enumerate(VALUES):
        score = objective.loss(value) if at < 3 else 0.01  # the last is dominated
        archive.add([
            Evaluation(
                id=f"c{at}", index=at, architecture=Architecture(family="made", values={"n": at}), status=Status.DONE,
                performance=Estimate(value=value, low=value, high=value),
                skill=Estimate(value=0.5, low=0.5, high=0.5),
                measures={n: Measurement(value=score, raw=score) for n in ("feature_parsimony", "additivity")},
            )
        ])  # fmt: skip
    return archive.snapshot()


def view(metric: str) -> tuple[FrontView, Snapshot]:
    snapshot = found(metric)
    ranking = snapshot.rank(Preference(weight=0.0))
    return front_view("run", snapshot, ranking, selected=None, words=WORDS, x_label="interpretability"), snapshot


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_the_better_end_of_the_axis_is_at_the_top(metric: str) -> None:
    shown, snapshot = view(metric)
    bottom, top = shown.y_range
    better, worse = (0.3, 0.9) if metric == "log_loss" else (0.9, 0.3)
    assert snapshot.objective.better(top, bottom)
    assert snapshot.objective.better(top, better) or top == better
    assert shown.best == VALUES.index(better)
    front = [v for v, on in zip(shown.y, shown.on_front) if on]
    assert all(min(shown.y_range) <= v <= max(shown.y_range) for v in front)
    assert ("smaller is better" in shown.y_label) is (metric == "log_loss")
    assert worse in shown.y


def test_an_empty_front_has_its_better_end_at_the_top_too() -> None:
    empty = Archive(metric_objective("mse")).snapshot()
    shown = front_view("run", empty, empty.rank(Preference(weight=0.5)), selected=None, words=WORDS, x_label="x")
    assert shown.y_range == (1.0, 0.0)


@pytest.mark.parametrize(("metric", "first"), [("mse", "0.3000"), ("r2", "0.9000")])
def test_the_table_of_the_front_begins_with_the_best(metric: str, first: str) -> None:
    candidates = [
        {
            "id": f"c{at}", "index": at, "on_front": True, "interpretability": 0.5, "measures": {},
            "performance": {"value": value, "low": value, "high": value}, "receptive_field": None,
            "cost": {"parameters": 1, "operations": 1},
        }
        for at, value in enumerate(VALUES)
    ]  # fmt: skip
    document = {"metric": metric, "candidates": candidates, "best": None, "features": "features"}
    table = front_table({**document, "hypervolume_losses": ["performance"]})
    assert next(iter(table.columns[2].cells)) == first
    assert np.isfinite([float(str(cell)) for cell in table.columns[2].cells]).all()
