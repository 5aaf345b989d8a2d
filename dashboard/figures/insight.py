"""What matters for what, drawn: shares of variation as bars, effects of options as dots, all aims as a heat map."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.insight import AimImportance, Bar, EffectView, LevelPoint, MatrixView, PairsView

__all__ = ["aim_colour", "effect_figure", "importance_figure", "matrix_figure", "pairs_figure", "parts_figure"]

LINE = 27
LETTERS = 30


def aim_colour(name: str, colours: Palette) -> str:
    """Return the colour of an aim: those of accuracy and interpretability are the same on every page."""
    own = {"performance": colours.accuracy, "interpretability": colours.interpretability}
    return own.get(name, colours.categories[2])


def importance_figure(view: AimImportance, colours: Palette) -> go.Figure:
    """Return one bar per choice with its interval, and a hollow diamond for SHAP's share; interactions are hatched."""
    figure = _bars(view.bars, aim_colour(view.name, colours), colours)
    shap = [(at, b) for at, b in enumerate(reversed(view.bars)) if b.shap is not None]
    if shap:
        figure.add_trace(go.Scatter(
            x=[b.shap for _, b in shap], y=[at for at, _ in shap], mode="markers", name=text("insight.shap_name"),
            meta="shap", marker={"symbol": "diamond-open", "size": 9, "color": colours.ink, "line": {"width": 1.6}},
            customdata=[plain(b.words) for _, b in shap], hovertemplate="%{customdata}<extra></extra>",
        ))  # fmt: skip
        legend = {
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 0.02,
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
        }
        figure.update_layout(showlegend=True, legend=legend)
    figure.update_xaxes(title_text=text("insight.bars_axis", aim=view.label))
    return figure


def pairs_figure(view: PairsView, colours: Palette) -> go.Figure:
    """Return one bar per pair of choices with its interval."""
    figure = _bars(view.bars, aim_colour(view.aim, colours), colours, letters=52)
    figure.update_xaxes(title_text=text("insight.pairs_axis"))
    return figure


def effect_figure(view: EffectView, colours: Palette) -> go.Figure:
    """Return one line per level: filled the mean over everything else, hollow what was observed, each with interval."""
    points = list(reversed(view.levels))
    colour = aim_colour(view.aim, colours)
    figure = go.Figure()
    seen = [(at, p) for at, p in enumerate(points) if p.observed is not None]
    figure.add_trace(_dots(
        [at - 0.16 for at, _ in seen], [p for _, p in seen], "observed", colours.muted, "diamond-open",
        text("insight.observed_name"),
    ))  # fmt: skip
    figure.add_trace(_dots(
        [at + 0.16 for at in range(len(points))], points, "mean", colour, "circle", text("insight.mean_name")
    ))  # fmt: skip
    _lined(figure, [f"{label(p.label, LETTERS)} ({p.count:,})" for p in points], colours, top=34)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "x": 0, "xref": "container", "y": 1,
                                                  "yref": "container", "yanchor": "top"})  # fmt: skip
    figure.update_xaxes(title_text=view.axis)
    return figure


def parts_figure(view: EffectView, colours: Palette) -> go.Figure:
    """Return one line per part of a choice: by how much the mean changes with it, with the interval."""
    points = list(reversed(view.parts))
    figure = go.Figure(_dots(list(range(len(points))), points, "mean", aim_colour(view.aim, colours), "circle", ""))
    _lined(figure, [f"{label(p.label, LETTERS + 8)} ({p.count:,})" for p in points], colours)
    figure.update_xaxes(
        title_text=text("insight.parts_axis", aim=view.axis), zeroline=True, zerolinecolor=colours.muted
    )
    return figure


def matrix_figure(view: MatrixView, colours: Palette) -> go.Figure:
    """Return choices by aims, darker for what explains more; where nothing is predicted the cell is empty."""
    letters = [["" if v is None or v < 0.005 else f"{100 * v:.0f}" for v in row] for row in view.shares]
    figure = go.Figure(go.Heatmap(
        z=[[None if v is None else 100 * v for v in row] for row in view.shares], x=list(range(len(view.aims))),
        y=list(range(len(view.choices))), zmin=0, zmax=100, meta="shares", xgap=2, ygap=2, hoverongaps=False,
        colorscale=[[0.0, colours.panel], [1.0, colours.accent]], text=letters, texttemplate="%{text}",
        customdata=[list(row) for row in view.hover], hovertemplate="%{customdata}<extra></extra>",
        colorbar={"title": {"text": "%", "side": "top"}, "thickness": 10, "outlinewidth": 0, "tickvals": [0, 50, 100],
                  "len": 0.7},
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=170 + LINE * max(3, len(view.choices)), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    ends: dict[str, Any] = {"showgrid": False, "zeroline": False, "automargin": True,
                            "tickfont": {"color": colours.ink, "size": 12}}  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(view.aims))), ticktext=_ticks(view.aims),
                        tickangle=-35, **ends)  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(view.choices))), ticktext=_ticks(view.choices),
                        range=[len(view.choices) - 0.5, -0.5], **ends)  # fmt: skip
    return figure


def _ticks(names: tuple[str, ...]) -> list[str]:
    return [label(name, LETTERS) for name in names]


def _bars(bars: tuple[Bar, ...], colour: str, colours: Palette, letters: int = LETTERS) -> go.Figure:
    """Return bars from the top down, each with its interval."""
    upward = list(reversed(bars))
    figure = go.Figure(go.Bar(
        x=[b.value for b in upward], y=list(range(len(upward))), orientation="h", name=text("insight.bar_name"),
        meta="shares", width=0.62, showlegend=False,
        marker={"color": [colour if b.key else colours.panel for b in upward],
                "line": {"color": [colour if b.key else colours.muted for b in upward], "width": 1},
                "pattern": {"shape": ["" if b.key else "/" for b in upward], "fgcolor": colours.muted, "size": 6}},
        error_x={"type": "data", "symmetric": False, "array": [b.high - b.value for b in upward],
                 "arrayminus": [b.value - b.low for b in upward], "color": colours.ink, "thickness": 1.3, "width": 4},
        customdata=[plain(b.words) for b in upward], hovertemplate="%{customdata}<extra></extra>",
    ))  # fmt: skip
    _lined(figure, [label(b.label, letters) for b in upward], colours)
    most = max([0.1, *(b.high for b in bars), *(b.shap or 0.0 for b in bars)])
    figure.update_xaxes(range=[-0.012 * most, min(1.02, 1.08 * most)], tickformat=".0%")
    return figure


def _dots(
    lines: list[float] | list[int], points: list[LevelPoint], kind: str, colour: str, symbol: str, name: str
) -> go.Scatter:  # fmt: skip
    seen = kind == "observed"
    values = [p.observed if seen else p.mean for p in points]
    lows = [p.observed_low if seen else p.low for p in points]
    highs = [p.observed_high if seen else p.high for p in points]
    spans = [
        (0.0, 0.0) if v is None or a is None or b is None else (v - a, b - v) for v, a, b in zip(values, lows, highs)
    ]
    return go.Scatter(
        x=values, y=lines, mode="markers", name=name, meta=kind, showlegend=bool(name),
        marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 1.6}},
        error_x={"type": "data", "symmetric": False, "array": [h for _, h in spans],
                 "arrayminus": [a for a, _ in spans], "color": colour, "thickness": 1.4, "width": 3},
        customdata=[plain(p.words) for p in points], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _lined(figure: go.Figure, names: list[str], colours: Palette, top: int = 8) -> None:
    """Give a figure one named line per entry, the first at the bottom."""
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=64 + top + LINE * max(2, len(names)), margin={"l": 8, "r": 16, "t": top, "b": 44},
                         showlegend=False, hovermode="closest", bargap=0.3)  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=list(names),
                        range=[-0.6, len(names) - 0.4], showgrid=False, zeroline=False, automargin=True,
                        tickfont={"color": colours.ink, "size": 12})  # fmt: skip
