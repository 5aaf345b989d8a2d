"""From a table to a report as a person would do it, in a real browser, with a picture of each step.

    python tests/bench/walk.py [--pictures FOLDER] [--candidates 200] [--dark] [--language zh] [--json]

A table of wines (scikit-learn's, written to a CSV of the person's own, with a colour column and gaps) is uploaded; a
search is started on it and watched; λ is moved, a goal line set with keys, two candidates are opened, explained and
compared, a decision is recorded and its replay downloaded and opened from the file. Each step prints its seconds, the
whole must stay under ten minutes; ``console_errors`` counts what went wrong in the browser on the way.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

import numpy as np
from browsing import FLAGS, SIZE, Watch, find_chromium, settled
from playwright.sync_api import Page, expect, sync_playwright
from studio_process import start

from dashboard.server import free_port
from dashboard.texts import catalogue

LIMIT = 600  # seconds that the whole may take
POINTS = "Number(document.querySelector('.nasight-front')?.dataset.points || 0)"


class Walk:
    """One person in front of the studio: does a step, waits until it is answered, takes a picture."""

    def __init__(self, page: Page, words: dict[str, str], pictures: Path | None) -> None:
        self.page, self.words, self.pictures = page, words, pictures
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the body; then take the picture, which is not timed."""
        began = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - began
        print(f"{self.seconds[name]:8.1f} s  {name}", file=sys.stderr, flush=True)
        if self.pictures is not None:
            self.page.wait_for_timeout(800)  # what is drawn when the page is idle
            self.page.screenshot(path=self.pictures / f"{len(self.seconds):02d}-{name.replace(' ', '-')}.png")

    def button(self, key: str) -> None:
        self.page.get_by_role("button", name=self.words[key]).first.click()
        settled(self.page)

    def other_best(self) -> None:
        """Move λ until the best is a candidate that is not collected yet."""
        for key in ("Home", "ArrowRight", *["PageUp"] * 8, "End"):
            self.page.get_by_role("slider").first.press(key)
            self.page.wait_for_timeout(1500)  # λ is answered once the hand rests
            settled(self.page)
            if self.page.get_by_role("button", name=self.words["compare.add"]).count():
                return
        raise AssertionError("the same candidate is the best for every λ")

    def tab(self, key: str) -> None:
        self.page.get_by_role("tab", name=self.words[key], exact=True).click()
        settled(self.page)

    def go(self, name: str) -> None:
        link = self.page.get_by_test_id("stTopNavLink").filter(has_text=self.words[f"studio.page_{name}"])
        link.first.click()
        self.page.wait_for_url(re.compile(rf"/{'' if name == 'run' else name}(\?|$)"))
        settled(self.page)


def wines(file: Path) -> None:
    """Write the table of a person: thirteen numbers, a colour in words, gaps, the cultivar in words."""
    import pandas as pd
    from sklearn.datasets import load_wine

    found = load_wine(as_frame=True)
    table = found.data.rename(columns={"od280/od315_of_diluted_wines": "od280"})
    table["tint"] = pd.cut(table.pop("color_intensity"), [0, 3.5, 6, 20], labels=["light", "ruby", "dark"])
    rng = np.random.default_rng(0)
    table = table.mask(rng.random(table.shape) < 0.02)
    table["cultivar"] = [f"cultivar {'ABC'[k]}" for k in found.target]
    table.to_csv(file, index=False)


def walk(page: Page, url: str, words: dict[str, str], folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Go the whole way and return the seconds of each step."""
    person = Walk(page, words, arguments.pictures)
    with person.step("first screen"):
        page.goto(f"{url}/?lang={arguments.language}")
        settled(page)
        page.wait_for_function(f"{POINTS} > 0")
    with person.step("upload"):
        person.go("data")
        wines(folder / "wines.csv")
        page.locator("input[type=file]").set_input_files(folder / "wines.csv")
        page.wait_for_url(re.compile("data=wines"))
        settled(page)
        person.button("data.use")
    with person.step("search space"):
        page.get_by_test_id("stPageLink-NavLink").filter(has_text=words["data.next"]).click()
        page.wait_for_url(re.compile("/space"))
        settled(page)
    with person.step("start"):
        person.go("run")
        own = page.get_by_role("button", name=words["header.start_own"])
        if own.count():
            own.first.click()
            settled(page)
        page.get_by_label(words["run.budget"], exact=True).fill(str(arguments.candidates))
        page.keyboard.press("Tab")
        settled(page)
        person.button("run.start")
        page.wait_for_function(f"{POINTS} >= 24", timeout=120_000)
    with person.step("slider"):
        handle = page.get_by_role("slider").first
        for _ in range(10):
            handle.press("ArrowRight")
        page.wait_for_timeout(500)
        settled(page)
    with person.step("goal line"):
        flag = page.locator(".nasight-goal-flag[data-axis=x]")
        expect(flag).to_have_count(1)  # the front of the example goes when that of the own run has come
        flag.focus()
        flag.press("Enter")
        page.wait_for_function("document.querySelector('.nasight-goal-flag[data-axis=x]')?.ariaValueNow")
        settled(page)
    with person.step("search ends"):
        page.wait_for_function(f"{POINTS} >= {int(0.8 * arguments.candidates)}", timeout=300_000)
        settled(page)
    with person.step("open the best"):
        person.button("compare.add")
        page.locator(".st-key-open_candidate a").click()
        page.wait_for_url(re.compile("/candidate"))
        settled(page)
    with person.step("explain"):
        person.tab("candidate.tab_explain")
        page.wait_for_function("document.querySelectorAll('[role=tabpanel] .js-plotly-plot .main-svg').length > 0")
        settled(page)
    with person.step("compare"):
        person.go("run")
        page.wait_for_function(f"{POINTS} > 0")
        person.button("run.back_to_best")
        person.other_best()
        person.button("compare.add")
        page.get_by_test_id("stPageLink-NavLink").filter(has_text=words["compare.chip"].format(count=2)).click()
        page.wait_for_url(re.compile("/compare"))
        settled(page)
    with person.step("report"):
        person.go("report")
        page.get_by_label(words["report.reason"]).fill("As accurate, and read from a few features.")
        page.keyboard.press("Tab")
        settled(page)
        page.get_by_role("button", name=words["report.keep"].partition("#")[0]).click()
        settled(page)
    with person.step("replay"):
        person.tab("report.tab_files")
        person.button("report.replay_make")
        ready = page.get_by_role("button", name=re.split("[(（]", words["report.replay_get"])[0].strip())
        expect(ready).to_be_visible(timeout=120_000)
        with page.expect_download() as download:
            ready.click()
        download.value.save_as(folder / "replay.html")
    with person.step("replay opened"):
        person.page = page.context.new_page()  # not watched: a file asks for itself
        person.page.goto((folder / "replay.html").as_uri())
        expect(person.page.locator("#panel h2")).to_be_visible()
    return person.seconds


def main() -> None:
    """Parse the arguments, walk, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each step")
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--language", default="en", choices=("en", "zh"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.pictures is not None:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        port = free_port("127.0.0.1", 8810, 200)
        place = Path(folder)
        studio = start(
            ["-m", "dashboard.command", "--no-browser", "--port", str(port), "--store", str(place / "store")], place
        )
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            scheme = "dark" if arguments.dark else "light"
            page = browser.new_context(viewport=SIZE, color_scheme=scheme).new_page()
            page.set_default_timeout(60_000)
            watch = Watch(page, studio.url.split("/")[2])
            found = walk(page, studio.url, catalogue(arguments.language), place, arguments)
        finally:
            studio.stop()
    total = sum(found.values())
    document = {**{f"{name}_s": round(s, 2) for name, s in found.items()}, "total_s": round(total, 1)}
    document["console_errors"] = len(watch.wrong)
    print(json.dumps(document) if arguments.json else "\n".join(f"{n:>20}  {v}" for n, v in document.items()))
    for line in watch.wrong:
        print(line, file=sys.stderr)
    if total > LIMIT or watch.wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
