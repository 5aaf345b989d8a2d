"""Choosing the data: built in, kept from an upload, or just uploaded; then what is predicted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.access import may_write
from dashboard.components.data_openml import ask_openml
from dashboard.texts import text
from dashboard.uploads import SUFFIXES, find_upload, keep_uploads, plain_name, uploads
from nas_core.data import DataSource, builtin_names, choose_target
from nas_core.data.builtin import BUILTIN
from nas_core.data.loading import load_frame
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "choose_place", "choose_predicted", "raw_table"]

TASKS = ("auto", "classification", "regression")
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


@st.cache_resource(max_entries=4, show_spinner=False)
def _frame(kind: str, location: str, changed: float) -> pd.DataFrame:
    return load_frame(DataSource(kind=kind, location=location))  # type: ignore[arg-type]


def raw_table(place: DataSource) -> pd.DataFrame | None:
    """Return the table at a place as it was read, None where there are images or sequences.

    Raises:
        DataError: It cannot be read.
    """
    if place.kind == "builtin":
        return _frame(place.kind, place.location, 0.0) if place.location in BUILTIN else None
    path = Path(place.location)
    if place.kind == "file" and path.suffix.lower() in TABLES:
        return _frame(place.kind, place.location, path.stat().st_mtime if path.is_file() else 0.0)
    return None


def choose_place() -> DataSource:
    """Return the chosen data; the URL remembers them.

    Raises:
        DataError: An uploaded file was removed meanwhile.
    """
    store = process.store()
    options = [*builtin_names(), *[p.name for p in uploads(store)]]
    if uploaded := st.session_state.get("data_uploaded"):
        with state.shown_errors():
            path = keep_uploads(store, [(file.name, file.getvalue()) for file in uploaded])
            if st.session_state.get("data_kept") != path.name:
                st.session_state["data_kept"] = st.session_state["data_choice"] = path.name
                options = [*builtin_names(), *[p.name for p in uploads(store)]]
    if "data_choice" not in st.session_state:
        st.session_state["data_choice"] = _remembered(options)
    chosen = st.selectbox(
        text("data.source"), options, key="data_choice", help=text("data.source_help"),
        format_func=partial(_called, options=options),
    )  # fmt: skip
    st.file_uploader(
        text("data.upload"), type=list(SUFFIXES), accept_multiple_files=True, key="data_uploaded",
        help=text("data.upload_help"), disabled=not may_write(),
    )  # fmt: skip
    ask_openml("data_choice")
    st.query_params["data"] = chosen
    if chosen in builtin_names():
        return DataSource(kind="builtin", location=chosen)
    found = find_upload(store, chosen)
    if found is None:
        raise DataError(text("data.unknown_upload", name=chosen))
    return DataSource(kind="file", location=str(found))


def _called(name: str, options: list[str]) -> str:
    """Return what a person calls the data; of several uploads of one name each keeps what tells it from the others."""
    if name in builtin_names():
        return name
    plain = plain_name(name)
    alone = sum(plain_name(other) == plain for other in options) == 1
    return text("data.uploaded", name=plain if alone else name)


def _remembered(options: list[str]) -> str:
    """Return what the URL names, else what the draft uses, else the first built-in set."""
    named = st.query_params.get("data")
    if named in options:
        return str(named)
    if named is not None:
        st.warning(text("data.unknown_upload", name=named))
    source = state.draft().source
    known = Path(source.location).name if source else options[0]
    return known if known in options else options[0]


def choose_predicted(place: DataSource, frame: pd.DataFrame | None, guess: str | None) -> DataSource:
    """Return ``place`` with the target and the task a person chose; they start from the draft about the same data.

    Args:
        place: The data.
        frame: The raw table, None where the data name their target themselves.
        guess: The target that reading the data found, where it is known.
    """
    used = state.draft().source
    same = used if used is not None and used.location == place.location else None
    target = place.target
    left, right = st.columns(2) if frame is not None else (None, st.container())
    if frame is not None and left is not None:
        names = [str(n) for n in frame.columns]
        wanted = guess or (choose_target(frame) if place.kind == "file" else names[-1])
        if same is not None and same.target in names:
            wanted = same.target
        target = left.selectbox(
            text("data.target"), names, index=names.index(wanted), key=f"data_target_{place.location}"
        )
    task = right.selectbox(
        text("data.task"), TASKS, key=f"data_task_{place.location}", format_func=lambda t: text(f"data.task_{t}")
    )
    return place.model_copy(update={"target": target, "task": None if task == "auto" else task})
