"""Starting a search: the form, the wait while it is being prepared, and the runs that are there already."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import process, state
from dashboard.access import may_write
from dashboard.components.prepared import family_of, order_of, space_of_draft
from dashboard.components.run_warm import warm_choice
from dashboard.texts import spoken, text
from dashboard.uploads import title_of
from dashboard.views.words import count
from nas_core.errors import NasightError, SettingsError
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.data import DataSource
    from nas_core.evaluation.isolation.limits import Limits
    from nas_core.records import RunRecord
    from nas_core.runs.settings import RunSettings

__all__ = ["earlier_runs", "preparing", "start_form"]


def start_form() -> None:
    """Draw the form that starts a search."""
    from nas_core.preferences import Preference
    from nas_core.runs.settings import RunSettings
    from nas_core.search import STRATEGIES

    prepared = state.draft()
    st.subheader(text("run.start_title"))
    st.caption(text("run.start_intro"))
    with st.form("start", border=True):
        first, second, third = st.columns(3)
        with first:
            source = _data_choice(prepared)
            preset = _preset_choice(prepared)
            drawn = prepared.drawing is not None and st.checkbox(
                text("run.drawing_first"), True, key="start_drawing", help=text("run.drawing_first_help")
            )
        strategies = list(STRATEGIES)
        with second:
            strategy = st.selectbox(
                text("run.strategy"), strategies, index=strategies.index("nsga2") if "nsga2" in strategies else 0,
                format_func=lambda name: spoken(STRATEGIES[name].label),
            )  # fmt: skip
            seed = st.number_input(text("run.seed"), 0, 2**31 - 1, 0, help=text("run.seed_help"))
        with third:
            budget = st.number_input(text("run.budget"), 1, 100_000, 500, 100, help=text("run.budget_help"))
            seconds = st.number_input(text("run.time_limit"), 0, 86_400, 0, 60, help=text("run.time_limit_help"))
        weight = st.slider(text("run.lambda"), 0.0, 1.0, 0.5, 0.05, help=text("run.lambda_help"))
        more = _more()
        warm = warm_choice(prepared)
        pressed = st.form_submit_button(text("run.start"), type="primary", icon=":material/play_arrow:",
                                        disabled=not may_write())  # fmt: skip
    if pressed:
        settings = RunSettings(
            strategy=strategy,
            preference=Preference(weight=weight),
            candidates=int(budget),
            seconds=float(seconds) or None,
            seed=int(seed),
            **more,
        )
        process.launch(replace(_order(prepared, source, preset, settings, drawn=drawn), warm=warm))
        st.session_state[state.WAITING] = True
        st.rerun()


def _more() -> dict[str, Any]:
    """Draw how candidates are trained and when the run ends early; return these settings by name."""
    first, second, third = st.columns(3, vertical_alignment="bottom")
    halving = first.toggle(text("steering.halving"), key="start_halving", help=text("steering.halving_help"))
    inherit = second.toggle(text("steering.inherit"), key="start_inherit", help=text("steering.inherit_help"))
    plateau = third.number_input(
        text("steering.plateau"), 0, 100_000, 0, 50, key="start_plateau", help=text("steering.plateau_help")
    )
    return {"halving": halving, "inherit": inherit, "plateau": int(plateau) or None, "isolation": _isolation()}


def _isolation() -> Limits | None:
    """Draw where candidates are trained and what they may use; None where they are not isolated."""
    from nas_core.evaluation.isolation.limits import Limits

    first, second, third = st.columns(3, vertical_alignment="bottom")
    isolate = first.toggle(text("steering.isolate"), key="start_isolate", help=text("steering.isolate_help"))
    seconds = second.number_input(
        text("steering.isolate_seconds"), 0, 86_400, 0, 30, key="start_isolate_seconds",
        help=text("steering.isolate_seconds_help"),
    )  # fmt: skip
    memory = third.number_input(
        text("steering.isolate_memory"), 0, 1_000_000, 0, 100, key="start_isolate_memory",
        help=text("steering.isolate_memory_help"),
    )  # fmt: skip
    if not (isolate or seconds or memory):
        return None
    return Limits(seconds=float(seconds) or None, memory=int(memory) * 1_000_000 or None)


def _order(
    prepared: state.Draft, source: DataSource, preset: str | None, settings: RunSettings, *, drawn: bool
) -> process.Order:
    """Return what to start; whatever else the draft says belongs to the draft's own data only.

    Raises:
        SettingsError: The edited space, or the drawing, with other data than it was made for.
    """
    if source != prepared.source:
        if preset is None or drawn:
            ours, theirs = (s.location.rsplit("/", 1)[-1] if s else "" for s in (source, prepared.source))
            key = "run.preset_other_data" if preset is None else "run.drawing_other_data"
            raise SettingsError(text(key, ours=ours, theirs=theirs))
        return process.Order(source, settings, preset=preset, name=title_of(process.store(), source))
    chosen = replace(prepared, preset=preset or prepared.preset, space=prepared.space if preset is None else None)
    first = []
    if drawn and prepared.drawing is not None:
        first.append(space_of_draft(chosen).architecture(prepared.drawing.values))
    return order_of(chosen, settings, first)


def _data_choice(prepared: state.Draft) -> DataSource:
    from nas_core.data import DataSource, builtin_names

    sources = [DataSource(kind="builtin", location=name) for name in builtin_names()]
    if prepared.source is not None:
        sources = [prepared.source, *(s for s in sources if s != prepared.source)]

    def label(source: DataSource) -> str:
        name = title_of(process.store(), source) or source.location.rsplit("/", 1)[-1]
        return text("run.data_prepared", name=name) if source == prepared.source else name

    at = 0 if prepared.source else next((i for i, s in enumerate(sources) if s.location == "breast_cancer"), 0)
    return st.selectbox(text("run.data"), sources, index=at, format_func=label, help=text("run.data_help"))


def _preset_choice(prepared: state.Draft) -> str | None:
    """Return the preset, None for the space edited on the Search space page."""
    presets: list[str | None] = list(_preset_names(prepared))
    at = presets.index(prepared.preset) if prepared.preset in presets else 0
    if prepared.space is not None:
        presets, at = [None, *presets], 0
    return st.selectbox(
        text("run.preset"),
        presets,
        index=at,
        format_func=lambda name: spoken(name) if name else text("run.preset_edited"),
    )


def _preset_names(prepared: state.Draft) -> tuple[str, ...]:
    """Return the presets of the family that the draft searches, those of tables where nothing is prepared."""
    from nas_core.spaces import families_for, family_named

    if prepared.source is None:
        return tuple(family_named(families_for("tabular")[0]).presets)
    with st.spinner(text("data.loading", name=prepared.source.location.rsplit("/", 1)[-1]), show_time=False):
        return tuple(family_named(family_of(prepared)).presets)


@st.fragment(run_every=0.5)
def preparing() -> None:
    """Say that a run is being prepared; go on as soon as it has started or failed."""
    launched = process.latest_launch()
    if launched is None or launched.state != "preparing":
        st.rerun()
    st.info(text("run.preparing"), icon=":material/hourglass_top:")


def earlier_runs(records: list[RunRecord], current: str | None = None) -> None:
    """List the runs of the store, newest first, each with what can be done with it."""
    st.subheader(text("run.runs_title"))
    if not records:
        st.caption(text("run.runs_empty"))
    for damaged in process.store().damaged_runs()[:20]:
        st.error(markdown_text(damaged.reason), icon=":material/heart_broken:")
    for record in records[:20]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"run_{record.id}"):
            st.markdown(_line(record), width="stretch")
            if record.state in ("interrupted", "stopped"):
                st.button(text("run.runs_resume"), key=f"resume_{record.id}", on_click=_resume, args=(record.id,),
                          disabled=not may_write())  # fmt: skip
            if record.id != current:
                st.button(text("run.runs_open"), key=f"open_{record.id}", on_click=_open, args=(record.id,))
    if (example := process.example_run()) is not None and example != current:
        st.button(text("header.open_example"), key="open_example", type="tertiary", icon=":material/inventory_2:",
                  on_click=_open, args=(example,))  # fmt: skip


def _line(record: RunRecord) -> str:
    when = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M")
    return text(
        "run.run_line", name=markdown_text(record.name), state=text(f"studio.state_{record.state}"), when=when,
        evaluated=count(int(record.progress.get("evaluated", 0))),
    )  # fmt: skip


def _open(run_id: str) -> None:
    state.choose(state.Selection(run_id))


def _resume(run_id: str) -> None:
    try:
        process.resume(run_id)
    except NasightError as error:
        state.tell(str(error))
        return
    st.session_state[state.WAITING] = True
