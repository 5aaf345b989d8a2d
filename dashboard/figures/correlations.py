"""The correlation matrix of the measures as a heat map with its numbers."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.theme import Palette, plot_layout
from dashboard.views.correlations import CorrelationsView

__all__ = ["cell_colour", "contrast", "correlations_figure", "letter_colour"]

CELL, FRAME = 34, 130


def correlations_figure(view: CorrelationsView, colours: Palette) -> go.Figure:
    """Return the lower triangle, blue for −1 to orange for +1, each cell with its number; doubled pairs are framed."""
    rows, columns = view.labels[1:], view.labels[:-1]
    z = [list(row[:-1]) for row in view.rho[1:]]
    low, middle, high = colours.diverging
    figure = go.Figure(go.Heatmap(
        z=z, x=list(range(len(columns))), y=list(range(len(rows))), zmin=-1, zmax=1, meta="rho",
        colorscale=[[0.0, low], [0.5, middle], [1.0, high]], xgap=2, ygap=2,
        customdata=[list(row[:-1]) for row in view.hover[1:]], hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        colorbar={"title": {"text": "ρ", "side": "top"}, "thickness": 10, "outlinewidth": 0, "tickvals": [-1, 0, 1],
                  "len": 0.8},
    ))  # fmt: skip
    cells = [(i, j, v) for i, row in enumerate(z) for j, v in enumerate(row) if v is not None]
    figure.add_trace(go.Scatter(
        x=[j for _, j, _ in cells], y=[i for i, _, _ in cells], mode="text", hoverinfo="skip", meta="numbers",
        text=[f"{v:.2f}".replace("-", "−") for _, _, v in cells],
        textfont={"size": 12, "color": [letter_colour(v, colours) for _, _, v in cells]},
    ))  # fmt: skip
    for row, column in view.marked:
        figure.add_shape(
            type="rect", x0=column - 0.48, x1=column + 0.48, y0=row - 1.48, y1=row - 0.52, layer="above",
            line={"color": colours.ink, "width": 2.5},
        )  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=FRAME + CELL * max(2, len(rows)), margin={"l": 8, "r": 8, "t": 8, "b": 8},
                         showlegend=False)  # fmt: skip
    ends = {"showgrid": False, "zeroline": False, "automargin": True, "tickfont": {"color": colours.ink, "size": 12}}
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=list(columns), tickangle=-35,
                        range=[-0.5, len(columns) - 0.5], **ends)  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=list(rows), range=[len(rows) - 0.5, -0.5], **ends)
    return figure


def letter_colour(rho: float, colours: Palette) -> str:
    """Return what is read best on the cell of ``rho``: black or white, one of which has a contrast of 4.5 at least."""
    cell = cell_colour(rho, colours)
    return max(("#000000", "#FFFFFF"), key=lambda letters: contrast(letters, cell))


def cell_colour(rho: float, colours: Palette) -> str:
    """Return the colour of a cell, as Plotly mixes it."""
    low, middle, high = colours.diverging
    end, share = (high if rho > 0 else low), min(1.0, abs(rho))
    mixed = [round((1 - share) * a + share * b) for a, b in zip(_parts(middle), _parts(end))]
    return "#{:02X}{:02X}{:02X}".format(*mixed)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#RRGGBB``, from 1 to 21 (WCAG 2.2)."""
    low, high = sorted(_luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (p / 255 for p in _parts(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
