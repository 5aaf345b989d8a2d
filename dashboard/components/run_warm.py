"""Starting from earlier runs: which ones fit what is prepared, and the choice of them in the start form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.prepared import DEFAULT, problem, space_of_draft
from dashboard.texts import text

if TYPE_CHECKING:
    from nas_core.records import RunRecord
    from nas_core.runs.warm import FittingRun

__all__ = ["offered_runs", "warm_choice"]

OFFERED = 20


def warm_choice(prepared: state.Draft) -> tuple[str, ...]:
    """Draw the choice of earlier runs to start from, nothing where none fits; return the ids of those chosen."""
    fitting = {run.record.id: run for run in offered_runs(prepared)}
    if not fitting:
        return ()
    name = (prepared.source or DEFAULT).location.rsplit("/", 1)[-1]
    chosen = st.multiselect(
        text("run_warm.label"), list(fitting), format_func=lambda run_id: fitting[run_id].sentence, key="start_warm",
        help=text("run_warm.help", name=name), placeholder=text("run_warm.none"),
    )  # fmt: skip
    return tuple(chosen)


def offered_runs(prepared: state.Draft) -> list[FittingRun]:
    """Return the runs on data of the same shape as what is prepared, the newest first.

    Where nothing is prepared, those on the data that the form offers first: so no data need to be read for that.
    """
    from nas_core.runs.warm import FittingRun, fitting_runs

    store = process.store()
    if prepared.source is not None:
        return fitting_runs(store, problem(prepared), space_of_draft(prepared))[:OFFERED]
    first = (DEFAULT.kind, DEFAULT.location)
    return [
        FittingRun(record, same_data=True)
        for record in store.runs()
        if _source(record) == first and record.progress.get("evaluated")
    ][:OFFERED]


def _source(record: RunRecord) -> tuple[str, str]:
    source = record.problem.get("source", {})
    return source.get("kind", ""), source.get("location", "")
