"""Pairs of choices as a heat map, the way between two candidates as steps, candidates as a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.insight import aim_colour
from dashboard.figures.labels import label, plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.insight import titled
from dashboard.views.insight_places import MapView, PathView, SurfaceView

__all__ = ["map_figure", "path_figure", "surface_figure"]

LINE = 34
LETTERS = 44
MAP_HEIGHT = 520


def surface_figure(view: SurfaceView, colours: Palette) -> go.Figure:
    """Return the mean aim for each combination of two choices; a dot marks those that no candidate has."""
    figure = go.Figure(go.Heatmap(
        z=view.mean, x=list(range(len(view.columns))), y=list(range(len(view.rows))), meta="mean", xgap=2, ygap=2,
        colorscale=[[0.0, colours.panel], [1.0, aim_colour(view.aim, colours)]], hoverongaps=False,
        customdata=[list(row) for row in view.hover], hovertemplate="%{customdata}<extra></extra>",
        colorbar={"thickness": 10, "outlinewidth": 0, "len": 0.8, "nticks": 4},
    ))  # fmt: skip
    empty = [(i, j) for i in range(len(view.rows)) for j in range(len(view.columns)) if not view.count[i, j]]
    figure.add_trace(go.Scatter(
        x=[j for _, j in empty], y=[i for i, _ in empty], mode="markers", meta="guessed", hoverinfo="skip",
        showlegend=False, marker={"symbol": "x-thin", "size": 7, "line": {"color": colours.ink, "width": 1.2}},
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=170 + LINE * max(2, len(view.rows)), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    ends = {"showgrid": False, "zeroline": False, "automargin": True, "tickfont": {"color": colours.ink, "size": 12}}
    figure.update_xaxes(tickvals=list(range(len(view.columns))), ticktext=_ticks(view.columns, 20),
                        title_text=label(view.labels[1], LETTERS), **ends)  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(view.rows))), ticktext=_ticks(view.rows, 20),
                        title_text=label(view.labels[0], LETTERS), range=[len(view.rows) - 0.5, -0.5],
                        **ends)  # fmt: skip
    return figure


def path_figure(view: PathView, colours: Palette) -> go.Figure:
    """Return the way from the top down, performance left and interpretability right; hollow is predicted."""
    count = len(view.stops)
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    lines = list(range(count - 1, -1, -1))
    sides = ((1, "performance", view.metric), (2, "interpretability", titled(text("insight.aim_interpretability"))))
    for column, name, axis in sides:
        points = [getattr(stop, name) for stop in view.stops]
        colour = aim_colour(name, colours)
        figure.add_trace(go.Scatter(
            x=[p.value for p in points], y=lines, mode="lines+markers", meta=name, showlegend=False,
            line={"color": colour, "width": 2, "shape": "vh"},
            marker={"size": 10, "symbol": ["circle" if p.measured else "circle-open" for p in points], "color": colour,
                    "line": {"width": 2, "color": colour}},
            error_x={"type": "data", "symmetric": False, "array": [p.high - p.value for p in points],
                     "arrayminus": [p.value - p.low for p in points], "color": colours.muted, "thickness": 1.2,
                     "width": 3},
            customdata=[[plain(s.words[0]), s.words[1], s.words[2 if column == 1 else 4]] for s in view.stops],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>" + axis + " %{customdata[2]}<extra></extra>",
        ), row=1, col=column)  # fmt: skip
        figure.update_xaxes(title_text=axis, row=1, col=column)
    style = plot_layout(colours)
    axes = {f"{a}axis{n}": style[f"{a}axis"] for a in "xy" for n in ("", "2")}
    titles = {f"xaxis{n}": {**style["xaxis"], "title": {**style["xaxis"]["title"], "text": axis}}
              for n, (_, _, axis) in zip(("", "2"), sides)}  # fmt: skip
    figure.update_layout({**style, **axes, **titles})
    figure.update_layout(height=80 + LINE * max(2, count), margin={"l": 8, "r": 16, "t": 12, "b": 48})
    figure.update_yaxes(range=[-0.6, count - 0.4], showgrid=True, zeroline=False)
    figure.update_yaxes(tickvals=lines, ticktext=_ticks([s.label for s in view.stops], LETTERS), automargin=True,
                        tickfont={"color": colours.ink, "size": 12}, row=1, col=1)  # fmt: skip
    return figure


def map_figure(view: MapView, colours: Palette) -> go.Figure:
    """Return the map; candidates on the front are squares, the best at λ and the chosen one are ringed."""
    figure = go.Figure()
    continuous = bool(view.colour_label)
    for front in (False, True):
        at = [k for k, on in enumerate(view.on_front) if bool(on) == front]
        plain = colours.front if front else colours.dominated
        size, symbol = (10, "square") if front else (6, "circle")
        marker: dict[str, Any] = {"size": size, "symbol": symbol, "opacity": 1.0 if front else 0.8, "color": plain,
                                  "line": {"width": 1 if front else 0, "color": colours.ink}}  # fmt: skip
        name = text("insight.map_front" if front else "insight.map_others")
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, hoverinfo="skip"))
        if continuous:
            marker = {**marker, "color": [float(view.colour[k]) for k in at], "coloraxis": "coloraxis"}
        figure.add_trace(go.Scattergl(
            x=view.x[at], y=view.y[at], mode="markers", meta="front" if front else "cloud", showlegend=False,
            marker=marker, customdata=[[view.ids[k], view.hover[k]] for k in at],
            hovertemplate="%{customdata[1]}<extra></extra>",
        ))  # fmt: skip
    for name, place, colour in (("best", view.best, colours.ink), ("chosen", view.chosen, colours.chosen)):
        if place is not None:
            figure.add_trace(go.Scattergl(
                x=[view.x[place]], y=[view.y[place]], mode="markers", meta=name, name=text(f"insight.map_{name}"),
                customdata=[[view.ids[place], view.hover[place]]], hovertemplate="%{customdata[1]}<extra></extra>",
                marker={"size": 17, "symbol": "circle-open", "color": colour, "line": {"width": 2.5, "color": colour}},
            ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=MAP_HEIGHT, margin={"l": 8, "r": 8, "t": 34, "b": 36}, clickmode="event+select", dragmode="pan",
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        coloraxis={"colorscale": [[0, colours.dominated], [1, aim_colour(view.aim, colours)]],
                   "colorbar": {"title": {"text": view.colour_label, "side": "right"}, "thickness": 10,
                                "outlinewidth": 0, "len": 0.9}},
    )  # fmt: skip
    hidden = {"showticklabels": False, "zeroline": False, "showgrid": True}
    figure.update_xaxes(title_text=text("insight.map_axis"), **hidden)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, **hidden)
    return figure


def _ticks(names: Sequence[str], letters: int) -> list[str]:
    return [label(name, letters) for name in names]
