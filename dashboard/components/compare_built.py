"""What is it: the graphs side by side with what differs marked, and the single differences in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import networkx as nx
import plotly.graph_objects as go
import streamlit as st

from dashboard import state
from dashboard.components.compare_work import difference
from dashboard.components.explained import space_of
from dashboard.components.graph_panel import legend_html
from dashboard.figures.architecture import drawn_width
from dashboard.figures.compare import MARKS, mark_colour, marked_graph_figure
from dashboard.texts import text
from dashboard.theme import PLOT, Palette, palette
from dashboard.views.compare_edits import SIGNS, EditLine, edit_lines
from dashboard.views.compare_table import Compared, letter
from dashboard.views.graph import GraphView, graph_view

__all__ = ["built_tab"]

TALLEST, MOST_BOXES = 460.0, 40
ROOM = {2: 560.0, 3: 390.0, 4: 290.0}


def built_tab(run_id: str, compared: Sequence[Compared], pair: tuple[int, int]) -> None:
    """Draw the graphs of all candidates, marked against the pair, and what differs between the pair."""
    first, second = (compared[i].evaluation for i in pair)
    diff = difference(run_id, first.id, second.id)
    lines = edit_lines(diff.edits, diff.space)
    told = {"a": letter(pair[0]), "b": letter(pair[1]), "count": len(lines)}
    st.markdown(text("compare.edits" if lines else "compare.edits_none", **told))
    colours = palette(state.is_dark())
    columns = st.columns(len(compared), gap="medium")
    for position, (column, one) in enumerate(zip(columns, compared)):
        other = pair[1] if position == pair[0] else pair[0]
        with column:
            _graph(run_id, one.evaluation.id, compared[other].evaluation.id, position, other, len(compared))
    st.html(_legend(colours))
    if lines:
        st.html(_lines_html(lines, colours, told))


def _graph(run_id: str, own: str, other: str, position: int, against: int, count: int) -> None:
    room = ROOM[count]
    view, marks = _marked(run_id, own, other, room)
    colours = palette(state.is_dark())
    st.caption(text("compare.graph_caption", a=letter(position), b=letter(against)))
    wide = min(drawn_width(view, room), room)
    with st.container(key=f"compare_graph_{position}"):
        st.html(
            f"<style>.st-key-compare_graph_{position}{{overflow-x:auto}}"
            f".st-key-compare_graph_{position} [data-testid=stFullScreenFrame]{{min-width:{wide:.0f}px}}</style>"
        )
        figure = _figure(run_id, own, other, room, state.is_dark(), view, marks)
        st.plotly_chart(figure, theme=None, config=PLOT, alt=view.words, key=f"compare_graph_chart_{position}")
    st.html(legend_html(view, colours))
    if view.collapsed:
        st.caption(view.collapsed)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(
    run_id: str, own: str, other: str, room: float, dark: bool, _view: GraphView, _marks: dict[str, str]
) -> go.Figure:
    return marked_graph_figure(_view, _marks, palette(dark), room=room)


@st.cache_resource(max_entries=64, show_spinner=False)
def _marked(run_id: str, own: str, other: str, room: float) -> tuple[GraphView, dict[str, str]]:
    """Return the graph of a candidate for a column of this width, and how its nodes stand to another candidate's."""
    from nas_core.comparison.graph_diff import graph_marks

    graph, names = _engine_graph(run_id, own)
    view = graph_view(graph, names, room=room, tallest=TALLEST, limit=MOST_BOXES)
    marks, _ = graph_marks(graph, _engine_graph(run_id, other)[0])
    return view, {str(node): mark for node, mark in marks.items()}


def _engine_graph(run_id: str, candidate_id: str) -> tuple[nx.DiGraph, list[str]]:
    from dashboard import process
    from nas_core.spaces import graph

    space = space_of(run_id, candidate_id)
    found = process.store().evaluation(run_id, candidate_id)
    return graph(space, found.architecture), [f.name for f in space.features]


def _legend(colours: Palette) -> str:
    """Return what the outlines on the graphs mean."""
    parts = [
        f'<span style="display:inline-flex;gap:5px;align-items:center"><b style="padding:0 4px;border-radius:2px;'
        f'background:{mark_colour(mark, colours)};color:{colours.background}">{sign}</b>'
        f"{escape(text(f'compare.mark_{mark}'))}</span>"
        for mark, sign in MARKS.items()
    ]
    return f'<div style="display:flex;gap:18px;font-size:.85rem;color:{colours.muted}">{"".join(parts)}</div>'


def _lines_html(lines: Sequence[EditLine], colours: Palette, told: dict[str, object]) -> str:
    """Return the differences in words, in three columns: what is added, removed and changed."""
    hues = {"added": colours.chosen, "removed": colours.chosen, "changed": colours.accent}
    parts = []
    for kind, sign in SIGNS.items():
        own = [line for line in lines if line.kind == kind]
        if not own:
            continue
        items = "".join(f"<li>{escape(line.words)}</li>" for line in own)
        title = escape(text(f"compare.kind_{kind}", **{**told, "count": len(own)}))
        parts.append(
            f'<div style="flex:{len(own)} 1 260px"><div style="font-weight:600"><span style="color:{hues[kind]}">'
            f'{sign}</span> {title}</div><ul style="margin:4px 0 0;padding-left:18px;columns:240px">{items}</ul></div>'
        )
    style = f"display:flex;flex-wrap:wrap;gap:12px 28px;font-size:.9rem;color:{colours.ink}"
    return f'<div style="{style}">{"".join(parts)}</div>'
