"""The number of different cells beside the published one, step by step."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_steps_from_15625_cells_to_5044_networks() -> None:
    command = [sys.executable, str(ROOT / "tests/bench/cells.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    table = json.loads(done.stdout)
    assert table["published"] == 6466
    assert [row["classes"] for row in table["steps"]] == [15625, 12751, 6466, 4930, 5260, 5044]
