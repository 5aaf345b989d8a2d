"""Roles: a viewer sees every page and writes nothing; one browser steers a live run until another takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import RUN, recorded_run, run_problem
from streamlit.testing.v1 import AppTest

from dashboard import access, process
from dashboard.access import HOUSE, AccessError, Visitor, Wheel
from dashboard.drafts import Draft, keep_draft
from dashboard.uploads import keep_openml, keep_upload, uploads
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store
from nas_core.store.marks import mark_candidate

APP = str(Path(process.__file__).with_name("app.py"))
PAGES = ("data", "space", "run", "candidate", "compare", "insight", "report", "present")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The guarded store of the studio, with a finished run; who is asking is set by the test."""
    process.configure(str(tmp_path))
    opened = process.store()
    monkeypatch.setattr(access, "wheel", Wheel())
    yield opened
    stop_all()
    access.configure()
    process.configure(opened=InMemoryStore())
    opened.close()


def come_as(who: Visitor) -> None:
    access.configure(lambda _cookies: who)


def live_run(store: Store) -> Run:
    problem = run_problem("iris")
    return start_run(
        store, problem, SearchSpace.for_problem(problem, "balanced"), RunSettings(candidates=100_000, pack_size=8),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.02),
    )  # fmt: skip


def open_app(page: str = "run", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=90)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return app if page == "run" else app.switch_page(f"pages/{page}.py").run()


def said(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.error, app.warning, app.caption, app.markdown) for e in kind)


def acting(do: Callable[[], Any]) -> AppTest:
    """Do something in the script of a page and show what it was told."""

    def script(deed: type) -> None:  # of no name that this script does not know
        from dashboard import state

        with state.shown_errors():
            deed()

    return AppTest.from_function(script, default_timeout=90, args=(do,)).run()


ACTS: dict[str, Callable[[Store], Any]] = {
    "star": lambda store: mark_candidate(store, RUN, store.evaluations(RUN)[0].id, star=True),
    "delete": lambda store: store.delete_run(RUN),
    "change": lambda store: store.update_run(RUN, name="other"),
    "commit": lambda store: store.commit(RUN, (), None, {}),
    "claim": lambda store: store.claim(RUN, "me", 0.0),
    "note": lambda store: store.note(RUN, ()),
    "create": lambda store: store.create_run(store.run(RUN).model_copy(update={"id": "run-2"})),
    "artifact": lambda store: store.put_artifact(f"{RUN}/x", b"x"),
    "upload": lambda store: keep_upload(store, "a.csv", b"a,b\n1,2\n"),
    "openml": lambda store: keep_openml(store, "31"),
    "resume": lambda store: process.resume(RUN),
    "steer": lambda store: process.steered(RUN),
}


@pytest.mark.parametrize("act", ACTS)
def test_every_act_that_writes_is_refused_to_a_viewer_with_a_reason(store: Store, act: str) -> None:
    recorded_run(store)
    before = store.run(RUN), store.marks(RUN), [r.id for r in store.runs()]
    come_as(Visitor("viewer", "a"))
    app = acting(lambda: ACTS[act](store))
    assert not app.exception
    assert "You came as a viewer" in app.error[0].value
    assert "Fix: ask whoever runs this studio" in app.error[0].value
    assert (store.run(RUN), store.marks(RUN), [r.id for r in store.runs()]) == before
    assert uploads(store) == []


def test_a_driver_may_do_what_a_viewer_may_not(store: Store) -> None:
    recorded_run(store)
    come_as(Visitor("driver", "a"))
    assert not acting(lambda: ACTS["star"](store)).error
    assert not acting(lambda: ACTS["upload"](store)).error
    assert len(store.marks(RUN)) == len(uploads(store)) == 1


def test_the_draft_of_a_viewer_lasts_as_long_as_the_tab(store: Store) -> None:
    kept: list[str | None] = []
    for role in ("viewer", "driver"):
        come_as(Visitor(role, "a"))
        acting(lambda: kept.append(keep_draft(store, Draft(preset="small"))))
    assert kept[0] is None
    assert kept[1] is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_shown_to_a_viewer(store: Store, page: str) -> None:
    recorded_run(store)
    come_as(Visitor("viewer", "a"))
    app = open_app(page, run=RUN, cand=store.evaluations(RUN)[0].id)
    assert not app.exception
    assert "You came as a viewer" not in said(app)
    keys = {b.key: b for b in app.button}
    for writes in ("start", "again", "mark_star", "report_keep", "measure_rest", "openml_get", "trust_check"):
        assert all(button.disabled for key, button in keys.items() if key == writes)


def test_a_viewer_of_a_live_run_has_no_controls_and_the_slider_ranks_for_them_alone(store: Store) -> None:
    run = live_run(store)
    come_as(Visitor("viewer", "a"))
    app = open_app(run=run.id)
    assert not app.exception
    assert {"pause", "stop", "steer_apply"}.isdisjoint(b.key for b in app.button)
    app.slider("lam").set_value(0.9).run()
    assert not app.error
    assert run.snapshot().record.settings["preference"]["weight"] == 0.5


def test_a_forged_press_of_a_hidden_button_is_refused(store: Store) -> None:
    run = live_run(store)
    come_as(Visitor("driver", "a"))
    app = open_app(run=run.id)
    come_as(Visitor("viewer", "a"))  # the page of a driver whose cookie has run out still shows the button
    app.button("pause").click().run()
    assert "You came as a viewer" in said(app)
    assert run.snapshot().record.state == "running"


def test_the_second_browser_looks_on_until_it_takes_over_and_the_first_is_told(store: Store) -> None:
    run = live_run(store)
    first, second = Visitor("driver", "first"), Visitor("driver", "second")
    for who in (first, second):
        access.wheel.opened(who.browser)
    come_as(first)
    app = open_app(run=run.id)
    app.slider("lam").set_value(0.7).run()  # acts first, and steers from now on
    come_as(second)
    other = open_app(run=run.id)
    assert "Another browser steers this run" in said(other)
    assert {"pause", "stop"}.isdisjoint(b.key for b in other.button)
    assert "Another browser steers run" in acting(lambda: process.steered(run.id)).error[0].value
    other.button("take_over").click().run()
    assert "pause" in {b.key for b in other.button}
    come_as(first)
    app.run()
    assert "Another browser took over this run at" in said(app)
    assert "pause" not in {b.key for b in app.button}
    access.wheel.closed("second")  # its last tab is gone: whoever is there may steer again
    app.run()
    assert "took over" not in said(app)
    assert "pause" in {b.key for b in app.button}


def test_the_wheel_is_free_held_lost_and_free_again() -> None:
    wheel = Wheel()
    assert wheel.claim("run", "a")
    assert wheel.claim("run", "b")  # a has no tab that is open
    for browser in "ab":
        wheel.opened(browser)
    assert not wheel.claim("run", "a")
    assert wheel.claim("other", "a")
    wheel.take_over("run", "a")
    assert not wheel.taken("run", "a")
    assert wheel.taken("run", "b")
    assert wheel.lost("run", "b") is not None
    assert wheel.lost("run", "a") is None
    wheel.opened("a")
    wheel.closed("a")
    assert wheel.taken("run", "b")  # one of two tabs was closed
    wheel.closed("a")
    assert wheel.claim("run", "b")
    assert wheel.lost("run", "b") is None
    assert wheel.tabs() == 1


def test_what_acts_without_a_browser_is_the_house() -> None:
    come_as(Visitor("viewer", "a"))
    try:
        assert access.visitor() == HOUSE
        assert access.require_driver() == HOUSE
    finally:
        access.configure()


def test_somebody_without_a_valid_cookie_may_only_look() -> None:
    access.configure(lambda _cookies: None)
    try:
        found: list[Visitor] = []
        acting(lambda: found.append(access.visitor()))
        assert found == [Visitor("viewer")]
        with pytest.raises(AccessError, match="viewer"):
            raise AccessError(acting(access.require_driver).error[0].value)
    finally:
        access.configure()
