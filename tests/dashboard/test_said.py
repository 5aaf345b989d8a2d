"""The engine's sentences in the studio's other language: a pattern each, values kept, and pages without English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import dashboard
import nas_core
from dashboard import process
from dashboard.replay import decision_words, told_record
from dashboard.replay.texts import told_words
from dashboard.texts import catalogue, said, set_language, spoken_steps, text
from nas_core.explanations import EXPLAINERS
from nas_core.interpretability import MEASURES
from nas_core.objectives import METRICS
from nas_core.reports import Caveat
from nas_core.spaces import families_for, family_named
from nas_core.store import InMemoryStore

APP = str(Path(dashboard.__file__).parent / "app.py")
PATTERNS = {k: v for k, v in catalogue("en").items() if k.startswith("said.")}
HOLES = re.compile(r"\{\w+\}")
LATIN = re.compile(r"[A-Za-z][A-Za-z’'-]*(?:[ ,;:]+[A-Za-z][A-Za-z’'-]*){2,}")
ALLOWED = re.compile(
    r"`[^`]*`|<[^>]*>|:[a-z_]+\[|:material/\w+:|https?://\S+"
    r"|(?:mean|worst) (?:\w+ )?\w+|\w+ (?:\w+ )?error|Krishna et al|Tabs in their order[^.]*\."
)
"""Names of the data's columns and of papers, code, markup; and the one docstring that only AppTest takes for output."""


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    set_language("zh")
    yield
    set_language("en")


def filled(sentence: str) -> str:
    """Return a sentence with a value of its own in each hole."""
    return HOLES.sub(lambda hole: f"<{hole[0][1:-1]}>", sentence)


@pytest.mark.parametrize("key", PATTERNS)
def test_each_pattern_says_its_own_sentence_with_its_values(key: str) -> None:
    assert said(filled(PATTERNS[key])) == filled(catalogue("zh")[key])
    assert said(f"{filled(PATTERNS[key])}.") == f"{filled(catalogue('zh')[key])}。"


def test_in_english_nothing_is_changed() -> None:
    set_language("en")
    assert said("Exact: another seed gives the same values.") == "Exact: another seed gives the same values."


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_what_nobody_knows_stays_as_it_is(words: str) -> None:
    told = said(f"§{words}§")
    assert told == f"§{words}§" or any(joint in words for joint in (" and ", ", ", "; ", ". ", "! ", "? "))


def test_two_sentences_are_said_one_after_the_other_and_lists_part_by_part() -> None:
    assert said("Drop features with little influence, or let a stronger weight decay shrink them. Split a group.") == (
        "去掉影响小的特征，或用更强的权重衰减压缩它们。拆分一个组。"
    )
    assert said("Few features, Additive") == "特征少、可加"
    assert spoken_steps("landmark: one feature, rank 2") == "地标：单个特征，第 2 位"


def test_what_a_person_has_called_something_is_not_translated() -> None:
    assert said("the network does not read features") == "网络不读取 features"
    assert said("Uses 3 of 30 features.") == "使用 30 个特征中的 3 个。"


def test_reasons_inside_a_sentence_of_the_studio_are_said_too() -> None:
    assert text("whole.curve_none", name="age", reason="it has one value only") == "age 没有曲线：它只有一个值。"
    set_language("en")
    assert "it has one value only" in text("whole.curve_none", name="age", reason="it has one value only")


def test_every_description_that_is_shown_constantly_has_its_sentence() -> None:
    told = [m.summary for m in MEASURES.values()] + [m.description for m in METRICS.values()]
    told += [" ".join(e.description.split("\n\n")[0].split()) for e in EXPLAINERS.values()]
    for kind in ("tabular", "image", "sequence"):
        for family in map(family_named, families_for(kind)):
            told += [family.description, *family.presets.values()]
    assert [words for words in told if said(words) == words] == []


def engine_words() -> str:
    """Return every text in the engine's source, one a line; docstrings on one line, f-strings piece by piece."""
    nodes = (n for p in Path(nas_core.__file__).parent.rglob("*.py") for n in ast.walk(ast.parse(p.read_text())))
    texts = (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return "\n".join({" ".join(t.split()) for t in texts}).casefold()


def test_the_engine_still_says_what_the_catalogue_waits_for() -> None:
    """A sentence that was reworded in the engine would stay English without anybody noticing.

    The engine joins some sentences of parts, so most runs of three words must be in its source, not all.
    """
    source, stale = engine_words(), {}
    for key, sentence in PATTERNS.items():
        parts = [part.casefold().split() for hole in HOLES.split(sentence) for part in re.split(r"[:;,(]", hole)]
        runs = [" ".join(part[i : i + 3]) for part in parts for i in range(max(1, len(part) - 2)) if part]
        lost = [run for run in runs if run not in source]
        if len(lost) > 0.4 * len(runs):
            stale[key] = lost
    assert stale == {}


def test_a_record_is_told_in_the_language_and_kept_as_it_is(example: str) -> None:
    from nas_core.reports import decision_record
    from nas_core.runs.viewer import RunView

    store = process.store()
    chosen = next(e for e in store.evaluations(example) if e.eligible)
    record = decision_record(RunView(store, example), chosen.id)
    reason = "No better than a model that ignores its inputs: skill -0.9, 95 % interval -1 to -0.8"
    record = record.model_copy(update={"caveats": (Caveat(kind="ineligible", facts={"reason": reason}),)})
    assert told_record(record, "zh").caveats[0].facts["reason"].startswith("不比忽略输入的模型更好：技能分 -0.9")
    assert told_record(record, "en") == record


@pytest.mark.parametrize(
    ("language", "state"),
    [("zh", "已完成：全部 300 个候选网络已评估"), ("en", "done: All 300 candidates are evaluated")],
)
def test_where_a_run_stood_is_said_in_the_language_of_the_record(example: str, language: str, state: str) -> None:
    from nas_core.reports import decision_record, record_sections
    from nas_core.runs.viewer import RunView

    store = process.store()
    record = decision_record(RunView(store, example), next(e.id for e in store.evaluations(example) if e.eligible))
    decision = record_sections(told_record(record, language), decision_words(language))[0]
    assert decision.rows[-1][1] == state


def test_what_a_replay_file_says_of_candidates_is_in_its_languages() -> None:
    lines, operators = ["standardised · linear · adam 0.02"], ["landmark: one feature, rank 2", "crossover"]
    told = told_words(lines, operators, "zh")
    assert told["standardised"] == "标准化"
    assert told["one feature, rank 2"] == "单个特征，第 2 位"
    assert "adam 0.02" not in told
    assert told_words(lines, operators, "en") == {}


@pytest.mark.parametrize("size", ["1,234 architectures", "at most 1,234 architectures", "about 2 × 10^9 architectures"])
def test_the_size_of_a_space_is_said(size: str) -> None:
    assert re.search("[a-z]", said(size)) is None


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process.configure(str(tmp_path_factory.mktemp("said") / "store"))
    yield process.EXAMPLE
    process.store().close()
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


def shown(app: AppTest) -> list[str]:
    """Return every text on a page: what is written, labels, hints, options, and the cells of tables."""
    kinds = ("markdown", "caption", "info", "warning", "error", "success", "header", "subheader", "metric", "button",
             "selectbox", "checkbox", "toggle", "slider", "number_input", "expander", "multiselect")  # fmt: skip
    found: list[str] = []
    for element in (e for kind in kinds for e in getattr(app, kind)):
        for name in ("label", "help", "value", "options"):
            value = getattr(element, name, None)
            found += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
    for frame in (d.value for d in app.dataframe):
        found += [v for column in frame.columns for v in frame[column].tolist() if isinstance(v, str)]
    return found


PAGES = [
    ("run", {"run_tabs": "run.tab_failures"}), ("run", {"run_tabs": "run_space.tab"}),
    ("run", {"run_tabs": "steering.tab_history"}), ("candidate", {"candidate_tab": "candidate.tab_measures"}),
    ("candidate", {"candidate_tab": "candidate.tab_explain"}), ("candidate", {"candidate_tab": "candidate.tab_trust"}),
    ("candidate", {"candidate_tab": "candidate.tab_diagnosis"}), ("report", {}), ("space", {}), ("data", {}),
]  # fmt: skip


@pytest.mark.parametrize(("page", "session"), PAGES, ids=lambda v: v if isinstance(v, str) else "-".join(v.values()))
def test_a_page_in_chinese_says_nothing_in_english(example: str, page: str, session: dict[str, str]) -> None:
    chosen = [e for e in process.store().evaluations(example) if e.eligible and e.weights is not None]
    app = AppTest.from_file(APP, default_timeout=120)
    if page != "run":
        app.switch_page(f"pages/{page}.py")
    app.query_params["lang"], app.query_params["run"] = "zh", example
    if page in ("candidate", "report"):
        app.query_params["cand"] = chosen[len(chosen) // 2].id
    for name, key in session.items():
        app.session_state[name] = text(key)
    app.run()
    assert not app.exception
    words = shown(app)
    assert any(re.search(r"[一-鿿]{4}", w) for w in words), "the page should have something to say"
    assert [w for w in words if LATIN.search(ALLOWED.sub("", w))] == []


def test_a_candidate_that_is_refused_says_why_in_chinese(example: str) -> None:
    refused = next(e for e in process.store().evaluations(example) if not e.eligible and e.reason)
    assert said(refused.reason) != refused.reason
