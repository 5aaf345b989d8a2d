"""Every page in both appearances, read by axe-core: no violation of its rules."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import FIRST_PORT, open_page, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port

pytestmark = pytest.mark.browser

STREAMLITS_OWN = ("presentation-role-conflict",)  # of its file uploader, and minor
CHART = "[data-testid=stPlotlyChart] .main-svg"
# address, the tab to open, what is there when the page is complete
PLACES = {
    "data": ("/data?data=breast_cancer", "", CHART),
    "space": ("/space", "", ".nasight-chart[data-draws]"),
    "constraints": ("/space", "Constraints", "text=Features that must be used"),
    "declaration": ("/space", "JSON / YAML", "textarea"),
    "no-candidate": ("/candidate", "", "text=No candidate is chosen"),
    "candidate": ("/candidate?run=run-1&cand={cand}", "", CHART),
    "explained": ("/candidate?run=run-1&cand={cand}", "Explain", "text=Exact group SHAP"),
    "compared": ("/compare?run=run-1", "", "text=How simple is it?"),
    "compared-built": ("/compare?run=run-1", "How are they built?", CHART),
    "compared-steps": ("/compare?run=run-1", "Step by step", CHART),
    "compared-rows": ("/compare?run=run-1", "Where do they disagree?", CHART),
    "report": ("/report?run=run-1", "", ".nasight-record"),
    "report-files": ("/report?run=run-1", "Files", "text=How to have it again"),
    "trained": ("/candidate?run=run-1&cand={cand}", "Training", "text=Loss per epoch"),
}


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished run of 16 candidates whose weights are stored."""
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "recorded_studio.py")
    running = start([script, str(port)], tmp_path_factory.mktemp("recorded"))
    yield running
    assert running.stop() in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def candidate(recorded: Studio, browser: Browser) -> str:
    """The identity of a candidate that can be explained."""
    page, _ = open_page(browser, recorded.url + "/candidate")
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="5 of 30 features").click()
    page.wait_for_url("**cand=**")
    found = page.url.partition("cand=")[2][:16]
    page.context.close()
    return found


def assert_no_violation(page: Page) -> None:
    page.wait_for_load_state("networkidle")  # parts of the page come late, a style among them
    page.mouse.move(0, 0)  # where it rests after a click it may have opened a hint
    expect(page.get_by_role("tooltip")).to_have_count(0)
    found = Axe().run(page, options={"rules": {rule: {"enabled": False} for rule in STREAMLITS_OWN}})
    assert found.response["violations"] == [], found.generate_report()


def test_the_run_page_breaks_no_rule(browser: Browser, studio: Studio, dark: bool) -> None:
    page, watch = open_page(browser, studio.url, dark=dark)
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
