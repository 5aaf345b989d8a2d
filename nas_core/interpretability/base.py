"""What a measure is: a small class that scores a whole pack of candidates and can say what would raise a score."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability.cells import column_owner
from nas_core.interpretability.effects import Effects, accumulate_effects
from nas_core.interpretability.grid import Grid, effect_grid
from nas_core.interpretability.held_out import measured_rows
from nas_core.interpretability.per_problem import once
from nas_core.records import Architecture, Measurement, Verdict

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.data.signal import Signal
    from nas_core.interpretability.networks import QuickNetwork
    from nas_core.interpretability.tree_pack import CandidateTrees
    from nas_core.spaces.family import StructuralFacts
    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.tabular.module import FeatureGroupNetwork

__all__ = [
    "Advice",
    "Family",
    "Measure",
    "MeasureContext",
    "MeasuredCandidate",
    "NetworkPack",
    "PackModel",
    "WeightedPack",
    "exact",
    "generic_deltas",
    "measured_rows",
    "needs_training",
]

T = TypeVar("T")
Family = Literal["structure", "summary", "explanation"]
MAX_ROWS = 1000
# Differences per candidate (rows × features × outputs) above which fewer rows are used, so that wide data stay cheap.
MAX_DIFFERENCES = 120_000
MIN_ROWS = 200


@runtime_checkable
class PackModel(Protocol):
    """What a measure needs of K trained candidates on a table."""

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


@runtime_checkable
class NetworkPack(Protocol):
    """What a measure needs of K trained signal networks."""

    def module(self, k: int) -> SignalNetwork:
        """Return candidate ``k`` as a network in eval mode."""
        ...


@runtime_checkable
class WeightedPack(Protocol):
    """What a measure needs of K trained candidates on a table to look inside them."""

    def weights(self, k: int) -> dict[str, np.ndarray]:
        """Return the state dict of candidate ``k`` as arrays, for the module of its architecture."""
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
        problem, model: Held-out rows and trained networks (of signals also a :class:`NetworkPack`); None where only the
            structure is known.
    """

    space: SearchSpace
    architectures: Sequence[Architecture]
    facts: Sequence[StructuralFacts]
    problem: Problem | None = None
    model: PackModel | NetworkPack | None = None

    @property
    def features(self) -> int:
        """Number of features P of the data, used or not: columns of a table, cells of a signal."""
        return len(self.space.features)

    @property
    def signal(self) -> Signal | None:
        """How images or sequences lie; None for tables."""
        return self.space.signal

    @property
    def known_problem(self) -> Problem:
        """The problem; SettingsError where only the structure is known."""
        return self._known(self.problem)

    @cached_property
    def owner(self) -> np.ndarray:
        """(D,) the feature that each column of the bank belongs to."""
        return column_owner(self.known_problem)

    @property
    def pack(self) -> PackModel:
        """The trained networks of tables, predicted together; SettingsError where there are none."""
        model = self._known(self.model)
        assert isinstance(model, PackModel)
        return model

    def outputs(self, k: int, E: np.ndarray) -> np.ndarray:
        """Return the outputs (n, C) float64 of candidate ``k``, a signal network, for encoded rows (n, D)."""
        return self.quick_network(k).outputs(E)

    def quick_network(self, k: int) -> QuickNetwork:
        """Return candidate ``k``, a signal network, prepared for many predictions, as long as the context lives."""
        from nas_core.interpretability.networks import QuickNetwork

        if k not in self._quick:
            self._quick[k] = QuickNetwork(self.network(k), self.known_problem.signal_encoder.shape)
        return self._quick[k]

    @cached_property
    def _quick(self) -> dict[int, QuickNetwork]:
        return {}

    def network(self, k: int) -> SignalNetwork:
        """Return candidate ``k`` as a module.

        Raises:
            SettingsError: There are no trained networks, or not as modules.
        """
        model = self._known(self.model)
        if not isinstance(model, NetworkPack):
            raise SettingsError(
                "The trained networks cannot be looked into one by one",
                allowed="a pack with module(k), as signal families are trained to",
                fix="pass that as model=",
            )
        return model.module(k)

    def table_network(self, k: int) -> tuple[FeatureGroupNetwork, np.ndarray]:
        """Return candidate ``k`` of a table as a module in float64, and the columns (d,) of the bank that it takes.

        Raises:
            SettingsError: There are no trained networks, or only predictions of them.
        """
        from nas_core.interpretability.networks import table_network

        model = self._known(self.model)
        if not isinstance(model, WeightedPack):
            raise SettingsError(
                "The trained networks cannot be looked into",
                allowed="a pack with weights(k), as networks of tables are trained to",
                fix="pass that as model=",
            )
        return table_network(self.known_problem, self.architectures[k], model.weights(k))

    @cached_property
    def kept(self) -> dict[object, np.ndarray]:
        """What several measures of a candidate share, by whatever names it, as long as the context lives."""
        return {}

    @cached_property
    def rows(self) -> np.ndarray:
        """(n, P) the fixed held-out rows of a table; they depend on the problem only, never on the pack."""
        problem = self.known_problem
        X = np.asarray(problem.valid.X, float)
        wanted = min(MAX_ROWS, max(MIN_ROWS, MAX_DIFFERENCES // (X.shape[1] * problem.C)))
        return X[measured_rows(problem, wanted)]

    @cached_property
    def grid(self) -> Grid:
        """The cells of :attr:`rows`, the same for every pack of the problem."""
        rows, features = self.rows, self.known_problem.dataset.features
        return once(
            self.known_problem, "effect grid", lambda: effect_grid(rows, [f.kind == "categorical" for f in features])
        )

    @cached_property
    def row_outputs(self) -> np.ndarray:
        """(K, n, C) outputs of the candidates of a table for :attr:`rows`."""
        return np.asarray(self.pack.predict(self.known_problem.encoder.transform(self.rows)))

    @cached_property
    def effects(self) -> Effects:
        """First-order effects of all K candidates on :attr:`rows`; computed once, used by several measures."""
        deltas = self.pack.feature_deltas(self.known_problem, self.rows, self.grid.edges, self.grid.cells)
        return accumulate_effects(self.row_outputs, np.asarray(deltas), self.grid)

    @cached_property
    def trees(self) -> tuple[CandidateTrees, ...]:
        """(K) decision trees that imitate the candidates; grown once, used by two measures."""
        from nas_core.interpretability.tree_pack import pack_trees

        return pack_trees(self)

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
    """One candidate and one of its measurements, to be put into words; ``signal`` is None for tables."""

    architecture: Architecture
    facts: StructuralFacts
    measurement: Measurement
    feature_names: Sequence[str]
    signal: Signal | None = None


class Measure(ABC):
    """A property of a candidate as a score in [0, 1], 1 = interpretable.

    A new measure is one class in one file and one line in ``registry.py``; the contract suite takes it from there.

    Attributes:
        name, label, family: What it is called in code and in the studio, and which measures it stands beside.
        settings: What a number depends on and a person should see, by name: rows, resamples, depth …
    """

    name: str
    label: str
    family: Family
    settings: ClassVar[Mapping[str, int | float | str]] = MappingProxyType({})

    @property
    def description(self) -> str:
        """The docstring of the measure: what it is, its source, its cost."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @property
    def cost(self) -> str:
        """What measuring costs, from :attr:`description`, on one line; empty where it does not say."""
        _, _, costs = self.description.partition("Costs:")
        return " ".join(costs.split("\n\n")[0].split())

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


def needs_training(context: MeasureContext) -> Verdict:
    """Return whether there are trained networks and held-out rows to look at."""
    if context.model is None or context.problem is None:
        return Verdict(ok=False, reason="it needs a trained network and held-out rows")
    return Verdict(ok=True, reason="measured on fixed held-out rows")


def exact(value: float, raw: float, graded: float | None = None) -> Measurement:
    """Return a measurement that is exact: its interval is its value."""
    return Measurement(value=value, raw=raw, low=value, high=value, graded=graded)
