"""The What-if tab of a network on a table: move the values of a row and see at once what is predicted and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import candidate_of, explanation, problem_of
from dashboard.components.row_picker import row_picker
from dashboard.components.what_if_knobs import draw_knobs, edits, set_edits
from dashboard.components.what_if_shown import outcomes_html
from dashboard.components.what_if_signal import what_if_signal
from dashboard.components.what_if_work import distance_of, fewest_changes, knobs_of, nearest_row
from dashboard.figures.what_if import ice_figure, moved_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import value_words
from dashboard.views.what_if import ice_view, knob_words, moved_bars, outcomes, plausible_words
from dashboard.views.words import number
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from dashboard.components.explained import Explained
    from nas_core.explanations import TrainedCandidate

__all__ = ["what_if_tab"]

SECONDS = 0.05  # of sampled attributions at each move
_TOLD = "what_if_told"


def what_if_tab(run_id: str, candidate_id: str) -> None:
    """Draw the tab of a candidate.

    Raises:
        NasightError: The candidate has no stored weights, or they cannot be read.
    """
    row = row_picker(run_id, candidate_id)
    if problem_of(run_id).dataset.signal is not None:
        what_if_signal(run_id, candidate_id, row)
        return
    with st.spinner(text("candidate.explaining"), show_time=True):
        found = explanation(run_id, candidate_id).latest
        distance_of(run_id)
    st.fragment(_table)(run_id, candidate_id, row, found)


def _table(run_id: str, candidate_id: str, row: int, found: Explained) -> None:
    """Draw everything that changes with a move; only this is drawn again."""
    state.load()
    candidate = cast("TrainedCandidate", found.candidate)
    start = np.array(candidate.problem.dataset.X[row], float)
    _actions(run_id, candidate_id, row)
    now = start.copy()
    for j, value in edits(run_id, row).items():
        now[j] = value
    left, right = st.columns([0.44, 0.56], gap="medium")
    values = _attributions(found, np.stack([start, now]))
    before, after = candidate.predict(np.stack([start, now]))
    output = _output(candidate, after)
    with left:
        order = np.argsort(-np.abs(values[0][:, output]), kind="stable")
        draw_knobs(run_id, candidate_id, row, start, [int(j) for j in order])
    with right:
        st.html(outcomes_html(outcomes(candidate.problem, before, after), palette(state.is_dark())))
        words, doubtful = plausible_words(_plausible(run_id, candidate_id, now), candidate.problem.feature_names)
        st.caption(f"{':material/warning: ' if doubtful else ':material/check: '}{words}")
        _bars(candidate, (start, now), values, output)
        _curve(run_id, candidate_id, row, (start, now), (before, output))


def _output(candidate: TrainedCandidate, after: np.ndarray) -> int:
    """Return the output whose attributions are drawn: the only one, or that of the class predicted now."""
    return 0 if len(after) == 1 else int(np.argmax(after))


def _attributions(found: Explained, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the attributions (P, C) of the row as it is and as it is now, by the method that fits the candidate."""
    from nas_core.explanations import choose_explainer

    own = choose_explainer(found.candidate).explain(found.candidate, rows, found.background, seconds=SECONDS)
    return own.values[0], own.values[1]


def _plausible(run_id: str, candidate_id: str, now: np.ndarray):  # type: ignore[no-untyped-def]
    from nas_core.explanations.what_if import plausibility

    return plausibility(distance_of(run_id), now, knobs_of(run_id, candidate_id))


def _bars(candidate: TrainedCandidate, rows: tuple[np.ndarray, np.ndarray], values: tuple[np.ndarray, np.ndarray],
          output: int) -> None:  # fmt: skip
    problem = candidate.problem
    bars = moved_bars(problem, rows, (values[0][:, output], values[1][:, output]), candidate.used)
    unit = problem.output_name if problem.task == "regression" else text("shap.log_odds")
    if not bars:
        st.info(text("candidate.no_influence"))
        return
    st.markdown(f"**{text('what_if.attributions', output=markdown_text(candidate.output_names[output]))}**")
    st.plotly_chart(moved_figure(bars, palette(state.is_dark()), unit), theme=None, config=PLOT, key="what_if_bars",
                    alt="; ".join(f"{b.name} {b.before:+.3g} → {b.after:+.3g}" for b in bars))  # fmt: skip


def _curve(run_id: str, candidate_id: str, row: int, rows: tuple[np.ndarray, np.ndarray],
           began: tuple[np.ndarray, int]) -> None:  # fmt: skip
    """Draw how the output goes on as the feature moved last (or the most important one) moves further."""
    from nas_core.explanations import ice_lines

    candidate = cast("TrainedCandidate", candidate_of(run_id, candidate_id))
    moved = st.session_state.get("what_if_moved", (None, None))
    feature = moved[1] if moved[0] == row and moved[1] in candidate.used else None
    if feature is None:
        return
    knob = knobs_of(run_id, candidate_id)[feature]
    (start, now), (before, output) = rows, began
    lines = ice_lines(candidate, feature, now[None])
    if len(lines.grid) < 2:
        return
    problem = candidate.problem
    unit = problem.output_name if problem.task == "regression" else text("shap.log_odds")
    view = ice_view(lines, knob, (float(start[feature]), float(before[output])), output, unit,
                    candidate.output_names[output])  # fmt: skip
    st.plotly_chart(ice_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="what_if_ice",
                    alt=text("what_if.ice", name=view.name))  # fmt: skip
    st.caption(markdown_text(" ".join(filter(None, [text("what_if.ice", name=view.name), knob_words(knob)]))))


def _actions(run_id: str, candidate_id: str, row: int) -> None:
    """Draw the buttons that change many values at once, and what the last one found."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(text("what_if.nearest"), key="what_if_nearest", icon=":material/near_me:", on_click=_nearest,
                  args=(run_id, candidate_id, row), help=text("what_if.nearest_help"))  # fmt: skip
        st.button(text("what_if.fewest"), key="what_if_fewest", icon=":material/auto_fix_high:", on_click=_fewest,
                  args=(run_id, candidate_id, row), help=text("what_if.fewest_help"))  # fmt: skip
        st.button(text("what_if.reset"), key="what_if_reset", icon=":material/undo:", type="tertiary",
                  disabled=not edits(run_id, row), on_click=_reset, args=(run_id, row))  # fmt: skip
    told = st.session_state.get(_TOLD)
    if told is not None and told[0] == (run_id, candidate_id, row):
        st.markdown(told[1])


def _reset(run_id: str, row: int) -> None:
    set_edits(run_id, row, {})
    st.session_state.pop(_TOLD, None)


def _nearest(run_id: str, candidate_id: str, row: int) -> None:
    """Move every value to that of the nearest row that is predicted otherwise."""
    found = nearest_row(run_id, candidate_id, row)
    if found is None:
        words = text("what_if.no_nearest")
    else:
        problem = problem_of(run_id)
        start, there = problem.dataset.X[row], problem.dataset.X[found.row]
        set_edits(run_id, row, {j: float(there[j]) for j in found.differs})
        names = ", ".join(_moved_words(problem, j, float(start[j]), float(there[j])) for j in found.read[:4])
        more = text("what_if.and_more", count=len(found.read) - 4) if len(found.read) > 4 else ""
        kind = text("what_if.kind_valid" if found.valid else "what_if.kind_train")
        words = text("what_if.nearest_found", row=found.row, kind=kind, distance=number(found.distance),
                     usual=number(distance_of(run_id).usual), names=markdown_text(names), more=more)  # fmt: skip
    st.session_state[_TOLD] = ((run_id, candidate_id, row), words)


def _fewest(run_id: str, candidate_id: str, row: int) -> None:
    """Make the fewest changes that a greedy search finds."""
    found, problem = fewest_changes(run_id, candidate_id, row), problem_of(run_id)
    set_edits(run_id, row, {c.feature: c.after for c in found.changes})
    names = ", ".join(_moved_words(problem, c.feature, c.before, c.after) for c in found.changes)
    if found.changes:
        st.session_state["what_if_moved"] = (row, found.changes[0].feature)
    if found.reached:
        words = text("what_if.fewest_found", count=len(found.changes), names=markdown_text(names))
    else:
        words = text("what_if.fewest_none", reason=found.reason, names=markdown_text(names) or "–")
    st.session_state[_TOLD] = ((run_id, candidate_id, row), words)


def _moved_words(problem, feature: int, before: float, after: float) -> str:  # type: ignore[no-untyped-def]
    spec = problem.dataset.features[feature]
    return f"{spec.name} {value_words(before, spec)} → {value_words(after, spec)}"
