"""How quickly the studio answers a person: first paint, pages, the slider, a live refresh, a click, an explanation.

    python tests/bench/studio.py [--candidates 10000] [--repeats 5] [--json]

Each figure is what a person in front of headless Chromium waits for, over the connection to a studio in a process of
its own: medians of ``--repeats``, and the slowest. The run holds 24 networks with real weights, trained for a few
epochs, and as many evaluations of the public fake as were asked for.

cold_page, cold_front: from opening the address of a server that has shown nobody anything yet to the first words of the
page, and to the drawn front.   warm_page, warm_front: the same in a new tab of a server in use.
switch_NAME: from the click on a page's name to its content, script ended.   slider: from the key press to the front
drawn again.   open: from the click on the candidate's button to its page.   explanation: from opening the tab Explain
to the first picture.   refresh: a live run; from a commit to the store to the front drawn again (the page looks once a
second, so half a second of it is waiting), ``refresh_answer``: from the first large frame that brings it to the front
drawn again; ``refresh_kB`` what it brings, ``remounts`` and ``zoom_lost``: whether the front was built anew, and
whether the zoom was lost, 0 or 1.   replay: the HTML replay of 1,000 candidates: the time to write it,
its size, and from opening the file to the front drawn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

import numpy as np
from browsing import FLAGS, SIZE, find_chromium
from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from recorded import RUN, recorded_run, run_problem
from studio_process import Studio, start

from dashboard.server import free_port
from dashboard.state import PAGES
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal, RunState
from nas_core.spaces import SearchSpace
from nas_core.store import Store, open_store
from nas_core.store.owner import this_process

CONTENT = "document.querySelector('[data-testid=stMain]')?.innerText.trim().length > 40"
DRAWN = "Number(document.querySelector('.nasight-front')?.dataset.draws || 0) > 0"
SETTLED = "document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') !== null"
PICTURE = "document.querySelector('[role=tabpanel] .js-plotly-plot .main-svg') !== null"
RANGE = "document.querySelector('.nasight-front').layout.xaxis.range"
POLL = 10  # ms between two looks of the browser at a condition


def fill(folder: str, candidates: int) -> Store:
    """Return a store with one finished run, its first 24 candidates with weights, ``candidates`` more without."""
    store, known = recorded_run(open_store(folder), count=24, epochs=3)
    found = more(candidates, seed=1, first=len(known) + 1, skip={e.id for e in known})
    total = {"evaluated": len(known) + len(found)}
    store.commit(RUN, found, None, total, state=RunState.DONE)
    return store


def more(candidates: int, *, seed: int, first: int, skip: set[str]) -> list[Evaluation]:
    """Return evaluations of random candidates by the public fake."""
    space, rng = SearchSpace.for_problem(run_problem(), "balanced"), np.random.default_rng(seed)
    drawn = {a.id: a for a in (space.sample(rng) for _ in range(candidates)) if a.id not in skip}
    proposals = [Proposal(architecture=a) for a in drawn.values()]
    found = SyntheticEvaluator(space).evaluate(proposals, stop=threading.Event())
    return [e.model_copy(update={"index": k}) for k, e in enumerate(found, start=first)]


@contextmanager
def serving(folder: str) -> Iterator[Studio]:
    """Yield a studio on the store."""
    port = free_port("127.0.0.1", 8710, 200)
    studio = start(["-m", "dashboard.command", "--no-browser", "--port", str(port), "--store", folder], Path(folder))
    try:
        yield studio
    finally:
        studio.stop()


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """Yield a tab of a browser that has never been here."""
    context = browser.new_context(viewport=SIZE)
    context.set_default_timeout(120_000)
    yield context.new_page()
    context.close()


def seconds_until(page: Page, act: Callable[[], object], *conditions: str) -> list[float]:
    """Return the seconds from ``act`` until each condition holds, one after the other."""
    began, found = time.perf_counter(), []
    act()
    for condition in conditions:
        page.wait_for_function(condition, polling=POLL)
        found.append(time.perf_counter() - began)
    return found


def first_paint(browser: Browser, url: str) -> list[float]:
    """Return the seconds to the first words of the Run page and to its front, in a new tab."""
    with tab(browser) as page:
        return seconds_until(page, lambda: page.goto(url, wait_until="commit"), CONTENT, DRAWN)


def switches(page: Page, url: str, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each change from one page to the next, by the page that was opened."""
    page.goto(url)
    page.wait_for_function(DRAWN)
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name in (*(p for p in PAGES if p != "run"), "run"):
            link = page.locator(f"[data-testid=stTopNavLink][href*='{name}'], [data-testid=stTopNavLink][href$='/']")
            chosen = link.filter(has_text=page_title(page, name)).first
            path = "" if name == "run" else name
            there = f"location.pathname === '/{path}' && {CONTENT} && {SETTLED}"
            found.setdefault(f"switch_{name}", []).extend(seconds_until(page, chosen.click, there))
            page.wait_for_timeout(300)
    return found


def page_title(page: Page, name: str) -> str:
    """Return what the navigation calls a page."""
    from dashboard.texts import catalogue

    return catalogue("en")[f"studio.page_{name}"]


def draws(page: Page) -> int:
    return int(page.locator(".nasight-front").get_attribute("data-draws") or 0)


def slider(page: Page, url: str, repeats: int) -> list[float]:
    """Return the seconds from a key press on λ to the front drawn again."""
    page.goto(url)
    page.wait_for_function(DRAWN)
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(1000)
    handle, found = page.get_by_role("slider").first, []
    handle.focus()
    for _ in range(repeats):
        again = f"Number(document.querySelector('.nasight-front').dataset.draws) > {draws(page)}"
        found += seconds_until(page, lambda: handle.press("ArrowRight"), again)
        page.wait_for_timeout(600)
    return found


def opening(page: Page, url: str, candidate: str, repeats: int) -> dict[str, list[float]]:
    """Return the seconds from the button of a candidate to its page, and from its tab Explain to the first picture."""
    found: dict[str, list[float]] = {"open": [], "explanation": []}
    for _ in range(repeats):
        page.goto(f"{url}&cand={candidate}")
        page.wait_for_function(DRAWN)
        page.wait_for_function(SETTLED)
        link = page.locator(".st-key-open_candidate a")
        shown = f"location.pathname === '/candidate' && {CONTENT} && {SETTLED}"
        found["open"] += seconds_until(page, link.click, shown)
        explain = page.get_by_role("tab", name="Explain", exact=True)
        found["explanation"] += seconds_until(
            page,
            explain.click,
            "[...document.querySelectorAll('[role=tabpanel] .js-plotly-plot .main-svg')].length > 0",
        )
    return found


def live(page: Page, url: str, store: Store, repeats: int) -> dict[str, list[float]]:
    """Return what a page that watches a growing run shows how soon after it was committed."""
    known = store.evaluations(RUN)
    fresh = more(8 * repeats, seed=2, first=len(known) + 1, skip={e.id for e in known})
    store.update_run(RUN, state=RunState.RUNNING, owner=this_process(), heartbeat=time.time())
    sizes: list[tuple[float, int]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: sizes.append((time.perf_counter(), len(frame))))

    page.on("websocket", listen)
    page.goto(url)
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(2500)
    page.evaluate("document.querySelector('.nasight-front').dataset.same = 'yes'")
    zoomed = zoom(page)
    names = ("refresh", "refresh_answer", "refresh_kB", "remounts", "zoom_lost")
    found: dict[str, list[float]] = {name: [] for name in names}
    points = "Number(document.querySelector('.nasight-front').dataset.points)"
    for k in range(repeats):
        before, part = int(page.evaluate(points)), fresh[8 * k : 8 * k + 8]
        sizes.clear()
        progress = {"evaluated": len(known) + 8 * (k + 1)}
        began = time.perf_counter()
        store.commit(RUN, part, None, progress, heartbeat=time.time())
        page.wait_for_function(f"{points} > {before}", polling=POLL)
        ended = time.perf_counter()
        page.wait_for_timeout(100)
        large = [when for when, size in sizes if size > 2000 and when < ended]
        found["refresh"].append(ended - began)
        found["refresh_answer"].append(ended - max(large[:1], default=began))
        found["refresh_kB"].append(sum(size for _, size in sizes) / 1e3)
    found["remounts"].append(float(page.locator(".nasight-front[data-same=yes]").count() != 1))
    found["zoom_lost"].append(float(page.evaluate(RANGE) != zoomed))
    store.update_run(RUN, state=RunState.DONE, owner="")
    return found


def zoom(page: Page) -> list[float]:
    """Zoom into the front as a hand does, and return the range of its axis."""
    box = page.locator(".nasight-front .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_function(f"{RANGE}[0] > 0.2")
    return page.evaluate(RANGE)


def measured(browser: Browser, candidates: int, repeats: int) -> dict[str, list[float]]:
    """Return every figure of a studio with a run of so many candidates."""
    with tempfile.TemporaryDirectory() as folder:
        store = fill(folder, candidates)
        best = next(e.id for e in store.evaluations(RUN)[2:] if e.weights is not None)
        with serving(folder) as studio:
            url = f"{studio.url}/?run={RUN}"
            found = dict(zip(("cold_page", "cold_front"), ([s] for s in first_paint(browser, url))))
            warm = [first_paint(browser, url) for _ in range(repeats)]
            found |= {"warm_page": [w[0] for w in warm], "warm_front": [w[1] for w in warm]}
            with tab(browser) as page:
                found |= switches(page, url, repeats)
                found["slider"] = slider(page, url, repeats)
                found |= opening(page, url, best, repeats)
            with tab(browser) as page:
                found |= live(page, url, store, repeats)
        store.close()
    return found


def replay(browser: Browser, repeats: int) -> dict[str, list[float]]:
    """Return how long the replay of 1,000 candidates takes to write and to open, and how large it is."""
    from dashboard.replay.writing import report_file

    found: dict[str, list[float]] = {"replay_written": [], "replay_open": [], "replay_MB": []}
    with tempfile.TemporaryDirectory() as folder:
        store = fill(folder, 1000)
        began = time.perf_counter()
        file, _ = report_file(store, RUN, Path(folder) / "replay.html", "html")
        found["replay_written"].append(time.perf_counter() - began)
        found["replay_MB"].append(file.stat().st_size / 1e6)
        for _ in range(repeats):
            with tab(browser) as page:
                ready = "document.documentElement.dataset.ready === 'yes'"
                found["replay_open"] += seconds_until(page, partial(page.goto, file.as_uri()), ready)
        store.close()
    return found


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        found = measured(browser, options.candidates, options.repeats) | replay(browser, options.repeats)
        browser.close()
    figures: dict[str, object] = {"candidates": options.candidates}
    for name, values in found.items():
        counted = name.endswith(("kB", "MB")) or name in ("remounts", "zoom_lost")
        unit, scale = ("", 1) if counted else ("_ms", 1e3)
        figures[f"{name}{unit}"] = round(scale * statistics.median(values), 2)
        if len(values) > 1:
            figures[f"{name}_slowest{unit}"] = round(scale * max(values), 1)
    print(json.dumps(figures) if options.json else "\n".join(f"{n:>28}  {v}" for n, v in figures.items()))


if __name__ == "__main__":
    main()
