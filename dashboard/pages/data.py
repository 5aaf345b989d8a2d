"""The Data page: what is predicted, from what."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components import prepared
from dashboard.components.data_columns import edit_columns, show_warnings
from dashboard.components.data_problem import ChosenScheme, choose_problem, choose_scheme, use_button
from dashboard.components.data_shown import show_card, show_notes, show_pictures, show_rows
from dashboard.components.data_source import choose_place, choose_predicted, raw_table
from dashboard.components.signal_data import describe_signal, signal_options
from dashboard.texts import text
from dashboard.views.data import corrections, table_view
from nas_core.data import guess_columns
from nas_core.data.builtin import BUILTIN
from nas_core.data.columns import is_text
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.views.data import TableView
    from nas_core.data import Dataset, DataSource, Problem

VIEWS = ("rows", "card")


def render() -> None:
    """Draw the page."""
    state.load()
    st.header(text("data.title"), help=text("data.question"))
    with state.shown_errors():
        left, right = st.columns([0.34, 0.66], gap="large")
        with left:
            place = choose_place()
            if place.location not in BUILTIN:
                place = signal_options(place)
            with st.spinner(text("data.loading", name=place.location), show_time=False):
                frame = raw_table(place)
                guess = _guessed(place)
            place = choose_predicted(place, frame, guess.target if guess is not None else None)
        if frame is None or (guess is not None and guess.signal is not None):
            _signals(place, left, right)
        else:
            _table(place, frame, left, right)


def _guessed(place: DataSource) -> Dataset | None:
    """Return the data as they are read without a person's corrections; None where that fails or says nothing new."""
    if place.kind == "builtin":
        return None
    with suppress(DataError):
        return process.dataset_of(place)
    return None


def _table(place: DataSource, frame: pd.DataFrame, left: st.delta_generator.DeltaGenerator,
           right: st.delta_generator.DeltaGenerator) -> None:  # fmt: skip
    """Draw the page of a table."""
    with left:
        slot = st.container()
        chosen = choose_scheme(place, [str(n) for n in frame.columns if str(n) != place.target])
    with right:
        guesses = guess_columns(frame, place.target)
        kinds = edit_columns(place, table_view(frame, guesses, {}))
        table = table_view(frame, guesses, kinds)
    fixed = corrections(table.columns, kinds)
    column = chosen.scheme.column
    if column is not None:
        fixed = {name: kind for name, kind in fixed.items() if name != column}
        if chosen.learned:
            shown = kinds.get(column, "ignore")
            fixed[column] = shown if shown != "ignore" else "categorical" if is_text(frame[column]) else "numeric"
    source = place.model_copy(update={"kinds": fixed, "aside": column})
    dataset, problem = _settle(source, chosen, left, slot)
    with right, state.shown_errors():
        if problem is not None:
            show_warnings(place, problem)
        show_notes((*table.warnings, *(dataset.notes if dataset is not None else ())))
        _look(table, dataset, problem, frame)


def _signals(source: DataSource, left: st.delta_generator.DeltaGenerator,
             right: st.delta_generator.DeltaGenerator) -> None:  # fmt: skip
    """Draw the page of images or sequences."""
    with left:
        slot = st.container()
        chosen = choose_scheme(source, ())
    dataset, problem = _settle(source, chosen, left, slot)
    if dataset is None:
        return
    with right, state.shown_errors():
        show_notes(dataset.notes)
        describe_signal(dataset)
        _look(None, dataset, problem, None)


def _settle(
    source: DataSource, chosen: ChosenScheme, left: st.delta_generator.DeltaGenerator,
    slot: st.delta_generator.DeltaGenerator,
) -> tuple[Dataset | None, Problem | None]:  # fmt: skip
    """Read the data, let a person choose the rest, and offer to use it; None where something is in the way."""
    dataset = problem = None
    with left, state.shown_errors():
        with st.spinner(text("data.loading", name=source.location), show_time=False):
            dataset = process.dataset_of(source)
        draft = choose_problem(source, dataset, chosen.scheme, slot)
        problem = prepared.problem(draft)
        use_button(draft, problem)
    return dataset, problem


def _look(
    table: TableView | None, dataset: Dataset | None, problem: Problem | None, frame: pd.DataFrame | None
) -> None:
    """Draw the pictures and, as chosen, the first rows or the data card."""
    show_pictures(table, dataset)
    shown: str | None = "card"
    if frame is not None:
        shown = st.segmented_control(
            text("data.shown"), VIEWS, default=VIEWS[0], required=True, key="data_view",
            format_func=lambda name: text(f"data.shown_{name}"), label_visibility="collapsed",
        )  # fmt: skip
    if shown == "card" and problem is not None:
        show_card(problem)
    elif frame is not None:
        show_rows(frame)


if __name__ == "__main__":
    render()
