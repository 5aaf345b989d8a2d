"""Every sentence of the interface, by key and language.

A language is a folder (``en``) of JSON files; a file is a flat mapping from the rest of the key to the sentence, so
``text("run.start")`` is the entry ``start`` of ``run.json``. A second language is a second folder with the same keys
and the same placeholders; a test compares them. Sentences use ``str.format`` placeholders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["LANGUAGES", "SPOKEN", "catalogue", "language", "preferred", "said", "set_language", "slug",
           "speak_by", "spoken", "spoken_line", "spoken_steps", "text"]  # fmt: skip

LANGUAGES: dict[str, str] = {"en": "English", "zh": "中文"}
SPOKEN = frozenset({"reason", "reasons", "what", "why", "words"})
"""Placeholders of the studio's sentences and of the engine's that may hold the engine's words."""
NAMES = frozenset({"name", "names"})  # what a person has called something stays as it is
LONGEST = 500  # characters: what is longer is no sentence
_language: ContextVar[str | None] = ContextVar("language", default=None)
_of_session: Callable[[], str] | None = None


def speak_by(of_session: Callable[[], str]) -> None:
    """Ask ``of_session`` for the language wherever none was set: callbacks run before the script, which sets it."""
    global _of_session
    _of_session = of_session


def set_language(code: str) -> None:
    """Choose the language of this script run; an unknown code means English."""
    _language.set(code if code in LANGUAGES else "en")


def language() -> str:
    """Return the code of the language of this script run; before it, that of its session."""
    return _language.get() or (_of_session() if _of_session else "en")


def preferred(locale: str | None) -> str:
    """Return the language for a browser's locale ("zh-CN"), English where there is none for it."""
    code = (locale or "").replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else "en"


def spoken(word: str) -> str:
    """Return a word of the engine (the label of a measure, a metric, a strategy …) in the chosen language.

    The engine speaks English; ``engine.json`` has its labels, and a word that is not there stays as it is.
    """
    if language() == "en":
        return word
    return catalogue(language()).get(f"engine.{slug(word)}", word)


def spoken_line(line: str) -> str:
    """Return the engine's description of a network (parts between " · ", some with numbers) in the chosen language."""
    return " · ".join(_spoken_part(part) for part in line.split(" · "))


def _spoken_part(part: str) -> str:
    return " ".join(spoken(word) for word in part.split(" ")) if spoken(part) == part else spoken(part)


def spoken_steps(steps: str) -> str:
    """Return the names of the operators that made a candidate ("crossover + add feature") in the chosen language."""
    return " + ".join(said(step.replace("_", " ")) for step in steps.split(" + "))


def said(words: str) -> str:
    """Return sentences of the engine (what a check found, why a measure does not apply …) in the chosen language.

    The engine speaks English; ``said.json`` has its sentences with a placeholder for each of their values. A sentence
    that is not there stays as it is.
    """
    return words if language() == "en" else _said(words, language())


@lru_cache(maxsize=4096)
def _said(words: str, code: str) -> str:
    """Return what a pattern says of all the words; else of each sentence; else of each part of a list."""
    bare, stop = words.strip().rstrip("."), "。" if words.rstrip().endswith(".") else ""
    if (known := _word(bare, code) or _matched(bare, code)) is not None:
        return known + stop
    if len(sentences := re.split(r"(?<=[.!?]) (?=[A-Z0-9#])", words.strip())) > 1:
        told = [_said(sentence, code) for sentence in sentences]
        return "".join(t if t.endswith("。") else f"{t} " for t in told).rstrip()
    for gap, joint in (("; ", "；"), (", ", "、"), (" and ", "和")):
        if gap in bare:
            parts = bare.split(gap)
            told = [_said(part, code) for part in parts]
            if not any(a == b for a, b in zip(parts, told, strict=True)):
                return joint.join(told) + stop
    return words


def _word(words: str, code: str) -> str | None:
    """Return a label or description of the engine, without a full stop; None where it is none."""
    key = f"engine.{slug(words)}"
    english = catalogue("en").get(key)
    known = english is not None and english.rstrip(".").casefold() == words.casefold()
    return catalogue(code)[key].rstrip("。") if known else None


def _matched(words: str, code: str) -> str | None:
    """Return the sentence of ``code`` whose English pattern these words fit, with its values; None where none fits."""
    if len(words) > LONGEST:
        return None
    lower = words.casefold()
    for key, literal, pattern in _patterns():
        if literal in lower and (found := pattern.fullmatch(words)):
            values = {n: v if n in NAMES else _said(v, code) for n, v in found.groupdict().items()}
            return catalogue(code)[key].format(**values)
    return None


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    """Return key, longest literal part and pattern of the engine's sentences, those with the most letters first."""
    found = []
    for key, sentence in catalogue("en").items():
        if key.startswith("said."):
            parts = re.split(r"\{(\w+)\}", sentence)
            shape = "".join(f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
            letters = sum(map(len, parts[::2]))
            found.append((letters, key, max(parts[::2], key=len).casefold(), re.compile(shape, re.DOTALL | re.I)))
    return [(key, literal, pattern) for _, key, literal, pattern in sorted(found, key=lambda f: -f[0])]


def slug(word: str) -> str:
    """Return the entry of ``engine.json`` for a word of the engine."""
    return "_".join(re.findall(r"[a-z0-9]+", word.lower().replace("²", "2")))


def text(key: str, /, **values: object) -> str:
    """Return the sentence for ``key`` in the chosen language, placeholders filled in.

    Where a placeholder may hold the engine's words (:data:`SPOKEN`), they are said in the language too.

    Raises:
        KeyError: No catalogue has the key (a programming error that the catalogue test finds).
    """
    sentence = catalogue(language()).get(key)
    if sentence is None:
        sentence = catalogue("en")[key]
    if language() != "en":
        values = {n: said(v) if n in SPOKEN and isinstance(v, str) else v for n, v in values.items()}
    return sentence.format(**values) if values else sentence


@cache
def catalogue(code: str) -> dict[str, str]:
    """Return all sentences of the language ``code``, keyed ``file.entry``."""
    folder = files(__name__).joinpath(code)
    return {
        f"{item.name.removesuffix('.json')}.{entry}": sentence
        for item in sorted(folder.iterdir(), key=lambda i: i.name)
        if item.name.endswith(".json")
        for entry, sentence in json.loads(item.read_text(encoding="utf-8")).items()
    }
