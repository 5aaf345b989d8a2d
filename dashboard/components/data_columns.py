"""The columns of a table: their kinds, which a person corrects, and what is suspicious about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.texts import said, spoken, text
from nas_core.data.leaks import ColumnWarning, column_warnings
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from dashboard.views.data import TableView
    from nas_core.data import DataSource, Problem

__all__ = ["edit_columns", "show_warnings", "warnings_of"]

SHOWN = 6
KINDS = ["numeric", "categorical", "ignore"]
FLAG_WIDTH = 118  # pixels: as wide as the longest phrase


def _key(place: DataSource) -> str:
    return f"{place.location}_{place.target}"


def edit_columns(place: DataSource, table: TableView) -> dict[str, str]:
    """Let a person correct the kinds and return them by column.

    The editor is seeded once per table and target and keeps its own edits; "leave out" seeds a new one with them.
    """
    import pandas as pd

    st.markdown(f"**{text('data.columns')}** · {table.words}", help=text("data.columns_help"))
    seeded = _seeded(place)
    seed = pd.DataFrame(
        {
            "name": [c.name for c in table.columns],
            "kind": [seeded.get(c.name, c.guess) for c in table.columns],
            "flag": [c.flag for c in table.columns],
            "reason": [c.reason for c in table.columns],
            "missing": [c.missing for c in table.columns],
            "unique": [c.unique for c in table.columns],
            "example": [c.example for c in table.columns],
        }
    )
    labels = {name: text(f"data.column_{name}") for name in seed.columns}
    number = st.session_state.get(f"data_seeds_{_key(place)}", 0)
    edited = st.data_editor(
        seed, hide_index=True, height=250, width="stretch", alt=text("data.columns"),
        key=f"data_kinds_{_key(place)}" + (f"_{number}" if number else ""),
        disabled=[name for name in seed.columns if name != "kind"],
        column_config={
            **labels,
            "kind": st.column_config.SelectboxColumn(labels["kind"], options=KINDS, required=True,
                                                   format_func=lambda kind: spoken(str(kind))),
            "flag": st.column_config.TextColumn(labels["flag"], width=FLAG_WIDTH),
        },
    )  # fmt: skip
    kinds = dict(zip(edited["name"], edited["kind"]))
    st.session_state[f"data_now_{_key(place)}"] = kinds
    return kinds


def _seeded(place: DataSource) -> Mapping[str, str]:
    """Return the kinds that the editor starts from: those of the draft, then what was left out with a click."""
    key = f"data_seed_{_key(place)}"
    if key not in st.session_state:
        used = state.draft().source
        same = used is not None and (used.location, used.target) == (place.location, place.target)
        st.session_state[key] = dict(used.kinds) if used is not None and same else {}
    return st.session_state[key]


def _leave_out(place: DataSource, names: tuple[str, ...]) -> None:
    """From a callback: seed the editor anew, with its own edits and ``names`` ignored."""
    key = _key(place)
    st.session_state[f"data_seed_{key}"] = {
        **st.session_state.get(f"data_now_{key}", {}), **dict.fromkeys(names, "ignore")
    }  # fmt: skip
    st.session_state[f"data_seeds_{key}"] = st.session_state.get(f"data_seeds_{key}", 0) + 1


@st.cache_resource(max_entries=8, show_spinner=False)
def _warnings(key: str, _problem: Problem) -> tuple[ColumnWarning, ...]:
    return column_warnings(_problem.dataset, _problem.split.train)


def warnings_of(problem: Problem) -> tuple[ColumnWarning, ...]:
    """Return what is suspicious in the training rows of a table; nothing of images and sequences."""
    if problem.dataset.signal is not None:
        return ()
    spec = problem.spec
    return _warnings(json.dumps([spec.data_hash, spec.split_seed, spec.fractions, spec.split.model_dump()]), problem)


def show_warnings(place: DataSource, problem: Problem) -> None:
    """Say what is suspicious, each with a button that leaves the column out."""
    found = warnings_of(problem)
    if not found:
        st.caption(text("data.suspicious_none", rows=f"{len(problem.split.train):,}"))
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{text('data.suspicious')}** · {len(found)}", width="content")
        if len(found) > 1:
            st.button(
                text("data.suspicious_all", count=len(found)), key="data_leave_all", type="tertiary",
                on_click=_leave_out, args=(place, tuple(w.column for w in found)),
            )  # fmt: skip
    with st.container(border=True, gap="small", key="data_warnings"):
        for warning in found[:SHOWN]:
            words, press = st.columns([0.84, 0.16], vertical_alignment="center")
            head = f"**{markdown_text(warning.column)}** · {text(f'data.kind_{warning.kind}')}  \n"
            words.markdown(head + markdown_text(f"{said(warning.evidence)} {said(warning.suggestion)}"))
            press.button(
                text("data.leave_out"), key=f"data_leave_{warning.column}", on_click=_leave_out, width="stretch",
                args=(place, (warning.column,)), help=markdown_text(warning.column),
            )  # fmt: skip
    if len(found) > SHOWN:
        st.caption(text("data.suspicious_more", count=len(found) - SHOWN))
