"""The Dependence part of the Explain tab: a value beside what it adds, coloured by what it acts together with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.explain_curves import partners
from dashboard.components.row_picker import ROW
from dashboard.figures.dependence import dependence_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.dependence import dependence
from dashboard.views.words import percent

if TYPE_CHECKING:
    from dashboard.components.explained import Explained
    from dashboard.views.attributions import AttributionView

__all__ = ["dependence_part"]

NOBODY = -1


def dependence_part(run_id: str, candidate_id: str, found: Explained, view: AttributionView) -> None:
    """Draw the attribution of a feature a person chooses over its value, for the explained rows.

    Raises:
        NasightError: It cannot be drawn, with the reason.
    """
    used = set(found.candidate.used)
    order = [int(j) for j in view.order() if int(j) in used]
    if not order:
        st.info(text("candidate.no_influence"))
        return
    if st.session_state.get("dependence_feature") not in order:
        st.session_state["dependence_feature"] = order[0]
    left, right = st.columns(2)
    feature = left.selectbox(text("whole.feature"), order, format_func=lambda j: view.names[j],
                             key="dependence_feature", persist_state="session")  # fmt: skip
    feature = order[0] if feature is None else int(feature)
    output = found.attribution.output_names.index(view.output)
    with st.spinner(text("whole.searching"), show_time=True):
        strong = dict(partners(run_id, candidate_id, feature, output))
    options = [*strong, NOBODY]

    def words(other: int) -> str:
        if other == NOBODY:
            return text("dependence.nobody")
        share = percent(strong[other]) if strong[other] >= 0.01 else text("whole.below_one")
        return text("whole.partner", name=view.names[other], share=share)

    partner = right.selectbox(text("dependence.colour"), options, format_func=words, key=f"dependence_{feature}",
                              help=text("dependence.colour_help"), disabled=not strong)  # fmt: skip
    errors = found.attribution.errors
    drawn = dependence(view, found.candidate.problem.dataset, feature, None if partner in (None, NOBODY) else partner,
                       None if errors is None else errors[:, :, output])  # fmt: skip
    alone = "" if strong else " " + text("dependence.alone", name=view.names[feature])
    st.plotly_chart(dependence_figure(drawn, palette(state.is_dark()), chosen=st.session_state.get(ROW)), theme=None,
                    config=PLOT, key="explain_dependence",
                    alt=text("dependence.words", name=drawn.name, rows=len(drawn.rows)))  # fmt: skip
    st.caption(text("dependence.words", name=drawn.name, rows=len(drawn.rows)) + alone)
