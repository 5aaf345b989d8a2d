"""Attributions as native Plotly figures: beeswarm, waterfall, importance bars and shape functions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.figures.refit_bands import add_refit_band, refit_bars
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.attributions import Beeswarm, Importance, ShapeView, Waterfall

__all__ = ["beeswarm_figure", "importance_figure", "shape_figure", "waterfall_figure"]

LINE = 30
TICK = LINE + 12
"""Letters of a name on a line of its own."""


def beeswarm_figure(view: Beeswarm, colours: Palette, *, chosen: int | None = None) -> go.Figure:
    """Return one line of points per feature, most important on top, coloured by the feature's value.

    Colour runs from the 5th to the 95th percentile of a feature; missing values are grey crosses. The row ``chosen``
    is ringed on every line.
    """
    figure = go.Figure()
    count = len(view.swarms)
    for line, swarm in enumerate(view.swarms):
        at = count - 1 - line
        known = np.isfinite(swarm.colour)
        figure.add_trace(go.Scatter(
            x=swarm.x, y=at + swarm.offset, mode="markers", name=plain(swarm.name), meta="swarm",
            customdata=np.column_stack([view.rows, np.array([plain(t) for t in swarm.texts], dtype=object)]),
            marker={
                "size": 6, "color": np.where(known, swarm.colour, 0.5), "cmin": 0.0, "cmax": 1.0,
                "symbol": np.where(known, "circle", "x-thin-open").tolist(), "opacity": 0.85, "coloraxis": "coloraxis",
            },
            hovertemplate=f"<b>{plain(swarm.name)}</b> = %{{customdata[1]}}<br>{text('shap.adds')} %{{x:+.3g}}<br>"
                          f"{text('shap.row')} %{{customdata[0]}}<extra></extra>",
        ))  # fmt: skip
    if chosen is not None and chosen in view.rows:
        figure.add_trace(_ring(view, chosen, colours))
    _frame(figure, colours, [label(s.name, TICK) for s in view.swarms], text("shap.axis", unit=plain(view.unit)))
    low, _, high = colours.diverging
    figure.update_layout(
        coloraxis={
            "cmin": 0.0, "cmax": 1.0, "colorscale": [[0.0, low], [0.5, _middle(colours)], [1.0, high]],
            "colorbar": {"title": {"text": text("shap.value"), "side": "right", "font": {"size": 12}},
                         "tickvals": [0, 1], "thickness": 10,
                         "ticktext": [text("shap.low"), text("shap.high")], "outlinewidth": 0},
        },
        showlegend=False,
    )  # fmt: skip
    return figure


def _middle(colours: Palette) -> str:
    """Return a middle of the scale that can still be seen on the page's ground."""
    return colours.dominated


def _ring(view: Beeswarm, chosen: int, colours: Palette) -> go.Scatter:
    at = int(np.flatnonzero(view.rows == chosen)[0])
    count = len(view.swarms)
    return go.Scatter(
        x=[s.x[at] for s in view.swarms], y=[count - 1 - i + s.offset[at] for i, s in enumerate(view.swarms)],
        mode="markers", hoverinfo="skip", meta="chosen",
        marker={"size": 11, "symbol": "circle-open", "color": colours.ink, "line": {"width": 1.8}},
    )  # fmt: skip


def importance_figure(view: Importance, colours: Palette) -> go.Figure:
    """Return mean |attribution| as horizontal bars with their 95 % intervals."""
    names = [label(n, LINE) for n in view.names]
    figure = go.Figure(go.Bar(
        x=view.mean, y=list(range(len(names) - 1, -1, -1)), orientation="h",
        customdata=np.column_stack([view.low, view.high]),
        marker={"color": colours.accuracy, "line": {"width": 0}}, width=0.62,
        error_x={"type": "data", "symmetric": False, "array": view.high - view.mean, "arrayminus": view.mean - view.low,
                 "color": colours.ink, "thickness": 1.2, "width": 3},
        hovertext=[plain(n) for n in view.names],
        hovertemplate="<b>%{hovertext}</b><br>%{x:.3g} (%{customdata[0]:.3g} – %{customdata[1]:.3g})<extra></extra>",
    ))  # fmt: skip
    _frame(figure, colours, names, text("shap.importance_axis", unit=plain(view.unit)))
    return figure


def waterfall_figure(view: Waterfall, colours: Palette) -> go.Figure:
    """Return the way from the mean output to this row's output: orange bars raise it, blue ones lower it."""
    figure = go.Figure()
    lowers, _, raises = colours.diverging
    figure.add_trace(go.Bar(
        base=[s.start for s in view.steps], x=[s.change for s in view.steps], y=list(range(len(view.steps))),
        orientation="h", width=0.62,
        marker={"line": {"width": 0}, "color": [raises if s.change > 0 else lowers for s in view.steps]},
        text=[f"{s.change:+.3g}" for s in view.steps], textposition="outside", cliponaxis=False,
        textfont={"color": colours.ink},
        hovertext=[f"<b>{plain(s.name)}</b>{' = ' + plain(s.text) if s.text else ''}<br>{s.change:+.4g}"
                   for s in view.steps],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    names = [
        f"{label(s.name, LINE)} = {label(s.text, 12)}" if s.text else label(s.name, TICK) for s in reversed(view.steps)
    ]
    _frame(figure, colours, names, text("shap.output_axis", output=plain(view.output), unit=plain(view.unit)))
    _ends(figure, view, colours)
    return figure


def _ends(figure: go.Figure, view: Waterfall, colours: Palette) -> None:
    """Mark where the waterfall begins and ends, and leave room for the numbers beside the bars."""
    ends = [v for s in view.steps for v in (s.start, s.end)] + [view.base, view.total]
    room = 0.16 * (max(ends) - min(ends) or 1.0)
    figure.update_xaxes(range=[min(ends) - room, max(ends) + room])
    falls = view.total < view.base
    figure.add_vline(x=view.base, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.add_vline(x=view.total, line={"color": colours.ink, "width": 1.4})
    figure.add_annotation(x=view.base, y=-0.55, yanchor="top", showarrow=False,
                          font={"size": 11, "color": colours.muted},
                          text=plain(view.start))  # fmt: skip
    figure.add_annotation(x=view.total, y=len(view.steps) - 0.45, yanchor="bottom", showarrow=False,
                          xanchor="left" if falls else "right", xshift=4 if falls else -4,
                          font={"size": 12, "color": colours.ink},
                          text=text("shap.this_row", value=f"{view.total:.3g}"))  # fmt: skip
    figure.update_yaxes(range=[-1.1, len(view.steps) + 0.1])
    figure.update_layout(height=96 + LINE * (len(view.steps) + 1))


def shape_figure(view: ShapeView, colours: Palette) -> go.Figure:
    """Return what an additive model adds for one feature; grey bars below show where the training rows are."""
    figure = go.Figure()
    seen = (
        np.append(view.y, 0.0) if view.refits is None else np.hstack((view.y, view.refits.low, view.refits.high, 0.0))
    )
    low, span = float(seen.min()), float(np.ptp(seen)) or 1.0
    if view.levels:
        shares = view.counts / max(1, view.counts.sum())
        figure.add_trace(go.Bar(
            x=[plain(n) for n in view.levels], y=view.y, name=plain(view.name),
            marker={"color": colours.accuracy, "line": {"width": 0}},
            customdata=100 * shares, hovertemplate="%{x}: %{y:+.3g} (%{customdata:.0f} %)<extra></extra>",
            error_y=None if view.refits is None else refit_bars(view.refits, view.y, colours),
        ))  # fmt: skip
    else:
        figure.add_trace(_density(view, low - 0.26 * span, 0.2 * span, colours))
        if view.refits is not None:
            add_refit_band(figure, view.refits, colours)
        figure.add_trace(go.Scatter(
            x=view.x, y=view.y, mode="lines", line={"color": colours.accuracy, "width": 2.4}, name=plain(view.name),
            hovertemplate="%{x:.4g}: %{y:+.3g}<extra></extra>", meta="curve",
        ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=230, showlegend=False, margin={"l": 52, "r": 8, "t": 8, "b": 44}, barmode="overlay")
    figure.update_xaxes(title_text=label(view.name, 36), showgrid=False)
    figure.update_yaxes(title_text=plain(view.unit), zeroline=True, zerolinecolor=colours.muted)
    return figure


def _density(view: ShapeView, floor: float, height: float, colours: Palette) -> go.Bar:
    """Return the histogram of the training values as low bars that stand on ``floor``."""
    edges = np.asarray(view.edges, float)
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2, width=np.diff(edges), y=height * view.counts / max(1, view.counts.max()),
        base=floor, meta="density", name="rows", marker={"color": colours.grid, "line": {"width": 0}},
        customdata=view.counts, hovertemplate="%{customdata} rows<extra></extra>",
    )  # fmt: skip


def _frame(figure: go.Figure, colours: Palette, names: list[str], axis: str) -> None:
    """Give horizontal lines their names (labels, top to bottom), and a height that fits their number."""
    count = len(names)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=72 + LINE * max(count, 1), margin={"l": 8, "r": 8, "t": 8, "b": 48}, bargap=0.3,
                         hovermode="closest", showlegend=False)  # fmt: skip
    figure.update_yaxes(tickvals=list(range(count)), ticktext=list(reversed(names)),
                        range=[-0.6, count - 0.4], showgrid=False, automargin=True, zeroline=False,
                        tickfont={"color": colours.ink})  # fmt: skip
    figure.update_xaxes(title_text=axis, zeroline=True, zerolinewidth=1.4, zerolinecolor=colours.muted)
