"""The replay file in a real Chromium, opened as a file: it ranks as the engine does, and works without a network."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from recorded import RUN, recorded_run

from dashboard.replay import ReplayPlan, replay_data, replay_page
from nas_core.data import Problem, ProblemSpec, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.objectives import METRICS
from nas_core.preferences import FAMILIES, MEASURE_FAMILIES, Goal, Preference
from nas_core.reports import decision_record
from nas_core.runs.registry import start_run
from nas_core.runs.settings import RunSettings
from nas_core.runs.viewer import RunView
from nas_core.search.limits import Limits
from nas_core.search.ranking import rank_candidates
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore

pytestmark = pytest.mark.browser
NAMES = tuple(MEASURE_FAMILIES)
RANKING = files("dashboard.replay").joinpath("rank.js").read_text(encoding="utf-8")
TWIN = """([table, wish]) => {
  const nan = (values) => Float64Array.from(values, (v) => (v === null ? NaN : v));
  for (const name of ["performance_loss", "measures"]) table[name] = nan(table[name]);
  wish.shares = shares(table.names, table.homes, simplex(wish.measures), simplex(wish.families));
  const r = rank(table, wish, table.eligible.length), plain = (values) => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
  return { shares: wish.shares, order: r.order, best: r.best, onFront: plain(r.onFront), leaders: plain(r.leaders), meets: plain(r.meets),
           interpretability: plain(r.interpretability), score: plain(r.score), violation: plain(r.violation), winners: winners(r.losses, r.leaders) };
}"""  # noqa: E501


@pytest.fixture(scope="module")
def ranking_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_content("<p>rank</p>")
    page.add_script_tag(content=RANKING)
    yield page
    context.close()


def case(seed: int) -> tuple[dict[str, Any], Preference, dict[str, Any]]:
    """Return a table with ties, NaN, ineligible and outside candidates, a preference, and the engine's inputs."""
    rng = np.random.default_rng(seed)
    n, names = int(rng.integers(0, 60)), tuple(rng.permutation(NAMES)[: int(rng.integers(1, len(NAMES) + 1))].tolist())
    loss, measures = rng.random(n), rng.random((n, len(names)))
    if seed % 2:  # values on a grid meet each other often
        loss, measures = np.round(loss, 1), np.round(measures * 2) / 2
    measures[rng.random(measures.shape) < 0.15] = np.nan
    if n > 4:
        copies = rng.integers(0, n, 4)
        loss[copies], measures[copies] = loss[copies[0]], measures[copies[0]]
    eligible, inside = rng.random(n) < 0.85, rng.random(n) < (0.0 if seed % 7 == 0 else 0.8)
    families = {str(f): float(rng.random()) for f in FAMILIES if rng.random() < 0.7} if seed % 3 else {}
    weights = {str(name): float(rng.random()) for name in names if rng.random() < 0.8} if seed % 4 else {}
    goals = []
    if seed % 5 in (1, 2, 3):
        goals.append(Goal(name="performance", value=float(np.round(rng.random(), 2))))
    if seed % 5 in (2, 4):
        goals.append(Goal(name="interpretability", value=float(np.round(rng.random(), 2))))
    if seed % 5 == 3:
        goals.append(Goal(name=names[0], value=float(np.round(rng.random(), 2))))
    weight = (0.0, 1.0, 0.5)[seed % 3] if seed % 4 == 0 else float(rng.random())
    wish = Preference(weight=weight, measures=weights, families=families, goals=tuple(goals))
    metric = METRICS["roc_auc" if seed % 2 else "mse"]
    none = lambda values: [None if np.isnan(v) else float(v) for v in values.ravel()]  # noqa: E731
    table = {
        "names": names, "homes": MEASURE_FAMILIES, "metric": {"best": metric.best, "worst": metric.worst},
        "performance_loss": none(loss), "measures": none(measures), "eligible": eligible.astype(int).tolist(),
        "inside": inside.astype(int).tolist(),
    }  # fmt: skip
    arguments = {"performance_loss": loss, "measures": measures, "eligible": eligible, "names": names, "among": inside,
                 "limits": Limits.of(wish.goals, metric, names)}  # fmt: skip
    return table, wish, arguments


def numbers(values: np.ndarray) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]


def close(found: list[float | None], wanted: list[float | None], tolerance: float) -> None:
    assert [v is None for v in found] == [v is None for v in wanted]
    assert [v for v in found if v is not None] == pytest.approx([v for v in wanted if v is not None], abs=tolerance)


@pytest.mark.parametrize("block", range(6))
def test_the_script_ranks_as_the_engine_does(ranking_page: Page, block: int) -> None:
    compared = 0
    for seed in range(block * 50, block * 50 + 50):
        table, wish, arguments = case(seed)
        if not wish.shares(arguments["names"]).any():
            continue  # the file never offers weights that leave nothing
        found = ranking_page.evaluate(TWIN, [table, wish.model_dump(mode="json")])
        wanted = rank_candidates(wish=wish, **arguments)
        close(found["shares"], wish.shares(arguments["names"]).tolist(), 1e-12)
        assert (found["best"], found["order"]) == (wanted.best, wanted.order.tolist()), seed
        for name, values in (("onFront", wanted.on_front), ("leaders", wanted.leaders), ("meets", wanted.meets)):
            assert found[name] == values.astype(int).tolist(), (seed, name)
        close(found["interpretability"], numbers(wanted.interpretability), 1e-12)
        close(found["score"], numbers(wanted.score), 1e-9)
        close(found["violation"], numbers(wanted.violation), 1e-12)
        bands = wanted.winners()
        assert [w["position"] for w in found["winners"]] == [w.position for w in bands], seed
        assert [[w["low"], w["high"]] for w in found["winners"]] == pytest.approx(
            np.array([[w.low, w.high] for w in bands]).reshape(-1, 2) if bands else [], abs=1e-9
        )
        compared += 1
    assert compared > 30


def synthetic_view(candidates: int) -> RunView:
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(
        InMemoryStore(), problem, space, RunSettings(candidates=candidates, strategy="random", seed=2),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed),
    )  # fmt: skip
    run.wait(240)
    return RunView(run.store, run.id)


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunView]:
    view = synthetic_view(1000)
    file = tmp_path_factory.mktemp("replay") / "replay.html"
    file.write_text(replay_page(replay_data(view, decision_record(view, reason="Because <b>so</b>"))), encoding="utf-8")
    return file, view


class Opened:
    """A page of a file, and what must not happen on it."""

    def __init__(self, browser: Browser, file: Path, **context: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 720}, **context)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("console", self._said)
        self.page.on("dialog", self._stopped)
        self.page.on("request", lambda request: self._asked(request.url))
        began = time.perf_counter()
        self.page.goto(file.as_uri())
        expect(self.page.locator("html[data-ready=yes]")).to_be_attached()
        self.seconds = time.perf_counter() - began

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _stopped(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.wrong.append(f"request: {url}")

    def close(self) -> None:
        self.context.close()
        assert not self.wrong


@pytest.fixture
def opened(browser: Browser, thousand: tuple[Path, RunView]) -> Iterator[Opened]:
    made = Opened(browser, thousand[0])
    yield made
    made.close()


def slide(page: Page, name: str, value: str) -> None:
    page.locator(name).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def test_it_opens_quickly_with_the_choice_in_view(opened: Opened, thousand: tuple[Path, RunView]) -> None:
    file, view = thousand
    ready = opened.page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000")
    print(f"1,000 candidates: {file.stat().st_size / 1e6:.2f} MB, ready after {ready:.2f} s ({opened.seconds:.2f} s)")
    assert file.stat().st_size < 6e6
    best = view.snapshot.rank(Preference()).best
    expect(opened.page.locator("#panel h2")).to_have_text(f"Candidate #{view.snapshot.index[best]}")
    expect(opened.page.locator("#record")).to_contain_text("Because <b>so</b>")


@pytest.mark.parametrize("weight", ["0.05", "0.31", "0.77", "1"])
def test_the_slider_chooses_whom_the_engine_chooses(
    opened: Opened, thousand: tuple[Path, RunView], weight: str
) -> None:
    snapshot = thousand[1].snapshot
    best = snapshot.rank(Preference(weight=float(weight))).best
    slide(opened.page, "#weight", weight)
    expect(opened.page.locator("#panel h2")).to_have_text(f"Candidate #{snapshot.index[best]}")
    expect(opened.page.locator("#sentence")).to_contain_text(
        f"At λ = {float(weight):.2f} candidate #{snapshot.index[best]} "
    )


def test_the_scrubber_shows_the_run_as_it_was(opened: Opened, thousand: tuple[Path, RunView]) -> None:
    view, page = thousand[1], opened.page
    slide(page, "#weight", "0.5")
    slide(page, "#scrub", "40")
    early = InMemoryStore()
    early.create_run(view.record)
    early.commit(view.run_id, view.store.evaluations(view.run_id)[:40], None, {"evaluated": 40})
    snapshot = RunView(early, view.run_id).snapshot
    expect(page.locator("#moment")).to_have_text("40 of 1,000")
    expect(page.locator("#panel h2")).to_have_text(f"Candidate #{snapshot.index[snapshot.rank(Preference()).best]}")
    slide(page, "#scrub", "990")
    page.locator("#play").click()
    expect(page.locator("#moment")).to_have_text("1,000 of 1,000")
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")


def test_a_band_and_the_keyboard_choose(opened: Opened) -> None:
    page = opened.page
    page.locator("#ribbon .band").first.click()
    first = page.locator("#panel h2").inner_text()
    page.locator("#front svg").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel h2")).not_to_have_text(first)
    page.locator("#weight").focus()
    page.keyboard.press("End")
    expect(page.locator("#lambda")).to_have_text("1.00")
    page.locator("#tab-decision").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pane-candidates")).to_be_visible()
    page.get_by_role("button", name="Interpretability").first.click()
    expect(page.locator("th[aria-sort=descending]")).to_have_count(1)


def test_weights_and_goals_rank_anew(opened: Opened, thousand: tuple[Path, RunView]) -> None:
    page, snapshot = opened.page, thousand[1].snapshot
    slide(page, "#weight", "0.5")
    page.locator("#tab-wishes").click()
    page.get_by_label("Add a goal").select_option("performance")
    page.get_by_label("Goal: ROC AUC").or_(page.get_by_label("goal: ROC AUC")).fill("0.97")
    page.keyboard.press("Tab")
    best = snapshot.rank(Preference(goals=(Goal(name="performance", value=0.97),))).best
    expect(page.locator("#panel h2")).to_have_text(f"Candidate #{snapshot.index[best]}")
    page.get_by_role("button", name="Back to the weights").click()
    page.get_by_label("Few features").evaluate(
        "(e) => { e.value = '3'; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    families = {f: sum(MEASURE_FAMILIES[n] == f for n in snapshot.names) for f in FAMILIES}
    weights = {n: 3.0 if n == "feature_parsimony" else 1.0 for n in snapshot.names}
    wish = Preference(measures=weights, families={f: k for f, k in families.items() if k})
    best = snapshot.rank(wish).best
    expect(page.locator("#panel h2")).to_have_text(f"Candidate #{snapshot.index[best]}")


def test_it_speaks_chinese_and_knows_the_dark(browser: Browser, thousand: tuple[Path, RunView]) -> None:
    dark = Opened(browser, thousand[0], color_scheme="dark")
    page = dark.page
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(17, 22, 28)"
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#tab-decision")).to_have_text("决策记录")
    expect(page.locator("#record")).to_contain_text("需要注意")
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    dark.close()


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"
    store, _ = recorded_run(count=24, epochs=2)
    store.update_run(RUN, name=hostile)
    view = RunView(store, RUN)
    problem = Problem.load(ProblemSpec.model_validate(view.record.problem))
    data = replay_data(view, decision_record(view, reason=hostile, by=hostile), ReplayPlan(attribution_seconds=60.0),
                       problem=problem)  # fmt: skip
    text = json.dumps(data).replace("mean texture", json.dumps(hostile)[1:-1])  # a column of the data is called so
    file = tmp_path / "hostile.html"
    file.write_text(replay_page(json.loads(text)), encoding="utf-8")
    opened = Opened(browser, file)
    expect(opened.page.locator("h1")).to_have_text(hostile)
    for tab in ("candidates", "wishes", "search", "decision"):
        opened.page.locator(f"#tab-{tab}").click()
    assert opened.page.locator("img").count() == 0
    opened.close()


def test_one_candidate_makes_a_file_that_opens(browser: Browser, tmp_path: Path) -> None:
    store, found = recorded_run(count=24)
    small = InMemoryStore()
    small.create_run(store.run(RUN))
    small.commit(RUN, found[:1], None, {"evaluated": 1})
    view = RunView(small, RUN)
    file = tmp_path / "one.html"
    file.write_text(replay_page(replay_data(view, decision_record(view))), encoding="utf-8")
    opened = Opened(browser, file)
    for tab in ("candidates", "wishes", "search", "decision"):
        opened.page.locator(f"#tab-{tab}").click()
    opened.page.locator("#play").click()
    expect(opened.page.locator("#moment")).to_have_text("1 of 1")
    opened.close()


def test_axe_finds_nothing(browser: Browser, thousand: tuple[Path, RunView]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for scheme in ("light", "dark"):
        # axe is put into the page, which the file's own policy would refuse
        opened = Opened(browser, thousand[0], color_scheme=scheme, bypass_csp=True)
        for tab in ("decision", "candidates", "wishes", "search"):
            opened.page.locator(f"#tab-{tab}").click()
            found = Axe().run(opened.page)
            assert found.violations_count == 0, (scheme, tab, found.generate_report())
        opened.close()
