"""``nasight demo``: a real search, live in a browser, stopped in order and resumed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from browsing import FIRST_PORT, open_page
from playwright.sync_api import Browser, expect
from studio_process import start

from dashboard.server import free_port
from nas_core.records import RunState
from nas_core.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

POINTS = "Number(document.querySelector('.nasight-front')?.dataset.points || 0)"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_demo_searches_at_once_and_can_be_resumed_after_its_server_ended(
    browser: Browser, tmp_path: Path, end: signal.Signals
) -> None:
    port = str(free_port("127.0.0.1", FIRST_PORT, 200))
    command = ["-m", "dashboard.command", "--no-browser", "--port", port, "--store", str(tmp_path)]
    studio = start([*command[:2], "demo", *command[2:], "--candidates", "5000"], tmp_path)
    page, watch = open_page(browser, studio.url)
    page.wait_for_function(f"{POINTS} > 0", timeout=120_000)
    link = page.url
    assert "run=" in link
    page.context.close()
    assert studio.stop(end) == (0 if end is signal.SIGTERM else -end)
    assert not watch.wrong

    store = open_store(tmp_path)
    (record,) = store.runs()
    kept = len(store.evaluations(record.id))
    store.close()
    assert record.state is RunState.INTERRUPTED
    assert kept > 0

    studio = start(command, tmp_path)
    page, watch = open_page(browser, link)
    expect(page.get_by_text("This run was interrupted")).to_be_visible()
    page.wait_for_function(f"{POINTS} > 0")
    page.get_by_role("button", name="Resume").first.click()
    expect(page.get_by_text("● live")).to_be_visible(timeout=60_000)
    page.wait_for_function(f"{POINTS} > {kept}", timeout=120_000)
    page.context.close()
    studio.stop()
    assert not watch.wrong
