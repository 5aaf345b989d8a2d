"""What successive halving and inherited weights save, and what they cost.

    python tests/bench/halving.py [--data breast_cancer] [--candidates 384] [--pack 64] [--seed 0] [--as-seen] [--json]

A search with NSGA-II trains every candidate to its end. Then the very same packs are trained again: as they were, with
a referee that halves, and with children that start from their parents' weights. So it is known of every candidate that
was ended early where it would have ended: "wrong" are those on the front of everything. Ratios are of one process, side
by side, in seconds of the processor. Hypervolumes are those of the losses of the search.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from nas_core import Archive, Preference, Problem, SearchSpace, load_data
from nas_core.evaluation.base import Referee, Weights
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Evaluation, Proposal, Status
from nas_core.search import make_strategy, non_dominated
from nas_core.search.halving import Halving, HalvingRules
from nas_core.training.progress import Parent

Packs = list[list[Proposal]]
Referees = Callable[[Sequence[Evaluation], Sequence[Proposal]], Referee]


class Trial:
    """Packs that were evaluated one after the other, and the processor seconds they took."""

    def __init__(self, problem: Problem, space: SearchSpace, seed: int, *, inherit: bool = False) -> None:
        self.told: list[Evaluation] = []
        self.weights: dict[str, Weights] = {}
        self.seconds, self.inherit = 0.0, inherit
        self.evaluator = PackEvaluator(problem, space, seed, device="cpu", parents=self.parents if inherit else None)

    def parents(self, proposals: Sequence[Proposal]) -> dict[str, tuple[Parent, ...]]:
        """Return the weights of the parents that finished well."""
        done = {e.id: Parent(e.architecture, self.weights[e.id]) for e in self.told if e.eligible}
        return {p.architecture.id: tuple(done[k] for k in p.parents if k in done) for p in proposals}

    def evaluate(self, pack: Sequence[Proposal], referees: Referees) -> list[Evaluation]:
        """Evaluate a pack and remember what was found."""
        referee, began = referees(self.told, pack), time.process_time()
        found = {e.id: e for e in self.evaluator.evaluate(pack, stop=threading.Event(), referee=referee)}
        self.seconds += time.process_time() - began
        if self.inherit:
            self.weights |= self.evaluator.take_weights()
        start = len(self.told)
        self.told += [
            found[p.architecture.id].model_copy(update={"index": start + at}) for at, p in enumerate(pack)
        ]  # fmt: skip
        return self.told[start:]

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return sum(len(e.curves.get("valid_loss", ())) for e in self.told)

    def hypervolume(self, problem: Problem) -> float:
        """Return the hypervolume of the losses of the search."""
        spec = problem.spec
        archive = Archive(problem.objective, spec.measures, baseline=problem.baseline, search=spec.search_measures)
        archive.add(self.told)
        return archive.hypervolume()

    def front(self, problem: Problem, *, shown: bool = False) -> set[str]:
        """Return the candidates on the front of the losses of the search, or on the one that a person is shown."""
        spec = problem.spec
        archive = Archive(problem.objective, spec.measures, baseline=problem.baseline, search=spec.search_measures)
        snapshot = archive.add(self.told)
        on_front = snapshot.rank(Preference()).on_front if shown else non_dominated(snapshot.losses())
        return {snapshot.ids[at] for at in np.flatnonzero(on_front)}


def searched(
    problem: Problem, space: SearchSpace, options: argparse.Namespace, referees: Referees
) -> tuple[Trial, Packs]:
    """Return a search that trains everything to its end, and its packs."""
    trial, packs = Trial(problem, space, options.seed), Packs()
    strategy = make_strategy(
        "nsga2", space, seed=options.seed, preference=Preference(), objective=problem.objective, hints=problem.hints,
        measures=problem.spec.search_measures,
    )  # fmt: skip
    while len(trial.told) < options.candidates:
        pack = strategy.ask(min(options.pack, options.candidates - len(trial.told)))
        packs.append(pack)
        strategy.tell(trial.evaluate(pack, referees))
    return trial, packs


def halved(problem: Problem, whole: Trial, less: Trial) -> dict[str, float]:
    """Return what halving saved and what it missed."""
    stopped = {e.id: e for e in less.told if e.status is Status.PRUNED}
    front = whole.front(problem)
    return {
        "stopped": len(stopped) / len(less.told),
        "epochs_saved": 1.0 - less.epochs / whole.epochs,
        "seconds_ratio": less.seconds / whole.seconds,
        "hypervolume_whole": whole.hypervolume(problem),
        "hypervolume_halved": less.hypervolume(problem),
        "front": len(front),
        "wrong": len(front & set(stopped)),
        "wrong_share": len(front & set(stopped)) / max(1, len(stopped)),
        "shown_front": len(whole.front(problem, shown=True)),
        "wrong_shown": len(whole.front(problem, shown=True) & set(stopped)),
    }


def inherited(problem: Problem, whole: Trial, heirs: Trial) -> dict[str, float]:
    """Return what inheritance saved: the same candidates from their own seeds and from their parents' weights."""
    twins = {e.id: e for e in whole.told}
    pairs = [(twins[e.id], e) for e in heirs.told if e.inherited and e.performance and twins[e.id].performance]
    lengths = np.array([[len(e.curves["valid_loss"]) for e in pair] for pair in pairs], dtype=float).reshape(-1, 2)
    losses = np.array([[problem.objective.loss(e.performance.value) for e in pair] for pair in pairs]).reshape(-1, 2)
    children = sum(bool(e.parents) for e in heirs.told)
    return {
        "children": children,
        "inherited": len(pairs) / max(1, children),
        "epochs_of_heirs": float(lengths[:, 1].mean()) if len(pairs) else 0.0,
        "epochs_of_their_twins": float(lengths[:, 0].mean()) if len(pairs) else 0.0,
        "epochs_saved": 1.0 - heirs.epochs / whole.epochs,
        "seconds_ratio": heirs.seconds / whole.seconds,
        "loss_difference": float((losses[:, 1] - losses[:, 0]).mean()) if len(pairs) else 0.0,
        "hypervolume": heirs.hypervolume(problem),
        "refused_heirs": sum(e.status is Status.INELIGIBLE for e in heirs.told if e.inherited),
        "refused_twins": sum(twins[e.id].status is Status.INELIGIBLE for e in heirs.told if e.inherited),
    }


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer")
    parser.add_argument("--candidates", type=int, default=384)
    parser.add_argument("--pack", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=None, help="training rows at most")
    parser.add_argument("--as-seen", action="store_true", help="predict measures that only a trained network has")
    parser.add_argument("--no-inherit", action="store_true", help="leave the part on inheritance out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data(options.data), max_train_rows=options.rows)
    space = SearchSpace.for_problem(problem)
    names, epochs = problem.spec.search_measures, problem.spec.recipe.max_epochs

    def referees(**rules: float) -> Halving:
        chosen = HalvingRules(as_seen=options.as_seen, **rules)
        return Halving(space, problem.objective, names, epochs=epochs, seed=options.seed, rules=chosen)

    patient = referees(control=1.0)
    _, packs = searched(problem, space, options, patient)
    whole = Trial(problem, space, options.seed)  # once more, so that everything that is cached is cached for all
    for pack in packs:
        whole.evaluate(pack, patient)
    less = Trial(problem, space, options.seed)
    for pack in packs:
        less.evaluate(pack, referees())
    result = {"data": options.data, "candidates": len(whole.told), "epochs_each": whole.epochs / len(whole.told),
              "most_epochs": epochs, "halving": halved(problem, whole, less)}  # fmt: skip
    if not options.no_inherit:
        heirs = Trial(problem, space, options.seed, inherit=True)
        for pack in packs:
            heirs.evaluate(pack, patient)
        result["inheritance"] = inherited(problem, whole, heirs)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        if not isinstance(value, dict):
            print(f"{name:<24}{value}")
            continue
        print(name)
        for key, number in value.items():
            print(f"  {key:<22}{number:.4g}")
    for e in [e for e in less.told if e.status is Status.PRUNED][:3]:
        print(e.reason)


if __name__ == "__main__":
    main()
