"""The final look at the test rows: only when a person asks, after a warning, and noted in the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process
from dashboard.access import may_write
from dashboard.components.explained import problem_of
from dashboard.texts import text
from dashboard.views.words import count, estimate

if TYPE_CHECKING:
    from nas_core.reports import DecisionRecord, FinalTest

__all__ = ["final_look"]


def final_look(record: DecisionRecord) -> None:
    """Draw what was found on the test rows, and what opens them for the chosen candidate of ``record``."""
    from nas_core.reports import final_test, final_tests_of

    tests = final_tests_of(process.store(), record.run_id)
    for test in tests:
        st.markdown(_words(test, record.metric_label))
    own = next((test for test in tests if test.id == record.chosen.id), None)
    if own is not None:
        st.caption(text("report.test_done", number=record.chosen.number))
        return
    if record.chosen.performance is None:
        st.info(text("report.test_nothing", number=record.chosen.number), icon=":material/info:")
        return
    st.warning(text("report.test_again" if tests else "report.test_warning"), icon=":material/warning:")
    sure = st.checkbox(text("report.test_sure", number=record.chosen.number), key=f"test_sure_{record.chosen.id}")
    if st.button(
        text("report.test_open", number=record.chosen.number), disabled=not sure or not may_write(), key="test_open"
    ):
        with st.spinner(text("report.test_working"), show_time=True):
            final_test(process.store(), record.run_id, record.chosen.id, problem=problem_of(record.run_id))
        st.rerun()


def _words(test: FinalTest, metric: str) -> str:
    return text("report.test_result", number=test.number, metric=metric, fresh=estimate(test.fresh),
                validation=estimate(test.validation), rows=count(test.rows))  # fmt: skip
