"""What the Explain tabs of tables and signals have in common: the method, values that get better, the row in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import Explanation, explanation
from dashboard.texts import spoken, text
from dashboard.views.words import duration, number

if TYPE_CHECKING:
    from nas_core.explanations import Attribution, Candidate, Explainer
    from nas_core.records import Verdict

__all__ = ["about", "draw_refined", "method_choice", "offer_more"]

FITTED = 0.5
"""Held-out R² below which a local fit says less about a row than it leaves out."""

REFRESH, STEP = 1.0, 0.6  # seconds between pictures while values get better, and of work after each
Draw = Callable[[Explanation, str, str, bool], None]


def method_choice(candidate: Candidate, key: str) -> str:
    """Return the name of the chosen explainer of this kind of network, whether or not it applies to this one."""
    from nas_core.explanations import EXPLAINERS, choose_explainer

    own = {n: e for n, e in EXPLAINERS.items() if isinstance(candidate, e.explains)}
    verdicts = {n: e.applies_to(candidate) for n, e in own.items()}
    names = sorted(own, key=lambda n: not verdicts[n].ok)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            text("explain.method"), names, index=names.index(choose_explainer(candidate).name), key=key, width=320,
            format_func=lambda n: (
                spoken(own[n].label) if verdicts[n].ok else text("explain.not_for_it", method=spoken(own[n].label))
            ),
            persist_state="session", help=text("explain.method_help"), label_visibility="collapsed",
        )  # fmt: skip
        with st.popover(text("explain.about_methods"), icon=":material/help:", width="content"):
            for name in names:
                st.markdown(_told(own[name], verdicts[name]))
    return chosen if chosen in names else choose_explainer(candidate).name


def _told(explainer: Explainer[Any], verdict: Verdict) -> str:
    """Return what a method is, in the first paragraph of its description, and why it does not apply."""
    words = " ".join(explainer.description.split("\n\n")[0].split())
    if verdict.ok:
        return text("explain.one_method", method=spoken(explainer.label), words=words)
    return text("explain.no_method", method=spoken(explainer.label), words=words, reason=verdict.reason)


def about(shown: Explanation, unit: str) -> None:
    """Say how the values were computed and why this way, whether they add up, and how near they are."""
    from nas_core.explanations import EXPLAINERS

    found, attribution = shown.latest, shown.latest.attribution
    explainer = EXPLAINERS[attribution.method]
    lines = []
    if attribution.fallback:
        lines.append(text("explain.instead", reason=attribution.fallback, method=spoken(found.label)))
    told = {"method": spoken(found.label), "reason": attribution.reason, "rows": len(found.rows),
            "seconds": duration(attribution.seconds)}  # fmt: skip
    against = explainer.by_group or explainer.predictions(found.candidate) > 0
    lines.append(text("explain.with_background", background=len(found.background), **told) if against
                 else text("explain.without_background", **told))  # fmt: skip
    lines.append(_completeness(attribution, explainer.tolerance))
    if attribution.fit is not None and attribution.fit.size:
        median, low = float(np.median(attribution.fit)), float(attribution.fit.min())
        lines.append(text("explain.fit" if median >= FITTED else "explain.fit_bad", median=number(median, 2),
                          low=number(low, 2)))  # fmt: skip
    if attribution.margin:
        share = attribution.margin / attribution.scale if attribution.scale else 0.0
        lines.append(text("candidate.margin" if shown.finished else "candidate.refining", unit=unit,
                          typical=number(attribution.typical_margin, 2), widest=number(attribution.margin, 2),
                          share=f"{100 * share:.2g} %"))  # fmt: skip
    st.caption("  \n".join(lines))


def _completeness(attribution: Attribution, tolerance: float) -> str:
    """Return whether base and values add up to the output, in words."""
    if attribution.unit == "share":
        return text("explain.shares")
    if attribution.unit == "slope":
        return text("explain.slopes")
    if not attribution.additive:
        return text("explain.not_additive")
    good = attribution.residual <= tolerance * max(attribution.scale, 1e-9)
    badge = text("candidate.residual_ok" if good else "candidate.residual_bad", residual=f"{attribution.residual:.1e}")
    return f"{':material/verified: ' if good else ':material/warning: '}{badge}"


def draw_refined(run_id: str, candidate_id: str, draw: Draw, method: str | None = None) -> None:
    """Explain a candidate and draw it; while values are sampled, draw it again and again as they get better.

    Raises:
        NasightError: The candidate cannot be explained, with the reason.
    """
    thorough = (run_id, candidate_id) in st.session_state.setdefault("explain_thorough", set())
    with st.spinner(text("candidate.explaining"), show_time=True):
        found = explanation(run_id, candidate_id, thorough, method)
    if found.finished:
        draw(found, run_id, candidate_id, thorough)
    else:
        st.fragment(_better, run_every=REFRESH)(draw, found, run_id, candidate_id, thorough)


def _better(draw: Draw, found: Explanation, run_id: str, candidate_id: str, thorough: bool) -> None:
    """Draw what there is, then make it better: what is drawn stays in view meanwhile."""
    state.load()
    if not found.finished:
        draw(found, run_id, candidate_id, thorough)
        found.advance(STEP)
    if found.finished:
        st.rerun()


def offer_more(which: tuple[str, str]) -> None:
    """Draw the button that asks for better values of the candidate ``which`` of a run."""
    if st.button(text("candidate.more"), key="explain_more", icon=":material/more_time:",
                 help=text("candidate.more_help")):  # fmt: skip
        st.session_state["explain_thorough"].add(which)
        st.rerun()
