"""The Trust tab's pictures: skill of subgroups, and measures beside those of an untrained twin."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dashboard.figures.labels import plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.audit import GroupsView, TwinPoint, TwinsView

__all__ = ["groups_figure", "twins_figure"]

LINE = 30
NAME = 34


def groups_figure(view: GroupsView, colours: Palette) -> go.Figure:
    """Return the skill of each subgroup with its interval, against that of all rows; a diamond is clearly lower."""
    bars = list(reversed(view.bars))
    names = [_short(b.name) for b in bars]
    figure = go.Figure()
    figure.add_trace(go.Scatter(
        x=[b.value for b in bars], y=list(range(len(bars))), mode="markers", meta="groups",
        marker={"size": 9, "symbol": ["diamond" if b.lower else "circle" for b in bars],
                "color": [colours.chosen if b.lower else colours.accuracy for b in bars]},
        error_x={"type": "data", "symmetric": False, "color": colours.muted, "thickness": 1.4, "width": 3,
                 "array": [b.high - b.value for b in bars], "arrayminus": [b.value - b.low for b in bars]},
        hovertext=[text("audit.group_hover", name=plain(b.name), rows=b.rows, value=f"{b.value:.2f}",
                        low=f"{b.low:.2f}", high=f"{b.high:.2f}") for b in bars],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    low = min([0.0, *(b.low for b in bars)])
    figure.update_layout(height=76 + LINE * max(1, len(bars)), showlegend=False,
                         margin={"l": 8, "r": 16, "t": 24, "b": 44})  # fmt: skip
    figure.update_xaxes(range=[max(-1.0, low) - 0.05, 1.05], title_text=text("audit.skill_axis"), zeroline=True)
    ticks = [f"{n} ({b.rows})" for n, b in zip(names, bars)]
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"color": colours.ink}, ticktext=ticks,
                        tickvals=list(range(len(bars))), range=[-0.6, len(bars) - 0.4])  # fmt: skip
    if view.overall is not None:
        figure.add_vline(x=view.overall, line={"color": colours.ink, "width": 1.2, "dash": "dot"},
                         annotation={"text": text("audit.all_rows"), "font": {"color": colours.muted, "size": 12},
                                     "yanchor": "bottom"}, annotation_position="top left")  # fmt: skip
    return figure


def twins_figure(view: TwinsView, colours: Palette) -> go.Figure:
    """Return one line per measure: hollow where untrained, filled where trained.

    A diamond is not higher for its training, a square is of a measure that no search optimises.
    """
    points = [p for p in reversed(view.points) if p.trained is not None]
    at = list(range(len(points)))
    figure = go.Figure()
    for y, p in zip(at, points):
        if p.untrained is not None:
            figure.add_trace(go.Scatter(
                x=[p.untrained, p.trained], y=[y, y], mode="lines", hoverinfo="skip", showlegend=False, meta="step",
                line={"color": colours.chosen if p.warning else colours.dominated, "width": 2},
            ))  # fmt: skip
    marks = {
        "untrained": ("circle-open", colours.interpretability), "trained": ("circle", colours.interpretability),
        "warned": ("diamond", colours.chosen), "audit": ("square", colours.accuracy),
    }  # fmt: skip
    for kind, (symbol, colour) in marks.items():
        chosen = [(y, p) for y, p in zip(at, points) if kind in _kinds(p)]
        if chosen:
            figure.add_trace(_dots(chosen, kind, symbol, colour, colours.muted))
    figure.update_layout(plot_layout(colours))
    legend = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(height=104 + LINE * max(1, len(points)), margin={"l": 8, "r": 16, "t": 4, "b": 76},
                         legend=legend)  # fmt: skip
    figure.update_xaxes(range=[-0.04, 1.06], tickvals=[0, 0.5, 1], title_text=text("audit.score_axis"))
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"color": colours.ink}, tickvals=at,
                        ticktext=[f"{p.label} ⚠" if p.warning else p.label for p in points],
                        range=[-0.6, len(points) - 0.4])  # fmt: skip
    return figure


def _kinds(p: TwinPoint) -> tuple[str, ...]:
    """Return the marks that a measure has."""
    if p.audit:
        return ("audit",)
    own = "warned" if p.warning else "trained"
    return (own,) if p.untrained is None else ("untrained", own)


def _dots(chosen: list[tuple[int, TwinPoint]], kind: str, symbol: str, colour: str, quiet: str) -> go.Scatter:
    """Return the marks of one kind, with their intervals unless they are of the untrained network."""
    arms: dict[str, Any] = {}
    if kind != "untrained":
        arms = {"error_x": {
            "type": "data", "symmetric": False, "color": quiet, "thickness": 1.2, "width": 3,
            "array": [0.0 if p.high is None else p.high - (p.trained or 0.0) for _, p in chosen],
            "arrayminus": [0.0 if p.low is None else (p.trained or 0.0) - p.low for _, p in chosen],
        }}  # fmt: skip
    return go.Scatter(
        x=[p.untrained if kind == "untrained" else p.trained for _, p in chosen], y=[y for y, _ in chosen],
        mode="markers", name=text(f"audit.{kind}"), meta=kind,
        marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2 if kind == "untrained" else 0}},
        hovertext=[f"{p.label}: {p.words}" for _, p in chosen], hovertemplate="%{hovertext}<extra></extra>", **arms,
    )  # fmt: skip


def _short(name: str) -> str:
    return plain(name if len(name) <= NAME else f"{name[: NAME - 1]}…")
