"""The Insight page: which choices matter for which objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.goal_lines import goals_of
from dashboard.components.insight_found import Moment, moment_of
from dashboard.components.insight_importance import effects_tab, importance_tab
from dashboard.components.insight_places import map_tab, pairs_tab, path_tab
from dashboard.components.run_controls import preference_in_force, weight_slider
from dashboard.components.run_space import proposals_part
from dashboard.texts import text
from dashboard.views.insight import titled
from dashboard.views.words import count
from dashboard.watching import Watched, standing, watch
from nas_core.insight import FEWEST, aim_names

if TYPE_CHECKING:
    from nas_core.preferences import Preference

REFRESH = 2.0  # seconds between two looks at how far a live run is
TABS = ("importance", "effects", "pairs", "path", "map", "proposals")
AIMS = {"insight_left": "performance", "insight_right": "interpretability"}
MOMENT = "nasight_insight_moment"  # session key: (run, revision) that this tab looks at


def render() -> None:
    """Draw the page for the run that the URL names, else the latest one."""
    with state.shown_errors():
        selection = state.load()
        run_id = selection.run or next((r.id for r in process.store().runs()), None)
        if run_id is None:
            st.header(text("insight.title"))
            st.info(text("insight.no_run"), icon=":material/info:")
            state.page_link("run", text("studio.go_run"), icon=":material/scatter_plot:")
            return
        if selection.run is None:
            state.save(state.Selection(run_id, selection.candidate))
        watched = watch(run_id)
        with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="insight_head"):
            left, middle, right = st.columns([4, 4, 3], vertical_alignment="bottom", gap="medium")
        with left:
            st.header(text("insight.title"))
        with right:
            weight = weight_slider(watched)
        preference = preference_in_force(weight, watched.snapshot.names, goals_of(watched))
        moment = moment_of(watched, preference, _revision(watched))
        with left:
            live = watched.progress.live
            st.fragment(_as_of, run_every=REFRESH if live else None)(run_id, moment.revision, moment.candidates, live)
        if moment.material.missing:
            _too_few(watched, moment)
            return
        with left:
            _about(moment)
        with middle:
            names = _aims(moment)
        _tabs(watched, moment, names, preference)


def _revision(watched: Watched) -> int:
    """Return the revision this tab looks at: of a live run the one it began with, until a person asks for more."""
    run, at = st.session_state.get(MOMENT, (None, 0))
    if run != watched.record.id or not watched.progress.live:
        at = watched.snapshot.revision
        st.session_state[MOMENT] = (watched.record.id, at)
    return int(at)


def _as_of(run_id: str, revision: int, candidates: int, live: bool) -> None:
    """Say as of which candidate the page is, and offer what is newer; a run that has ended is read once more."""
    now = standing(run_id)
    newer = max(0, now.evaluated - candidates)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(text("insight.as_of", count=count(candidates)), width="content")
        pressed = bool(newer and live) and st.button(text("insight.update", new=count(newer)), type="tertiary",
                                                     icon=":material/refresh:", key="insight_update")  # fmt: skip
    if pressed or live != now.live:
        st.session_state.pop(MOMENT, None)
        st.rerun()


def _too_few(watched: Watched, moment: Moment) -> None:
    """Say how many candidates are missing, and what to do."""
    material = moment.material
    st.info(text("insight.too_few", needed=FEWEST, found=count(material.eligible), missing=count(material.missing)),
            icon=":material/hourglass_empty:")  # fmt: skip
    if material.left_out:
        st.caption(text("insight.left_out", count=count(material.left_out)))
    st.markdown(text("insight.too_few_live" if watched.progress.live else "insight.too_few_ended"))
    state.page_link("run", text("studio.go_run"), icon=":material/scatter_plot:")


def _aims(moment: Moment) -> tuple[str, str]:
    """Draw the two aims that are looked at side by side, and return them."""
    offered = list(aim_names(moment.material.snapshot))
    chosen = []
    for column, (key, default) in zip(st.columns(2), AIMS.items()):
        with column:
            picked = st.selectbox(text(key.replace("_", ".", 1)), offered, index=offered.index(default),
                                  format_func=lambda n: titled(moment.label(n)), key=key,
                                  persist_state="session")  # fmt: skip
            chosen.append(picked or default)
    return chosen[0], chosen[1]


def _about(moment: Moment) -> None:
    """Say which candidates are looked at."""
    material = moment.material
    parts = [text("insight.looked_at", count=count(material.eligible))]
    if material.sampled:
        parts.append(text("insight.sampled", sample=count(len(material))))
    if material.left_out:
        parts.append(text("insight.left_out", count=count(material.left_out)))
    st.caption(" ".join(parts))


def _tabs(watched: Watched, moment: Moment, names: tuple[str, str], preference: Preference) -> None:
    """Draw the tab that is open; the others cost nothing."""
    tabs = st.tabs([text(f"insight.tab_{t}") for t in TABS], key="insight_tab", on_change="rerun")
    draw = {
        "importance": lambda: importance_tab(moment, names),
        "effects": lambda: effects_tab(moment, names),
        "pairs": lambda: pairs_tab(moment, names),
        "path": lambda: path_tab(moment),
        "map": lambda: map_tab(moment),
        "proposals": lambda: proposals_part(watched, preference),
    }
    for name, tab in zip(TABS, tabs):
        if tab.open:
            with tab, state.shown_errors():
                if moment.material.facets or name == "proposals":
                    draw[name]()
                else:
                    st.info(text("insight.all_alike"), icon=":material/info:")


if __name__ == "__main__":
    render()
