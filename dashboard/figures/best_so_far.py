"""The best so far as a picture: performance on the left axis, interpretability of the one at λ on the right."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.best_so_far import BestSoFar

__all__ = ["best_so_far_figure"]


def best_so_far_figure(view: BestSoFar, colours: Palette, *, height: int = 280) -> go.Figure:
    """Return three step lines, told apart by colour and by dash."""
    lines = (
        (view.performance, text("best.performance", metric=view.metric), colours.accuracy, "solid", "y"),
        (view.at_weight, text("best.at_weight", metric=view.metric), colours.chosen, "dash", "y"),
        (view.interpretability, text("best.interpretability"), colours.interpretability, "dot", "y2"),
    )
    figure = go.Figure([
        go.Scatter(x=view.candidates, y=values, name=name, mode="lines", yaxis=axis,
                   line={"shape": "hv", "color": colour, "dash": dash, "width": 2},
                   hovertemplate=f"{name}<br>%{{x}} · %{{y:.4g}}<extra></extra>")
        for values, name, colour, dash, axis in lines
    ])  # fmt: skip
    figure.update_layout(plot_layout(colours), height=height)
    figure.update_layout(
        margin={"r": 56, "t": 48}, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        yaxis2={"overlaying": "y", "side": "right", "range": [0, 1.03], "showgrid": False, "tickformat": ".0%",
                "tickfont": {"color": colours.muted}},
    )  # fmt: skip
    figure.update_xaxes(title_text=text("run.hypervolume_x"))
    figure.update_layout(yaxis={"title": {"text": view.metric}, "tickformat": ".3~f"})
    return figure
