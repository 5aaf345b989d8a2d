"""Colours and type of the studio, as data: Streamlit's theme options, and the palette every figure draws with.

Colours are from the Okabe–Ito set (distinguishable with colour-vision deficiency); a shape or a line style always says
the same thing a second time. A candidate keeps its mark and a quantity its colour on every page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["DARK", "LIGHT", "PLOT", "PLOT_STILL", "PLOT_ZOOMED", "Palette", "palette", "plot_layout",
           "streamlit_theme"]  # fmt: skip

FONT = (
    "Inter, 'Source Sans Pro', 'Source Sans', system-ui, -apple-system, 'Segoe UI', "
    "'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', sans-serif"
)

PLOT: dict[str, Any] = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False}
"""Plotly's configuration of every figure: no bar of buttons, and no button that sends the data to another host. The
elements that draw with plotly.js themselves have the same from ``live_chart/loading.js``."""
PLOT_ZOOMED = PLOT | {"scrollZoom": True}
PLOT_STILL = PLOT | {"staticPlot": True}


@dataclass(frozen=True)
class Palette:
    """Colours of one appearance, as CSS colours.

    Attributes:
        background, panel: Page ground and raised ground.
        ink, muted, grid: Text, secondary text, grid lines and frames.
        accent: The one colour of controls.
        accuracy, interpretability: The two quantities the studio trades.
        chosen, on_chosen: The candidate in view, and text on that colour.
        dominated: Candidates that are not on the front.
        front: The line and the points of the front.
        categories: Okabe–Ito colours for operation kinds and series, most distinct first.
        diverging: Low, middle and high of a signed scale.
    """

    background: str
    panel: str
    ink: str
    muted: str
    grid: str
    accent: str
    accuracy: str
    interpretability: str
    chosen: str
    on_chosen: str
    dominated: str
    front: str
    categories: tuple[str, ...]
    diverging: tuple[str, str, str]


LIGHT = Palette(
    background="#FFFFFF",
    panel="#F5F7F9",
    ink="#0F171E",
    muted="#5A6876",
    grid="#DDE3E9",
    accent="#00619E",
    accuracy="#0072B2",
    interpretability="#B87700",
    chosen="#D55E00",
    on_chosen="#000000",
    dominated="#9AA5B1",
    front="#0072B2",
    categories=("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C7A00", "#6B7785"),
    diverging=("#0072B2", "#E8EBEE", "#D55E00"),
)

DARK = Palette(
    background="#11161C",
    panel="#1A2129",
    ink="#E6EBF0",
    muted="#A3B0BD",
    grid="#2D3742",
    accent="#6CB8EC",
    accuracy="#56B4E9",
    interpretability="#E69F00",
    chosen="#FF8A3D",
    on_chosen="#11161C",
    dominated="#6F7D8B",
    front="#56B4E9",
    categories=("#56B4E9", "#E69F00", "#2BBE95", "#DB96BC", "#8FCBF0", "#FF8A3D", "#D9CE55", "#A3B0BD"),
    diverging=("#56B4E9", "#2D3742", "#FF8A3D"),
)


def palette(dark: bool) -> Palette:
    """Return the palette of the dark or the light appearance."""
    return DARK if dark else LIGHT


def plot_layout(colours: Palette) -> dict[str, Any]:
    """Return the Plotly layout every figure starts from: quiet axes, tabular figures, transparent ground."""
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.grid,
        "zerolinecolor": colours.grid,
        "tickfont": {"color": colours.muted},
        "title": {"font": {"color": colours.ink, "size": 13}},
    }
    return {
        "font": {"family": FONT, "size": 13, "color": colours.ink},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": list(colours.categories),
        "margin": {"l": 56, "r": 16, "t": 16, "b": 48},
        "hoverlabel": {"bgcolor": colours.panel, "bordercolor": colours.grid, "font": {"color": colours.ink}},
        "xaxis": axis,
        "yaxis": axis,
    }


def streamlit_theme() -> dict[str, Any]:
    """Return the theme as Streamlit options: light and dark, chosen by the browser's setting."""
    options: dict[str, Any] = {
        "theme.font": FONT,
        "theme.baseFontSize": 14,
        "theme.baseRadius": "6px",
        "theme.headingFontSizes": ["24px", "20px", "17px", "15px", "14px", "13px"],
        "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
        "theme.metricValueFontSize": "1.35rem",
        "theme.showWidgetBorder": True,
        "theme.paddingTop": "1.4rem",
        "theme.paddingBottom": "2rem",
    }
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        options |= {
            f"theme.{name}.primaryColor": colours.accent,
            f"theme.{name}.backgroundColor": colours.background,
            f"theme.{name}.secondaryBackgroundColor": colours.panel,
            f"theme.{name}.textColor": colours.ink,
            f"theme.{name}.linkColor": colours.accent,
            f"theme.{name}.borderColor": colours.grid,
            f"theme.{name}.chartCategoricalColors": list(colours.categories),
        }
    return options
