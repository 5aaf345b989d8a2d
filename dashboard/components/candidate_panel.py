"""The panel beside the front: the chosen candidate at a glance, and the way to its page."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from dashboard import state
from dashboard.components.compare_basket import compare_button
from dashboard.components.live_chart import live_chart
from dashboard.components.marks import mark_bar
from dashboard.components.presented import present_link
from dashboard.figures.architecture import architecture_figure
from dashboard.texts import language, text
from dashboard.theme import Palette, palette
from dashboard.views.card import Card, MeasureBar
from dashboard.views.glossary import about, about_measure
from dashboard.views.graph import graph_view
from dashboard.views.words import interval, number
from dashboard.watching import Watched

__all__ = ["bars_html", "candidate_panel", "empty_panel"]

ROOM, MOST_BOXES = 440.0, 14
"""Width of the small graph, pixels, and how many boxes it may have."""
TALL, TALL_DEEP = 150, 250
"""Height of that of a table's network, which is shallow, and of that of a deep one."""


def candidate_panel(
    watched: Watched, card: Card, selection: state.Selection, *, picked: bool, on_back: Callable[[], None],
    nearest: bool = False,
) -> None:  # fmt: skip
    """Draw the panel; ``picked`` says that a person chose this candidate, else it is the best at λ.

    ``nearest``: no candidate meets the goals, and the best one comes nearest to them.
    """
    dark = state.is_dark()
    with st.container(border=True, key="candidate_panel", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            kind = text("run.chosen_selected" if picked else "goals.nearest" if nearest else "run.chosen_best")
            st.markdown(f"**#{card.number}** &nbsp; :gray[{kind}]", width="stretch")
            if picked:
                st.button(text("run.back_to_best"), type="tertiary", on_click=on_back, key="back_to_best")
            _open_link(state.Selection(selection.run, card.id))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            mark_bar(watched.record.id, card.id)
            compare_button(watched.record.id, card.id, "panel_compare")
            present_link(watched, card.id if picked else None)
        st.caption(card.plain)
        st.html(_figures_html(card, palette(dark)))
        record = watched.record
        figure, words = _graph(record.id, record.created, card.id, dark, language(), watched)
        live_chart(figure, height=_height(watched), words=words, key=f"panel_graph_{record.id}")
        st.html(bars_html(card.bars, dark))
        st.html(_facts_html(card, dark))


def empty_panel() -> None:
    """Draw the panel while there is no candidate yet."""
    with st.container(border=True, key="candidate_panel"):
        st.caption(text("run.panel_empty"))


def _open_link(chosen: state.Selection) -> None:
    """Draw the link to the candidate's page as the one button of the panel that stands out."""
    colours = palette(state.is_dark())
    with st.container(key="open_candidate", width="content"):
        st.html(
            f"<style>.st-key-open_candidate a{{background:{colours.accent}!important;padding:5px 12px;margin:0}}"
            f".st-key-open_candidate a:hover{{filter:brightness(1.08)}}"
            f".st-key-open_candidate a *{{color:{colours.background}!important;font-weight:600}}</style>"
        )
        state.page_link("candidate", text("run.open"), chosen, icon=":material/arrow_forward:")


@st.cache_resource(max_entries=256, show_spinner=False)
def _graph(run: str, created: float, candidate: str, dark: bool, speech: str, _watched: Watched) -> tuple[str, str]:
    """Return the small graph of a candidate as a figure's JSON, and in words; laid out once (40 ms) and kept.

    Every candidate has the same frame, so that nothing moves when another one is chosen. ``created`` tells a run from
    another of the same name in another store, ``speech`` one language from another.
    """
    from nas_core.spaces import graph

    height = _height(_watched)
    found = _watched.view.evaluation(candidate)
    space, architecture = _watched.view.space_of(found), found.architecture
    names = [f.name for f in space.features]
    drawn = graph_view(graph(space, architecture), names, room=ROOM, limit=MOST_BOXES, tallest=height)
    figure = architecture_figure(drawn, palette(dark), room=ROOM, height=height)
    figure.layout.template = None  # as long as the figure itself
    return str(figure.to_json()), drawn.words


def _height(watched: Watched) -> int:
    return TALL if watched.space.signal is None else TALL_DEEP


def _figures_html(card: Card, colours: Palette) -> str:
    """Return performance with its interval and interpretability, each with the mark of its colour."""
    told = (
        (card.metric, interval(card.performance, card.low, card.high), colours.accuracy, text("run.interval_help")),
        (
            text("run.interpretability"),
            number(card.interpretability),
            colours.interpretability,
            about("interpretability"),
        ),
    )
    cells = "".join(
        f'<div title="{escape(about)}"><span style="display:inline-block;width:9px;height:9px;border-radius:2px;'
        f'background:{colour};margin-right:6px"></span><span style="color:{colours.muted};font-size:.9rem">'
        f'{escape(label)}</span><div style="font-size:1.3rem;font-variant-numeric:tabular-nums">{value}</div></div>'
        for label, value, colour, about in told
    )
    return f'<div style="display:grid;grid-template-columns:1fr 1fr;gap:12px;color:{colours.ink}">{cells}</div>'


def bars_html(bars: tuple[MeasureBar, ...], dark: bool) -> str:
    """Return the measures as horizontal bars with their score, in two columns; an undefined one says why."""
    colours = palette(dark)
    rows = []
    for bar in bars:
        if bar.score is None:
            value = f'<span title="{escape(bar.reason)}">{escape(text("run.undefined"))}</span>'
            fill = ""
        else:
            value = f"{bar.score:.2f}"
            width = f"width:{100 * bar.score:.1f}%"
            fill = f'<div style="{width};height:100%;background:{colours.interpretability};border-radius:3px"></div>'
        rows.append(
            f'<div style="white-space:nowrap" title="{escape(about_measure(bar.name))}">{escape(bar.label)}</div>'
            f'<div style="background:{colours.grid};height:8px;border-radius:3px;overflow:hidden">{fill}</div>'
            f'<div style="text-align:right;font-variant-numeric:tabular-nums">{value}</div>'
        )
    return (
        '<div style="display:grid;grid-template-columns:max-content 1fr max-content max-content 1fr max-content;'
        f'gap:5px 10px;align-items:center;font-size:.85rem;color:{colours.ink}">{"".join(rows)}</div>'
    )


def _facts_html(card: Card, dark: bool) -> str:
    """Return what the candidate is made of, as a list of terms."""
    colours = palette(dark)
    cells = "".join(
        f'<div style="color:{colours.muted}">{escape(term)}</div><div title="{escape(words)}" '
        f'style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{escape(words)}</div>'
        for term, words in card.lines
    )
    return (
        '<div style="display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 10px;font-size:.85rem;'
        f'line-height:1.35;color:{colours.ink}">{cells}</div>'
    )
