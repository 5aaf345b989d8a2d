"""Is it really better: every two candidates on the same validation rows, drawn again together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.compare_work import paired
from dashboard.texts import text
from dashboard.views.compare_table import Compared, letter
from dashboard.views.words import interval, number, percent, signed
from nas_core.errors import NasightError
from nas_core.objectives import Objective

if TYPE_CHECKING:
    from nas_core.comparison.paired import PairedDifference

__all__ = ["better_tab", "verdict_words"]


def better_tab(run_id: str, compared: Sequence[Compared], objective: Objective) -> None:
    """Draw the answer for every two candidates, and what it rests on."""
    drawn = False
    for i, k in combinations(range(len(compared)), 2):
        first, second = compared[i].evaluation, compared[k].evaluation
        try:
            with st.spinner(text("compare.working_paired"), show_time=True):
                found = paired(run_id, first.id, second.id)
        except NasightError as error:
            st.warning(text("compare.pair_missing", a=letter(i), b=letter(k), reason=str(error)),
                       icon=":material/link_off:")  # fmt: skip
            continue
        drawn = True
        icon = ":material/drag_handle:" if found.verdict == "neither" else ":material/check:"
        with st.container(border=True):
            st.markdown(f"{icon} {verdict_words(found, objective, letter(i), letter(k))}")
            st.caption(text("compare.paired_numbers", a=letter(i), b=letter(k), metric=objective.label,
                            difference=signed(found.difference, 4), low=signed(found.low, 4),
                            high=signed(found.high, 4), rows=found.rows, share=percent(found.better)))  # fmt: skip
    if drawn:
        st.caption(text("compare.paired_help"))


def verdict_words(found: PairedDifference, objective: Objective, first: str, second: str) -> str:
    """Return which of the two is better, in words."""
    told = {"metric": objective.label, "difference": number(abs(found.difference)),
            "interval": interval(abs(found.difference), found.low, found.high)}  # fmt: skip
    if found.verdict == "neither":
        return text("compare.not_apart", a=first, b=second, **told)
    better, worse = (second, first) if found.verdict == "second" else (first, second)
    return text("compare.is_better", better=better, worse=worse, **told)
