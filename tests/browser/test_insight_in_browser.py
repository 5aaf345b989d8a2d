"""The Insight page under a hand: every tab, both appearances, and a click on the map that opens a candidate."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_page, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio

pytestmark = pytest.mark.browser

CHART = "[data-testid=stPlotlyChart] .js-plotly-plot"
# Where the first candidate of the front is on the screen, and which one it is.
POINT = """() => {
  const plot = [...document.querySelectorAll("[data-testid=stPlotlyChart] .js-plotly-plot")]
    .find((p) => p.data.some((t) => t.meta === "front"))
  const trace = plot.data.find((t) => t.meta === "front"), box = plot.getBoundingClientRect()
  const { xaxis, yaxis, _size } = plot._fullLayout
  const at = (v, k) => (v._inputArray ?? v)[k]
  return { x: box.x + _size.l + xaxis.d2p(at(trace.x, 0)), y: box.y + _size.t + yaxis.d2p(at(trace.y, 0)),
           id: trace.customdata[0][0] }
}"""


def insight(browser: Browser, studio: Studio, *, dark: bool = False) -> tuple[Page, list[str]]:
    page, watch = open_page(browser, studio.url.replace("/?", "/insight?"), dark=dark)
    expect(page.get_by_text(re.compile(r"explains \d+ %.* of the variation of ROC AUC"))).to_be_visible(timeout=120_000)
    settled(page)
    return page, watch.wrong


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_tab_shows_what_it_is_about_and_breaks_no_rule(browser: Browser, studio: Studio, dark: bool) -> None:
    page, wrong = insight(browser, studio, dark=dark)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    for tab, seen in (
        ("One choice", "all else alike"),
        ("Pairs", "A cross marks a combination"),
        ("From A to B", "ROC AUC changes most with"),
        ("Map", "A click opens a candidate"),
        ("Proposals", "What the search could do without"),
    ):
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.get_by_text(re.compile(seen)).first).to_be_visible(timeout=60_000)
        settled(page)
    page.context.close()
    assert not wrong


def test_a_click_on_the_map_opens_the_candidate(browser: Browser, studio: Studio) -> None:
    page, wrong = insight(browser, studio)
    page.get_by_role("tab", name="Map", exact=True).click()
    expect(page.get_by_text(re.compile("A click opens a candidate"))).to_be_visible(timeout=60_000)
    settled(page)
    page.wait_for_function(f"() => document.querySelector('{CHART}')?.data?.some((t) => t.meta === 'front')")
    page.locator(CHART).first.scroll_into_view_if_needed()
    point = page.evaluate(POINT)
    page.mouse.move(point["x"] - 3, point["y"] - 3)
    page.mouse.move(point["x"], point["y"])
    page.wait_for_timeout(150)  # Plotly decides what is under the pointer with a delay
    page.mouse.click(point["x"], point["y"])
    page.wait_for_url(re.compile(r"/candidate\?"), timeout=30_000)
    page.wait_for_url(re.compile("cand="))
    chosen = re.search("cand=([0-9a-f]+)", page.url)
    assert chosen is not None
    assert len(chosen.group(1)) == len(point["id"])
    page.context.close()
    assert not wrong
