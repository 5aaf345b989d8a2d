"""The Candidate page: what it is, how good, why it predicts that, and what would raise its scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.along import along_buttons
from dashboard.components.compare_basket import compare_button
from dashboard.components.diagnosis_tab import diagnosis_tab
from dashboard.components.explain_tab import explain_tab
from dashboard.components.explained import problem_of, space_of
from dashboard.components.exports import candidate_exports
from dashboard.components.graph_panel import graph_panel
from dashboard.components.honesty import draw_badge, draw_honesty
from dashboard.components.lineage_tab import lineage_tab
from dashboard.components.marks import mark_bar
from dashboard.components.measures_tab import measures_tab
from dashboard.components.performance_tab import performance_tab
from dashboard.components.performed import ranked_now
from dashboard.components.pool import pool_of
from dashboard.components.trust_tab import trust_tab
from dashboard.components.what_if_tab import what_if_tab
from dashboard.figures.curves import curves_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.along import along_front
from dashboard.views.candidate import best_links, candidate_view
from dashboard.views.curves import curves_view
from dashboard.views.honesty import measured_badge
from nas_core.errors import NasightError
from nas_core.escaping import markdown_text
from nas_core.objectives import Objective, recorded_objective
from nas_core.records import Status

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.state import Selection
    from dashboard.views.candidate import CandidateView
    from nas_core.records import Evaluation, RunRecord

TABS = ("performance", "measures", "explain", "what_if", "trust", "diagnosis", "lineage", "training")
"""Tabs in their order; each computes what it shows when it is opened."""
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
    rows, again = _head(run, view, found, evaluations, objective)
    st.markdown(view.plain)
    if not view.ended_well:
        reason = found.status.value if found.status in (Status.FAILED, Status.INELIGIBLE) else "other"
        st.warning(text(f"candidate.reason_{reason}", reason=view.reason.rstrip(".")), icon=":material/report:")
    left, right = st.columns([0.42, 0.58], gap="large")
    with left:
        _facts(view)
        _architecture(run, view, found)
    with right:
        tabs = st.tabs([_tab_name(t) for t in TABS], key="candidate_tab", on_change="rerun")
        for name, tab in zip(TABS, tabs):
            if tab.open:
                with tab, state.shown_errors():
                    _tab(name, run, found, objective, len(evaluations))
    again()
    _measured_on(rows, run, found, objective)


def _tab_name(tab: str) -> str:
    return text(f"along.tab_{tab}") if tab in ("performance", "what_if", "lineage") else text(f"candidate.tab_{tab}")


def _tab(name: str, run: RunRecord, found: Evaluation, objective: Objective, known: int) -> None:
    """Draw the tab that is open."""
    if name == "performance":
        performance_tab(run.id, found)
    elif name == "measures":
        measures_tab(run, found, objective, known)
    elif name == "lineage":
        lineage_tab(run.id, found, objective, known)
    elif name == "training":
        _training(found)
    else:
        whole = {"explain": explain_tab, "what_if": what_if_tab, "trust": trust_tab, "diagnosis": diagnosis_tab}
        whole[name](run.id, found.id)


def _head(
    run: RunRecord, view: CandidateView, found: Evaluation, evaluations: list[Evaluation], objective: Objective
) -> tuple[DeltaGenerator, Callable[[], None]]:
    """Draw the head; return the place for what is known when the data have been read, and what draws badges again."""
    watched, ranked = ranked_now(run.id)
    along = along_front(watched.snapshot, ranked, found.id)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.header(text("candidate.title", number=view.number), width="content")
            st.caption(f"{view.id} · {view.origin}", width="content")
            for number_, parent in view.parents:
                state.page_link("candidate", text("candidate.parent", number=number_), state.Selection(run.id, parent),
                                icon=":material/arrow_upward:")  # fmt: skip
        along_buttons(run.id, along)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge(view.status, color="green" if view.ended_well else "orange")
        front = set(along.front)
        again = draw_honesty(run, found, [e for e in evaluations if e.id in front], objective)
        rows = st.empty()
        mark_bar(run.id, view.id)
        compare_button(run.id, view.id, "candidate_compare")
        export = st.popover(text("exports.title"), key="candidate_export", on_change="rerun",
                            icon=":material/download:", help=text("exports.help"))  # fmt: skip
        if export.open:
            with export, state.shown_errors():
                candidate_exports(run.id, view.id)
    return rows, again


def _measured_on(place: DeltaGenerator, run: RunRecord, found: Evaluation, objective: Objective) -> None:
    """Say on how many rows it was measured; last, because the data have to be read for it."""
    if not found.eligible:
        return
    try:
        problem = problem_of(run.id)
    except NasightError:
        return
    with place:
        draw_badge(measured_badge(min(len(problem.split.valid), problem.spec.max_valid_rows), objective.label))


def _facts(view: CandidateView) -> None:
    """Draw the numbers as two rows of metrics."""
    for start in range(0, len(view.facts), 3):
        for column, fact in zip(st.columns(3), view.facts[start : start + 3]):
            column.metric(fact.label, fact.value, help=fact.help or None)


def _architecture(run: RunRecord, view: CandidateView, found: Evaluation) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{text('candidate.architecture')}** · {markdown_text(view.structure)}", width="stretch")
        query = {**state.Selection(run.id, view.id).query(), "draw": "candidate"}
        st.page_link("pages/space.py", label=text("graph.edit"), icon=":material/edit:", query_params=query,
                     help=text("graph.edit_help"))  # fmt: skip
    if view.lines:
        st.caption("  \n".join(f"{term}: {markdown_text(words)}" for term, words in view.lines))
    graph_panel(run.id, found)
    if len(view.groups) > 1:
        shown = list(view.groups[:MOST_GROUPS])
        if len(view.groups) > MOST_GROUPS:
            shown.append(text("candidate.more_groups", count=len(view.groups) - MOST_GROUPS))
        st.caption(f"{text('candidate.groups')}: {markdown_text('; '.join(shown))}")


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
