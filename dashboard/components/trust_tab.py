"""The Trust tab: how far the numbers of a candidate hold when what could be luck is done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.access import may_write, require_driver
from dashboard.components.audited import SeedCheck, chances_of, found_of, front_of, seed_check
from dashboard.components.honesty import note
from dashboard.components.pool import pool_of
from dashboard.figures.audit import groups_figure, twins_figure
from dashboard.texts import spoken, text
from dashboard.theme import PLOT, palette
from dashboard.views.audit import agreement_words, groups_view, guard_rows, seeds_view, twins_view
from dashboard.views.words import count, duration, percent
from nas_core.errors import RunError
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from dashboard.views.audit import GroupsView, GuardRow, TwinsView
    from nas_core.records import Evaluation

__all__ = ["trust_tab"]

REFRESH = 1.0  # seconds between two looks at how far the other seeds are
SEEDS = (3, 5, 10)
HELD = 0.5  # share of the other seeds with which a candidate has to stay on the front
ICONS = {True: ":green[:material/check_circle:]", False: ":orange[:material/error:]", None: ":gray[:material/help:]"}


def trust_tab(run_id: str, candidate_id: str) -> None:
    """Draw the tab: first what is quick, then what takes a moment.

    Raises:
        NasightError: The candidate has no stored weights, or they cannot be read.
    """
    evaluations = pool_of(run_id).evaluations()
    found = next((e for e in evaluations if e.id == candidate_id), None)
    if found is None or found.weights is None:
        st.info(text("audit.no_network"), icon=":material/info:")
        return
    if found.eligible:
        _front(run_id, found, len(evaluations))
    with st.spinner(text("audit.working"), show_time=True):
        parts = found_of(run_id, candidate_id)
    _guards(guard_rows(parts["guards"]))
    _groups(groups_view(parts["subgroups"]))
    from nas_core.runs.auditing import AUDIT_MEASURES

    labels = {name: label for name, (label, _) in AUDIT_MEASURES.items()}
    _twins(twins_view(parts["twin"], parts["audit_measures"], labels), parts["off_data"])


def _front(run_id: str, found: Evaluation, known: int) -> None:
    """Draw P(on the front), and what other seeds give."""
    st.markdown(f"**{text('audit.front')}**")
    try:
        front = front_of(run_id, found.id, known)
    except RunError as error:
        st.caption(str(error))
        return
    with st.spinner(text("audit.drawing"), show_time=True):
        chances = chances_of(run_id, found.id, known)
    share = chances.chances.get(found.id)
    on_front = any(e.id == found.id for e in front.front)
    key = "audit.chance_words" if on_front else "audit.chance_words_off"
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.metric(text("audit.chance"), percent(share), help=text("audit.chance_help"), width="content")
        st.caption(text(key, resamples=count(chances.resamples), rows=count(len(front.problem.valid)),
                        others=count(max(0, len(chances.chances) - 1))))  # fmt: skip
    if chances.missing:
        st.caption(text("audit.missing", count=len(chances.missing)))
    check = seed_check(run_id, found.id, known)
    st.fragment(_seeds, run_every=REFRESH if check.state == "running" else None)(
        run_id, check, found, spoken(front.problem.objective.label), front.interpretability, check.state == "running"
    )


def _seeds(
    run_id: str, check: SeedCheck, found: Evaluation, metric: str, interpretability: dict[str, float],
    was_running: bool,
) -> None:  # fmt: skip
    """Draw the button, how far the training is, and what it found."""
    running = check.state == "running"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if running:
            words = text("audit.seeds_running", done=check.finished + 1, seeds=check.seeds, count=len(check.chosen),
                         seconds=duration(check.seconds))  # fmt: skip
            st.progress(min(1.0, check.share), words if check.share < 0.9 else text("audit.auditing"))
            if st.button(text("audit.cancel"), key="trust_cancel", icon=":material/stop:"):
                check.cancel()
        else:
            seeds = st.segmented_control(text("audit.seeds"), SEEDS, default=SEEDS[0], required=True, key="trust_seeds",
                                         help=text("audit.seeds_help", count=len(check.chosen)))  # fmt: skip
            if st.button(text("audit.check"), key="trust_check", icon=":material/casino:",
                         disabled=not may_write()):  # fmt: skip
                require_driver()  # it trains, and the search would wait for it
                check.start(int(seeds or SEEDS[0]))
                st.rerun()
    if check.state == "failed":
        st.warning(check.message, icon=":material/report:")
    if check.state == "cancelled":
        st.caption(text("audit.cancelled", done=check.finished))
    if (spread := check.spreads.get(found.id)) is not None and not running:
        assert found.performance is not None  # only eligible candidates are checked
        note(run_id, found.id, "seeds", "held" if spread.on_front >= HELD else "lost")
        view = seeds_view(spread, metric, found.performance.value, interpretability[found.id])
        for column, (label, value, about) in zip(st.columns(3), view.facts):
            column.metric(label, value, help=about)
        st.caption(text("audit.seeds_done", trained=spread.trained, count=len(check.chosen)))
        for words in view.words:
            st.caption(words)
        if check.state == "done":
            st.caption(f":material/compare_arrows: {agreement_words(interpretability, check.audited)}")
    if was_running and not running:
        st.rerun()


def _guards(rows: tuple[GuardRow, ...]) -> None:
    st.markdown(f"**{text('audit.guards')}**", help=text("audit.guards_help"))
    st.markdown("  \n".join(f"{ICONS[row.ok]} {row.label} · :gray[{row.words}]" for row in rows))


def _groups(view: GroupsView) -> None:
    st.markdown(f"**{text('audit.groups')}**", help=text("audit.groups_help"))
    if view.bars:
        st.plotly_chart(groups_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="trust_groups",
                        alt="; ".join(f"{b.name} {b.value:.2f}" for b in view.bars))  # fmt: skip
    more = f" {text('audit.groups_hidden', count=view.hidden)}" if view.hidden else ""
    st.caption(f"{markdown_text(view.words)}{more}")


def _twins(view: TwinsView, off_data: object) -> None:
    from nas_core.audit.off_data import OffData

    st.markdown(f"**{text('audit.twins')}**", help=text("audit.twins_help"))
    told = "; ".join(f"{p.label} {p.trained:.2f}" for p in view.points if p.trained is not None)
    st.plotly_chart(twins_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="trust_twins", alt=told)
    if view.warnings:
        st.caption(text("audit.twins_warning", names=", ".join(p.label for p in view.warnings)))
    else:
        st.caption(text("audit.twins_fine"))
    for point in view.undefined:
        st.caption(f"{point.label}: {point.words}")
    if isinstance(off_data, OffData):
        st.markdown(f"**{text('audit.off_data')}**", help=text("audit.off_data_help"))
        icon = ICONS[None if off_data.lost is None else not off_data.flagged]
        st.markdown(f"{icon} :gray[{off_data.words}]")
