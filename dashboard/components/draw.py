"""Drawing an architecture by hand: start from one, change it place by place, see at once what it costs, train it."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard import state
from dashboard.components.draw_expected import expected_scores
from dashboard.components.draw_start import beginning, candidate_asked_for
from dashboard.components.draw_text import architecture_text
from dashboard.components.draw_train import train
from dashboard.components.prepared import DEFAULT
from dashboard.figures.architecture import architecture_figure
from dashboard.texts import language, text
from dashboard.theme import PLOT, palette
from dashboard.views.drawing import (
    Change,
    Drawing,
    Place,
    Step,
    change_at,
    cost_rows,
    outcome,
    places,
    verb_words,
)
from dashboard.views.graph import graph_view
from dashboard.views.space import architecture_words
from nas_core.errors import SpaceError

if TYPE_CHECKING:
    from dashboard.views.drawing import CostRow
    from dashboard.views.graph import GraphView
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace

__all__ = ["candidate_asked_for", "draw_editor"]

ROOM, TALL, MOST_BOXES = 760.0, 470.0, 40
VERBS = ("change", "add", "rewire", "remove")
PLACE, SHOWN_STEPS = "draw_place_label", 6


def draw_editor(draft: state.Draft, space: SearchSpace) -> None:
    """Draw the editor of one architecture of ``space``."""
    left, right = st.columns([0.4, 0.6], gap="large")
    with left:
        begun = beginning(draft, space)
        drawing = draft.drawing or begun.drawing(space.family)
        architecture = _inside(space, drawing)
        if architecture is None:
            return
        planned = _change(draft, space, drawing, architecture)
        st.html(_table(cost_rows(space, architecture, planned), dark=state.is_dark()))
        expected_scores(draft, space, architecture)
        with st.expander(text("draw.as_text"), key="draw_text_open", on_change="rerun") as written:
            if written.open:
                entered = architecture_text(space, architecture)
                if entered is not None:
                    _keep(draft, drawing.added(Step(text("draw.step_text"), entered.values)))
    with right:
        _picture(draft, space, drawing, architecture)


def _inside(space: SearchSpace, drawing: Drawing) -> Architecture | None:
    """Return the architecture in view; where the space does not hold it any more, say why and offer to start anew."""
    try:
        if drawing.family != space.family:
            raise SpaceError(text("draw.other_family", theirs=drawing.family), allowed=space.family)
        return space.architecture(drawing.values)
    except SpaceError as error:
        st.error(text("draw.outside", reason=str(error)))
        st.button(text("draw.discard"), on_click=_discard, key="draw_discard")
        return None


def _discard() -> None:
    state.save_draft(replace(state.draft(), drawing=None))


def _keep(draft: state.Draft, drawing: Drawing) -> None:
    state.save_draft(replace(draft, source=draft.source or DEFAULT, drawing=drawing))
    st.rerun()


def _change(
    draft: state.Draft, space: SearchSpace, drawing: Drawing, architecture: Architecture
) -> Architecture | None:
    """Draw the choice of a place and a change; return what it leads to, None where it is refused."""
    offered = _places(space.id, architecture.id, language(), space, architecture)
    labels = [p.label for p in offered]
    before = st.session_state.get(PLACE)
    lively = [i for i, p in enumerate(offered) if any(c.verb == "change" for c in p.changes)]
    at = labels.index(before) if before in labels else next(iter(lively), 0)
    place: Place = offered[st.selectbox(
        text("draw.place"), range(len(offered)), at, format_func=labels.__getitem__,
        key=f"draw_place_{architecture.id}", help=text("draw.place_help"),
    )]  # fmt: skip
    st.session_state[PLACE] = place.label
    verbs = sorted({c.verb for c in place.changes}, key=VERBS.index)
    key = f"{architecture.id}_{place.label}"
    verb = verbs[0]
    if len(verbs) > 1:
        verb = st.segmented_control(text("draw.verb"), verbs, default=verbs[0], required=True, format_func=verb_words,
                                    key=f"draw_verb_{key}", label_visibility="collapsed") or verbs[0]  # fmt: skip
    changes = [c for c in place.changes if c.verb == verb]
    change: Change = changes[st.selectbox(
        verb_words(verb), range(len(changes)), format_func=lambda i: changes[i].words, key=f"draw_change_{key}_{verb}",
    )]  # fmt: skip
    if not place.complete:
        st.caption(text("draw.more"))
    edit, words = change_at(space, architecture, place, change)
    found = outcome(space, architecture, place.variable, edit)
    if found.refused:
        st.warning(found.refused, icon=":material/block:")
    elif found.also:
        st.caption(text("draw.also", what=found.also))
    possible = found.architecture is not None
    kind: Literal["primary", "secondary"] = "primary" if possible else "secondary"  # a faded primary is unreadable
    if st.button(text("draw.apply"), type=kind, key="draw_apply", disabled=not possible):
        assert found.architecture is not None
        told = f"{words} ({found.also})" if found.also else words
        _keep(draft, drawing.added(Step(told, found.architecture.values)))
    return found.architecture


def _picture(draft: state.Draft, space: SearchSpace, drawing: Drawing, architecture: Architecture) -> None:
    """Draw the buttons and the graph of the architecture in view."""
    st.markdown(f"**{text('draw.title')}** · {architecture_words(space, architecture)}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(text("draw.undo"), icon=":material/undo:", key="draw_undo", on_click=_move, args=(-1,),
                  disabled=drawing.at == 0)  # fmt: skip
        st.button(text("draw.redo"), icon=":material/redo:", key="draw_redo", on_click=_move, args=(1,),
                  disabled=drawing.at == len(drawing.steps) - 1)  # fmt: skip
        train(draft, space, drawing, architecture)
    drawn = _graph(space.id, architecture.id, language(), space, architecture)
    st.plotly_chart(architecture_figure(drawn, palette(state.is_dark()), room=ROOM, height=TALL), theme=None,
                    config=PLOT, key="draw_graph", alt=drawn.words)  # fmt: skip
    if drawn.collapsed:
        st.caption(drawn.collapsed)
    told = [f"{i + 1}. {drawing.steps[i].words}" for i in range(drawing.at + 1)][-SHOWN_STEPS:]
    st.caption("  \n".join(told))


@st.cache_resource(max_entries=32, show_spinner=False)
def _places(
    space_id: str, architecture_id: str, speech: str, _space: SearchSpace, _architecture: Architecture
) -> tuple[Place, ...]:
    return places(_space, _architecture)


@st.cache_resource(max_entries=32, show_spinner=False)
def _graph(
    space_id: str, architecture_id: str, speech: str, _space: SearchSpace, _architecture: Architecture
) -> GraphView:
    from nas_core.spaces import graph

    names = [f.name for f in _space.features]
    return graph_view(graph(_space, _architecture), names, room=ROOM, limit=MOST_BOXES, tallest=TALL)


def _move(by: int) -> None:
    draft = state.draft()
    if draft.drawing is not None:
        state.save_draft(replace(draft, drawing=draft.drawing.moved(by)))


def _table(rows: tuple[CostRow, ...], *, dark: bool) -> str:
    """Return what the architecture costs, now and after the change that is chosen, as a table."""
    colours = palette(dark)
    compared = any(row.after for row in rows)
    cell = "padding:3px 14px 3px 0;text-align:right;font-variant-numeric:tabular-nums;border:0"
    head = f'<th scope="col" style="{cell};color:{colours.muted};font-weight:400">'
    body = ""
    for row in rows:
        strong = f"color:{colours.accent};font-weight:600" if row.changed else f"color:{colours.muted}"
        after = f'<td style="{cell};{strong}">{escape(row.after)}</td>' if compared else ""
        body += (
            f'<tr style="border-top:1px solid {colours.grid}"><th scope="row" style="{cell};text-align:left;'
            f'font-weight:400">{escape(row.label)}</th><td style="{cell}">{escape(row.now)}</td>{after}</tr>'
        )
    last = f"{head}{escape(text('draw.after'))}</th>" if compared else ""
    return (
        f'<table style="width:100%;border-collapse:collapse;color:{colours.ink};font-size:.95rem"><thead><tr>'
        f'<th scope="col" style="{cell};text-align:left;color:{colours.muted};font-weight:400">'
        f"{escape(text('draw.quantity'))}</th>{head}{escape(text('draw.now'))}</th>{last}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
