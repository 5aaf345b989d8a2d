"""A star, a note and tags on a candidate, drawn wherever a candidate is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.access import may_write
from dashboard.texts import text
from nas_core.errors import NasightError
from nas_core.store.marks import NOTE_LENGTH, TAG_LENGTH, TAGS, mark_candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas_core.store import Mark

__all__ = ["known_tags", "mark_bar", "marks_of"]


def marks_of(run_id: str) -> dict[str, Mark]:
    """Return what people said of the candidates of a run, also what was said elsewhere a moment ago."""
    return process.store().marks(run_id)


def known_tags(marks: dict[str, Mark]) -> list[str]:
    """Return the tags in use, in the order of the alphabet."""
    return sorted({tag for mark in marks.values() for tag in mark.tags}, key=str.casefold)


def mark_bar(run_id: str, candidate: str, *, key: str = "mark") -> None:
    """Draw the star and the popover with note and tags; inside a horizontal container.

    Args:
        run_id: The run.
        candidate: One of its candidates.
        key: Tells this bar from another one on the same page.
    """
    marks = marks_of(run_id)
    mark = marks.get(candidate)
    starred = mark is not None and mark.star
    st.button(
        text("marks.starred" if starred else "marks.star"), type="tertiary", key=f"{key}_star",
        icon=":material/star:" if starred else ":material/star_outline:", help=text("marks.star_help"),
        on_click=_say, kwargs={"run_id": run_id, "candidate": candidate, "star": not starred},
        disabled=not may_write(),
    )  # fmt: skip
    said = mark is not None and bool(mark.note or mark.tags)
    popover = st.popover(
        text("marks.said" if said else "marks.say"), icon=":material/sticky_note_2:" if said else ":material/note_add:",
        key=f"{key}_notes", type="tertiary", on_change=_seed, args=(key, run_id, candidate, mark),
    )  # fmt: skip
    if popover.open:
        with popover:
            _editor(key, run_id, candidate, mark, known_tags(marks))


def _seed(key: str, run_id: str, candidate: str, mark: Mark | None) -> None:
    """Begin with what is known; from then on a person types, and nothing that arrives meanwhile takes it away."""
    st.session_state[f"{key}_of"] = (run_id, candidate)
    st.session_state[f"{key}_note"] = mark.note if mark else ""
    st.session_state[f"{key}_tags"] = list(mark.tags) if mark else []


def _editor(key: str, run_id: str, candidate: str, mark: Mark | None, known: Sequence[str]) -> None:
    if st.session_state.get(f"{key}_of") != (run_id, candidate):  # another candidate came into view meanwhile
        _seed(key, run_id, candidate, mark)
    mine = st.session_state.get(f"{key}_tags", ())
    with st.form(f"{key}_form", border=False):
        st.text_area(text("marks.note"), key=f"{key}_note", max_chars=NOTE_LENGTH, height=140,
                     placeholder=text("marks.note_hint"))  # fmt: skip
        st.multiselect(
            text("marks.tags"), list(dict.fromkeys([*known, *mine])), key=f"{key}_tags", accept_new_options=True,
            max_selections=TAGS, placeholder=text("marks.tags_hint", length=TAG_LENGTH),
        )  # fmt: skip
        st.form_submit_button(text("marks.save"), type="primary", on_click=_save, args=(key, run_id, candidate),
                              disabled=not may_write())  # fmt: skip
    if mark is not None:
        when = datetime.fromtimestamp(mark.changed).strftime("%Y-%m-%d %H:%M")
        with st.container(horizontal=True, vertical_alignment="center"):
            # a name that somebody chose is text, whatever signs it has
            st.text(text("marks.by", author=mark.author or "–", when=when), width="stretch")
            st.button(text("marks.clear"), type="tertiary", key=f"{key}_clear", on_click=_clear,
                      args=(key, run_id, candidate), disabled=not may_write())  # fmt: skip


def _save(key: str, run_id: str, candidate: str) -> None:
    note, tags = st.session_state.get(f"{key}_note", ""), st.session_state.get(f"{key}_tags", ())
    _say(run_id=run_id, candidate=candidate, note=note, tags=tuple(tags))


def _clear(key: str, run_id: str, candidate: str) -> None:
    _say(run_id=run_id, candidate=candidate, star=False, note="", tags=())
    _seed(key, run_id, candidate, None)


def _say(
    *, run_id: str, candidate: str, star: bool | None = None, note: str | None = None,
    tags: tuple[str, ...] | None = None,
) -> None:  # fmt: skip
    """Write a mark from a callback; a refusal is shown at the next draw."""
    try:
        mark_candidate(process.store(), run_id, candidate, star=star, note=note, tags=tags)
    except NasightError as error:
        state.tell(str(error))
        return
    if note is not None or tags is not None:
        state.tell_fact(text("marks.saved"))
