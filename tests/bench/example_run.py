"""Make the recorded example that comes with the studio: a real search on the breast cancer data, steered on its way.

    python tests/bench/example_run.py [--out FILE] [--store DIR]

300 candidates, seed 0, trained by the search itself on this machine. It is steered as a person would: it begins at
λ = .5, then asks for λ = .7 with a goal for performance, then gives up an activation and stops hopeless candidates
early. All records, events and weights are kept. The same seeds on another kind of processor may round differently, and
then find slightly different candidates.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nas_core.data import Problem, load_data
from nas_core.preferences import PERFORMANCE, Goal, Preference
from nas_core.runs.registry import resume_run, start_run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.spaces.choices import choices_of, forbid
from nas_core.store import Store, open_store
from nas_core.store.packed import write_packed

EXAMPLE = Path(__file__).resolve().parents[2] / "dashboard" / "example" / "breast_cancer.zip"
RUN = "example-breast-cancer"
STAGES = (100, 200, 300)


def search(store: Store) -> str:
    """Search in three stages and return the run."""
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem, "balanced")
    first, second, third = STAGES
    run = start_run(store, problem, space, RunSettings(candidates=first, seed=0), name="breast_cancer")
    run.wait()
    goal = Preference(weight=0.7, goals=(Goal(name=PERFORMANCE, value=0.98),))
    resume_run(store, run.id, candidates=second, preference=goal).wait()
    smaller = forbid(space, next(c for c in choices_of(space) if c.variable == "activation"))
    resume_run(store, run.id, candidates=third, space=smaller, halving=True).wait()
    return run.id


def main() -> None:
    """Search, pack and say how large it has become."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=EXAMPLE)
    parser.add_argument("--store", help="where the search itself is kept; a temporary directory by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(options.store or folder)
        run_id = next((r.id for r in store.runs()), None) or search(store)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_packed(store, run_id, options.out, name=RUN)
        store.close()
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
