"""The graph in view as a file to take along: what is drawn as one box there is one box in the file too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dashboard.views.collapse import Fold, fold_graph, named
from nas_core.spaces.graph_drawing import GRAPH_FORMATS, draw_graph

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["SUFFIXES", "graph_file"]

SUFFIXES = {name: name for name in GRAPH_FORMATS} | {"mermaid": "mmd"}
"""File name ending of each format."""


def graph_file(graph: nx.DiGraph, names: Sequence[str], fold: Fold, format: str, title: str) -> bytes:
    """Return an engine's graph, folded, as a file of one of ``GRAPH_FORMATS``.

    Args:
        graph: The whole graph.
        names: Names of the features.
        fold: What is drawn as one box.
        format: "svg", "png", "dot" or "mermaid".
        title: A line with the picture that says what it shows.
    """
    return draw_graph(fold_graph(named(graph, names), fold)[0], format, title)
