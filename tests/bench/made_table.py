"""Synthetic tables of recorded results that differ in what could make a search strategy fail.

They are made, not measured: a sum of what choices are worth, alone and together, with diminishing returns, and two
independent noises. ``searched`` stands for the accuracy after 12 epochs, ``reported`` for the test accuracy after 200.
``VARIANTS`` names them; ``cells`` and its relatives have NAS-Bench-201's shape and symmetries (Dong and Yang 2020).

Run: python tests/bench/made_table.py FILE.csv [VARIANT]
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["EDGES", "VARIANTS", "Variant", "made_table"]

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("edge01", "edge02", "edge12", "edge03", "edge13", "edge23")
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # from the input to the output, by edge


@dataclass(frozen=True)
class Variant:
    """A table and which of its columns are what; ``searched`` and ``reported`` are the results."""

    make: Callable[[int], pd.DataFrame]
    variables: tuple[str, ...] = EDGES
    minimise: bool = False


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


def cells(seed: int, *, noise: float = 1.0, top: float = 94.4, rugged: float = 0.3) -> pd.DataFrame:
    """Return the 15,625 cells, with equal results up to noise for cells that compute the same.

    What counts is the function and not the string: weights on the way from input to output, how deep they lie, a
    shortcut beside them. A cell without a way to its output is at chance; without weights it learns little.

    Args:
        noise: Standard deviation of the searched column, in per cent of accuracy, near the top.
        top: The largest reported accuracy; chance is a tenth of it.
        rugged: Standard deviation of what a cell is worth beyond all that is said above.
    """
    rng = np.random.default_rng(seed)
    codes = np.array(list(itertools.product(range(5), repeat=6)))
    names, owner = np.unique([_function_of(tuple(code)) for code in codes.tolist()], return_inverse=True)
    gains = rng.uniform(0.8, 1.2, size=4)
    clean = np.empty(len(names))
    for at, name in enumerate(names):
        thin, thick, pools = name.count("2"), name.count("3"), name.count("4")
        depth = max((part.count("2") + part.count("3") for part in name.split("+")), default=0)
        weights = gains[0] * 1.0 * thick + gains[1] * 0.7 * thin - gains[2] * 0.25 * pools
        worth = weights + gains[3] * 0.8 * ("x" in name.split("+")) + 0.3 * min(depth, 3)
        chance, learned = 0.1 * top, 0.5 if thin + thick == 0 else 1.0 - 0.3 * np.exp(-0.55 * worth)
        clean[at] = chance if not name else chance + (top - chance) * (learned - 0.1 * (thin + thick == 0) * pools)
    clean += rng.normal(0.0, rugged, len(names)) * (clean > 0.5 * top)
    clean += top - clean.max()
    full = clean[owner.ravel()]
    early = full - 9.0 * (top / 94.4) * (1.0 + 0.05 * (top - full))  # after 12 epochs the weak are further behind
    alive = full > 0.11 * top
    table = pd.DataFrame(np.array(OPERATIONS)[codes], columns=list(EDGES))
    table["searched"] = np.where(alive, np.maximum(early, 0.1 * top), 0.1 * top)
    table["searched"] += np.where(alive, rng.normal(0.0, noise, len(full)), rng.normal(0.0, 1e-3, len(full)))
    table["reported"] = full + np.where(alive, rng.normal(0.0, 0.12, len(full)), 0.0)
    return table.round(3)


def _function_of(code: tuple[int, ...]) -> str:
    """Return what a cell computes as a sum of ways from input to output: ``x`` and the operations on each, sorted."""
    zero_one, zero_two, one_two, zero_three, one_three, two_three = code

    def through(sources: list[str], operation: int) -> list[str]:
        if operation == 0:
            return []
        return list(sources) if operation == 1 else [f"({'+'.join(sources)}){operation}"] if sources else []

    one = sorted(through(["x"], zero_one))
    two = sorted(through(["x"], zero_two) + through(one, one_two))
    return "+".join(sorted(through(["x"], zero_three) + through(one, one_three) + through(two, two_three)))


def landscape(
    seed: int, levels: tuple[int, ...], *, noise: float, pairs: float = 0.35, triples: float = 0.0,
    saturation: float = 0.0, keep: float = 1.0, rows: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return codes (n, V), searched (n,) and reported (n,) of random choices, alone, in pairs and in triples.

    Args:
        levels: How many options each variable has.
        noise: Of the searched column, in standard deviations of what is reported.
        pairs: Weight of what two variables do together; ``triples`` of three: a rugged landscape.
        saturation: Above 0 the best differ less than the worst: 1 − exp(−saturation · rank).
        keep: Share of the combinations that the table has.
        rows: How many there are at most.
    """
    rng = np.random.default_rng(seed)
    codes = np.stack([part.ravel() for part in np.meshgrid(*[np.arange(n) for n in levels], indexing="ij")], axis=1)
    if keep < 1.0 or rows is not None:
        size = min(round(keep * len(codes)), rows or len(codes))
        codes = codes[np.sort(rng.choice(len(codes), size, replace=False))]
    value = sum(rng.normal(0.0, 1.0, n)[codes[:, v]] for v, n in enumerate(levels))
    for a, b in itertools.combinations(range(len(levels)), 2):
        value = value + pairs * rng.normal(0.0, 1.0, (levels[a], levels[b]))[codes[:, a], codes[:, b]]
    if triples:
        for a, b, c in itertools.combinations(range(len(levels)), 3):
            together = rng.normal(0.0, 1.0, (levels[a], levels[b], levels[c]))
            value = value + triples * together[codes[:, a], codes[:, b], codes[:, c]]
    clean = (value - value.mean()) / value.std()
    if saturation:
        clean = 1.0 - np.exp(-saturation * (clean - clean.min()))
        clean = (clean - clean.mean()) / clean.std()
    shown = clean + rng.normal(0.0, noise / 4, len(codes))
    return codes, clean + rng.normal(0.0, noise, len(codes)), shown


def plain(seed: int, levels: tuple[int, ...], **options: float) -> pd.DataFrame:
    """Return :func:`landscape` as a table of integers ``v0``, ``v1``, …."""
    codes, searched, reported = landscape(seed, levels, **options)
    table = pd.DataFrame(codes, columns=[f"v{v}" for v in range(len(levels))])
    return table.assign(searched=90.0 + searched, reported=90.0 + reported).round(4)


def mixed(seed: int) -> pd.DataFrame:
    """Return a table of integers, booleans, numbers and words; smaller results are better."""
    codes, searched, reported = landscape(seed, (9, 2, 6, 2, 5, 3, 4), noise=0.15, pairs=0.3)
    table = pd.DataFrame(
        {
            "layers": codes[:, 0] + 1,
            "residual": codes[:, 1] == 1,
            "rate": np.geomspace(1e-4, 1e-1, 6)[codes[:, 2]].round(6),
            "norm": np.array(["none", "batch"])[codes[:, 3]],
            "width": 2 ** (codes[:, 4] + 3),
            "activation": np.array(["relu", "gelu", "silu"])[codes[:, 5]],
            "dropout": (codes[:, 6] / 8.0),
        }
    )
    return table.assign(searched=(5.0 - searched).round(4), reported=(5.0 - reported).round(4))


def _numbered(levels: tuple[int, ...], **options: float) -> Variant:
    names = tuple(f"v{v}" for v in range(len(levels)))
    return Variant(lambda seed: plain(seed, levels, **options), names)


MIXED = ("layers", "residual", "rate", "norm", "width", "activation", "dropout")

VARIANTS: dict[str, Variant] = {
    "paths": Variant(made_table),
    "paths_quiet": Variant(lambda seed: made_table(seed, noise=0.02)),
    "paths_noisy": Variant(lambda seed: made_table(seed, noise=1.5)),
    "cells": Variant(cells),
    "cells_quiet": Variant(lambda seed: cells(seed, noise=0.25)),
    "cells_noisy": Variant(lambda seed: cells(seed, noise=2.0, rugged=0.5)),
    "cells_hard": Variant(lambda seed: cells(seed, noise=1.2, top=47.0, rugged=0.6)),
    "saturated": _numbered((5,) * 6, noise=0.1, saturation=1.5),
    "rugged": _numbered((5,) * 6, noise=0.05, pairs=0.3, triples=0.3),
    "four_to_eight": _numbered((4,) * 8, noise=0.2),
    "three_to_ten": _numbered((3,) * 10, noise=0.2, rows=12_000),
    "missing": _numbered((5,) * 6, noise=0.2, keep=0.5),
    "mixed": Variant(mixed, MIXED, minimise=True),
}


def main() -> None:
    """Write one table to a file."""
    variant = VARIANTS[sys.argv[2] if len(sys.argv) > 2 else "paths"]
    variant.make(0).to_csv(Path(sys.argv[1]), index=False)


if __name__ == "__main__":
    main()
