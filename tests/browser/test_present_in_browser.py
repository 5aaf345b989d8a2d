"""The presentation under a person's hand: opened from the Run page, stepped with the arrow keys, left again."""

from __future__ import annotations

import re

import pytest
from browsing import open_page, settled
from playwright.sync_api import Browser, expect
from studio_process import Studio

pytestmark = pytest.mark.browser


def test_the_story_is_stepped_with_the_keyboard(browser: Browser, recorded: Studio) -> None:
    page, watch = open_page(browser, f"{recorded.url}/?run=run-1")
    page.wait_for_selector(".nasight-front[data-draws]")
    page.get_by_role("link", name="Present").click()
    expect(page.get_by_role("heading", name="What does interpretability cost here?")).to_be_visible()
    settled(page)
    for step, title in ((2, "The most accurate network"), (3, "easiest to explain"), (4, "What each step costs")):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        page.wait_for_url(re.compile(f"step={step}"))
        settled(page)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="easiest to explain")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="easiest to explain")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Leave").click()
    page.wait_for_selector(".nasight-front[data-draws]")
    assert not watch.wrong
    page.context.close()
