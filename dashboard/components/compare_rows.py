"""Where do they disagree: the rows on which two candidates part most, and such a row explained by each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.compare_looks import agreement_of, when_explained
from dashboard.components.compare_overview import mark_html
from dashboard.components.compare_work import Together, outputs_of, row_attribution
from dashboard.components.explain_signal import words_html
from dashboard.components.explained import problem_of
from dashboard.figures.attributions import waterfall_figure
from dashboard.figures.contributions import contributions_figure
from dashboard.figures.signal_attributions import overlay_figure, picture_figure, series_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import attribution_view, waterfall
from dashboard.views.compare_rows import (
    PartingRow,
    agreement_words,
    distance_words,
    parting_rows,
    prediction_words,
)
from dashboard.views.compare_table import Compared, letter
from dashboard.views.contributions import contributions
from dashboard.views.signal_attributions import cells_view, picture_view, series_view, words_view
from nas_core.comparison.agreement import prediction_distance
from nas_core.errors import NasightError
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.explanations import Attribution

__all__ = ["rows_tab"]

BY = ("attribution", "prediction")


def rows_tab(run_id: str, compared: Sequence[Compared], pair: tuple[int, int]) -> None:
    """Draw the rows on which the pair parts, and the chosen one explained by all candidates."""
    when_explained(run_id, compared, lambda found: _rows(run_id, compared, pair, found))


def _rows(run_id: str, compared: Sequence[Compared], pair: tuple[int, int], found: Together) -> None:
    ids = tuple(c.evaluation.id for c in compared)
    if any(ids[i] not in found.attributions for i in pair):
        st.info(text("compare.pair_not_explained", a=letter(pair[0]), b=letter(pair[1])), icon=":material/info:")
        return
    problem = problem_of(run_id)
    by = st.segmented_control(
        text("compare.rows_by"), BY, default="attribution", required=True, key="compare_rows_by",
        format_func=lambda name: text(f"compare.by_{name}"), persist_state="session",
    )  # fmt: skip
    rows = _parting(run_id, ids, pair, found, problem, str(by))
    if not rows:
        st.info(text(f"compare.no_{by}", a=letter(pair[0]), b=letter(pair[1])), icon=":material/equal:")
        return
    st.caption(text(f"compare.rows_{by}", rows=len(found.rows) if by == "attribution" else len(problem.valid)))
    known = {row.row: row for row in rows}
    left, right = st.columns([0.3, 0.7], gap="large")
    with left:
        chosen = st.radio(
            text("compare.row_which"), list(known), key=f"compare_row_{by}", captions=[_caption(r, pair) for r in rows],
            format_func=lambda row: _row_words(known[row], problem),
        )  # fmt: skip
    with right:
        _one_row(run_id, compared, found, problem, chosen if chosen in known else rows[0].row)


def _parting(
    run_id: str, ids: tuple[str, ...], pair: tuple[int, int], found: Together, problem: Problem, by: str
) -> tuple[PartingRow, ...]:
    first, second = (ids[i] for i in pair)
    transform = problem.target_scale.transform if problem.spec.target_transform != "none" else None
    if by == "attribution":
        agreement = agreement_of(found, first, second, run_id, ids)
        outputs = (found.attributions[first].outputs, found.attributions[second].outputs)
        return parting_rows(agreement.weight, agreement_words(agreement), problem.valid.rows[found.rows], outputs,
                            problem.dataset, transform)  # fmt: skip
    both = outputs_of(run_id, first), outputs_of(run_id, second)
    distance = prediction_distance(*both, problem.task)
    return parting_rows(distance, distance_words(distance, problem.dataset), problem.valid.rows, both, problem.dataset,
                        transform)  # fmt: skip


def _row_words(row: PartingRow, problem: Problem) -> str:
    return text("compare.row_words", row=row.row, target=problem.dataset.target, actual=row.actual)


def _caption(row: PartingRow, pair: tuple[int, int]) -> str:
    return text("compare.row_caption", a=letter(pair[0]), b=letter(pair[1]), first=row.predicted[0],
                second=row.predicted[1], size=row.size)  # fmt: skip


def _one_row(run_id: str, compared: Sequence[Compared], found: Together, problem: Problem, row: int) -> None:
    """Draw one row with what each candidate makes of it, next to one another."""
    position = int(np.flatnonzero(problem.valid.rows == row)[0])
    shown: dict[int, Attribution] = {}
    for k, one in enumerate(compared):
        if one.evaluation.id not in found.attributions:
            continue
        try:
            with st.spinner(text("candidate.explaining"), show_time=True):
                shown[k] = _of_row(run_id, one.evaluation.id, found, position)
        except NasightError as error:
            st.warning(str(error))
    output = _output(shown, problem)
    image = problem.dataset.signal is not None and problem.dataset.signal.modality == "image"
    places = [*((None,) if image else ()), *shown]  # of images the image itself comes first
    per_line = 3 if image else 2
    for start in range(0, len(places), per_line):
        for column, k in zip(st.columns(per_line), places[start : start + per_line]):
            with column:
                if k is None:
                    _picture(next(iter(shown.values())), output, row, problem)
                else:
                    _candidate_row(k, shown, output, row, problem)


def _picture(attribution: Attribution, output: int, row: int, problem: Problem) -> None:
    """Draw the image of a row as it is."""
    words = text("signal.picture", row=row)
    st.markdown(words)
    figure = picture_figure(picture_view(attribution, output, 0, problem.dataset), palette(state.is_dark()))
    st.plotly_chart(figure, theme=None, config=PLOT, key="compare_picture", width="content", alt=words)


def _of_row(run_id: str, candidate_id: str, found: Together, position: int) -> Attribution:
    """Return the attribution of one row: from those that were explained together, else worked out now."""
    at = np.flatnonzero(found.rows == position)
    if not at.size:
        return row_attribution(run_id, candidate_id, position, len(found.background))
    whole, pick = found.attributions[candidate_id], slice(int(at[0]), int(at[0]) + 1)
    return replace(
        whole, values=whole.values[pick], outputs=whole.outputs[pick], data=whole.data[pick],
        errors=None if whole.errors is None else whole.errors[pick],
        maps=None if whole.maps is None else whole.maps[pick], fit=None if whole.fit is None else whole.fit[pick],
    )  # fmt: skip


def _output(shown: dict[int, Attribution], problem: Problem) -> int:
    """Return the output that all are explained for: with several classes the first's prediction, or a chosen one."""
    first = next(iter(shown.values()))
    names = first.output_names
    if len(names) == 1:
        return 0
    chosen = st.selectbox(text("candidate.class"), [-1, *range(len(names))], key="compare_class", width=320,
                          format_func=lambda i: names[i] if i >= 0 else text("compare.predicted_class"))  # fmt: skip
    return chosen if chosen in range(len(names)) else int(np.argmax(first.outputs[0]))


def _candidate_row(k: int, shown: dict[int, Attribution], output: int, row: int, problem: Problem) -> None:
    attribution, dataset, colours = shown[k], problem.dataset, palette(state.is_dark())
    transform = problem.target_scale.transform if problem.spec.target_transform != "none" else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(mark_html(k, colours), width="content")
        st.markdown(markdown_text(prediction_words(attribution.outputs[0], dataset, transform)))
    rows, words = np.array([row]), text("compare.row_alt", a=letter(k), row=row)
    signal = dataset.signal
    if signal is None:
        view = attribution_view(attribution, output, rows, dataset)
        figure = (waterfall_figure(waterfall(view, 0), colours) if attribution.additive
                  else contributions_figure(contributions(view, attribution, 0), colours))  # fmt: skip
        if (ends := figure.layout.xaxis.range) is not None:  # in a narrow column numbers beside the bars need more room
            room = 0.14 * (ends[1] - ends[0])
            figure.update_xaxes(range=[ends[0] - room, ends[1] + room])
        st.plotly_chart(figure, theme=None, config=PLOT, key=f"compare_waterfall_{k}", alt=words)
    elif signal.modality == "image":
        pictures = [picture_view(a, output, 0, dataset) for a in shown.values()]
        drawn = replace(picture_view(attribution, output, 0, dataset), limit=max(p.limit for p in pictures))
        st.plotly_chart(overlay_figure(drawn, colours), theme=None, config=PLOT, key=f"compare_overlay_{k}",
                        width="content", alt=words)  # fmt: skip
    elif signal.vocabulary:
        st.html(words_html(words_view(attribution, output, 0, dataset), state.is_dark()))
    else:
        lines = [series_view(a, output, 0, dataset) for a in shown.values()]
        series = replace(series_view(attribution, output, 0, dataset), limit=max(v.limit for v in lines))
        st.plotly_chart(series_figure(series, colours), theme=None, config=PLOT, key=f"compare_series_{k}", alt=words)
    if signal is not None:
        cells = cells_view(attribution, output, rows, dataset)
        largest = [int(j) for j in np.argsort(-np.abs(cells.values[0]), kind="stable")[:3] if cells.values[0][j]]
        st.caption(markdown_text("; ".join(f"{cells.names[j]} {cells.values[0][j]:+.3g}" for j in largest)))
