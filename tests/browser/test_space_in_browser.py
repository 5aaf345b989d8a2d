"""The Search space page under a person's hand: shape the space, draw an architecture, train it in a live run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_page, serve_synthetic, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio whose run is still live when a drawing is handed to it."""
    yield from serve_synthetic(Path(tmp_path_factory.mktemp("live")), candidates=5000, delay=0.02)


def at(studio: Studio, page: str) -> str:
    """Return the address of a page of the studio, with the run that is shown there."""
    place, _, query = studio.url.partition("?")
    return f"{place.rstrip('/')}/{page}?{query}"


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box with the keyboard alone."""
    box = page.get_by_role("combobox", name=label)
    box.focus()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).wait_for()
    box.press("Enter")
    page.wait_for_timeout(300)  # the choice is sent with a delay
    settled(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_drawing_breaks_no_rule_of_accessibility(browser: Browser, live: Studio, dark: bool) -> None:
    page, watch = open_page(browser, at(live, "space") + "&view=draw", dark=dark)
    expect(page.get_by_role("button", name="Apply this change")).to_be_visible()
    page.locator("[data-testid=stPlotlyChart] .main-svg").first.wait_for()
    page.get_by_role("button", name="Train this").click()
    expect(page.get_by_role("button", name="Start a run with it first")).to_be_visible()
    settled(page)
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert not watch.wrong
    page.context.close()


def test_an_architecture_is_drawn_kept_and_trained_in_the_live_run(browser: Browser, live: Studio) -> None:
    page, watch = open_page(browser, at(live, "space"))
    page.get_by_role("tab", name="Draw your own").click()
    choose(page, "Start from", "one network of all features")
    choose(page, "What to change", "Hidden layers")
    choose(page, "Change to", "3")
    table = page.get_by_role("table")
    now, after = (int(page.get_by_role("row", name=re.compile("^Parameters")).get_by_role("cell").nth(n).inner_text()
                      .replace(",", "")) for n in (0, 1))  # fmt: skip
    assert after > now
    page.get_by_role("button", name="Apply this change").click()
    expect(page.get_by_text("Hidden layers: Change to 3")).to_be_visible()
    expect(table.get_by_role("cell", name=f"{after:,}").first).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_text("Hidden layers: Change to 3")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Hidden layers: Change to 3")).to_have_count(0)
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_text("Hidden layers: Change to 3")).to_be_visible()
    page.get_by_role("button", name="Train this").click()
    page.get_by_role("button", name=re.compile("Next in the live run")).click()
    page.wait_for_url(re.compile(r"run="))
    expect(page.get_by_text("evaluates your drawing next")).to_be_visible()
    page.goto(at(live, "space") + "&view=draw&draft=" + _draft(page.url))
    settled(page)
    page.get_by_role("button", name="Train this").click()
    expect(page.get_by_text("has evaluated it already")).to_be_visible()
    assert not watch.wrong
    page.context.close()


def test_an_edit_becomes_a_version_and_undo_takes_it_back(browser: Browser, live: Studio) -> None:
    page, watch = open_page(browser, at(live, "space"))
    page.get_by_role("tab", name="Constraints").click()
    limit = page.get_by_role("spinbutton", name="Features, at most")
    limit.fill("3")
    limit.press("Tab")
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_text("at most 3 features")).to_be_visible()
    page.reload()
    settled(page)
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_text("Features, at most: 3 added")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("No constraints.")).to_be_visible()
    expect(page.get_by_role("button", name="Use version 2")).to_be_visible()
    assert not watch.wrong
    page.context.close()


def _draft(url: str) -> str:
    found = re.search(r"draft=([0-9a-f]{16})", url)
    assert found, url
    return found[1]
