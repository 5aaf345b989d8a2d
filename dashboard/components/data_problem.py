"""Metric, split, weights and transform: how the data become a problem, and the button that takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import streamlit as st

from dashboard import process, state
from dashboard.components import prepared
from dashboard.components.live_chart import live_figure
from dashboard.figures.data import split_figure
from dashboard.texts import said, spoken, text
from dashboard.theme import palette
from dashboard.uploads import title_of
from dashboard.views.data import split_view
from dashboard.views.space_history import History
from nas_core.data import CLASS_WEIGHTS, TARGET_TRANSFORMS, SplitScheme, metrics_for
from nas_core.objectives import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas_core.data import ClassWeights, Dataset, DataSource, Problem, TransformName
    from nas_core.spaces import SearchSpace

__all__ = ["ChosenScheme", "choose_problem", "choose_scheme", "use_button"]

Name = TypeVar("Name", bound=str)
SCHEMES: tuple[Literal["random", "group", "time"], ...] = ("random", "group", "time")


@dataclass(frozen=True)
class ChosenScheme:
    """How the rows are split; ``learned`` says that its column is a feature as well."""

    scheme: SplitScheme
    learned: bool = False


def choose_scheme(place: DataSource, columns: Sequence[str]) -> ChosenScheme:
    """Let a person choose how rows are put into parts; of data without columns at random or in their order."""
    used = state.draft()
    same = used.source is not None and used.source.location == place.location
    before = used.scheme if same else SplitScheme()
    offered = SCHEMES if columns else (SCHEMES[0], SCHEMES[2])
    kind = st.segmented_control(
        text("data.scheme"), offered, default=before.kind if before.kind in offered else "random", required=True,
        format_func=lambda name: text(f"data.scheme_{name}"), key=f"data_scheme_{place.location}",
        help=text("data.scheme_help"), width="stretch",
    )  # fmt: skip
    if kind == "random" or not columns:
        return ChosenScheme(SplitScheme(kind=kind or "random"))
    options: list[str | None] = [*([None] if kind == "time" else []), *columns]
    column = st.selectbox(
        text("data.scheme_column" if kind == "group" else "data.scheme_time_column"), options,
        index=options.index(before.column) if before.column in options else 0,
        format_func=lambda name: text("data.scheme_rows") if name is None else name,
        key=f"data_{kind}_column_{place.location}_{place.target}",
    )  # fmt: skip
    learned = column is not None and st.checkbox(
        text("data.scheme_feature", name=column), key=f"data_{kind}_learned_{place.location}_{column}",
        value=same and used.source is not None and column in used.source.kinds, help=text("data.scheme_feature_help"),
    )  # fmt: skip
    return ChosenScheme(SplitScheme(kind=kind, column=column), learned)


def choose_problem(
    source: DataSource, dataset: Dataset, scheme: SplitScheme, first: st.delta_generator.DeltaGenerator
) -> state.Draft:
    """Let a person choose the metric (drawn into ``first``), split, weights or transform; return what they describe."""
    used = state.draft()
    metrics = metrics_for(dataset.task, len(dataset.classes), dataset.modality)
    kind = dataset.task if dataset.signal is None else f"{dataset.task}_{dataset.modality}"
    metric = first.selectbox(
        text("data.metric"), metrics, key=f"data_metric_{kind}",
        format_func=lambda m: spoken(METRICS[m].label),
        index=metrics.index(used.metric) if used.metric in metrics and used.source == source else 0,
        help="  \n".join(f"**{spoken(METRICS[m].label)}**: {said(METRICS[m].description)}" for m in metrics),
    )  # fmt: skip
    ends = round(100 * used.fractions[0]), round(100 * (used.fractions[0] + used.fractions[1]))
    help_ = text("data.split_help") + (f" {text('data.held_out')}" if dataset.held_out is not None else "")
    low, high = st.slider(text("data.split"), 5, 95, ends, step=5, key="data_split", help=help_)
    fractions = (low / 100, max(5, high - low) / 100, (100 - max(high, low + 5)) / 100)
    one, two = st.columns(2)
    seed = one.number_input(text("data.seed"), 0, 2**31 - 1, used.split_seed, key="data_seed",
                              disabled=scheme.kind == "time", help=text("data.seed_help"))  # fmt: skip
    same = used.source is not None and used.source.location == source.location
    weights: ClassWeights = "none"
    transform: TransformName = "none"
    with two:
        if dataset.task == "classification":
            weights = _option("class_weights", CLASS_WEIGHTS, used.class_weights if same else "none", source)
        else:
            transform = _option("transform", TARGET_TRANSFORMS, used.target_transform if same else "none", source)
    return replace(
        used, source=source, metric=metric, split_seed=int(seed), fractions=fractions, scheme=scheme,
        class_weights=weights, target_transform=transform,
    )  # fmt: skip


def _option(key: str, options: tuple[Name, ...], before: Name, source: DataSource) -> Name:
    return st.selectbox(
        text(f"data.{key}"), options, index=options.index(before), key=f"data_{key}_{source.location}",
        format_func=lambda n: text(f"data.{key}_{n}"), help=text(f"data.{key}_help"),
    )  # fmt: skip


def use_button(draft: state.Draft, problem: Problem) -> None:
    """Draw the split, the button that takes the data for the next run, and where to go from there."""
    parts = split_view(problem.dataset, problem.split)
    told = " · ".join(f"{n} {r}" for n, r in zip(parts.names, parts.rows))
    live_figure(split_figure(parts, palette(state.is_dark())), words=told, key="data_split_plot")
    dataset = problem.dataset
    if st.button(text("data.use"), type="primary", width="stretch", key="data_use"):
        kept = draft if draft.space is None or _suits(draft.space, dataset) else replace(draft, space=None)
        state.save_draft(kept if kept.space is not None else replace(kept, history=History(), drawing=None))
    used = state.draft()
    if prepared.data_key(used) == prepared.data_key(draft) and used.source is not None:
        name = title_of(process.store(), used.source) or dataset.name
        words = text("data.used", name=name, target=dataset.target, metric=spoken(problem.objective.label))
        st.success(words, icon=":material/check:")
        state.page_link("space", text("data.next"))
        state.page_link("run", text("data.straight"))


def _suits(space: SearchSpace, dataset: Dataset) -> bool:
    """Return whether an edited space is over the features of ``dataset``."""
    ours = [(f.name, f.kind) for f in dataset.features]
    outputs = len(dataset.classes) if len(dataset.classes) > 2 else 1
    signal = dataset.signal and dataset.signal.model_copy(update={"words": ()})
    return (space.outputs, space.signal, [(f.name, f.kind) for f in space.features]) == (outputs, signal, ours)
