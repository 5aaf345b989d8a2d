"""Measures, neighbours with a higher value, and training curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from recorded import recorded_run, run_problem

from dashboard.figures.curves import curves_figure
from dashboard.figures.measures import measures_figure
from dashboard.theme import LIGHT
from dashboard.views.candidate import best_links, candidate_view, raised_by
from dashboard.views.curves import curves_view
from dashboard.views.measures import MeasureBar, MeasuresView, architecture_changes, measures_view, nearest_higher
from nas_core.objectives import metric_objective
from nas_core.records import Evaluation
from nas_core.spaces import SearchSpace

AUC = metric_objective("roc_auc")


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem(), "balanced")


@pytest.fixture(scope="module")
def evaluations() -> list[Evaluation]:
    return recorded_run()[1]


@given(
    arrays(float, 12, elements=st.floats(0, 1) | st.just(np.nan)),
    arrays(float, (12, 3), elements=st.floats(-5, 5, width=16)),
    st.integers(0, 11),
)
def test_the_neighbour_is_higher_and_no_higher_one_is_nearer(values: np.ndarray, points: np.ndarray, at: int) -> None:
    found = nearest_higher(values, points, at)
    here = values[at] if not math.isnan(values[at]) else -math.inf
    higher = [i for i in range(12) if values[i] > here + 0.005]
    if found is None:
        assert not higher
        return
    span = np.ptp(points, axis=0)
    scaled = points / np.where(span > 0, span, 1)
    distance = [float(np.linalg.norm(scaled[i] - scaled[at])) for i in higher]
    assert found in higher
    assert distance[higher.index(found)] == pytest.approx(min(distance))


def test_the_search_for_a_higher_value_ends_where_there_is_none(
    space: SearchSpace, evaluations: list[Evaluation]
) -> None:
    first = evaluations[0]
    found = raised_by(evaluations, space, first.id)
    assert found["additivity"] is None  # it is 1 already
    linear = next(e for e in evaluations if e.operator == "landmark: linear model of all features")
    fewer = raised_by(evaluations, space, linear.id)["feature_parsimony"]
    assert fewer is not None
    other = next(e for e in evaluations if e.id == fewer.id)
    assert fewer.value == other.measures["feature_parsimony"].value > 0
    assert fewer.performance_change == pytest.approx(other.performance.value - linear.performance.value)
    assert any(change.startswith("drops mean") for change in fewer.changes)


def test_a_failed_candidate_has_nothing_to_raise(space: SearchSpace, evaluations: list[Evaluation]) -> None:
    assert raised_by(evaluations, space, evaluations[-2].id) == {}
    assert raised_by(evaluations, space, "unknown") == {}


def test_changes_are_told_in_words() -> None:
    before = {"groups": [{"features": [0, 1]}], "depth": 1, "marks": {"0": 1}}
    after = {"groups": [{"features": [1]}, {"features": [2]}], "depth": 2, "marks": {}}
    assert architecture_changes(before, after, ["a", "b", "c"]) == (
        "drops a", "adds c", "groups 1 → 2", "depth 1 → 2", "monotone marks 1 → 0",
    )  # fmt: skip
    assert architecture_changes(before, before, ["a", "b"]) == ()


def test_each_measure_speaks_for_itself(space: SearchSpace, evaluations: list[Evaluation]) -> None:
    view = measures_view(evaluations[7], space, {})
    by_name = {b.name: b for b in view.bars}
    assert list(by_name) == list(evaluations[7].measures)
    assert by_name["feature_parsimony"].words == "Uses 3 of 30 features."
    assert "Drop a feature" in by_name["feature_parsimony"].advice


def bar(**changes: object) -> MeasureBar:
    fields: dict = {
        "name": "m", "label": "M", "value": 0.5, "low": 0.4, "high": 0.7, "words": "w", "advice": "", "reason": "",
        "description": "", "raised_by": None,
    }  # fmt: skip
    return MeasureBar(**{**fields, **changes})


def test_bars_have_intervals_and_undefined_says_so() -> None:
    view = MeasuresView((bar(), bar(label="N", low=0.5, high=0.5), bar(label="U", value=None, low=None, high=None)))
    track, value, numbers = measures_figure(view, LIGHT).data
    assert list(track.x) == [1, 1, 1]
    assert list(value.y) == ["U", "N", "M"]
    assert list(value.x) == [0, 0.5, 0.5]
    assert list(value.error_x.array)[:2] == [None, None]
    assert value.error_x.array[2] == pytest.approx(0.2)
    assert value.error_x.arrayminus[2] == pytest.approx(0.1)
    assert list(numbers.text) == ["not defined", "0.50", "0.50"]


@given(st.lists(st.floats(0, 9) | st.just(math.nan), max_size=30))
def test_the_kept_epoch_is_the_first_with_the_smallest_loss(losses: list[float]) -> None:
    view = curves_view({"train_loss": losses, "valid_loss": losses})
    if not losses:
        assert view is None
        return
    finite = [v for v in losses if math.isfinite(v)]
    if not finite:
        assert view.best is None
        return
    assert losses[view.best - 1] == min(finite)
    assert min(finite) not in losses[: view.best - 1]


def test_curves_start_at_epoch_one_and_mark_the_kept_one() -> None:
    view = curves_view({"train_loss": [3, 2, 1], "valid_loss": [3.5, 2.5, 2.7]})
    train, valid, kept = curves_figure(view, LIGHT).data
    assert list(train.x) == [1, 2, 3]
    assert list(valid.y) == [3.5, 2.5, 2.7]
    assert (list(kept.x), list(kept.y)) == ([2], [2.5])
    assert train.line.dash == "dot"
    assert valid.line.dash == "solid"


def test_the_header_says_where_a_candidate_is_from(space: SearchSpace, evaluations: list[Evaluation]) -> None:
    view = candidate_view(evaluations[2], space, AUC, evaluations)
    assert view.number == 3
    assert view.parents == ((1, evaluations[0].id),)
    assert view.origin == "landmark: one feature, rank 3"
    assert view.facts[0].label == "ROC AUC"
    assert "±" in view.facts[0].value
    failed = candidate_view(evaluations[-2], space, AUC, evaluations)
    assert not failed.ended_well
    assert failed.reason == "The loss became NaN in epoch 1"
    assert failed.facts[0].value == "–"


def test_the_best_links_trade_performance_for_features(space: SearchSpace, evaluations: list[Evaluation]) -> None:
    links = best_links(evaluations, AUC, space)
    by_id = {e.id: e for e in evaluations}
    performance = [by_id[link.id].performance.value for link in links]
    used = [sum(len(g["features"]) for g in by_id[link.id].architecture.values["groups"]) for link in links]
    assert performance == sorted(performance, reverse=True)
    assert used == sorted(used, reverse=True)
    assert len(set(used)) == len(used)
    assert f"#{by_id[links[0].id].index}:" in links[0].words
    assert best_links(evaluations[-2:], AUC, space) == ()
