"""Every sentence exists in every language, colours can be read, numbers are written one way."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import dashboard
from dashboard.texts import LANGUAGES, catalogue, set_language, text
from dashboard.theme import DARK, LIGHT, Palette, streamlit_theme
from dashboard.views.words import duration, estimate, number, percent
from nas_core.records import Estimate

SOURCES = sorted(Path(dashboard.__file__).parent.rglob("*.py"))


def keys_in(source: Path) -> set[str]:
    """Return the literal keys passed to ``text`` in a file."""
    calls = (n for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.Call))
    named = (n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "text" and n.args)
    return {str(n.args[0].value) for n in named if isinstance(n.args[0], ast.Constant)}


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_every_key_in_the_code_is_in_the_catalogue(source: Path) -> None:
    assert keys_in(source) <= set(catalogue("en"))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sentences_and_placeholders(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert set(other) == set(english)
    assert {k: placeholders(s) for k, s in other.items()} == {k: placeholders(s) for k, s in english.items()}


def test_an_unknown_language_means_english() -> None:
    set_language("xx")
    assert text("studio.page_run") == "Run"


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"run\.nothing_of_that_name"):
        text("run.nothing_of_that_name")


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_and_marks_can_be_seen(palette: Palette) -> None:
    for ground in (palette.background, palette.panel):
        assert contrast(palette.ink, ground) >= 7
        assert contrast(palette.muted, ground) >= 4.5
        assert contrast(palette.accent, ground) >= 4.5
    for mark in (palette.accuracy, palette.interpretability, palette.chosen, palette.front):
        assert contrast(mark, palette.background) >= 3
    assert contrast(palette.on_chosen, palette.chosen) >= 4.5


def test_both_appearances_are_offered_so_that_a_person_can_choose() -> None:
    options = streamlit_theme()
    assert options["theme.light.backgroundColor"] != options["theme.dark.backgroundColor"]


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.98512, "0.985"), (1.0, "1.00"), (0.0, "0"), (1234.5, "1,230"), (12.345, "12.3"), (0.00012, "0.000120"),
     (1e-7, "1.00e-07"), (-0.5, "-0.500"), (None, "–"), (float("nan"), "–"), (0.9996, "1.00")],
)  # fmt: skip
def test_numbers_have_three_significant_digits(value: float | None, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.85, "850 ms"), (12.4, "12 s"), (130, "2 min 10 s"), (59.7, "1 min 0 s"), (11100, "3 h 5 min"), (None, "–")],
)
def test_times_are_words(seconds: float | None, written: str) -> None:
    assert duration(seconds) == written


def test_estimates_and_shares() -> None:
    assert estimate(Estimate(value=0.985, low=0.975, high=0.995)) == "0.985 ± 0.010"
    assert estimate(Estimate(value=0.985, low=0.9849, high=0.9851)) == "0.985 ± 0.0001"
    assert estimate(Estimate(value=12.34, low=10.34, high=14.34)) == "12.3 ± 2.0"
    assert estimate(None) == "–"
    assert percent(0.254) == "25 %"
