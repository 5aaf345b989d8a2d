"""The Explain tab of a network on images or sequences: a row itself with what each place adds, and means over rows."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explain_importance import cells_part
from dashboard.components.explain_parts import about, draw_refined, method_choice, offer_more
from dashboard.components.explained import Explained, Explanation, candidate_of
from dashboard.components.performed import with_row
from dashboard.components.row_picker import ROW, row_picker
from dashboard.components.trust_badges import trust_badges
from dashboard.figures.attributions import importance_figure, waterfall_figure
from dashboard.figures.signal_attributions import mean_figure, overlay_figure, picture_figure, series_figure, tinted
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import AttributionView, importance, waterfall
from dashboard.views.signal_attributions import (
    WordsView,
    cell_rows,
    cells_view,
    mean_view,
    of_predicted,
    picture_view,
    series_view,
    unit_of,
    words_view,
)
from dashboard.views.words import number, percent, signed

__all__ = ["signal_tab", "words_html"]


def signal_tab(run_id: str, candidate_id: str) -> None:
    """Draw the tab; while values are sampled, draw it again and again as they get better.

    Raises:
        NasightError: The candidate cannot be explained, with the reason.
    """
    row_picker(run_id, candidate_id)
    candidate = candidate_of(run_id, candidate_id)
    draw_refined(run_id, candidate_id, _tab, method_choice(candidate, "signal_method"))


def _tab(shown: Explanation, run_id: str, candidate_id: str, thorough: bool) -> None:
    found = shown.latest
    problem = found.candidate.problem
    output = _output(found)
    about(shown, unit_of(found.attribution, problem.dataset))
    trust = st.container()
    labels = {"one": text("signal.one"), "all": text("signal.all")}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        chosen = st.segmented_control(
            text("candidate.tab_explain"), list(labels), default="one", required=True, format_func=labels.__getitem__,
            label_visibility="collapsed", key="signal_part", persist_state="session",
        )  # fmt: skip
        if shown.finished and not found.complete and not thorough and found.attribution.errors is not None:
            offer_more((run_id, candidate_id))
    if chosen == "all":
        _all_rows(found, output)
        cells_part(run_id, candidate_id)
    else:
        _one_row(run_id, candidate_id, found, output)
    with trust:
        trust_badges(shown, run_id, candidate_id, thorough)


def _output(found: Explained) -> int | None:
    """Return the index of the explained output, None for the class that each row is predicted to be."""
    names = found.attribution.output_names
    if len(names) == 1:
        return 0
    chosen = st.selectbox(
        text("candidate.class"), [-1, *range(len(names))], key="signal_class", persist_state="session",
        format_func=lambda i: names[i] if 0 <= i < len(names) else text("signal.predicted_class"),
    )  # fmt: skip
    return chosen if chosen in range(len(names)) else None


def _one_row(run_id: str, candidate_id: str, found: Explained, asked: int | None) -> None:
    dataset = found.candidate.problem.dataset
    row = int(st.session_state[ROW])
    if row not in found.rows:
        with st.spinner(text("candidate.explaining"), show_time=True):
            found = with_row(run_id, candidate_id, found, row)
    position = int(np.flatnonzero(found.rows == row)[0])
    output = int(np.argmax(found.attribution.outputs[position])) if asked is None else asked
    view = cells_view(found.attribution, output, found.rows, dataset)
    signal = dataset.signal
    assert signal is not None
    if not view.values[position].any():
        st.info(text("signal.nothing"))
        return
    if signal.modality == "image":
        _picture(found, output, position, view)
    elif signal.vocabulary:
        _heading("words", view, found)
        st.html(words_html(words_view(found.attribution, output, position, dataset), state.is_dark()))
        _legend(found, None, view.unit)
    else:
        drawn = series_view(found.attribution, output, position, dataset)
        _heading("series", view, found)
        st.plotly_chart(series_figure(drawn, palette(state.is_dark())), theme=None, config=PLOT, key="signal_series",
                        alt=_spoken(view, position))  # fmt: skip
        _legend(found, drawn.limit, view.unit)
    if found.attribution.additive:
        biased = found.attribution.origin == "bias"
        st.markdown(f"**{text('signal.from_bias' if biased else 'signal.from_mean')}**")
        steps = waterfall(view, position, start="signal.bias" if biased else "shap.mean_output", others="signal.others")
        st.plotly_chart(waterfall_figure(steps, palette(state.is_dark())), theme=None, config=PLOT,
                        key="signal_waterfall", alt=_spoken(view, position))  # fmt: skip
    with st.expander(text("signal.table")):
        _table(view, position)


def _heading(what: str, view: AttributionView, found: Explained) -> None:
    headings = {"share": "signal.attends", "slope": "explain.sensitive", "output": f"signal.{what}"}
    words = text(headings[found.attribution.unit], output=view.output)
    st.markdown(f"**{words}**")


def _legend(found: Explained, limit: float | None, unit: str) -> None:
    if found.attribution.unit == "share":
        st.caption(text("signal.legend_share"))
    elif found.attribution.unit == "slope" and limit is not None:
        st.caption(text("explain.legend_slope", limit=number(limit, 2), unit=unit))
    elif limit is None:
        st.caption(text("signal.legend_words"))
    else:
        st.caption(text("signal.legend", limit=number(limit, 2), unit=unit))


def _picture(found: Explained, output: int, position: int, view: AttributionView) -> None:
    """Draw the image beside what its places add."""
    colours = palette(state.is_dark())
    drawn = picture_view(found.attribution, output, position, found.candidate.problem.dataset)
    left, right = st.columns(2)
    row = int(view.rows[position])
    with left:
        st.markdown(f"**{text('signal.picture', row=row)}**")
        st.plotly_chart(picture_figure(drawn, colours), theme=None, config=PLOT, key="signal_picture",
                        width="content", alt=text("signal.picture", row=row))  # fmt: skip
    with right:
        _heading("overlay_map" if drawn.smooth else "overlay", view, found)
        st.plotly_chart(overlay_figure(drawn, colours), theme=None, config=PLOT, key="signal_overlay",
                        width="content", alt=_spoken(view, position))  # fmt: skip
    _legend(found, drawn.limit, view.unit)


def _spoken(view: AttributionView, position: int) -> str:
    """Return the largest contributions of a row in words, for who does not see the picture."""
    return "; ".join(f"{r.name} {signed(r.value)} {view.unit}" for r in cell_rows(view, position, 5))


def _table(view: AttributionView, position: int) -> None:
    found = cell_rows(view, position)
    columns = {
        text("signal.column_cell"): [r.name for r in found],
        text("signal.column_content"): [r.content for r in found],
        text("signal.column_value", unit=view.unit): [signed(r.value) for r in found],
        text("signal.column_share"): [percent(r.share) for r in found],
    }
    shown = {name: column for name, column in columns.items() if any(column)}
    st.dataframe(shown, hide_index=True, width="stretch")


def _all_rows(found: Explained, asked: int | None) -> None:
    colours, dataset = palette(state.is_dark()), found.candidate.problem.dataset
    attribution = of_predicted(found.attribution) if asked is None else found.attribution.output(asked)
    view = cells_view(attribution, 0, found.rows, dataset)
    if not view.values.any():
        st.info(text("signal.nothing"))
        return
    drawn = mean_view(attribution, 0, dataset)
    words = text("signal.mean", output=text("signal.own_class") if asked is None else view.output, rows=drawn.rows)
    st.markdown(f"**{words}**")
    image = drawn.mean.shape[0] > 1
    st.plotly_chart(mean_figure(drawn, colours), theme=None, config=PLOT, key="signal_mean",
                    width="content" if image else "stretch", alt=words)  # fmt: skip
    st.markdown(f"**{text('candidate.importance')}**")
    st.plotly_chart(importance_figure(importance(view), colours), theme=None, config=PLOT, key="signal_importance",
                    alt=text("candidate.importance"))  # fmt: skip


def words_html(view: WordsView, dark: bool) -> str:
    """Return the words of a text on grounds coloured by what each adds, each with its value to be read on hover."""
    colours = palette(dark)
    if not view.words:
        return f"<p>{escape(text('signal.no_words'))}</p>"
    spans = "".join(
        f'<span title="{escape(_word_title(w.word, w.value, view))}" style="background:{tinted(w.strength, colours)};'
        f'padding:2px 5px;border-radius:4px">{escape(w.word)}</span>'
        for w in view.words
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:4px;line-height:1.6;color:{colours.ink}">{spans}</div>'


def _word_title(word: str, value: float, view: WordsView) -> str:
    told = signed(value) if view.signed else number(value)
    return text("signal.word_title", word=word, value=told, unit=view.unit)
