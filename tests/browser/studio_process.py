"""A studio as a process of its own: with a run on the synthetic evaluator, or as the command starts it."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"NASight is open at (\S+)")


@dataclass
class Studio:
    """A running studio: its address, its process, its store, what it said until it was open."""

    url: str
    process: subprocess.Popen[str]
    store: Path
    said: str

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 20.0) -> int:
        """End it and return its exit code; kill it if it does not end in time."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()


def start_gated(folder: Path, port: int, driver: str, viewer: str) -> Studio:
    """Start the command behind a file with these two tokens."""
    file = folder / "tokens"
    file.write_text(f"{driver}\n{viewer}\n")
    file.chmod(0o600)
    arguments = ["-m", "dashboard.command", "studio", "--no-browser", "--port", str(port), "--token-file", str(file)]
    return start(arguments, folder)


def start(arguments: list[str], store: Path, timeout: float = 60.0) -> Studio:
    """Start ``python ARGUMENTS`` and return it once it has said where it is open."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NASIGHT_STORE": str(store), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=store,
        env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    said, until = "", time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < until and process.poll() is None:
            if selector.select(0.2):
                said += process.stdout.readline()
                if found := READY.search(said):
                    return Studio(found.group(1), process, store, said)
    process.kill()
    process.wait()
    process.stdout.close()
    raise AssertionError(f"The studio did not start:\n{said}")
