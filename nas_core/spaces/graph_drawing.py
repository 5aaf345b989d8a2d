"""An architecture graph as a file: SVG and PNG by Graphviz, DOT and Mermaid as text.

Graphviz runs inside this process and its library keeps global state, so one drawing is made at a time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nas_core.errors import NasightError, SettingsError
from nas_core.spaces.graph_text import dot_text, mermaid_text

if TYPE_CHECKING:
    import networkx

__all__ = ["GRAPHVIZ", "GRAPH_FORMATS", "draw_graph"]

GRAPH_FORMATS: dict[str, str] = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "dot": "text/vnd.graphviz",
    "mermaid": "text/plain",
}
"""Formats a graph can be written in, with their media types."""

GRAPHVIZ = threading.Lock()
"""Held by everybody who calls Graphviz."""

DPI, LOW_DPI, MANY_NODES = 144, 72, 200
"""Dots per inch of a PNG, and of one with very many nodes: bitmaps end at 32,767 pixels."""


def draw_graph(graph: networkx.DiGraph, format: str, title: str = "") -> bytes:
    """Return the graph as a file of one of :data:`GRAPH_FORMATS`.

    Args:
        graph: As families give it (``nas_core.spaces.graph``), or a fold of it.
        format: "svg", "png", "dot" or "mermaid".
        title: A line below the picture, or above a Mermaid chart.

    Raises:
        SettingsError: No such format.
        NasightError: This Graphviz cannot draw PNG.
    """
    if format not in GRAPH_FORMATS:
        raise SettingsError(
            f"There is no graph format {format!r}", allowed=", ".join(GRAPH_FORMATS), fix="choose one of them"
        )
    if format == "mermaid":
        return mermaid_text(graph, title).encode()
    text = dot_text(graph, title)
    return text.encode() if format == "dot" else _drawn(text, format)


def _drawn(text: str, format: str) -> bytes:
    import pygraphviz

    with GRAPHVIZ:
        picture = pygraphviz.AGraph(string=text)
        if format == "png":
            picture.graph_attr["dpi"] = str(DPI if picture.number_of_nodes() <= MANY_NODES else LOW_DPI)
        try:
            drawn = picture.draw(format=format, prog="dot")
        except (OSError, RuntimeError, ValueError) as error:
            raise NasightError(
                f"This Graphviz cannot draw {format} ({error})", allowed="svg, dot, mermaid", fix="choose svg"
            ) from error
    return bytes(drawn)
