"""Curves, surrogate and importance of a candidate in a real browser, in both appearances: drawn, and axe-clean."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_page, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio

from nas_core.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN = "run-1"


def part(page: Page, name: str) -> None:
    """Choose a part of the Explain tab, and wait until it is drawn."""
    page.get_by_role("radio", name=name, exact=True).or_(page.get_by_role("button", name=name, exact=True)).click()
    settled(page)


def assert_no_violation(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_parts_are_drawn_and_break_no_rule(browser: Browser, trained: Studio, dark: bool) -> None:
    store = open_store(trained.store)
    dense = next(e for e in store.evaluations(RUN) if e.operator == "dense")
    store.close()
    page, watch = open_page(browser, f"{trained.url}/candidate?run={RUN}&cand={dense.id}", dark=dark)
    page.get_by_role("tab", name="Explain").click()
    expect(page.get_by_text(re.compile("Sampled values are known to ±"))).to_be_visible(timeout=40_000)
    part(page, "Curves")
    expect(page.get_by_text(re.compile("Accumulated local effects over 341"))).to_be_visible()
    expect(page.get_by_text(re.compile("second-order ALE over 341"))).to_be_visible()
    assert_no_violation(page)
    part(page, "ICE")
    expect(page.get_by_text(re.compile("One line for each of 60 validation rows"))).to_be_visible()
    part(page, "Surrogate")
    part(page, "5")
    expect(page.get_by_text(re.compile(r"This tree reproduces \d+ % of the network's answers"))).to_be_visible()
    expect(page.get_by_role("button", name="Download the rules")).to_be_visible()
    expect(page.get_by_text(re.compile("A random forest of 100 trees"))).to_be_visible()
    boxes = labels_of_the_tree(page)
    assert len(boxes) > 4
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if overlap(a, b)]
    assert_no_violation(page)
    part(page, "Importance")
    expect(page.get_by_text(re.compile("What the network uses, and what the data say"))).to_be_visible()
    expect(page.get_by_text(re.compile("how much ROC AUC gets worse"))).to_be_visible()
    assert_no_violation(page)
    assert not watch.wrong
    page.context.close()


def labels_of_the_tree(page: Page) -> list[dict[str, float]]:
    """Return the boxes of all labels of the drawn tree: what nodes ask and say, and yes and no."""
    annotations = page.locator(".main-svg .annotation-text")
    expect(annotations.first).to_be_visible()
    return [box for at in range(annotations.count()) if (box := annotations.nth(at).bounding_box())]  # type: ignore[misc]


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    """Return whether two boxes share more than a hair."""
    wide = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    high = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return wide > 1 and high > 1
