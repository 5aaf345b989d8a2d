"""The buttons that go along the front, one candidate at a time, also by keyboard; the open tab stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.texts import text

if TYPE_CHECKING:
    from dashboard.views.along import Along

__all__ = ["along_buttons"]


def along_buttons(run_id: str, view: Along) -> None:
    """Draw "previous" and "next", and where on the front the candidate is."""
    if not view.count:
        return
    told = text("along.place", place=view.place, count=view.count) if view.place else text("along.off")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
        _button(run_id, "previous", view.previous, "P", ":material/chevron_left:")
        st.caption(told, width="content")
        _button(run_id, "next", view.next, "N", ":material/chevron_right:")


def _button(run_id: str, which: str, to: tuple[str, int] | None, key: str, icon: str) -> None:
    words = text(f"along.{which}_help", number=to[1]) if to else text(f"along.{which}_none")
    st.button(text(f"along.{which}"), key=f"along_{which}", icon=icon, shortcut=key, help=words, disabled=to is None,
              icon_position="right" if which == "next" else "left", on_click=_go,
              args=(run_id, to[0] if to else ""))  # fmt: skip


def _go(run_id: str, candidate: str) -> None:
    if candidate:
        state.choose(state.Selection(run_id, candidate))
