"""The language: from the URL, the switch or the browser; kept over pages; the engine's words in both."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from framed import opened
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.texts import LANGUAGES, catalogue, preferred, set_language, slug, spoken, spoken_line, text
from nas_core.explanations import EXPLAINERS
from nas_core.explanations.trust import GATES
from nas_core.interpretability import MEASURES
from nas_core.objectives import METRICS
from nas_core.search import STRATEGIES
from nas_core.spaces import families_for, family_named
from nas_core.store import InMemoryStore


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    process.configure(opened=InMemoryStore())
    yield
    set_language("en")


@pytest.mark.parametrize(
    ("locale", "code"),
    [("zh-CN", "zh"), ("zh_TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("fr", "en"), ("", "en"), (None, "en")],
)
def test_the_browsers_language_is_spoken_where_there_is_a_catalogue(locale: str | None, code: str) -> None:
    assert preferred(locale) == code


def test_the_url_decides_and_is_kept() -> None:
    app = opened(lang="zh")
    assert not app.exception
    assert app.button("language").label == "English"
    app.run()
    assert app.query_params["lang"] == "zh"


def test_the_switch_goes_to_the_other_language_and_back() -> None:
    app = opened()
    assert app.button("language").label == "中文"
    app.button("language").click().run()
    assert app.query_params["lang"] == "zh"
    assert app.caption[-1].value == "启动搜索"
    app.button("language").click().run()
    assert app.query_params["lang"] == "en"
    assert app.caption[-1].value == "Start search"


def test_a_page_without_it_in_its_address_is_told_what_was_chosen() -> None:
    app = opened(lang="zh")
    app.query_params.clear()
    app.run()
    assert app.query_params["lang"] == "zh"
    assert app.button("language").label == "English"


def test_an_unknown_language_is_that_of_the_browser() -> None:
    app = opened(lang="xx")
    assert app.button("language").label == "中文"


def test_the_words_of_the_engine_are_what_the_engine_says() -> None:
    english = {k: v for k, v in catalogue("en").items() if k.startswith("engine.")}
    assert {k.removeprefix("engine.") for k in english} == {slug(v) for v in english.values()}


def test_every_label_that_is_shown_constantly_has_a_word() -> None:
    labels = [m.label for m in MEASURES.values()] + [m.label for m in METRICS.values()]
    labels += [s.label for s in STRATEGIES.values()] + [e.label for e in EXPLAINERS.values()]
    labels += [label for label, _ in GATES.values()]
    labels += [family_named(f).label for kind in ("tabular", "image", "sequence") for f in families_for(kind)]
    known = set(catalogue("en"))
    assert [label for label in labels if f"engine.{slug(label)}" not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_is_not_known_stays_as_it_is(language: str) -> None:
    set_language(language)
    assert spoken("a word of nobody") == "a word of nobody"
    assert spoken("") == ""


def test_descriptions_of_networks_are_spoken_part_by_part() -> None:
    line = "standardised · 2 × 32 relu · batch norm · dropout 0.3 · adamw 0.04"
    assert spoken_line(line) == line
    set_language("zh")
    assert spoken_line(line) == "标准化 · 2 × 32 relu · 批归一化 · 随机失活 0.3 · adamw 0.04"
    assert spoken("Bayesian optimisation") == "贝叶斯优化"
    assert text("studio.page_run") == "运行"


def test_chinese_sentences_end_as_chinese_sentences_do() -> None:
    english, chinese = catalogue("en"), catalogue("zh")
    ends = [k for k, v in english.items() if v.endswith(".") and not chinese[k].endswith(("。", "……", "."))]
    assert ends == []
    assert [k for k, v in chinese.items() if v.endswith(".") and k not in ("whole.feature_rank",)] == []


def noting() -> None:
    import streamlit as st

    from dashboard import state
    from dashboard.texts import text

    def note() -> None:
        state.tell_fact(text("marks.saved"))

    state.load()
    with state.shown_errors():
        st.button("note", on_click=note)


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_a_callback_tells_is_in_the_language_of_the_page(code: str) -> None:
    app = AppTest.from_function(noting)
    app.query_params["lang"] = code
    app.run()
    app.button[0].click().run()
    assert [toast.value for toast in app.toast] == [catalogue(code)["marks.saved"]]


def test_a_thread_without_a_session_speaks_english() -> None:
    opened(lang="zh")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(text, "marks.saved").result() == catalogue("en")["marks.saved"]
