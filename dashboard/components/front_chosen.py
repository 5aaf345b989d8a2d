"""Many candidates chosen at once on the front: kept in the tab and in the URL, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.compare_basket import MOST, put
from dashboard.texts import text
from dashboard.views.front_chosen import ChosenView, chosen_view, readable
from dashboard.views.words import count, number
from dashboard.watching import Watched

if TYPE_CHECKING:
    from nas_core.search import Ranking

__all__ = ["chosen_of", "chosen_panel", "keep_chosen", "remember_chosen", "show_in_table", "shown_in_table"]

PARAMETER = "fs"
LONGEST = 1_000
"""Characters of a selection that the URL still carries; what is longer lives as long as its tab."""
_CHOSEN, _TABLE = "nasight_front_chosen", "nasight_table_chosen"


def chosen_of(run_id: str) -> str:
    """Return what is chosen of a run, as :func:`dashboard.views.front_chosen.spelled` writes it; empty for nothing.

    A tab that has just been opened has what the URL names.
    """
    known: tuple[str, str] | None = st.session_state.get(_CHOSEN)
    if known is None and st.query_params.get("run", run_id) == run_id:
        told = st.query_params.get(PARAMETER, "")
        if not readable(told):
            state.tell(text("chosen.unreadable", given=told[:40]))
            told = ""
        keep_chosen(run_id, told)
        return told
    return known[1] if known is not None and known[0] == run_id else ""


def keep_chosen(run_id: str, told: str) -> None:
    """Make this what is chosen of a run, also from a callback; what no browser of ours sends is passed over."""
    if readable(told):
        st.session_state[_CHOSEN] = (run_id, told)


def remember_chosen(run_id: str) -> str:
    """Return what is chosen of a run, after writing it into the URL; not from a callback."""
    told = chosen_of(run_id)
    if told and len(told) <= LONGEST:
        if st.query_params.get(PARAMETER) != told:
            st.query_params[PARAMETER] = told
    else:
        st.query_params.pop(PARAMETER, None)
    return told


def show_in_table(run_id: str, wanted: bool) -> None:
    """From a callback: let the table show only what is chosen, or everything again."""
    st.session_state[_TABLE] = run_id if wanted else None


def shown_in_table(run_id: str) -> str:
    """Return what the table is to be narrowed to, empty where it is not."""
    return chosen_of(run_id) if st.session_state.get(_TABLE) == run_id else ""


def chosen_panel(watched: Watched, ranked: Ranking, keys: Sequence[str], to_table: Callable[[], None]) -> None:
    """Draw what is chosen, if anything is: how many, their ranges, the table, the comparison, and an end to it.

    Args:
        watched: The run.
        ranked: Its candidates under the preference in force.
        keys: Quantities on the axes of the front.
        to_table: Opens the table; called from a callback.
    """
    run_id = watched.record.id
    told = chosen_of(run_id)
    if not told:
        return
    view = chosen_view(watched.snapshot, ranked, keys, told)
    with st.container(border=True, key="front_chosen", gap="small"):
        st.markdown(_sentence(view), help=text("chosen.hint"))
        if len(told) > LONGEST:
            st.caption(text("chosen.long"))
        with st.container(horizontal=True, gap="small"):
            _buttons(run_id, view, to_table)


def _sentence(view: ChosenView) -> str:
    known = [text("chosen.range", name=name, low=_value(low), high=_value(high)) for name, low, high in view.ranges
             if low <= high]  # fmt: skip
    one = "chosen.one" if len(view.ids) == 1 else "chosen.many"
    return " · ".join([text(one, count=count(len(view.ids))), *known])


def _value(value: float) -> str:
    return count(int(value)) if value.is_integer() and abs(value) > 1 else number(value)


def _buttons(run_id: str, view: ChosenView, to_table: Callable[[], None]) -> None:
    def narrowed() -> None:
        show_in_table(run_id, True)
        to_table()

    def cleared() -> None:
        keep_chosen(run_id, "")
        show_in_table(run_id, False)

    st.button(text("chosen.to_table"), key="chosen_to_table", icon=":material/table_rows:", on_click=narrowed,
              disabled=not view.ids)  # fmt: skip
    few = view.ids[:MOST]
    words = text("chosen.compare" if len(few) == len(view.ids) else "chosen.compare_best", count=len(few))
    if st.button(words, key="chosen_compare", icon=":material/compare_arrows:", disabled=len(few) < 2,
                 help=text("chosen.compare_help", most=MOST)):  # fmt: skip
        put(run_id, few)
        state.open_page("compare")
    st.button(text("chosen.clear"), key="chosen_clear", type="tertiary", icon=":material/close:", on_click=cleared)
