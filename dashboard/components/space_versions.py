"""The versions of the search space: what each one changed, and the way back to any of them."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.prepared import choose_version, presets
from dashboard.texts import text
from dashboard.views.space_history import history_view

__all__ = ["undo_redo", "versions_list"]


def undo_redo() -> None:
    """Draw the buttons that go one version back and forth."""
    history = state.draft().history
    st.button(text("space.undo"), icon=":material/undo:", key="space_undo", on_click=_use, args=(history.before,),
              disabled=history.before is None)  # fmt: skip
    st.button(text("space.redo"), icon=":material/redo:", key="space_redo", on_click=_use, args=(history.after,),
              disabled=history.after is None)  # fmt: skip


def versions_list() -> None:
    """Draw every version with what it changed, newest first."""
    draft = state.draft()
    lines = history_view(draft.history, lambda family, preset: presets(draft, family)[preset])
    if not lines:
        st.caption(text("space.versions_none"))
        return
    st.caption(text("space.versions_help"))
    for line in lines:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            told = "; ".join(line.words)
            origin = f" :gray[({line.origin})]" if line.origin else ""
            st.markdown(f"**{line.number}** · {told}{origin}", width="stretch")
            if line.current:
                st.badge(text("space.version_current"), color="green")
            else:
                st.button(text("space.version_use", number=line.number), key=f"space_version_{line.number}",
                          on_click=_use, args=(line.number - 1,))  # fmt: skip


def _use(at: int | None) -> None:
    if at is not None:
        state.save_draft(choose_version(state.draft(), at))
