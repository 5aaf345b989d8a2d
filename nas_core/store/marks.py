"""What people say of candidates: a star, a note, tags; beside the run, never part of it.

A mark belongs to a candidate of a run and to nobody's search: writing one gives the run no new revision, needs no
ownership of it and cannot change how it continues. Of two people who change the same field the later one wins; a change
names only the fields it is about, so a star never takes away a note that somebody else has just written.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.errors import StoreError
from nas_core.records import Record

if TYPE_CHECKING:
    from nas_core.store.base import Store

__all__ = ["AUTHOR_LENGTH", "NOTE_LENGTH", "TAGS", "TAG_LENGTH", "Mark", "MarkChange", "mark_candidate", "mark_change",
           "marked"]  # fmt: skip

NOTE_LENGTH = 4_000
"""Characters a note may have."""
TAGS, TAG_LENGTH = 20, 40
"""Tags a candidate may have, and characters a tag may have."""
AUTHOR_LENGTH = 80
"""Characters of the name of who wrote a mark; a longer name is cut."""


class Mark(Record):
    """What people said of one candidate.

    Attributes:
        candidate: Identity of the candidate.
        star: Whether it is one to come back to.
        note: Plain text, at most :data:`NOTE_LENGTH` characters.
        tags: At most :data:`TAGS` short words, in the order they were given.
        author: Who changed it last.
        changed: When that was, seconds since 1970.
    """

    candidate: str
    star: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    changed: float = 0.0

    @property
    def empty(self) -> bool:
        """True when it says nothing, so that nothing need be kept."""
        return not (self.star or self.note or self.tags)


class MarkChange(Record):
    """A change of a mark: None keeps a field as it is; made by :func:`mark_change`, which checks it."""

    star: bool | None = None
    note: str | None = None
    tags: tuple[str, ...] | None = None
    author: str = ""
    changed: float = 0.0


def mark_candidate(
    store: Store, run_id: str, candidate_id: str, *, star: bool | None = None, note: str | None = None,
    tags: Sequence[str] | None = None, author: str | None = None,
) -> Mark | None:  # fmt: skip
    """Change what is said of a candidate and return it, None when nothing is left to say; of any run, live or not.

    Args:
        store: Where the run is.
        run_id: The run.
        candidate_id: A candidate it has evaluated.
        star, note, tags: New values; None keeps the present one. ``False``, ``""`` and ``()`` take it away.
        author: Who says it; None for the user of this process.

    Raises:
        StoreError: No such run or candidate; a note, a tag or the number of tags is too long.
    """
    return store.mark(run_id, candidate_id, mark_change(star=star, note=note, tags=tags, author=author))


def mark_change(
    *, star: bool | None = None, note: str | None = None, tags: Sequence[str] | None = None, author: str | None = None,
    now: float | None = None,
) -> MarkChange:  # fmt: skip
    """Return a change within the limits: blanks around are cut, tags are one line and differ in more than case.

    Raises:
        StoreError: Something is too long, or holds characters that no text file can.
    """
    name = _user() if author is None else author
    return MarkChange(
        star=star,
        note=None if note is None else _note(note),
        tags=None if tags is None else _tags(tags),
        author=" ".join(name.split())[:AUTHOR_LENGTH].encode("utf-8", "replace").decode(),
        changed=time.time() if now is None else now,
    )


def marked(present: Mark | None, candidate: str, change: MarkChange) -> Mark:
    """Return ``present`` with ``change``; what a store writes, or forgets where it is empty."""
    before = present or Mark(candidate=candidate)
    fields = {name: value for name, value in change if value is not None}
    return before.model_copy(update=fields)


def _note(text: str) -> str:
    told = text.replace("\r\n", "\n").strip()
    _writable("The note", told)
    if len(told) > NOTE_LENGTH:
        raise StoreError(
            f"The note has {len(told):,} characters",
            allowed=f"at most {NOTE_LENGTH:,}",
            fix="shorten it, or keep the long text elsewhere and note where",
        )
    return told


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for tag in tags:
        told = " ".join(tag.split())
        _writable("The tag", told)
        if len(told) > TAG_LENGTH:
            raise StoreError(
                f"The tag {told[:TAG_LENGTH]!r}… has {len(told)} characters",
                allowed=f"at most {TAG_LENGTH}",
                fix="write a note instead",
            )
        if told:
            found.setdefault(told.casefold(), told)
    if len(found) > TAGS:
        raise StoreError(f"These are {len(found)} tags", allowed=f"at most {TAGS} a candidate", fix="take some away")
    return tuple(found.values())


def _writable(what: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StoreError(f"{what} holds half of a character", fix="type it again") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, as in some containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else ""
