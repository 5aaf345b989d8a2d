"""The target's distribution, missing values and the split as Plotly figures."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.figures.labels import label
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.data import SplitView, TableView, TargetView

__all__ = ["missing_figure", "split_figure", "target_figure"]

MOST = 20
LONGEST = 28  # letters of a name beside a bar


def target_figure(view: TargetView, colours: Palette) -> go.Figure:
    """Return rows per class, largest class on top, or a histogram of a quantity."""
    figure = go.Figure()
    if view.labels:
        order = sorted(range(len(view.labels)), key=lambda k: (view.counts[k], -k))[-MOST:]
        total = max(1, int(view.counts.sum()))
        figure.add_trace(go.Bar(
            x=[int(view.counts[k]) for k in order], y=[label(view.labels[k], LONGEST) for k in order],
            orientation="h",
            marker={"color": colours.accuracy, "line": {"width": 0}}, hoverinfo="skip", width=0.62,
            text=[f"{int(view.counts[k]):,} · {100 * view.counts[k] / total:.0f} %" for k in order],
            textposition="auto", insidetextfont={"color": colours.background}, outsidetextfont={"color": colours.ink},
        ))  # fmt: skip
        height = 64 + 34 * len(order)
        figure.update_yaxes(automargin=True, showgrid=False, type="category")
        figure.update_xaxes(title_text=text("data.rows"))
    else:
        middle = (view.edges[:-1] + view.edges[1:]) / 2
        figure.add_trace(go.Bar(
            x=middle, y=view.counts, width=view.edges[1:] - view.edges[:-1],
            marker={"color": colours.accuracy, "line": {"width": 1, "color": colours.background}},
            hovertemplate="%{x:.4g}: %{y}<extra></extra>",
        ))  # fmt: skip
        height = 240
        figure.update_xaxes(title_text=label(view.name, 40))
        figure.update_yaxes(title_text=text("data.rows"))
    return _framed(figure, colours, height)


def missing_figure(view: TableView, colours: Palette) -> go.Figure | None:
    """Return the share of missing values of the columns that have any, or None when none has."""
    columns = sorted((c for c in view.columns if c.missing), key=lambda c: c.missing)[-MOST:]
    if not columns:
        return None
    figure = go.Figure(go.Bar(
        x=[100 * c.missing_share for c in columns], y=[label(c.name, LONGEST) for c in columns],
        orientation="h", width=0.62,
        marker={"color": colours.dominated, "line": {"width": 0}}, customdata=[c.missing for c in columns],
        hovertemplate="%{y}: %{customdata} (%{x:.1f} %)<extra></extra>",
    ))  # fmt: skip
    figure.update_xaxes(title_text=text("data.missing_axis"), rangemode="tozero")
    figure.update_yaxes(automargin=True, showgrid=False, type="category")
    return _framed(figure, colours, 64 + 26 * len(columns))


def split_figure(view: SplitView, colours: Palette) -> go.Figure:
    """Return the three parts as one bar; the pattern tells the test part, which no search reads, from the others."""
    figure = go.Figure()
    fills = (colours.categories[0], colours.categories[4], colours.dominated)
    letters = (colours.background, colours.on_chosen, colours.on_chosen)
    for name, rows, fill, pattern, ink in zip(view.names, view.rows, fills, ("", "", "/"), letters):
        figure.add_trace(go.Bar(
            x=[rows], y=[""], orientation="h", name=name, hoverinfo="skip", text=[f"{name} {rows:,}"],
            textposition="inside", insidetextanchor="middle", textfont={"color": ink},
            marker={"color": fill, "line": {"width": 0},
                    "pattern": {"shape": pattern, "size": 6, "solidity": 0.12, "fillmode": "overlay"}},
        ))  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_xaxes(visible=False, range=[0, max(1, sum(view.rows))])
    figure.update_yaxes(visible=False)
    _framed(figure, colours, 44)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 2, "b": 2}, uniformtext={"minsize": 9, "mode": "show"})
    return figure


def _framed(figure: go.Figure, colours: Palette, height: float) -> go.Figure:
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=height, showlegend=False, bargap=0.2, margin={"l": 8, "r": 8, "t": 8, "b": 44})
    return figure
