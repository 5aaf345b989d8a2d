"""The head of every page, one line: the run and how far it is, λ, the chosen candidate, and what serves all pages."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import process, state
from dashboard.components.driving import viewer_badge
from dashboard.components.glossary import glossary_popover
from dashboard.components.tour import tour_running, tour_start, tour_taken
from dashboard.texts import LANGUAGES, language, text
from dashboard.theme import palette
from dashboard.views.lettering import shorten
from dashboard.views.progress import ProgressView
from dashboard.views.words import count, duration, number
from dashboard.watching import run_weight, standing
from nas_core.errors import NasightError
from nas_core.escaping import markdown_text

__all__ = ["page_header", "remember_weight"]

REFRESH = 2.0  # seconds between two looks at a live run
LETTERS = 32
"""Of the name of a run, the middle left out."""
_WEIGHT = "nasight_weight_seen_"


def remember_weight(run_id: str, weight: float) -> None:
    """Keep the λ of a run for the pages that have no slider."""
    st.session_state[_WEIGHT + run_id] = weight


def page_header(page: str) -> None:
    """Draw the head of ``page``.

    The Run page says by itself what is said of the run, of λ and of the candidate, in more words and always at hand.
    """
    selection = state.load()
    _style()
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="page_header",
                      gap="small", wrap=False):  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", key="header_run", gap="small", wrap=False):
            _run(page, selection)
        viewer_badge()
        glossary_popover()
        st.button(text("header.tour"), icon=":material/explore:", type="tertiary", key="header_tour",
                  help=text("header.tour_help"), on_click=tour_start, disabled=tour_running() is not None)  # fmt: skip
        _language_switch()
    _name_language()


def _run(page: str, selection: state.Selection) -> None:
    if selection.run is None:
        st.caption(text("header.no_run") if page != "run" else "")
        return
    if selection.run == process.example_run():
        _example()
    try:
        live = standing(selection.run).live
    except NasightError:
        return  # the page itself says that there is no such run
    if page != "run":
        st.fragment(_standing, run_every=REFRESH if live else None)(selection.run, live)
        _weight(selection.run)
        if selection.candidate is not None:
            _chip(selection)


def _example() -> None:
    """Say that this run is a recorded one, and offer what a person may want instead."""
    st.badge(text("header.example"), icon=":material/inventory_2:", color="orange", help=text("header.example_help"))
    if st.button(text("header.start_own"), type="tertiary", icon=":material/add:", key="start_own",
                 help=text("header.start_own_help")):  # fmt: skip
        st.session_state[state.CHOOSING] = True
        state.save(state.Selection())
        state.open_page("run", state.Selection())
    if tour_running() is None and not tour_taken():
        st.button(text("header.tour_offer"), type="tertiary", icon=":material/explore:", key="tour_offer",
                  on_click=tour_start)  # fmt: skip


def _standing(run_id: str, was_live: bool) -> None:
    """Draw the way to the run, with its name and how far it is."""
    state.load()
    now = standing(run_id)
    state.page_link("run", _standing_words(now), icon=":material/scatter_plot:")
    if was_live != now.live:
        st.rerun()


def _standing_words(now: ProgressView) -> str:
    key = "studio.run_progress" if now.budget else "studio.run_progress_open"
    name = markdown_text(shorten(now.name, LETTERS))  # a label is Markdown
    parts = [text(key, name=name, state=text(f"studio.state_{now.state}"), evaluated=count(now.evaluated),
                  budget=count(now.budget or 0))]  # fmt: skip
    if now.state == "running":
        if now.rate:
            parts.append(text("run.rate", rate=number(now.rate, 2)))
        if now.eta is not None:
            parts.append(text("run.eta", eta=duration(now.eta)))
    return " · ".join(parts)


def _weight(run_id: str) -> None:
    weight = st.session_state.get(_WEIGHT + run_id)
    if weight is None:
        weight = run_weight(process.store().run(run_id))
    st.caption(text("header.weight", weight=f"{weight:.2f}"), width="content", help=text("run.lambda_help"))


def _chip(selection: state.Selection) -> None:
    """Draw the chosen candidate as a mark that leads to its page."""
    try:
        found = process.store().evaluation(selection.run or "", selection.candidate or "")
    except NasightError:
        return
    with st.container(key="header_chip", width="content"):
        state.page_link("candidate", f"#{found.index}", selection)


def _language_switch() -> None:
    """Draw the way to the next language, called by its own name."""
    codes = list(LANGUAGES)
    other = codes[(codes.index(language()) + 1) % len(codes)]
    st.button(LANGUAGES[other], icon=":material/translate:", type="tertiary", key="language",
              help=text("header.language_help"), on_click=state.choose_language, args=(other,))  # fmt: skip


def _name_language() -> None:
    """Tell the browser, and whoever reads the page aloud, which language it is in."""
    code = {"zh": "zh-Hans"}.get(language(), language())
    with st.container(key="header_lang"):
        st.html(f'<script>document.documentElement.lang = "{escape(code)}"</script>', unsafe_allow_javascript=True)


def _style() -> None:
    colours = palette(state.is_dark())
    st.html(
        f"<style>.st-key-page_header{{overflow:hidden;border-bottom:1px solid {colours.grid}}}"
        ".st-key-page_header button{min-height:32px;padding-top:2px;padding-bottom:2px}"
        ".st-key-header_run{overflow:hidden;flex:1 1 auto;min-width:0}"
        ".st-key-header_run *{white-space:nowrap}"
        f".st-key-page_header button:not(:disabled) *{{color:{colours.ink}!important}}"  # Streamlit's own is too dark
        ":has(>.st-key-header_lang),.st-key-header_lang{position:absolute;width:0;height:0;overflow:hidden}"
        "[data-testid=stMainBlockContainer]{padding-top:4.2rem}"
        f".st-key-header_chip a{{background:{colours.chosen};border-radius:999px;padding:1px 10px;margin:0}}"
        f".st-key-header_chip a *{{color:{colours.on_chosen}!important;font-weight:600}}</style>"
    )
