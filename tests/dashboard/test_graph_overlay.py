"""Quantities laid over the architecture graph: the right number at every box, a scale, and labels that stay legible."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from graph_examples import cells, parallel_groups, tower
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.architecture import SHADES, architecture_figure, scale_colour
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.collapse import Fold
from dashboard.views.graph import graph_view
from dashboard.views.overlay import Overlay, activity_overlay, contribution_overlay, count_overlay

NAMES = [f"feature {i}" for i in range(50)]


@dataclass(frozen=True)
class Layer:
    mean_abs_activation: float | None
    share_zero: float | None
    attribution_share: float | None


def test_counts_of_closed_parts_are_sums_and_hover_says_the_share() -> None:
    network = cells(4)
    view = graph_view(network, NAMES, fold=Fold(frozenset(range(4)), 2))
    overlay = count_overlay(view, "parameters")
    assert sum(overlay.values.values()) == sum(d["parameters"] for _, d in network.nodes(data=True))
    first = next(n for n in view.nodes if n.closed)
    inside = sum(network.nodes[m]["parameters"] for m in first.members)
    assert overlay.values[first.id] == inside
    assert overlay.words[first.id].startswith(f"{inside:,} (")
    figure = architecture_figure(view, LIGHT, overlay=overlay)
    hover = next(t for t in figure.data if t.meta == "hover")
    at = [n.id for n in view.nodes].index(first.id)
    assert f"Parameters: {overlay.words[first.id]}" in hover.hovertext[at]


def test_activity_is_read_at_the_modules_behind_a_box_and_boxes_without_any_stay_plain() -> None:
    network = tower(8, 0, stages=1)
    layers = {
        "op.0": Layer(2.0, 0.5, 1.0),
        "op.1": Layer(4.0, 0.0, 0.25),
        "op.2": Layer(None, None, None),
        "somewhere.else": Layer(9.0, 1.0, 1.0),
    }
    view = graph_view(network, NAMES, fold=Fold())
    overlay = activity_overlay(view, "mean_abs_activation", layers)
    assert overlay.values == {"op-0": 2.0, "op-1": 4.0}
    assert overlay.position("op-1") == 1.0
    assert overlay.position("op-0") == 0.5
    assert overlay.position("op-2") is None
    closed = graph_view(network, NAMES, fold=Fold(frozenset({0}), 2))
    box = next(n.id for n in closed.nodes if n.closed)
    assert activity_overlay(closed, "share_zero", layers).values == {box: 0.25}
    assert activity_overlay(closed, "share_zero", layers).words == {box: "25 %"}
    assert activity_overlay(closed, "attribution_share", layers).values == {box: 1.0}
    figure = architecture_figure(view, LIGHT, overlay=overlay)
    plain = next(t for t in figure.data if t.meta == "shades" and t.fillcolor == LIGHT.background)
    assert list(plain.x).count(None) == len(view.nodes) - 2


def test_contributions_colour_all_boxes_of_their_group() -> None:
    view = graph_view(parallel_groups([1, 2, 1]), NAMES, fold=Fold(frozenset({1}), 2))
    overlay = contribution_overlay(view, {0: 0.5, 1: 2.0, 2: 0.0}, "log-odds")
    assert {overlay.values[n.id] for n in view.nodes if n.group == 0} == {0.5}
    assert overlay.values[next(n.id for n in view.nodes if n.closed == (1,))] == 2.0
    assert "output" not in overlay.values
    assert set(overlay.words.values()) == {"0.500 log-odds", "2.00 log-odds", "0 log-odds"}
    unknown = contribution_overlay(view, {}, "log-odds")
    assert not unknown.values
    assert architecture_figure(view, LIGHT, overlay=unknown).layout.height


def test_the_colour_bar_names_the_quantity_and_its_ends() -> None:
    view = graph_view(tower(20, 1), NAMES)
    overlay = count_overlay(view, "operations")
    figure = architecture_figure(view, LIGHT, overlay=overlay)
    bar = next(t for t in figure.data if t.meta == "bar").marker.colorbar
    assert bar.title.text == "Operations"
    assert list(bar.tickvals) == [0.0, 0.5, 1.0]
    high = max(overlay.values.values())
    assert bar.ticktext[2] == f"{high:,.0f}"
    assert float(bar.ticktext[0].replace(",", "")) == pytest.approx(high / 100, rel=0.01)
    assert figure.layout.height > architecture_figure(view, LIGHT).layout.height


@given(st.dictionaries(st.text("abc", min_size=1), st.floats(0, 1e9), min_size=1), st.booleans())
def test_positions_lie_on_the_scale_in_the_order_of_the_numbers(values: dict[str, float], logarithmic: bool) -> None:
    high = max(values.values())
    overlay = Overlay("x", "x", values, {}, high / 100 if logarithmic else 0.0, high, logarithmic, "accuracy")
    at = {box: overlay.position(box) for box in values}
    assert all(position is not None and 0 <= position <= 1 for position in at.values())
    ranked = sorted(values, key=values.__getitem__)
    assert [at[box] for box in ranked] == sorted(at.values())
    if high > 0:
        assert at[ranked[-1]] == 1.0
    assert [position for position, _ in overlay.ticks] == sorted(position for position, _ in overlay.ticks)


def luminance(channels: list[int]) -> float:
    parts = [c / 255 for c in channels]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("hue", ["accuracy", "interpretability"])
def test_labels_keep_their_contrast_on_every_shade(colours: Palette, hue: str) -> None:
    overlay = Overlay("x", "x", {}, {}, 0.0, 1.0, False, hue)
    ink = luminance([int(colours.ink[i : i + 2], 16) for i in (1, 3, 5)])
    for shade in range(SHADES + 1):
        fill = scale_colour(overlay, shade / SHADES, colours)
        ground = luminance([int(c) for c in fill.removeprefix("rgb(").removesuffix(")").split(",")])
        light, dark = max(ink, ground), min(ink, ground)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
