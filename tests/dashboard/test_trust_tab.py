"""The Trust tab: what is there at once, other seeds in the background, and candidates that cannot be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.audited import MOST, SeedCheck, front_of, seed_check
from dashboard.figures.audit import groups_figure, twins_figure
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.audit import (
    SHOWN,
    agreement_words,
    groups_view,
    guard_rows,
    seeds_view,
    twins_view,
)
from nas_core.audit.confirm import SeedSpread
from nas_core.audit.eligibility import GuardCheck
from nas_core.audit.subgroups import Subgroup, Subgroups
from nas_core.audit.untrained import TwinRow
from nas_core.records import Estimate, Evaluation, Measurement, Status
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def binary() -> Recorded:
    return recorded_run(count=8, epochs=3)


@pytest.fixture(scope="module")
def regression() -> Recorded:
    return recorded_run(name="diabetes", count=5, epochs=2)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_tab(store: Store, candidate: str) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, candidate
    app.session_state["candidate_tab"] = "Trust"
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.info, app.warning) for e in kind)


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]


def best(recorded: Recorded) -> Evaluation:
    return next(e for e in recorded[1] if e.eligible)


def test_the_tab_says_how_far_the_numbers_hold(binary: Recorded) -> None:
    app = open_tab(binary[0], best(binary).id)
    assert not app.exception
    words = said(app)
    for heading in ("Is it on the front by luck?", "May it enter the front?", "For whom does it work worst?",
                    "Was it learned?", "Is what is explained what is used?"):  # fmt: skip
        assert heading in words
    chance = next(m for m in app.metric if m.label == "P(on the front)")
    assert chance.value.endswith(" %")
    assert "Has learnt" in words
    assert "On mixtures of rows" in words or "Trees cannot follow" in words
    twins = next(f for f in figures(app) if any(t.get("meta") == "untrained" for t in f["data"]))
    assert {t["meta"] for t in twins["data"]} >= {"untrained", "audit"}


def test_other_seeds_are_trained_in_the_background_and_told(binary: Recorded) -> None:
    found = best(binary)
    app = open_tab(binary[0], found.id)
    app.button(key="trust_check").click().run()
    check = seed_check(RUN, found.id, len(binary[1]))
    assert check.state in ("running", "done")
    check.wait(120)
    assert check.state == "done"
    assert (check.finished, check.share) == (3, 1.0)
    assert check.spreads[found.id].trained == 3
    app.run()
    assert not app.exception
    assert "over 3 other seeds" in said(app)
    assert {m.label for m in app.metric} >= {"ROC AUC", "Interpretability", "Stays on the front"}


def test_a_check_can_be_cancelled_and_begun_again(binary: Recorded) -> None:
    process.configure(opened=binary[0])
    found = best(binary)
    check = seed_check(RUN, found.id, len(binary[1]))
    check.cancel()  # before it began: nothing happens
    assert check.state == "idle"
    check.start(10)
    check.start(10)  # a second click changes nothing
    check.cancel()
    check.wait(60)
    assert check.state == "cancelled"
    assert check.finished < 10
    app = open_tab(binary[0], found.id)
    assert "Cancelled;" in said(app)
    check.start(1)
    check.wait(60)
    assert check.state == "done"


def test_a_check_that_fails_says_why(binary: Recorded) -> None:
    process.configure(opened=binary[0])
    found = best(binary)

    def broken(key: str) -> None:
        raise ValueError("the disk is gone")

    check = SeedCheck(front_of(RUN, found.id, len(binary[1])), found.id, broken)
    check.start(1)
    check.wait(60)
    assert (check.state, check.message) == ("failed", "ValueError: the disk is gone")


def test_the_candidate_and_its_neighbours_are_trained_together(binary: Recorded) -> None:
    process.configure(opened=binary[0])
    for e in [e for e in binary[1] if e.eligible][:3]:
        chosen = seed_check(RUN, e.id, len(binary[1])).chosen
        assert chosen[0].id == e.id
        assert len({c.id for c in chosen}) == len(chosen) <= MOST


def test_a_regression_has_no_certainty_to_ask_for(regression: Recorded) -> None:
    app = open_tab(regression[0], best(regression).id)
    assert not app.exception
    assert "Certainty holds" not in said(app)
    assert "May it enter the front?" in said(app)


def test_what_was_never_trained_has_nothing_to_look_at(binary: Recorded) -> None:
    failed = next(e for e in binary[1] if e.status is Status.FAILED)
    app = open_tab(binary[0], failed.id)
    assert not app.exception
    assert "no trained network of this candidate" in said(app)


def groups(count: int) -> Subgroups:
    made = tuple(
        Subgroup(name=f"group {k} with a name that is much too long for an axis", feature=0, rows=40 + k,
                 performance=0.5, skill=Estimate(value=k / 20, low=k / 20 - 0.1, high=k / 20 + 0.1), lower=k == 0)
        for k in range(count)
    )  # fmt: skip
    return Subgroups(overall=Estimate(value=0.8, low=0.7, high=0.9), metric="ROC AUC", groups=made, words="as it is")


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_worst_groups_are_drawn_and_the_rest_counted(colours: Palette) -> None:
    view = groups_view(groups(12))
    assert (len(view.bars), view.hidden, view.overall) == (SHOWN, 4, 0.8)
    (trace,) = groups_figure(view, colours).data
    assert trace.marker.symbol[-1] == "diamond"  # the worst is on top
    assert trace.marker.color[-1] == colours.chosen
    assert all(len(t) < 45 for t in groups_figure(view, colours).layout.yaxis.ticktext)
    assert groups_figure(view, colours).layout.shapes[0].x0 == 0.8
    none = groups_view(Subgroups(overall=None, metric="", reason="too few", words="too few."))
    assert (none.bars, none.overall, none.words) == ((), None, "too few.")
    assert len(groups_figure(none, colours).data[0].x) == 0


def row(name: str, trained: float | None, untrained: float | None, *, warning: bool = False) -> TwinRow:
    def of(value: float | None) -> Measurement:
        return Measurement(value=value, low=value, high=value, reason=None if value is not None else "why not")

    return TwinRow(name=name, label=name, trained=of(trained), untrained=of(untrained), structural=False,
                   warning=warning, words="so it is")  # fmt: skip


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_twins_are_drawn_with_their_own_marks(colours: Palette) -> None:
    rows = [row("good", 0.9, 0.2), row("liked", 0.5, 0.8, warning=True), row("undefined", None, None)]
    audited = {"random_control": Measurement(value=0.7, low=0.6, high=0.8)}
    view = twins_view(rows, audited, {"random_control": "More faithful"})
    assert [p.label for p in view.warnings] == ["liked"]
    assert [p.label for p in view.undefined] == ["undefined"]
    by_kind = {t.meta: t for t in twins_figure(view, colours).data if t.meta != "step"}
    assert list(by_kind["untrained"].x) == [0.8, 0.2]
    assert (list(by_kind["trained"].x), list(by_kind["warned"].x), list(by_kind["audit"].x)) == ([0.9], [0.5], [0.7])
    assert len({t.marker.symbol for t in by_kind.values()}) == 4
    assert "undefined" not in twins_figure(view, colours).layout.yaxis.ticktext
    assert twins_figure(twins_view([], {}, {}), colours).data == ()


def test_guards_that_refuse_come_first() -> None:
    checks = [GuardCheck(name=str(ok), label=str(ok), ok=ok, words="") for ok in (True, None, False)]
    assert [r.ok for r in guard_rows(checks)] == [False, None, True]


def test_spreads_are_told_beside_what_was_reported() -> None:
    spread = SeedSpread(trained=3, eligible=2, performance=0.9, performance_sd=0.01, interpretability=0.5,
                        interpretability_sd=None, on_front=1 / 3, reasons=("it has not learnt",))  # fmt: skip
    view = seeds_view(spread, "ROC AUC", 0.95, 0.6)
    assert view.facts[0] == ("ROC AUC", "0.900 ± 0.01", "The run reported 0.950.")
    assert [f[1] for f in view.facts[1:]] == ["0.500", "33 %"]
    assert view.words == ("With 1 of 3 other seeds it is not eligible: it has not learnt.",)


def test_agreement_is_a_rank_correlation_in_words() -> None:
    keys = [f"c{k}" for k in range(8)]
    simple = dict(zip(keys, np.linspace(0.1, 0.9, 8), strict=True))

    def audited(values: np.ndarray) -> dict[str, dict[str, Measurement]]:
        return {k: {"random_control": Measurement(value=float(v))} for k, v in zip(keys, values, strict=True)}

    assert "rises with interpretability (rank correlation +1.00)" in agreement_words(simple, audited(np.arange(8) / 8))
    assert "may have learned its measures" in agreement_words(simple, audited(1 - np.arange(8) / 8))
    assert "see different things" in agreement_words(simple, audited(np.array([1, 0, 3, 2, 3, 0, 2, 1]) / 4))
    assert "too few to tell" in agreement_words(simple, audited(np.full(8, 0.5)))
    assert "too few to tell" in agreement_words(simple, {})
    undefined = {k: {"random_control": Measurement(reason="no")} for k in keys}
    assert "too few to tell" in agreement_words(simple, undefined)
