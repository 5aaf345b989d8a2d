"""The values of one row as bars from zero: the numbers they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.figures.contributions import contributions_figure
from dashboard.theme import DARK, LIGHT
from dashboard.views.attributions import attribution_view
from dashboard.views.contributions import contributions
from nas_core.data import load_data
from nas_core.explanations import Attribution


def iris(values: np.ndarray, **given: object) -> Attribution:
    data = load_data("iris")
    raw = data.X[: len(values)]
    return Attribution(
        values, np.zeros(3), values.sum(1), raw, data.feature_names, data.classes, "lime", additive=False, **given
    )


VALUES = np.zeros((2, 4, 3))
VALUES[1, :, 2] = [0.5, 0.0, -2.0, 1.0]


def test_the_largest_are_on_top_with_their_margins_and_zeros_are_left_out() -> None:
    errors = np.zeros_like(VALUES)
    errors[1, 2, 2] = 0.1
    found = iris(VALUES, errors=errors)
    view = attribution_view(found, 2, np.array([7, 9]), load_data("iris"))
    drawn = contributions(view, found, view.position(9), top=2)
    assert drawn.values.tolist() == [-2.0, 1.0]
    assert drawn.margins == pytest.approx([0.196, 0.0])
    assert drawn.hidden == 1
    bar = contributions_figure(drawn, LIGHT).data[0]
    assert list(bar.x) == [-2.0, 1.0]
    assert list(bar.y) == [1, 0]
    lowers, _, raises = LIGHT.diverging
    assert list(bar.marker.color) == [lowers, raises]
    assert bar.error_x.visible


def test_slopes_have_one_colour_and_say_their_unit() -> None:
    found = iris(np.abs(VALUES), unit="slope")
    view = attribution_view(found, 2, np.array([7, 9]), load_data("iris"))
    figure = contributions_figure(contributions(view, found, 1), DARK)
    assert figure.data[0].marker.color == DARK.accuracy
    assert not figure.data[0].error_x.visible
    assert "log-odds per standard deviation" in figure.layout.xaxis.title.text


def test_a_row_that_nothing_influences_has_no_bars() -> None:
    found = iris(VALUES)
    view = attribution_view(found, 0, np.array([7, 9]), load_data("iris"))
    drawn = contributions(view, found, 0)
    assert drawn.names == ()
    assert not len(contributions_figure(drawn, LIGHT).data[0].x)
