"""A candidate handed over by hand: prepare a file on its page, download it, and look inside."""

from __future__ import annotations

import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import FIRST_PORT, open_page, open_popover, settled
from playwright.sync_api import Browser, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio with a finished run of 16 candidates whose weights are stored."""
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    running = start(
        [str(ROOT / "tests" / "browser" / "recorded_studio.py"), str(port)],
        tmp_path_factory.mktemp("exports"),
        timeout=180.0,
    )
    yield running
    assert running.stop() in (0, -signal.SIGTERM)


@pytest.mark.browser
def test_source_is_prepared_and_downloaded(browser: Browser, recorded: Studio, tmp_path: Path) -> None:
    page, watch = open_page(browser, recorded.url + "/candidate?run=run-1")
    settled(page)
    page.locator('a[href*="cand="]').first.click()
    expect(page.get_by_role("heading", name=re.compile(r"Candidate #\d+"))).to_be_visible(timeout=60_000)
    settled(page)
    open_popover(page, "Export")
    prepare = page.get_by_role("button", name="Prepare")
    expect(prepare.nth(2)).to_be_visible(timeout=60_000)
    prepare.nth(2).click()
    download = page.get_by_role("button", name=re.compile(r"Download \(\d+ kB\)"))
    expect(download).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Largest difference to the candidate on 114 validation rows")).to_be_visible()
    with page.expect_download(timeout=60_000) as waited:
        download.click()
    file = tmp_path / waited.value.suggested_filename
    waited.value.save_as(file)
    assert file.suffix == ".zip"
    with zipfile.ZipFile(file) as packed:
        assert "class Network(nn.Module):" in packed.read("model.py").decode()
    wrong = list(watch.wrong)
    page.context.close()
    assert not wrong
