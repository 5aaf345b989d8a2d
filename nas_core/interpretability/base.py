"""What a measure is: a small class that scores a whole pack of candidates and can say what would raise a score."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability.effects import Effects, accumulate_effects
from nas_core.interpretability.grid import Grid, effect_grid
from nas_core.records import Architecture, Measurement, Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.spaces.family import StructuralFacts
    from nas_core.spaces.space import SearchSpace

__all__ = ["Advice", "Family", "Measure", "MeasureContext", "MeasuredCandidate", "PackModel", "exact", "generic_deltas"]

T = TypeVar("T")
Family = Literal["structure", "summary", "explanation"]
MAX_ROWS = 1000
# Differences per candidate (rows × features × outputs) above which fewer rows are used, so that wide data stay cheap.
MAX_DIFFERENCES = 120_000
MIN_ROWS = 200


class PackModel(Protocol):
    """What a measure needs of K trained candidates."""

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (K, N, C), logits or standardised regression outputs, of the encoded rows ``E`` (N, D)."""
        ...

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        """Return (K, N, P, C): f with feature j at the upper border of row i's cell minus f with it at the lower one.

        The borders are ``edges[j][bins[i, j]]`` and ``edges[j][bins[i, j] + 1]``.
        """
        ...


def generic_deltas(
    model: PackModel, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
) -> np.ndarray:
    """Return :meth:`PackModel.feature_deltas` of any model, at two predictions of N rows per feature."""
    rows = np.arange(len(X))

    def outputs(j: int, values: np.ndarray) -> np.ndarray:
        changed = np.array(X)
        changed[rows, j] = values
        return np.asarray(model.predict(problem.encoder.transform(changed)))

    return np.stack(
        [outputs(j, edges[j][bins[:, j] + 1]) - outputs(j, edges[j][bins[:, j]]) for j in range(X.shape[1])], axis=2
    )


@dataclass(frozen=True)
class MeasureContext:
    """A pack of K candidates to be measured.

    Attributes:
        space: The space they come from.
        architectures, facts: K each.
        problem, model: Held-out rows and trained networks; None where only the structure is known.
    """

    space: SearchSpace
    architectures: Sequence[Architecture]
    facts: Sequence[StructuralFacts]
    problem: Problem | None = None
    model: PackModel | None = None

    @property
    def features(self) -> int:
        """Number of features P of the data, used or not."""
        return len(self.space.features)

    @cached_property
    def rows(self) -> np.ndarray:
        """(n, P) the fixed held-out rows the measures look at; they depend on the problem only, never on the pack."""
        problem = self._known(self.problem)
        X = np.asarray(problem.valid.X, float)
        wanted = min(MAX_ROWS, max(MIN_ROWS, MAX_DIFFERENCES // (X.shape[1] * problem.C)))
        if len(X) <= wanted:
            return X
        chooser = np.random.default_rng(derive_seed("measured rows", problem.spec.split_seed))
        return X[np.sort(chooser.choice(len(X), wanted, replace=False))]

    @cached_property
    def grid(self) -> Grid:
        """The cells of :attr:`rows`."""
        problem = self._known(self.problem)
        return effect_grid(self.rows, [f.kind == "categorical" for f in problem.dataset.features])

    @cached_property
    def effects(self) -> Effects:
        """First-order effects of all K candidates on :attr:`rows`; computed once, used by several measures."""
        problem, model = self._known(self.problem), self._known(self.model)
        outputs = np.asarray(model.predict(problem.encoder.transform(self.rows)))
        deltas = model.feature_deltas(problem, self.rows, self.grid.edges, self.grid.cells)
        return accumulate_effects(outputs, np.asarray(deltas), self.grid)

    @staticmethod
    def _known(part: T | None) -> T:
        if part is None:
            raise SettingsError(
                "These candidates are known by their structure only",
                allowed="a problem and trained networks",
                fix="pass problem= and model= to MeasureContext",
            )
        return part


@dataclass(frozen=True)
class Advice:
    """What a score stands for, in words.

    Attributes:
        state: What the raw value is ("uses 6 of 30 features").
        change: The change of the architecture that would raise the score; empty when it is already 1.
    """

    state: str
    change: str = ""


@dataclass(frozen=True)
class MeasuredCandidate:
    """One candidate and one of its measurements, to be put into words."""

    architecture: Architecture
    facts: StructuralFacts
    measurement: Measurement
    feature_names: Sequence[str]


class Measure(ABC):
    """A property of a candidate as a score in [0, 1], 1 = interpretable.

    A new measure is one class in one file, one line in ``registry.py`` and one line in the contract suite.
    """

    name: str
    label: str
    family: Family

    @property
    def description(self) -> str:
        """The docstring of the measure: what it is, its source, its cost."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @property
    def summary(self) -> str:
        """The first paragraph of :attr:`description`, on one line."""
        return " ".join(self.description.split("\n\n")[0].split())

    @abstractmethod
    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return whether the candidates of ``context`` can be measured, and why not."""

    @abstractmethod
    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return K measurements, in the order of the candidates."""

    @abstractmethod
    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return in words what the value of a candidate is and which structural change would raise it."""


def exact(value: float, raw: float, graded: float | None = None) -> Measurement:
    """Return a measurement that is exact: its interval is its value."""
    return Measurement(value=value, raw=raw, low=value, high=value, graded=graded)
