"""The Curves part of the Explain tab: what moving one feature does, and what two do only together."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import Explained, candidate_of
from dashboard.components.shape_refits import RefitJob, ask_for_refits, band_at, said_of_refits
from dashboard.figures.explain_curves import curve_figure, surface_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import AttributionView
from dashboard.views.explain_curves import CurveView, curve_view, lines_view, surface_view
from dashboard.views.words import percent
from nas_core.errors import ExplanationError
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.explanations import CurveMethod, EffectCurve, IceLines, InteractionSurface, TrainedCandidate

__all__ = ["curve", "curves_part", "lines", "partners", "surface"]

LINES = 60
PARTNERS = 40  # a candidate may have groups of hundreds of features


@st.cache_resource(max_entries=256, show_spinner=False)
def curve(run_id: str, candidate_id: str, feature: int, method: str) -> EffectCurve:
    """Return the ALE or PDP of one feature of a candidate, over training rows."""
    from nas_core.explanations import effect_curve

    return effect_curve(candidate_of(run_id, candidate_id), feature, cast("CurveMethod", method))


@st.cache_resource(max_entries=64, show_spinner=False)
def lines(run_id: str, candidate_id: str, feature: int, rows: tuple[int, ...]) -> tuple[EffectCurve, IceLines]:
    """Return the mean of the ICE lines of some data-set rows, and the lines."""
    from nas_core.explanations import effect_curve, ice_lines

    candidate = candidate_of(run_id, candidate_id)
    raw = candidate.problem.dataset.X[list(rows)]
    return effect_curve(candidate, feature, "pdp", raw), ice_lines(candidate, feature, raw)


@st.cache_resource(max_entries=64, show_spinner=False)
def partners(run_id: str, candidate_id: str, feature: int, output: int) -> tuple[tuple[int, float], ...]:
    """Return the features that interact with one, and how strongly: share of the output's variance, largest first."""
    from nas_core.explanations import interaction_partners, interaction_surface

    candidate = candidate_of(run_id, candidate_id)
    found = []
    for other in interaction_partners(candidate, feature)[:PARTNERS]:
        with suppress(ExplanationError):  # no row has a value of both
            found.append((other, float(interaction_surface(candidate, (feature, other)).strength[output])))
    return tuple(sorted(found, key=lambda pair: -pair[1]))


@st.cache_resource(max_entries=128, show_spinner=False)
def surface(run_id: str, candidate_id: str, pair: tuple[int, int], method: str) -> InteractionSurface:
    """Return the interaction of two features of a candidate."""
    from nas_core.explanations import interaction_surface

    return interaction_surface(candidate_of(run_id, candidate_id), pair, cast("CurveMethod", method))


def curves_part(run_id: str, candidate_id: str, found: Explained, view: AttributionView) -> None:
    """Draw the curve of a feature a person chooses, and its strongest interaction.

    Raises:
        NasightError: There is no curve, with the reason.
    """
    candidate = cast("TrainedCandidate", found.candidate)
    kinds = {name: text(f"whole.{name}") for name in ("ale", "pdp", "ice")}
    left, right = st.columns([0.42, 0.58], vertical_alignment="bottom")
    kind = left.segmented_control(
        text("whole.kind"), list(kinds), default="ale", required=True, format_func=kinds.__getitem__, key="whole_kind",
        persist_state="session", help=text("whole.kind_help"),
    )  # fmt: skip
    feature = _feature(right, candidate, view)
    classes = candidate.problem.dataset.classes
    unit = text("whole.unit_of", unit=text("shap.log_odds"), output=view.output) if classes else view.output
    of = found.attribution.output_names.index(view.output), unit
    asked = kind != "ice" and feature in candidate.used
    job = ask_for_refits(run_id, candidate_id) if asked else None
    with st.spinner(text("whole.drawing"), show_time=True):
        shown = _shown(run_id, candidate_id, found, feature, str(kind), of, job)
    if shown.reason:
        st.info(shown.reason)
    if len(shown.x) and not (shown.reason and len(shown.x) == 1):
        row = st.session_state.get("explain_row")
        st.plotly_chart(curve_figure(shown, palette(state.is_dark()), chosen=row), theme=None, config=PLOT,
                        key="whole_curve", alt=shown.spoken)  # fmt: skip
        st.caption(markdown_text(shown.note))
        if job is not None:
            said_of_refits(job, unit, shown.refits)
    if not shown.reason:
        _together(run_id, candidate_id, feature, "ale" if kind == "ale" else "pdp", of)


def _feature(place: Any, candidate: TrainedCandidate, view: AttributionView) -> int:
    """Return the chosen feature; the most important come first, and those the network does not read are last."""
    used = set(candidate.used)
    order = sorted(view.order(), key=lambda j: int(j) not in used)
    ranks = {int(j): rank for rank, j in enumerate(order, start=1)}

    def words(j: int) -> str:
        if j not in used:
            return text("whole.unread", name=view.names[j])
        return text("whole.feature_rank", rank=ranks[j], name=view.names[j])

    if st.session_state.get("whole_feature") not in ranks:
        st.session_state["whole_feature"] = int(order[0])
    chosen = place.selectbox(
        text("whole.feature"), list(ranks), format_func=words, key="whole_feature", persist_state="session",
        help=text("whole.feature_help"),
    )  # fmt: skip
    return int(order[0]) if chosen is None else int(chosen)


def _shown(
    run_id: str, candidate_id: str, found: Explained, feature: int, kind: str, of: tuple[int, str], job: RefitJob | None
) -> CurveView:
    """Return the picture of the chosen kind, with the band over refits where they are trained."""
    if kind != "ice":
        band = None if job is None else band_at(job, feature, kind, of[0])
        return curve_view(curve(run_id, candidate_id, feature, kind), *of, band)
    at = np.unique(np.linspace(0, len(found.rows) - 1, min(LINES, len(found.rows))).astype(int))
    rows = tuple(int(r) for r in found.rows[at])
    row = st.session_state.get("explain_row")
    if row is not None and row in found.rows and row not in rows:  # the row in view is always among them
        rows = (*rows[:-1], int(row))
    mean, each = lines(run_id, candidate_id, feature, rows)
    return lines_view(mean, each, rows, *of)


def _together(run_id: str, candidate_id: str, feature: int, method: str, of: tuple[int, str]) -> None:
    """Draw what the feature does only together with another one of its group."""
    output, unit = of
    with st.spinner(text("whole.searching"), show_time=True):
        found = partners(run_id, candidate_id, feature, output)
    names = candidate_of(run_id, candidate_id).problem.feature_names
    if not found:
        st.caption(text("whole.no_partner", name=markdown_text(names[feature])))
        return
    shares = dict(found)

    def words(other: int) -> str:
        share = percent(shares[other]) if shares[other] >= 0.01 else text("whole.below_one")
        return text("whole.partner", name=names[other], share=share)

    key = f"whole_partner_{feature}"
    other = st.selectbox(text("whole.together"), list(shares), format_func=words, key=key,
                         help=text("whole.together_help"))  # fmt: skip
    other = found[0][0] if other is None else other
    with st.spinner(text("whole.drawing"), show_time=True):
        drawn = surface_view(surface(run_id, candidate_id, (feature, other), method), output, unit)
    if drawn.reason:
        st.info(drawn.reason)
        return
    st.markdown(
        f"**{text('whole.surface', first=markdown_text(drawn.names[0]), second=markdown_text(drawn.names[1]))}**"
    )
    st.plotly_chart(surface_figure(drawn, palette(state.is_dark())), theme=None, config=PLOT, key="whole_surface",
                    alt=drawn.spoken)  # fmt: skip
    st.caption(markdown_text(drawn.note))
