"""The Run page in both appearances, read by axe-core: no violation of its rules."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_page
from playwright.sync_api import Browser
from studio_process import Studio

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_run_page_breaks_no_rule_of_accessibility(browser: Browser, studio: Studio, dark: bool) -> None:
    page, watch = open_page(browser, studio.url, dark=dark)
    page.wait_for_selector(".nasight-front[data-draws]")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert not watch.wrong
    page.context.close()
