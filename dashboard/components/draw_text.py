"""An architecture as JSON text: to copy, to save, to paste and to correct."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.texts import text
from dashboard.views.drawing import read_architecture

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace

__all__ = ["architecture_text"]

MONOSPACE = "<style>[class*=st-key-draw_text] textarea {font-family: monospace; font-size: 12px}</style>"


def architecture_text(space: SearchSpace, architecture: Architecture) -> Architecture | None:
    """Draw the architecture as text; return another one when it was replaced by one that the space can build."""
    written = json.dumps({"family": architecture.family, "values": architecture.values}, indent=1, ensure_ascii=False)
    st.html(MONOSPACE)
    entered = st.text_area(text("draw.text"), written, height=260, key=f"draw_text_{architecture.id}",
                           help=text("draw.text_help"))  # fmt: skip
    with st.container(horizontal=True):
        pressed = st.button(text("draw.read"), key="draw_read")
        st.download_button(text("draw.download"), written, f"architecture-{architecture.id}.json", key="draw_download",
                           icon=":material/download:", mime="application/json", on_click="ignore")  # fmt: skip
    if not pressed:
        return None
    with state.shown_errors():
        read = read_architecture(space, entered)
        if read != architecture:
            return read
        st.caption(text("draw.nothing"))
    return None
