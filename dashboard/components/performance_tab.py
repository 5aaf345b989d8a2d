"""The Performance tab: every metric with its interval, what goes wrong for whom, on validation rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import problem_of
from dashboard.components.performed import confusion_of, metrics_of, predicted_of, residuals_of, rows_of
from dashboard.components.row_picker import ROW
from dashboard.components.subgrouped import subgroups_of
from dashboard.figures.audit import groups_figure
from dashboard.figures.performance import (
    confusion_figure,
    pr_figure,
    reliability_figure,
    residual_figures,
    roc_figure,
)
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.audit import groups_view
from dashboard.views.performance import (
    confusion_view,
    metric_rows,
    reliability_view,
    residuals_view,
    threshold_view,
)
from dashboard.views.words import count, number
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.records import Estimate, Evaluation

__all__ = ["performance_tab"]

CELL = "performance_cell"
"""Session key: the cell of the confusion matrix (true class, predicted class) whose rows are listed."""
LISTED = 50
SAME = 2e-3  # difference between the noted metric and that of the stored weights that is put down to rounding
CLASS, TARGET = ("confusion", "thresholds", "reliability", "subgroups"), ("residuals", "subgroups")


def performance_tab(run_id: str, found: Evaluation) -> None:
    """Draw the tab.

    Raises:
        NasightError: The candidate has no stored weights, or they cannot be read.
    """
    if found.weights is None:
        st.info(text("performance.no_weights"), icon=":material/info:")
        return
    with st.spinner(text("performance.working"), show_time=True):
        problem = problem_of(run_id)
        metrics = metrics_of(run_id, found.id)
    st.caption(text("performance.about", rows=count(len(problem.valid))))
    _noted(problem, metrics, found)
    _metrics(problem, metrics)
    parts = CLASS if problem.task == "classification" else TARGET
    labels = {name: text(f"performance.part_{name}") for name in parts}
    chosen = st.segmented_control(
        text("along.tab_performance"), parts, default=parts[0], required=True, format_func=labels.__getitem__,
        label_visibility="collapsed", key=f"performance_part_{problem.task}", persist_state="session",
    )  # fmt: skip
    if chosen == "thresholds":
        _thresholds(problem, run_id, found.id)
    elif chosen == "reliability":
        _reliability(problem, run_id, found.id)
    elif chosen == "subgroups":
        _subgroups(run_id, found.id)
    elif chosen == "residuals":
        _residuals(problem, run_id, found.id)
    else:
        _confusion(problem, run_id, found.id)


def _noted(problem: Problem, metrics: dict[str, Estimate], found: Evaluation) -> None:
    """Say so where what is predicted now is not what the run noted."""
    now = metrics.get(problem.objective.name)
    if now is None or found.performance is None or abs(now.value - found.performance.value) <= SAME:
        return
    told = {"noted": number(found.performance.value), "now": number(now.value), "metric": problem.objective.label}
    st.caption(f":material/info: {text('performance.differs', **told)}")


def _metrics(problem: Problem, found: dict[str, Estimate]) -> None:
    rows = metric_rows(found, problem.objective.name)
    columns = {
        text("performance.metric"): [f"{r.label} {text('performance.searched')}" if r.searched else r.label
                                     for r in rows],
        text("performance.value"): [r.value for r in rows],
        text("performance.interval"): [r.between for r in rows],
        text("performance.better"): [r.better for r in rows],
        text("performance.means"): [r.words for r in rows],
    }  # fmt: skip
    means = st.column_config.TextColumn(width="large")
    st.dataframe(columns, hide_index=True, width="stretch", row_height=28,
                 column_config={text("performance.means"): means})  # fmt: skip


def _confusion(problem: Problem, run_id: str, candidate_id: str) -> None:
    found, classes = confusion_of(run_id, candidate_id), problem.dataset.classes
    view = confusion_view(found, classes)
    chosen = st.session_state.get(CELL)

    def clicked() -> None:
        points = st.session_state.get("performance_confusion", {}).get("selection", {}).get("points", [])
        cells = [p["customdata"] for p in points if p.get("customdata")]
        if cells:
            st.session_state[CELL] = (int(cells[0][0]), int(cells[0][1]))

    st.plotly_chart(
        confusion_figure(view, palette(state.is_dark()), chosen=chosen), theme=None, config=PLOT, alt=view.spoken,
        key="performance_confusion", on_select=clicked, selection_mode="points",
    )  # fmt: skip
    hidden = " " + text("performance.hidden_classes", count=view.hidden) if view.hidden else ""
    st.caption(f"{text('performance.confusion_words', spoken=markdown_text(view.spoken))}{hidden}")
    pairs = [(a, p) for a in view.index for p in view.index if found.counts[a, p]]
    named = {(a, p): text("performance.pair", actual=classes[a], predicted=classes[p], count=int(found.counts[a, p]))
             for a, p in pairs}  # fmt: skip
    if chosen is not None and tuple(chosen) not in named:
        st.session_state.pop(CELL)
    cell = st.selectbox(text("performance.rows_of"), pairs, None, format_func=named.__getitem__, key=CELL,
                        placeholder=text("performance.choose_cell"))  # fmt: skip
    if cell is not None:
        _rows(run_id, candidate_id, found.rows(*cell))


def _rows(run_id: str, candidate_id: str, at: np.ndarray) -> None:
    """List rows, the most wrong first; choosing one brings it into view on the Explain and the What-if tab."""
    table = rows_of(run_id, candidate_id)
    order = at[np.argsort(-table.error[at], kind="stable")][:LISTED]
    told = [table.told(int(i)) for i in order]
    columns = {
        text("candidate.row"): [int(r) for r in table.rows[order]],
        table.target: [actual for actual, _ in told],
        text("rows.predicted"): [predicted for _, predicted in told],
        text("rows.error"): [number(float(v)) for v in table.error[order]],
    }

    def chosen() -> None:
        picked = st.session_state["performance_rows"]["selection"]["rows"]
        if picked:
            _look_at(int(table.rows[order[picked[0]]]))

    st.dataframe(columns, hide_index=True, height="content" if len(order) < 7 else 240, key="performance_rows",
                 on_select=chosen, selection_mode="single-row")  # fmt: skip
    st.caption(text("performance.rows_words", count=len(order), all=len(at)))


def _look_at(row: int) -> None:
    """From a callback: bring a row into view."""
    st.session_state[ROW] = row
    st.session_state["candidate_tab"] = text("candidate.tab_explain")
    for key in ("explain_part", "signal_part"):
        st.session_state[key] = "waterfall" if key == "explain_part" else "one"


def _class_of(problem: Problem) -> int:
    """Return the class whose probability is looked at: the second of two, else the one a person chooses."""
    classes = problem.dataset.classes
    if len(classes) == 2:
        return 1
    chosen = st.selectbox(text("candidate.class"), range(len(classes)), format_func=classes.__getitem__,
                          key="performance_class", persist_state="session")  # fmt: skip
    return int(chosen or 0) if int(chosen or 0) < len(classes) else 0


def _thresholds(problem: Problem, run_id: str, candidate_id: str) -> None:
    from nas_core.evaluation.classified import thresholds

    at, table = _class_of(problem), rows_of(run_id, candidate_id)
    assert table.shares is not None
    positive, name = table.actual == at, problem.dataset.classes[at]
    predicted = predicted_of(run_id, candidate_id)
    found = thresholds(positive, predicted[:, 0] if problem.C == 1 else table.shares[:, at])
    if found is None:
        st.info(text("performance.one_class", name=markdown_text(name)))
        return
    area = metrics_of(run_id, candidate_id).get("roc_auc") if problem.C == 1 else None
    view = threshold_view(found, name, area, table.predicted == at, positive)
    colours = palette(state.is_dark())
    left, right = st.columns(2)
    with left:
        st.plotly_chart(roc_figure(view, colours), theme=None, config=PLOT, key="performance_roc", alt=view.roc_words)
        st.caption(view.roc_words)
    with right:
        st.plotly_chart(pr_figure(view, colours), theme=None, config=PLOT, key="performance_pr", alt=view.pr_words)
        st.caption(view.pr_words)


def _reliability(problem: Problem, run_id: str, candidate_id: str) -> None:
    from nas_core.evaluation.classified import reliability

    at, table = _class_of(problem), rows_of(run_id, candidate_id)
    assert table.shares is not None
    view = reliability_view(reliability(table.actual == at, table.shares[:, at]), problem.dataset.classes[at])
    st.plotly_chart(reliability_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                    key="performance_reliability", alt=view.words)  # fmt: skip
    st.caption(view.words)


def _residuals(problem: Problem, run_id: str, candidate_id: str) -> None:
    view = residuals_view(residuals_of(run_id, candidate_id), problem.valid.rows, problem.dataset.target)
    figures = residual_figures(view, palette(state.is_dark()), chosen=st.session_state.get(ROW))
    names = ("fit", "residual", "normal")
    columns = [*st.columns(2), st.container()]
    for name, figure, column in zip(names, figures, columns):

        def clicked(key: str = f"performance_{name}") -> None:
            points = st.session_state.get(key, {}).get("selection", {}).get("points", [])
            rows = [p["customdata"][0] for p in points if p.get("customdata")]
            if rows:
                _look_at(int(rows[0]))

        with column:
            st.plotly_chart(figure, theme=None, config=PLOT, key=f"performance_{name}", on_select=clicked,
                            selection_mode="points", alt=text(f"performance.{name}_alt"))  # fmt: skip
    st.caption(view.words)
    if problem.spec.target_transform != "none":
        st.caption(
            text(
                "performance.transformed",
                output=markdown_text(problem.output_name),
                target=markdown_text(problem.dataset.target),
            )
        )
    if view.drawn < view.all:
        st.caption(text("performance.thinned", drawn=count(view.drawn), all=count(view.all)))


def _subgroups(run_id: str, candidate_id: str) -> None:
    with st.spinner(text("performance.subgroups_working"), show_time=True):
        view = groups_view(subgroups_of(run_id, candidate_id))
    if view.bars:
        told = "; ".join(f"{b.name} {b.value:.2f}" for b in view.bars)
        st.plotly_chart(groups_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                        key="performance_groups", alt=told)  # fmt: skip
    more = f" {text('audit.groups_hidden', count=view.hidden)}" if view.hidden else ""
    st.caption(f"{text('audit.groups_help')}  \n{markdown_text(view.words)}{more}")
