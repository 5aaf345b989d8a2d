"""The Search space page: what may be built, and architectures drawn by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.draw import candidate_asked_for, draw_editor
from dashboard.components.prepared import DEFAULT, edit_space, families, family_of, preset_of, presets
from dashboard.components.space_builds import builds
from dashboard.components.space_form import checked, constraints_form, variables_form
from dashboard.components.space_versions import undo_redo, versions_list
from dashboard.texts import said, spoken, text
from dashboard.views.space import samples
from dashboard.views.space_history import History, frame_of
from nas_core.errors import SpaceError
from nas_core.spaces import SearchSpace, family_named

if TYPE_CHECKING:
    from collections.abc import Mapping

MONOSPACE = "<style>[class*=st-key-space_text] textarea {font-family: monospace; font-size: 12px}</style>"
EDITOR_TABS = ("variables", "constraints", "text", "versions")
VIEWS = ("space", "draw")
VIEW = "view"  # query parameter: ?view=draw opens the drawing


def render() -> None:
    """Draw the page."""
    state.load()
    with state.shown_errors():
        asked = candidate_asked_for()
        if asked or (st.query_params.get(VIEW) == "draw" and "space_view" not in st.session_state):
            st.session_state["space_view"] = text("space.view_draw")
            st.query_params[VIEW] = "draw"
        draft = state.draft()
        source = draft.source or DEFAULT
        with st.spinner(text("data.loading", name=source.location), show_time=False):
            family = family_of(draft)
            offered = presets(draft, family)
        space = draft.space or offered[preset_of(draft, family)]
        _head(source.location.rsplit("/", 1)[-1], space)
        if draft.space is not None and not _fits(space, next(iter(offered.values()))):
            return
        names = [text(f"space.view_{name}") for name in VIEWS]
        shape, draw = st.tabs(names, key="space_view", on_change=_remember_view)
        if shape.open:
            with shape:
                _shape(space, offered)
        elif draw.open:
            with draw, state.shown_errors():
                draw_editor(draft, space)


def _remember_view() -> None:
    """Write which of the two is open into the URL, for a reload."""
    drawing = st.session_state["space_view"] == text("space.view_draw")
    if drawing:
        st.query_params[VIEW] = "draw"
    else:
        st.query_params.pop(VIEW, None)


def _head(name: str, space: SearchSpace) -> None:
    outputs = text("space.outputs_one") if space.outputs == 1 else text("space.outputs_many", count=space.outputs)
    if space.signal is None:
        told = text("space.for_data", name=name, features=len(space.features), outputs=outputs)
    else:
        shape = " × ".join(str(n) for n in space.signal.shape)
        told = text(f"space.for_{space.signal.modality}", name=name, shape=shape, features=len(space.features),
                    outputs=outputs)  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.header(text("space.title"), help=text("space.question"), width="content")
        st.caption(told, width="stretch")


def _fits(space: SearchSpace, preset: SearchSpace) -> bool:
    """Return whether an edited space is over the columns of the chosen data; say so and offer the preset if not."""
    if frame_of(space) == frame_of(preset):
        return True
    st.error(text("space.other_data", theirs=len(space.features), ours=len(preset.features)))
    st.button(text("space.reset"), on_click=_reset_all, key="space_reset_other")
    return False


def _reset_all() -> None:
    """Go back to a preset, with no versions: those there are were made for other data."""
    state.save_draft(replace(state.draft(), space=None, family=None, history=History(), drawing=None))


def _reset() -> None:
    draft = state.draft()
    family = family_of(draft)
    state.save_draft(edit_space(draft, family, preset_of(draft, family), None))


def _shape(space: SearchSpace, offered: Mapping[str, SearchSpace]) -> None:
    """Draw the editor and, beside it, what the space can build."""
    left, right = st.columns([0.46, 0.54], gap="large")
    with left:
        _choose(space, offered)
        _edit(space, offered)
    with right, state.shown_errors():
        if st.session_state.pop("space_applied", False):
            st.toast(text("space.applied"), icon=":material/check:")
        builds(state.draft(), space)


def _choose(space: SearchSpace, offered: Mapping[str, SearchSpace]) -> None:
    """Draw the choice of family and preset, and the way back to what was before."""
    draft = state.draft()
    family = family_of(draft)
    known = families(draft)
    if len(known) > 1:
        picked = st.segmented_control(
            text("space.family"), known, default=family, required=True, key=f"space_family_{family}",
            format_func=lambda name: spoken(family_named(name).label), help=_listed({n: family_named(n).description
                                                                             for n in known}),
        )  # fmt: skip
        if picked is not None and picked != family:
            _switch(picked, next(iter(presets(draft, picked))))
    descriptions = family_named(family).presets
    preset = preset_of(draft, family)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            text("space.preset"), list(offered), default=preset, required=True, key=f"space_preset_{family}_{preset}",
            format_func=spoken, help=f"{text('space.preset_help')}\n\n{_listed(descriptions)}",
        )  # fmt: skip
        if draft.space is not None:
            st.button(text("space.reset"), on_click=_reset, key="space_reset", icon=":material/restart_alt:")
        if draft.history.versions:
            undo_redo()
    if chosen is not None and chosen != preset:
        _switch(family, chosen)
    edited = text("space.edited", version=space.version) if draft.space is not None else ""
    st.caption(" · ".join(part for part in (said(descriptions[preset]), edited) if part))


def _listed(described: Mapping[str, str]) -> str:
    return "  \n".join(f"**{spoken(name)}**: {said(words)}" for name, words in described.items())


def _switch(family: str, preset: str) -> None:
    """Take another preset; where the space was edited that is one more version, so that it can be undone."""
    draft = state.draft()
    if draft.history.versions or draft.space is not None:
        changed = edit_space(draft, family, preset, None)
    else:
        changed = replace(draft, source=draft.source or DEFAULT, family=family, preset=preset)
    state.save_draft(changed)
    st.rerun()


def _edit(space: SearchSpace, offered: Mapping[str, SearchSpace]) -> None:
    names = [text(f"space.tab_{n}") for n in EDITOR_TABS]
    variables, constraints, declaration, versions = st.tabs(names, key="space_tabs", on_change="rerun")
    changed = None
    with state.shown_errors():
        if variables.open:
            with variables:
                changed = variables_form(space, list(offered.values()))
        elif constraints.open:
            with constraints:
                changed = constraints_form(space, list(offered.values()))
        elif declaration.open:
            with declaration:
                changed = _declaration(space)
        elif versions.open:
            with versions:
                versions_list()
        if changed is not None:
            _accept(changed, space)


def _accept(changed: SearchSpace, before: SearchSpace) -> None:
    """Keep the edited space if something can be built in it; an edit that changes nothing is no version."""
    if frame_of(changed) != frame_of(before):
        raise SpaceError(text("space.other_data", theirs=len(changed.features), ours=len(before.features)))
    if changed.features != before.features:  # a declaration from another split: its encodings have other widths
        changed = changed.changed(features=before.features)
    if changed.id == before.id:
        st.info(text("space.unchanged"))
        return
    samples(changed, 0, 1)
    draft = state.draft()
    state.save_draft(edit_space(draft, changed.family, preset_of(draft, family_of(draft)), changed))
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
    return checked(lambda: read(entered))


if __name__ == "__main__":
    render()
