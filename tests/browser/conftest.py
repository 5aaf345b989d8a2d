"""A real Chromium over a real studio; a page error, a console error or a request to another host fails the test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from browsing import FLAGS, find_chromium, open_page, serve_recorded, serve_synthetic
from playwright.sync_api import Browser, Page, sync_playwright
from studio_process import Studio


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one the test is skipped and says so, or fails where a browser is required."""
    path = find_chromium()
    if path is None:
        answer = pytest.fail if os.environ.get("NASIGHT_REQUIRE_BROWSER") else pytest.skip
        answer("no Chromium on this machine: install the system's chromium package or set NASIGHT_CHROMIUM")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished synthetic run of 200 candidates and one that failed."""
    yield from serve_synthetic(tmp_path_factory.mktemp("studio"), candidates=200, delay=0.0)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished run of 16 candidates whose weights are stored; for tests that leave the run as it is."""
    yield from serve_recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """As ``recorded``, trained for ten epochs, and with a 17th candidate that is dense in 30 features."""
    yield from serve_recorded(tmp_path_factory.mktemp("trained"), "breast_cancer", "10")


@pytest.fixture
def page(browser: Browser, studio: Studio) -> Iterator[Page]:
    """The Run page of the studio; at the end nothing may have gone wrong on it."""
    opened, watch = open_page(browser, studio.url)
    yield opened
    wrong = list(watch.wrong)
    opened.context.close()
    assert not wrong
