"""The tabs "Pairs", "From A to B" and "Map" of the Insight page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.insight_importance import side_by_side
from dashboard.figures.insight import pairs_figure
from dashboard.figures.insight_places import map_figure, path_figure, surface_figure
from dashboard.texts import text
from dashboard.theme import PLOT, PLOT_ZOOMED, palette
from dashboard.views.insight import facet_label, pairs_view, titled
from dashboard.views.insight_places import COLOURS, MapView, ends_offered, map_view, path_view, surface_view
from dashboard.views.words import count, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.components.insight_found import Moment

__all__ = ["map_tab", "pairs_tab", "path_tab"]

MAP, OPENED = "insight_map", "nasight_insight_opened"


def pairs_tab(moment: Moment, names: Sequence[str]) -> None:
    """Draw the strongest pairs of choices, and the mean aim over one pair."""
    telling = [name for name in names if moment.predicts(name)]
    for name in names:
        if name not in telling:
            st.info(moment.importance_view(name).sentence, icon=":material/visibility_off:")
    if not telling:
        return
    if len(moment.material.facets) < 2:
        st.info(text("insight.one_choice"), icon=":material/info:")
        return
    for column, name in side_by_side(telling):
        view = pairs_view(moment.aim(name), moment.pairs(name), moment.label(name))
        with column:
            st.markdown(view.sentence)
            st.plotly_chart(pairs_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                            key=f"insight_pairs_{name}", alt="; ".join(b.words for b in view.bars))  # fmt: skip
    chosen = _chosen_pair(moment, telling[0])
    if chosen is None:
        return
    for column, name in side_by_side(telling):
        label = moment.label(name)
        with column:
            surface = surface_view(moment.surface(name, *chosen), chosen, name, label)
            st.markdown(f"**{text('insight.surface_title', aim=label)}**")
            st.plotly_chart(surface_figure(surface, palette(state.is_dark())), theme=None, config=PLOT,
                            key=f"insight_surface_{name}", alt=surface.spoken)  # fmt: skip
            st.caption(surface.spoken)
    st.caption(text("insight.surface_words"))


def _chosen_pair(moment: Moment, name: str) -> tuple[str, str] | None:
    """Draw the two choices of a pair, at first the strongest one; None while both are the same."""
    labels = {f.key: facet_label(f.key, f.label) for f in moment.surrogate(name).facets}
    pairs = moment.pairs(name)
    first = (pairs[0].first, pairs[0].second) if pairs else (*labels,)[:2]
    keys = list(labels)
    columns = st.columns([1, 1, 1])
    picked = []
    for column, which, default in zip(columns, ("one", "other"), first):
        with column:
            picked.append(st.selectbox(text(f"insight.pair_{which}"), keys, index=keys.index(default),
                                       format_func=lambda k: labels[k], key=f"insight_pair_{which}"))  # fmt: skip
    one, other = picked
    if one is None or other is None or one == other:
        st.caption(text("insight.pair_same"))
        return None
    return one, other


def path_tab(moment: Moment) -> None:
    """Draw the way from one candidate to another."""
    from nas_core.insight.ablation import default_ends

    source, target = default_ends(moment.material, moment.ranked)
    chosen = state.load().candidate
    ends = {e.id: e.label for e in ends_offered(moment.material, moment.ranked, (source, target, chosen or ""))}
    keys = list(ends)
    columns = st.columns(2)
    picked = []
    for column, which, default in zip(columns, ("from", "to"), (source, target)):
        with column:
            picked.append(st.selectbox(text(f"insight.path_{which}"), keys, index=keys.index(default),
                                       format_func=lambda k: ends[k], key=f"insight_path_{which}"))  # fmt: skip
    one, other = picked
    if one is None or other is None or one == other:
        st.info(text("insight.path_same"), icon=":material/info:")
        return
    found = moment.path(one, other)
    view = path_view(found, moment.label("performance"), moment.material.snapshot.ids)
    st.markdown(view.sentence)
    st.plotly_chart(path_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="insight_path",
                    alt="; ".join(" ".join(s.words) for s in view.stops))  # fmt: skip
    silent = [moment.label(n) for n in ("performance", "interpretability") if not moment.predicts(n)]
    if silent and view.predicted:
        st.warning(text("insight.path_doubtful", aims=", ".join(silent)), icon=":material/report:")
    st.caption(text("insight.path_words", weight=f"{found.weight:.2f}", predicted=count(view.predicted),
                    steps=count(len(view.stops) - 1)))  # fmt: skip
    heads = ("step", "candidate", "performance", "gain", "interpretability", "gain_simple")
    labels = [text(f"insight.path_col_{h}", metric=view.metric) for h in heads]
    frame = pd.DataFrame([s.words for s in view.stops], columns=pd.Index(labels))
    st.dataframe(frame, hide_index=True, height=min(420, 38 + 36 * len(frame)), key="insight_path_table")


def map_tab(moment: Moment) -> None:
    """Draw the candidates on a plane; a click opens one."""
    colour = st.segmented_control(text("insight.map_colour"), COLOURS, default="performance", required=True,
                                  format_func=lambda c: _colour_words(moment, c), key="insight_map_colour")  # fmt: skip
    chosen, dark, colour = state.load().candidate, state.is_dark(), colour or "performance"

    def drawn() -> tuple[MapView, go.Figure]:
        view = map_view(moment.whole(), moment.embedding(), moment.ranked, colour, chosen)
        return view, map_figure(view, palette(dark))

    # text() is part of the key: the picture has words in it
    view, figure = moment.once("map", (colour, chosen, dark, text("insight.map_front")), drawn)
    st.plotly_chart(
        figure, theme=None, config=PLOT_ZOOMED, alt=view.spoken,
        key=f"{MAP}_{colour}_{moment.revision}", on_select="rerun", selection_mode="points",
    )  # fmt: skip
    picked = _picked(st.session_state.get(f"{MAP}_{colour}_{moment.revision}"))
    opened = st.session_state.get(OPENED)
    st.session_state[OPENED] = picked  # a click is one event: what stays selected is not opened again
    if picked is not None and picked != opened:
        state.open_page("candidate", state.Selection(moment.run, picked))
    st.caption(text("insight.map_words", held=percent(view.held), count=count(len(view.ids))))


def _colour_words(moment: Moment, colour: str) -> str:
    return text("insight.map_colour_front") if colour == "front" else titled(moment.label(colour))


def _picked(event: Any) -> str | None:
    """Return the identity of the candidate that was clicked."""
    points = (event or {}).get("selection", {}).get("points", [])
    if not points:
        return None
    data = points[0].get("customdata")
    return str(data[0]) if isinstance(data, list | tuple) and data else None
