"""Example images and series as Plotly figures."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.labels import label
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.signal_data import ImageGrid, SeriesLines

__all__ = ["image_grid_figure", "series_figure"]

COLUMNS = 3
TILE, GAP = 44, 0.08  # height of a line in pixels; gap between images as a share of one


def image_grid_figure(view: ImageGrid, colours: Palette) -> go.Figure:
    """Return the images as one picture, a line per class; nothing is smoothed when it is enlarged."""
    sheet, step = _sheet(view)
    height, width = view.pixels.shape[2:4]
    figure = go.Figure(go.Image(source=_png(sheet), hoverinfo="skip"))
    middle = [line * step[0] + (height - 1) / 2 for line in range(len(view.labels))]
    figure.update_layout(plot_layout(colours))
    figure.update_yaxes(
        tickvals=middle, ticktext=[label(name, 18) for name in view.labels], showgrid=False, zeroline=False,
        automargin=True, ticks="", constrain="domain", range=[sheet.shape[0] - 0.5, -0.5],
    )  # fmt: skip
    figure.update_xaxes(visible=False, constrain="domain", range=[-0.5, sheet.shape[1] - 0.5])
    tall = TILE * max(0.5, min(2.0, height / width))
    figure.update_layout(height=24 + tall * len(view.labels), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    return figure


def _sheet(view: ImageGrid) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return all images on one sheet (H, W, 4), transparent between them, and the distance from one to the next."""
    lines, tiles, height, width = view.pixels.shape[:4]
    gap = max(1, round(GAP * max(height, width)))
    step = height + gap, width + gap
    sheet = np.zeros((lines * step[0] - gap, tiles * step[1] - gap, 4), dtype=np.uint8)
    for line in range(lines):
        for tile in range(view.filled[line]):
            place = sheet[line * step[0] :, tile * step[1] :][:height, :width]
            place[..., :3], place[..., 3] = view.pixels[line, tile], 255
    return sheet, step


def _png(sheet: NDArray[np.uint8]) -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(sheet, "RGBA").save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def series_figure(view: SeriesLines, colours: Palette) -> go.Figure:
    """Return one panel per class: some of its series thin, the mean of the class thick; all panels share their axes."""
    from plotly.subplots import make_subplots

    panels = len(view.labels)
    columns = min(COLUMNS, panels)
    rows = -(-panels // columns)
    figure = make_subplots(
        rows, columns, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.16 / rows,
        subplot_titles=[label(name, 30) for name in view.labels],
    )  # fmt: skip
    for k in range(panels):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        lines = view.examples[k]
        x = np.tile(np.append(view.steps.astype(float), np.nan), len(lines))
        y = np.concatenate([np.append(line, np.nan) for line in lines]) if len(lines) else np.empty(0)
        figure.add_trace(
            go.Scattergl(x=x, y=y, mode="lines", line={"width": 1, "color": colours.dominated}, opacity=0.7,
                         name=text("signal_data.example"), showlegend=k == 0, legendgroup="example", hoverinfo="skip")
            if x.size > 20_000 else
            go.Scatter(x=x, y=y, mode="lines", line={"width": 1, "color": colours.dominated}, opacity=0.7,
                       name=text("signal_data.example"), showlegend=k == 0, legendgroup="example", hoverinfo="skip"),
            **place,
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(x=view.steps, y=view.means[k], mode="lines", line={"width": 2.6, "color": colours.accuracy},
                       name=text("signal_data.mean"), showlegend=k == 0, legendgroup="mean",
                       hovertemplate="%{x}: %{y:.4g}<extra></extra>"),
            **place,
        )  # fmt: skip
    layout = plot_layout(colours)
    axes = {"xaxis": layout.pop("xaxis"), "yaxis": layout.pop("yaxis")}
    figure.update_layout(**layout)
    figure.update_xaxes(**axes["xaxis"])
    figure.update_yaxes(**axes["yaxis"])
    figure.update_xaxes(title_text=text("signal_data.step"), row=rows)
    figure.update_layout(
        height=70 + 170 * rows,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top", "yref": "container"},
        margin={"l": 48, "r": 12, "t": 56, "b": 44},
    )  # fmt: skip
    return figure
