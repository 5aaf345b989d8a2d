"""The Run page under a person's hand: click, zoom, λ, table, deep link, reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import open_page, open_popover, serve_synthetic, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio

pytestmark = pytest.mark.browser

FRONT = ".nasight-front"
RANGE = "document.querySelector('.nasight-front').layout.xaxis.range"
# Where the k-th point of the front line is on the screen, and which candidate it is.
POINT = """([k]) => {
  const plot = document.querySelector(".nasight-front"), trace = plot.data[2], box = plot.getBoundingClientRect()
  const { xaxis, yaxis, _size } = plot._fullLayout
  return { x: box.x + _size.l + xaxis.d2p(trace.x[k]), y: box.y + _size.t + yaxis.d2p(trace.y[k]),
           number: trace.customdata[k], count: trace.x.length }
}"""


def click_front_point(page: Page, position: int) -> int:
    """Click the point at ``position`` of the front line and return its candidate's number."""
    point = page.evaluate(POINT, [position])
    page.mouse.move(point["x"] - 3, point["y"] - 3)
    page.mouse.move(point["x"], point["y"])
    page.wait_for_timeout(150)  # Plotly decides what is under the pointer with a delay
    page.mouse.click(point["x"], point["y"])
    settled(page)
    return int(point["number"])


@pytest.fixture
def drawn(page: Page) -> Page:
    """The page once the front is on it."""
    page.wait_for_selector(f"{FRONT}[data-draws]", timeout=20_000)
    return page


def test_the_front_shows_the_candidates_and_says_which_is_best(drawn: Page) -> None:
    plot = drawn.locator(FRONT)
    assert int(plot.get_attribute("data-points") or 0) > 100
    expect(plot).to_have_attribute("aria-label", re.compile(r"Pareto front of \d+ candidates"))
    expect(drawn.get_by_text(re.compile(r"At λ = 0\.50: #\d+, ROC AUC 0\.\d+, \d+ of 30 features"))).to_be_visible()


def test_a_click_on_a_point_selects_it_and_a_second_click_opens_its_page(drawn: Page) -> None:
    number = click_front_point(drawn, 0)
    drawn.wait_for_url(re.compile("cand="))
    expect(drawn.get_by_text("Selected", exact=True)).to_be_visible()
    expect(drawn.get_by_test_id("stMarkdownContainer").get_by_text(f"#{number}", exact=True).first).to_be_visible()
    assert click_front_point(drawn, 0) == number
    drawn.wait_for_url(re.compile(r"/candidate\?"))
    assert "cand=" in drawn.url
    assert "run=" in drawn.url


def test_moving_the_weight_to_the_end_chooses_the_end_of_the_front(drawn: Page) -> None:
    slider = drawn.get_by_role("slider").first
    slider.focus()
    slider.press("Home")
    most_accurate = drawn.evaluate(POINT, [0])["number"]
    expect(drawn.get_by_text(re.compile(rf"At λ = 0\.00: #{most_accurate},"))).to_be_visible()
    drawn.wait_for_url(re.compile("lam=0"))


def test_the_zoom_survives_a_new_weight(drawn: Page) -> None:
    box = drawn.locator(f"{FRONT} .nsewdrag").first.bounding_box()
    assert box is not None
    drawn.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"])
    drawn.mouse.down()
    drawn.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    drawn.mouse.up()
    drawn.wait_for_function(f"{RANGE}[0] > 0.3")
    zoomed = drawn.evaluate(RANGE)
    slider = drawn.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    expect(drawn.get_by_text(re.compile(r"At λ = 0\.51"))).to_be_visible()
    drawn.wait_for_timeout(300)
    assert drawn.evaluate(RANGE) == zoomed
    assert int(drawn.locator(FRONT).get_attribute("data-draws") or 0) > 1  # drawn again, not mounted again


def test_a_deep_link_shows_the_same_candidate_and_a_reload_keeps_it(drawn: Page, browser: Browser) -> None:
    number = click_front_point(drawn, 1)
    drawn.wait_for_url(re.compile("cand="))
    other, watch = open_page(browser, drawn.url)
    expect(other.get_by_text("Selected", exact=True)).to_be_visible()
    expect(other.get_by_text(f"#{number}", exact=True).first).to_be_visible()
    other.reload()
    settled(other)
    expect(other.get_by_text("Selected", exact=True)).to_be_visible()
    assert not watch.wrong
    other.context.close()


def test_every_tab_opens(drawn: Page) -> None:
    for name, seen in (
        ("Failures", "not made|Every candidate|did not make it"),
        ("Hypervolume", r"Hypervolume 0\.\d+ after \d+ candidates"),
        ("Time", "of searching"),
        ("Table", "best at λ first"),
    ):
        drawn.get_by_role("tab", name=re.compile(name)).click()
        expect(drawn.get_by_text(re.compile(seen)).first).to_be_visible()


def test_an_unknown_run_gets_a_sentence_and_no_traceback(browser: Browser, studio: Studio) -> None:
    page, watch = open_page(browser, studio.url.split("?")[0] + "?run=nothing-of-that-name")
    expect(page.get_by_text("nothing-of-that-name")).to_be_visible()
    assert "Traceback" not in page.content()
    assert not watch.wrong
    page.context.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio whose run takes long enough to be paused and stopped."""
    yield from serve_synthetic(Path(tmp_path_factory.mktemp("live")), candidates=5000, delay=0.02)


def test_a_live_run_grows_can_be_paused_resumed_and_stopped(browser: Browser, live: Studio) -> None:
    page, watch = open_page(browser, live.url)
    page.wait_for_selector(f"{FRONT}[data-draws]")
    points = "() => Number(document.querySelector('.nasight-front').dataset.points)"
    before = page.evaluate(points)
    page.wait_for_function(f"{points.replace('()', 'n')} > n", arg=before, timeout=20_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("❚❚ paused")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("● live")).to_be_visible(timeout=20_000)
    open_popover(page, "Stop")
    page.get_by_role("button", name="Stop").last.click()
    expect(page.get_by_text("■ stopped")).to_be_visible(timeout=20_000)
    settled(page)
    page.wait_for_timeout(1000)  # an element that is mounted anew goes blank a moment later
    assert page.evaluate(points) >= before
    expect(page.locator(f"{FRONT} .main-svg").first).to_be_visible()
    expect(page.get_by_text("No candidate yet")).to_have_count(0)
    assert not watch.wrong
    page.context.close()
