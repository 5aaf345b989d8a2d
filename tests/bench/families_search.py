"""What a search reaches on images, sequences or a table: the most accurate candidate and the front, on test rows.

    python tests/bench/families_search.py --data digits_images --seconds 600 --json
    python tests/bench/families_search.py --data fashion_mnist_12k.npz --seconds 1200
    python tests/bench/families_search.py --data ItalyPowerDemand_TRAIN.ts --metric log_loss

With 17 validation rows, as there are of Italy Power Demand, many candidates tie in accuracy and ROC AUC, and which of
them comes first is a matter of luck; log loss tells them apart.

The search chooses by validation rows alone. The test part is opened once, at the end: for the candidate that is best at
λ = 0 and for those on the front of performance and interpretability, which the slider moves along.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from nas_core import InMemoryStore, Preference, Problem, RunSettings, SearchSpace, follow, load_data, start_run
from nas_core.evaluation.performance import metric_values
from nas_core.records import Evaluation
from nas_core.runs.candidates import load_candidate
from nas_core.runs.viewer import RunView
from nas_core.store.base import Store


def main() -> None:
    options = _options()
    problem = Problem.create(
        load_data(options.data), metric=options.metric, seed=options.split, fractions=tuple(options.fractions)
    )
    space = SearchSpace.for_problem(problem, options.preset, options.family)
    settings = RunSettings(
        strategy=options.strategy, candidates=options.candidates, seconds=options.seconds, seed=options.seed,
        preference=Preference(weight=options.weight),
    )  # fmt: skip
    began = time.perf_counter()
    run = start_run(InMemoryStore(), problem, space, settings)
    while not run.wait(20.0):
        progress = run.snapshot().progress
        print(f"{time.perf_counter() - began:6.0f} s  {progress.evaluated} candidates", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - began
    result = {"data": options.data, "family": space.family, "state": run.snapshot().record.reason, "seconds": seconds}
    result |= report(run.store, follow(run.store, run.id), problem, space, settings.preference)
    print(json.dumps(result, indent=1) if options.json else words(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits_images")
    parser.add_argument("--family", default=None)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--metric", default=None)
    parser.add_argument("--strategy", default="nsga2")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--candidates", type=int, default=None)
    parser.add_argument("--weight", type=float, default=0.5, help="λ that the search follows")
    parser.add_argument("--seed", type=int, default=0, help="of the search")
    parser.add_argument("--split", type=int, default=0, help="seed of the split")
    parser.add_argument(
        "--fractions", type=lambda given: [float(part) for part in given.split(",")], default=[0.6, 0.2, 0.2],
        help="of training, validation and test rows",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def report(store: Store, view: RunView, problem: Problem, space: SearchSpace, preference: Preference) -> dict[str, Any]:
    """Return what was found, with test figures of the winner and the front."""
    by_id = {e.id: e for e in store.evaluations(view.run_id)}
    evaluations = [by_id[name] for name in view.archive.snapshot().ids]
    accurate = view.archive.rank(preference.model_copy(update={"weight": 0.0}))
    if accurate.best is None:
        return {"candidates": len(evaluations), "winner": None, "front": [], "failed": len(evaluations)}
    test = problem.open_test()

    def judged(at: int) -> dict[str, Any]:
        e = evaluations[at]
        candidate = load_candidate(store, view.run_id, e.id, problem=problem, space=space)
        return _figures(e, float(accurate.interpretability[at]), candidate.predict(test.raw), problem, test.y)

    front = [int(at) for at in np.flatnonzero(accurate.on_front)]
    rows = sorted((judged(at) for at in front), key=lambda row: row["operations"])
    return {
        "metric": problem.objective.name,
        "candidates": len(evaluations),
        "failed": sum(e.status == "failed" for e in evaluations),
        "winner": judged(accurate.best),
        "front": rows,
        "operations_range": rows[-1]["operations"] / max(1, rows[0]["operations"]),
    }


def _figures(
    e: Evaluation, interpretability: float, outputs: np.ndarray, problem: Problem, y: np.ndarray
) -> dict[str, Any]:
    ones = np.ones((1, len(y)))
    assert e.performance is not None
    if problem.task == "classification":
        name, found = "test_accuracy", metric_values("accuracy", y, outputs[None], ones)
    else:  # a candidate predicts in the unit of the target
        name = "test_r2"
        found = metric_values("r2", y, (outputs[None] - problem.target_mean) / problem.target_sd, ones)
    return {
        "id": e.id,
        "made_by": e.operator,
        "validation": e.performance.value,
        name: float(found[0, 0]),
        "interpretability": interpretability,
        "operations": e.cost.operations,
        "parameters": e.cost.parameters,
        "measures": {name: m.value for name, m in e.measures.items()},
    }


def words(result: dict[str, Any]) -> str:
    """Return the result as lines for a person."""
    winner = result["winner"]
    lines = [f"{result['data']}, {result['family']}: {result['candidates']} candidates in {result['seconds']:.0f} s"]
    if winner is None:
        return lines[0] + ", none of them any good"
    test = next(name for name in winner if name.startswith("test_"))
    lines.append(f"  {result['failed']} failed; the front spans operations 1 : {result['operations_range']:.1f}")
    lines.append(f"  {result['metric']:>12} {test:>14}  interpretability  operations  parameters")
    for row in [winner, *result["front"]]:
        lines.append(
            f"  {row['validation']:12.4f} {row[test]:14.4f}  {row['interpretability']:16.3f}  {row['operations']:10,}"
            f"  {row['parameters']:10,}  {row['made_by']}" + ("  ← λ = 0" if row is winner else "")
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
