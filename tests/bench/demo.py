"""How long a person waits after typing ``nasight demo``: first answer, page, first candidates on the plot, and its end.

    python tests/bench/demo.py [--repeats 3] [--json]

Each repeat is a new process, a fresh store and a fresh Chromium profile on a real search. Seconds are counted from the
start of the command; Chromium itself is running by then. Prints the median and every repeat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

from browsing import FLAGS, SIZE, find_chromium
from playwright.sync_api import Browser, sync_playwright
from studio_process import start

from dashboard.server import free_port

POINTS = "Number(document.querySelector('.nasight-front')?.dataset.points || 0) > 0"
CONTENT = "document.querySelector('[data-testid=stMain]')?.innerText.trim().length > 0"


def first_answer(url: str, until: float) -> None:
    """Wait for the first answer of the server."""
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(f"{url} did not answer")


def once(browser: Browser) -> dict[str, float]:
    """Start the demo and return the seconds to each moment."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port("127.0.0.1", 8910, 80)
        arguments = ["demo", "--no-browser", "--port", str(port), "--store", folder]
        began = time.monotonic()
        studio = start(["-m", "dashboard.command", *arguments], Path(folder))
        try:
            first_answer(studio.url, began + 60)
            found = {"answer": time.monotonic() - began}
            context = browser.new_context(viewport=SIZE)
            page = context.new_page()
            page.goto(studio.url, wait_until="commit")
            for name, seen in (("page", CONTENT), ("first_candidates", POINTS)):
                page.wait_for_function(seen, timeout=120_000, polling=50)
                found[name] = time.monotonic() - began
            context.close()
        finally:
            ended = time.monotonic()
            studio.stop(timeout=120)
    return found | {"stop": time.monotonic() - ended}


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        rows = [once(browser) for _ in range(options.repeats)]
        browser.close()
    figures = {f"{name}_s": round(statistics.median(row[name] for row in rows), 2) for name in rows[0]}
    if options.json:
        print(json.dumps({**figures, "repeats": rows}))
        return
    for name, value in figures.items():
        print(f"{name:>20}  {value}")


if __name__ == "__main__":
    main()
