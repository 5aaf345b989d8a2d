"""The knobs of the What-if tab: a slider per number, a choice per category, and "missing" where rows may lack a value.

What a person changed belongs to the row, not to the candidate: another candidate is asked the same question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.components.what_if_work import knobs_of
from dashboard.texts import text
from dashboard.views.what_if import knob_words
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.explanations.what_if import Knob

__all__ = ["draw_knobs", "edits", "set_edits"]

SHOWN, TALL = 10, 560
STEPS = 200
_EDITS = "what_if_edits"


def edits(run_id: str, row: int) -> dict[int, float]:
    """Return what was changed of a row: feature → raw value, NaN = missing."""
    every: dict[tuple[str, int], dict[int, float]] = st.session_state.setdefault(_EDITS, {})
    return every.get((run_id, row), {})


def set_edits(run_id: str, row: int, changed: dict[int, float]) -> None:
    """From a callback: put other changes in the place of all there are; knobs follow."""
    st.session_state.setdefault(_EDITS, {})[run_id, row] = dict(changed)
    st.session_state["what_if_version"] = st.session_state.get("what_if_version", 0) + 1


def draw_knobs(run_id: str, candidate_id: str, row: int, start: np.ndarray, order: list[int]) -> None:
    """Draw the knobs of the features that the network reads, the most important of this row first.

    Args:
        run_id: The run.
        candidate_id: The candidate.
        row: Data-set row.
        start: (P,) raw values of the row as it is.
        order: All features, the most important first.
    """
    every = knobs_of(run_id, candidate_id)
    read = [j for j in order if every[j].used]
    changed = edits(run_id, row)
    first = [j for j in read if j in changed] + [j for j in read if j not in changed]
    # the order of the knobs stays as it is while somebody moves them
    key = ("what_if_order", run_id, candidate_id, row, st.session_state.get("what_if_version", 0))
    if st.session_state.get("what_if_order", (None,))[0] != key:
        st.session_state["what_if_order"] = (key, first)
    first = st.session_state["what_if_order"][1]
    with st.container(height=TALL, border=False, key="what_if_knobs", gap="xxsmall"):
        for j in first[:SHOWN]:
            _knob(every[j], run_id, row, start)
        if len(first) > SHOWN:
            more = st.expander(text("what_if.more", count=len(first) - SHOWN), key="what_if_more", on_change="rerun")
            if more.open:
                with more:
                    for j in first[SHOWN : SHOWN + 60]:
                        _knob(every[j], run_id, row, start)
        if len(read) < len(every):
            st.caption(text("what_if.unread", count=len(every) - len(read)))


def _knob(knob: Knob, run_id: str, row: int, start: np.ndarray) -> None:
    """Draw one feature; what it holds is the change where there is one, else the value of the row."""
    own = float(start[knob.feature])
    value = edits(run_id, row).get(knob.feature, own)
    version = st.session_state.get("what_if_version", 0)
    key = f"what_if_{row}_{knob.feature}_{version}"
    label = _label(knob, value, own)
    if knob.kind == "categorical":
        _choice(knob, run_id, row, own, value, key, label)
        return
    place = st.columns([0.74, 0.26], vertical_alignment="bottom") if knob.missing else [st.container()]
    low, high = _range(knob, own, value)
    gone = bool(np.isnan(value))
    with place[0]:
        if low == high:
            st.caption(f"{label} · {text('what_if.constant')}")
        else:
            _slider(knob, run_id, row, own, value, key, label, low, high)
    if knob.missing:
        place[1].checkbox(text("shap.missing"), gone, key=f"{key}_gone", on_change=_gone,
                          args=(f"{key}_gone", run_id, row, knob, own))  # fmt: skip


def _slider(knob: Knob, run_id: str, row: int, own: float, value: float, key: str, label: str, low: float,
            high: float) -> None:  # fmt: skip
    gone = bool(np.isnan(value))
    shown = (low + high) / 2 if gone else value
    words = knob_words(knob) or None
    if knob.whole and float(shown).is_integer():
        st.slider(label, int(low), int(high), int(shown), 1, key=key, on_change=_moved,
                  args=(key, run_id, row, knob.feature, own), disabled=gone, help=words)  # fmt: skip
    else:
        digits = max(0, 3 - int(np.floor(np.log10(high - low))))
        st.slider(label, low, high, float(shown), (high - low) / STEPS, key=key, on_change=_moved,
                  format=f"%.{digits}f", args=(key, run_id, row, knob.feature, own), disabled=gone,
                  help=words)  # fmt: skip


def _choice(knob: Knob, run_id: str, row: int, own: float, value: float, key: str, label: str) -> None:
    options = [float(c) for c in range(len(knob.levels))]
    if knob.missing or np.isnan(own):
        options.append(-1.0)
    names = {c: knob.levels[int(c)] if c >= 0 else text("shap.missing") for c in options}
    for c in options:
        if c >= 0 and int(c) not in knob.seen:
            names[c] = text("what_if.never_seen", name=names[c])
    at = options.index(-1.0 if np.isnan(value) else value)
    st.selectbox(label, options, at, format_func=names.__getitem__, key=key, on_change=_chosen,
                 args=(key, run_id, row, knob.feature, own))  # fmt: skip


def _label(knob: Knob, value: float, own: float) -> str:
    """Return the name of a feature as Markdown, with marks: certified monotone, changed, outside the training range."""
    name = markdown_text(knob.name)
    arrow = {1: " ↑", -1: " ↓", 0: " ↕"}.get(knob.direction, "") if knob.direction is not None else ""
    same = value == own or (np.isnan(value) and np.isnan(own))
    marked = name if same else f"**{name}** ●"
    warned = "" if knob.inside(value) else f" :orange[{text('what_if.mark_outside')}]"
    return f"{marked}{arrow}{warned}"


def _range(knob: Knob, own: float, value: float) -> tuple[float, float]:
    """Return the range of a slider: 1 % to 99 % of the training values, and whatever the row holds or held."""
    held = [v for v in (own, value) if np.isfinite(v)]
    low, high = min([knob.low, *held]), max([knob.high, *held])
    return (np.floor(low), np.ceil(high)) if knob.whole else (low, high)


def _keep(run_id: str, row: int, feature: int, value: float, own: float) -> None:
    changed = dict(edits(run_id, row))
    if value == own or (np.isnan(value) and np.isnan(own)):
        changed.pop(feature, None)
    else:
        changed[feature] = value
    st.session_state[_EDITS][run_id, row] = changed
    st.session_state["what_if_moved"] = (row, feature)


def _moved(key: str, run_id: str, row: int, feature: int, own: float) -> None:
    _keep(run_id, row, feature, float(st.session_state[key]), own)


def _chosen(key: str, run_id: str, row: int, feature: int, own: float) -> None:
    chosen = float(st.session_state[key])
    _keep(run_id, row, feature, float("nan") if chosen < 0 else chosen, own)


def _gone(key: str, run_id: str, row: int, knob: Knob, own: float) -> None:
    if st.session_state[key]:
        value = float("nan")
    else:
        middle = (knob.low + knob.high) / 2
        value = own if np.isfinite(own) else float(round(middle)) if knob.whole else middle
    _keep(run_id, row, knob.feature, value, own)
