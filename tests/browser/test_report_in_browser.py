"""Deciding in a real Chromium: why, recorded, and handed over as one file that works by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import FIRST_PORT, open_page, settled
from playwright.sync_api import Browser, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port

pytestmark = pytest.mark.browser
REASON = "Simple <b>enough</b> to explain"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "recorded_studio.py")
    running = start([script, str(port), "breast_cancer", "2"], tmp_path_factory.mktemp("report"))
    yield running
    running.stop()


def test_a_decision_is_recorded_and_handed_over(browser: Browser, recorded: Studio, tmp_path: Path) -> None:
    page, watch = open_page(browser, f"{recorded.url}/report?run=run-1")
    record = page.locator(".nasight-record")
    expect(record).to_contain_text("To be careful about")
    page.get_by_label("Why this one").fill(REASON)
    page.keyboard.press("Tab")
    expect(record).to_contain_text(REASON)
    page.get_by_role("button", name="Record the decision").click()
    expect(page.get_by_label("In view")).to_be_visible()
    expect(page.get_by_label("Why this one")).to_have_value("")
    settled(page)
    page.get_by_role("tab", name="Files").click()
    page.get_by_role("button", name="Write the replay").click()
    ready = page.get_by_role("button", name="Download the replay")
    expect(ready).to_be_visible(timeout=90_000)
    with page.expect_download() as download:
        ready.click()
    file = tmp_path / "replay.html"
    download.value.save_as(file)
    assert download.value.suggested_filename.startswith("replay-decision-run-1-")
    page.get_by_role("tab", name="Decisions so far").click()
    settled(page)
    assert not watch.wrong
    page.context.close()

    replay = browser.new_page()
    replay.goto(file.as_uri())
    expect(replay.locator("#record")).to_contain_text(REASON)
    expect(replay.locator("#panel h2")).to_contain_text("Candidate #")
    expect(replay.locator("#panel")).to_contain_text("What it looks at")
    replay.close()
