"""What a search space can build: its size, random architectures, what they cost, and how long a search takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.live_chart import live_chart
from dashboard.components.space_time import time_panel
from dashboard.figures.architecture import architecture_figure
from dashboard.figures.space import cost_figure
from dashboard.texts import language, text
from dashboard.theme import PLOT, palette
from dashboard.views.estimate import CostView, cost_view
from dashboard.views.space import SampleView, SpaceSummary, sample_view, samples, space_summary

if TYPE_CHECKING:
    from dashboard.state import Draft
    from nas_core.spaces import SearchSpace

__all__ = ["builds"]

ROOM, TALL, MOST_BOXES = 640.0, 106.0, 14  # width and height of a sample's graph, pixels; boxes it may have
TABS = ("samples", "cost")


@st.cache_resource(max_entries=64, show_spinner=False)
def _summary(space_id: str, language: str, _space: SearchSpace) -> SpaceSummary:
    return space_summary(_space)


@st.cache_resource(max_entries=64, show_spinner=False)
def _samples(space_id: str, seed: int, language: str, _space: SearchSpace) -> list[SampleView]:
    drawn = samples(_space, seed)
    return [sample_view(_space, architecture, room=ROOM, limit=MOST_BOXES, tallest=TALL) for architecture in drawn]


@st.cache_resource(max_entries=64, show_spinner=False)
def _sample_figures(space_id: str, seed: int, language: str, dark: bool, _space: SearchSpace) -> list[str]:
    """Return the samples' graphs as JSON: building a figure takes longer than anything else on the page."""
    views, colours = _samples(space_id, seed, language, _space), palette(dark)
    return [str(architecture_figure(v.graph, colours, room=ROOM, height=TALL).to_json()) for v in views]


@st.cache_resource(max_entries=64, show_spinner=False)
def _cost(space_id: str, language: str, _space: SearchSpace) -> CostView:
    return cost_view(_space)


def builds(draft: Draft, space: SearchSpace) -> None:
    """Draw what ``space`` can build."""
    summary = _summary(space.id, language(), space)
    st.markdown(f"**{text('space.size')}** · {summary.size}",
                help=text("space.size_exact" if summary.exact else "space.size_bound"))  # fmt: skip
    limits = text("space.in_force", list="; ".join(summary.constraints)) if summary.constraints else ""
    st.caption(limits or text("space.no_constraints"))
    shown, cost = st.tabs([text(f"space.tab_{name}") for name in TABS], key="space_builds", on_change="rerun")
    if shown.open:
        with shown, state.shown_errors():
            _draw_samples(space)
    elif cost.open:
        with cost, state.shown_errors():
            _draw_cost(draft, space)
    state.page_link("run", text("space.next"), icon=":material/play_arrow:")


def _draw_samples(space: SearchSpace) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(text("space.builds"), width="content")
        if st.button(text("space.redraw"), icon=":material/casino:", key="space_redraw"):
            st.session_state["space_draw"] = st.session_state.get("space_draw", 0) + 1
    drawn = (space.id, st.session_state.get("space_draw", 0), language())
    figures = _sample_figures(*drawn, state.is_dark(), space)
    for i, (sample, figure) in enumerate(zip(_samples(*drawn, space), figures)):
        with st.container(border=True, gap="xsmall"):
            st.markdown(sample.words)
            st.caption(sample.cost)
            live_chart(figure, height=int(TALL), words=sample.graph.words, key=f"space_sample_{i}")


def _draw_cost(draft: Draft, space: SearchSpace) -> None:
    """Draw how parameters and operations are spread, and the time a search takes."""
    with st.spinner(text("space.cost_counting"), show_time=False):
        view = _cost(space.id, language(), space)
    colours = palette(state.is_dark())
    st.markdown(f"**{text('space.cost_title')}**", help=text("space.cost_help", count=view.sampled))
    for column, spread in zip(st.columns(2, gap="medium"), view.spreads):
        column.plotly_chart(cost_figure(spread, colours), theme=None, config=PLOT, key=f"space_cost_{spread.label}",
                            alt=spread.words)  # fmt: skip
        column.caption(spread.words)
    st.divider()
    time_panel(draft, space)
