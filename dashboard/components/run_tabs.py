"""Below the front: the table, who is in work, failures, hypervolume, time, history; only the open tab is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.live_chart import live_chart
from dashboard.components.run_space import space_tab
from dashboard.components.run_work import draw_failures, draw_history, draw_work
from dashboard.figures.correlations import correlations_figure
from dashboard.figures.hypervolume import hypervolume_figure
from dashboard.texts import spoken, text
from dashboard.theme import palette
from dashboard.views.card import measure_label
from dashboard.views.correlations import correlations_view
from dashboard.views.glossary import about
from dashboard.views.hypervolume import hypervolume_view
from dashboard.views.table import ROWS, CandidateTable, candidate_table
from dashboard.views.words import count, duration, number
from dashboard.watching import Watched

if TYPE_CHECKING:
    from nas_core.search import Ranking

__all__ = ["run_tabs"]

SHOWN = "nasight_table"
HYPERVOLUME_HEIGHT = 280
WARNED = 5
"""Pairs of measures that are named; of more, how many."""


def run_tabs(watched: Watched, ranked: Ranking, selection: state.Selection) -> None:
    """Draw the tabs of the Run page."""
    failed = watched.snapshot.counts()
    lost = sum(failed[name] for name in ("failed", "ineligible", "cancelled", "pruned"))
    # labels never change: a tab whose label carried a count would close whenever the count grew
    labels = {
        "table": "run.tab_table", "work": "steering.tab_work", "failures": "run.tab_failures",
        "hypervolume": "run.tab_hypervolume", "measures": "run.tab_measures", "phases": "run.tab_phases",
        "space": "run_space.tab", "history": "steering.tab_history",
    }  # fmt: skip
    tabs = st.tabs([text(key) for key in labels.values()], key="run_tabs", on_change="rerun")
    draw = {
        "table": lambda: _table(watched, ranked, selection),
        "work": lambda: draw_work(watched),
        "failures": lambda: draw_failures(watched, lost),
        "hypervolume": lambda: _hypervolume(watched),
        "measures": lambda: _measures(watched, ranked),
        "phases": lambda: _phases(watched),
        "space": lambda: space_tab(watched, ranked.preference),
        "history": lambda: draw_history(watched),
    }
    for name, tab in zip(labels, tabs):
        if tab.open:
            with tab:
                draw[name]()


def _table(watched: Watched, ranked: Ranking, selection: state.Selection) -> None:
    """Draw the best candidates; once a row is picked the order stays until a person asks for the new one."""
    fresh = candidate_table(watched.snapshot, ranked)
    if not fresh.ids:
        st.caption(text("run.sentence_none" if len(watched.snapshot) else "run.sentence_first"))
        return
    kept: tuple[str, CandidateTable] | None = st.session_state.get(SHOWN)
    table = fresh
    frozen = kept is not None and kept[0] == watched.record.id and bool(_rows())
    if frozen and kept is not None:
        table = kept[1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(text("run.table_caption", rows=min(ROWS, len(table.ids)), total=count(table.total)), width="stretch")
        if table.ids != fresh.ids:
            new = count(fresh.total - table.total)
            st.button(text("run.table_update", new=new), type="tertiary", on_click=_unfreeze)
    st.session_state[SHOWN] = (watched.record.id, table)
    st.dataframe(
        _frame(table), hide_index=True, height=320, key=_table_key(), on_select=_pick,
        selection_mode="single-row", column_config=_columns(watched),
    )  # fmt: skip


def _table_key() -> str:
    return f"candidates_{st.session_state.get('nasight_table_generation', 0)}"


def _rows() -> list[int]:
    return st.session_state.get(_table_key(), {}).get("selection", {}).get("rows", [])


def _unfreeze() -> None:
    st.session_state["nasight_table_generation"] = st.session_state.get("nasight_table_generation", 0) + 1


def _pick() -> None:
    rows, (run, table) = _rows(), st.session_state[SHOWN]
    state.choose(state.Selection(run, table.ids[rows[0]] if rows else None))


def _frame(table: CandidateTable) -> pd.DataFrame:
    return pd.DataFrame(table.columns)


def _columns(watched: Watched) -> dict[str, Any]:
    config = st.column_config
    columns: dict[str, Any] = {
        "number": config.NumberColumn(text("run.col_number"), width="small"),
        "on_front": config.CheckboxColumn(text("run.col_on_front"), width="small"),
        "performance": config.NumberColumn(spoken(watched.snapshot.objective.label), format="%.3f"),
        "half": config.NumberColumn(text("run.col_half"), format="%.3f", width="small"),
        "interpretability": config.ProgressColumn(
            text("run.col_interpretability"),
            format="%.2f",
            min_value=0,
            max_value=1,
            color=palette(state.is_dark()).interpretability,
        ),
        "operator": config.TextColumn(text("run.col_operator")),
    }
    for name in ("parameters", "operations"):
        columns[name] = config.NumberColumn(text(f"run.col_{name}"), format="localized")
    for name in watched.snapshot.names:
        columns[name] = config.NumberColumn(measure_label(name), format="%.2f")
    return columns


def _hypervolume(watched: Watched) -> None:
    view = hypervolume_view(watched.archive)
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
    st.plotly_chart(correlations_figure(view, palette(state.is_dark())), theme=None, config={"displayModeBar": False},
                    key=f"correlations_{watched.record.id}", alt=view.summary)  # fmt: skip
    if not view.warnings:
        st.caption(text("correlations.none" if eligible >= TELLING else "correlations.soon", telling=TELLING))
    if view.reasons:
        st.caption(text("correlations.reasons", reasons="; ".join(view.reasons)))


def _phases(watched: Watched) -> None:
    phases = watched.progress.phases
    total = sum(phases.values())
    rest = total - phases["train"] - phases["measure"]
    st.caption(
        text("run.phases_caption", elapsed=duration(total), train=duration(phases["train"]),
             measure=duration(phases["measure"]), rest=duration(rest))
    )  # fmt: skip
    colours = palette(state.is_dark())
    cells = "".join(
        f"<div>{text(f'run.phase_{name}')}</div>"
        f'<div style="background:{colours.grid};height:10px;border-radius:3px"><div style="height:100%;'
        f'border-radius:3px;background:{colours.accuracy};width:{100 * spent / (total or 1):.1f}%"></div></div>'
        f'<div style="text-align:right">{duration(spent)}</div>'
        for name, spent in phases.items()
    )
    st.html(
        '<div style="display:grid;grid-template-columns:max-content minmax(8rem,32rem) 7em;gap:6px 12px;'
        f'align-items:center;font-size:.9rem;color:{colours.ink}">{cells}</div>'
    )
