"""The presentation without a browser: every slide, the step in the URL, and what is said without a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.texts import text
from dashboard.views.story import SLIDES
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture
def recorded() -> Iterator[Store]:
    store, _ = recorded_run(count=24)
    process.configure(opened=store)
    yield store
    process.configure(opened=InMemoryStore())


def present(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run().switch_page("pages/present.py").run()


def words(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.markdown, app.info, app.error, app.code) for e in kind)


@pytest.mark.parametrize("step", range(1, len(SLIDES) + 1))
def test_every_slide_tells_something(recorded: Store, step: int) -> None:
    app = present(run=RUN, step=str(step))
    assert not app.exception
    assert not app.error
    assert f"{step} of {len(SLIDES)}" in words(app)
    assert len(words(app)) > 60


def test_the_buttons_step_and_end_at_both_ends(recorded: Store) -> None:
    app = present(run=RUN)
    assert app.button(key="story_previous").disabled
    app.button(key="story_next").click().run()
    assert app.query_params["step"] == "2"
    assert text("story.accurate_words", phrase="").split(":")[0] in words(app)
    app.button(key="story_previous").click().run()
    assert app.query_params["step"] == "1"
    assert present(run=RUN, step="8").button(key="story_next").disabled


@pytest.mark.parametrize("step", ["0", "-3", "99", "soon", "²", ""])
def test_a_step_that_does_not_exist_is_the_nearest_one(recorded: Store, step: str) -> None:
    app = present(run=RUN, step=step)
    assert not app.exception
    assert f"{8 if step == '99' else 1} of 8" in words(app)


def test_a_weight_that_is_no_number_is_that_of_the_run(recorded: Store) -> None:
    assert not present(run=RUN, step="5", lam="much").exception


def test_without_a_run_it_says_what_to_do() -> None:
    process.configure(opened=InMemoryStore())
    assert text("story.empty_no_run") in words(present())


def test_the_reasons_of_a_network_on_images_are_places(tmp_path: Path) -> None:
    store, _ = recorded_signals("image", tmp_path)
    process.configure(opened=store)
    try:
        app = present(run=SIGNAL_RUN, step="6")
        assert not app.exception
        assert "The places that move its predictions most" in words(app)
    finally:
        process.configure(opened=InMemoryStore())
