"""Above the table of candidates: which of them, and which of their columns, a person wants to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.front_chosen import show_in_table, shown_in_table
from dashboard.components.marks import known_tags
from dashboard.components.run_memory import choices_of_run
from dashboard.texts import text
from dashboard.views.axes import Axis
from dashboard.views.table_filter import TableFilter
from dashboard.views.words import number
from dashboard.watching import Watched
from nas_core.records import Status

if TYPE_CHECKING:
    from nas_core.store import Mark

__all__ = ["BRUSH", "brush_of", "choose_columns", "filter_bar", "filter_in_force", "keep_brush"]

BRUSH = "nasight_brush"
"""Session key: the run and the ranges that were brushed on the parallel coordinates."""
ALWAYS = ("rank", "star", "number", "on_front", "performance", "half", "interpretability")
USUAL = ("parameters", "operations", "operator")
ENDS = ("low", "high")


def filter_in_force(run_id: str) -> TableFilter:
    """Return what this tab asks of the candidates of a run, also while the controls are not in view."""
    ranges = [(axis, *(_kept(run_id, f"{axis}_{end}", None) for end in ENDS)) for axis in _kept(run_id, "axes", ())]
    open_ends = [(a, -float("inf") if lo is None else float(lo), float("inf") if hi is None else float(hi))
                 for a, lo, hi in ranges if lo is not None or hi is not None]  # fmt: skip
    return TableFilter(
        words=_kept(run_id, "words", ""),
        statuses=tuple(_kept(run_id, "statuses", ())),
        on_front=bool(_kept(run_id, "on_front", False)),
        starred=bool(_kept(run_id, "starred", False)),
        noted=bool(_kept(run_id, "noted", False)),
        tags=tuple(_kept(run_id, "tags", ())),
        ranges=(*open_ends, *brush_of(run_id)),
        choices=(*_kept(run_id, "features", ()), *_kept(run_id, "choices", ())),
        chosen=shown_in_table(run_id),
    )


def filter_bar(watched: Watched, axes: Sequence[Axis], marks: dict[str, Mark]) -> None:
    """Draw the search field and the popover with the conditions; inside a horizontal container."""
    run_id = watched.record.id
    wish = filter_in_force(run_id)
    st.text_input(
        text("table.words"), key=_key(run_id, "words"), placeholder=text("table.words_hint"), width=260,
        label_visibility="collapsed", persist_state="session", help=text("table.words_help"),
    )  # fmt: skip
    # Its label stays as it is: with another one it would be another popover, and close under the hand.
    popover = st.popover(text("table.filters"), icon=":material/filter_list:", key="table_filters", on_change="rerun")
    if popover.open:
        with popover:
            _conditions(watched, axes, marks)
    if wish.count:
        st.caption(text("table.filters_on", count=wish.count), width="content")
        st.button(text("table.clear"), type="tertiary", icon=":material/filter_list_off:", on_click=_clear,
                  args=(run_id,), key="table_clear")  # fmt: skip


def _conditions(watched: Watched, axes: Sequence[Axis], marks: dict[str, Mark]) -> None:
    run_id = watched.record.id
    with st.container(horizontal=True):
        for name in ("on_front", "starred", "noted"):
            st.toggle(text(f"table.only_{name}"), key=_key(run_id, name), persist_state="session")
    left, right = st.columns(2)
    with left:
        _many(run_id, "statuses", [str(s) for s in Status], lambda name: text(f"candidate.status_{name}"))
    with right:
        _many(run_id, "tags", known_tags(marks), str)
    offered = choices_of_run(watched.view)
    features = [choice for choice in offered if choice.variable == "features"]
    left, right = st.columns(2)
    with left:
        _many(run_id, "features", features, str)
    with right:
        _many(run_id, "choices", [c for c in offered if c.variable != "features"], str)
    numeric = {axis.name: axis for axis in axes if not axis.options}
    _many(run_id, "axes", list(numeric), lambda name: numeric[name].label if name in numeric else name)
    for name in _kept(run_id, "axes", ()):
        if name in numeric:
            _range(run_id, numeric[name])


def _many(run_id: str, name: str, options: list[Any], words: Any) -> None:
    title = text("table.wanted_tags" if name == "tags" else f"table.{name}")
    st.multiselect(title, options, format_func=words, key=_key(run_id, name), persist_state="session",
                   placeholder=text("table.any"))  # fmt: skip


def _range(run_id: str, axis: Axis) -> None:
    """Draw two numbers; an empty one leaves its side open."""
    for column, end, value in zip(st.columns(2), ENDS, axis.range):
        column.number_input(
            text(f"table.{end}", name=axis.label), value=None, key=_key(run_id, f"{axis.name}_{end}"), format="%g",
            persist_state="session", placeholder=number(value),
        )  # fmt: skip


def choose_columns(run_id: str, names: Sequence[str], measures: Sequence[str], labels: dict[str, str]) -> list[str]:
    """Draw the popover that chooses columns, and return those that are shown, in the order of the table."""
    start = [*ALWAYS, *measures, *USUAL]
    popover = st.popover(text("table.columns"), icon=":material/view_column:", key="table_columns", on_change="rerun")
    chosen = _kept(run_id, "columns", start)
    if popover.open:
        with popover:
            st.multiselect(text("table.columns"), list(names), start, format_func=lambda name: labels.get(name, name),
                           key=_key(run_id, "columns"), persist_state="session")  # fmt: skip
    return [name for name in names if name in chosen] or ["number"]


def keep_brush(run_id: str, ranges: Sequence[tuple[str, float, float]]) -> None:
    """Let the table show only what lies in ``ranges`` of axes; none takes that away."""
    st.session_state[BRUSH] = (run_id, tuple(ranges))


def brush_of(run_id: str) -> tuple[tuple[str, float, float], ...]:
    """Return the ranges that were taken over from the parallel coordinates."""
    kept = st.session_state.get(BRUSH)
    return kept[1] if kept is not None and kept[0] == run_id else ()


def _clear(run_id: str) -> None:
    keep_brush(run_id, ())
    show_in_table(run_id, False)
    prefix = _key(run_id, "")
    for key in [k for k in st.session_state if isinstance(k, str) and k.startswith(prefix)]:
        if key != _key(run_id, "columns"):
            empty: Any = {str: "", bool: False, list: []}.get(type(st.session_state[key]))
            st.session_state[key] = empty


def _key(run_id: str, name: str) -> str:
    return f"wish_{run_id}_{name}"


def _kept(run_id: str, name: str, otherwise: Any) -> Any:
    kept = st.session_state.get(_key(run_id, name))
    return otherwise if kept is None else kept
