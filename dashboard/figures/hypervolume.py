"""The hypervolume curve as a picture."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from dashboard.theme import Palette, plot_layout
from dashboard.views.hypervolume import HypervolumeView

__all__ = ["hypervolume_figure"]


def hypervolume_figure(
    view: HypervolumeView, colours: Palette, labels: Mapping[str, str], *, height: int = 280
) -> go.Figure:
    """Return the curve as a step line; the featureless floor is a dotted line, seen after zooming out.

    ``labels``: x, y, floor.
    """
    figure = go.Figure(
        go.Scatter(
            x=view.candidates,
            y=view.volume,
            mode="lines",
            line={"shape": "hv", "color": colours.front, "width": 2},
            hovertemplate="%{x} " + labels["x"] + "<br>%{y:.4f}<extra></extra>",
        )
    )
    if view.floor is not None:
        figure.add_hline(
            view.floor, line={"color": colours.muted, "dash": "dot", "width": 1},
            annotation={"text": labels["floor"], "font": {"color": colours.muted}},
        )  # fmt: skip
    figure.update_layout(plot_layout(colours), height=height, showlegend=False)
    figure.update_xaxes(title_text=labels["x"])
    figure.update_yaxes(title_text=labels["y"], tickformat=".3~f")
    if len(view.volume):  # from the floor on, every step after the first candidates would be a flat line
        low, high = float(view.volume[0]), float(view.volume[-1])
        margin = 0.06 * (high - low) or 0.01
        figure.update_yaxes(range=[low - margin, high + margin])
    return figure
