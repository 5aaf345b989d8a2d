"""Pictures of the presentation, in large type: the front with the networks of the story, and what each step costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    from dashboard.views.story import Stop, Story

__all__ = ["price_figure", "story_front_figure"]

LETTERS = 17
HEIGHT = 460
SYMBOLS = {"accurate": "circle", "knee": "diamond", "chosen": "star", "simple": "square"}
CROWDED = 0.07  # share of the axis within which two numbers would cover each other
MOST_POINTS = 4000  # of the cloud; more add nothing to be seen


def story_front_figure(told: Story, colours: Palette, *, named: tuple[int, ...] = ()) -> go.Figure:
    """Return the cloud and the front, with the stops at positions ``named`` marked and named."""
    figure = go.Figure()
    cloud = np.flatnonzero(~told.on_front)
    cloud = cloud[:: max(1, -(-len(cloud) // MOST_POINTS))]
    figure.add_trace(go.Scatter(
        x=told.interpretability[cloud], y=told.performance[cloud], mode="markers", hoverinfo="skip",
        marker={"size": 7, "color": colours.dominated, "opacity": 0.4}, name="cloud",
    ))  # fmt: skip
    front = np.flatnonzero(told.on_front)
    front = front[np.lexsort((told.performance[front], told.interpretability[front]))]
    figure.add_trace(go.Scatter(
        x=told.interpretability[front], y=told.performance[front], mode="lines+markers", hoverinfo="skip",
        line={"shape": "vh", "color": colours.front, "width": 3}, marker={"size": 9, "color": colours.front},
        name="front",
    ))  # fmt: skip
    rise, before = 0, None
    for at in named:
        here = told.stops[at].card.interpretability or 0.0
        rise = rise + 1 if before is not None and abs(here - before) < CROWDED * (1.04 - _left(told)) else 0
        _mark(figure, told.stops[at], colours, rise)
        before = here
    _frame(figure, colours)
    figure.update_layout(showlegend=False, height=HEIGHT)
    figure.update_xaxes(title_text=text("run.interpretability"), tickformat=".0%", range=[_left(told), 1.04])
    figure.update_yaxes(title_text=told.metric, range=_range(told))
    return figure


def _mark(figure: go.Figure, stop: Stop, colours: Palette, rise: int) -> None:
    """Mark a stop and write its number above it on the right, where no network can be: it would be on the front."""
    role = "chosen" if "chosen" in stop.roles else stop.roles[0]
    colour = colours.chosen if role == "chosen" else colours.ink
    x, y = stop.card.interpretability, stop.card.performance
    figure.add_trace(go.Scatter(
        x=[x], y=[y], mode="markers", hoverinfo="skip", name=role,
        marker={"size": 20 if role == "chosen" else 16, "symbol": SYMBOLS[role], "color": colour,
                "line": {"width": 2, "color": colours.background}},
    ))  # fmt: skip
    figure.add_annotation(
        x=x, y=y, text=f"<b>#{stop.card.number}</b>", showarrow=False, xanchor="left", yanchor="bottom", xshift=10,
        yshift=6 + 1.5 * LETTERS * rise, font={"size": LETTERS + 3, "color": colour},
    )  # fmt: skip


def _left(told: Story) -> float:
    """Return the left end of the axis: the front and most of the cloud."""
    values = told.interpretability
    return max(-0.02, min(float(values[told.on_front].min()), float(np.quantile(values, 0.1))) - 0.06)


def _range(told: Story) -> list[float]:
    """Return the ends of the axis: the front and most of the cloud, the better end at the top."""
    values = told.performance if told.maximise else -told.performance
    low = min(float(values[told.on_front].min()), float(np.quantile(values, 0.25)))
    high = float(values.max())
    room = 0.08 * max(high - low, 1e-9)
    ends = (low - room, high + 2 * room)
    return list(ends if told.maximise else (-ends[0], -ends[1]))


def price_figure(told: Story, colours: Palette) -> go.Figure:
    """Return what every stop gives up of the performance, beside its interpretability."""
    names = [f"#{stop.card.number}" for stop in told.stops]
    marks = [colours.chosen if "chosen" in stop.roles else colours.accuracy for stop in told.stops]
    bar = {"orientation": "h", "y": names, "textposition": "outside", "cliponaxis": False, "hoverinfo": "skip"}
    figure = go.Figure()
    figure.add_trace(go.Bar(
        x=[stop.given_up for stop in told.stops], marker={"color": marks}, name="given", xaxis="x", **bar,
        text=[f"−{number(stop.given_up, 2)}" if stop.given_up > 0 else "0" for stop in told.stops],
    ))  # fmt: skip
    figure.add_trace(go.Bar(
        x=[stop.card.interpretability for stop in told.stops], marker={"color": colours.interpretability}, xaxis="x2",
        name="interpretability", text=[percent(stop.card.interpretability) for stop in told.stops], **bar,
    ))  # fmt: skip
    _frame(figure, colours)
    most = max((stop.given_up for stop in told.stops), default=0.0) or 1.0
    axis = {"showgrid": False, "zeroline": True, "zerolinecolor": colours.muted, "showticklabels": False,
            "showline": False, "side": "top"}  # fmt: skip
    title = {"size": LETTERS, "color": colours.ink}
    figure.update_layout(
        showlegend=False, height=110 + 72 * len(names), bargap=0.45, barmode="overlay",
        xaxis={**axis, "domain": [0.0, 0.44], "range": [0, 1.4 * most],
               "title": {"text": text("story.axis_given", metric=told.metric), "font": title}},
        xaxis2={**axis, "domain": [0.54, 1.0], "range": [0, 1.2], "anchor": "y",
                "title": {"text": text("run.interpretability"), "font": title}},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False, "showline": False,
               "tickfont": {"size": LETTERS + 3, "color": colours.ink}},
    )  # fmt: skip
    return figure


def _frame(figure: go.Figure, colours: Palette) -> None:
    figure.update_layout(plot_layout(colours))
    large = {"title": {"font": {"size": LETTERS, "color": colours.ink}}, "tickfont": {"size": LETTERS - 2}}
    figure.update_layout(font={"size": LETTERS}, xaxis=large, yaxis=large, margin={"l": 20, "r": 20, "t": 56, "b": 60})
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
