"""The value of a feature beside what it adds, as a Plotly figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.dependence import DependenceView

__all__ = ["dependence_figure"]


def dependence_figure(view: DependenceView, colours: Palette, *, chosen: int | None = None) -> go.Figure:
    """Return a point per row; the partner's missing values are crosses, missing values of the feature at the left."""
    known = view.x[np.isfinite(view.x)]
    span = float(np.ptp(known)) if known.size else 1.0
    gap = (float(known.min()) if known.size else 0.0) - 0.08 * (span or 1.0)
    x = np.where(np.isfinite(view.x), view.x, gap)
    named, coloured = np.isfinite(view.colour), bool(view.partner)
    half = view.high - view.y
    partner = f"<br>{plain(view.partner)} = %{{customdata[2]}}" if coloured else ""
    figure = go.Figure(go.Scatter(
        x=x, y=view.y, mode="markers", meta="rows",
        customdata=np.column_stack([view.rows, _plain(view.texts), _plain(view.partner_texts)]),
        error_y={"type": "data", "array": half, "visible": bool((half > 0).any()), "thickness": 0.8, "width": 0,
                 "color": colours.muted},
        marker={"size": 7, "opacity": 0.85, "line": {"width": 0.5, "color": colours.background},
                "symbol": np.where(named, "circle", "x-thin-open").tolist(),
                **({"color": np.where(named, view.colour, 0.5), "coloraxis": "coloraxis"} if coloured
                   else {"color": colours.accuracy})},
        hovertemplate=f"<b>{plain(view.name)}</b> = %{{customdata[1]}}{partner}<br>{text('shap.adds')} %{{y:+.3g}}<br>"
                      f"{text('shap.row')} %{{customdata[0]}}<extra></extra>",
    ))  # fmt: skip
    if chosen is not None and chosen in view.rows:
        at = int(np.flatnonzero(view.rows == chosen)[0])
        figure.add_trace(go.Scatter(
            x=[x[at]], y=[view.y[at]], mode="markers", meta="chosen", hoverinfo="skip",
            marker={"size": 14, "symbol": "circle-open", "color": colours.chosen, "line": {"width": 2.4}},
        ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    low, _, high = colours.diverging
    figure.update_layout(
        height=360, showlegend=False, margin={"l": 56, "r": 8, "t": 12, "b": 48}, hovermode="closest",
        coloraxis={"cmin": 0.0, "cmax": 1.0, "colorscale": [[0.0, low], [0.5, colours.dominated], [1.0, high]],
                   "colorbar": {"title": {"text": label(view.partner, 26), "side": "right", "font": {"size": 12}},
                                "tickvals": [0, 1], "thickness": 10, "outlinewidth": 0,
                                "ticktext": [text("shap.low"), text("shap.high")]}},
    )  # fmt: skip
    figure.update_xaxes(title_text=label(view.name, 60), zeroline=False)
    if view.levels:
        figure.update_xaxes(tickvals=list(range(len(view.levels))), ticktext=[label(n, 16) for n in view.levels])
    if view.missing:
        figure.add_vline(x=gap, line={"color": colours.grid, "width": 1})
        figure.add_annotation(x=gap, y=1, yref="paper", yanchor="bottom", showarrow=False, text=text("shap.missing"),
                              font={"size": 11, "color": colours.muted})  # fmt: skip
        figure.update_layout(margin_t=28)
    figure.update_yaxes(title_text=text("dependence.axis", unit=plain(view.unit)), zeroline=True,
                        zerolinecolor=colours.muted)  # fmt: skip
    return figure


def _plain(texts: Sequence[str]) -> np.ndarray:
    """Return texts (n,) of which every sign is shown as it is."""
    return np.array([plain(t) for t in texts], object)
