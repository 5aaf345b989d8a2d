"""Coming in by a token: the form, the link, a link from another site, and that the address keeps no token."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from browsing import SIZE, Watch, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio, start_gated

from dashboard.server import free_port

pytestmark = pytest.mark.browser
DRIVER, VIEWER = "driver-token-of-the-test", "viewer-token-of-the-test"


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio that knows two tokens; its store holds the recorded example alone."""
    port = free_port("127.0.0.1", 29_000 + os.getpid() % 2_000)
    running = start_gated(tmp_path_factory.mktemp("gated"), port, DRIVER, VIEWER)
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, gated: Studio) -> Iterator[Page]:
    """A page of a new browser; at the end nothing may have gone wrong on it, but the refusals it was told."""
    context = browser.new_context(viewport=SIZE, locale="en-GB")
    opened = context.new_page()
    watch = Watch(opened, gated.url.split("/")[2])
    yield opened
    context.close()
    assert [wrong for wrong in watch.wrong if "401" not in wrong and "elsewhere" not in wrong] == []


def test_a_person_signs_in_with_the_form_and_stays_in(page: Page, gated: Studio) -> None:
    page.goto(f"{gated.url}/data?lang=zh")
    expect(page.get_by_role("heading", name="Sign in to NASight")).to_be_visible()
    expect(page.get_by_label("Token")).to_be_focused()
    page.get_by_label("Token").fill("not the token")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    page.get_by_label("Token").fill(DRIVER)
    page.get_by_label("Token").press("Enter")
    settled(page)
    assert page.url.startswith(f"{gated.url}/data")
    assert "lang=zh" in page.url
    page.reload()
    settled(page)
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()


def test_the_link_opens_the_studio_and_its_token_leaves_the_address(page: Page, gated: Studio) -> None:
    page.goto(f"{gated.url}/?token={VIEWER}")
    settled(page)
    assert "token" not in page.url
    assert page.evaluate("document.cookie.includes('nasight')") is False


def test_a_link_on_another_site_opens_the_studio_for_those_who_are_in(page: Page, gated: Studio) -> None:
    page.goto(f"{gated.url}/?token={VIEWER}")
    settled(page)
    mail = f'<link rel="icon" href="data:,"><a href="{gated.url}/data">the studio</a>'
    page.route("http://elsewhere.example/", lambda route: route.fulfill(body=mail, content_type="text/html"))
    page.goto("http://elsewhere.example/")
    page.get_by_text("the studio").click()
    settled(page)
    assert page.url.startswith(f"{gated.url}/data")
