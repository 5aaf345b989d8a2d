"""Which rows are measured: chosen by what they hold, so that it does not matter in which order a table was written."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

import numpy as np

from nas_core.interpretability.per_problem import once
from nas_core.records import derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["measured_rows"]


def measured_rows(problem: Problem, most: int, part: Literal["valid", "train"] = "valid") -> np.ndarray:
    """Return numbers of rows (≤ ``most``,) of a part in one random order of the problem: fewer are always the first.

    The order is that of a keyed digest of what each row holds, with its target: random, the same in every process, and
    the same rows whichever way they are shuffled within the part.
    """
    return once(problem, f"order of {part}", lambda: _digest_order(problem, part))[:most]


def _digest_order(problem: Problem, part: str) -> np.ndarray:
    """Return all row numbers of the part, by digest; equal rows keep their order."""
    rows = problem.valid if part == "valid" else problem.train
    key = derive_seed("measured rows", part, problem.spec.split_seed).to_bytes(8, "big")
    # as read, not as standardised: the mean of shuffled rows differs in its last digit
    X, y = np.ascontiguousarray(rows.raw), np.ascontiguousarray(problem.dataset.y[rows.rows])
    digests = [blake2b(x.tobytes() + t.tobytes(), digest_size=8, key=key).digest() for x, t in zip(X, y)]
    return np.argsort(np.frombuffer(b"".join(digests), dtype=">u8"), kind="stable")
