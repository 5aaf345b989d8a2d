"""Architectures from a file, to start a run with: a list of them, or what ``nasight show --json`` printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces.space import SearchSpace
from nas_core.spaces.text import SIZE_FIX, plain_json

__all__ = ["read_architectures"]

MOST = 1_000
"""Architectures that a file may give: a person's own come before the search, and this many would be the search."""

_FORM = 'a JSON list of architectures {"family": …, "values": …} or of their values, or what show --json printed'


def read_architectures(file: Path, space: SearchSpace) -> tuple[list[Architecture], list[str]]:
    """Return the architectures of a file, each once and in canonical form, and what was left out, in words.

    Of a printed run those on its front are taken.

    Raises:
        SpaceError: The file cannot be read, is no such list, or too long; an architecture is not in ``space``.
    """
    try:
        document = plain_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SpaceError(f"The file {file} cannot be read ({error})", fix="check the path") from None
    except SpaceError as error:
        fix = "keep the best ones" if error.fix == SIZE_FIX else error.fix
        raise SpaceError(f"{file}: {error.given}", allowed=error.allowed or _FORM, fix=fix) from None
    items = _items(document, file)
    notes = []
    found: dict[str, Architecture] = {}
    for number, item in enumerate(items, start=1):
        architecture = _architecture(item, number, file, space)
        found.setdefault(architecture.id, architecture)
    if repeated := len(items) - len(found):
        notes.append(f"{repeated} of {len(items)} architectures of {file.name} are there twice and count once")
    return list(found.values()), notes


def _items(document: Any, file: Path) -> list[Any]:
    """Return the list that a document holds, within its bounds."""
    items = document
    if isinstance(document, dict) and isinstance(document.get("candidates"), list):
        rows = document["candidates"]
        items = [r for r in rows if isinstance(r, dict) and r.get("on_front")] or rows
    if not isinstance(items, list) or not items:
        what = "an empty list" if items == [] else f"of the type {type(document).__name__}"
        raise SpaceError(f"The file {file} holds no architectures: it is {what}", allowed=_FORM, fix="correct the file")
    if len(items) > MOST:
        raise SpaceError(
            f"The file {file} holds {len(items):,} architectures", allowed=f"at most {MOST:,}", fix="keep the best ones"
        )
    return items


def _architecture(item: Any, number: int, file: Path, space: SearchSpace) -> Architecture:
    """Return one architecture of the space from its plain form."""
    where = f"Architecture {number} of {file}"
    if isinstance(item, dict) and isinstance(item.get("architecture"), dict):
        item = item["architecture"]
    family = space.family
    if isinstance(item, dict) and set(item) == {"family", "values"}:
        family, item = item["family"], item["values"]
    if not isinstance(item, dict):
        raise SpaceError(f"{where} is of the type {type(item).__name__}", allowed=_FORM, fix="correct it")
    if family != space.family:
        raise SpaceError(
            f"{where} is of the family {family!r}",
            allowed=f"the family {space.family!r}",
            fix="choose it with --family",
        )
    try:
        return space.architecture(item)
    except SpaceError as error:
        raise SpaceError(f"{where}: {error.given}", allowed=error.allowed, fix=error.fix) from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise SpaceError(
            f"{where} does not have the form of an architecture ({type(error).__name__}: {error})",
            fix="compare it with one that `nasight show --json` prints",
        ) from None
