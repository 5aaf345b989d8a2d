"""The glossary in the header: every term of the studio in plain words, with a box to search it."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import state
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.views.glossary import terms

__all__ = ["glossary_popover"]


def glossary_popover() -> None:
    """Draw the button, and the list while it is open."""
    shown = st.popover(text("glossary.title"), icon=":material/menu_book:", key="glossary", on_change="rerun",
                       type="tertiary", help=text("glossary.help"))  # fmt: skip
    if not shown.open:
        return
    with shown:
        search = st.text_input(text("glossary.search"), key="glossary_search", placeholder=text("glossary.placeholder"))
        found = terms(search)
        if not found:
            st.caption(text("glossary.nothing"))
            return
        muted = palette(state.is_dark()).muted
        items = "".join(
            f'<dt style="font-weight:600;margin-top:8px">{escape(term.word)}</dt>'
            f'<dd style="margin:0;color:{muted}">{escape(term.about)}</dd>'
            for term in found
        )
        st.html(f'<dl tabindex="0" aria-label="{escape(text("glossary.title"))}" style="margin:0;width:min(26rem,80vw);'
                f'max-height:50vh;overflow:auto;font-size:.9rem">{items}</dl>')  # fmt: skip
