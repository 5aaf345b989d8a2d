"""A synthetic table of NAS-Bench-201's shape: 5^6 cells, local structure, saturation, and noise in what is searched.

It is made, not measured: the sum over the paths of a cell of what their operations are worth, with diminishing returns,
an interaction of neighbouring edges, and two independent noises. ``searched`` stands for the accuracy after 12 epochs,
``reported`` for the test accuracy after 200.

Run: python tests/bench/made_table.py FILE.csv
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("edge01", "edge02", "edge12", "edge03", "edge13", "edge23")
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # from the input to the output, by edge


def made_table(seed: int = 0, noise: float = 0.35) -> pd.DataFrame:
    """Return 15,625 rows: six edges, ``searched`` and ``reported`` in per cent."""
    rng = np.random.default_rng(seed)
    codes = np.array(list(itertools.product(range(5), repeat=6)))
    passes = np.array([0.0, 1.0, 0.9, 1.0, 0.6])[codes]  # how much of a signal an operation lets through
    skill = np.array([0.0, 0.15, 0.75, 1.0, 0.35])[codes] * rng.uniform(0.7, 1.3, size=6)
    worth = sum(passes[:, path].prod(axis=1) * (0.3 + skill[:, path].sum(axis=1)) for path in PATHS)
    pairs = rng.normal(0.0, 0.08, size=(6, 6, 5, 5))
    local = sum(pairs[a, b][codes[:, a], codes[:, b]] for a, b in itertools.combinations(range(6), 2))
    quality = 1.0 - np.exp(-0.75 * np.maximum(worth, 0.0))
    clean = 10.0 + 84.0 * quality + 1.2 * local * quality
    table = pd.DataFrame(np.array(OPERATIONS)[codes], columns=list(EDGES))
    table["searched"] = 0.92 * clean - 2.0 + rng.normal(0.0, 2 * noise, len(codes))
    table["reported"] = clean + rng.normal(0.0, noise / 2, len(codes))
    return table.round(3)


if __name__ == "__main__":
    made_table().to_csv(Path(sys.argv[1]), index=False)
