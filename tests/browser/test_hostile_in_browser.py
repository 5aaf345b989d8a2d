"""A table whose names are commands, in a real browser: no script of it runs, and nothing of it becomes an element."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import FIRST_PORT, open_page, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port
from nas_core.store import open_store

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hostile import hostile_table

RUN = "run-1"
FOREIGN = """() => [...document.querySelectorAll(
    'img[src="x"], [src*="203.0.113.9"], [href*="203.0.113.9"], [*|href*="203.0.113.9"], [onerror], .katex'
)].map((e) => e.outerHTML.slice(0, 200)).concat(
    [...document.querySelectorAll('b, strong, code, tspan[style*="bold"]')].filter(
        (e) => ['b1', 'q1', 'k1'].includes(e.textContent.trim())
    ).map((e) => e.outerHTML.slice(0, 200))
)"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished run on the hostile table."""
    folder = tmp_path_factory.mktemp("hostile")
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "recorded_studio.py")
    running = start([script, str(port), str(hostile_table(folder))], folder)
    yield running
    assert running.stop() in (0, -signal.SIGTERM)


def clean(page: Page) -> None:
    """Check that nothing of the names is an element, and that none of their scripts has run."""
    assert page.evaluate(FOREIGN) == []
    assert page.title() != "1"


@pytest.mark.browser
def test_no_name_becomes_an_element_and_no_script_runs(browser: Browser, hostile: Studio) -> None:
    store = open_store(hostile.store)
    known = [e for e in store.evaluations(RUN) if e.weights is not None]
    store.close()
    widest = max(known, key=lambda e: sum(len(g["features"]) for g in e.architecture.values["groups"]))
    page, watch = open_page(browser, f"{hostile.url}/candidate?run={RUN}&cand={widest.id}")
    settled(page)
    clean(page)
    for tab in ("Performance", "Explain", "What if", "Lineage"):
        page.get_by_role("tab", name=tab, exact=True).click()
        settled(page)
        expect(page.get_by_test_id("stMain").get_by_text("b1").first).to_be_attached()
        clean(page)
    for path in ("", "compare", "report", "present", "insight"):
        page.goto(f"{hostile.url}/{path}?run={RUN}")
        settled(page)
        clean(page)
    page.context.close()
    assert not watch.wrong  # which holds requests to other hosts
