"""Training a drawn architecture: next in a live run of the same data, or first in a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.access import may_steer, may_write
from dashboard.components.prepared import DEFAULT, order_of
from dashboard.texts import text
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from dashboard.views.drawing import Drawing
    from nas_core.records import Architecture
    from nas_core.runs.run import Run
    from nas_core.spaces import SearchSpace

__all__ = ["train"]

CANDIDATES = 100


def train(draft: state.Draft, space: SearchSpace, drawing: Drawing, architecture: Architecture) -> None:
    """Draw the button that opens the ways to train ``architecture``."""
    opened = st.popover(text("draw.train"), icon=":material/model_training:", key="draw_train",
                        on_change="rerun")  # fmt: skip
    if not opened.open:
        return
    with opened, state.shown_errors():
        for run in _live_runs(draft, architecture):
            _offer(run, drawing, architecture)
        budget = st.number_input(text("draw.budget"), 1, 100_000, CANDIDATES, key="draw_budget",
                                 help=text("draw.budget_help"))  # fmt: skip
        if st.button(text("draw.start_run"), key="draw_start_run", width="stretch", disabled=not may_write()):
            from nas_core.runs.settings import RunSettings

            process.launch(order_of(draft, RunSettings(candidates=int(budget)), [architecture]))
            st.session_state[state.WAITING] = True
            state.open_page("run", state.Selection())
        if draft.drawing is not None:
            st.caption(text("draw.more_settings"))


def _offer(run: Run, drawing: Drawing, architecture: Architecture) -> None:
    """Draw the button that hands the architecture to a live run, or say that it has been evaluated there."""
    from dashboard.watching import watch

    record = run.snapshot().record
    if watch(run.id).snapshot.position(architecture.id) is not None:
        st.caption(text("draw.known", run=markdown_text(record.name)))
        state.page_link("candidate", text("draw.open"), state.Selection(run.id, architecture.id),
                        icon=":material/hub:")  # fmt: skip
    elif st.button(text("draw.to_live", run=markdown_text(record.name)), type="primary", key=f"draw_live_{run.id}",
                   width="stretch", disabled=not may_steer(run.id)):  # fmt: skip
        process.steered(run.id)
        run.propose(architecture, parents=[drawing.parent] if drawing.parent else ())
        state.tell_fact(text("draw.proposed", run=markdown_text(record.name)))
        state.open_page("run", state.Selection(run.id))


def _live_runs(draft: state.Draft, architecture: Architecture) -> list[Run]:
    """Return the runs of this process on the same data whose space holds the architecture, the newest first."""
    from nas_core.runs import registry
    from nas_core.spaces import SearchSpace

    found = []
    for run in reversed(registry.active()):
        record = run.snapshot().record
        same = record.problem["source"]["location"] == (draft.source or DEFAULT).location
        if same and not SearchSpace.model_validate(record.space).validate_architecture(architecture):
            found.append(run)
    return found
