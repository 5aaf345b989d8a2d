"""Start a studio on a finished run that can be explained: ``python recorded_studio.py PORT [DATA] [EPOCHS]``.

The performances are synthetic and the weights as initialised, so it is there at once; with EPOCHS they are trained for
as many, and there is a dense network too. Pages, store and server are real.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from recorded import recorded_run

from dashboard import process, server


def main() -> None:
    """Serve until told to stop."""
    port = int(sys.argv[1])
    process.configure(None)
    trained = {"dense": True, "epochs": int(sys.argv[3])} if len(sys.argv) > 3 else {}
    if not process.store().runs():
        recorded_run(process.store(), *sys.argv[2:3], **trained)
    server.serve("127.0.0.1", port, on_start=lambda: print(f"NASight is open at http://127.0.0.1:{port}", flush=True))


if __name__ == "__main__":
    main()
