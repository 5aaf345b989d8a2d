"""Below the front: one tab a question, of which only the open one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.live_chart import live_chart
from dashboard.components.parallel import parallel_tab
from dashboard.components.run_curves import curves_tab
from dashboard.components.run_failures import failure_banner, failures_tab
from dashboard.components.run_space import space_tab
from dashboard.components.run_table import candidates_tab
from dashboard.components.run_time import time_tab
from dashboard.components.run_work import draw_history, draw_work
from dashboard.figures.best_so_far import best_so_far_figure
from dashboard.figures.correlations import correlations_figure
from dashboard.figures.hypervolume import hypervolume_figure
from dashboard.texts import spoken, text
from dashboard.theme import PLOT, palette
from dashboard.views.best_so_far import best_so_far
from dashboard.views.card import measure_label
from dashboard.views.correlations import correlations_view
from dashboard.views.glossary import about
from dashboard.views.hypervolume import hypervolume_view
from dashboard.views.words import count, number
from dashboard.watching import Watched

if TYPE_CHECKING:
    from nas_core.search import Ranking

__all__ = ["run_tabs", "show_table"]

LABELS = {
    "table": "run.tab_table", "parallel": "parallel.tab", "curves": "run_curves.tab",
    "hypervolume": "run.tab_hypervolume", "failures": "run.tab_failures", "time": "run.tab_phases",
    "work": "steering.tab_work", "measures": "run.tab_measures", "space": "run_space.tab",
    "history": "steering.tab_history",
}  # fmt: skip
HYPERVOLUME_HEIGHT = 280
WARNED = 5
"""Pairs of measures that are named; of more, how many."""


def run_tabs(watched: Watched, ranked: Ranking, selection: state.Selection) -> None:
    """Draw the tabs of the Run page; only the open one is drawn."""
    failure_banner(watched)
    # labels never change: a tab whose label carried a count would close whenever the count grew
    tabs = st.tabs([text(key) for key in LABELS.values()], key="run_tabs", on_change="rerun")
    draw = {
        "table": lambda: candidates_tab(watched, ranked),
        "parallel": lambda: parallel_tab(watched, ranked, selection, show_table),
        "curves": lambda: curves_tab(watched, ranked, selection),
        "hypervolume": lambda: _grown(watched, ranked),
        "failures": lambda: failures_tab(watched),
        "time": lambda: time_tab(watched),
        "work": lambda: draw_work(watched),
        "measures": lambda: _measures(watched, ranked),
        "space": lambda: space_tab(watched, ranked.preference),
        "history": lambda: draw_history(watched),
    }
    for name, tab in zip(LABELS, tabs):
        if tab.open:
            with tab:
                draw[name]()


def show_table() -> None:
    """From a callback: open the table at the next draw."""
    st.session_state["run_tabs"] = text(LABELS["table"])


def _grown(watched: Watched, ranked: Ranking) -> None:
    """Draw how the front grew, and beside it how the best one did."""
    left, right = st.columns(2, gap="medium")
    with left:
        _hypervolume(watched)
    with right:
        _best(watched, ranked)


def _best(watched: Watched, ranked: Ranking) -> None:
    view = best_so_far(watched.snapshot, ranked)
    if not len(view.candidates):
        return
    words = text("best.words", metric=view.metric, value=number(float(view.performance[-1])),
                 at_weight=number(float(view.at_weight[-1])))  # fmt: skip
    st.caption(words)
    figure = best_so_far_figure(view, palette(state.is_dark()), height=HYPERVOLUME_HEIGHT)
    figure.layout.template = None  # longer than the curves
    live_chart(str(figure.to_json()), height=HYPERVOLUME_HEIGHT, key=f"best_{watched.record.id}", words=words)


def _hypervolume(watched: Watched) -> None:
    view = hypervolume_view(watched.archive, len(watched.snapshot))
    if not len(view.candidates):
        st.caption(text("run.sentence_first"))
        return
    value = number(view.last)
    measures = ", ".join(measure_label(name) for name in watched.view.search)
    st.caption(text("run.hypervolume_caption", value=value, count=count(int(view.candidates[-1])), measures=measures,
                    floor=number(view.floor)), help=about("hypervolume"))  # fmt: skip
    labels = {name: text(f"run.hypervolume_{name}") for name in ("x", "y", "floor")}
    figure = hypervolume_figure(view, palette(state.is_dark()), labels, height=HYPERVOLUME_HEIGHT)
    figure.layout.template = None  # longer than the curve
    live_chart(str(figure.to_json()), height=HYPERVOLUME_HEIGHT, key=f"hypervolume_{watched.record.id}",
               words=text("run.hypervolume_words", value=value))  # fmt: skip


def _measures(watched: Watched, ranked: Ranking) -> None:
    """Draw how alike the measures rank the candidates, and what counts twice under the weights of this tab."""
    from nas_core.search.correlations import FEWEST, TELLING, correlate

    snapshot = watched.snapshot
    eligible = int(snapshot.eligible.sum())
    if eligible < FEWEST:
        st.caption(text("correlations.few"))
        return
    view = correlations_view(correlate(snapshot, ranked.preference), spoken(snapshot.objective.label))
    if view.warnings:
        told, more = list(view.warnings[:WARNED]), len(view.warnings) - WARNED
        told += [text("correlations.more", count=more)] if more > 0 else []
        lines = told if len(told) == 1 else [f"* {line}" for line in told]
        st.warning("\n".join(lines), icon=":material/content_copy:")
    st.caption(text("correlations.caption", n=count(eligible)))
    st.plotly_chart(correlations_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                    key=f"correlations_{watched.record.id}", alt=view.summary)  # fmt: skip
    if not view.warnings:
        st.caption(text("correlations.none" if eligible >= TELLING else "correlations.soon", telling=TELLING))
    if view.reasons:
        st.caption(text("correlations.reasons", reasons="; ".join(view.reasons)))
