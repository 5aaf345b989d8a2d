"""The Explain tab of a candidate: attributions of all rows and of one, shape functions, and the check of the method."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.explain_curves import curves_part
from dashboard.components.explain_dependence import dependence_part
from dashboard.components.explain_importance import compared_part
from dashboard.components.explain_parts import about, draw_refined, method_choice, offer_more
from dashboard.components.explain_signal import signal_tab
from dashboard.components.explain_surrogate import surrogate_part
from dashboard.components.explained import Check, Explained, Explanation, candidate_of, check, problem_of
from dashboard.components.performed import rows_of, with_row
from dashboard.components.row_picker import ROW, row_picker
from dashboard.components.shape_refits import ask_for_refits, band_at, said_of_refits
from dashboard.components.trust_badges import trust_badges
from dashboard.figures.attributions import beeswarm_figure, importance_figure, shape_figure, waterfall_figure
from dashboard.figures.contributions import contributions_figure
from dashboard.texts import spoken, text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import (
    AttributionView,
    attribution_view,
    beeswarm,
    importance,
    shape_views,
    waterfall,
)
from dashboard.views.contributions import contributions
from dashboard.views.words import duration, number, percent
from nas_core.escaping import markdown_text

__all__ = ["explain_tab"]

SHOWN, POINTS = 12, 100  # shape functions drawn, and values of a band: as many as a shape function has
WHOLE = {"compared": compared_part, "curves": curves_part, "surrogate": surrogate_part}


def explain_tab(run_id: str, candidate_id: str) -> None:
    """Draw the tab of a candidate; while values are sampled, draw it again and again as they get better.

    Raises:
        NasightError: The candidate cannot be explained, with the reason.
    """
    if problem_of(run_id).dataset.signal is not None:
        signal_tab(run_id, candidate_id)
        return
    row_picker(run_id, candidate_id)
    method = method_choice(candidate_of(run_id, candidate_id), "explain_method")
    draw_refined(run_id, candidate_id, _tab, method)


def _tab(explanation_: Explanation, run_id: str, candidate_id: str, thorough: bool) -> None:
    found = explanation_.latest
    view = _output(found)
    problem = found.candidate.problem
    if problem.spec.target_transform != "none":
        st.caption(text("data.explained_unit", unit=markdown_text(problem.output_name)))
    about(explanation_, view.unit)
    trust = st.container()
    parts = ["importance", "waterfall", "dependence", "shapes", "check"]
    labels = {name: text(f"candidate.{name}") for name in parts if name != "dependence"} | {
        "importance": text("candidate.global"), "dependence": text("dependence.title"),
    }  # fmt: skip
    parts, labels = [*parts, *WHOLE], labels | {name: text(f"whole.{name}") for name in WHOLE}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        chosen = st.segmented_control(
            text("candidate.tab_explain"), parts, default="importance", required=True, format_func=labels.__getitem__,
            label_visibility="collapsed", key="explain_part", persist_state="session", wrap=True,
        )  # fmt: skip
        if explanation_.finished and not found.complete and not thorough:
            offer_more((run_id, candidate_id))
    if chosen in WHOLE:
        WHOLE[chosen](run_id, candidate_id, found, view)
    elif chosen == "waterfall":
        _one_row(run_id, candidate_id, found, view)
    elif chosen == "dependence":
        dependence_part(run_id, candidate_id, found, view)
    elif chosen == "shapes":
        _shapes(run_id, candidate_id, found, view)
    elif chosen == "check":
        _check(found, run_id, candidate_id, view, thorough)
    else:
        _all_rows(view)
    with trust:
        trust_badges(explanation_, run_id, candidate_id, thorough)


def _output(found: Explained) -> AttributionView:
    """Return the view of the chosen output; with several classes a person chooses which."""
    names = found.attribution.output_names
    at = 0
    if len(names) > 1:
        at = st.selectbox(
            text("candidate.class"), range(len(names)), format_func=lambda i: names[i], key="explain_class",
            persist_state="session",
        )  # fmt: skip
        at = at if at is not None and at < len(names) else 0
    return attribution_view(found.attribution, at, found.rows, found.candidate.problem.dataset)


def _all_rows(view: AttributionView) -> None:
    colours = palette(state.is_dark())
    swarm = beeswarm(view)
    if not swarm.swarms:
        st.info(text("candidate.no_influence"))
        return
    st.markdown(f"**{text('candidate.beeswarm')}**")
    row = st.session_state.get(ROW)
    st.plotly_chart(beeswarm_figure(swarm, colours, chosen=row), theme=None, config=PLOT, key="explain_swarm",
                    alt=text("candidate.beeswarm"))  # fmt: skip
    if swarm.hidden:
        st.caption(text("candidate.hidden", count=swarm.hidden))
    st.markdown(f"**{text('candidate.importance')}**")
    st.plotly_chart(importance_figure(importance(view), colours), theme=None, config=PLOT, key="explain_importance",
                    alt=text("candidate.importance"))  # fmt: skip


def _one_row(run_id: str, candidate_id: str, found: Explained, view: AttributionView) -> None:
    row = int(st.session_state[ROW])
    words = rows_of(run_id, candidate_id).words(row)
    if row not in found.rows:
        with st.spinner(text("candidate.explaining"), show_time=True):
            found = with_row(run_id, candidate_id, found, row)
        at = found.attribution.output_names.index(view.output)
        view = attribution_view(found.attribution, at, found.rows, found.candidate.problem.dataset)
    if not found.attribution.additive:
        st.caption(text("explain.no_waterfall"))
        bars = contributions(view, found.attribution, view.position(row))
        st.plotly_chart(contributions_figure(bars, palette(state.is_dark())), theme=None, config=PLOT,
                        key="explain_contributions", alt=words)  # fmt: skip
        return
    drawn = waterfall(view, view.position(row))
    st.plotly_chart(waterfall_figure(drawn, palette(state.is_dark())), theme=None, config=PLOT, key="explain_waterfall",
                    alt=words)  # fmt: skip


def _shapes(run_id: str, candidate_id: str, found: Explained, view: AttributionView) -> None:
    from nas_core.spaces import facts

    output = found.attribution.output_names.index(view.output)
    certified = facts(found.candidate.space, found.candidate.architecture).certified
    if not found.shapes:
        st.info(text("candidate.no_shapes"))
        return
    st.caption(text("candidate.shapes_words", count=len(found.shapes)))
    job = ask_for_refits(run_id, candidate_id)
    with st.spinner(text("whole.drawing"), show_time=True):
        found_bands = {
            s.feature: band_at(job, s.feature, "ale", output, found.background, points=POINTS)
            for s in found.shapes[:SHOWN]
        }
    bands = {feature: band for feature, band in found_bands.items() if band is not None}
    drawn = shape_views(found.shapes, output, certified, view.unit, bands)
    said_of_refits(job, view.unit)
    colours = palette(state.is_dark())
    columns = st.columns(2)
    for i, shape in enumerate(drawn[:SHOWN]):
        with columns[i % 2]:
            st.plotly_chart(shape_figure(shape, colours), theme=None, config=PLOT, key=f"explain_shape_{i}",
                            alt=shape.name)  # fmt: skip
    if len(drawn) > SHOWN:
        st.caption(text("candidate.hidden", count=len(drawn) - SHOWN))


def _check(found: Explained, run_id: str, candidate_id: str, view: AttributionView, thorough: bool) -> None:
    from nas_core.explanations import choose_explainer

    fits = choose_explainer(found.candidate)
    if found.attribution.method != fits.name:
        st.info(text("explain.check_other", method=spoken(fits.label)))
        return
    st.markdown(text("candidate.check_words" if found.exact else "candidate.check_words_sampled"))
    asked = st.session_state.setdefault("explain_checked", set())
    if st.button(text("candidate.check_button"), key="explain_check"):
        asked.add((run_id, candidate_id))
    if (run_id, candidate_id) in asked:
        with st.spinner(text("candidate.checking"), show_time=True):
            result = check(run_id, candidate_id, thorough)
        _said(result, view)


def _said(result: Check, view: AttributionView) -> None:
    share = result.difference / result.scale if result.scale else 0.0
    words = text("candidate.check_result", method=spoken(result.label), rows=result.rows,
                 seconds=duration(result.seconds), difference=number(result.difference, 2), unit=view.unit,
                 share=percent(share) if share >= 0.01 else f"{share:.1g}")  # fmt: skip
    good = result.difference <= result.allowed
    (st.success if good else st.warning)(words, icon=":material/verified:" if good else ":material/warning:")
    if result.noisy:
        st.caption(text("candidate.check_noisy", allowed=number(result.allowed, 2), unit=view.unit))
