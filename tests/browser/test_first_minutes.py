"""The first minutes in a real browser: the recorded example, the language over pages, the tour by keyboard, axe."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import FIRST_PORT, Watch, open_page, open_popover, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio, start

from dashboard.server import free_port
from dashboard.state import PAGES
from dashboard.views.tour import tour_steps

pytestmark = pytest.mark.browser

EXAMPLE = "run=example-breast-cancer"
STREAMLITS_OWN = ("presentation-role-conflict",)  # of its file uploader, and minor
HEADER = ".st-key-page_header"
SHOWN = {
    "": ".nasight-front[data-draws]",
    "data": ".nasight-chart .main-svg",
    "space": ".nasight-chart .main-svg",
    "candidate": "[data-testid=stPageLink-NavLink]",
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio as the command starts it, on a store in which nothing has ever been run."""
    port = free_port("127.0.0.1", FIRST_PORT, 200)
    store = tmp_path_factory.mktemp("fresh")
    arguments = ["-m", "dashboard.command", "--no-browser", "--port", str(port), "--store", str(store)]
    running = start(arguments, store)
    yield running
    assert running.stop() in (0, -signal.SIGTERM)


@pytest.fixture
def first(browser: Browser, fresh: Studio) -> Iterator[tuple[Page, Watch]]:
    """The first page of a first visit; at the end nothing may have gone wrong on it."""
    page, watch = open_page(browser, fresh.url)
    yield page, watch
    wrong = list(watch.wrong)
    page.context.close()
    assert not wrong


def go(page: Page, name: str) -> None:
    """Press a link of the navigation and wait for its page."""
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    settled(page)


@pytest.mark.parametrize("path", list(SHOWN))
def test_every_page_shows_the_recorded_example_in_one_line(browser: Browser, fresh: Studio, path: str) -> None:
    page, watch = open_page(browser, f"{fresh.url}/{path}")
    page.wait_for_selector(SHOWN[path])
    page.wait_for_url(f"**{EXAMPLE}**")
    header = page.locator(HEADER)
    expect(header).to_contain_text("recorded example")
    box = header.bounding_box()
    assert box is not None
    assert box["height"] <= 40
    assert page.locator("html").get_attribute("lang") == "en"
    assert not watch.wrong
    page.context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("query", ["tour=1", "lang=zh"])
def test_the_first_page_breaks_no_rule(browser: Browser, fresh: Studio, dark: bool, query: str) -> None:
    page, watch = open_page(browser, f"{fresh.url}/?{query}", dark=dark)
    page.wait_for_selector(".nasight-front[data-draws]")
    page.wait_for_load_state("networkidle")
    open_popover(page, "Glossary" if query == "tour=1" else "术语表")
    expect(page.get_by_text("Pareto front" if query == "tour=1" else "帕累托前沿", exact=True).last).to_be_visible()
    page.mouse.move(5, 5)  # a tooltip that fades in or out has colours of neither
    expect(page.get_by_test_id("stTooltipContent")).to_have_count(0)
    found = Axe().run(page, options={"rules": {rule: {"enabled": False} for rule in STREAMLITS_OWN}})
    assert [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")] == []
    assert not watch.wrong
    page.context.close()


def test_the_language_is_kept_over_pages_and_a_reload(first: tuple[Page, Watch]) -> None:
    page, _ = first
    page.get_by_role("button", name="中文").click()
    page.wait_for_url("**lang=zh**")
    expect(page.locator(HEADER)).to_contain_text("录制的示例")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    for name, words in (("数据", "要预测的列"), ("搜索空间", "塑造空间"), ("候选网络", "尚未选择候选网络")):
        go(page, name)
        expect(page.get_by_text(words).first).to_be_visible()
        page.wait_for_url("**lang=zh**")
    page.reload()
    settled(page)
    expect(page.get_by_text("尚未选择候选网络").first).to_be_visible()
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="特征中的").first.click()
    expect(page.get_by_text("为何得此分")).to_be_visible()
    page.wait_for_url("**lang=zh**")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_text("Why this score")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_chinese_browser_is_spoken_to_in_chinese(browser: Browser, fresh: Studio) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(fresh.url)
    settled(page)
    expect(page.locator(HEADER)).to_contain_text("录制的示例")
    context.close()


def test_the_tour_is_taken_by_keyboard(first: tuple[Page, Watch]) -> None:
    page, _ = first
    page.get_by_role("button", name="New here? Take the tour").press("Enter")
    card = page.locator(".st-key-tour")
    places = ["/?" if name == "run" else f"/{name}?" for name, _, _ in tour_steps(PAGES)]
    expect(card).to_contain_text(f"1 / {len(places)}")
    for step, path in enumerate(places[1:], start=2):
        card.get_by_role("button", name="Next").press("Enter")
        expect(card).to_contain_text(f"{step} / {len(places)}")
        page.wait_for_url(f"**{path}**tour={step}**")
        settled(page)
    page.reload()
    settled(page)
    expect(card).to_contain_text(f"{len(places)} / {len(places)}")
    card.get_by_role("button", name="Done").press("Enter")
    expect(card).to_have_count(0)
    page.wait_for_url(lambda url: "tour=" not in url)


def test_the_weight_and_the_candidate_are_in_the_head_of_other_pages(first: tuple[Page, Watch]) -> None:
    page, _ = first
    page.wait_for_selector(".nasight-front[data-draws]")
    page.get_by_role("slider", name="λ · how much interpretability counts").press("ArrowRight")
    expect(page.get_by_text("At λ = 0.71")).to_be_visible()
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="Open candidate").click()
    expect(page.get_by_role("heading", name="Candidate #")).to_be_visible()
    header = page.locator(HEADER)
    expect(header).to_contain_text("λ = 0.71")
    expect(header).to_contain_text("300 of 300 candidates")
    go(page, "Data")
    expect(page.locator(".st-key-header_chip")).to_contain_text("#")
    go(page, "Run")
    expect(page.get_by_text("At λ = 0.71")).to_be_visible()


def test_the_glossary_is_searched(first: tuple[Page, Watch]) -> None:
    page, _ = first
    open_popover(page, "Glossary")
    page.get_by_label("Search the glossary").fill("hypervolume")
    page.keyboard.press("Enter")
    expect(page.get_by_role("term").first).to_have_text("hypervolume")
    expect(page.get_by_role("term").filter(has_text="seed")).to_have_count(0)


def test_start_your_own_leads_to_the_form_and_back(first: tuple[Page, Watch]) -> None:
    page, _ = first
    page.get_by_role("button", name="Start your own").click()
    expect(page.get_by_role("button", name="Start search")).to_be_visible()
    page.get_by_role("button", name="Look at the recorded example").click()
    page.wait_for_selector(".nasight-front[data-draws]")
