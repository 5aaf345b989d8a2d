"""Comparing candidates in a real browser: collected on the Run and Candidate pages, opened, read, reloaded."""

from __future__ import annotations

import re

import pytest
from browsing import open_page, settled
from playwright.sync_api import Browser, expect
from studio_process import Studio

RUN = "run-1"


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_two_candidates_are_collected_compared_and_found_again(browser: Browser, recorded: Studio, dark: bool) -> None:
    page, watch = open_page(browser, f"{recorded.url}/?run={RUN}", dark=dark)
    page.get_by_role("button", name="Add to compare").click()
    chip = page.get_by_test_id("stPageLink-NavLink").filter(has_text="1 to compare")
    expect(chip).to_be_visible()
    expect(page).to_have_url(re.compile(r"compare=[0-9a-f]{16}"))
    chip.click()
    settled(page)
    expect(page.get_by_text("Choose two to four candidates above")).to_be_visible()
    box = page.get_by_role("combobox", name="Candidates")
    box.fill("3")
    page.get_by_role("option", name=re.compile(r"^3 ·")).click()
    page.keyboard.press("Escape")  # the list stays open for more
    expect(page.get_by_role("tab", name="At a glance")).to_be_visible()
    expect(page.get_by_text("How simple is it?")).to_be_visible()
    expect(page).to_have_url(re.compile(r"compare=[0-9a-f]{16}(%2C|,)[0-9a-f]{16}"))
    page.get_by_role("tab", name="How are they built?").click()
    expect(page.get_by_text(re.compile("single difference"))).to_be_visible()
    page.get_by_role("tab", name="Where do they disagree?").click()
    expect(page.get_by_text("Rows that differ most in")).to_be_visible(timeout=60_000)
    rows = page.get_by_role("radiogroup", name="Row", exact=True).get_by_text(re.compile(r"^row \d+"))
    expect(page.locator("[data-testid=stPlotlyChart] .main-svg").first).to_be_visible()
    rows.nth(1).click()
    settled(page)
    expect(page.get_by_text(re.compile("this row")).first).to_be_visible()
    page.goto(page.url)
    settled(page)
    expect(page.get_by_role("tab", name="At a glance")).to_be_visible()
    expect(page.get_by_role("button", name="Take B out")).to_be_visible()
    page.context.close()
    assert not watch.wrong
