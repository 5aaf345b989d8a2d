"""The tab with all candidates: filters, columns, selection of one or several, and the shown rows as a file."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.front_chosen import show_in_table
from dashboard.components.marks import marks_of
from dashboard.components.run_memory import memory_of
from dashboard.components.table_filters import brush_of, choose_columns, filter_bar, filter_in_force, keep_brush
from dashboard.texts import language, text
from dashboard.theme import palette
from dashboard.views.axes import Axis, axes_view
from dashboard.views.candidates import Candidates, all_candidates, as_csv
from dashboard.views.table_filter import TableFilter, wanted
from dashboard.views.words import count, number
from dashboard.watching import Memory, Watched, remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from nas_core.search import Ranking
    from nas_core.spaces import Choice
    from nas_core.store import Mark

__all__ = ["axes_of", "candidates_tab"]

SHOWN, GENERATION = "nasight_table", "nasight_table_generation"
STILL = 1_000
"""Rows above which the table of a live run waits for a person to ask for the new ones."""
HEIGHT = 340
MOST_COMPARED = 6
_KEPT_TABLES = 8


class Asked(NamedTuple):
    """What a table is made of: the run, what of it is wanted, what people said, the moment it is at."""

    run: str
    wish: TableFilter
    past: int
    marks: int
    created: float
    candidates: int
    space: str
    preference: str
    language: str

    def wants(self, other: Asked) -> bool:
        """Return whether another one is of the same run, looked at in the same way."""
        return (self.run, self.wish, self.past) == (other.run, other.wish, other.past)


@dataclass(frozen=True)
class Shown:
    """The table a person looks at, and what it was made for."""

    asked: Asked
    table: Candidates

    @cached_property
    def frame(self) -> pa.Table:
        """The table as it is drawn, for all tabs and looks; a table that is never drawn is never made one."""
        import pyarrow as pa

        return pa.Table.from_pandas(pd.DataFrame(self.table.columns), preserve_index=False)


_TABLES: Memory[Shown] = OrderedDict()


def axes_of(watched: Watched, ranked: Ranking) -> tuple[Axis, ...]:
    """Return everything that the candidates of a run can be compared by."""
    variables = memory_of(watched.view).variables(watched.view, watched.snapshot)
    return axes_view(watched.snapshot, ranked, variables)


def candidates_tab(watched: Watched, ranked: Ranking) -> None:
    """Draw the tab."""
    if not len(watched.snapshot):
        st.caption(text("run.sentence_first"))
        return
    marks = marks_of(watched.record.id)
    axes = axes_of(watched, ranked)
    with st.container(horizontal=True, vertical_alignment="bottom", key="table_bar"):
        filter_bar(watched, axes, marks)
        columns = st.container(width="content")
        download = st.container(width="content")
    asked = _asked(watched, ranked, marks)
    shown, newer = _in_view(watched, asked, partial(_fresh, watched, ranked, marks, axes, asked))
    with columns:
        chosen = choose_columns(watched.record.id, list(shown.table.columns), watched.snapshot.names,
                                dict(shown.table.labels))  # fmt: skip
    with download:
        st.download_button(
            text("table.download"), partial(as_csv, shown.table, chosen), f"{watched.record.id}-candidates.csv",
            "text/csv", icon=":material/download:", on_click="ignore", key="table_download",
        )  # fmt: skip
    _brushed(watched.record.id, axes)
    _narrowed(watched.record.id, shown)
    _caption(watched, shown, asked.candidates if newer else None)
    st.dataframe(
        shown.frame.select(chosen), hide_index=True, height=HEIGHT, key=_table_key(), on_select=_pick, placeholder="",
        selection_mode="multi-row", selection_default=_still_selected(shown),
        column_config=_configs(watched, shown.table.labels, chosen), alt=text("table.alt"),
    )  # fmt: skip


def _asked(watched: Watched, ranked: Ranking, marks: dict[str, Mark]) -> Asked:
    """Return what the table would be made of now."""
    record, snapshot = watched.record, watched.snapshot
    past = len(snapshot) if len(snapshot) < len(watched.archive) else 0
    return Asked(record.id, filter_in_force(record.id), past, hash(tuple(marks.values())), record.created,
                 len(snapshot), watched.space.id, ranked.preference.model_dump_json(), language())  # fmt: skip


def _fresh(
    watched: Watched, ranked: Ranking, marks: dict[str, Mark], axes: tuple[Axis, ...], asked: Asked
) -> Shown:  # fmt: skip
    """Return the table as it would be now, one for all tabs that ask for the same."""
    key = (watched.snapshot.revision, *asked)
    return remembered(
        _TABLES, key, lambda: _worked_out(watched, ranked, marks, axes, asked), kept=_KEPT_TABLES
    )  # fmt: skip


def _worked_out(
    watched: Watched, ranked: Ranking, marks: dict[str, Mark], axes: tuple[Axis, ...], asked: Asked
) -> Shown:  # fmt: skip
    snapshot, memory = watched.snapshot, memory_of(watched.view)

    def holding(choice: Choice) -> Any:
        return memory.holding(watched.view, snapshot, choice)

    kept = wanted(snapshot, ranked, marks, axes, holding, asked.wish)
    return Shown(asked, all_candidates(snapshot, ranked, marks, axes, kept))


def _in_view(watched: Watched, asked: Asked, fresh: Callable[[], Shown]) -> tuple[Shown, bool]:
    """Return the table to show, and whether there is a newer one to ask for.

    The one in view stays while rows are selected in it, and while it is long and live: then nobody makes a newer one.
    """
    kept: Shown | None = st.session_state.get(SHOWN)
    if kept is not None and kept.asked.wants(asked):
        if watched.progress.live and len(kept.table.ids) > STILL and kept.asked.marks == asked.marks:
            return kept, kept.asked != asked
        if _rows():
            return kept, kept.table.ids != fresh().table.ids
    found = fresh()
    if kept is not None and kept.table.ids != found.table.ids:
        _renew([])
    st.session_state[SHOWN] = found
    return found, False


def _caption(watched: Watched, shown: Shown, newest: int | None) -> None:
    """Say what is shown; where there is a newer table, of ``newest`` candidates, let a person ask for it."""
    rows, table = len(shown.table.ids), shown.table
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        key = "table.none" if not rows else "table.caption" if shown.asked.wish.count else "table.caption_all"
        st.caption(text(key, rows=count(rows), total=count(table.total)), width="stretch")
        picked = [table.ids[row] for row in _rows() if row < rows]
        if len(picked) > 1:
            _compare(watched, picked)
        if newest is not None:
            new = max(0, newest - table.total)
            st.button(text("table.update", new=count(new)), type="tertiary", on_click=_renew, args=(picked,),
                      key="table_update")  # fmt: skip


def _compare(watched: Watched, picked: list[str]) -> None:
    """Offer to compare the selected rows, where the studio has a page for that."""
    if "compare" not in state.PAGES:
        st.caption(text("table.selected", count=count(len(picked))), width="content")
        return
    few = picked[:MOST_COMPARED]
    query = {"run": watched.record.id, "compare": ",".join(few)}
    words = text("table.compare" if len(few) == len(picked) else "table.compare_first", count=len(few))
    st.page_link("pages/compare.py", label=words, icon=":material/compare_arrows:", query_params=query)


def _brushed(run_id: str, axes: tuple[Axis, ...]) -> None:
    """Say what was taken over from the parallel coordinates, and let a person drop it."""
    ranges = brush_of(run_id)
    if not ranges:
        return
    by_name = {axis.name: axis for axis in axes}
    told = [_range_words(by_name[name], low, high) for name, low, high in ranges if name in by_name]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(text("table.brushed", ranges="; ".join(told)), width="content")
        st.button(text("table.brush_drop"), type="tertiary", on_click=keep_brush, args=(run_id, ()), key="brush_drop")


def _narrowed(run_id: str, shown: Shown) -> None:
    """Say that only what is chosen on the front is shown, and let a person see all again."""
    if not shown.asked.wish.chosen:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(text("chosen.table", count=count(len(shown.table.ids))), width="content")
        st.button(text("chosen.table_all"), type="tertiary", on_click=show_in_table, args=(run_id, False),
                  key="chosen_drop")  # fmt: skip


def _range_words(axis: Axis, low: float, high: float) -> str:
    if axis.options:
        inside = [word for at, word in enumerate(axis.options) if low <= at <= high]
        return text("table.range_words", name=axis.label, words=", ".join(inside) or "–")
    return text("table.range", name=axis.label, low=number(low), high=number(high))


def _table_key() -> str:
    return f"candidates_{st.session_state.get(GENERATION, 0)}"


def _rows() -> list[int]:
    return list(st.session_state.get(_table_key(), {}).get("selection", {}).get("rows", []))


def _renew(picked: list[str]) -> None:
    """Begin a new table, in which these candidates are selected."""
    st.session_state[GENERATION] = st.session_state.get(GENERATION, 0) + 1
    st.session_state[f"{SHOWN}_picked"] = picked
    st.session_state.pop(SHOWN, None)


def _still_selected(shown: Shown) -> Any:
    picked = set(st.session_state.get(f"{SHOWN}_picked", ()))
    rows = [at for at, key in enumerate(shown.table.ids) if key in picked] if picked else []
    return {"selection": {"rows": rows, "columns": [], "cells": []}} if rows else None


def _pick() -> None:
    """One selected row is the candidate in view; of several a person wants to compare, and the view stays."""
    rows, shown = _rows(), st.session_state[SHOWN]
    if len(rows) < 2:
        state.choose(state.Selection(shown.asked.run, shown.table.ids[rows[0]] if rows else None))


def _configs(watched: Watched, labels: Any, chosen: list[str]) -> dict[str, Any]:
    config, snapshot = st.column_config, watched.snapshot
    orange = palette(state.is_dark()).interpretability
    special: dict[str, Any] = {
        "rank": config.NumberColumn(labels["rank"], format="%d", width=80, help=text("table.rank_help")),
        "star": config.TextColumn(labels["star"], width=40),
        "number": config.NumberColumn(labels["number"], format="%d", width=60),
        "on_front": config.CheckboxColumn(labels["on_front"], width=60),
        "performance": config.NumberColumn(snapshot.objective.label, format="%.4g"),
        "half": config.NumberColumn(labels["half"], format="%.2g", width="small"),
        "interpretability": config.ProgressColumn(
            labels["interpretability"], format="%.2f", min_value=0, max_value=1, color=orange
        ),
        "note": config.TextColumn(labels["note"], width="medium"),
    }  # fmt: skip
    special |= {name: config.NumberColumn(labels[name], format="localized") for name in ("parameters", "operations")}
    special |= {name: config.NumberColumn(labels[name], format="%.2f") for name in (*snapshot.names, "seconds")}
    return {name: special.get(name, labels[name]) for name in chosen}
