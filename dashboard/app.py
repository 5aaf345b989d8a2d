"""The script Streamlit runs: frame and navigation; every page is a file in ``pages``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.texts import text

BRAND = Path(__file__).parent / "brand"


def render() -> None:
    """Draw the frame, then the page the URL names."""
    state.load()
    st.set_page_config(page_title=text("studio.title"), page_icon=str(BRAND / "icon.svg"), layout="wide")
    st.logo(str(BRAND / "logo.svg"), size="medium")
    pages = [
        st.Page(f"pages/{name}.py", title=text(f"studio.page_{name}"), default=name == "run") for name in state.PAGES
    ]
    st.navigation(pages, position="top").run()


if __name__ == "__main__":
    render()
