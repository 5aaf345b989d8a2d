"""The script Streamlit runs: frame and navigation; every page is a file in ``pages``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.components.header import page_header
from dashboard.components.tour import tour_card
from dashboard.texts import text
from dashboard.theme import palette

BRAND = Path(__file__).parent / "brand"


def render() -> None:
    """Draw the frame, then the page the URL names."""
    state.load()
    st.set_page_config(page_title=text("studio.title"), page_icon=str(BRAND / "icon.svg"), layout="wide")
    st.logo(str(BRAND / "logo.svg"), size="medium")
    # Streamlit writes white on the accent colour, on buttons and on the tags of a list; on the light accent of the dark
    # appearance that cannot be read
    ground = palette(state.is_dark()).background
    st.html(f"<style>[data-testid^=stBaseButton-primary] *,[data-tag-index] *{{color:{ground}!important}}</style>")
    pages = [
        st.Page(f"pages/{name}.py", title=text(f"studio.page_{name}"), default=name == "run") for name in state.PAGES
    ]
    story = st.Page("pages/present.py", title=text("story.open"), visibility="hidden")
    chosen = st.navigation([*pages, story], position="top")
    name = chosen.url_path or "run"
    if name != "present":  # the presentation has the whole screen
        page_header(name)
        tour_card(name)
    chosen.run()


if __name__ == "__main__":
    render()
