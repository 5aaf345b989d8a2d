"""The Candidate page: what it is, how good, why it predicts that, and what would raise its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.diagnosis_tab import diagnosis_tab
from dashboard.components.explain_tab import explain_tab
from dashboard.components.explained import space_of
from dashboard.components.exports import candidate_exports
from dashboard.components.graph_panel import graph_panel
from dashboard.components.measures_tab import measures_tab
from dashboard.components.pool import pool_of
from dashboard.components.trust_tab import trust_tab
from dashboard.figures.curves import curves_figure
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.views.candidate import best_links, candidate_view
from dashboard.views.curves import curves_view
from dashboard.views.words import count
from dashboard.watching import standing
from nas_core.objectives import Objective, recorded_objective
from nas_core.records import Status

if TYPE_CHECKING:
    from dashboard.state import Selection
    from dashboard.views.candidate import CandidateView
    from nas_core.records import Evaluation, RunRecord

PLOT = {"displayModeBar": False}
REFRESH = 2.0  # seconds between two looks at how far a live run is
TABS = ("measures", "explain", "trust", "diagnosis", "training")
MOST_GROUPS = 12


def render() -> None:
    """Draw the page."""
    selection = state.load()
    with state.shown_errors():
        run = _run(selection)
        if run is None:
            st.header(text("candidate.empty_title"))
            st.info(text("candidate.empty_no_run"), icon=":material/info:")
            state.page_link("run", text("studio.go_run"))
            return
        evaluations = pool_of(run.id).evaluations()
        objective = recorded_objective(run.problem)
        found = next((e for e in evaluations if e.id == selection.candidate), None)
        if found is None:
            _empty(selection, run, evaluations, objective)
        else:
            _name_in_address(state.Selection(run.id, found.id))
            _candidate(run, found, evaluations, objective)


def _name_in_address(shown: Selection) -> None:
    """Write the candidate into the URL: a link from this page to itself changes what is shown, but not the URL."""
    if st.session_state.get("candidate_shown") != shown:
        st.session_state["candidate_shown"] = shown
        for key, value in shown.query().items():
            st.query_params[key] = value


def _run(selection: Selection) -> RunRecord | None:
    """Return the run in view, else the latest one."""
    store = process.store()
    if selection.run is not None:
        return store.run(selection.run)
    return next(iter(store.runs()), None)


def _empty(selection: Selection, run: RunRecord, evaluations: list[Evaluation], objective: Objective) -> None:
    """Say what to do when no candidate is chosen, and offer the best ones."""
    st.header(text("candidate.empty_title"))
    if selection.candidate is not None:
        st.warning(text("candidate.unknown", run=run.id, candidate=selection.candidate))
    links = best_links(evaluations, objective, space_of(run.id))
    if not links:
        st.info(text("candidate.empty_no_candidates", run=run.id), icon=":material/info:")
        state.page_link("run", text("studio.go_run"))
        return
    if selection.candidate is None:
        st.info(text("candidate.empty"), icon=":material/info:")
    for link in links:
        state.page_link("candidate", link.words, state.Selection(run.id, link.id), icon=":material/hub:")


def _candidate(run: RunRecord, found: Evaluation, evaluations: list[Evaluation], objective: Objective) -> None:
    view = candidate_view(found, space_of(run.id, found.id), objective, evaluations)
    _head(run, view)
    if not view.ended_well:
        reason = found.status.value if found.status in (Status.FAILED, Status.INELIGIBLE) else "other"
        st.warning(text(f"candidate.reason_{reason}", reason=view.reason.rstrip(".")), icon=":material/report:")
    left, right = st.columns([0.42, 0.58], gap="large")
    with left:
        _facts(view)
        _architecture(run, view, found)
    with right:
        measures, explain, trust, diagnosis, training = st.tabs(
            [text(f"candidate.tab_{t}") for t in TABS], key="candidate_tab", on_change="rerun"
        )
        if measures.open:
            with measures:
                measures_tab(run, found, objective, len(evaluations))
        if explain.open:
            with explain, state.shown_errors():
                explain_tab(run.id, found.id)
        if trust.open:
            with trust, state.shown_errors():
                trust_tab(run.id, found.id)
        if diagnosis.open:
            with diagnosis, state.shown_errors():
                diagnosis_tab(run.id, found.id)
        if training.open:
            with training:
                _training(found)


def _head(run: RunRecord, view: CandidateView) -> None:
    st.header(text("candidate.title", number=view.number))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(view.status, color="green" if view.ended_well else "orange")
        st.caption(f"{view.id} · {view.origin}", width="content")
        for number_, parent in view.parents:
            state.page_link("candidate", text("candidate.parent", number=number_), state.Selection(run.id, parent),
                            icon=":material/arrow_upward:")  # fmt: skip
        live = standing(run.id).live
        st.fragment(_run_link, run_every=REFRESH if live else None)(run.id, live)
        export = st.popover(text("exports.title"), key="candidate_export", on_change="rerun",
                            icon=":material/download:", help=text("exports.help"))  # fmt: skip
        if export.open:
            with export, state.shown_errors():
                candidate_exports(run.id, view.id)


def _run_link(run_id: str, was_live: bool) -> None:
    """Draw the way back to the run, with its name and how far it is."""
    now = standing(run_id)
    key = "studio.run_progress" if now.budget else "studio.run_progress_open"
    words = text(key, name=now.name, state=text(f"studio.state_{now.state}"), evaluated=count(now.evaluated),
                 budget=count(now.budget or 0))  # fmt: skip
    state.page_link("run", words, icon=":material/scatter_plot:")
    if was_live != now.live:
        st.rerun()


def _facts(view: CandidateView) -> None:
    """Draw the numbers as two rows of metrics."""
    for start in range(0, len(view.facts), 3):
        for column, fact in zip(st.columns(3), view.facts[start : start + 3]):
            column.metric(fact.label, fact.value, help=fact.help or None)


def _architecture(run: RunRecord, view: CandidateView, found: Evaluation) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{text('candidate.architecture')}** · {view.structure}", width="stretch")
        query = {**state.Selection(run.id, view.id).query(), "draw": "candidate"}
        st.page_link("pages/space.py", label=text("graph.edit"), icon=":material/edit:", query_params=query,
                     help=text("graph.edit_help"))  # fmt: skip
    if view.lines:
        st.caption("  \n".join(f"{term}: {words}" for term, words in view.lines))
    graph_panel(run.id, found)
    if len(view.groups) > 1:
        shown = list(view.groups[:MOST_GROUPS])
        if len(view.groups) > MOST_GROUPS:
            shown.append(text("candidate.more_groups", count=len(view.groups) - MOST_GROUPS))
        st.caption(f"{text('candidate.groups')}: {'; '.join(shown)}")


def _training(found: Evaluation) -> None:
    view = curves_view(found.curves)
    if view is None:
        st.info(text("candidate.no_curves"))
        return
    st.markdown(f"**{text('candidate.curves')}**")
    st.plotly_chart(curves_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="candidate_curves",
                    alt=text("candidate.curves"))  # fmt: skip


if __name__ == "__main__":
    render()
