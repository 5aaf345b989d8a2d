"""Oracle values of the measures beside what ``nas_core.measure`` finds.

    python tests/bench/oracles.py [--json]

The functions, and the values expected of them, are those of docs/MEASURES.md, section 4: n = 2000 rows, grid 100,
features U(−1, 1)³ unless stated.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS = 2000
SEED = 7
MEC = "main_effect_simplicity"


@dataclass(frozen=True)
class Oracle:
    """A function and what its structure is.

    Attributes:
        name: As it is written.
        function: (N, P) → (N,).
        used: NF.
        pairs: NI, the share of the pairs of features that act together.
        strength, strength_slack: IAS, and how far an estimate may be from it.
        complexity, complexity_slack: MEC.
        features, low: P features, uniform from ``low`` to 1.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    used: int
    pairs: float
    strength: float
    strength_slack: float
    complexity: float
    complexity_slack: float = 1e-9
    features: int = 3
    low: float = -1.0


def friedman(X: np.ndarray) -> np.ndarray:
    """Return Friedman's first function of ten features, five of them used."""
    x = X.T
    return 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]


ORACLES = (
    Oracle("2x1 - x2", lambda X: 2 * X[:, 0] - X[:, 1], 2, 0, 0, 1e-12, 1),
    Oracle("constant", lambda X: np.full(len(X), 0.7), 0, 0, 0, 0, 0),
    Oracle("x1^2", lambda X: X[:, 0] ** 2, 1, 0, 0, 1e-6, 4),
    Oracle("|x1|", lambda X: np.abs(X[:, 0]), 1, 0, 0, 1e-4, 3),
    Oracle("step(x1)", lambda X: (X[:, 0] > 0) * 1.0, 1, 0, 0, 0.01, 1),
    Oracle("x1 x2", lambda X: X[:, 0] * X[:, 1], 2, 1 / 3, 1, 0.02, 0, 4),
    Oracle("x1 + x2 + x1 x2", lambda X: X[:, 0] + X[:, 1] + X[:, 0] * X[:, 1], 2, 1 / 3, 1 / 7, 0.012, 1),
    Oracle("sin(3 pi x1)", lambda X: np.sin(3 * np.pi * X[:, 0]), 1, 0, 0, 1e-3, 9),
    Oracle("Friedman-1", friedman, 5, 1 / 45, 0.0749, 0.008, 1.75, 0.05, 10, 0.0),
)


def oracle_rows(oracle: Oracle, rows: int = ROWS) -> np.ndarray:
    """Return the rows (n, P) of an oracle."""
    return np.random.default_rng(SEED).uniform(oracle.low, 1, (rows, oracle.features))


def document() -> list[dict[str, Any]]:
    """Return for every oracle what is expected, what is found and the seconds it took."""
    from nas_core import measure

    found = []
    for oracle in ORACLES:
        began = time.perf_counter()
        values = measure(oracle.function, oracle_rows(oracle))
        found.append(
            {
                "f": oracle.name,
                "NF": [oracle.used, values["feature_parsimony"].raw],
                "NI": [oracle.pairs, values["interaction_sparsity"].raw],
                "IAS": [oracle.strength, values["additivity"].raw],
                "MEC": ["not 9" if oracle.complexity_slack > 1 else oracle.complexity, values[MEC].raw],
                "seconds": round(time.perf_counter() - began, 3),
                "reason": values["additivity"].reason,
            }
        )
    return found


def main() -> None:
    """Print the table, or one JSON document."""
    rows = document()
    if "--json" in sys.argv[1:]:
        print(json.dumps({"rows": ROWS, "oracles": rows}))
        return
    print(
        f"{'f':18}"
        + "".join(f"{name + ' expected':>14}{'found':>9}" for name in ("NF", "NI", "IAS", "MEC"))
        + "      s"
    )
    for row in rows:
        cells = "".join(f"{_number(row[name][0]):>14}{row[name][1]:9.4f}" for name in ("NF", "NI", "IAS", "MEC"))
        print(f"{row['f']:18}{cells}{row['seconds']:7.2f}")
    print("Where the output is a product alone, MEC is not 9: the variance floor keeps noise from counting.")


def _number(expected: float | str) -> str:
    return expected if isinstance(expected, str) else f"{expected:.4g}"


if __name__ == "__main__":
    main()
