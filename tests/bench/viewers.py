"""Whether people who watch slow a search down: eight viewers, one of them a real browser beside them, on a live run.

    python tests/bench/viewers.py [--viewers 8] [--minutes 10] [--window 60] [--json]

A studio behind a token runs a real search on scikit-learn's breast cancer data. Windows without and with viewers come
in the order A W W A A W W A …, so that what makes a search slower as it grows falls on both sides alike, and each lasts
from the end of one pack to the end of another. The viewers speak Streamlit's own protocol over its websocket (signed in
as viewers, each a session that asks again whenever the page would), because eight renderers would share the cores with
the search; one Chromium draws the page.

throughput_ratio: candidates a second with viewers over without, over all windows.   refreshes_per_viewer_s: script runs
that each viewer was answered.   memory_growth_mb: resident memory of the server, from the end of the first watched
window to the end of the last; it holds what the growing run itself needs.   memory_growth_of_viewers_mb: by how much it
grew within the watched windows, less what as many candidates needed in those without.   console_errors: what went wrong
in the browser; protocol_errors: scripts that ended with an exception, and connections that broke.   ``--minutes``
counts the watched time alone. Linux only (reads /proc).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

from browsing import FLAGS, SIZE, Watch, find_chromium
from playwright.sync_api import Browser, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from studio_process import Studio, start
from watching import cpu_seconds
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dashboard.server import free_port
from nas_core.store import open_store

TOKENS = "driver-token-of-the-benchmark", "viewer-token-of-the-benchmark"
SETTLE = 3.0
"""Seconds after opening or closing before a window begins."""


@dataclass
class Heard:
    """What all protocol clients of the benchmark were told."""

    finished: int = 0
    received: int = 0
    wrong: list[str] = field(default_factory=list)


class Viewer:
    """One session of the Run page, as the browser's part of Streamlit keeps it: its timers, and nothing drawn."""

    def __init__(self, url: str, cookie: str, run: str, heard: Heard) -> None:
        self._url = url.replace("http", "ws") + "/_stcore/stream"
        self._cookie, self._query, self._heard = cookie, f"run={run}", heard
        self._timers: dict[str, asyncio.Task[None]] = {}

    async def watch(self) -> None:
        """Watch until cancelled."""
        try:
            async with connect(
                self._url, subprotocols=["streamlit"], additional_headers={"Cookie": self._cookie}, max_size=None,  # type: ignore[list-item]
            ) as socket:  # fmt: skip
                await self._ask(socket)
                async for data in socket:
                    assert isinstance(data, bytes)
                    self._heard.received += len(data)
                    self._read(socket, ForwardMsg.FromString(data))
        except (ConnectionClosed, OSError) as error:
            self._heard.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            self._stop(list(self._timers))

    def _read(self, socket: ClientConnection, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            self._heard.finished += 1
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self._stop(list(self._timers))  # the whole page is drawn anew, its timers with it
        elif kind == "stop_auto_rerun":
            self._stop(message.stop_auto_rerun.fragment_ids)
        elif kind == "auto_rerun":
            wanted = message.auto_rerun
            self._stop([wanted.fragment_id])
            self._timers[wanted.fragment_id] = asyncio.create_task(
                self._again(socket, wanted.fragment_id, wanted.interval)
            )
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self._heard.wrong.append(message.delta.new_element.exception.message)

    def _stop(self, fragments: Iterable[str]) -> None:
        for fragment in fragments:
            if (timer := self._timers.pop(fragment, None)) is not None:
                timer.cancel()

    async def _again(self, socket: ClientConnection, fragment: str, interval: float) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                await self._ask(socket, fragment)

    async def _ask(self, socket: ClientConnection, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        await socket.send(message.SerializeToString())


@contextmanager
def viewing(viewers: list[Viewer]) -> Iterator[None]:
    """Let the protocol clients watch on a thread of their own."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def all_of_them() -> None:
        watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
        await ended.wait()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(all_of_them(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@contextmanager
def drawing(browser: Browser, studio: Studio, run: str, wrong: list[str]) -> Iterator[None]:
    """Let a real browser sign in and watch, and note what goes wrong in it."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    watch = Watch(page, studio.url.split("/")[2])
    page.goto(f"{studio.url}/?run={run}&token={TOKENS[1]}")
    page.wait_for_selector(".nasight-front[data-draws]", timeout=120_000)
    yield
    wrong.extend(watch.wrong)
    context.close()


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def signed_in(studio: Studio) -> str:
    """Return the cookie of a viewer."""
    request = urllib.request.Request(f"{studio.url}/?token={TOKENS[1]}", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        return str(answer.headers["Set-Cookie"]).split(";")[0]


class Search:
    """The run that is watched, seen in its store."""

    def __init__(self, studio: Studio, timeout: float = 180.0) -> None:
        self.studio, self.store = studio, open_store(studio.store)
        until = time.monotonic() + timeout
        while not self.store.runs():
            if time.monotonic() > until:
                raise RuntimeError(f"The demo began no run in {timeout:.0f} s")
            time.sleep(0.5)
        self.run = self.store.runs()[0].id
        self.next_pack(timeout)

    def evaluated(self) -> int:
        """Return how many candidates are finished."""
        return int(self.store.run(self.run).progress.get("evaluated", 0))

    def next_pack(self, timeout: float = 180.0) -> tuple[float, int]:
        """Wait until a pack is finished, and return when, and how many candidates there are then."""
        before, until = self.evaluated(), time.monotonic() + timeout
        while (now := self.evaluated()) == before:
            if time.monotonic() > until:
                raise RuntimeError(f"The search finished no pack in {timeout:.0f} s")
            time.sleep(0.05)
        return time.monotonic(), now

    def window(self, seconds: float) -> dict[str, float]:
        """Return what the search did in some seconds, from the end of one pack to the end of another."""
        time.sleep(SETTLE)
        cpu, held = cpu_seconds(self.studio.process.pid), resident_mb(self.studio.process.pid)
        began, first = ended, last = self.next_pack()
        while ended - began < seconds:
            ended, last = self.next_pack()
        return {"candidates": last - first, "seconds": ended - began,
                "cpu": cpu_seconds(self.studio.process.pid) - cpu,
                "mb": resident_mb(self.studio.process.pid) - held}  # fmt: skip


def measure(browser: Browser, viewers: int, minutes: float, seconds: float) -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens"
        tokens.write_text("\n".join(TOKENS))
        tokens.chmod(0o600)
        port = str(free_port("127.0.0.1", 8_750, 200))
        studio = start(["-m", "dashboard.command", "demo", "--no-browser", "--candidates", "1000000", "--port", port,
                        "--token-file", str(tokens)], Path(folder))  # fmt: skip
        try:
            return compared(browser, studio, viewers, max(2, round(60 * minutes / seconds)), seconds)
        finally:
            studio.stop(timeout=60)


def compared(browser: Browser, studio: Studio, viewers: int, pairs: int, seconds: float) -> dict[str, float]:
    """Alternate windows without and with viewers, and return the figures."""
    search = Search(studio)
    run = search.run
    heard, wrong = Heard(), list[str]()
    sides: dict[str, list[dict[str, float]]] = {"alone": [], "watched": []}
    memory: list[float] = []
    looked = 0.0
    for at in range(2 * pairs):
        number, watching = at // 2, at % 4 in (1, 2)
        if watching:
            cookies = [signed_in(studio) for _ in range(viewers)]
            looked -= time.monotonic()
            with viewing([Viewer(studio.url, c, run, heard) for c in cookies]), drawing(browser, studio, run, wrong):
                sides["watched"].append(search.window(seconds))
                memory.append(resident_mb(studio.process.pid))
            looked += time.monotonic()
        else:
            sides["alone"].append(search.window(seconds))
        if at % 2 == 0:
            continue
        print(f"pair {number + 1} of {pairs}: {sides['alone'][-1]['candidates']:.0f} candidates alone, "
              f"{sides['watched'][-1]['candidates']:.0f} watched, {memory[-1]:.0f} MB", file=sys.stderr)  # fmt: skip
    total = {s: {k: sum(row[k] for row in rows) for k in rows[0]} for s, rows in sides.items()}
    rate = {side: t["candidates"] / t["seconds"] for side, t in total.items()}
    watched = total["watched"]["seconds"]
    of_the_run = total["watched"]["candidates"] * max(0.0, total["alone"]["mb"]) / total["alone"]["candidates"]
    for problem in dict.fromkeys([*wrong, *heard.wrong]):
        print(problem, file=sys.stderr)
    return {
        "throughput_ratio": round(rate["watched"] / rate["alone"], 3),
        "memory_growth_mb": round(memory[-1] - memory[0], 1),
        "memory_growth_of_viewers_mb": round(total["watched"]["mb"] - of_the_run, 1),
        "console_errors": len(wrong),
        "protocol_errors": len(heard.wrong),
        "candidates_per_s_alone": round(rate["alone"], 2),
        "candidates_per_s_watched": round(rate["watched"], 2),
        "cpu_alone_percent": round(100 * total["alone"]["cpu"] / total["alone"]["seconds"], 1),
        "cpu_watched_percent": round(100 * total["watched"]["cpu"] / watched, 1),
        "refreshes_per_viewer_s": round(heard.finished / max(viewers, 1) / looked, 2),
        "kB_per_viewer_s": round(heard.received / 1000 / max(viewers, 1) / looked, 2),
        "viewers": viewers,
        "watched_minutes": round(watched / 60, 2),
    }  # fmt: skip


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=8, help="protocol clients")
    parser.add_argument("--minutes", type=float, default=10.0, help="watched time in all")
    parser.add_argument("--window", type=float, default=60.0, help="seconds of one window")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        found = measure(browser, options.viewers, options.minutes, options.window)
        browser.close()
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>26}  {value}")


if __name__ == "__main__":
    main()
