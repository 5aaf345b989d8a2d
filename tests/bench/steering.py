"""A steering session: what a search does next after each act of a person, beside the same search left alone.

    python tests/bench/steering.py [--block 96] [--seed 0] [--synthetic] [--json]

Two runs of one seed on breast_cancer. One is left alone. The other is changed after every block of candidates: λ moves
to .9, the feature that the last block used most is forbidden, another strategy takes over, and two goal lines are drawn
(an AUC of .97 with a third of the features at most). For each block of both: the mean Tchebycheff scalar at the λ in
force (smaller is better, on the scale of the front of both runs together), the mean number of features, and the shares
of candidates that use the forbidden feature and that meet the goals. ``--synthetic`` takes the public fake instead of
training.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from nas_core import (
    Evaluation,
    Goal,
    InMemoryStore,
    Preference,
    Problem,
    RunSettings,
    SearchSpace,
    load_data,
    resume_run,
    start_run,
)
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.preferences import interpretability, tchebycheff
from nas_core.runs.registry import EvaluatorFactory
from nas_core.search.fronts import non_dominated
from nas_core.search.ranking import front_scale

Change = Callable[["Session"], dict[str, Any]]


@dataclass
class Session:
    """One run that is continued block by block.

    Attributes:
        forbidden: Index of the feature that was forbidden, −1 before.
    """

    store: InMemoryStore
    problem: Problem
    run_id: str
    evaluator: EvaluatorFactory | None
    forbidden: int = -1

    @property
    def settings(self) -> RunSettings:
        """Those in force."""
        return RunSettings.model_validate(self.store.run(self.run_id).settings)

    def found(self) -> list[Evaluation]:
        """Return all candidates so far."""
        return self.store.evaluations(self.run_id)

    def go_on(self, candidates: int, **changes: Any) -> None:
        """Search until there are so many candidates."""
        run = resume_run(self.store, self.run_id, candidates=candidates, evaluator=self.evaluator, **changes)
        run.wait()
        if run.state != "done":
            raise RuntimeError(run.snapshot().record.reason)


def towards_interpretability(session: Session) -> dict[str, Any]:
    """Let λ be .9."""
    return {"preference": session.settings.preference.model_copy(update={"weight": 0.9})}


def forbid_the_favourite(session: Session) -> dict[str, Any]:
    """Forbid the feature that the last block used most."""
    used = Counter(j for e in session.found()[-BLOCK:] for j in features_of(e))
    session.forbidden = min(used, key=lambda j: (-used[j], j))
    space = SearchSpace.model_validate(session.store.run(session.run_id).space)
    limits = {**space.constraints.model_dump(), "features_forbidden": (space.features[session.forbidden].name,)}
    return {"space": space.changed(constraints=limits)}


def another_strategy(session: Session) -> dict[str, Any]:
    """Go on with local search."""
    return {"strategy": "local_search"}


def draw_goal_lines(session: Session) -> dict[str, Any]:
    """Ask for an AUC of .97 with a third of the features at most."""
    goals = (Goal(name="performance", value=0.97), Goal(name="feature_parsimony", value=0.67))
    return {"preference": session.settings.preference.model_copy(update={"goals": goals})}


def meets(e: Evaluation) -> bool:
    """Return whether a candidate is beyond both goal lines, set or not."""
    enough = e.measures.get("feature_parsimony")
    return bool(e.eligible and e.performance and e.performance.value >= 0.97 and enough and (enough.value or 0) >= 0.67)


ACTS: dict[str, Change] = {
    "λ .5 → .9": towards_interpretability,
    "favourite feature forbidden": forbid_the_favourite,
    "NSGA-II → local search": another_strategy,
    "goal lines": draw_goal_lines,
}
BLOCK = 96


def features_of(e: Evaluation) -> list[int]:
    """Return the indices of the features that a candidate uses."""
    return sorted({j for group in e.architecture.values["groups"] for j in group["features"]})


def losses_of(problem: Problem, evaluations: list[Evaluation], wish: Preference) -> np.ndarray:
    """Return the performance loss and the interpretability loss (n, 2); NaN where a candidate is not eligible."""
    names = problem.spec.measures
    scores = np.array(
        [
            [np.nan if e.measures.get(n) is None or e.measures[n].value is None else e.measures[n].value for n in names]
            for e in evaluations
        ],
        dtype=float,
    )
    one = [problem.objective.loss(e.performance.value) if e.eligible and e.performance else np.nan for e in evaluations]
    two = np.where(np.isnan(one), np.nan, 1.0 - interpretability(scores, wish.vector(names)))
    return np.column_stack([one, two])


def measured(steered: Session, alone: Session, weights: list[float]) -> list[dict[str, Any]]:
    """Return the figures of each block of both runs."""
    wish = steered.settings.preference
    ours, theirs = steered.found(), alone.found()
    losses = losses_of(steered.problem, [*ours, *theirs], wish)
    ideal, span = front_scale(losses[non_dominated(losses)])
    scaled = (losses - ideal) / span
    rows = []
    for block, (act, weight) in enumerate(zip(["start", *ACTS], weights)):
        row: dict[str, Any] = {"act": act, "lambda": weight}
        for name, found, offset in (("steered", ours, 0), ("alone", theirs, len(ours))):
            at = slice(block * BLOCK, (block + 1) * BLOCK)
            scores = tchebycheff(scaled[offset:][at], weight)
            used = [features_of(e) for e in found[at]]
            row[name] = {
                "scalar": float(np.nanmean(scores)),
                "features": float(np.mean([len(u) for u in used])),
                "forbidden": float(np.mean([steered.forbidden in u for u in used])),
                "meet": float(np.mean([meets(e) for e in found[at]])),
            }
        rows.append(row)
    return rows


def main() -> None:
    """Hold the session and print what came of each act."""
    global BLOCK
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--block", type=int, default=BLOCK)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    BLOCK = asked.block
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem)
    made: EvaluatorFactory | None = (lambda p, s, r: SyntheticEvaluator(s, r.seed)) if asked.synthetic else None
    store = InMemoryStore()
    sessions = []
    for name in ("steered", "alone"):
        settings = RunSettings(candidates=BLOCK, pack_size=32, first_pack=32, seed=asked.seed)
        run = start_run(store, problem, space, settings, name=name, evaluator=made)
        run.wait()
        sessions.append(Session(store, problem, run.id, made))
    steered, alone = sessions
    weights = [steered.settings.preference.weight]
    for number, act in enumerate(ACTS.values(), start=2):
        steered.go_on(number * BLOCK, **act(steered))
        alone.go_on(number * BLOCK)
        weights.append(steered.settings.preference.weight)
    rows = measured(steered, alone, weights)
    if asked.json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    name = space.features[steered.forbidden].name
    print(f"{BLOCK} candidates a block; forbidden: {name}; steered / left alone")
    print(f"{'act':30s}{'λ':>5s}{'mean scalar':>18s}{'features':>16s}{'use the forbidden':>20s}{'meet the goals':>18s}")
    for row in rows:
        a, b = row["steered"], row["alone"]
        shares, goals = (f"{100 * a[key]:.0f} % / {100 * b[key]:.0f} %" for key in ("forbidden", "meet"))
        print(
            f"{row['act']:30s}{row['lambda']:5.2f}{a['scalar']:11.3f} /{b['scalar']:6.3f}"
            f"{a['features']:9.1f} /{b['features']:5.1f}{shares:>20s}{goals:>18s}"
        )


if __name__ == "__main__":
    main()
