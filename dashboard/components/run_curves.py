"""The tab with learning curves: the front, the stars, what was stopped early, and the candidates in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.live_chart import live_chart
from dashboard.components.marks import marks_of
from dashboard.figures.run_curves import run_curves_figure
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.views.run_curves import GROUPS, QUANTITIES, curves_of, drawn_candidates
from dashboard.views.words import count
from dashboard.watching import Watched

if TYPE_CHECKING:
    from nas_core.search import Ranking

__all__ = ["curves_tab"]

HEIGHT = 330


def curves_tab(watched: Watched, ranked: Ranking, selection: state.Selection) -> None:
    """Draw the tab."""
    if not len(watched.snapshot):
        st.caption(text("run.sentence_first"))
        return
    run_id, snapshot = watched.record.id, watched.snapshot
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        groups = st.pills(text("run_curves.groups"), GROUPS, selection_mode="multi", default=["front"],
                          key=f"curves_groups_{run_id}", persist_state="session",
                          format_func=lambda name: text(f"run_curves.{name}"))  # fmt: skip
        quantity = st.segmented_control(
            text("run_curves.quantity"), QUANTITIES, default=QUANTITIES[0], key=f"curves_quantity_{run_id}",
            required=True, format_func=lambda name: text(f"run_curves.{name}"), persist_state="session",
        ) or QUANTITIES[0]  # fmt: skip
        log = st.toggle(text("run_curves.log"), key=f"curves_log_{run_id}", persist_state="session")
    starred = [key for key, mark in marks_of(run_id).items() if mark.star]
    best = None if ranked.best is None else snapshot.ids[ranked.best]
    drawn = drawn_candidates(snapshot, ranked, groups, starred, [best, selection.candidate])
    found = [(e, kind) for key, kind in drawn.items() if (e := watched.evaluation(key)) is not None]
    view = curves_of(found, quantity)
    if not view.curves:
        st.caption(text("run_curves.none_performance" if quantity == "performance" else "run_curves.none"))
        return
    labels: dict[str, str] = {
        "x": text("curves.epoch"), "ended": text("run_curves.ended"), "chosen": text("run_curves.chosen"),
        "y": snapshot.objective.label if quantity == "performance" else text(f"run_curves.{quantity}"),
        **{name: text(f"run_curves.{name}") for name in GROUPS},
    }  # fmt: skip
    figure = run_curves_figure(view, palette(state.is_dark()), labels, log=log, height=HEIGHT)
    figure.layout.template = None  # longer than the curves
    words = text("run_curves.words", count=count(len(view.curves)), quantity=labels["y"],
                 early=count(sum(bool(c.ended) for c in view.curves)))  # fmt: skip
    live_chart(str(figure.to_json()), height=HEIGHT, words=words, key=f"run_curves_{run_id}")
    st.caption(words if not view.missing else f"{words} {text('run_curves.missing', count=count(view.missing))}")
