"""The tab "Why this score": every measure of a candidate, what stands behind it, and what would raise it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.access import may_write
from dashboard.components.explained import problem_of, space_of
from dashboard.components.pool import pool_of
from dashboard.figures.measures import measures_figure
from dashboard.texts import language, spoken, text
from dashboard.theme import PLOT, palette
from dashboard.views.candidate import raised_by
from dashboard.views.measures import measures_view
from dashboard.views.words import number, signed
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from dashboard.views.measures import MeasureBar, MeasuresView, RaisedBy
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation, Measurement, RunRecord

__all__ = ["measures_tab"]

MOST_KEPT = 200


@st.cache_resource(max_entries=32, show_spinner=False)
def _raised(run_id: str, candidate_id: str, known: int, speech: str) -> dict[str, RaisedBy | None]:
    """Return the nearest higher candidates; ``known`` counts those compared, so a growing run is looked at again."""
    pool, space = pool_of(run_id), space_of(run_id)
    return raised_by(pool.evaluations(), space, candidate_id, lambda a: pool.encode(space, a))


@st.cache_resource(show_spinner=False)
def _measured_later() -> dict[tuple[str, str], dict[str, Measurement]]:
    """Return what was measured after the run, by run and candidate; shared by everybody who looks at them."""
    return {}


def measures_tab(run: RunRecord, found: Evaluation, objective: Objective, known: int) -> None:
    """Draw the measures of a candidate by family, and offer to take those that the run did not."""
    later = _measured_later().get((run.id, found.id), {})
    view = measures_view(found, space_of(run.id, found.id), _raised(run.id, found.id, known, language()), later)
    if view.bars:
        st.plotly_chart(measures_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                        key="candidate_measures", alt=_told(view))  # fmt: skip
    else:
        st.info(text("candidate.no_measures"))
    if own := [bar.label.lower() for bar in view.bars if not bar.by_run]:
        st.caption(text("measured.later", names=", ".join(own)))
    if view.missing and found.eligible and found.weights is not None:
        _offer(run, found, view)
    for family in view.families:
        st.markdown(f"**{family.label}** · {family.words}")
        top = [bar for bar in family.bars if bar.value is not None and bar.value >= 1]
        for bar in family.bars:
            if bar not in top:
                _measure(run, bar, objective)
        if top:
            st.caption(text("candidate.at_top", names="; ".join(f"{b.label} ({b.words.rstrip('.')})" for b in top)))
    if view.not_applicable:
        st.markdown(f"**{text('measured.not_applicable')}**")
        st.caption("  \n".join(f"{bar.label}: {bar.reason}." for bar in view.not_applicable))


def _told(view: MeasuresView) -> str:
    """Return the picture in words."""
    return "; ".join(f"{b.label} {number(b.value, 2)} {b.interval}".rstrip() for b in view.bars)


def _offer(run: RunRecord, found: Evaluation, view: MeasuresView) -> None:
    """Offer to take the measures that are missing, and take them."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        asked = st.button(text("measured.rest"), key="measure_rest", icon=":material/straighten:",
                          disabled=not may_write())  # fmt: skip
        names = ", ".join(label.lower() for label in view.missing_labels)
        st.caption(text("measured.rest_words", count=len(view.missing), names=names))
    if not asked:
        return
    from nas_core.runs.measuring import measure_stored

    with state.shown_errors():
        with st.spinner(text("measured.measuring", count=len(view.missing)), show_time=True):
            taken = measure_stored(process.store(), run.id, found.id, view.missing, problem=problem_of(run.id))
        kept = _measured_later()
        while len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[run.id, found.id] = {**kept.get((run.id, found.id), {}), **taken}
        st.rerun()


def _measure(run: RunRecord, bar: MeasureBar, objective: Objective) -> None:
    """Say what one measure is, what stands behind its value, and what would raise it."""
    with st.container(border=True, gap="xsmall"):
        value = number(None) if bar.value is None else f"{bar.value:.2f}"
        head = f"**{bar.label} {value}** {bar.interval}".rstrip()
        st.markdown(f"{head} · {bar.words or bar.reason}", help=bar.description or None)
        if bar.value is None:
            return
        if bar.advice:
            st.caption(f"{text('candidate.raise')}: {bar.advice}")
        if not bar.by_run:  # no other candidate has it
            return
        if bar.raised_by is None:
            st.caption(text("candidate.raised_none"))
        else:
            _neighbour(run, bar.raised_by, objective)


def _neighbour(run: RunRecord, near: RaisedBy, objective: Objective) -> None:
    change = "–" if near.performance_change is None else signed(near.performance_change)
    words = text("candidate.raised", number=near.index, value=f"{near.value:.2f}", metric=spoken(objective.label),
                 performance=change)  # fmt: skip
    state.page_link("candidate", words, state.Selection(run.id, near.id), icon=":material/trending_up:")
    st.caption(markdown_text("; ".join(near.changes)) or text("candidate.raised_same"))
