"""Beeswarm, waterfall, importance and shape functions: the numbers they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashboard.figures.attributions import beeswarm_figure, importance_figure, shape_figure, waterfall_figure
from dashboard.theme import LIGHT
from dashboard.views.attributions import (
    AttributionView,
    ShapeView,
    attribution_view,
    beeswarm,
    colour_shares,
    importance,
    probabilities,
    swarm_offsets,
    waterfall,
)
from nas_core.data import load_data
from nas_core.explanations import Attribution

FINITE = st.floats(-100, 100, allow_nan=False, width=32)


def made(values: np.ndarray, data: np.ndarray | None = None, base: float = 0.5) -> AttributionView:
    n, P = values.shape
    data = np.arange(n * P, dtype=float).reshape(n, P) if data is None else data
    texts = tuple(tuple(f"{v:.3g}" for v in row) for row in data)
    return AttributionView(tuple(f"f{j}" for j in range(P)), values, data, texts, np.arange(n) * 10, base, 0.0,
                           "yes", "log-odds", "group_shap", "exact", 0.01)  # fmt: skip


@given(
    arrays(float, st.tuples(st.integers(1, 30), st.integers(1, 15)), elements=FINITE),
    st.integers(0, 29),
    st.integers(1, 6),
)
def test_a_waterfall_adds_up_from_the_mean_to_the_output(phi: np.ndarray, row: int, top: int) -> None:
    view = made(phi)
    position = row % len(phi)
    drawn = waterfall(view, position, top)
    assert len(drawn.steps) <= top + 1
    at = view.base
    for step in drawn.steps:
        assert step.start == pytest.approx(at)
        at = step.end
    assert at == pytest.approx(drawn.total, abs=1e-9)
    assert drawn.total == pytest.approx(view.base + phi[position].sum(), abs=1e-6)
    assert drawn.row == 10 * position
    sizes = [abs(s.change) for s in drawn.steps if s.text]
    assert sizes == pytest.approx(sorted(sizes))  # a change is a difference of two sums, so it is rounded


@given(arrays(float, st.integers(0, 60), elements=FINITE))
def test_swarm_offsets_stay_in_their_line_and_repeat(x: np.ndarray) -> None:
    span = float(np.ptp(x)) if x.size else 0.0
    offsets = swarm_offsets(x, span)
    assert np.all(np.abs(offsets) <= 0.4)
    assert np.array_equal(offsets, swarm_offsets(x, span))


def test_rows_with_the_same_attribution_are_spread_apart() -> None:
    offsets = swarm_offsets(np.array([0.0, 0, 0, 0, 5.0]), 5.0)
    assert len(set(offsets[:4])) == 4
    assert offsets[4] == 0


@given(arrays(float, st.integers(1, 50), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_colours_are_shares_and_missing_stays_missing(values: np.ndarray) -> None:
    shares = colour_shares(values)
    assert np.array_equal(np.isnan(shares), np.isnan(values))
    known = shares[~np.isnan(shares)]
    assert np.all((known >= 0) & (known <= 1))


def test_one_outlier_does_not_use_up_the_colours() -> None:
    shares = colour_shares(np.append(np.arange(100.0), 1e9))
    assert shares[0] == 0
    assert shares[50] == pytest.approx(0.5, abs=0.02)
    assert shares[-1] == 1


def test_an_outlier_over_a_tiny_span_is_still_a_share() -> None:
    shares = colour_shares(np.append(np.linspace(0, 5e-324, 100), 1e6))
    assert np.isfinite(shares).all()
    assert shares[-1] == 1


def test_the_beeswarm_has_one_line_per_feature_most_important_on_top() -> None:
    phi = np.column_stack([np.full(20, 0.1), np.linspace(-3, 3, 20), np.zeros(20)])
    data = np.tile(np.linspace(0, 1, 20)[:, None], (1, 3))
    data[4, 1] = np.nan
    view = beeswarm(made(phi, data))
    assert [s.name for s in view.swarms] == ["f1", "f0"]  # f2 has no influence
    figure = beeswarm_figure(view, LIGHT, chosen=40)
    lines = [t for t in figure.data if t.meta == "swarm"]
    assert np.array_equal(lines[0].x, phi[:, 1])
    assert np.allclose(np.round(lines[0].y), 1)
    assert np.allclose(np.round(lines[1].y), 0)
    assert list(figure.layout.yaxis.ticktext) == ["f0", "f1"]
    assert lines[0].marker.symbol[4] == "x-thin-open"
    assert set(lines[0].marker.symbol[:4]) == {"circle"}
    assert [row[0] for row in lines[0].customdata[:3]] == [0, 10, 20]
    ring = next(t for t in figure.data if t.meta == "chosen")
    assert list(ring.x) == [phi[4, 1], phi[4, 0]]


def test_a_row_that_was_not_explained_is_not_ringed() -> None:
    figure = beeswarm_figure(beeswarm(made(np.ones((3, 2)))), LIGHT, chosen=7)
    assert all(t.meta != "chosen" for t in figure.data)


@settings(deadline=None)
@given(arrays(float, st.tuples(st.integers(1, 40), st.integers(1, 6)), elements=FINITE))
def test_importance_is_ordered_and_inside_its_interval(phi: np.ndarray) -> None:
    view = importance(made(phi))
    assert list(view.mean) == sorted(view.mean, reverse=True)
    largest = np.abs(phi).max()
    assert np.all(view.low <= view.high)
    assert np.all(view.high <= largest * (1 + 1e-9) + 1e-12)


def test_importance_bars_carry_their_intervals() -> None:
    view = importance(made(np.random.default_rng(0).normal(size=(50, 3)) * [1, 5, 2]))
    bar = importance_figure(view, LIGHT).data[0]
    assert list(view.names) == ["f1", "f2", "f0"]
    assert np.array_equal(bar.x, view.mean)
    assert list(bar.y) == [2, 1, 0]
    assert np.allclose(bar.error_x.array, view.high - view.mean)
    assert np.allclose(bar.error_x.arrayminus, view.mean - view.low)


def test_the_waterfall_says_which_way_by_colour_and_by_sign() -> None:
    view = waterfall(made(np.array([[2.0, -1.0, 0.5]])), 0)
    figure = waterfall_figure(view, LIGHT)
    bar = figure.data[0]
    assert list(bar.base) == [0.5, 1.0, 0.0]
    assert list(bar.x) == [0.5, -1.0, 2.0]
    assert list(bar.text) == ["+0.5", "-1", "+2"]
    assert list(bar.marker.color) == [LIGHT.diverging[2], LIGHT.diverging[0], LIGHT.diverging[2]]
    said = [a.text for a in figure.layout.annotations]
    assert said == ["mean output 0.5", "this row 2"]
    low, high = figure.layout.xaxis.range
    assert low < 0
    assert high > 2


def curve(**changes: object) -> ShapeView:
    fields: dict = {
        "name": "age", "x": np.array([1.0, 2.0, 3.0]), "y": np.array([-1.0, 0.0, 2.0]), "levels": (),
        "edges": np.array([1.0, 2.0, 3.0]), "counts": np.array([4, 8]), "missing": None, "mark": 1, "unit": "log-odds",
    }  # fmt: skip
    return ShapeView(**{**fields, **changes})


def test_a_shape_function_stands_above_the_density_of_its_rows() -> None:
    figure = shape_figure(curve(), LIGHT)
    line = next(t for t in figure.data if t.meta == "curve")
    assert list(line.x) == [1, 2, 3]
    assert list(line.y) == [-1, 0, 2]
    rows = next(t for t in figure.data if t.meta == "density")
    assert list(rows.customdata) == [4, 8]
    assert rows.base + max(rows.y) <= -1
    assert rows.y[0] * 2 == pytest.approx(rows.y[1])


def test_a_category_has_a_bar_for_each_level() -> None:
    levels = ("red", "green", "blue")
    figure = shape_figure(curve(levels=levels, x=np.arange(3), counts=np.array([1, 2, 1]), edges=np.zeros(0)), LIGHT)
    assert list(figure.data[0].x) == list(levels)
    assert list(figure.data[0].customdata) == [25, 50, 25]


@given(arrays(float, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=FINITE))
def test_probabilities_add_up_to_one(logits: np.ndarray) -> None:
    shares = probabilities(logits)
    assert np.allclose(shares.sum(axis=1), 1)
    if logits.shape[1] == 1:
        assert np.allclose(shares[:, 1], 1 / (1 + np.exp(-logits[:, 0])))


def test_a_view_is_of_one_output_and_finds_its_rows() -> None:
    iris = load_data("iris")
    rows = np.array([0, 60, 120])
    outputs = np.array([[5.0, 0, 0], [0, 0.1, 0], [9.0, 0, 0]])
    phi = np.zeros((3, 4, 3))
    phi[2] = 4.0
    found = Attribution(phi, np.zeros(3), outputs, iris.X[rows], iris.feature_names, iris.classes, "group_shap")
    view = attribution_view(found, 2, rows, iris)
    assert view.output == "virginica"
    assert view.texts[0][0] == "5.10"
    assert view.position(60) == 1
    assert view.position(61) == 0
