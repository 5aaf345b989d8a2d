"""The architecture graph under a hand: a click opens a part and closes it again, and its files can be saved."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import FIRST_PORT, close_popover, open_page, open_popover, script_run, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port

pytestmark = pytest.mark.browser

LABELS = ".st-key-candidate_graph_frame .textpoint"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished run whose weights are stored."""
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "recorded_studio.py")
    running = start([script, str(port)], tmp_path_factory.mktemp("graphs"))
    yield running
    assert running.stop() in (0, -signal.SIGTERM)


@pytest.fixture
def page(browser: Browser, recorded: Studio) -> Iterator[Page]:
    """The page of a candidate with five features side by side, all of its groups closed."""
    opened, watch = open_page(browser, recorded.url + "/candidate")
    opened.get_by_test_id("stPageLink-NavLink").filter(has_text="5 of 30 features").click()
    opened.wait_for_url("**cand=**")
    settled(opened)
    open_popover(opened, "Parts")
    with script_run(opened):
        opened.get_by_role("button", name="Close all").click()
    expect(opened.locator(LABELS)).to_have_count(6)
    close_popover(opened)  # else it takes the first click
    yield opened
    wrong = list(watch.wrong)
    opened.context.close()
    assert not wrong


def press(page: Page, words: str) -> None:
    box = page.locator(LABELS).filter(has_text=words).first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def all_boxes(page: Page, *, more_than: int) -> list[dict[str, float]]:
    """Return the boxes of all labels, read in one go and only once the drawing no longer changes."""
    expect(page.locator(LABELS).nth(more_than)).to_be_visible()
    read = """labels => labels.map(label => {
        const {x, y, width, height} = label.getBoundingClientRect();
        return {x, y, width, height};
    })"""
    before: list[dict[str, float]] = []
    same = 0
    for _ in range(75):
        now: list[dict[str, float]] = page.locator(LABELS).evaluate_all(read)
        same = same + 1 if now == before and len(now) > more_than else 0
        if same == 5:  # for a second: a busy machine rests between two steps of a drawing
            return now
        before = now
        page.wait_for_timeout(200)
    raise AssertionError(f"the drawing never came to rest: {len(before)} labels")


def test_a_click_opens_a_part_and_another_closes_it(page: Page) -> None:
    name = page.locator(LABELS).nth(2).locator("text").text_content() or ""
    press(page, name[:8])
    expect(page.locator(LABELS).nth(6)).to_be_visible()
    press(page, name[:8])
    expect(page.locator(LABELS)).to_have_count(6)
    press(page, "Sum")  # belongs to no part
    settled(page)
    expect(page.locator(LABELS)).to_have_count(6)


def test_no_label_overlaps_another_when_all_is_open(page: Page) -> None:
    open_popover(page, "Parts")
    with script_run(page):
        page.get_by_role("button", name="Open all").click()
    close_popover(page)
    boxes = all_boxes(page, more_than=6)
    for at, a in enumerate(boxes):
        for b in boxes[at + 1 :]:
            apart = (
                a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1
                or a["y"] + a["height"] <= b["y"] + 1 or b["y"] + b["height"] <= a["y"] + 1
            )  # fmt: skip
            assert apart


@pytest.mark.parametrize(
    ("button", "ending", "beginning"),
    [("SVG picture", ".svg", b"<?xml"), ("PNG picture", ".png", b"\x89PNG"), ("Mermaid chart", ".mmd", b"---")],
)
def test_the_graph_is_saved(page: Page, button: str, ending: str, beginning: bytes) -> None:
    open_popover(page, "Download", exact=True)
    with page.expect_download() as caught:
        page.get_by_role("button", name=button).click()
    assert caught.value.suggested_filename.endswith(ending)
    assert Path(caught.value.path()).read_bytes().startswith(beginning)
