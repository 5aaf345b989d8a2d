"""Candidates side by side as Plotly figures: marked graphs, importances, and the way from one to the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dashboard.figures.architecture import architecture_figure
from dashboard.figures.labels import label, plain
from dashboard.figures.outlines import box_outline
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.compare_path import PathView
from dashboard.views.compare_rows import ImportanceLine
from dashboard.views.graph import GraphNode, GraphView
from nas_core.spaces.graph_kinds import kind_style

__all__ = ["box_mark", "compared_importance_figure", "marked_graph_figure", "path_figure"]

SYMBOLS = ("circle", "diamond", "square", "triangle-up")
MARKS = {"only": "+", "changed": "≠"}


def box_mark(node: GraphNode, marks: Mapping[str, str]) -> str:
    """Return how a box stands to the other graph: "only" where all it stands for is, "changed" where any differs."""
    found = {marks.get(member, "same") for member in node.members}
    return "same" if found == {"same"} else "only" if found == {"only"} else "changed"


def marked_graph_figure(
    view: GraphView, marks: Mapping[str, str], colours: Palette, *, room: float, height: float | None = None
) -> go.Figure:
    """Return the graph with what the other one does not have outlined and marked "+", and what differs "≠"."""
    figure = architecture_figure(view, colours, room=room, height=height)
    by_mark: dict[str, list[GraphNode]] = {}
    for node in view.nodes:
        by_mark.setdefault(box_mark(node, marks), []).append(node)
    notes = list(figure.layout.annotations)
    for mark, sign in MARKS.items():
        nodes = by_mark.get(mark, [])
        if not nodes:
            continue
        colour = mark_colour(mark, colours)
        x: list[float | None] = []
        y: list[float | None] = []
        for node in nodes:
            outline = "stack" if node.closed else kind_style(node.kind).outline
            xs, ys = box_outline(outline, node.x, node.y, node.width + 5, node.height + 5)
            x += [*xs, None]
            y += [*ys, None]
            notes.append({"x": node.x + node.width / 2, "y": node.y + node.height / 2, "text": f"<b>{sign}</b>",
                          "showarrow": False, "xanchor": "center", "yanchor": "middle", "bgcolor": colour,
                          "borderpad": 1, "font": {"size": 11, "color": colours.background}})  # fmt: skip
        figure.add_trace(go.Scatter(
            x=x, y=y, mode="lines", hoverinfo="skip", meta=f"mark_{mark}", name=mark,
            line={"color": colour, "width": 2.4, "dash": "solid" if mark == "only" else "dash"},
        ))  # fmt: skip
    figure.update_layout(annotations=notes)
    return figure


def mark_colour(mark: str, colours: Palette) -> str:
    """Return the colour of a mark: what is there alone, what differs."""
    return colours.chosen if mark == "only" else colours.accent


def compared_importance_figure(lines: Sequence[ImportanceLine], names: Sequence[str], colours: Palette) -> go.Figure:
    """Return each feature's share of the attribution in every candidate, a mark and an interval each."""
    figure = go.Figure()
    count, wide = len(lines), 0.62 / max(1, len(names) - 1)
    for k, name in enumerate(names):
        y = [count - 1 - i + 0.31 - k * wide for i in range(count)]
        share = [line.shares[k] for line in lines]
        figure.add_trace(go.Scatter(
            x=share, y=y, mode="markers", name=name, meta="importance",
            marker={"symbol": SYMBOLS[k], "size": 10, "color": colours.categories[k],
                    "line": {"width": 1, "color": colours.background}},
            error_x={"type": "data", "symmetric": False, "array": [ln.highs[k] - ln.shares[k] for ln in lines],
                     "arrayminus": [ln.shares[k] - ln.lows[k] for ln in lines], "thickness": 1.3, "width": 3,
                     "color": colours.categories[k]},
            customdata=[[plain(ln.name), "–" if ln.ranks[k] is None else str(ln.ranks[k])] for ln in lines],
            hovertemplate="<b>%{customdata[0]}</b><br>%{x:.1%}, "
                          + text("compare.hover_rank") + " %{customdata[1]}<extra>" + name + "</extra>",
        ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=90 + 34 * max(count, 1), margin={"l": 8, "r": 12, "t": 34, "b": 46}, hovermode="closest",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title_text=text("compare.share_axis"), tickformat=".0%", rangemode="tozero", zeroline=True)
    figure.update_yaxes(
        tickvals=list(range(count)), ticktext=[label(ln.name, 40) for ln in reversed(lines)],
        range=[-0.6, count - 0.4], automargin=True, showgrid=False, tickfont={"color": colours.ink},
    )  # fmt: skip
    return figure


def path_figure(view: PathView, colours: Palette) -> go.Figure:
    """Return performance and interpretability from stop to stop: full marks were measured, hollow ones predicted."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1)
    at = [stop.position for stop in view.stops]
    words = ["<br>".join(plain(e.signed) for e in stop.edits) or text("compare.start") for stop in view.stops]
    quantities = (
        ("performance", colours.accuracy, view.metric),
        ("interpretability", colours.interpretability, text("run.interpretability")),
    )
    for row, (name, colour, called) in enumerate(quantities, start=1):
        points = [getattr(stop, name) for stop in view.stops]
        known = [p.value is not None for p in points]
        figure.add_trace(go.Scatter(
            x=at, y=[p.value for p in points], mode="lines+markers", name=called, meta=name, customdata=words,
            line={"color": colour, "width": 1.4, "shape": "hv"},
            marker={"color": colour, "size": 9, "symbol": ["circle" if p.measured else "circle-open" for p in points]},
            error_y={"type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": colour,
                     "array": [_half(p.high, p.value) for p in points],
                     "arrayminus": [_half(p.value, p.low) for p in points]},
            hovertemplate="%{customdata}<br>" + called + " %{y:.3f}<extra></extra>",
        ), row=row, col=1)  # fmt: skip
        if not any(known):
            figure.add_annotation(text=text("compare.unknown"), showarrow=False, row=row, col=1,
                                  font={"color": colours.muted})  # fmt: skip
        figure.update_yaxes(title_text=label(called, 18), row=row, col=1)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=330, showlegend=False, margin={"l": 60, "r": 12, "t": 8, "b": 40})
    fonts = {"tickfont": {"color": colours.muted, "size": 12}, "title_font": {"color": colours.ink, "size": 13}}
    figure.update_xaxes(showgrid=False, zeroline=False, dtick=1 if len(at) < 30 else 5, **fonts)
    figure.update_xaxes(title_text=text("compare.step_axis"), row=2, col=1)
    figure.update_xaxes(range=[-0.5, len(at) - 0.5])
    figure.update_yaxes(gridcolor=colours.grid, zeroline=False, **fonts)
    return figure


def _half(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else max(0.0, high - low)
