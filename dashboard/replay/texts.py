"""The sentences inside the file, in every language at once: its reader switches, not its maker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from importlib.resources import files
from typing import TypeVar

from dashboard.texts import SPOKEN, catalogue, said, set_language, spoken_line, spoken_steps
from nas_core.interpretability import MEASURES
from nas_core.reports import WORDS, DecisionRecord

__all__ = ["LANGUAGES_IN_FILE", "decision_words", "in_language", "measure_words", "replay_words", "told_record",
           "told_words"]  # fmt: skip

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


def told_record(record: DecisionRecord, language: str) -> DecisionRecord:
    """Return a record to be read in one language: what the engine says in it (reasons, structures …) is said in that.

    The record that is kept and written as JSON speaks the engine's language.
    """
    return in_language(language, lambda: _told(record))


def _told(record: DecisionRecord) -> DecisionRecord:
    chosen = record.chosen
    measures = {n: m.model_copy(update={"reason": said(m.reason or "") or None}) for n, m in chosen.measures.items()}
    return record.model_copy(update={
        "state_reason": said(record.state_reason),
        "chosen": chosen.model_copy(update={"structure": spoken_line(chosen.structure),
                                            "operator": spoken_steps(chosen.operator), "measures": measures}),
        "alternatives": tuple(a.model_copy(update={"structure": spoken_line(a.structure)})
                              for a in record.alternatives),
        "caveats": tuple(c.model_copy(update={"facts": _facts(c.facts)}) for c in record.caveats),
        "acts": tuple(a.model_copy(update={"facts": _facts(a.facts)}) for a in record.acts),
    })  # fmt: skip


def _facts(facts: dict[str, str]) -> dict[str, str]:
    return {name: said(fact) if name in SPOKEN else fact for name, fact in facts.items()}


def told_words(lines: Iterable[str], operators: Iterable[str], language: str) -> dict[str, str]:
    """Return what the engine says of candidates in one language, by its own words: parts of lines, and operators."""

    def told() -> dict[str, str]:
        parts = {part for line in lines for part in line.split(" · ")}
        names = {operator.removeprefix("landmark:").strip() for operator in operators}
        return {part: spoken_line(part) for part in parts} | {name: spoken_steps(name) for name in names}

    return {own: other for own, other in sorted(in_language(language, told).items()) if own != other}


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
