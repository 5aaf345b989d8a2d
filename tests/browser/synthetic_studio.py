"""Start a studio whose runs evaluate nothing: ``python synthetic_studio.py PORT [CANDIDATES] [DELAY]``.

Pages, store, registry, strategy and controls are the real ones; only the training is the public fake.
"""

from __future__ import annotations

import sys

from dashboard import process, server
from nas_core.data import DataSource, Problem, load
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.runs.registry import start_run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace


def main() -> None:
    """Serve until told to stop."""
    port, candidates, delay = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    process.configure(None)
    problem = Problem.create(load(DataSource(kind="builtin", location="breast_cancer")))
    space = SearchSpace.for_problem(problem, preset="balanced")

    def started() -> None:
        settings = RunSettings(candidates=candidates, seed=0, pack_size=32)
        run = start_run(
            process.store(), problem, space, settings,
            evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=delay),
        )  # fmt: skip
        print(f"NASight is open at http://127.0.0.1:{port}/?run={run.id}", flush=True)

    server.serve("127.0.0.1", port, on_start=started)


if __name__ == "__main__":
    main()
