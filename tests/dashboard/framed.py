"""The head of the Run page and the tour without the page, for tests of what ``app.py`` draws around every page."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

__all__ = ["opened"]


def frame() -> None:
    """The head of the Run page without the page: a rerun of AppTest skips the frame that ``app.py`` draws."""
    from dashboard import state
    from dashboard.components.header import page_header
    from dashboard.components.tour import tour_card
    from dashboard.texts import text

    state.load()
    page_header("run")
    tour_card("run")
    import streamlit as st

    st.caption(text("run.start"))


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(frame, default_timeout=90)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()
