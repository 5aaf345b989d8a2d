"""The sentences inside the file, in every language at once: its reader switches, not its maker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from importlib.resources import files
from typing import TypeVar

from dashboard.texts import catalogue, set_language
from nas_core.interpretability import MEASURES
from nas_core.reports import WORDS

__all__ = ["LANGUAGES_IN_FILE", "decision_words", "in_language", "measure_words", "replay_words"]

Made = TypeVar("Made")

LANGUAGES_IN_FILE = {"en": "English", "zh": "中文"}
"""Languages of the file and what they call themselves."""
PREFIX = "replay."


def replay_words(language: str) -> dict[str, str]:
    """Return the sentences of the file in one language by their key in ``replay.json``."""
    found = {**_entries("en", PREFIX), **_entries(language, PREFIX)}
    return {key.removeprefix(PREFIX): sentence for key, sentence in found.items()}


def decision_words(language: str) -> dict[str, str]:
    """Return the sentences of a decision record in one language, with the studio's names of measures and strategies."""
    from nas_core.search import STRATEGIES

    own = {k.removeprefix("decision."): s for k, s in _entries(language, "decision.").items()}
    names = {f"measure_{name}": label for name, label in measure_words(language).items()}
    strategies = {f"strategy_{name}": strategy.label for name, strategy in STRATEGIES.items()}
    return {**WORDS, **own, **names, **strategies}


def measure_words(language: str) -> dict[str, str]:
    """Return what a person reads for each measure."""
    english, other = catalogue("en"), _entries(language, "run.measure_")
    found = {}
    for name, measure in MEASURES.items():
        key = f"run.measure_{name}"
        label = other.get(key) or english.get(key) or measure.label
        found[name] = label[:1].upper() + label[1:]
    return found


def in_language(language: str, make: Callable[[], Made]) -> Made:
    """Return what ``make`` returns while ``text`` speaks one language, where the studio knows it, else English."""

    def speaking() -> Made:
        set_language(language)
        return make()

    return copy_context().run(speaking)


def _entries(language: str, prefix: str) -> Mapping[str, str]:
    if not files("dashboard.texts").joinpath(language).is_dir():
        return {}
    return {key: sentence for key, sentence in catalogue(language).items() if key.startswith(prefix)}
