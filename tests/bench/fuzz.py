"""Whether any input crashes a parser: bytes changed in valid files of each kind, let in through their doors.

    python tests/bench/fuzz.py [--minutes 10] [--kinds csv,zip] [--seed 0] [--json]

Hypothesis chooses the changes and makes those that crash small. Prints for each kind how many inputs were tried, the
share that was refused (the others were still valid), and the crashes: anything but one of the project's own errors.
Ends with 1 when there was one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from fuzzing import KINDS, Change, changes, enter  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

ROUND = 60
"""Inputs of one kind between two looks at the clock."""


def fuzz(kinds: list[str], minutes: float, first: int) -> dict[str, dict]:
    """Return for each kind what was tried, and the crashes, each once."""
    ends = time.monotonic() + 60 * minutes
    tried: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    crashes: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for number, kind in zip(itertools.count(first), itertools.cycle(kinds)):
        if time.monotonic() > ends:
            break
        _round(kind, number, tried, refused, crashes[kind])
    return {
        kind: {
            "tried": tried[kind],
            "refused": round(refused[kind] / max(1, tried[kind]), 3),
            "crashes": crashes[kind],
        }
        for kind in kinds
    }


def _round(kind: str, number: int, tried: Counter[str], refused: Counter[str], crashes: dict[str, str]) -> None:
    @seed(number)
    @settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=(Phase.generate, Phase.shrink))  # fmt: skip
    @given(changes)
    def strike(done: list[Change]) -> None:
        tried[kind] += 1
        refused[kind] += bool(enter(kind, done))
        last[:] = done

    last: list[Change] = []
    try:
        strike()
    except Exception as error:  # noqa: BLE001 - a fuzzer looks for any
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = f"{Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where is not None else ""
        crashes.setdefault(f"{type(error).__name__} at {line}", f"{error} | {getattr(error, '__notes__', '')}"[:600])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = fuzz(options.kinds.split(","), options.minutes, options.seed)
    if options.json:
        print(json.dumps(found))
    else:
        for kind, one in found.items():
            print(f"{kind:<13} {one['tried']:>7,} tried, {one['refused']:.0%} refused, {len(one['crashes'])} crashes")
            for crash, words in one["crashes"].items():
                print(f"  {crash}: {words}")
    sys.exit(any(one["crashes"] for one in found.values()))


if __name__ == "__main__":
    main()
