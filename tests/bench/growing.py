"""Whether a search slows down as it grows, strategy by strategy: what a candidate costs beside its evaluation.

    python tests/bench/growing.py [--sizes 500 1000 2000 4000 8000] [--strategies nsga2 …] [--packs 4] [--json]

A run on the public fake grows to each size by random search; copies of it go on with each strategy. Counted is the
processor time of the search's own thread outside the evaluator: asking, telling, committing, keeping the books. The
first packs of a strategy, which look at everything for the first time, are left out.

ms_per_candidate: by size; a small candidate of a table takes some 8 ms on two cores, so 0.4 ms is 5 %.   ratio: at the
last size over the first; what does not slow down has about 1.   kb_held: what a live run of the default strategy holds
in memory for each candidate beyond the first size, by ``tracemalloc``.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nas_core import Problem, RunSettings, SearchSpace, load_data, open_store, resume_run, start_run
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal
from nas_core.search.registry import STRATEGIES

SIZES = (500, 1000, 2000, 4000, 8000)
PACK, FIRST = 64, 2


class Clocked(SyntheticEvaluator):
    """The fake that notes when each pack began, in processor seconds of the thread outside of it."""

    def __init__(self, space: SearchSpace, seed: int, began: list[float]) -> None:
        super().__init__(space, seed)
        self._began, self._inside = began, 0.0

    def evaluate(self, proposals: Sequence[Proposal], **asked: Any) -> Iterator[Evaluation]:
        self._began.append(time.thread_time() - self._inside)
        found = super().evaluate(proposals, **asked)
        while True:
            entered = time.thread_time()
            evaluation = next(found, None)
            self._inside += time.thread_time() - entered
            if evaluation is None:
                return
            yield evaluation


class Growing:
    """A run that grows to some sizes, and copies of it that go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem = Problem.create(load_data("breast_cancer"))
        self.space = SearchSpace.for_problem(self.problem)
        self.run = ""

    def grow(self, size: int) -> None:
        """Bring the run to ``size`` candidates by random search."""
        store = open_store(str(self.folder / "run" / "nasight.db"))
        made = partial(self._made, [])
        if not self.run:
            settings = RunSettings(strategy="random", candidates=size, pack_size=PACK, first_pack=PACK)
            run = start_run(store, self.problem, self.space, settings, evaluator=made)
            self.run = run.id
        else:
            run = resume_run(store, self.run, candidates=size, evaluator=made)
        run.wait()
        store.close()

    def ms_per_candidate(self, strategy: str, size: int, packs: int) -> float:
        """Return the milliseconds of a candidate beside its evaluation, of a copy that goes on with ``strategy``."""
        copy = self.folder / strategy
        shutil.copytree(self.folder / "run", copy)
        store = open_store(str(copy / "nasight.db"))
        began: list[float] = []
        run = resume_run(store, self.run, strategy=strategy, candidates=size + PACK * (FIRST + packs + 1),
                         evaluator=partial(self._made, began))  # fmt: skip
        run.wait()
        store.close()
        shutil.rmtree(copy)
        counted = began[FIRST : FIRST + packs + 1]
        return 1000 * (counted[-1] - counted[0]) / (PACK * (len(counted) - 1))

    def _made(self, began: list[float], _: Problem, space: SearchSpace, settings: RunSettings) -> Clocked:
        return Clocked(space, settings.seed, began)


class Weighed(SyntheticEvaluator):
    """The fake that notes how much memory is held when each pack begins, in kB."""

    def __init__(self, space: SearchSpace, seed: int, held: list[float]) -> None:
        super().__init__(space, seed)
        self._held = held

    def evaluate(self, proposals: Sequence[Proposal], **asked: Any) -> Iterator[Evaluation]:
        gc.collect()
        self._held.append(tracemalloc.get_traced_memory()[0] / 1000)
        return super().evaluate(proposals, **asked)


def kb_held(first: int, last: int) -> float:
    """Return the kB that a live run holds for each candidate after the first ones."""
    held: list[float] = []
    problem = Problem.create(load_data("breast_cancer"))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "nasight.db"))
        tracemalloc.start()
        settings = RunSettings(candidates=last, pack_size=PACK, first_pack=PACK)
        start_run(store, problem, SearchSpace.for_problem(problem), settings,
                  evaluator=lambda _, space, own: Weighed(space, own.seed, held)).wait()  # fmt: skip
        tracemalloc.stop()
        store.close()
    before = first // PACK
    return (held[-1] - held[before]) / (PACK * (len(held) - 1 - before))


def measure(sizes: Sequence[int], strategies: Sequence[str], packs: int) -> dict[str, Any]:
    """Return the figures."""
    found: dict[str, dict[str, float]] = {name: {} for name in strategies}
    with tempfile.TemporaryDirectory() as folder:
        growing = Growing(Path(folder))
        for size in sizes:
            growing.grow(size)
            for name in strategies:
                found[name][str(size)] = round(growing.ms_per_candidate(name, size, packs), 3)
    ratios = {name: round(by[str(sizes[-1])] / by[str(sizes[0])], 2) for name, by in found.items()}
    return {"ms_per_candidate": found, "ratio": ratios, "kb_held": round(kb_held(sizes[0], 4 * sizes[0]), 2)}


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--strategies", nargs="+", choices=list(STRATEGIES), default=list(STRATEGIES))
    parser.add_argument("--packs", type=int, default=4, help="packs that are counted")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.sizes, options.strategies, options.packs)
    if options.json:
        print(json.dumps(found))
        return
    print(f"{'ms per candidate at':24}" + "".join(f"{size:>9,}" for size in options.sizes) + "    ratio")
    for name, by in found["ms_per_candidate"].items():
        print(f"{name:24}" + "".join(f"{value:9.3f}" for value in by.values()) + f"{found['ratio'][name]:9.2f}")
    print(f"kB held for each candidate: {found['kb_held']}")


if __name__ == "__main__":
    main()
