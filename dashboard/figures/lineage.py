"""The family of a candidate as a Plotly figure: every box can be clicked."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.lineage import TALL, WIDE, LineageView

__all__ = ["lineage_figure"]

MARGIN, TALLEST, ROOM = 10.0, 560.0, 640.0


def lineage_figure(view: LineageView, colours: Palette) -> go.Figure:
    """Return the graph, oldest on top: the candidate in view filled, those that may not enter the front dashed."""
    figure = go.Figure()
    x: list[float | None] = []
    y: list[float | None] = []
    size: list[float] = []
    for edge in view.edges:
        x += [p[0] for p in edge.route] + [None]
        y += [p[1] for p in edge.route] + [None]
        size += [0.0] * (len(edge.route) - 1) + [7.0, 0.0]
    figure.add_trace(go.Scatter(
        x=x, y=y, mode="lines+markers", hoverinfo="skip", meta="edges", line={"color": colours.muted, "width": 1.2},
        marker={"symbol": "arrow", "angleref": "previous", "size": size, "color": colours.muted},
    ))  # fmt: skip
    for node in view.nodes:
        own = node.kind == "self"
        figure.add_shape(
            type="rect", x0=node.x - WIDE / 2, x1=node.x + WIDE / 2, y0=node.y - TALL / 2, y1=node.y + TALL / 2,
            line={"color": colours.chosen if own else colours.accuracy if node.eligible else colours.muted,
                  "width": 2.4 if own else 1.3, "dash": "solid" if node.eligible else "dot"},
            fillcolor=colours.panel, layer="below",
        )  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[n.x for n in view.nodes], y=[n.y for n in view.nodes], mode="markers+text", meta="nodes",
        customdata=[n.id for n in view.nodes],
        text=[f"<b>#{n.number}</b><br>{n.performance}" for n in view.nodes],
        textfont={"size": 11, "color": colours.ink},
        marker={"symbol": "square", "size": TALL, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        hovertext=[_hover(n.number, n.kind, n.performance, n.interpretability, view.metric) for n in view.nodes],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    ))  # fmt: skip
    width, height = view.width + 2 * MARGIN, view.height + 2 * MARGIN
    scale = min(1.0, ROOM / width)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=max(70.0, min(TALLEST, height * scale)), margin={"l": 0, "r": 0, "t": 4, "b": 4},
                         showlegend=False, dragmode="pan" if height * scale > TALLEST or scale < 0.7 else False,
                         hovermode="closest", clickmode="event+select")  # fmt: skip
    hidden = {"visible": False, "constrain": "domain"}
    tall = TALLEST / scale if height * scale > TALLEST else height
    middle = next((n.y for n in view.nodes if n.kind == "self"), view.height / 2)
    low = -MARGIN if tall >= height else max(-MARGIN, min(middle - tall / 2, view.height + MARGIN - tall))
    figure.update_xaxes(range=[-MARGIN, view.width + MARGIN], **hidden)
    figure.update_yaxes(range=[low, low + tall], scaleanchor="x", **hidden)
    return figure


def _hover(number: int, kind: str, performance: str, interpretability: float | None, metric: str) -> str:
    simple = "–" if interpretability is None else f"{interpretability:.3f}"
    return text(f"lineage.hover_{kind}", number=number, metric=metric, performance=performance, interpretability=simple)
