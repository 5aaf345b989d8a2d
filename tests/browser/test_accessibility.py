"""Every page in both appearances, read by axe-core: no violation of its rules."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_page, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio

pytestmark = pytest.mark.browser

STREAMLITS_OWN = ("presentation-role-conflict",)  # of its file uploader, and minor
CHART = "[data-testid=stPlotlyChart] .main-svg"
# address of a page whose every tab is opened, and how many it has
WALKS = {
    "run": ("/?run=run-1", 10),
    "candidate": ("/candidate?run=run-1&cand={cand}", 8),
    "insight": ("/insight?run=example-breast-cancer", 6),
}
# address, the tab to open, what is there when the page is complete
PLACES = {
    "data": ("/data?data=breast_cancer", "", ".nasight-chart .main-svg"),
    "space": ("/space", "", ".nasight-chart[data-draws]"),
    "constraints": ("/space", "Constraints", "text=Features that must be used"),
    "declaration": ("/space", "JSON / YAML", "textarea"),
    "no-candidate": ("/candidate", "", "text=No candidate is chosen"),
    "candidate": ("/candidate?run=run-1&cand={cand}", "", CHART),
    "compared": ("/compare?run=run-1", "", "text=How simple is it?"),
    "compared-built": ("/compare?run=run-1", "How are they built?", CHART),
    "compared-steps": ("/compare?run=run-1", "Step by step", CHART),
    "compared-rows": ("/compare?run=run-1", "Where do they disagree?", CHART),
    "report": ("/report?run=run-1", "", ".nasight-record"),
    "report-files": ("/report?run=run-1", "Files", "text=How to have it again"),
}


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def candidate(recorded: Studio, browser: Browser) -> str:
    """The identity of a candidate that can be explained."""
    page, _ = open_page(browser, recorded.url + "/candidate")
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="5 of 30 features").click()
    page.wait_for_url("**cand=**")
    found = page.url.partition("cand=")[2][:16]
    page.context.close()
    return found


def assert_no_violation(page: Page, part: str | None = None, rule: str | None = None) -> None:
    """Audit the page, or the part of it that a selector names; by all rules, or by one."""
    page.wait_for_load_state("networkidle")  # parts of the page come late, a style among them
    page.mouse.move(0, 0)  # where it rests after a click it may have opened a hint
    expect(page.get_by_role("tooltip")).to_have_count(0)
    others = {name: {"enabled": False} for name in STREAMLITS_OWN}
    found = Axe().run(page, part, options={"runOnly": [rule]} if rule else {"rules": others})
    assert found.response["violations"] == [], found.generate_report()


def test_the_run_page_breaks_no_rule(browser: Browser, studio: Studio, dark: bool) -> None:
    page, watch = open_page(browser, studio.url + "&fs=1-40", dark=dark)  # some points of the front are chosen
    expect(page.get_by_text("chosen on the front")).to_be_visible()
    page.wait_for_selector(".nasight-front[data-draws]")
    page.wait_for_selector(".nasight-chart[data-draws]")
    assert_no_violation(page)
    page.get_by_role("tab", name="Hypervolume").click()
    expect(page.locator(".nasight-chart[data-draws]")).to_have_count(3)  # packs, hypervolume, best so far
    assert_no_violation(page)
    assert not watch.wrong
    page.context.close()


def test_the_start_form_breaks_no_rule(browser: Browser, recorded: Studio, dark: bool) -> None:
    page, watch = open_page(browser, recorded.url, dark=dark)
    expect(page.get_by_role("button", name="Start search")).to_be_visible()
    assert_no_violation(page)
    assert not watch.wrong
    page.context.close()


@pytest.mark.parametrize("walk", WALKS)
def test_every_tab_breaks_no_rule(browser: Browser, recorded: Studio, candidate: str, walk: str) -> None:
    """In light by all rules, in dark by that of contrast; the page around the tabs is audited elsewhere."""
    address, count = WALKS[walk]
    page, watch = open_page(browser, recorded.url + address.format(cand=candidate))
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    expect(tabs).to_have_count(count)
    for colours, rule in (("light", None), ("dark", "color-contrast")):
        page.emulate_media(color_scheme=colours)
        page.wait_for_function(f"getComputedStyle(document.querySelector('.stApp')).colorScheme === '{colours}'")
        for at in range(count):
            tabs.nth(at).click()
            expect(tabs.nth(at)).to_have_attribute("aria-selected", "true")
            page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=90_000)
            expect(page.get_by_role("tabpanel").first).not_to_be_empty()  # it was drawn
            assert_no_violation(page, "[role=tabpanel]", rule)
    assert not watch.wrong
    page.context.close()


@pytest.mark.parametrize("place", PLACES)
def test_a_page_breaks_no_rule(browser: Browser, recorded: Studio, candidate: str, place: str, dark: bool) -> None:
    address, tab, complete = PLACES[place]
    page, watch = open_page(browser, recorded.url + address.format(cand=candidate), dark=dark)
    if tab:
        page.get_by_role("tab", name=tab).click()
    page.locator(complete).first.wait_for(timeout=60_000)
    settled(page)
    assert_no_violation(page)
    assert not watch.wrong
    page.context.close()
