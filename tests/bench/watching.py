"""What a watching tab costs the server, and whether the search waits for it.

    python tests/bench/watching.py [--seconds 20] [--pairs 3] [--json]

Runs are evaluated by the public fake, so that training is not counted. Windows without and with one tab alternate; a
share is of one CPU, medians over the windows; the cost of a tab is the median difference within a pair.

done: a run of 1,000 candidates that has ended.   paused: a run that is paused, so the page still asks once a second.
live: about 25 candidates a second, what real training reaches.   busy: as fast as the machine can, so that server,
search and browser compete for it; ``slowdown`` is candidates a second with a tab over without.
Linux only (reads /proc).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

from browsing import FLAGS, find_chromium, open_page
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright
from studio_process import ROOT, Studio, start

from dashboard.server import free_port
from nas_core.store import open_store

TICK = os.sysconf("SC_CLK_TCK")
KINDS = {"done": (1_000, 0.0), "paused": (100_000, 0.04), "live": (100_000, 0.04), "busy": (100_000, 0.0)}


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def evaluated(studio: Studio) -> int:
    """Return how many candidates the run of the studio has finished."""
    store = open_store(studio.store)
    try:
        return int(store.runs()[0].progress.get("evaluated", 0))
    finally:
        store.close()


def window(studio: Studio, seconds: float) -> dict[str, float]:
    """Watch the server for some seconds and return its CPU share and the candidates a second."""
    time.sleep(1.5)  # opening and closing a page is not watching
    began, cpu, count = time.monotonic(), cpu_seconds(studio.process.pid), evaluated(studio)
    time.sleep(seconds)
    took = time.monotonic() - began
    spent = cpu_seconds(studio.process.pid) - cpu
    return {"cpu": 100 * spent / took, "rate": (evaluated(studio) - count) / took}


@contextmanager
def tab(browser: Browser, url: str) -> Iterator[Page]:
    """Open the Run page and close it afterwards."""
    page, watch = open_page(browser, url)
    try:
        page.wait_for_selector(".nasight-front[data-draws]", timeout=60_000)
    except TimeoutError as error:
        raise RuntimeError(f"The front was not drawn: {watch.wrong}") from error
    yield page
    page.context.close()


def measure(browser: Browser, kind: str, seconds: float, pairs: int) -> dict[str, float]:
    """Return the figures of one kind of run."""
    candidates, delay = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        port = str(free_port("127.0.0.1", 8710, 200))
        script = str(ROOT / "tests" / "browser" / "synthetic_studio.py")
        studio = start([script, port, str(candidates), str(delay)], Path(folder))
        try:
            with tab(browser, studio.url) as page:  # first use of everything; and the state that is wanted
                if kind == "done":
                    page.get_by_text("✓ done").wait_for(timeout=120_000)
                if kind == "paused":
                    page.get_by_role("button", name="Pause").click()
                    page.get_by_text("❚❚ paused").wait_for(timeout=60_000)
            alone, watched = [], []
            for _ in range(pairs):
                alone.append(window(studio, seconds))
                with tab(browser, studio.url):
                    watched.append(window(studio, seconds))
        finally:
            studio.stop()
    return summary(alone, watched)


def summary(alone: list[dict[str, float]], watched: list[dict[str, float]]) -> dict[str, float]:
    """Return medians of both sides and of the differences within each pair."""
    median = statistics.median
    found = {
        "cpu_alone_percent": median(row["cpu"] for row in alone),
        "cpu_watched_percent": median(row["cpu"] for row in watched),
        "cpu_of_a_tab_percent": median(w["cpu"] - a["cpu"] for a, w in zip(alone, watched)),
    }
    if median(row["rate"] for row in alone) > 0:
        found |= {
            "candidates_per_s_alone": median(row["rate"] for row in alone),
            "candidates_per_s_watched": median(row["rate"] for row in watched),
            "slowdown": median(w["rate"] / a["rate"] for a, w in zip(alone, watched) if a["rate"] > 0),
        }
    return {name: round(value, 2) for name, value in found.items()}


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of one window")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        found = {kind: measure(browser, kind, options.seconds, options.pairs) for kind in options.kinds}
        browser.close()
    if options.json:
        print(json.dumps(found))
        return
    for kind, figures in found.items():
        for name, value in figures.items():
            print(f"{kind:>8} {name:>26}  {value}")


if __name__ == "__main__":
    main()
