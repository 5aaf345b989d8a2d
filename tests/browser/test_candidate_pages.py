"""Data, Search space and Candidate in a real browser, on a finished run that can be explained."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from browsing import FIRST_PORT, open_page, press_only, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port

RUN = "run-1"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished run of 16 candidates whose weights are stored."""
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "recorded_studio.py")
    running = start([script, str(port)], tmp_path_factory.mktemp("recorded"))
    yield running
    assert running.stop() in (0, -signal.SIGTERM)  # the server ends in order, then lets the signal through


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def visit(browser: Browser, studio: Studio, path: str, *, dark: bool = False) -> Iterator[Page]:
    """Open a deep link; at the end nothing may have gone wrong on the page."""
    page, watch = open_page(browser, studio.url + path, dark=dark)
    yield page
    page.context.close()
    assert not watch.wrong


@pytest.mark.browser
def test_a_deep_link_asked_for_first_has_its_frame(browser: Browser, recorded: Studio) -> None:
    for page in visit(browser, recorded, "/data"):
        expect(page.get_by_role("link", name="Search space")).to_be_visible()
        expect(page.get_by_role("heading", name="Data")).to_be_visible()


@pytest.mark.browser
def test_from_data_to_space(browser: Browser, recorded: Studio, dark: bool) -> None:
    for page in visit(browser, recorded, "/data?data=iris", dark=dark):
        page.get_by_role("button", name="Use this data").click()
        expect(page.get_by_text("In use for the next run: iris")).to_be_visible()
        page.get_by_text("Next: shape the search space").click()
        settled(page)
        expect(page.get_by_text("For iris: 4 features, 3 outputs.")).to_be_visible()
        expect(page.locator(".nasight-chart .main-svg").first).to_be_visible()
        before = page.get_by_test_id("stMain").inner_text()
        page.get_by_role("button", name="Draw three others").click()
        settled(page)
        expect(page.get_by_test_id("stMain")).not_to_have_text(before)


@pytest.mark.browser
def test_an_upload_is_previewed_and_survives_a_reload(browser: Browser, recorded: Studio) -> None:
    rows = "\n".join(f"{i % 7},{'red' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}" for i in range(40))
    for page in visit(browser, recorded, "/data"):
        page.locator("input[type=file]").set_input_files(
            {"name": "mine.csv", "mimeType": "text/csv", "buffer": f"size,colour,target\n{rows}\n".encode()}
        )
        expect(page.get_by_text("40 rows · 1 numeric, 1 categorical, 0 ignored columns")).to_be_visible(timeout=20_000)
        expect(page).to_have_url(re.compile(r"data=mine-[0-9a-f]{12}\.csv"))
        page.reload()
        settled(page)
        expect(page.get_by_text("40 rows · 1 numeric, 1 categorical, 0 ignored columns")).to_be_visible(timeout=20_000)


@pytest.mark.browser
def test_a_candidate_is_found_opened_and_explained(browser: Browser, recorded: Studio, dark: bool) -> None:
    for page in visit(browser, recorded, "/candidate", dark=dark):
        expect(page.get_by_text("No candidate is chosen")).to_be_visible()
        page.get_by_test_id("stPageLink-NavLink").filter(has_text="5 of 30 features").click()
        settled(page)
        expect(page).to_have_url(re.compile(rf"run={RUN}&cand=[0-9a-f]{{16}}"))
        expect(page.get_by_role("heading", name=re.compile(r"Candidate #\d+"))).to_be_visible()
        page.get_by_role("tab", name="Explain").click()
        expect(page.get_by_text("Exact group SHAP")).to_be_visible(timeout=60_000)
        press_only(page, "One row")
        page.get_by_role("button", name="Most wrong").click()
        expect(page.get_by_text(re.compile("this row"))).to_be_visible()
        address = page.url
        page.goto(address)
        settled(page)
        expect(page.get_by_role("heading", name=re.compile(r"Candidate #\d+"))).to_be_visible()
