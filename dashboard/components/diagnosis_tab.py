"""The Diagnosis tab: whether the trained network is healthy inside, what is wrong first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.diagnosed import diagnosed
from dashboard.figures.diagnosis import bars_figure, dots_figure, histogram_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.diagnosis import (
    QUANTITIES,
    Badge,
    diagnosis_view,
    dots_view,
    histogram_view,
    table_view,
    units_view,
)
from dashboard.views.words import count, duration

if TYPE_CHECKING:
    from nas_core.explanations.diagnosis import Diagnosis

__all__ = ["diagnosis_tab"]

LOOKS = {
    "serious": (st.error, ":material/error:"),
    "warning": (st.warning, ":material/warning:"),
    "note": (st.info, ":material/info:"),
}
LONG = 12
"""Lines of a table that are seen without scrolling."""


def diagnosis_tab(run_id: str, candidate_id: str) -> None:
    """Draw the tab.

    Raises:
        NasightError: The candidate cannot be looked into, with the reason.
    """
    with st.spinner(text("diagnosis.working"), show_time=True):
        done = diagnosed(run_id, candidate_id)
    found, view = done.found, diagnosis_view(done.found)
    _check(view.check)
    for severity, words, advice in view.findings:
        draw, icon = LOOKS[severity]
        draw(f"**{words}**  \n{advice}", icon=icon)
    if view.healthy:
        st.success(view.healthy, icon=":material/verified:")
    for note in view.notes:
        st.caption(f":material/info: {note}")
    st.caption(f"{view.summary} {text('diagnosis.took', seconds=duration(done.seconds))}")
    if found.layers:
        _gradients(found)
        _units(found)
        _histograms(found)
        _table(found)


def _check(badge: Badge) -> None:
    """Draw whether the gradients are right, with the numbers beside it."""
    colour: dict[bool | None, Literal["green", "red", "gray"]] = {True: "green", False: "red", None: "gray"}
    icon = {True: ":material/verified:", False: ":material/error:", None: ":material/help:"}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(badge.label, color=colour[badge.good], icon=icon[badge.good])
        st.caption(badge.words, width="stretch")


def _gradients(found: Diagnosis) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{text('diagnosis.gradients')}**", width="content")
        quantity = st.segmented_control(
            text("diagnosis.gradients"), QUANTITIES, default=QUANTITIES[0], required=True,
            format_func=lambda q: text(f"diagnosis.{q}_short"), label_visibility="collapsed", key="diagnosis_quantity",
            persist_state="session",
        )  # fmt: skip
    view = dots_view(found, quantity or QUANTITIES[0])
    st.caption(text(f"diagnosis.{view.quantity}_help"))
    if not view.series:
        st.info(text("diagnosis.no_gradients"))
        return
    st.plotly_chart(dots_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="diagnosis_gradients",
                    alt=view.words)  # fmt: skip
    if view.total > len(view.labels):
        st.caption(text("diagnosis.more_layers", shown=len(view.labels), total=count(view.total)))


def _units(found: Diagnosis) -> None:
    view = units_view(found)
    if not view.total:
        return
    st.markdown(f"**{text('diagnosis.units')}**")
    st.caption(view.words)
    if view.bars:
        st.plotly_chart(bars_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="diagnosis_units",
                        alt=view.words)  # fmt: skip
        more = view.total - view.sound - len(view.bars)
        if more:
            st.caption(text("diagnosis.more_units", count=more))


def _histograms(found: Diagnosis) -> None:
    """Draw the weights and the activations of one layer, the first with a finding unless another is chosen."""
    labels = {x.name: x.label for x in found.layers if x.weights is not None or x.activations is not None}
    if not labels:
        return
    named = [name for finding in found.findings for name in finding.layers if name in labels]
    if st.session_state.get("diagnosis_layer") not in labels:
        st.session_state["diagnosis_layer"] = named[0] if named else next(iter(labels))
    st.markdown(f"**{text('diagnosis.distributions')}**")
    name = st.selectbox(
        text("diagnosis.layer"), list(labels), format_func=labels.__getitem__, key="diagnosis_layer",
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    layer = found.layer(name)
    quantities: tuple[Literal["weights", "activations"], ...] = ("weights", "activations")
    for column, quantity in zip(st.columns(2), quantities):
        view = histogram_view(layer, quantity)
        with column:
            if view is None:
                st.caption(text(f"diagnosis.no_{quantity}"))
                continue
            st.plotly_chart(histogram_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                            key=f"diagnosis_{quantity}", alt=view.words)  # fmt: skip
            if view.outside:
                st.caption(view.outside)


def _table(found: Diagnosis) -> None:
    shown = st.expander(text("diagnosis.table"), key="diagnosis_table", on_change="rerun")
    if shown.open:
        with shown:
            frame = pd.DataFrame(table_view(found).columns)
            st.dataframe(frame, hide_index=True, height="content" if len(frame) <= LONG else 36 * LONG,
                         column_config=_columns())  # fmt: skip


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "layer": config.TextColumn(text("diagnosis.col_layer"), width="medium"),
        "parameters": config.NumberColumn(text("diagnosis.col_parameters"), format="localized"),
        "norm": config.NumberColumn(text("diagnosis.col_norm"), format="%.3g"),
        "zeros": config.NumberColumn(text("diagnosis.col_zeros"), format="percent"),
        "gain": config.NumberColumn(text("diagnosis.col_gain"), format="%.2g", help=text("diagnosis.gain_help")),
        "initial": config.NumberColumn(text("diagnosis.col_initial"), format="%.2g"),
        "relative": config.NumberColumn(
            text("diagnosis.col_relative"), format="%.2g", help=text("diagnosis.relative_help")
        ),
        "dead": config.TextColumn(text("diagnosis.col_dead")),
        "saturated": config.TextColumn(text("diagnosis.col_saturated")),
    }
