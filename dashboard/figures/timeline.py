"""A run over time as a picture: a box a pack, marks for what happened."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from dashboard.figures.labels import plain
from dashboard.theme import Palette, plot_layout
from dashboard.views.timeline import Pack, Timeline

__all__ = ["timeline_figure"]

SYMBOLS = {"weight": "triangle-up", "strategy": "diamond", "space": "square", "pause": "line-ns-open", "rule": "circle",
           "person": "star", "failure": "x"}  # fmt: skip
POINTS = 1_500
"""Lost candidates of a kind that are marked; an even sample of more."""


def timeline_figure(view: Timeline, colours: Palette, labels: Mapping[str, str], *, height: int) -> go.Figure:
    """Return the picture.

    Args:
        view: The run over time.
        colours: The appearance.
        labels: x, y, packs, failed, pruned, events, candidates, and ``pack`` with placeholders {number}, {size},
            {first}, {last}, {seconds}.
        height: Pixels.
    """
    scale, unit = (60.0, "min") if view.end >= 300 else (1.0, "s")
    figure = go.Figure()
    seconds, done = view.candidates
    step = max(1, len(done) // POINTS)
    figure.add_trace(go.Scatter(
        x=seconds[::step] / scale, y=done[::step], mode="lines", name=labels["candidates"],
        line={"color": colours.muted, "width": 1.2, "dash": "dot", "shape": "hv"}, hoverinfo="skip",
    ))  # fmt: skip
    if view.packs:
        _boxes(figure, view, colours, labels, scale)
    for kind, colour, symbol in (("pruned", colours.muted, "x-thin-open"), ("failed", colours.chosen, "x")):
        x, y = view.lost[kind]
        if len(x):
            every = max(1, len(x) // POINTS)
            figure.add_trace(go.Scatter(
                x=x[::every] / scale, y=y[::every], mode="markers", name=labels[kind],
                marker={"symbol": symbol, "size": 7, "color": colour, "line": {"width": 1.4, "color": colour}},
                hovertemplate=f"<b>#%{{y}}</b> {labels[kind]}<extra></extra>",
            ))  # fmt: skip
    if view.moments:
        figure.add_trace(go.Scatter(
            x=[m.seconds / scale for m in view.moments], y=[m.evaluated for m in view.moments], mode="markers",
            name=labels["events"], text=[plain(m.words) for m in view.moments],
            marker={"symbol": [SYMBOLS[m.kind] for m in view.moments], "size": 11, "color": colours.interpretability,
                    "line": {"width": 1.5, "color": colours.ink}},
            hovertemplate="%{text}<extra></extra>",
        ))  # fmt: skip
    for began, ended in view.pauses:
        figure.add_vrect(began / scale, ended / scale, fillcolor=colours.muted, opacity=0.12, line_width=0)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=height, margin={"l": 62, "r": 8, "t": 30, "b": 44}, hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title_text=f"{labels['x']} ({unit})", rangemode="tozero")
    figure.update_yaxes(title_text=labels["y"], rangemode="tozero")
    return figure


def _boxes(figure: go.Figure, view: Timeline, colours: Palette, labels: Mapping[str, str], scale: float) -> None:
    """Draw all packs as one trace of closed boxes, and their middles as points that can be hovered."""
    x: list[float | None] = []
    y: list[float | None] = []
    for p in view.packs:
        low, high = p.first - 0.4, p.last + 0.4
        x += [p.began / scale, p.ended / scale, p.ended / scale, p.began / scale, p.began / scale, None]
        y += [low, low, high, high, low, None]
    figure.add_trace(go.Scatter(
        x=x, y=y, mode="lines", fill="toself", name=labels["packs"], line={"color": colours.accuracy, "width": 1},
        fillcolor=_faint(colours.accuracy), hoverinfo="skip",
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[(p.began + p.ended) / 2 / scale for p in view.packs], y=[(p.first + p.last) / 2 for p in view.packs],
        mode="markers", marker={"size": 14, "opacity": 0}, showlegend=False,
        text=[_words(p, labels) for p in view.packs], hovertemplate="%{text}<extra></extra>",
    ))  # fmt: skip


def _words(pack: Pack, labels: Mapping[str, str]) -> str:
    return labels["pack"].format(number=pack.number + 1, size=pack.size, first=pack.first, last=pack.last,
                                 seconds=f"{pack.ended - pack.began:.3g}")  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.22)"
