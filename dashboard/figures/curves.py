"""Training curves as a Plotly figure."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.curves import CurvesView

__all__ = ["curves_figure"]


def curves_figure(view: CurvesView, colours: Palette) -> go.Figure:
    """Return training (dotted) and validation loss (solid) per epoch, the kept epoch marked."""
    figure = go.Figure()
    series = (("train", view.train, colours.muted, "dot"), ("valid", view.valid, colours.accuracy, "solid"))
    for name, values, colour, dash in series:
        if values:
            figure.add_trace(go.Scatter(
                x=view.epochs[: len(values)], y=values, mode="lines", name=text(f"curves.{name}"),
                line={"color": colour, "width": 2, "dash": dash},
                hovertemplate=f"{text('curves.epoch')} %{{x}}: %{{y:.4g}}<extra>{text(f'curves.{name}')}</extra>",
            ))  # fmt: skip
    if view.best is not None and view.best_loss is not None:
        figure.add_trace(go.Scatter(
            x=[view.best], y=[view.best_loss], mode="markers", name=text("curves.best", epoch=view.best),
            marker={"symbol": "diamond", "size": 10, "color": colours.chosen}, hoverinfo="skip",
        ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=280, margin={"l": 56, "r": 8, "t": 32, "b": 44}, hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title_text=text("curves.epoch"), rangemode="tozero")
    figure.update_yaxes(title_text=text("curves.loss"))
    return figure
