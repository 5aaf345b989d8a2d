"""What a gate is, and what all gates are given to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, Explainer
from nas_core.interpretability.cells import cell_words
from nas_core.records import Measurement

__all__ = ["Checked", "Gate", "evenly", "skipped"]

Relation = Literal["≤", "≥", ">"]


@dataclass(frozen=True)
class Gate:
    """One check of an attribution.

    Attributes:
        name, label: Which check; in code and for a person.
        value: The number that was looked at; None where there is none.
        threshold: What it is held against; None where the gate does not apply.
        ok: True = passed, False = failed, None = does not apply or cannot tell.
        words: What was found, or why there is nothing to find, in one sentence.
        relation: How a value that passes lies to the threshold.
    """

    name: str
    label: str
    value: float | None
    threshold: float | None
    ok: bool | None
    words: str
    relation: Relation = "≤"


def skipped(name: str, label: str, why: str) -> Gate:
    """Return the gate that does not apply, and why."""
    return Gate(name, label, None, None, None, why)


@dataclass(frozen=True, eq=False)
class Checked:
    """An attribution that is being checked, and what the checks need beside it.

    Attributes:
        candidate: The network that was explained.
        attribution: What its explanation says, N ≥ 1 rows, all numbers finite.
        background: (B, P or columns) raw rows that stand for absent features.
        explainer: The method, to be run again; None where it is not known.
        measures: What is stored of the candidate; what is missing is measured.
        seed: Of everything that is drawn.
    """

    candidate: Candidate
    attribution: Attribution
    background: np.ndarray
    explainer: Explainer[Any] | None
    measures: Mapping[str, Measurement]
    seed: int

    @cached_property
    def outputs(self) -> np.ndarray:
        """(C',) which of the candidate's outputs the attribution is of."""
        own = self.candidate.output_names
        named = self.attribution.output_names
        if len(own) == len(named):
            return np.arange(len(own))
        return np.array([own.index(name) for name in named], np.int64)

    @cached_property
    def told(self) -> np.ndarray:
        """(N,) which output of the attribution is looked at: of several the largest one of the row."""
        return np.asarray(self.attribution.outputs.argmax(1), np.int64)

    @cached_property
    def used(self) -> np.ndarray:
        """(u,) the features that the network reads, ascending; the others cannot matter."""
        return np.asarray(self.candidate.used, np.int64)

    @cached_property
    def operations(self) -> int:
        """Operations of one prediction."""
        from nas_core.spaces.family import facts

        return max(1, facts(self.candidate.space, self.candidate.architecture).operations)

    def things(self, count: int = 2) -> str:
        """Return what features are called in this kind of data: features, patches, steps, words."""
        return cell_words(self.candidate.problem.dataset.signal, count)


def evenly(count: int, most: int) -> np.ndarray:
    """Return at most ``most`` of the numbers 0 … count − 1, evenly spread, each once."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64)) if count else np.zeros(0, np.int64)
