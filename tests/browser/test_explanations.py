"""Explanations in a real browser: a dense network at once and better and better, an additive one exactly."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from browsing import choose, open_page, open_popover, press_only, script_run, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio

from nas_core.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN = "run-1"
SVG = "[data-testid=stPlotlyChart] .main-svg"
PATIENCE = 20.0  # seconds a loaded machine may take for what takes one or two


def of_group_size(studio: Studio, size: int) -> str:
    """Return the candidate with the most features among those whose largest non-linear group has ``size``."""
    store = open_store(studio.store)
    done = [e for e in store.evaluations(RUN) if e.weights is not None]
    store.close()
    groups = {e.id: [g for g in e.architecture.values["groups"] if not g["linear"]] for e in done}
    fit = [i for i, found in groups.items() if max((len(g["features"]) for g in found), default=0) == size]
    return max(fit, key=lambda i: len(groups[i]))


def candidate_page(browser: Browser, studio: Studio, size: int, *, dark: bool) -> Iterator[Page]:
    """Open the Explain tab of a candidate with groups of that size; at the end nothing may have gone wrong on it."""
    found = of_group_size(studio, size)
    page, watch = open_page(browser, f"{studio.url}/candidate?run={RUN}&cand={found}", dark=dark)
    page.get_by_role("tab", name="Explain").click()
    yield page
    page.context.close()
    assert not watch.wrong


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_dense_candidate_is_explained_at_once_and_then_better(browser: Browser, trained: Studio, dark: bool) -> None:
    for page in candidate_page(browser, trained, 30, dark=dark):
        began = time.monotonic()
        expect(page.get_by_text("Exact and sampled group SHAP")).to_be_visible()
        expect(page.get_by_text("Completeness: base and contributions add up")).to_be_visible()
        expect(page.locator(SVG).nth(2)).to_be_visible()
        assert time.monotonic() - began < PATIENCE
        expect(page.get_by_text(re.compile(r"Sampled values are known to ± [\d.]+ log-odds"))).to_be_visible()
        settled(page)
        assert page.get_by_text("Getting better").count() == 0
        press_only(page, "One row")
        with script_run(page):  # until then the plots of the row before and of this one are both there
            page.get_by_role("button", name="Most wrong").click()
        expect(page.get_by_text(re.compile("this row"))).to_be_visible()


def test_a_person_has_a_dense_candidate_refined(browser: Browser, trained: Studio) -> None:
    for page in candidate_page(browser, trained, 30, dark=False):
        page.get_by_role("button", name="Refine").click()
        expect(page.get_by_text(re.compile(r"100 validation rows against 100 training rows"))).to_be_visible()
        expect(page.get_by_text(re.compile(r"Sampled values are known to ±"))).to_be_visible(timeout=60_000)


def test_a_person_chooses_another_method(browser: Browser, trained: Studio) -> None:
    for page in candidate_page(browser, trained, 30, dark=False):
        choose(page, "Method", "LIME")
        expect(page.get_by_text("On masks that it was not fitted to, the linear fit has R²")).to_be_visible()
        press_only(page, "One row")
        expect(page.get_by_text("so each is drawn from zero")).to_be_visible(timeout=60_000)
        choose(page, "Method", "⊘ SHAP, exact")
        words = "SHAP, exact does not apply: it uses 30 features; at most 12 can be enumerated. In its place"
        expect(page.get_by_text(words)).to_be_visible()
        open_popover(page, "About the methods")
        expect(page.get_by_text("Expected gradients (GradientSHAP)")).to_be_visible()


def test_an_additive_candidate_needs_no_sampling(browser: Browser, trained: Studio) -> None:
    for page in candidate_page(browser, trained, 1, dark=False):
        expect(page.get_by_text("Exact group SHAP")).to_be_visible()
        expect(page.locator(SVG).nth(2)).to_be_visible()
        assert page.get_by_text("are known to ±").count() == 0
