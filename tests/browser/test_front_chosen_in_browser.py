"""Many points chosen on the front: with a box, a lasso, clicks and keys; kept, narrowed to, compared, let go."""

from __future__ import annotations

import re

import numpy as np
import pytest
from browsing import settled
from playwright.sync_api import Page, expect
from studio_process import Studio
from test_front_in_browser import AREA
from test_run_in_browser import FRONT, POINT

from dashboard.views.front_chosen import within_spelled
from nas_core.preferences import Preference
from nas_core.runs.viewer import RunView
from nas_core.store import open_store

pytestmark = pytest.mark.browser

# The values at a place of the plot, as shares from its left top.
VALUE = """([x, y]) => { const { xaxis, yaxis, _size } = document.querySelector('.nasight-front')._fullLayout
  return [xaxis.p2d(x * _size.w), yaxis.p2d(y * _size.h)] }"""
RINGS = "Number(document.querySelector('.nasight-choose-marks').dataset.chosen)"


@pytest.fixture
def drawn(page: Page) -> Page:
    """The page once the front is on it."""
    page.wait_for_selector(f"{FRONT}[data-draws]", timeout=20_000)
    return page


def draw(page: Page, *corners: tuple[float, float], steps: int = 4) -> None:
    """Drag over these places of the plot, as shares from its left top."""
    area = page.evaluate(AREA)
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=steps)
    page.mouse.up()


def told(page: Page) -> str:
    """Return the selection as the address has it, once it has one."""
    page.wait_for_url(re.compile("fs="))
    return page.url.partition("fs=")[2].partition("&")[0]


def test_a_box_chooses_what_lies_in_it_and_a_reload_keeps_it(drawn: Page, studio: Studio) -> None:
    drawn.get_by_label("Choose with a box").click()
    draw(drawn, (0.3, 0.02), (0.7, 0.4))
    selection = told(drawn)
    store = open_store(studio.store)
    found = RunView(store, re.search("run=([^&]+)", drawn.url)[1]).snapshot
    store.close()
    where = np.column_stack([found.rank(Preference(weight=0.5)).interpretability, found.columns["performance"]])
    (left, top), (right, low) = (drawn.evaluate(VALUE, list(place)) for place in ((0.3, 0.02), (0.7, 0.4)))
    slack = 2e-3  # a pixel, and what 16 bits leave out
    inside = [np.all((where > [left + s, low + s]) & (where < [right - s, top - s]), axis=1) for s in (slack, -slack)]
    numbers = found.index[within_spelled(selection, found.index)]
    assert set(found.index[inside[0]]) <= set(numbers) <= set(found.index[inside[1]])
    assert len(numbers) > 5
    drawn.wait_for_function(f"{RINGS} === {len(numbers)}")
    drawn.reload()
    settled(drawn)
    expect(drawn.get_by_text(f"{len(numbers)} candidates", exact=True)).to_be_visible()
    drawn.wait_for_selector(f"{FRONT}[data-draws]")
    drawn.wait_for_function(f"{RINGS} === {len(numbers)}")
    drawn.get_by_role("button", name="Only these in the table").click()
    expect(drawn.get_by_text(f"Only the {len(numbers)} candidates that are chosen on the front.")).to_be_visible()
    drawn.get_by_role("button", name="Compare the best 4").click()
    drawn.wait_for_url(re.compile("/compare"))
    expect(drawn.get_by_role("tab", name="How are they built?")).to_be_visible()
    assert len(drawn.url.partition("compare=")[2].partition("&")[0].replace("%2C", ",").split(",")) == 4


def test_a_lasso_adds_with_shift_a_click_takes_away_and_clear_ends_it(drawn: Page) -> None:
    drawn.get_by_label("Choose with a lasso").click()
    first, last = drawn.evaluate(POINT, [0]), drawn.evaluate(POINT, [drawn.evaluate(POINT, [0])["count"] - 1])
    area = drawn.evaluate(AREA)
    for point, more in ((first, False), (last, True)):
        x, y = (point["x"] - area["x"]) / area["width"], (point["y"] - area["y"]) / area["height"]
        if more:
            drawn.keyboard.down("Shift")
        draw(drawn, (x - 0.02, y), (x, y - 0.03), (x + 0.02, y), (x, y + 0.03))
        if more:
            drawn.keyboard.up("Shift")
        drawn.wait_for_function(f"{RINGS} > 0")
    drawn.wait_for_url(re.compile(rf"fs=[\d.-]*\b{last['number']}\b"))
    both = told(drawn)
    assert within_spelled(both, np.array([first["number"], last["number"]])).all()
    drawn.mouse.click(last["x"], last["y"])
    drawn.wait_for_function(f"!location.href.includes('fs={both}')")
    assert not within_spelled(told(drawn), np.array([last["number"]])).any()
    assert "cand=" not in drawn.url  # no candidate was selected, and nothing was zoomed
    drawn.get_by_role("button", name="Clear", exact=True).click()
    drawn.wait_for_function("!location.href.includes('fs=')")
    drawn.wait_for_function(f"{RINGS} === 0")


def test_points_of_the_front_are_chosen_with_keys(drawn: Page) -> None:
    button = drawn.get_by_label("Choose with a box")
    button.focus()
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    plot = drawn.locator(FRONT)
    plot.focus()
    plot.press("Home")
    plot.press(" ")
    expect(drawn.locator(".nasight-card")).to_contain_text("chosen")
    plot.press("ArrowRight")
    plot.press(" ")
    numbers = {drawn.evaluate(POINT, [k])["number"] for k in (0, 1)}
    expect(drawn.get_by_text("2 candidates", exact=True)).to_be_visible()
    assert within_spelled(told(drawn), np.array(sorted(numbers))).all()
    plot.press("Escape")
    plot.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
