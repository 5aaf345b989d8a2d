"""The tabs "What matters" and "One choice" of the Insight page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.figures.insight import effect_figure, importance_figure, matrix_figure, parts_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.insight import AimImportance, EffectView, effect_view, facet_label, matrix_view, titled
from dashboard.views.words import number, percent
from nas_core.insight import aim_names

if TYPE_CHECKING:
    from dashboard.components.insight_found import Moment

__all__ = ["PLOT", "effects_tab", "importance_tab", "side_by_side"]


def importance_tab(moment: Moment, names: Sequence[str]) -> None:
    """Draw what each choice explains of the aims, and of all aims where that is asked for."""
    for column, name in side_by_side(names):
        with column:
            _importance(moment.importance_view(name), name)
    st.caption(text("insight.how_to_read"))
    if moment.material.constant:
        st.caption(text("insight.constant", choices=", ".join(moment.material.constant)))
    whole = st.expander(text("insight.all_aims"), key="insight_all", on_change="rerun")
    if whole.open:
        with whole:
            _matrix(moment)


def side_by_side(names: Sequence[str]) -> list[tuple[st.delta_generator.DeltaGenerator, str]]:
    """Return one column for each different aim."""
    return list(zip(st.columns(len(set(names)), gap="large"), dict.fromkeys(names)))


def _importance(view: AimImportance, name: str) -> None:
    st.markdown(view.sentence)
    if not view.bars:
        return
    if not view.predicts:
        st.info(text("insight.no_bars"), icon=":material/visibility_off:")
        return
    st.caption(view.reliability)
    st.plotly_chart(importance_figure(view, palette(state.is_dark())), theme=None, config=PLOT,
                    key=f"insight_bars_{name}", alt=view.spoken)  # fmt: skip
    table = st.expander(text("insight.table"), key=f"insight_table_{name}", on_change="rerun")
    if table.open:
        with table:
            st.dataframe(_bars_frame(view), hide_index=True)


def _bars_frame(view: AimImportance) -> pd.DataFrame:
    return pd.DataFrame({
        text("insight.col_choice"): [b.label for b in view.bars],
        text("insight.col_share"): [f"{100 * b.value:.1f} %" for b in view.bars],
        text("insight.col_interval"): [f"{percent(b.low)} – {percent(b.high)}" for b in view.bars],
        text("insight.col_shap"): ["–" if b.shap is None else f"{100 * b.shap:.1f} %" for b in view.bars],
    })  # fmt: skip


def _matrix(moment: Moment) -> None:
    """Draw all choices against all aims; each aim takes a second or two the first time."""
    names = list(aim_names(moment.material.snapshot))
    bar = st.progress(0.0, text=text("insight.working"))
    found = []
    for at, name in enumerate(names):
        bar.progress(at / len(names), text=text("insight.fitting", aim=moment.label(name)))
        found.append(moment.importance_view(name, shap=False))
    bar.empty()
    view = matrix_view(found)
    if view.choices:
        st.caption(text("insight.matrix_words"))
        st.plotly_chart(matrix_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="insight_matrix",
                        alt=text("insight.matrix_words"))  # fmt: skip
    st.markdown("\n".join(f"- {one.sentence}" for one in found))


def effects_tab(moment: Moment, names: Sequence[str]) -> None:
    """Draw what the options of one choice do to the aims."""
    facets = {f.key: facet_label(f.key, f.label) for f in moment.material.facets}
    importance = moment.importance(names[0]) if moment.predicts(names[0]) else None
    ordered = [k for k in importance.keys if k in facets] if importance else list(facets)
    key = st.selectbox(
        text("insight.choice"), ordered, format_func=lambda k: facets[k], key="insight_choice", width=380
    )
    if key is None:
        return
    views: dict[str, EffectView] = {}
    for column, name in side_by_side(names):
        with column:
            if any(f.key == key for f in moment.surrogate(name).facets) and moment.surrogate(name).boxes:
                views[name] = _effect(moment, name, key)
            else:
                st.info(text("insight.constant_aim", aim=moment.label(name)), icon=":material/info:")
    undecided = int((~moment.material.facet(key).decided).sum())
    if undecided:
        st.caption(text("insight.undecided", count=undecided))
    st.caption(text("insight.effect_words"))
    table = st.expander(text("insight.table"), key="insight_effect_table", on_change="rerun")
    if table.open and views:
        with table:
            st.dataframe(_effects_frame(moment, views), hide_index=True)


def _effect(moment: Moment, name: str, key: str) -> EffectView:
    view = effect_view(moment.aim(name), moment.effect(name, key), moment.label(name))
    colours = palette(state.is_dark())
    st.markdown(view.sentence)
    if not moment.predicts(name):
        st.caption(text("insight.only_observed"))
    st.plotly_chart(effect_figure(view, colours), theme=None, config=PLOT, key=f"insight_effect_{name}",
                    alt=view.spoken)  # fmt: skip
    if view.parts:
        st.markdown(f"**{text('insight.parts')}**")
        st.plotly_chart(parts_figure(view, colours), theme=None, config=PLOT, key=f"insight_parts_{name}",
                        alt="; ".join(p.words for p in view.parts))  # fmt: skip
        if view.hidden:
            st.caption(text("insight.parts_hidden", count=view.hidden))
    return view


def _effects_frame(moment: Moment, views: dict[str, EffectView]) -> pd.DataFrame:
    first = next(iter(views.values()))
    columns: dict[str, list[str] | list[int]] = {
        text("insight.col_option"): [p.label for p in first.levels],
        text("insight.col_count"): [p.count for p in first.levels],
    }
    for name, view in views.items():
        label = titled(moment.label(name))
        columns[text("insight.col_mean", aim=label)] = [
            f"{number(p.mean)} ({number(p.low)} – {number(p.high)})" for p in view.levels
        ]
        columns[text("insight.col_observed", aim=label)] = [number(p.observed) for p in view.levels]
    return pd.DataFrame(columns)
