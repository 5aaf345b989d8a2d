"""The replay file without a browser: what it holds is what the run knows, and nobody's text becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import RUN, recorded_run

from dashboard.replay import LANGUAGES_IN_FILE, ReplayPlan, decision_words, replay_data, replay_page, replay_words
from dashboard.replay.notable import notable
from dashboard.replay.packing import coded, packed
from dashboard.replay.page import script_text
from dashboard.texts import catalogue
from nas_core.preferences import Preference
from nas_core.records import RunState
from nas_core.reports import decision_record
from nas_core.runs.viewer import RunView
from nas_core.store import InMemoryStore

HOSTILE = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\u2028<!--"


class Parts(HTMLParser):
    """Collects the elements of a page, and what stands in its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self._now = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._now = dict(attrs).get("id") or tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._now = ""

    def handle_data(self, data: str) -> None:
        if self._now:
            self.inside[self._now] = self.inside.get(self._now, "") + data


def parts_of(page: str) -> Parts:
    parts = Parts()
    parts.feed(page)
    return parts


def unpacked(column: dict[str, str]) -> np.ndarray:
    kinds = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "<u1"}
    return np.frombuffer(base64.b64decode(column["b"]), kinds[column["t"]])


@pytest.fixture(scope="module")
def view() -> RunView:
    store, _ = recorded_run(count=24, epochs=2)
    store.update_run(RUN, name=HOSTILE)
    return RunView(store, RUN)


def test_the_columns_are_exactly_those_of_the_run(view: RunView) -> None:
    data = replay_data(view, decision_record(view))
    s, columns = view.snapshot, data["columns"]
    for name in ("performance", "performance_loss"):
        np.testing.assert_array_equal(unpacked(columns[name]), s.columns[name])
    np.testing.assert_array_equal(unpacked(columns["measures"]).reshape(s.measures.shape), s.measures)
    np.testing.assert_array_equal(unpacked(columns["index"]), s.index)
    status = columns["status"]
    assert [status["values"][k] for k in unpacked(status["at"])] == [str(one) for one in s.status]
    assert unpacked(data["volume"]["value"])[-1] == pytest.approx(view.archive.hypervolume())


def test_the_front_and_the_choice_have_their_graphs(view: RunView) -> None:
    record = decision_record(view)
    data = replay_data(view, record)
    ranked = view.snapshot.rank(record.preference)
    for at in np.flatnonzero(ranked.on_front):
        detail = data["details"][str(at)]
        assert detail["graph"]["boxes"]
        assert set(detail["lines"]) == set(LANGUAGES_IN_FILE)
    assert data["decided"] == record.chosen.number


def test_what_people_typed_stays_data(view: RunView) -> None:
    record = decision_record(view, reason=HOSTILE, by=HOSTILE)
    page = replay_page(replay_data(view, record))
    parts = parts_of(page)
    assert [tag for tag, _ in parts.tags].count("script") == 2
    assert not [tag for tag, _ in parts.tags if tag in ("img", "iframe", "object")]
    data = json.loads(parts.inside["data"])
    assert data["run"]["name"] == HOSTILE
    for language in LANGUAGES_IN_FILE:
        written = parts_of(data["texts"][language]["decision"])
        assert not [tag for tag, _ in written.tags if tag in ("script", "img")]
        assert "alert(1)" in data["texts"][language]["decision"]


def test_the_policy_lets_nothing_run_but_this_script(view: RunView) -> None:
    parts = parts_of(replay_page(replay_data(view, decision_record(view))))
    (policy,) = [a["content"] for tag, a in parts.tags if tag == "meta" and a.get("http-equiv")]
    assert policy.startswith("default-src 'none'")
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(parts.inside[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert parts.inside["script"] == script_text()


def test_nothing_in_it_is_fetched(view: RunView) -> None:
    store, _ = recorded_run()
    clean = RunView(store, RUN)
    page = replay_page(replay_data(clean, decision_record(clean)))
    links = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert links <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import)\s*\(", script_text())


def test_attributions_stay_within_their_time_and_say_how_far_they_are(view: RunView) -> None:
    from nas_core.data import Problem, ProblemSpec

    problem, heard = Problem.load(ProblemSpec.model_validate(view.record.problem)), []
    data = replay_data(view, decision_record(view), ReplayPlan(attribution_seconds=60.0), problem=problem,
                       told=lambda share, step: heard.append((share, step)))  # fmt: skip
    front = np.flatnonzero(view.snapshot.rank(Preference()).on_front)
    for at in front:
        found = data["details"][str(at)]["importance"]
        shares = [share for _, share in found]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1.001
    assert [share for share, _ in heard] == sorted(share for share, _ in heard)
    assert {step for _, step in heard} >= {"step_graphs", "step_attributions"}
    none = replay_data(view, decision_record(view), ReplayPlan(attribution_seconds=0.0), problem=problem)
    assert not any("importance" in detail for detail in none["details"].values())


def test_it_can_be_ended(view: RunView) -> None:
    stop = threading.Event()
    assert replay_data(view, decision_record(view), told=lambda share, step: stop.set(), stop=stop) is None


@pytest.mark.parametrize("many", [1, 2])
def test_one_or_two_candidates_make_a_file(many: int) -> None:
    store, found = recorded_run()
    small = InMemoryStore()
    small.create_run(store.run(RUN))
    small.commit(RUN, found[:many], None, {"evaluated": many}, state=RunState.DONE)
    view = RunView(small, RUN)
    assert replay_page(replay_data(view, decision_record(view)))


def test_the_most_wanted_are_there_each_once(view: RunView) -> None:
    ranked = view.snapshot.rank(Preference())
    found = notable(view.snapshot, ranked, [7, 3], most=12)
    assert found[:2] == [7, 3]
    assert len(found) == len(set(found)) <= 12
    assert notable(view.snapshot, ranked, [], most=1000) == list(
        dict.fromkeys(notable(view.snapshot, ranked, [], 1000))
    )


@pytest.mark.parametrize(
    ("data", "family"), [("digits_images", "image"), ("digits_images", "cell"), ("diabetes", "tabular")]
)
def test_every_family_has_its_graphs_and_words(data: str, family: str) -> None:
    view = synthetic_view(data, family, 24)
    record = decision_record(view)
    assert record.remake.exact
    found = replay_data(view, record)
    detail = found["details"][str(view.snapshot.position(record.chosen.id))]
    assert detail["graph"]["boxes"]
    assert detail["lines"]["en"]
    assert replay_page(found)


@given(st.lists(st.floats(allow_infinity=False), max_size=20))
def test_packing_is_exact(values: list[float]) -> None:
    np.testing.assert_array_equal(unpacked(packed(values)), np.array(values, dtype=float))


@given(st.lists(st.text(max_size=3), max_size=20))
def test_coding_is_exact(values: list[str]) -> None:
    found = coded(values)
    assert [found["values"][k] for k in unpacked(found["at"])] == values
    assert len(set(found["values"])) == len(found["values"])


def test_every_sentence_the_script_speaks_is_there_in_both_languages() -> None:
    said = set(re.findall(r"\bt\(\"(\w+)\"", script_text()))
    assert said
    for language in LANGUAGES_IN_FILE:
        assert said <= set(replay_words(language))
        assert set(decision_words("en")) <= set(decision_words(language))
    for name in ("replay", "decision", "report"):
        english, chinese = (
            {k for k in catalogue(language) if k.startswith(f"{name}.")} for language in LANGUAGES_IN_FILE
        )
        assert english == chinese


@pytest.mark.slow
def test_a_thousand_candidates_are_small_and_quick(tmp_path: object) -> None:
    view = thousand()
    record = decision_record(view)
    began = time.process_time()
    page = replay_page(replay_data(view, record))
    took = time.process_time() - began
    print(f"1,000 candidates: {len(page.encode()) / 1e6:.2f} MB in {took:.1f} s of processor time")
    assert len(page.encode()) < 6e6
    assert took < 20.0


def thousand() -> RunView:
    return synthetic_view("breast_cancer", "tabular", 1000)


def synthetic_view(data: str, family: str, candidates: int) -> RunView:
    from nas_core.data import Problem, load_data
    from nas_core.evaluation.synthetic import SyntheticEvaluator
    from nas_core.runs.registry import start_run
    from nas_core.runs.settings import RunSettings
    from nas_core.spaces import SearchSpace

    problem = Problem.create(load_data(data))
    space = SearchSpace.for_problem(problem, "balanced", family)
    run = start_run(
        InMemoryStore(), problem, space, RunSettings(candidates=candidates, strategy="random"),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed),
    )  # fmt: skip
    run.wait(240)
    return RunView(run.store, run.id)
