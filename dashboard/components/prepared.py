"""What a person has prepared, ready to be looked at: the problem of the draft, its families, presets and space."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.uploads import title_of
from dashboard.views.space_history import History, Version, frame_of
from nas_core.data import DataSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas_core.data import Problem
    from nas_core.records import Architecture
    from nas_core.runs.settings import RunSettings
    from nas_core.spaces import SearchSpace

__all__ = ["DEFAULT", "choose_version", "data_key", "edit_space", "families", "family_of", "order_of", "preset_of",
           "presets", "problem", "space_of_draft"]  # fmt: skip

DEFAULT = DataSource(kind="builtin", location="breast_cancer")


def data_key(draft: state.Draft) -> str:
    """Return what of a draft is about the data, the metric and the split, as text that tells one from another."""
    plain = state.Draft()
    only_data = replace(draft, source=draft.source or DEFAULT, family=None, preset=plain.preset, space=None,
                        history=History(), drawing=None)  # fmt: skip
    return only_data.to_json()


@st.cache_resource(max_entries=4, show_spinner=False)
def _problem(key: str) -> Problem:
    from nas_core.runs.settings import RunSettings

    return process.problem_of(order_of(state.Draft.from_json(key), RunSettings()))


@st.cache_resource(max_entries=16, show_spinner=False)
def _presets(key: str, family: str) -> dict[str, SearchSpace]:
    from nas_core.spaces import SearchSpace, family_named

    found = _problem(key)
    return {name: SearchSpace.for_problem(found, name, family) for name in family_named(family).presets}


def problem(draft: state.Draft) -> Problem:
    """Return the problem of a draft; kept for the last four.

    Raises:
        DataError: The data cannot be read.
        SettingsError: The metric does not fit.
    """
    return _problem(data_key(draft))


def families(draft: state.Draft) -> tuple[str, ...]:
    """Return the families that suit the data of a draft, the default first."""
    from nas_core.spaces import families_for

    return families_for(problem(draft).dataset.modality)


def family_of(draft: state.Draft) -> str:
    """Return the family a draft searches.

    Raises:
        SpaceError: There is no family for data of this kind.
    """
    from dashboard.texts import text
    from nas_core.errors import SpaceError

    offered = families(draft)
    if not offered:
        raise SpaceError(text("space.no_family", modality=problem(draft).dataset.modality))
    return draft.family if draft.family in offered else offered[0]


def presets(draft: state.Draft, family: str) -> dict[str, SearchSpace]:
    """Return the space of each preset of a family, by name."""
    return _presets(data_key(draft), family)


def preset_of(draft: state.Draft, family: str) -> str:
    """Return the preset that a draft starts from, the first of the family where it names none of them."""
    offered = presets(draft, family)
    return draft.preset if draft.preset in offered else next(iter(offered))


def space_of_draft(draft: state.Draft) -> SearchSpace:
    """Return the space a draft searches: the edited one, else the preset."""
    family = family_of(draft)
    return draft.space or presets(draft, family)[preset_of(draft, family)]


def order_of(draft: state.Draft, settings: RunSettings, first: Sequence[Architecture] = ()) -> process.Order:
    """Return the order to run what a draft describes."""
    shared = {f.name: getattr(draft, f.name) for f in fields(process.Order) if hasattr(draft, f.name)}
    source = draft.source or DEFAULT
    own = {"source": source, "settings": settings, "first": tuple(first), "name": title_of(process.store(), source)}
    return process.Order(**{**shared, **own})


def edit_space(draft: state.Draft, family: str, preset: str, space: SearchSpace | None) -> state.Draft:
    """Return the draft with another space in use, as a new version; None for the preset unchanged."""
    present = family_of(draft)
    history = _suiting(draft)
    if not history.versions:
        history = History((Version(present, preset_of(draft, present), draft.space),))
    number = len(history.versions) + 1
    numbered = None if space is None else space.model_copy(update={"version": number})
    return replace(
        draft, source=draft.source or DEFAULT, family=family, preset=preset, space=numbered,
        history=history.added(Version(family, preset, numbered)),
    )  # fmt: skip


def choose_version(draft: state.Draft, at: int) -> state.Draft:
    """Return the draft with a version it had in use again."""
    version = draft.history.versions[at]
    return replace(draft, family=version.family, preset=version.preset, space=version.space,
                   history=draft.history.moved(at))  # fmt: skip


def _suiting(draft: state.Draft) -> History:
    """Return the versions of a draft, none where they are about other data than the draft is now."""
    family = family_of(draft)
    ours = frame_of(presets(draft, family)[preset_of(draft, family)])
    edited = [v.space for v in draft.history.versions if v.space is not None]
    return draft.history if all(frame_of(s) == ours for s in edited) else History()
