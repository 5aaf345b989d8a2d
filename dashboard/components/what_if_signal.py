"""The What-if tab of a network on images or sequences: take patches, steps or words away and see what is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import candidate_of, explanation
from dashboard.components.performed import with_row
from dashboard.components.what_if_shown import outcomes_html
from dashboard.components.what_if_work import distance_of, nearest_row
from dashboard.figures.signal_attributions import picture_figure, series_figure
from dashboard.figures.what_if import cells_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.signal_attributions import picture_view, series_view
from dashboard.views.what_if import outcomes
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.explanations import SignalCandidate

__all__ = ["what_if_signal"]

_GONE, _TOLD, CHART, LIST = "what_if_gone", "what_if_told", "what_if_cells", "what_if_list"
MOST_SETS = 20


def what_if_signal(run_id: str, candidate_id: str, row: int) -> None:
    """Draw the tab below the row picker.

    Raises:
        NasightError: It cannot be predicted, with the reason.
    """
    with st.spinner(text("candidate.explaining"), show_time=True):
        explanation(run_id, candidate_id)
    st.fragment(_signal)(run_id, candidate_id, row)


def gone_of(run_id: str, row: int) -> list[int]:
    """Return the cells of a row that were taken away."""
    every: dict[tuple[str, int], list[int]] = st.session_state.setdefault(_GONE, {})
    return every.get((run_id, row), [])


def _set(run_id: str, row: int, cells: list[int]) -> None:
    st.session_state.setdefault(_GONE, {})[run_id, row] = sorted(cells)


def _signal(run_id: str, candidate_id: str, row: int) -> None:
    """Draw everything that changes with a click; only this is drawn again."""
    from nas_core.explanations.occluded import occluded

    state.load()
    candidate = cast("SignalCandidate", candidate_of(run_id, candidate_id))
    problem, gone = candidate.problem, gone_of(run_id, row)
    _actions(run_id, candidate_id, row, gone)
    absent = np.zeros((2, problem.P), bool)
    absent[1, gone] = True
    before, after = occluded(candidate, problem.dataset.X[row], absent)
    left, right = st.columns(2, gap="medium")
    with left:
        _cells(run_id, candidate_id, row, gone)
    with right:
        st.html(outcomes_html(outcomes(problem, before, after), palette(state.is_dark())))
        told = text("what_if.gone_none") if not gone else text("what_if.gone", count=len(gone), all=problem.P)
        st.caption(told)
        st.caption(text("what_if.gone_words" if candidate.signal.vocabulary else "what_if.gone_mean"))


def _cells(run_id: str, candidate_id: str, row: int, gone: list[int]) -> None:
    """Draw the row with its cells to be taken away: by a click on the picture, and from a list for the keyboard."""
    candidate = cast("SignalCandidate", candidate_of(run_id, candidate_id))
    signal, names = candidate.signal, candidate.signal.feature_names
    held = candidate.problem.dataset.X[row]
    if signal.vocabulary:
        _words(run_id, row, held, candidate, gone)
        return
    found = with_row(run_id, candidate_id, explanation(run_id, candidate_id).latest, row)
    at, colours = int(np.flatnonzero(found.rows == row)[0]), palette(state.is_dark())
    height, width = signal.place
    grid = signal.owner[: height * width].reshape(height, width)
    output = int(np.argmax(found.attribution.outputs[at]))
    if signal.modality == "image":
        figure = picture_figure(picture_view(found.attribution, output, at, candidate.problem.dataset), colours)
    else:
        figure = series_figure(series_view(found.attribution, output, at, candidate.problem.dataset), colours)
    figure = cells_figure(figure, grid, names, gone, colours, wide=signal.modality != "image")
    turn = len(st.session_state.setdefault("what_if_clicks", []))

    def clicked() -> None:
        points = st.session_state.get(f"{CHART}_{turn}", {}).get("selection", {}).get("points", [])
        for point in points:
            cell = point.get("customdata")
            if cell is None:
                continue
            cell = int(cell[0] if isinstance(cell, list) else cell)
            _set(run_id, row, [c for c in gone if c != cell] if cell in gone else [*gone, cell])
            st.session_state["what_if_clicks"].append(cell)  # a new chart: its selection is empty again
            return

    across: Literal["content", "stretch"] = "content" if signal.modality == "image" else "stretch"
    st.plotly_chart(figure, theme=None, config=PLOT, key=f"{CHART}_{turn}", on_select=clicked, selection_mode="points",
                    width=across, alt=text("what_if.cells_alt"))  # fmt: skip
    _list(run_id, row, gone, {c: names[c] for c in range(len(names))})


def _words(run_id: str, row: int, held: np.ndarray, candidate: SignalCandidate, gone: list[int]) -> None:
    """Draw the words of a text as pills: a pressed one is taken away."""
    signal = candidate.signal
    ids = np.nan_to_num(held).astype(int)
    words: dict[int, str] = {}
    seen: dict[str, int] = {}
    for cell in range(candidate.problem.P):
        inside = [signal.words[i] if i < len(signal.words) else str(i) for i in ids[signal.owner == cell] if i]
        if inside:  # a pill is known by what is written on it: a word that comes again is numbered
            told = " ".join(inside)
            seen[told] = seen.get(told, 0) + 1
            words[cell] = told if seen[told] == 1 else f"{told} ({seen[told]})"
    _list(run_id, row, [c for c in gone if c in words], words, pills=True)


def _list(run_id: str, row: int, gone: list[int], names: dict[int, str], *, pills: bool = False) -> None:
    key = f"{LIST}_{row}"
    st.session_state[key] = gone

    def chosen() -> None:
        _set(run_id, row, [int(c) for c in st.session_state[key]])

    if pills:
        st.pills(text("what_if.words"), list(names), selection_mode="multi", format_func=names.__getitem__, key=key,
                 on_change=chosen)  # fmt: skip
    else:
        st.multiselect(text("what_if.taken"), list(names), format_func=names.__getitem__, key=key, on_change=chosen,
                       placeholder=text("what_if.click_or_choose"))  # fmt: skip


def _actions(run_id: str, candidate_id: str, row: int, gone: list[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(text("what_if.fewest_cells"), key="what_if_fewest", icon=":material/auto_fix_high:",
                  on_click=_fewest, args=(run_id, candidate_id, row),
                  help=text("what_if.fewest_cells_help"))  # fmt: skip
        st.button(text("what_if.nearest"), key="what_if_nearest", icon=":material/near_me:", on_click=_nearest,
                  args=(run_id, candidate_id, row), help=text("what_if.nearest_signal_help"))  # fmt: skip
        st.button(text("what_if.reset"), key="what_if_reset", icon=":material/undo:", type="tertiary",
                  disabled=not gone, on_click=_reset, args=(run_id, row))  # fmt: skip
    told = st.session_state.get(_TOLD)
    if told is not None and told[0] == (run_id, candidate_id, row):
        st.markdown(told[1])


def _reset(run_id: str, row: int) -> None:
    _set(run_id, row, [])
    st.session_state.pop(_TOLD, None)


def _fewest(run_id: str, candidate_id: str, row: int) -> None:
    from nas_core.explanations.occluded import fewest_cells

    candidate = cast("SignalCandidate", candidate_of(run_id, candidate_id))
    found = fewest_cells(candidate, candidate.problem.dataset.X[row])
    _set(run_id, row, list(found.cells))
    key = "what_if.cells_found" if found.reached else "what_if.cells_none"
    names = ", ".join(candidate.signal.feature_names[c] for c in found.cells) or "–"
    st.session_state[_TOLD] = ((run_id, candidate_id, row), text(key, count=len(found.cells), names=names))


def _nearest(run_id: str, candidate_id: str, row: int) -> None:
    found = nearest_row(run_id, candidate_id, row)
    if found is None:
        words = text("what_if.no_nearest")
    else:
        kind = text("what_if.kind_valid" if found.valid else "what_if.kind_train")
        words = text("what_if.nearest_signal", row=found.row, kind=kind, distance=number(found.distance),
                     usual=number(distance_of(run_id).usual))  # fmt: skip
    st.session_state[_TOLD] = ((run_id, candidate_id, row), words)
