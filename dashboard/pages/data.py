"""The Data page: what is predicted, from what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.figures.data import missing_figure, split_figure, target_figure
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.uploads import SUFFIXES, find_upload, keep_upload, uploads
from dashboard.views.data import TableView, corrections, split_view, table_view, target_view
from nas_core.data import DataSource, builtin_names, choose_target, guess_columns, load, load_frame, metrics_for, split
from nas_core.objectives import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from nas_core.data import Dataset
    from nas_core.spaces import SearchSpace

PREVIEW_ROWS, PREVIEW_COLUMNS = 50, 100
TASKS = ("auto", "classification", "regression")
PLOT = {"displayModeBar": False}


@dataclass(frozen=True)
class Choice:
    """What the left column says: the source with its corrections aside, the metric and the split."""

    source: DataSource
    metric: str
    fractions: tuple[float, float, float]
    seed: int


@st.cache_resource(max_entries=8, show_spinner=False)
def _frame(kind: str, location: str) -> pd.DataFrame:
    return load_frame(DataSource(kind=kind, location=location))  # type: ignore[arg-type]


@st.cache_resource(max_entries=8, show_spinner=False)
def _dataset(source: str) -> Dataset:
    return load(DataSource.model_validate_json(source))


def render() -> None:
    """Draw the page."""
    state.load()
    st.header(text("data.title"), help=text("data.question"))
    with state.shown_errors():
        left, right = st.columns([0.34, 0.66], gap="large")
        with left:
            place = _choose_place()
            with st.spinner(text("data.loading", name=place.location), show_time=False):
                frame = _frame(place.kind, place.location)
            target = _choose_target(place, frame)
            task = _choose_task(place)
            place = place.model_copy(update={"target": target, "task": None if task == "auto" else task})
        with right:
            table = table_view(frame, guess_columns(frame, target), {})
            kinds = _edit_columns(place, table)
            table = table_view(frame, guess_columns(frame, target), kinds)
        source = place.model_copy(update={"kinds": corrections(table.columns, kinds)})
        dataset = None
        with left, state.shown_errors():
            dataset = _dataset(source.model_dump_json())
            _use(_choose_rest(source, dataset), dataset)
        with right:
            _describe(table, dataset, frame)


def _choose_place() -> DataSource:
    """Return the chosen table: built in, kept from an upload, or just uploaded; the URL remembers it."""
    store = process.store()
    kept = [p.name for p in uploads(store)]
    options = [*builtin_names(), *kept]
    if uploaded := st.session_state.get("data_uploaded"):
        with state.shown_errors():
            path = keep_upload(store, uploaded.name, uploaded.getvalue())
            if st.session_state.get("data_kept") != path.name:
                st.session_state["data_kept"] = st.session_state["data_choice"] = path.name
                options = [*builtin_names(), *[p.name for p in uploads(store)]]
    if "data_choice" not in st.session_state:
        st.session_state["data_choice"] = _remembered(options)
    chosen = st.selectbox(
        text("data.source"), options, key="data_choice", help=text("data.source_help"),
        format_func=lambda name: name if name in builtin_names() else text("data.uploaded", name=name),
    )  # fmt: skip
    st.file_uploader(text("data.upload"), type=list(SUFFIXES), key="data_uploaded", help=text("data.upload_help"))
    st.query_params["data"] = chosen
    if chosen in builtin_names():
        return DataSource(kind="builtin", location=chosen)
    return DataSource(kind="file", location=str(find_upload(store, chosen)))


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


def _choose_target(place: DataSource, frame: pd.DataFrame) -> str:
    names = [str(n) for n in frame.columns]
    used = state.draft().source
    guess = choose_target(frame) if place.kind == "file" else names[-1]
    if used is not None and used.location == place.location and used.target in names:
        guess = used.target or guess
    return st.selectbox(text("data.target"), names, index=names.index(guess), key=f"data_target_{place.location}")


def _choose_task(place: DataSource) -> str:
    return st.selectbox(
        text("data.task"), TASKS, key=f"data_task_{place.location}", format_func=lambda t: text(f"data.task_{t}")
    )


def _edit_columns(place: DataSource, table: TableView) -> dict[str, str]:
    """Let a person correct the kinds; the editor is seeded once per table and target and keeps its own edits."""
    import pandas as pd

    st.markdown(f"**{text('data.columns')}** · {table.words}", help=text("data.columns_help"))
    seed = pd.DataFrame(
        {
            "name": [c.name for c in table.columns],
            "kind": [c.guess for c in table.columns],
            "flag": [c.flag for c in table.columns],
            "reason": [c.reason for c in table.columns],
            "missing": [c.missing for c in table.columns],
            "unique": [c.unique for c in table.columns],
            "example": [c.example for c in table.columns],
        }
    )
    labels = {name: text(f"data.column_{name}") for name in seed.columns}
    edited = st.data_editor(
        seed, hide_index=True, height=286, width="stretch", alt=text("data.columns"),
        key=f"data_kinds_{place.location}_{place.target}",
        disabled=[name for name in seed.columns if name != "kind"],
        column_config={
            **labels,
            "kind": st.column_config.SelectboxColumn(
                labels["kind"], options=["numeric", "categorical", "ignore"], required=True
            ),
        },
    )  # fmt: skip
    return dict(zip(edited["name"], edited["kind"]))


def _choose_rest(source: DataSource, dataset: Dataset) -> Choice:
    """Let a person choose metric and split; they start from the draft where it is about the same table."""
    used = state.draft()
    metrics = metrics_for(dataset.task, len(dataset.classes))
    metric = st.selectbox(
        text("data.metric"), metrics, key=f"data_metric_{dataset.task}", format_func=lambda m: METRICS[m].label,
        index=metrics.index(used.metric) if used.metric in metrics else 0,
        help="  \n".join(f"**{METRICS[m].label}**: {METRICS[m].description}" for m in metrics),
    )  # fmt: skip
    ends = round(100 * used.fractions[0]), round(100 * (used.fractions[0] + used.fractions[1]))
    low, high = st.slider(text("data.split"), 5, 95, ends, step=5, key="data_split", help=text("data.split_help"))
    fractions = (low / 100, max(5, high - low) / 100, (100 - max(high, low + 5)) / 100)
    seed = st.number_input(text("data.seed"), 0, 2**31 - 1, used.split_seed, key="data_seed",
                           help=text("data.seed_help"))  # fmt: skip
    return Choice(source, metric, fractions, int(seed))


def _use(choice: Choice, dataset: Dataset) -> None:
    parts = split_view(dataset, split(dataset, choice.seed, choice.fractions))
    st.plotly_chart(split_figure(parts, palette(state.is_dark())), theme=None, config=PLOT, key="data_split_plot",
                    alt=" · ".join(f"{n} {r}" for n, r in zip(parts.names, parts.rows)))  # fmt: skip
    if st.button(text("data.use"), type="primary", width="stretch", key="data_use"):
        before = state.draft()
        state.save_draft(
            replace(
                before, source=choice.source, metric=choice.metric, split_seed=choice.seed,
                fractions=choice.fractions, space=before.space if _suits(before.space, dataset) else None,
            )
        )  # fmt: skip
    used = state.draft()
    if used.source == choice.source and used.metric is not None:
        words = text("data.used", name=dataset.name, target=dataset.target, metric=METRICS[used.metric].label)
        st.success(words, icon=":material/check:")
        state.page_link("space", text("data.next"))
        state.page_link("run", text("data.straight"))


def _suits(space: SearchSpace | None, dataset: Dataset) -> bool:
    """Return whether an edited space is over the features of ``dataset``."""
    ours = [(f.name, f.kind) for f in dataset.features]
    outputs = len(dataset.classes) if len(dataset.classes) > 2 else 1
    return space is not None and space.outputs == outputs and [(f.name, f.kind) for f in space.features] == ours


def _describe(table: TableView, dataset: Dataset | None, frame: pd.DataFrame) -> None:
    """Draw what the table looks like: warnings, the target, missing values, the first rows."""
    colours = palette(state.is_dark())
    notes = [*table.warnings, *(dataset.notes if dataset is not None else ())]
    if notes:
        st.warning("  \n".join(notes[:8]) + (f"  \n… {len(notes) - 8} more" if len(notes) > 8 else ""))
    missing = missing_figure(table, colours)
    first, second = st.columns(2, gap="medium") if missing is not None else (st.container(), st.container())
    if dataset is not None:
        target = target_view(dataset)
        with first:
            st.markdown(f"**{text('data.balance' if target.labels else 'data.histogram')}** · {target.name}")
            st.plotly_chart(target_figure(target, colours), theme=None, config=PLOT, key="data_target_plot",
                            alt=target.words)  # fmt: skip
    with second:
        if missing is not None:
            st.markdown(f"**{text('data.missing')}**")
            st.plotly_chart(missing, theme=None, config=PLOT, key="data_missing_plot", alt=text("data.missing"))
    told = [target.words] if dataset is not None else []
    st.caption(" ".join([*told, *([text("data.no_missing")] if missing is None else [])]))
    st.markdown(f"**{text('data.preview')}**")
    st.dataframe(frame.iloc[:PREVIEW_ROWS, :PREVIEW_COLUMNS], height=240, hide_index=True, alt=text("data.preview"))
    if frame.shape[1] > PREVIEW_COLUMNS:
        st.caption(text("data.more_columns", count=PREVIEW_COLUMNS, all=frame.shape[1]))


if __name__ == "__main__":
    render()
