"""The Lineage tab: ancestors and descendants of a candidate, and what each step changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import space_of
from dashboard.components.performed import ranked_now
from dashboard.components.pool import pool_of
from dashboard.figures.lineage import lineage_figure
from dashboard.texts import text
from dashboard.theme import PLOT_ZOOMED, palette
from dashboard.views.lineage import LineageView, lineage_view
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation

__all__ = ["lineage_tab"]

CHART = "lineage_graph"


def lineage_tab(run_id: str, found: Evaluation, objective: Objective, known: int) -> None:
    """Draw the tab; ``known`` counts the run's evaluations, so that a growing run is looked at again."""
    _, ranked = ranked_now(run_id)
    view = _view(run_id, found.id, known, ranked.preference.model_dump_json(), objective)
    if len(view.nodes) == 1:
        st.info(text("lineage.alone", beginning=" ".join(view.beginning)), icon=":material/info:")
        return

    def clicked() -> None:
        points = st.session_state.get(f"{CHART}_{found.id}", {}).get("selection", {}).get("points", [])
        picked = [p["customdata"] for p in points if p.get("customdata")]
        if picked:
            other = picked[0][0] if isinstance(picked[0], list) else picked[0]
            if other != found.id:
                state.choose(state.Selection(run_id, str(other)))

    told = text("lineage.words", ancestors=sum(n.kind == "ancestor" for n in view.nodes) + view.more_ancestors,
                descendants=sum(n.kind == "descendant" for n in view.nodes) + view.more_descendants)  # fmt: skip
    st.plotly_chart(lineage_figure(view, palette(state.is_dark())), theme=None, config=PLOT_ZOOMED,
                    key=f"{CHART}_{found.id}", on_select=clicked, selection_mode="points", alt=told)  # fmt: skip
    more = [text(f"lineage.more_{kind}", count=count) for kind, count in
            (("ancestors", view.more_ancestors), ("descendants", view.more_descendants)) if count]  # fmt: skip
    st.caption(markdown_text(" ".join([told, *view.beginning, *more])))
    _edges(run_id, view)


@st.cache_resource(max_entries=32, show_spinner=False)
def _view(run_id: str, candidate_id: str, known: int, preference: str, _objective: Objective) -> LineageView:
    watched, ranked = ranked_now(run_id)
    values = {i: float(v) for i, v in zip(watched.snapshot.ids, ranked.interpretability) if np.isfinite(v)}
    return lineage_view(pool_of(run_id).evaluations(), candidate_id, values, _objective, space_of(run_id))


def _edges(run_id: str, view: LineageView) -> None:
    """Draw every step as a line of a table; choosing one opens its child."""
    names = [f"#{e.parent_number} → #{e.child_number}" for e in view.edges]
    marks = {True: "▲ ", False: "▼ ", None: ""}
    columns = {
        text("lineage.step"): names,
        text("lineage.operator"): [e.operator + (f" · {text('lineage.inherited')}" if e.inherited else "")
                                   for e in view.edges],
        text("lineage.delta", metric=view.metric): [marks[e.better] + e.performance for e in view.edges],
        text("lineage.delta_interpretability"): [e.interpretability for e in view.edges],
        text("lineage.edit"): ["; ".join(e.changes) or text("candidate.raised_same") for e in view.edges],
    }  # fmt: skip

    def chosen() -> None:
        picked = st.session_state["lineage_table"]["selection"]["rows"]
        if picked:
            state.choose(state.Selection(run_id, view.edges[picked[0]].child))

    wide = st.column_config.TextColumn(width="large")
    st.dataframe(columns, hide_index=True, key="lineage_table", on_select=chosen, selection_mode="single-row",
                 height="content" if len(names) < 9 else 300, column_config={text("lineage.edit"): wide})  # fmt: skip
