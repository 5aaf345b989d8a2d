"""The Search space page: what may be built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.space_form import checked, constraints_form, variables_form
from dashboard.figures.architecture import architecture_figure
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.views.space import sample_view, samples, space_summary
from nas_core.data import DataSource, Problem, load
from nas_core.errors import SpaceError
from nas_core.spaces import SearchSpace, family_named

if TYPE_CHECKING:
    from dashboard.views.space import SampleView

PLOT = {"displayModeBar": False}
ROOM, TALL, MOST_BOXES = 400.0, 190.0, 14  # width and height of a sample's graph, pixels; boxes it may have
MONOSPACE = "<style>[class*=st-key-space_text] textarea {font-family: monospace; font-size: 12px}</style>"
DEFAULT = DataSource(kind="builtin", location="breast_cancer")


@st.cache_resource(max_entries=8, show_spinner=False)
def _presets(
    source: str, metric: str | None, seed: int, fractions: tuple[float, float, float]
) -> dict[str, SearchSpace]:
    """Return the space of each preset for the problem the draft describes."""
    problem = Problem.create(load(DataSource.model_validate_json(source)), metric, seed, fractions=fractions)
    return {name: SearchSpace.for_problem(problem, name) for name in family_named("tabular").presets}


@st.cache_data(max_entries=64, show_spinner=False)
def _samples(declaration: str, seed: int) -> list[SampleView]:
    space = SearchSpace.from_json(declaration)
    drawn = samples(space, seed)
    return [sample_view(space, architecture, room=ROOM, limit=MOST_BOXES, tallest=TALL) for architecture in drawn]


def render() -> None:
    """Draw the page."""
    state.load()
    with state.shown_errors():
        draft = state.draft()
        source = draft.source or DEFAULT
        with st.spinner(text("data.loading", name=source.location), show_time=False):
            presets = _presets(source.model_dump_json(), draft.metric, draft.split_seed, draft.fractions)
        space = draft.space or presets[draft.preset]
        _head(source.location.rsplit("/", 1)[-1], space)
        if draft.space is not None and not _fits(space, presets[draft.preset]):
            return
        left, right = st.columns([0.46, 0.54], gap="large")
        with left:
            _edit(space, presets)
        with right, state.shown_errors():
            _show(space)


def _head(name: str, space: SearchSpace) -> None:
    outputs = text("space.outputs_one") if space.outputs == 1 else text("space.outputs_many", count=space.outputs)
    st.header(text("space.title"), help=text("space.question"))
    st.caption(text("space.for_data", name=name, features=len(space.features), outputs=outputs))


def _fits(space: SearchSpace, preset: SearchSpace) -> bool:
    """Return whether an edited space is over the columns of the chosen data; say so and offer the preset if not."""
    theirs, ours = ([(f.name, f.kind) for f in s.features] for s in (space, preset))
    if theirs == ours and space.outputs == preset.outputs:
        return True
    st.error(text("space.other_data", theirs=len(theirs), ours=len(ours)))
    st.button(text("space.reset"), on_click=_reset, key="space_reset_other")
    return False


def _reset() -> None:
    state.save_draft(replace(state.draft(), space=None))


def _edit(space: SearchSpace, presets: dict[str, SearchSpace]) -> None:
    draft = state.draft()
    descriptions = family_named(space.family).presets
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            text("space.preset"), list(presets), default=draft.preset, required=True, key="space_preset",
            help=text("space.preset_help"),
        )  # fmt: skip
        if draft.space is not None:
            st.button(text("space.reset"), on_click=_reset, key="space_reset", icon=":material/undo:")
    if chosen is not None and chosen != draft.preset:
        state.save_draft(replace(draft, source=draft.source or DEFAULT, preset=chosen, space=None))
        st.rerun()
    edited = text("space.edited", version=space.version) if draft.space is not None else ""
    st.caption(" · ".join(part for part in (descriptions[draft.preset], edited) if part))
    names = [text(f"space.tab_{n}") for n in ("variables", "constraints", "text")]
    variables, constraints, declaration = st.tabs(names, key="space_tabs", on_change="rerun")
    changed = None
    with state.shown_errors():
        if variables.open:
            with variables:
                changed = variables_form(space, list(presets.values()))
        elif constraints.open:
            with constraints:
                changed = constraints_form(space)
        elif declaration.open:
            with declaration:
                changed = _declaration(space)
        if changed is not None:
            _accept(changed, space)


def _accept(changed: SearchSpace, before: SearchSpace) -> None:
    """Keep the edited space if something can be built in it."""
    names = [f.name for f in before.features]
    if [f.name for f in changed.features] != names or changed.outputs != before.outputs:
        raise SpaceError(text("space.other_data", theirs=len(changed.features), ours=len(names)))
    samples(changed, 0, 1)
    draft = state.draft()
    state.save_draft(replace(draft, source=draft.source or DEFAULT, space=changed))
    st.session_state["space_applied"] = True
    st.rerun()


def _declaration(space: SearchSpace) -> SearchSpace | None:
    """Draw the space as text, to copy, download, edit or replace."""
    form = st.segmented_control(text("space.format"), ["YAML", "JSON"], default="YAML", key="space_format",
                                label_visibility="collapsed", required=True)  # fmt: skip
    written = space.to_json() if form == "JSON" else space.to_yaml()
    opened = st.file_uploader(text("space.upload"), type=["json", "yaml", "yml"], key="space_upload")
    if opened is not None:
        try:
            written = opened.getvalue().decode("utf-8")
        except UnicodeDecodeError:
            raise SpaceError(
                f"{opened.name} is not UTF-8 text", allowed="JSON or YAML", fix="save it as UTF-8"
            ) from None
        form = "JSON" if opened.name.endswith(".json") else "YAML"
    key = f"space_text_{space.id}_{form}_{opened.file_id if opened is not None else ''}"
    st.html(MONOSPACE)
    entered = st.text_area(text("space.declaration"), written, height=420, key=key, help=text("space.declaration_help"))
    with st.container(horizontal=True):
        pressed = st.button(text("space.apply"), type="primary", key="space_apply_text")
        st.download_button(text("space.download"), space.to_json() if form == "JSON" else space.to_yaml(),
                           f"space.{form.lower()}", icon=":material/download:", key="space_download",
                           on_click="ignore")  # fmt: skip
    if not pressed:
        return None
    read = SearchSpace.from_json if form == "JSON" else SearchSpace.from_yaml
    return checked(lambda: read(entered).model_copy(update={"version": space.version + 1}))


def _show(space: SearchSpace) -> None:
    """Draw what the space can build: its size, what limits it, and three random architectures."""
    if st.session_state.pop("space_applied", False):
        st.toast(text("space.applied"), icon=":material/check:")
    summary = space_summary(space)
    st.markdown(f"**{text('space.size')}** · {summary.size}",
                help=text("space.size_exact" if summary.exact else "space.size_bound"))  # fmt: skip
    limits = text("space.in_force", list="; ".join(summary.constraints)) if summary.constraints else ""
    st.caption(limits or text("space.no_constraints"))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{text('space.builds')}**", width="content")
        if st.button(text("space.redraw"), icon=":material/casino:", key="space_redraw"):
            st.session_state["space_draw"] = st.session_state.get("space_draw", 0) + 1
    seed = st.session_state.get("space_draw", 0)
    colours = palette(state.is_dark())
    for i, sample in enumerate(_samples(space.to_json(), seed)):
        with st.container(border=True):
            words, picture = st.columns([0.32, 0.68], vertical_alignment="center")
            words.markdown(sample.words)
            words.caption(sample.cost)
            drawn = architecture_figure(sample.graph, colours, room=ROOM, height=TALL)
            picture.plotly_chart(drawn, theme=None, config=PLOT,
                                 key=f"space_sample_{i}", alt=sample.graph.words)  # fmt: skip
    state.page_link("run", text("space.next"), icon=":material/play_arrow:")


if __name__ == "__main__":
    render()
