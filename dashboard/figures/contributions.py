"""The values of one row as horizontal bars from zero, a native Plotly figure."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.contributions import Contributions

__all__ = ["contributions_figure"]

LINE = 30


def contributions_figure(view: Contributions, colours: Palette) -> go.Figure:
    """Return one bar per feature, the largest on top: orange raises the output, blue lowers it; else in one colour."""
    lowers, _, raises = colours.diverging
    grounds = [raises if v > 0 else lowers for v in view.values] if view.signed else colours.accuracy
    sign = "+" if view.signed else ""
    at = list(range(len(view.names) - 1, -1, -1))
    figure = go.Figure(go.Bar(
        x=view.values, y=at, orientation="h", width=0.62, meta="contributions",
        marker={"line": {"width": 0}, "color": grounds},
        error_x={"type": "data", "array": view.margins, "visible": bool(np.any(view.margins)), "color": colours.ink,
                 "thickness": 1.2, "width": 3},
        hovertext=[f"<b>{plain(n)}</b> = {plain(t)}<br>{v:{sign}.4g}"
                   for n, t, v in zip(view.names, view.texts, view.values)],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    names = [f"{label(n, LINE)} = {label(t, 12)}" for n, t in zip(view.names, view.texts)]
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=72 + LINE * max(1, len(names)), margin={"l": 8, "r": 8, "t": 8, "b": 48},
                         hovermode="closest", showlegend=False)  # fmt: skip
    figure.update_yaxes(tickvals=at, ticktext=names, range=[-0.6, len(names) - 0.4], showgrid=False, automargin=True,
                        zeroline=False, tickfont={"color": colours.ink})  # fmt: skip
    axis = text("shap.axis" if view.signed else "explain.slope_axis", unit=plain(view.unit))
    figure.update_xaxes(title_text=axis, zeroline=True, zerolinewidth=1.4,
                        zerolinecolor=colours.muted)  # fmt: skip
    return figure
