"""The Explain tab of networks on images, series and texts in a real browser, in both appearances."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from browsing import FIRST_PORT, choose, open_page, press_only, settled
from playwright.sync_api import Browser, expect
from studio_process import ROOT, Studio, start

from dashboard.server import free_port
from nas_core.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN = "signals"
SVG = "[data-testid=stPlotlyChart] .main-svg"


@pytest.fixture(scope="module", params=["image", "series", "words"])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[tuple[str, Studio]]:
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    script = str(ROOT / "tests" / "browser" / "signal_studio.py")
    running = start([script, str(port), request.param], tmp_path_factory.mktemp(request.param), timeout=180)
    yield request.param, running
    assert running.stop() in (0, -signal.SIGTERM)


def test_a_row_is_explained_where_it_is(browser: Browser, trained: tuple[str, Studio]) -> None:
    kind, studio = trained
    dark = kind == "series"  # the path is the same in both appearances, and its contrast is tested with axe
    store = open_store(studio.store)
    found = next(e.id for e in store.evaluations(RUN) if e.weights is not None)
    store.close()
    page, watch = open_page(browser, f"{studio.url}/candidate?run={RUN}&cand={found}", dark=dark)
    page.get_by_role("tab", name="Why this score").click()
    expect(page.get_by_text("Layers tell classes apart").first).to_be_visible()
    page.get_by_role("tab", name="Explain").click()
    heading = {"image": "What each patch adds", "series": "What each step adds", "words": "What each word adds"}[kind]
    expect(page.get_by_text(heading)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Completeness: base and contributions add up")).to_be_visible()
    expect(page.get_by_text("Getting better")).to_have_count(0, timeout=60_000)
    settled(page)
    page.get_by_role("button", name="Most wrong").click()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    choose(page, "Method", "Occlusion")
    expect(page.get_by_text("do not add up to the output")).to_be_visible()
    press_only(page, "All rows")
    expect(page.get_by_text("Mean absolute contribution to")).to_be_visible()
    expect(page.locator(SVG).nth(1)).to_be_visible()
    settled(page)
    if kind == "words":
        choose(page, "Method", "⊘ Integrated gradients")
        expect(
            page.get_by_text("nothing can be differentiated by a word id. In its place: SHAP of cells")
        ).to_be_visible()
    else:
        choose(page, "Method", "Saliency")
        expect(page.get_by_text("they have no sign and do not add up")).to_be_visible()
        press_only(page, "One row")
        expect(page.get_by_text("is sensitive")).to_be_visible()
    settled(page)
    page.context.close()
    assert not watch.wrong
