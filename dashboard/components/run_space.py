"""The tab "Space" of the Run page: options the search could do without, pinning and forbidding by hand, versions."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.pool import pool_of
from dashboard.components.prepared import data_key, edit_space
from dashboard.texts import text
from dashboard.views.run_space import Deed, choice_edit, edited, proposal_lines, restored, run_versions
from dashboard.views.space_diff import space_diff
from dashboard.views.space_history import History, Version
from dashboard.views.words import count
from dashboard.watching import Watched
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nas_core.preferences import Preference
    from nas_core.records import RunRecord
    from nas_core.search.pruning import Removal
    from nas_core.spaces import Choice, SearchSpace

__all__ = ["proposals_part", "space_tab"]

GROWTH = 0.1
"""Share of new candidates after which the proposals of a live run are worked out again."""


class Proposals:
    """What a run could do without, worked out again only when it has found enough more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[str, str] = ("", "")
        self.counted = 0
        self.found: list[Removal] = []

    def of(self, watched: Watched, space: SearchSpace, preference: Preference) -> list[Removal]:
        """Return the proposals for the present space under the present weights of the measures."""
        from nas_core.search.pruning import removable

        weights = preference.model_copy(update={"weight": 0.5}).model_dump_json()
        with self._lock:
            n, key = len(watched.snapshot), (space.id, weights)
            enough = n >= self.counted * (1 + GROWTH) + 10 or (not watched.progress.live and n != self.counted)
            if key != self._key or enough:
                people = pool_of(watched.record.id).evaluations()
                self.found = removable(watched.snapshot, people, space, preference)
                self._key, self.counted = key, n
            return self.found


@st.cache_resource(max_entries=8, show_spinner=False)
def _proposals(run_id: str, created: float) -> Proposals:
    return Proposals()


def space_tab(watched: Watched, preference: Preference) -> None:
    """Draw the tab."""
    space = _told_present(watched)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _draw_proposals(watched, space, preference)
    with right:
        _by_hand(watched, space)
        _versions(watched)


def proposals_part(watched: Watched, preference: Preference) -> None:
    """Draw the proposals alone, for a page that is not about steering."""
    with st.spinner(text("insight.working"), show_time=True):
        _draw_proposals(watched, _told_present(watched), preference)


def _told_present(watched: Watched) -> SearchSpace:
    """Return the space that an edit changes, after saying whom an edit reaches."""
    space = _present(watched)
    if watched.progress.live and not watched.here:
        st.caption(text("run.elsewhere"))
    elif not watched.progress.live:
        _prepared(watched, space)
    return space


def _draw_proposals(watched: Watched, space: SearchSpace, preference: Preference) -> None:
    st.markdown(f"**{text('run_space.proposals')}**", help=text("run_space.proposals_help"))
    known = _proposals(watched.record.id, watched.record.created)
    lines = proposal_lines(known.of(watched, space, preference), space)
    if not lines:
        st.caption(text("run_space.proposals_none", count=count(known.counted)))
    for at, (choice, sentence, edit) in enumerate(lines):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(sentence, width="stretch")
            _button("forbid", watched, choice, edit.refused, key=f"run_space_proposal_{at}",
                    help="; ".join(edit.words))  # fmt: skip


def _by_hand(watched: Watched, space: SearchSpace) -> None:
    from nas_core.spaces import choices_of

    st.markdown(f"**{text('run_space.by_hand')}**")
    offered = {str(c): c for c in choices_of(space)}
    if not offered:
        st.caption(text("run_space.no_choices"))
        return
    label = st.selectbox(text("run_space.choice"), list(offered), key="run_space_choice")
    choice = offered.get(label or "")
    if choice is None:
        return  # what was chosen has just been forbidden: nothing is meant before a person chooses again
    with st.container(horizontal=True):
        for deed in ("forbid", "pin"):
            edit = choice_edit(space, choice, deed)
            _button(deed, watched, choice, edit.refused, key=f"run_space_{deed}", help="; ".join(edit.words))


def _button(deed: Deed, watched: Watched, choice: Choice, refused: str, *, key: str, help: str) -> None:
    """Draw the button of a deed; one that is refused says why."""
    st.button(
        text(f"run_space.{deed}"), key=key, help=refused or help or None, disabled=bool(refused) or not _may(watched),
        on_click=_do, args=(watched.record.id, choice, deed),
    )  # fmt: skip


def _versions(watched: Watched) -> None:
    versions = run_versions(watched.view.versions)
    if not versions:
        return
    st.markdown(f"**{text('run_space.versions')}**")
    for version in versions:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{version.number}** · {'; '.join(version.words)}", width="stretch")
            st.button(
                text("run_space.undo"), key=f"run_space_undo_{version.number}", disabled=not _may(watched),
                help=text("run_space.undo_help"), on_click=_undo, args=(watched.record.id, version.before),
            )  # fmt: skip


def _prepared(watched: Watched, space: SearchSpace) -> None:
    """Say that the run has ended, and what is prepared for a new one."""
    changes = space_diff(watched.space, space)
    if not changes:
        st.caption(text("run_space.ended"))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(text("run_space.prepared", words="; ".join(changes)), icon=":material/edit:")
        st.button(text("run_space.start"), key="run_space_start", on_click=_start, icon=":material/add:")


def _may(watched: Watched) -> bool:
    """Return whether an edit reaches somebody: the run where it is live here, a draft where it has ended."""
    return watched.own or not watched.progress.live


def _present(watched: Watched) -> SearchSpace:
    """Return the space that an edit changes: that of a live run, else what was prepared from it, else its own."""
    own = watched.space
    if watched.progress.live:
        return own
    prepared = state.draft()
    first = prepared.history.versions[0].space if prepared.history.versions else None
    begun_here = first is not None and first.id == own.id and prepared.space is not None
    return prepared.space if begun_here and prepared.space is not None else own


def _do(run_id: str, choice: Choice, deed: Deed) -> None:
    _change(run_id, lambda space: edited(space, choice, deed))


def _undo(run_id: str, before: SearchSpace) -> None:
    _change(run_id, lambda space: restored(space, before))


def _change(run_id: str, change: Callable[[SearchSpace], tuple[SearchSpace, tuple[str, ...]]]) -> None:
    """Make the change in the live run, else in the draft of a new one; a refusal is shown at the next draw."""
    from dashboard.watching import watch

    try:
        watched = watch(run_id)
        run = process.steered(run_id) if watched.here else None
        present = _present(watched)
        space, words = change(present)
        if run is not None and run.alive:
            run.edit_space(space, "; ".join(words))
            state.tell_fact(text("run_space.told", words="; ".join(words)))
        else:
            _prepare(watched.record, present, space)
            state.tell_fact(text("run_space.kept"))
    except NasightError as error:
        state.tell(str(error))


def _prepare(record: RunRecord, present: SearchSpace, space: SearchSpace) -> None:
    """Put the changed space into the draft, with the data of the run."""
    draft = _draft_of(record)
    before = state.draft()
    if data_key(before) == data_key(draft) and before.space is not None and before.space.id == present.id:
        draft = before
    else:
        begun = History((Version(present.family, draft.preset, present),))
        draft = replace(draft, family=present.family, space=present, history=begun)
    state.save_draft(edit_space(draft, space.family, draft.preset, space))


def _draft_of(record: RunRecord) -> state.Draft:
    """Return a draft with the data of a run."""
    from nas_core.data import ProblemSpec

    spec = ProblemSpec.model_validate(record.problem)
    taken = {f.name: getattr(spec, f.name) for f in fields(state.Draft) if hasattr(spec, f.name)}
    return replace(state.Draft(**taken), scheme=spec.split)


def _start() -> None:
    st.session_state[state.CHOOSING] = True
    state.choose(state.Selection())
