"""Images and sequences on the Data page: how they are read, and what they look like."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard import process, state
from dashboard.components.data_source import raw_table
from dashboard.figures.signal_data import image_grid_figure, series_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.signal_data import image_grid, series_lines, signal_words, text_examples
from nas_core.command.parsing import parse_size
from nas_core.data import Dataset, DataSource, ReadingOptions
from nas_core.data.builtin import IMAGES
from nas_core.data.idx import is_idx
from nas_core.data.options import COLOURS
from nas_core.data.reading import PARQUET_SUFFIXES, TEXT_SUFFIXES
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["describe_signal", "signal_options"]

CHOICES = {"table": ("auto", "tabular", "image", "sequence"), "arrays": ("auto", "image", "sequence", "tabular")}


def signal_options(source: DataSource) -> DataSource:
    """Let a person say how a file of images, series or texts is read; return the source with those wishes.

    The form starts from the draft about the same data. What cannot apply to the form of the file is not asked.
    """
    form = _form(source)
    used = state.draft().source
    known = used.reading if used is not None and used.location == source.location else source.reading
    if form == "other":
        return source.model_copy(update={"reading": known})
    key = f"signal_{source.location}"
    with st.expander(text("signal_data.options"), expanded=form in ("images", "arrays"), key=f"{key}_form"):
        found: dict[str, Any] = {"modality": known.modality, "test": known.test}
        if form in CHOICES:
            found["modality"] = _modality(known, CHOICES[form], key)
        modality = found["modality"] or _guess(source, form)
        if modality == "image":
            found |= _image_wishes(known, key)
        elif modality == "sequence":
            found |= _sequence_wishes(source, known, key, columns=form == "table" and found["modality"] == "sequence")
    return source.model_copy(update={"reading": ReadingOptions.model_validate(found)})


def describe_signal(dataset: Dataset) -> None:
    """Draw what images, series or texts look like: what a row is, and examples of each class."""
    signal = dataset.signal
    assert signal is not None
    colours = palette(state.is_dark())
    st.markdown(signal_words(dataset))
    title = text("signal_data.examples" if dataset.classes else "signal_data.examples_quantity")
    if signal.modality == "image":
        grid = image_grid(dataset)
        st.markdown(f"**{title}**")
        st.plotly_chart(image_grid_figure(grid, colours), theme=None, config=PLOT, key="signal_images",
                        alt=grid.words)  # fmt: skip
        hidden = grid.hidden
    elif signal.vocabulary:
        hidden = _texts(dataset, title)
    else:
        channel = 0
        if signal.channels > 1:
            channel = st.selectbox(
                text("signal_data.channel"),
                range(signal.channels),
                format_func=lambda c: str(c + 1),
                key="signal_channel",
            )
        lines = series_lines(dataset, channel=channel)
        st.markdown(f"**{title}**")
        st.plotly_chart(series_figure(lines, colours), theme=None, config=PLOT, key="signal_series", alt=lines.words)
        hidden = lines.hidden
        if signal.padded:
            _lengths(dataset)
    if hidden:
        st.caption(text("signal_data.hidden", count=hidden))


def _texts(dataset: Dataset, title: str) -> int:
    """Write some texts of each class; return how many classes are left out."""
    found = text_examples(dataset)
    st.markdown(f"**{title}**")
    rows = [(label, line) for label, lines in zip(found.labels, found.texts) for line in lines]
    st.dataframe(
        {dataset.target: [label for label, _ in rows], text("signal_data.body"): [line for _, line in rows]},
        hide_index=True, alt=title, height=min(420, 38 + 35 * len(rows)),
    )  # fmt: skip
    st.caption(text("signal_data.unknown"))
    return found.hidden


def _lengths(dataset: Dataset) -> None:
    assert dataset.signal is not None
    values = dataset.X.reshape(dataset.N, *dataset.signal.shape)
    lengths = (~np.isnan(values).all(axis=1)).sum(axis=1)
    st.caption(text("signal_data.lengths_words", low=int(lengths.min()), high=int(lengths.max()),
                    median=int(np.median(lengths))))  # fmt: skip


def _form(source: DataSource) -> str:
    """Return what kind of file it is: images, arrays, series, a table, or other."""
    path = Path(source.location)
    suffix = path.suffix.lower()
    if source.kind == "builtin":
        return "images" if source.location in IMAGES else "other"
    if source.kind != "file":
        return "other"
    if suffix in TEXT_SUFFIXES + PARQUET_SUFFIXES:
        return "table"
    if suffix in (".npz", ".ts"):
        return "arrays" if suffix == ".npz" else "series"
    return "images" if suffix == ".zip" or path.is_dir() or is_idx(path.name) else "other"


def _guess(source: DataSource, form: str) -> str | None:
    """Return the modality that the file has without any wish; None where it is a table or cannot be read."""
    if form in ("images", "series") and Path(source.location).suffix.lower() != ".zip":
        return "image" if form == "images" else "sequence"
    with suppress(NasightError):
        found = process.dataset_of(source).modality
        return None if found == "tabular" else found
    return None


def _modality(known: ReadingOptions, choices: Sequence[str], key: str) -> str | None:
    chosen = st.selectbox(
        text("signal_data.modality"), choices, index=choices.index(known.modality or "auto"), key=f"{key}_modality",
        format_func=lambda name: text(f"signal_data.modality_{name}"), help=text("signal_data.modality_help"),
    )  # fmt: skip
    return None if chosen == "auto" else chosen


def _image_wishes(known: ReadingOptions, key: str) -> dict[str, Any]:
    """Return the size and the colours a person wishes."""
    left, right = st.columns(2)
    before = "" if known.size is None else "x".join(map(str, known.size))
    size = left.text_input(text("signal_data.size"), before, key=f"{key}_size", help=text("signal_data.size_help"),
                           placeholder=text("signal_data.size_hint"))  # fmt: skip
    colour = right.selectbox(
        text("signal_data.colours"), COLOURS, index=COLOURS.index(known.colour), key=f"{key}_colour",
        format_func=lambda name: text(f"signal_data.colours_{name}"),
    )  # fmt: skip
    return {"size": parse_size(size) if size.strip() else None, "colour": colour}


def _sequence_wishes(source: DataSource, known: ReadingOptions, key: str, *, columns: bool) -> dict[str, Any]:
    """Return the length a person wishes and, of a table, the columns of the text or of the series."""
    length = st.number_input(
        text("signal_data.length"), 1, 1_000_000, known.length, key=f"{key}_length",
        help=text("signal_data.length_help"), placeholder=text("signal_data.length_hint"),
    )  # fmt: skip
    found: dict[str, Any] = {"length": None if length is None else int(length)}
    if not columns:
        return found
    frame = raw_table(source)
    names = [] if frame is None else [str(n) for n in frame.columns]
    places = st.columns(3)
    for place, what, before in zip(places, ("text", "id", "time"), (known.text, known.id, known.time)):
        options = [None, *names]
        found[what] = place.selectbox(
            text(f"signal_data.{what}"), options, index=options.index(before) if before in options else 0,
            key=f"{key}_{what}", format_func=lambda name: text("signal_data.none") if name is None else name,
        )  # fmt: skip
    if found["text"] is None:
        found["values"] = tuple(st.multiselect(
            text("signal_data.values"), names, [v for v in known.values if v in names], key=f"{key}_values",
            placeholder=text("signal_data.values_hint"),
        ))  # fmt: skip
    return found
