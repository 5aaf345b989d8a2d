"""Asking for a table of OpenML: fetched once, then kept beside the store like an upload."""

from __future__ import annotations

import streamlit as st

from dashboard import process
from dashboard.access import may_write
from dashboard.texts import text
from dashboard.uploads import keep_openml
from nas_core.errors import NasightError

__all__ = ["ask_openml"]


def ask_openml(choice: str) -> None:
    """Draw a field for a name or a number on OpenML; what is fetched becomes the value of the widget ``choice``."""
    with st.popover(text("signal_data.openml"), icon=":material/cloud_download:", width="stretch"):
        st.text_input(text("signal_data.openml_name"), key="openml_name", placeholder="credit-g, adult@2, 31",
                      help=text("signal_data.openml_help"))  # fmt: skip
        st.button(text("signal_data.openml_get"), key="openml_get", on_click=_fetch, args=(choice,),
                  disabled=not may_write())  # fmt: skip
        if wrong := st.session_state.get("openml_wrong"):
            st.error(wrong)


def _fetch(choice: str) -> None:
    """Fetch what the field names before the page is drawn again, so that it can be chosen there."""
    asked = str(st.session_state.get("openml_name", "")).strip()
    st.session_state["openml_wrong"] = ""
    try:
        path = keep_openml(process.store(), asked)
    except NasightError as error:
        st.session_state["openml_wrong"] = str(error)
    else:
        st.session_state[choice] = path.name
