"""The head of the Run page: name, state, progress, what a person may do with the run, and λ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.access import may_steer, may_write
from dashboard.components.driving import driving_line
from dashboard.components.goal_lines import goals_in_force
from dashboard.components.header import remember_weight
from dashboard.components.run_steering import steer_popover
from dashboard.texts import text
from dashboard.views.card import measure_label
from dashboard.views.progress import ProgressView
from dashboard.views.words import count, duration, number, percent
from dashboard.watching import Watched, run_weight
from nas_core.errors import NasightError
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.preferences import Goal, Preference

__all__ = ["control_row", "measure_weights", "preference_in_force", "steer", "weight_slider"]

WEIGHT = "lam"
"""Session and URL key of λ."""


def control_row(watched: Watched) -> None:
    """Draw name, state, progress and the buttons that the state allows."""
    progress = watched.progress
    with st.container(horizontal=True, vertical_alignment="center", key="run_head", gap="medium"):
        st.markdown(
            f"**{markdown_text(progress.name)}** &nbsp; {text(f'studio.state_{progress.state}')}", width="content"
        )
        st.progress(progress.share or 0.0, text=_progress_words(progress), width="stretch")
        _buttons(watched)
    driving_line(watched)
    if progress.live and not watched.here:
        st.caption(text("run.elsewhere"))
    if progress.state == "interrupted":
        reason = progress.reason.rstrip(".")
        st.warning(text("run.interrupted", reason=reason) if reason else text("run.interrupted_plain"))


def _progress_words(progress: ProgressView) -> str:
    parts = [
        text("run.progress", evaluated=count(progress.evaluated), budget=count(progress.budget))
        if progress.budget
        else text("run.progress_open", evaluated=count(progress.evaluated))
    ]
    if progress.state in ("running", "pausing"):
        if progress.pack.get("phase") == "prepare":
            parts.append(text("run.compiling"))
        elif progress.pack.get("epochs"):
            parts.append(
                text(
                    "run.pack",
                    number=progress.pack["number"] + 1,
                    epoch=progress.pack["epoch"],
                    epochs=progress.pack["epochs"],
                )
            )
        if progress.rate:
            parts.append(text("run.rate", rate=number(progress.rate, 2)))
        if progress.eta is not None:
            parts.append(text("run.eta", eta=duration(progress.eta)))
    else:
        parts.append(text("run.elapsed" if progress.live else "run.took", elapsed=duration(progress.elapsed)))
    return " · ".join(parts)


def _buttons(watched: Watched) -> None:
    run_id, now, own = watched.record.id, watched.progress.state, watched.own
    if now == "running" and own:
        st.button(text("run.pause"), icon=":material/pause:", on_click=_command, args=(run_id, "pause"), key="pause")
    if now in ("paused", "pausing") and own:
        st.button(
            text("run.resume"), icon=":material/play_arrow:", on_click=_command, args=(run_id, "resume"), key="resume"
        )
    if now in ("running", "pausing", "paused") and own:
        with st.popover(text("run.stop"), icon=":material/stop:"):
            st.markdown(text("run.stop_confirm"))
            with st.container(horizontal=True):
                st.button(text("run.stop_now"), type="primary", on_click=_command, args=(run_id, "stop"), key="stop",
                          help=text("run.stop_now_help"))  # fmt: skip
                if now == "running":
                    st.button(text("run.stop_after"), on_click=_command, args=(run_id, "stop_after_pack"),
                              key="stop_after", help=text("run.stop_after_help"))  # fmt: skip
    if now in ("interrupted", "stopped"):
        st.button(text("run.resume"), icon=":material/play_arrow:", on_click=_again, args=(run_id,), key="again",
                  disabled=not may_write())  # fmt: skip
    if (own or not watched.progress.live) and may_write() and run_id != process.example_run():
        steer_popover(watched)
    st.button(text("run.new"), icon=":material/add:", on_click=_new, key="new_search")


def _command(run_id: str, name: str) -> None:
    """Tell the run to pause, resume or stop; a refusal is shown at the next draw."""
    try:
        run = process.steered(run_id)
        if run is not None:
            getattr(run, name)()
    except NasightError as error:
        state.tell(str(error))


def _again(run_id: str) -> None:
    try:
        process.resume(run_id)
    except NasightError as error:
        state.tell(str(error))
        return
    st.session_state[state.WAITING] = True


def _new() -> None:
    st.session_state[state.CHOOSING] = True
    state.choose(state.Selection())


def weight_slider(watched: Watched) -> float:
    """Draw λ and return it; moving it steers the search too, where this tab may."""
    start = run_weight(watched.record)
    default = st.session_state.setdefault(f"nasight_weight_{watched.record.id}", start)
    weight = st.slider(
        text("run.lambda"), 0.0, 1.0, default, 0.01, key=WEIGHT, bind="query-params", help=text("run.lambda_help"),
        on_change=steer, args=(watched.snapshot.names, watched.record.id), format="%.2f",
    )  # fmt: skip
    remember_weight(watched.record.id, weight)
    return weight


def measure_weights(names: tuple[str, ...], run_id: str) -> None:
    """Draw one weight per family and one per measure within it, and the switch that decides whether they steer."""
    families = _families(names)
    st.caption(text("weights.intro" if len(families) > 1 else "run.weights_intro"))
    for family, inside in families.items():
        with st.container(border=len(families) > 1, gap="xsmall"):
            if len(families) > 1:
                _weight(f"**{text(f'weights.{family}')}**", _family_key(family), names, run_id,
                        help=text(f"weights.{family}_help"))  # fmt: skip
            if len(families) > 1 and len(inside) == 1:
                st.caption(measure_label(inside[0]))  # alone in its family, it has all of its weight
                continue
            columns = st.columns(2)
            for at, name in enumerate(inside):
                with columns[at % 2]:
                    _weight(measure_label(name), _key(name), names, run_id)
    st.caption(_counting(names))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle(text("run.steer"), True, key="steer", persist_state="session", help=text("run.steer_help"),
                  on_change=steer, args=(names, run_id))  # fmt: skip
        st.button(text("run.weights_reset"), type="tertiary", on_click=_equal, args=(names, run_id))


def _weight(label: str, key: str, names: tuple[str, ...], run_id: str, *, help: str | None = None) -> None:
    st.slider(label, 0.0, 3.0, 1.0, 0.5, key=key, persist_state="session", on_change=steer, args=(names, run_id),
              help=help)  # fmt: skip


def _counting(names: tuple[str, ...]) -> str:
    """Return how much each measure counts now, the most first."""
    shares = preference_in_force(0.5, names).vector(names)
    told = sorted(zip(shares, names), key=lambda pair: -pair[0])
    return text("weights.shares", shares=" · ".join(f"{measure_label(n)} {percent(float(s))}" for s, n in told))


def preference_in_force(weight: float, names: tuple[str, ...], goals: tuple[Goal, ...] = ()) -> Preference:
    """Return λ and the weights of this tab, equal ones where they leave nothing that counts, with goals.

    At 1 a family counts as much as it has measures, so that at first every measure counts the same.
    """
    from nas_core.preferences import Preference

    weights = {name: float(st.session_state.get(_key(name), 1.0)) for name in names}
    families = _families(names)
    wanted = {f: len(inside) * float(st.session_state.get(_family_key(f), 1.0)) for f, inside in families.items()}
    if len(families) < 2:
        wanted = dict.fromkeys(families, 1.0)
    else:
        weights |= {inside[0]: 1.0 for inside in families.values() if len(inside) == 1}
    if not any(wanted[f] and any(weights[n] for n in inside) for f, inside in families.items()):
        return Preference(weight=weight, measures=dict.fromkeys(names, 1.0), goals=goals)
    return Preference(weight=weight, measures=weights, families=wanted if len(families) > 1 else {}, goals=goals)


def _families(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the measures by family; all as one where a measure belongs to none."""
    from nas_core.preferences import FAMILIES, MEASURE_FAMILIES

    if any(name not in MEASURE_FAMILIES for name in names):
        return {"": list(names)}
    found = {family: [n for n in names if MEASURE_FAMILIES[n] == family] for family in FAMILIES}
    return {family: inside for family, inside in found.items() if inside}


def _family_key(family: str) -> str:
    return f"family_weight_{family}"


def _key(measure: str) -> str:
    return f"weight_{measure}"


def _equal(names: tuple[str, ...], run_id: str) -> None:
    for key in (*map(_key, names), *map(_family_key, _families(names))):
        st.session_state[key] = 1.0
    steer(names, run_id)


def steer(names: tuple[str, ...], run_id: str) -> None:
    """Let the run search near the preference of this tab, where it may; else that ranks for this tab alone."""
    if not st.session_state.get("steer", True) or not may_steer(run_id):
        return
    try:
        run = process.steered(run_id)
        if run is None or not run.alive:
            return
        run.steer(preference_in_force(float(st.session_state[WEIGHT]), names, goals_in_force(run_id)))
    except NasightError as error:
        state.tell(str(error))
