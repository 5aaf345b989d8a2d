"""The tour step by step, and the glossary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framed import opened
from streamlit.testing.v1 import AppTest

from dashboard import process, state
from dashboard.texts import LANGUAGES, catalogue, set_language
from dashboard.views.glossary import about, about_measure, terms
from dashboard.views.tour import tour_step, tour_steps
from nas_core.interpretability import MEASURES
from nas_core.store import InMemoryStore


@pytest.fixture(autouse=True)
def empty(tmp_path: Path) -> Iterator[None]:
    process.configure(str(tmp_path))
    yield
    set_language("en")
    process.store().close()
    process.configure(opened=InMemoryStore())


def has(app: AppTest, key: str) -> bool:
    return any(b.key == key for b in app.button)


def test_every_page_but_that_of_the_data_has_a_step() -> None:
    assert len(tour_steps(state.PAGES)) == 11
    assert {page for page, _, _ in tour_steps(state.PAGES)} == set(state.PAGES) - {"data"}  # data: one picks one's own
    assert {page for page, _, _ in tour_steps(("run",))} == {"run"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [-3, 0, 1, 5, 8, 99])
def test_every_number_is_a_step(number: int, language: str) -> None:
    set_language(language)
    step = tour_step(number, state.PAGES)
    assert 1 <= step.number <= step.total
    assert step.title
    assert step.look
    assert step.attempt


def test_it_is_offered_begun_and_closed() -> None:
    app = opened()
    assert has(app, "tour_offer")
    assert not has(app, "tour_next")
    app.button("tour_offer").click().run()
    assert app.query_params["tour"] == "1"
    assert app.button("tour_back").disabled
    app.button("tour_next").click().run()
    assert app.query_params["tour"] == "2"
    assert not app.exception
    app.button("tour_close").click().run()
    assert "tour" not in app.query_params
    assert not has(app, "tour_next")
    assert not has(app, "tour_offer")
    app.button("header_tour").click().run()
    assert app.query_params["tour"] == "1"


@pytest.mark.parametrize("told", ["x", "-1", "9999999", "²"])
def test_an_address_without_a_step_begins_no_tour(told: str) -> None:
    app = opened(tour=told)
    assert not app.exception
    assert not has(app, "tour_next")


def test_the_last_step_ends_it() -> None:
    app = opened(tour="99")
    assert app.button("tour_next").label == "Done"
    app.button("tour_next").click().run()
    assert not app.exception
    assert not has(app, "tour_next")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_found_by_its_own_name(language: str) -> None:
    set_language(language)
    assert len(terms()) >= 40
    for term in terms():
        assert term.about
        assert term in terms(term.word)


def test_a_search_finds_words_of_names_first() -> None:
    assert terms("pareto")[0].word == "Pareto front"
    assert terms("SHAPLEY VALUES")[0].name == "shap"
    assert terms("zzz") == ()


def test_terms_and_definitions_come_in_pairs() -> None:
    keys = [k.removeprefix("glossary.") for k in catalogue("en") if k.startswith("glossary.")]
    assert {k[5:] for k in keys if k.startswith("term_")} == {k[6:] for k in keys if k.startswith("about_")}


def test_every_measure_has_a_definition() -> None:
    assert [name for name in MEASURES if not about_measure(name)] == []
    assert about_measure("nothing") == ""
    with pytest.raises(KeyError, match="about_nothing"):
        about("nothing")


def test_the_glossary_opens_in_the_header() -> None:
    app = opened()
    assert not any(w.key == "glossary_search" for w in app.text_input)  # its content is drawn only while it is open
    assert app.session_state["glossary"] is not None
