"""The choice of what the front shows, on the page: from the link, by hand, back to the usual; numbers, ties, goals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.front_area import FRONT_WORDS
from dashboard.server import _card_lines
from dashboard.texts import catalogue
from nas_core.store import InMemoryStore

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture(autouse=True)
def store() -> Iterator[InMemoryStore]:
    opened = InMemoryStore()
    process.configure(opened=opened)
    recorded_run(opened)
    yield opened
    process.configure(opened=InMemoryStore())


def open_run(*opened: str, **query: str) -> AppTest:
    """Open the Run page with these popovers open."""
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in {"run": RUN, **query}.items():
        app.query_params[name] = value
    for name in opened:
        app.session_state[name] = True
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.warning) for element in kind)


def address(app: AppTest, name: str) -> str | None:
    found = app.query_params.get(name)
    return found[0] if isinstance(found, list) else found


def test_the_usual_view_says_what_a_point_is_and_adds_nothing_to_the_link() -> None:
    app = open_run()
    assert not app.exception
    assert "Each point is one trained network: further right it is easier to interpret" in words(app)
    assert not set(app.query_params) & {"fx", "fy", "fz", "fc", "fm"}


def test_a_link_with_axes_shows_them_and_a_bad_one_the_usual_ones() -> None:
    app = open_run(fx="parameters", fz="additivity", fc="age")
    assert not app.exception
    assert "no other one beats in Parameters, ROC AUC and additive at once" in words(app)
    bad = open_run(fx="taste", fc="<b>")
    assert not bad.exception
    assert "easier to interpret" in words(bad)
    assert "fx" not in bad.query_params


def test_axes_are_chosen_by_hand_written_into_the_link_and_put_back() -> None:
    app = open_run("front_view")
    app.selectbox(key="front_x").set_value("operations").run()
    assert not app.exception
    assert address(app, "fx") == "operations"
    assert "further right is better in Operations" in words(app)
    app.selectbox(key="front_y").set_value("operations").run()  # the same twice: they change places
    assert (app.selectbox(key="front_x").value, app.selectbox(key="front_y").value) == ("performance", "operations")
    app.selectbox(key="front_colour").set_value("operator").run()
    assert address(app, "fc") == "operator"
    app.button(key="front_usual").click().run()
    assert not app.exception
    assert app.selectbox(key="front_x").value == "interpretability"
    assert "fx" not in app.query_params


def test_ties_are_told_and_the_front_is_listed() -> None:
    app = open_run("front_table", fm="ties,knee,unsupported,chance,intervals")
    assert not app.exception
    for _ in range(20):
        if "draws from" in words(app):
            break
        app.run()
    assert "It stays first in" in words(app)
    frame = app.dataframe[0].value
    assert {"P(on the front)", "ROC AUC, from", "marks"} <= set(frame.columns)
    assert frame["Interpretability"].is_monotonic_decreasing
    assert frame["marks"].str.contains("best at λ").any()


def test_every_word_of_the_picture_is_in_the_catalogue() -> None:
    assert set(FRONT_WORDS.values()) <= set(catalogue("en"))


def test_the_server_tells_of_one_candidate_and_of_nobody_else() -> None:
    lines = _card_lines(RUN, 1, "en")
    assert lines is not None
    assert lines[0][0] == "ROC AUC"
    assert _card_lines(RUN, 999, "en") is None
    assert _card_lines("no such run", 1, "en") is None
