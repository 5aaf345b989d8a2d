"""Opening pages of a studio in Chromium, and noting what must not happen on them."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, TimeoutError, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FIRST_PORT = 20_000 + os.getpid() % 10_000  # two test runs on one machine look for a free port in different places
SIZE = {"width": 1440, "height": 900}
expect.set_options(timeout=20_000)


def find_chromium() -> str | None:
    """Return the path of the system's Chromium, None when there is none."""
    if chosen := os.environ.get("NASIGHT_CHROMIUM"):
        return chosen
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


class Watch:
    """Notes what must not happen on a page."""

    def __init__(self, page: Page, host: str) -> None:
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        page.on("console", self._said)
        page.on("request", lambda request: self._requested(request.url, host))

    def _said(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its server below a deep link's path first, and is told 404 there
        probe = re.search(r"/[a-z]+/_stcore/(health|host-config)$", message.location.get("url", ""))
        if message.type == "error" and not probe:
            self.wrong.append(f"console: {message.text}")

    def _requested(self, url: str, host: str) -> None:
        inside = (f"http://{host}", f"ws://{host}", "data:", "blob:")
        if not url.startswith(inside):
            self.wrong.append(f"external request: {url}")


def open_page(browser: Browser, url: str, *, dark: bool = False) -> tuple[Page, Watch]:
    """Open ``url`` in a fresh context (no cookies, no storage) and wait until its script has run."""
    context = browser.new_context(viewport=SIZE, color_scheme="dark" if dark else "light")
    page = context.new_page()
    watch = Watch(page, url.split("/")[2])
    page.goto(url)
    settled(page)
    return page, watch


def settled(page: Page) -> None:
    """Wait until the page's script is not running."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=30_000)


RUN_ENDED = """() => {
  const app = document.querySelector('[data-testid=stApp]'), state = 'data-test-script-state'
  window.nasightRan = false
  new MutationObserver((changes, watching) => {
    const ran = changes.some((change) => change.oldValue === 'running')
    if (!ran || app.getAttribute(state) !== 'notRunning') return
    window.nasightRan = true
    watching.disconnect()
  }).observe(app, { attributeFilter: [state], attributeOldValue: true })
}"""


def open_popover(page: Page, name: str, *, exact: bool = False) -> None:
    """Open the popover behind this button, and check that it is still open once its content is there."""
    settled(page)
    button = page.get_by_test_id("stPopover").get_by_role("button", name=name, exact=exact)
    button.click()
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stElementContainer").first).to_be_visible()
    settled(page)
    expect(button).to_have_attribute("aria-expanded", "true")


@contextmanager
def script_run(page: Page) -> Iterator[None]:
    """Wait until the script has run because of what is done inside; ``settled`` may look before it has begun.

    A run that begins and ends between two drawings of the page is never seen, so nothing is waited for after 5 s.
    """
    settled(page)
    page.evaluate(RUN_ENDED)
    yield
    with suppress(TimeoutError):
        page.wait_for_function("window.nasightRan", timeout=5_000)
    settled(page)


def close_popover(page: Page) -> None:
    """Close the open popover, and wait until the studio has taken note.

    Streamlit says "closed" again when the script has run; a popover opened in between is closed by that.
    """
    with script_run(page):
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box; typed, because long lists hold only the options in view."""
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def press_only(page: Page, words: str) -> None:
    """Press the one element with these words; while a part is drawn anew, the old and the new one are both there."""
    found = page.get_by_text(words, exact=True)
    expect(found).to_have_count(1)
    found.click()


def serve_synthetic(store: Path, *, candidates: int, delay: float) -> Iterator[Studio]:
    """Yield a studio on the synthetic evaluator and end it afterwards."""
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "synthetic_studio.py")
    running = start([script, str(port), str(candidates), str(delay)], store)
    yield running
    assert running.stop() in (0, -signal.SIGTERM)  # the server ends in order, then lets the signal through
