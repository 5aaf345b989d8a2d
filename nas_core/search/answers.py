"""The decisions of many candidates side by side: a table of answers that models over choices are fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.search.decisions import Decision

__all__ = ["AnswerBook", "AnswerTable"]


@dataclass(frozen=True)
class AnswerTable:
    """Answers of n candidates to the d decisions that any of them takes.

    Attributes:
        names: Of the decisions, in alphabetical order.
        options: (d,) how many options each has, the most that any candidate had; 0 for a number.
        answers: (n, d) position of the option, or the number; NaN where a candidate does not take the decision.
    """

    names: tuple[str, ...]
    options: np.ndarray
    answers: np.ndarray


class AnswerBook:
    """Keeps the answers of candidates as short arrays, so that a table of some of them is put together quickly."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._rows: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def __contains__(self, candidate: str) -> bool:
        return candidate in self._rows

    def note(self, candidate: str, decisions: Mapping[str, Decision]) -> None:
        """Keep the decisions of a candidate."""
        at = [self._names.setdefault(name, len(self._names)) for name in decisions]
        told = np.array([*decisions.values()], dtype=np.float64).reshape(-1, 2)
        self._rows[candidate] = np.array(at, dtype=np.int64), told[:, 0].astype(np.int64), told[:, 1]

    def table(self, candidates: Sequence[str]) -> AnswerTable:
        """Return the answers of candidates that were noted, in this order."""
        places, options, answers = (
            np.concatenate(part) for part in zip(*(self._rows[c] for c in candidates), strict=True)
        )
        rows = np.repeat(np.arange(len(candidates)), [len(self._rows[c][0]) for c in candidates])
        table = np.full((len(candidates), len(self._names)), np.nan)
        table[rows, places] = answers
        most = np.full((len(candidates), len(self._names)), -1)
        most[rows, places] = options
        widest = most.max(axis=0)
        order = [at for _, at in sorted(self._names.items()) if widest[at] >= 0]
        names = list(self._names)
        return AnswerTable(tuple(names[at] for at in order), widest[order], table[:, order])
