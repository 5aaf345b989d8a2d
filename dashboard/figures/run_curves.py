"""Training curves of several candidates as one picture."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from dashboard.figures.labels import plain
from dashboard.theme import Palette, plot_layout
from dashboard.views.run_curves import RunCurves

__all__ = ["run_curves_figure"]

DASHES = {"front": "solid", "starred": "dash", "early": "dot", "chosen": "solid"}


def run_curves_figure(
    view: RunCurves, colours: Palette, labels: Mapping[str, str], *, log: bool, height: int
) -> go.Figure:
    """Return one line a candidate; a curve that ended early ends in a cross that says why.

    Args:
        view: The curves.
        colours: The appearance.
        labels: x, y, ended, and the kinds of curves.
        log: Whether the quantity is shown on a logarithmic scale.
        height: Pixels.
    """
    kinds = {"front": colours.front, "starred": colours.interpretability, "early": colours.muted,
             "chosen": colours.chosen}  # fmt: skip
    figure, named = go.Figure(), set[str]()
    for curve in view.curves:
        figure.add_trace(go.Scatter(
            x=curve.epochs, y=curve.values, mode="lines+markers" if len(curve.epochs) == 1 else "lines",
            name=labels[curve.kind], legendgroup=curve.kind, showlegend=curve.kind not in named,
            line={"color": kinds[curve.kind], "width": 3 if curve.kind == "chosen" else 1.4,
                  "dash": DASHES[curve.kind]},
            opacity=1.0 if curve.kind == "chosen" else 0.7,
            hovertemplate=f"<b>#{curve.number}</b><br>{labels['x']} %{{x}}: %{{y:.4g}}<extra></extra>",
        ))  # fmt: skip
        named.add(curve.kind)
    ended = [curve for curve in view.curves if curve.ended]
    if ended:
        figure.add_trace(go.Scatter(
            x=[c.epochs[-1] for c in ended], y=[c.values[-1] for c in ended], mode="markers", name=labels["ended"],
            marker={"symbol": "x", "size": 9, "color": colours.ink},
            text=[f"<b>#{c.number}</b><br>{_wrapped(c.ended)}" for c in ended], hovertemplate="%{text}<extra></extra>",
        ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=height, margin={"l": 60, "r": 8, "t": 30, "b": 44}, hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title_text=labels["x"], rangemode="tozero")
    figure.update_yaxes(title_text=labels["y"], type="log" if log else "linear")
    return figure


def _wrapped(words: str, width: int = 60) -> str:
    """Return words as lines, so that a long reason stays within the picture."""
    lines = [""]
    for word in words.split():
        if len(lines[-1]) + len(word) > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(plain(line) for line in lines[:5])
