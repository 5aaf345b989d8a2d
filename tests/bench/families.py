"""How long it takes to build, hash and graph random architectures of every registered family.

    python tests/bench/families.py [--count 10000] [--modules 200] [--preset balanced] [--family image ...] [--json]

"Build" means: draw values, make the architecture with its identity, work out its facts, draw its graph as data. Torch
modules are built apart, for a few of them. Duplicates are architectures with an identity that was drawn before.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch

from nas_core import Problem, load_data
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import image_signal, sequence_signal
from nas_core.spaces import SearchSpace, SignalFamily, facts, family_named, family_names, graph

LIMIT = 30.0
"""Seconds that 10,000 architectures of a family may take."""


def problem_for(modality: str) -> Problem:
    """Return a problem of the usual size: 30 columns, images of 28×28 pixels, or sequences of 24 steps."""
    if modality == "tabular":
        return Problem.create(load_data("breast_cancer"))
    signal = image_signal(1, 28, 28) if modality == "image" else sequence_signal(1, 24)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, *signal.shape)).astype(np.float32)
    return Problem.create(signal_dataset(X, np.arange(200) % 10, signal, name=f"random {modality} data"))


def measure(name: str, count: int, modules: int, preset: str) -> dict[str, Any]:
    """Return the seconds of each step for ``count`` architectures of a family, and what was drawn."""
    engine = family_named(name)
    space = SearchSpace.for_problem(problem_for(engine.modality), preset, name)
    seconds = dict.fromkeys(("draw", "hash", "facts", "graph"), 0.0)
    seen, drawn = set(), []
    nodes = 0
    for at in range(count):
        began = time.perf_counter()
        architecture = space.sample(np.random.default_rng([1, at]))
        made = time.perf_counter()
        seen.add(architecture.id)
        hashed = time.perf_counter()
        facts(space, architecture)
        known = time.perf_counter()
        nodes += graph(space, architecture).number_of_nodes()
        ended = time.perf_counter()
        for step, spent in zip(seconds, (made - began, hashed - made, known - hashed, ended - known), strict=True):
            seconds[step] += spent
        if at < modules:
            drawn.append(architecture)
    began = time.perf_counter()
    if isinstance(engine, SignalFamily):
        for architecture in drawn:
            engine.module(space, architecture.values)
    return {
        "family": name,
        "count": count,
        "seconds": sum(seconds.values()),
        "steps": seconds,
        "duplicates": count - len(seen),
        "nodes": nodes / count,
        "module_ms": 1000 * (time.perf_counter() - began) / max(1, len(drawn)),
        "size": space.size().text,
    }


def main() -> None:
    """Measure the families and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--modules", type=int, default=200)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--family", nargs="*", default=list(family_names()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.family:
        presets = family_named(name).presets
        preset = options.preset if options.preset in presets else next(iter(presets))
        rows.append(measure(name, options.count, options.modules, preset))
        if not options.json:
            row = rows[-1]
            steps = ", ".join(f"{step} {spent:.1f}" for step, spent in row["steps"].items())
            print(
                f"{name:>9}: {row['seconds']:6.1f} s for {row['count']:,} ({steps}); {row['duplicates']} duplicates; "
                f"{row['nodes']:.0f} nodes a graph; module {row['module_ms']:.2f} ms; {row['size']}"
            )
    if options.json:
        print(json.dumps(rows, indent=1))
    if options.count >= 10_000 and (
        slow := [r["family"] for r in rows if r["seconds"] > LIMIT * options.count / 10_000]
    ):
        raise SystemExit(f"over {LIMIT:g} s for 10,000: {', '.join(slow)}")


if __name__ == "__main__":
    main()
