"""The glossary: the terms of the studio with a plain definition each, searchable, and one at a time for a tooltip."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.texts import catalogue, text

__all__ = ["Term", "about", "about_measure", "terms"]

_TERM, _ABOUT = "glossary.term_", "glossary.about_"


@dataclass(frozen=True)
class Term:
    """A term, and what it means in one or two plain sentences."""

    name: str
    word: str
    about: str


def terms(search: str = "") -> tuple[Term, ...]:
    """Return the terms that hold every word of ``search`` in name or definition, those named so first."""
    found = (
        Term(name, text(key), about(name))
        for key in catalogue("en")
        if key.startswith(_TERM) and (name := key.removeprefix(_TERM))
    )
    wanted = search.casefold().split()
    kept = [t for t in found if all(w in f"{t.word} {t.about}".casefold() for w in wanted)]
    return tuple(sorted(kept, key=lambda t: (not all(w in t.word.casefold() for w in wanted), t.word.casefold())))


def about(name: str) -> str:
    """Return the definition of a term.

    Raises:
        KeyError: The glossary has no such term.
    """
    return text(f"{_ABOUT}{name}")


def about_measure(name: str) -> str:
    """Return what a measure of interpretability means, "" where the glossary does not have it."""
    key = f"measure_{name}"
    return about(key) if f"{_ABOUT}{key}" in catalogue("en") else ""
