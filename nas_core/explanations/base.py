"""What an explainer is, and the background rows an explanation is measured against."""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.records import Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["MAX_BACKGROUND", "Explainer", "default_background"]

MAX_BACKGROUND = 100


def default_background(problem: Problem, rows: int = MAX_BACKGROUND) -> np.ndarray:
    """Return raw training rows (at most ``rows``, P), the same for every candidate of the problem."""
    raw = problem.train.raw
    if len(raw) <= rows:
        return raw
    rng = np.random.default_rng(derive_seed("background", problem.spec.split_seed))
    return raw[np.sort(rng.choice(len(raw), rows, replace=False))]


class Explainer(ABC):
    """A way to attribute the outputs of a candidate to its features.

    A new explainer is one class, one line in ``choice.py`` and one line in the contract suite.
    """

    name: str
    label: str

    @property
    def description(self) -> str:
        """The docstring of the method: what it is, its source, its cost."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @abstractmethod
    def applies_to(self, candidate: TrainedCandidate) -> Verdict:
        """Return whether this candidate can be explained this way, and why or why not."""

    @abstractmethod
    def attribute(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> np.ndarray:
        """Return φ (N, P, C) of raw rows (N, P) against background rows (B, P)."""

    def explain(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray | None = None, *, seed: int = 0
    ) -> Attribution:
        """Return the attribution of raw ``rows`` (N, P) against ``background`` (B ≤ 100, P; training rows by default).

        Raises:
            ExplanationError: The method does not apply, or the rows or the background have the wrong shape.
        """
        verdict = self.applies_to(candidate)
        if not verdict.ok:
            raise ExplanationError(f"{self.label} does not apply: {verdict.reason}", fix="use another method")
        started = time.perf_counter()
        against = default_background(candidate.problem) if background is None else candidate.checked(background)
        if not 1 <= len(against) <= MAX_BACKGROUND:
            raise ExplanationError(
                f"The background has {len(against)} rows", allowed=f"1 to {MAX_BACKGROUND}", fix="pass a sample of them"
            )
        rows = candidate.checked(rows)
        both = candidate.predict(np.concatenate((rows, against)))  # encoding costs more than predicting
        outputs, base = both[: len(rows)], both[len(rows) :].mean(0)
        values = self.attribute(candidate, rows, against, seed=seed)
        return Attribution(
            values, base, outputs, rows, candidate.problem.feature_names, candidate.output_names, self.name,
            verdict.reason, time.perf_counter() - started,
        )  # fmt: skip
