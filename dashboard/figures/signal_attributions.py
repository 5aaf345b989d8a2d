"""Attributions of images and series as native Plotly figures."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.signal_attributions import MeanView, PictureView, SeriesView

__all__ = ["mean_figure", "overlay_figure", "picture_figure", "series_figure", "tinted"]

SIDE = 250.0  # pixels of the longer side of a picture
TINT = 0.5  # opacity of the strongest ground of a word: more, and its letters could not be read
FADE = 0.22  # how much of a picture's contrast is left under an overlay


def picture_figure(view: PictureView, colours: Palette) -> go.Figure:
    """Return the image as it is."""
    figure = go.Figure(_image(view.pixels, 1.0, colours))
    return _square(figure, view.pixels.shape[:2], colours)


def overlay_figure(view: PictureView, colours: Palette) -> go.Figure:
    """Return the image, faded, under what each place adds: orange raises the output, blue lowers it."""
    figure = go.Figure(_image(view.pixels, FADE, colours))
    hover = text("signal.hover_share" if not view.signed else "signal.hover", unit=view.unit)
    figure.add_trace(go.Heatmap(
        z=view.overlay, zmin=-view.limit if view.signed else 0.0, zmax=view.limit, meta="overlay",
        zsmooth="best" if view.smooth else False, colorscale=_scale(colours, view.signed),
        customdata=np.dstack([view.patches, view.totals]),
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>{hover}<extra></extra>",
        colorbar=_bar(text("signal.adds", unit=view.unit), colours),
    ))  # fmt: skip
    return _square(figure, view.pixels.shape[:2], colours, bar=True)


def series_figure(view: SeriesView, colours: Palette) -> go.Figure:
    """Return the series over a ground coloured by what each step adds, and the same as bars below."""
    from plotly.subplots import make_subplots

    channels, length = view.lines.shape
    steps = np.arange(1, length + 1)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.06)
    low, high = float(np.nanmin(view.lines)), float(np.nanmax(view.lines))
    room = 0.08 * (high - low or 1.0)
    figure.add_trace(go.Heatmap(
        x=steps, y=[low - room, high + room], z=[view.overlay, view.overlay], showscale=False, hoverinfo="skip",
        zmin=-view.limit if view.signed else 0.0, zmax=view.limit, colorscale=_scale(colours, view.signed, 0.45),
        meta="ground",
    ), row=1, col=1)  # fmt: skip
    for c in range(channels):
        line = colours.ink if channels == 1 else colours.categories[c % len(colours.categories)]
        name = text("signal.channel", number=c + 1)
        figure.add_trace(go.Scatter(
            x=steps, y=view.lines[c], mode="lines", line={"color": line, "width": 2}, name=name, meta="line",
            hovertemplate="%{x}: %{y:.4g}<extra>" + (name if channels > 1 else "") + "</extra>",
        ), row=1, col=1)  # fmt: skip
    lowers, _, raises = colours.diverging
    figure.add_trace(go.Bar(
        x=steps, y=view.overlay, marker={"line": {"width": 0}, "color": np.where(view.overlay < 0, lowers, raises)},
        customdata=view.names, meta="bars", showlegend=False,
        hovertemplate="<b>%{customdata}</b><br>%{y:+.3g}<extra></extra>",
    ), row=2, col=1)  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=380, bargap=0.1, margin={"l": 56, "r": 8, "t": 8, "b": 44},
                         showlegend=1 < channels <= 8, legend={"orientation": "h", "y": 1.08})  # fmt: skip
    figure.update_yaxes(title_text=text("signal.values"), range=[low - room, high + room], showgrid=False, row=1, col=1)
    figure.update_yaxes(title_text=text("signal.adds", unit=view.unit), zeroline=True, zerolinecolor=colours.muted,
                        row=2, col=1)  # fmt: skip
    plain = {"tickfont": {"color": colours.muted}, "title_font": {"color": colours.ink, "size": 13}}
    figure.update_xaxes(showgrid=False, range=[0.5, length + 0.5], **plain)
    figure.update_yaxes(gridcolor=colours.grid, **plain)
    figure.update_xaxes(title_text=text("signal.step"), row=2, col=1)
    return figure


def mean_figure(view: MeanView, colours: Palette) -> go.Figure:
    """Return the mean |attribution| at every place: a map of an image, bars with their intervals of a sequence."""
    if view.mean.shape[0] > 1:
        figure = go.Figure(go.Heatmap(
            z=view.mean, zmin=0.0, colorscale=[[0.0, colours.panel], [1.0, colours.accuracy]], customdata=view.names,
            meta="mean", hovertemplate="<b>%{customdata}</b><br>%{z:.3g}<extra></extra>",
            colorbar=_bar(text("signal.mean_adds", unit=view.unit), colours),
        ))  # fmt: skip
        return _square(figure, view.mean.shape, colours, bar=True)
    mean, low, high = view.mean[0], view.low[0], view.high[0]
    figure = go.Figure(go.Bar(
        x=np.arange(1, len(mean) + 1), y=mean, customdata=view.names[0], meta="mean",
        marker={"color": colours.accuracy, "line": {"width": 0}},
        error_y={"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low,
                 "color": colours.ink, "thickness": 1.0, "width": 2},
        hovertemplate="<b>%{customdata}</b><br>%{y:.3g}<extra></extra>",
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=260, bargap=0.15, margin={"l": 56, "r": 8, "t": 8, "b": 44}, showlegend=False)
    figure.update_xaxes(title_text=text("signal.step"), showgrid=False)
    figure.update_yaxes(title_text=text("signal.mean_adds", unit=view.unit), rangemode="tozero")
    return figure


def tinted(strength: float, colours: Palette) -> str:
    """Return the colour of a word's ground for a strength in [−1, 1]: blue lowers, orange raises, 0 is clear."""
    lowers, _, raises = colours.diverging
    return _rgba(raises if strength >= 0 else lowers, TINT * min(1.0, abs(strength)))


def _image(pixels: np.ndarray, contrast: float, colours: Palette) -> go.Image:
    """Return the pixels as an image, faded towards the page's ground where the contrast is below 1."""
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    ground = np.array([int(colours.background[i : i + 2], 16) for i in (1, 3, 5)])
    shown = contrast * 255 * rgb + (1 - contrast) * ground
    return go.Image(z=np.round(shown).astype(np.uint8), hoverinfo="skip", meta="image")


def _scale(colours: Palette, signed: bool, most: float = 0.9) -> list[list[object]]:
    """Return a colour scale that is clear at 0 and full at the ends."""
    lowers, _, raises = colours.diverging
    if not signed:
        return [[0.0, _rgba(raises, 0.0)], [1.0, _rgba(raises, most)]]
    return [
        [0.0, _rgba(lowers, most)],
        [0.5, _rgba(lowers, 0.0)],
        [0.5, _rgba(raises, 0.0)],
        [1.0, _rgba(raises, most)],
    ]


def _rgba(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:.3g})"


def _bar(title: str, colours: Palette) -> dict[str, object]:
    return {
        "title": {"text": title, "side": "bottom", "font": {"size": 12}}, "thickness": 10, "outlinewidth": 0,
        "tickfont": {"color": colours.muted}, "orientation": "h", "x": 0.5, "y": 0.0, "yanchor": "top", "len": 1.0,
        "nticks": 5,
    }  # fmt: skip


def _square(figure: go.Figure, shape: tuple[int, ...], colours: Palette, *, bar: bool = False) -> go.Figure:
    """Give a picture square pixels, no axes, and a size that does not change from image to image."""
    height, width = shape[0], shape[1]
    scale = SIDE / max(height, width)
    figure.update_layout(plot_layout(colours))
    below = 64 if bar else 8
    figure.update_layout(height=round(height * scale) + 8 + below, width=round(width * scale) + 16,
                         margin={"l": 8, "r": 8, "t": 8, "b": below}, showlegend=False)  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.5, width - 0.5], constrain="domain")
    figure.update_yaxes(visible=False, range=[height - 0.5, -0.5], scaleanchor="x", constrain="domain")
    return figure
