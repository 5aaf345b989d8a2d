"""Every sentence of the interface, by key and language.

A language is a folder (``en``) of JSON files; a file is a flat mapping from the rest of the key to the sentence, so
``text("run.start")`` is the entry ``start`` of ``run.json``. A second language is a second folder with the same keys
and the same placeholders; a test compares them. Sentences use ``str.format`` placeholders.
"""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "catalogue", "language", "preferred", "set_language", "slug", "spoken", "spoken_line",
           "spoken_steps", "text"]  # fmt: skip

LANGUAGES: dict[str, str] = {"en": "English", "zh": "中文"}
_language: ContextVar[str] = ContextVar("language", default="en")


def set_language(code: str) -> None:
    """Choose the language of this script run; an unknown code means English."""
    _language.set(code if code in LANGUAGES else "en")


def language() -> str:
    """Return the code of the language of this script run."""
    return _language.get()


def preferred(locale: str | None) -> str:
    """Return the language for a browser's locale ("zh-CN"), English where there is none for it."""
    code = (locale or "").replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else "en"


def spoken(word: str) -> str:
    """Return a word of the engine (the label of a measure, a metric, a strategy …) in the chosen language.

    The engine speaks English; ``engine.json`` has its labels, and a word that is not there stays as it is.
    """
    if _language.get() == "en":
        return word
    return catalogue(_language.get()).get(f"engine.{slug(word)}", word)


def spoken_line(line: str) -> str:
    """Return the engine's description of a network (parts between " · ", some with numbers) in the chosen language."""
    return " · ".join(_spoken_part(part) for part in line.split(" · "))


def _spoken_part(part: str) -> str:
    return " ".join(spoken(word) for word in part.split(" ")) if spoken(part) == part else spoken(part)


def spoken_steps(steps: str) -> str:
    """Return the names of the operators that made a candidate ("crossover + add feature") in the chosen language."""
    return " + ".join(spoken(step.replace("_", " ")) for step in steps.split(" + "))


def slug(word: str) -> str:
    """Return the entry of ``engine.json`` for a word of the engine."""
    return "_".join(re.findall(r"[a-z0-9]+", word.lower().replace("²", "2")))


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
