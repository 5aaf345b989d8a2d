"""The Surrogate part of the Explain tab: a small tree that imitates the network, drawn, with what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.explained import Explained, candidate_of
from dashboard.figures.explain_surrogate import tree_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import AttributionView
from dashboard.views.explain_surrogate import fidelity, forest_words, tree_view
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.explanations import ForestSurrogate, TreeSurrogate

__all__ = ["forest", "surrogate_part", "tree"]

BADGES = {"good": ":material/verified:", "fair": ":material/info:", "bad": ":material/warning:",
          "unknown": ":material/help:"}  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner=False)
def tree(run_id: str, candidate_id: str, depth: int) -> TreeSurrogate:
    """Return the tree of at most ``depth`` decisions that imitates a candidate."""
    from nas_core.explanations import tree_surrogate

    return tree_surrogate(candidate_of(run_id, candidate_id), depth)


@st.cache_resource(max_entries=32, show_spinner=False)
def forest(run_id: str, candidate_id: str) -> ForestSurrogate:
    """Return the random forest that imitates a candidate."""
    from nas_core.explanations import forest_surrogate

    return forest_surrogate(candidate_of(run_id, candidate_id))


def surrogate_part(run_id: str, candidate_id: str, found: Explained, view: AttributionView) -> None:
    """Draw the tree of a depth a person chooses, how faithful it is, and its rules.

    Raises:
        NasightError: The candidate cannot be imitated, with the reason.
    """
    from nas_core.explanations import DEPTHS

    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        depth = st.segmented_control(
            text("whole.depth"), list(DEPTHS), default=3, required=True, key="whole_depth", persist_state="session",
            help=text("whole.depth_help"),
        )  # fmt: skip
        place = st.container(width="content")
    with st.spinner(text("whole.growing"), show_time=True):
        grown = tree(run_id, candidate_id, int(depth or DEPTHS[0]))
    place.download_button(
        text("whole.download"), grown.rules_text(), file_name=f"rules-{candidate_id}-depth-{grown.depth}.txt",
        mime="text/plain", icon=":material/download:", key="whole_rules", on_click="ignore",
    )  # fmt: skip
    told = fidelity(grown)
    show = st.success if told.state == "good" else st.warning if told.state in ("fair", "bad") else st.info
    show(f"{told.words} {told.warning}".strip(), icon=BADGES[told.state])
    _drawn(grown, view.output)
    with st.spinner(text("whole.forest_growing"), show_time=True):
        st.caption(forest_words(forest(run_id, candidate_id), grown))
    with st.expander(text("whole.rules")):
        st.code("\n".join(rule.words for rule in grown.rules), language=None, wrap_lines=True)


def _drawn(grown: TreeSurrogate, unit: str) -> None:
    drawn = tree_view(grown, "" if grown.classes else unit)
    if len(drawn.marks) == 1:
        st.info(text("whole.tree_alone", answer=markdown_text(grown.nodes[0].answer)))
    else:
        st.plotly_chart(tree_figure(drawn, palette(state.is_dark())), theme=None, config=PLOT, key="whole_tree",
                        alt=drawn.spoken)  # fmt: skip
        st.caption(text("whole.tree_words" if grown.classes else "whole.tree_words_numbers"))
    deepest = max(node.depth for node in grown.nodes)
    if 0 < deepest < grown.depth:
        st.caption(text("whole.stops", allowed=grown.depth, depth=deepest))
    if grown.filled:
        st.caption(text("whole.filled", names=markdown_text(", ".join(grown.filled))))
