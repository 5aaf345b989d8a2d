"""The honesty panel of an additive and of a dense candidate: every check, the audits, and why one is not to be trusted.

    python tests/bench/honesty.py [--data breast_cancer digits digits_images] [--json]

Trains two networks per data set (two preset networks for images), explains validation rows by the method that fits,
and prints all gates, the two audit measures that no search may optimise, interaction strength and local R².
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch

from nas_core.audit import random_control, simulated_user_accuracy
from nas_core.data import Problem, load_data
from nas_core.explanations import SignalCandidate, TrainedCandidate, choose_explainer, default_background
from nas_core.explanations.base import Candidate
from nas_core.explanations.trust import check_attribution
from nas_core.records import Architecture, Measurement
from nas_core.spaces import SearchSpace, facts
from nas_core.training.fit import train_pack
from nas_core.training.progress import PackItem

VALUES: dict[str, Any] = {
    "marks": {}, "depth": 2, "width": 16, "activation": "tanh", "connections": "full", "normalisation": "none",
    "dropout": 0.0, "weight_decay": 0.0, "optimiser": "adam", "learning_rate": 0.01, "encoding": "quantile",
}  # fmt: skip
ROWS, BACKGROUND, SECONDS = 40, 50, 2.0
EPOCHS = 12  # of images


def tables(problem: Problem, space: SearchSpace) -> dict[str, Architecture]:
    """Return an additive network of all features, and a dense one."""
    every = range(problem.P)
    alone = [{"features": [j], "linear": False} for j in every]
    together = [{"features": list(every), "linear": False}]
    return {
        "additive": space.architecture({**VALUES, "groups": alone}),
        "dense": space.architecture({**VALUES, "groups": together, "width": 32}),
    }


def images(space: SearchSpace) -> dict[str, Architecture]:
    """Return the landmark with the fewest pairs of patches that can act together, and the one with the most."""
    drawn = [p.architecture for p in space.initial(12, np.random.default_rng(0))]
    small = [a for a in drawn if facts(space, a).operations < 300_000]
    order = sorted(small, key=lambda a: facts(space, a).pairs)
    return {"additive": order[0], "dense": order[-1]}


def candidates(problem: Problem) -> dict[str, Candidate]:
    """Return the two trained networks."""
    signal = problem.dataset.signal is not None
    space = SearchSpace.for_problem(problem, "balanced" if signal else "accurate")
    chosen = images(space) if signal else tables(problem, space)
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": EPOCHS}) if signal else problem.spec.recipe
    items = [PackItem(a, 1) for a in chosen.values()]
    pack = train_pack(problem, space, items, recipe=recipe, device="cpu").pack
    kind = SignalCandidate.rebuilt if signal else TrainedCandidate
    return {name: kind(problem, space, a, pack.weights(k)) for k, (name, a) in enumerate(chosen.items())}


def panel(candidate: Candidate) -> dict[str, Any]:
    """Return everything that the honesty panel of a candidate says."""
    problem = candidate.problem
    at = np.unique(np.linspace(0, len(problem.valid) - 1, ROWS).astype(int))
    background = default_background(problem, BACKGROUND if problem.dataset.signal is None else 8)
    rows = problem.valid.raw[at if problem.dataset.signal is None else at[:10]]
    explainer = choose_explainer(candidate)
    attribution = explainer.explain(candidate, rows, background, seconds=SECONDS)
    began = time.perf_counter()
    trust = check_attribution(candidate, attribution, background=background)
    checked = time.perf_counter() - began
    began = time.perf_counter()
    audits = {
        "simulated_user": simulated_user_accuracy(candidate),
        "random_control": random_control(candidate, attribution, background=background),
    }
    outputs = candidate.predict(problem.valid.raw)
    told = outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(1)
    return {
        "method": explainer.label,
        "accuracy": float((told == problem.valid.y).mean()),
        "trusted": trust.trusted,
        "because": list(trust.because),
        "gates": [
            {k: getattr(g, k) for k in ("name", "label", "ok", "value", "threshold", "words")} for g in trust.gates
        ],
        "audits": {
            name: found.model_dump(include={"value", "low", "high", "raw", "reason"}) for name, found in audits.items()
        },
        "seconds": {"explain": attribution.seconds, "checks": checked, "audits": time.perf_counter() - began},
    }


def show(name: str, found: dict[str, Any]) -> None:
    """Print one panel."""
    verdict = "may be trusted" if found["trusted"] else "DO NOT TRUST"
    print(f"\n  {name}: accuracy {found['accuracy']:.3f} · {found['method']} · {verdict}")
    for gate in found["gates"]:
        mark = {True: "✓", False: "✗", None: "?"}[gate["ok"]]
        value = "     –" if gate["value"] is None else f"{gate['value']:6.3f}"
        print(f"    {mark} {gate['label']:<18}{value}  {gate['words']}")
    for label, told in found["audits"].items():
        audit = Measurement(**told)
        value = str(audit.reason) if audit.value is None else f"{audit.value:6.3f}  [{audit.low:.3f}, {audit.high:.3f}]"
        print(f"    · {label:<18}{value}")
    print("    seconds: " + ", ".join(f"{step} {spent:.1f}" for step, spent in found["seconds"].items()))
    for words in found["because"]:
        print(f"    because: {words}")


def main() -> None:
    """Print the panels of every data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=["breast_cancer", "digits", "digits_images"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = {}
    for data in options.data:
        if not options.json:
            print(f"\n{data}")
        result[data] = {}
        for name, candidate in candidates(Problem.create(load_data(data))).items():
            result[data][name] = panel(candidate)
            if not options.json:
                show(name, result[data][name])
    if options.json:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
