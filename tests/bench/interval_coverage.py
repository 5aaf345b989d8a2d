"""How often the 95 % interval of additivity holds the large-sample value: simulations, run on request.

    python tests/bench/interval_coverage.py [--simulations 200] [--rows 500,2000] [--json]

For every function, data sets are drawn anew, effects are accumulated on 100 cells and the interval is asked for; the
large-sample value is IAS on a million rows. Beside the coverage stand bias and standard deviation of the estimate,
and the mean standard error the interval is made of. It should hold in 90 to 98 % of 200 simulations.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nas_core.interpretability import effects_of
from nas_core.interpretability.effect_measures import additivity_of
from nas_core.interpretability.effect_noise import strength_influence

LARGE, PARTS = 200_000, 5


@dataclass(frozen=True)
class Simulated:
    """A function of columns (P, N) and the law of its rows (n, P)."""

    function: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[np.random.Generator, int], np.ndarray]

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs (n, 1)."""
        return np.asarray(self.function(X.T), float)[:, None]


def friedman(x: np.ndarray) -> np.ndarray:
    """Friedman (1991): five of ten features matter, two of them together."""
    return 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]


def correlated(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return normal rows whose first two features have correlation 0.8."""
    X = rng.normal(size=(n, 3))
    X[:, 1] = 0.8 * X[:, 0] + 0.6 * X[:, 1]
    return X


def cube(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(-1, 1, (n, 3))


SIMULATED = {
    "x1 + x2 + x1 x2": Simulated(lambda x: x[0] + x[1] + x[0] * x[1], cube),
    "Friedman-1": Simulated(friedman, lambda rng, n: rng.uniform(0, 1, (n, 10))),
    "sin 2x1 + x2 + 0.3 x1 x2 x3": Simulated(lambda x: np.sin(2 * x[0]) + x[1] + 0.3 * x[0] * x[1] * x[2], cube),
    "tanh(x1 + x2) + 0.5 x1 x3, correlated": Simulated(lambda x: np.tanh(x[0] + x[1]) + 0.5 * x[0] * x[2], correlated),
}


def large_sample(simulated: Simulated, seed: int = 0) -> float:
    """Return IAS on a million rows, in parts that fit in memory."""
    rng = np.random.default_rng(seed)
    parts = [simulated.draw(rng, LARGE) for _ in range(PARTS)]
    return float(np.mean([effects_of(simulated.outputs, X).interaction_strength[0] for X in parts]))


def covered(simulated: Simulated, truth: float, rows: int, simulations: int, seed: int = 1) -> dict[str, float]:
    """Return how often the interval holds ``truth``, and what it is made of."""
    rng = np.random.default_rng(seed)
    held, values, errors, widths = [], [], [], []
    for _ in range(simulations):
        effects = effects_of(simulated.outputs, simulated.draw(rng, rows))
        (found,) = additivity_of(effects)
        assert found.raw is not None
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= 1 - truth <= found.high)
        values.append(found.raw)
        errors.append(float(np.sqrt((strength_influence(effects) ** 2).sum())))
        widths.append(found.high - found.low)
    return {
        "rows": rows,
        "large_sample": truth,
        "coverage": float(np.mean(held)),
        "bias": float(np.mean(values)) - truth,
        "sd": float(np.std(values, ddof=1)),
        "mean_standard_error": float(np.mean(errors)),
        "mean_width": float(np.mean(widths)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--rows", default="500,2000")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = [int(n) for n in options.rows.split(",")]
    found = {}
    for name, simulated in SIMULATED.items():
        truth = large_sample(simulated)
        found[name] = [covered(simulated, truth, n, options.simulations) for n in sizes]
    if options.json:
        print(json.dumps({"simulations": options.simulations, "functions": found}, indent=1))
        return
    print(f"{options.simulations} simulations; nominal coverage 95 %")
    for name, rows in found.items():
        for r in rows:
            print(
                f"  {name:38s} n = {r['rows']:5.0f}  coverage {100 * r['coverage']:5.1f} %  IAS {r['large_sample']:.4f}"
                f"  bias {r['bias']:+.4f}  sd {r['sd']:.4f}  standard error {r['mean_standard_error']:.4f}"
            )


if __name__ == "__main__":
    main()
