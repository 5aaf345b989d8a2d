"""Every sentence of the interface, by key and language.

A language is a folder (``en``) of JSON files; a file is a flat mapping from the rest of the key to the sentence, so
``text("run.start")`` is the entry ``start`` of ``run.json``. A second language is a second folder with the same keys
and the same placeholders; a test compares them. Sentences use ``str.format`` placeholders.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "catalogue", "set_language", "text"]

LANGUAGES: dict[str, str] = {"en": "English", "zh": "中文"}
_language: ContextVar[str] = ContextVar("language", default="en")


def set_language(code: str) -> None:
    """Choose the language of this script run; an unknown code means English."""
    _language.set(code if code in LANGUAGES else "en")


def text(key: str, /, **values: object) -> str:
    """Return the sentence for ``key`` in the chosen language, placeholders filled in.

    Raises:
        KeyError: No catalogue has the key (a programming error that the catalogue test finds).
    """
    sentence = catalogue(_language.get()).get(key)
    if sentence is None:
        sentence = catalogue("en")[key]
    return sentence.format(**values) if values else sentence


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return all sentences of ``language``, keyed ``file.entry``."""
    folder = files(__name__).joinpath(language)
    return {
        f"{item.name.removesuffix('.json')}.{entry}": sentence
        for item in sorted(folder.iterdir(), key=lambda i: i.name)
        if item.name.endswith(".json")
        for entry, sentence in json.loads(item.read_text(encoding="utf-8")).items()
    }
