"""How long a move of the λ slider takes with many stored candidates: in the server, and until the browser has drawn it.

    python tests/bench/slider.py [--candidates 10000] [--moves 15] [--json]

Server: ranking, who-wins intervals, picture and table of one refresh, in this process. Browser: from the key press on
the slider to the front drawn again in headless Chromium, and the bytes that came over the connection for it; the same
bytes come with a live refresh. Medians. ``python tests/bench/rerank.py`` compares the ranking alone with plain Python.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

import numpy as np
from browsing import FLAGS, find_chromium, open_page
from playwright.sync_api import Page, WebSocket, sync_playwright
from studio_process import start

from dashboard.components.front_area import FRONT_WORDS
from dashboard.figures.front import front_payload
from dashboard.server import free_port
from dashboard.views.axes import axes_view
from dashboard.views.candidates import all_candidates
from dashboard.views.front import front_view
from nas_core import Preference, Problem, SearchSpace, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Proposal, RunRecord, RunState
from nas_core.runs.viewer import RunView
from nas_core.store import open_store

RUN = "many"


def fill(folder: str, candidates: int) -> None:
    """Store a finished run of random candidates."""
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem)
    rng = np.random.default_rng(0)
    drawn = {a.id: a for a in (space.sample(rng) for _ in range(candidates))}
    proposals = [Proposal(architecture=a, operator="sample") for a in drawn.values()]
    found = SyntheticEvaluator(space).evaluate(proposals, stop=threading.Event())
    numbered = [e.model_copy(update={"index": k}) for k, e in enumerate(found, start=1)]
    store = open_store(folder)
    store.create_run(
        RunRecord(
            id=RUN, name="many", created=time.time(), state=RunState.CREATED, settings={},
            problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"),
            data_hash=problem.spec.data_hash,
        )
    )  # fmt: skip
    store.commit(RUN, numbered, None, {"evaluated": len(numbered)}, state=RunState.DONE)
    store.close()


def in_server(folder: str, moves: int) -> dict[str, float]:
    """Return the median milliseconds of each part of a refresh at a new λ, and the bytes of the picture."""
    store = open_store(folder)
    snapshot = RunView(store, RUN).snapshot
    store.close()
    words = dict.fromkeys(FRONT_WORDS, "")
    rows = []
    for move in range(moves):
        began = time.perf_counter()
        ranking = snapshot.rank(Preference(weight=(move + 0.5) / moves))
        ranked = time.perf_counter()
        view = front_view(RUN, snapshot, ranking, selected=None, words=words, x_label="")
        payload = front_payload(view)
        drawn = time.perf_counter()
        all_candidates(snapshot, ranking, {}, axes_view(snapshot, ranking, ()), np.ones(len(snapshot), dtype=bool))
        rows.append((ranked - began, drawn - ranked, time.perf_counter() - drawn, len(payload) / 1e6))
    parts = [1e3 * statistics.median(row[k] for row in rows) for k in range(4)]
    return {"rank_ms": parts[0], "picture_ms": parts[1], "table_ms": parts[2], "server_ms": sum(parts[:3]),
            "picture_kB": parts[3]}  # fmt: skip


def in_browser(page: Page, received: list[int], moves: int) -> dict[str, float]:
    """Return the median milliseconds from a key press to the front drawn again, and the kilobytes received for it."""
    slider = page.get_by_role("slider").first
    slider.focus()
    times, sizes = [], []
    for _ in range(moves):
        draws = int(page.locator(".nasight-front").get_attribute("data-draws") or 0)
        received.clear()
        began = time.perf_counter()
        slider.press("ArrowRight")
        page.wait_for_function(f"Number(document.querySelector('.nasight-front').dataset.draws) > {draws}", polling=5)
        times.append(time.perf_counter() - began)
        page.wait_for_timeout(700)
        sizes.append(sum(received))
    mounts = page.locator(".nasight-front").count()
    assert mounts == 1
    return {"press_to_drawn_ms": 1e3 * statistics.median(times), "received_kB": statistics.median(sizes) / 1e3}


def watched_page(folder: str, moves: int) -> dict[str, float]:
    """Open the stored run in Chromium and return its figures."""
    port = free_port("127.0.0.1", 8710, 200)
    arguments = ["-m", "dashboard.command", "--no-browser", "--port", str(port), "--store", folder]
    studio = start(arguments, Path(folder))
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(len(frame)))

    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            page, _ = open_page(browser, f"{studio.url}/?run={RUN}")
            page.on("websocket", listen)
            page.reload()  # heard from the beginning
            page.wait_for_selector(".nasight-front[data-draws]", timeout=60_000)
            page.wait_for_timeout(2000)
            found = in_browser(page, received, moves)
            browser.close()
    finally:
        studio.stop()
    return found


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--moves", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, options.candidates)
        figures = {"candidates": options.candidates, **in_server(folder, options.moves)}
        figures |= watched_page(folder, options.moves)
    rounded = {name: round(value, 1) for name, value in figures.items()}
    print(json.dumps(rounded) if options.json else "\n".join(f"{name:>20}  {value}" for name, value in rounded.items()))


if __name__ == "__main__":
    main()
