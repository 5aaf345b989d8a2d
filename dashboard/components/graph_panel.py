"""The architecture graph of a candidate with all that can be done to it: colour, open, close, take along."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.explained import space_of
from dashboard.components.graph_numbers import PLAIN, overlay_named, overlays_of
from dashboard.figures.architecture import architecture_figure, drawn_width, kind_colour
from dashboard.figures.outlines import box_outline
from dashboard.texts import language, spoken, text
from dashboard.theme import PLOT, Palette, palette
from dashboard.views.collapse import Fold
from dashboard.views.graph import graph_view
from dashboard.views.graph_text import SUFFIXES, graph_file
from nas_core.errors import NasightError
from nas_core.spaces.graph_drawing import GRAPH_FORMATS
from nas_core.spaces.graph_kinds import kind_style

if TYPE_CHECKING:
    import networkx as nx

    from dashboard.views.graph import GraphView
    from dashboard.views.layout import Direction
    from dashboard.views.overlay import Overlay
    from nas_core.records import Evaluation

__all__ = ["graph_panel", "legend_html"]

ROOM, TALLEST = 520.0, 720.0
FOLDS = "graph_folds"
"""Session key: what a person opened or closed, by run and candidate."""
CHART, OPEN, EVERY, COLOUR = "candidate_graph", "graph_open", "graph_every", "graph_colour"
SMALL = 'style="font-size:.8rem"'


def graph_panel(run_id: str, found: Evaluation) -> None:
    """Draw the graph of a candidate, its controls, and its legend."""
    space = space_of(run_id, found.id)
    which = (run_id, found.id)
    automatic = _view(*which, language())
    fold = _folds().get(which)
    view = automatic if fold is None else _view(*which, language(), fold, automatic.direction)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = _colour(overlays_of(space, found))
        if automatic.groups or automatic.whole != len(automatic.nodes):
            _parts(view, which)
        _downloads(which, view, f"{process.store().run(run_id).name} #{found.index}")
    overlay = None if chosen == PLAIN else _overlay(chosen, view, run_id, found.id)
    colours = palette(state.is_dark())
    figure = architecture_figure(view, colours, room=ROOM, overlay=overlay)
    with st.container(key=f"{CHART}_frame"):
        st.html(_scrolled(view))
        st.plotly_chart(
            figure, theme=None, config=PLOT, key=CHART, alt=view.words, selection_mode="points",
            on_select=partial(_clicked, which, view),
        )  # fmt: skip
    st.html(legend_html(view, colours))
    if view.collapsed:
        st.caption(f"{view.collapsed} {text('graph.how_to_open')}" if view.groups else view.collapsed)


def _scrolled(view: GraphView) -> str:
    """Return what lets a drawing wider than its column be scrolled: letters keep their size, so it keeps its width.

    A place that the keyboard can reach lets arrow keys scroll it, and is what a screen reader reads first.
    """
    width = drawn_width(view, ROOM)
    style = (
        f"<style>.st-key-{CHART}_frame{{overflow-x:auto}}.st-key-{CHART}_frame>div,"
        f".st-key-{CHART}_frame [data-testid=stFullScreenFrame]{{min-width:{width:.0f}px}}</style>"
    )
    if width <= ROOM:
        return style
    told = f'<div tabindex="0" role="note" aria-label="{escape(view.words)}" {SMALL}>{escape(text("graph.wide"))}</div>'
    return style + told


def legend_html(view: GraphView, colours: Palette) -> str:
    """Return the kinds of operation in a graph with their colour and outline, and what a skip connection looks like."""
    shown = {n.kind: ("stack" if n.closed else kind_style(n.kind).outline) for n in view.nodes}
    parts = []
    for kind, outline in shown.items():
        xs, ys = box_outline(outline, 11, 7, 20, 12)
        points = " ".join(f"{x:.1f},{14 - y:.1f}" for x, y in zip(xs, ys))
        colour = kind_colour(kind, colours)
        swatch = f'<polygon points="{points}" fill="{colour}" fill-opacity=".16" stroke="{colour}" stroke-width="1.4"/>'
        parts.append(_entry(swatch, spoken(kind_style(kind).words)))
    if any(edge.skip for edge in view.edges):
        line = f'<line x1="0" y1="7" x2="22" y2="7" stroke="{colours.chosen}" stroke-width="2" stroke-dasharray="2 2"/>'
        parts.append(_entry(line, text("graph.skip")))
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:2px 14px;font-size:.8rem;color:{colours.muted}">'
        f"{''.join(parts)}</div>"
    )


def _entry(swatch: str, words: str) -> str:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="22" height="14">{swatch}</svg>'
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"  # inline SVG is taken out by st.html
    return (
        f'<span style="display:inline-flex;align-items:center;gap:5px"><img src="{source}" alt="" width="22" '
        f'height="14">{escape(words)}</span>'
    )


def _graph(run_id: str, candidate_id: str) -> tuple[nx.DiGraph, list[str]]:
    """Return the engine's graph of a candidate and the names of its features."""
    from nas_core.spaces import graph

    space = space_of(run_id, candidate_id)
    found = process.store().evaluation(run_id, candidate_id)
    return graph(space, found.architecture), [f.name for f in space.features]


@st.cache_resource(max_entries=64, show_spinner=False)
def _view(
    run_id: str, candidate_id: str, speech: str, fold: Fold | None = None, direction: Direction | None = None
) -> GraphView:
    graph, names = _graph(run_id, candidate_id)
    return graph_view(graph, names, room=ROOM, tallest=TALLEST, fold=fold, direction=direction)


def _folds() -> dict[tuple[str, str], Fold]:
    folds: dict[tuple[str, str], Fold] = st.session_state.setdefault(FOLDS, {})
    return folds


def _colour(names: tuple[str, ...]) -> str:
    """Draw the choice of what the colours say, and return it."""
    if st.session_state.get(COLOUR) not in names:
        st.session_state.pop(COLOUR, None)  # chosen for a network of another kind
    chosen = st.selectbox(
        text("graph.overlay"), names, format_func=lambda n: text(f"graph.overlay_{n}"), key=COLOUR,
        label_visibility="collapsed", persist_state="session", help=text("graph.overlay_help"),
    )  # fmt: skip
    return chosen or PLAIN


def _overlay(chosen: str, view: GraphView, run_id: str, candidate_id: str) -> Overlay | None:
    """Return the chosen overlay; say why where it cannot be computed."""
    try:
        with st.spinner(text("graph.overlay_working"), show_time=True):
            return overlay_named(chosen, view, run_id, candidate_id)
    except NasightError as error:
        st.warning(str(error), icon=":material/palette:")
        return None


def _parts(view: GraphView, which: tuple[str, str]) -> None:
    """Draw what opens and closes parts of the graph, one by one and all at once."""
    parts = st.popover(text("graph.parts"), icon=":material/unfold_more:", key="graph_parts", on_change="rerun")
    if not parts.open:
        return
    with parts:
        if view.groups:
            labels = {g.index: g.label for g in view.groups}
            st.session_state[OPEN] = [g.index for g in view.groups if not g.closed]
            st.multiselect(text("graph.open"), list(labels), format_func=labels.__getitem__, key=OPEN,
                           on_change=_opened, args=(which, view), placeholder=text("graph.open_none"))  # fmt: skip
        st.session_state[EVERY] = view.fold.detail == 0
        st.toggle(
            text("graph.every"), key=EVERY, on_change=_detailed, args=(which, view), help=text("graph.every_help")
        )
        folds: dict[str, Fold | None] = {"automatic": None}
        if view.groups:
            everything = frozenset(g.index for g in view.groups)
            folds = {
                "all": replace(view.fold, closed=frozenset(), most=None),
                "none": replace(view.fold, closed=everything, most=None),
                **folds,
            }
        with st.container(horizontal=True):
            for name, fold in folds.items():
                st.button(text(f"graph.open_{name}_button"), key=f"graph_{name}", on_click=_set, args=(which, fold))


def _set(which: tuple[str, str], fold: Fold | None) -> None:
    if fold is None:
        _folds().pop(which, None)
    else:
        _folds()[which] = fold


def _opened(which: tuple[str, str], view: GraphView) -> None:
    chosen = set(st.session_state[OPEN])
    closed = frozenset(g.index for g in view.groups if g.index not in chosen)
    _set(which, replace(view.fold, closed=closed, most=None))


def _detailed(which: tuple[str, str], view: GraphView) -> None:
    _set(which, replace(view.fold, detail=0 if st.session_state[EVERY] else 2))


def _clicked(which: tuple[str, str], view: GraphView) -> None:
    """Open or close the part of the graph that was clicked."""
    points = st.session_state.get(CHART, {}).get("selection", {}).get("points", [])
    boxes = [p["customdata"] for p in points if p.get("customdata")]
    if boxes:
        box = boxes[0][0] if isinstance(boxes[0], list) else boxes[0]
        fold = view.toggled(str(box))
        if fold is not None:
            _set(which, fold)


def _downloads(which: tuple[str, str], view: GraphView, title: str) -> None:
    """Draw the files of the graph as it is in view; each is made when it is asked for."""
    files = st.popover(text("graph.download"), icon=":material/download:", key="graph_download", on_change="rerun")
    if not files.open:
        return
    with files:
        st.caption(text("graph.download_words"))
        for name, mime in GRAPH_FORMATS.items():
            st.download_button(
                text(f"graph.download_{name}"), data=partial(_file, which, view.fold, name, title),
                file_name=f"{which[1]}.{SUFFIXES[name]}", mime=mime, key=f"graph_file_{name}", on_click="ignore",
                width="stretch",
            )  # fmt: skip


def _file(which: tuple[str, str], fold: Fold, format: str, title: str) -> bytes:
    graph, names = _graph(*which)
    return graph_file(graph, names, fold, format, title)
