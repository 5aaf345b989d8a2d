"""Start a studio on a finished run on images, series or texts: ``python signal_studio.py PORT KIND``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from recorded_signals import recorded_signals

from dashboard import process, server


def main() -> None:
    """Serve until told to stop."""
    port, kind = int(sys.argv[1]), sys.argv[2]
    process.configure(None)
    if not process.store().runs():
        recorded_signals(kind, Path.cwd(), process.store(), epochs=6)
    server.serve("127.0.0.1", port, on_start=lambda: print(f"NASight is open at http://127.0.0.1:{port}", flush=True))


if __name__ == "__main__":
    main()
