"""What the data look like: notes, the target, missing values, the first rows, the data card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.data_columns import warnings_of
from dashboard.components.live_chart import live_figure
from dashboard.figures.data import missing_figure, target_figure
from dashboard.texts import said, text
from dashboard.theme import palette
from dashboard.views.data import target_view
from nas_core.data.card import data_card

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.views.data import TableView
    from nas_core.data import Dataset, Problem

__all__ = ["show_card", "show_notes", "show_pictures", "show_rows"]

PREVIEW_ROWS, PREVIEW_COLUMNS, NOTES = 50, 100, 8


def show_notes(notes: tuple[str, ...]) -> None:
    """Say what was changed while reading, and what a person should know."""
    if notes:
        more = f"  \n… {len(notes) - NOTES} more" if len(notes) > NOTES else ""
        st.warning("  \n".join(map(said, notes[:NOTES])) + more)


def show_pictures(table: TableView | None, dataset: Dataset | None) -> None:
    """Draw the distribution of the target and, of a table, where values are missing."""
    colours = palette(state.is_dark())
    missing = missing_figure(table, colours) if table is not None else None
    first, second = st.columns(2, gap="medium") if missing is not None else (st.container(), st.container())
    told = []
    if dataset is not None:
        target = target_view(dataset)
        told.append(target.words)
        with first:
            st.markdown(f"**{text('data.balance' if target.labels else 'data.histogram')}** · {target.name}")
            live_figure(target_figure(target, colours), words=target.words, key="data_target_plot")
    with second:
        if missing is not None:
            st.markdown(f"**{text('data.missing')}**")
            live_figure(missing, words=text("data.missing"), key="data_missing_plot")
    st.caption(" ".join([*told, *([text("data.no_missing")] if table is not None and missing is None else [])]))


def show_rows(frame: pd.DataFrame) -> None:
    """Show the first rows as they were read."""
    st.dataframe(frame.iloc[:PREVIEW_ROWS, :PREVIEW_COLUMNS], height=240, hide_index=True, alt=text("data.preview"))
    if frame.shape[1] > PREVIEW_COLUMNS:
        st.caption(text("data.more_columns", count=PREVIEW_COLUMNS, all=frame.shape[1]))


def show_card(problem: Problem) -> None:
    """Show the data card, to read or to download."""
    card = data_card(problem, warnings_of(problem))
    name = problem.dataset.name.replace("/", "_")
    with st.container(horizontal=True, vertical_alignment="center"):
        for form, content, mime in (
            ("markdown", card.to_markdown(), "text/markdown"),
            ("json", card.to_json(), "application/json"),
        ):
            st.download_button(
                text(f"data.card_{form}"), content, f"{name}-card.{'md' if form == 'markdown' else form}", mime,
                key=f"data_card_{form}", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        st.caption(text("data.card_help"))
    with st.container(border=True, key="data_card"):
        st.markdown(card.to_markdown().replace("\n## ", "\n##### ").replace("# Data card", "#### Data card", 1))
