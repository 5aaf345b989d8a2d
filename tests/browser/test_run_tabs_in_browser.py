"""Below the front under a person's hand: search and star in the table, brush and hover on parallel axes, replay."""

from __future__ import annotations

import re

import pytest
from browsing import close_popover, open_popover, settled
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

CANVAS, SCRUBBER = ".nasight-parallel", ".nasight-scrubber"


@pytest.fixture
def drawn(page: Page) -> Page:
    """The page once the front is on it."""
    page.wait_for_selector(".nasight-front[data-draws]", timeout=30_000)
    return page


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    settled(page)


def test_the_table_is_searched_and_shown_again(drawn: Page) -> None:
    open_tab(drawn, "Table")
    expect(drawn.get_by_text(re.compile(r"All \d+ candidates"))).to_be_visible()
    search = drawn.get_by_role("textbox", name="Search")
    search.fill("#12")
    search.press("Enter")
    expect(drawn.get_by_text(re.compile(r"^1 of \d+ candidates"))).to_be_visible()
    drawn.get_by_role("button", name="Show all").click()
    expect(drawn.get_by_text(re.compile(r"All \d+ candidates"))).to_be_visible()
    expect(search).to_have_value("")


def test_a_star_is_there_after_a_reload_and_can_be_filtered(drawn: Page) -> None:
    drawn.get_by_role("button", name="Star", exact=True).click()
    expect(drawn.get_by_role("button", name="Starred", exact=True)).to_be_visible()
    drawn.reload()
    expect(drawn.get_by_role("button", name="Starred", exact=True)).to_be_visible()
    open_popover(drawn, "Filter")
    drawn.get_by_test_id("stCheckbox").filter(has_text="Starred").click()
    expect(drawn.get_by_text(re.compile(r"^1 of \d+ candidates"))).to_be_visible()
    close_popover(drawn)
    drawn.get_by_role("button", name="Show all").click()
    drawn.get_by_role("button", name="Starred", exact=True).click()
    expect(drawn.get_by_role("button", name="Star", exact=True)).to_be_visible()


def box_of(canvas: Locator) -> tuple[float, float, float, float]:
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def test_an_axis_is_brushed_and_the_range_goes_to_the_table(drawn: Page) -> None:
    open_tab(drawn, "Parallel")
    canvas = drawn.locator(f"{CANVAS}[data-draws]")
    lines = int(canvas.get_attribute("data-lines") or 0)
    assert lines > 50
    x, y, width, height = box_of(canvas)
    right = x + width - 52  # the last axis: the performance
    drawn.mouse.move(right, y + 60)
    drawn.mouse.down()
    drawn.mouse.move(right, y + 60 + 0.3 * height, steps=5)
    drawn.mouse.up()
    expect(drawn.get_by_text(re.compile(r"\d+ of \d+ candidates lie in all kept ranges"))).to_be_visible()
    assert 0 < int(canvas.get_attribute("data-kept") or 0) < lines
    drawn.get_by_role("button", name="Show them in the table").click()
    expect(
        drawn.get_by_text(re.compile(r"Brushed on the parallel coordinates: ROC AUC 0\.\d+ to 0\.\d+"))
    ).to_be_visible()
    expect(drawn.get_by_text(re.compile(r"^\d+ of \d+ candidates, best at λ first"))).to_be_visible()


def test_a_line_is_named_and_chosen_by_mouse_and_by_keyboard(drawn: Page) -> None:
    open_tab(drawn, "Parallel")
    canvas = drawn.locator(f"{CANVAS}[data-draws]")
    x, y, width, height = box_of(canvas)
    canvas.focus()
    for press in ("ArrowRight", "ArrowUp", "ArrowUp"):
        drawn.keyboard.press(press)
    named = canvas.get_attribute("data-hover")
    assert named
    expect(drawn.locator(".nasight-named")).to_contain_text(f"#{named}")
    before = canvas.get_attribute("data-order")
    drawn.keyboard.press("Shift+ArrowRight")
    assert canvas.get_attribute("data-order") != before
    drawn.keyboard.press("Enter")
    drawn.wait_for_url(re.compile("cand="))
    expect(drawn.get_by_text("Selected", exact=True)).to_be_visible()
    expect(drawn.get_by_text(f"#{named}", exact=True).first).to_be_visible()
    for step in range(40):  # somewhere along here a line passes
        drawn.mouse.move(x + 0.45 * width, y + 50 + step * (height - 80) / 40)
        if canvas.get_attribute("data-hover"):
            break
    assert canvas.get_attribute("data-hover")


def test_the_slider_shows_the_run_as_it_was_and_goes_back_to_now(drawn: Page) -> None:
    scrubber = drawn.locator(f"{SCRUBBER}[data-draws]")
    slider = scrubber.get_by_role("slider")
    total = int(slider.get_attribute("max") or 0)
    points = int(drawn.locator(".nasight-front").get_attribute("data-points") or 0)
    slider.focus()
    slider.press("Home")
    expect(scrubber).to_contain_text(f"As it was after 1 of {total} candidates")
    expect(drawn.locator(".nasight-front")).to_have_attribute("data-points", re.compile("^[01]$"))
    scrubber.get_by_role("button", name="One step forward").click()
    expect(scrubber).to_contain_text(f"As it was after 2 of {total} candidates")
    scrubber.get_by_role("button", name="Back to now").click()
    expect(scrubber).to_contain_text(f"Now: {total} candidates")
    expect(drawn.locator(".nasight-front")).to_have_attribute("data-points", str(points))


def test_a_replay_goes_on_by_itself_and_can_be_paused(drawn: Page) -> None:
    scrubber = drawn.locator(f"{SCRUBBER}[data-draws]")
    scrubber.get_by_role("button", name="Replay", exact=True).click()
    at = "document.querySelector('.nasight-scrubber').dataset.at"
    drawn.wait_for_function(f"Number({at}) > 5 && Number({at}) < 150")
    first = int(drawn.evaluate(at))
    drawn.wait_for_function(f"n => Number({at}) > n", arg=first)
    scrubber.get_by_role("button", name="Pause replay").click()
    expect(scrubber.get_by_role("button", name="Replay", exact=True)).to_be_visible()
    expect(scrubber).to_contain_text("As it was after")
    scrubber.get_by_role("button", name="Back to now").click()
    expect(scrubber).to_contain_text("Now:")
