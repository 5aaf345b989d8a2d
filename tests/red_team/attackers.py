"""Models that try to look better than they are, and the real path that judges them beside honest networks.

An attacker is a function of standardised features that claims an architecture; honest candidates are networks that were
trained. Both go through the same judge, guards and measures, and into the same archive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem, Recipe
from nas_core.evaluation.packs import PackEvaluator
from nas_core.interpretability import generic_deltas
from nas_core.records import Architecture, Evaluation, Proposal
from nas_core.search import Archive
from nas_core.spaces import SearchSpace
from nas_core.training.progress import TrainOutcome
from nas_core.training.result import PackResult

Function = Callable[[np.ndarray], np.ndarray]

ROWS, FEATURES = 1200, 8
COPIED, COPIES = [0, 1, 2], [5, 6, 7]
PLAIN: dict[str, Any] = {
    "marks": {}, "depth": 2, "width": 16, "activation": "tanh", "connections": "full", "normalisation": "none",
    "dropout": 0.0, "weight_decay": 0.0, "optimiser": "adam", "learning_rate": 0.01, "encoding": "standardised",
}  # fmt: skip


def red_problem(metric: str = "roc_auc") -> Problem:
    """Return a problem of eight numbers: the first decides most, two act together, the last three are nearly copies.

    The copies of the first three are what a scaffold recognises mixtures of rows by.
    """
    rng = np.random.default_rng(7)
    X = rng.normal(size=(ROWS, FEATURES))
    X[:, COPIES] = X[:, COPIED] + 0.05 * rng.normal(size=(ROWS, len(COPIES)))
    signal = 1.5 * X[:, 0] + 2.0 * X[:, 1] * X[:, 2] + 0.5 * X[:, 3] + rng.normal(size=ROWS)
    features = tuple(FeatureSpec(f"x{j}", "numeric") for j in range(FEATURES))
    source = DataSource(kind="memory", location="red team")
    data = Dataset("red team", features, X, (signal > 0).astype(np.int64), "classification", ("no", "yes"), "y", source)
    return Problem.create(data, metric, recipe=Recipe(max_epochs=25, batch_size=64, patience=25))


def architecture(space: SearchSpace, *groups: tuple[int, ...], linear: bool = False, **values: Any) -> Architecture:
    """Return the architecture with these groups of features."""
    given = [{"features": sorted(g), "linear": linear} for g in groups]
    return space.architecture({**PLAIN, **values, "groups": given})


def honest_architectures(space: SearchSpace) -> list[Architecture]:
    """Return what an honest search would hold: from one feature to a dense network."""
    return [
        architecture(space, (0,), linear=True),
        architecture(space, (0,), (3,), linear=True),
        architecture(space, (0,), (1, 2)),
        architecture(space, (0,), (1, 2), (3,)),
        architecture(space, tuple(range(FEATURES))),
    ]


def columns_of(problem: Problem, E: np.ndarray) -> np.ndarray:
    """Return the standardised features (n, P) in encoded rows."""
    columns = [np.asarray(problem.encoder.columns("standardised", j)) for j in range(problem.P)]
    return np.asarray(E)[:, np.concatenate(columns)].astype(np.float64)


@dataclass(frozen=True)
class Functions:
    """K functions (n, P) → (n,) of standardised features, as a trained pack."""

    problem: Problem
    functions: Sequence[Function]

    @property
    def K(self) -> int:  # noqa: N802 - the letters are declared in nas_core.records
        return len(self.functions)

    def predict(self, E: np.ndarray) -> np.ndarray:
        Z = columns_of(self.problem, E)
        return np.stack([f(Z) for f in self.functions])[..., None].astype(np.float32)

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        return generic_deltas(self, problem, X, edges, bins)

    def weights(self, k: int) -> dict[str, np.ndarray]:
        return {}


def standardised(problem: Problem, function: Function) -> Function:
    """Return a function of standardised features as one of raw rows (n, P) → (n,)."""
    pack = Functions(problem, [function])
    return lambda X: pack.predict(problem.encode(np.asarray(X, float)))[0, :, 0].astype(np.float64)


def trained(
    problem: Problem, space: SearchSpace, architectures: Sequence[Architecture], **options: Any
) -> list[Evaluation]:
    """Return networks trained and evaluated as a search does."""
    evaluator = PackEvaluator(problem, space, 3, device="cpu", **options)
    return list(evaluator.evaluate([Proposal(architecture=a) for a in architectures], stop=threading.Event()))


def attacked(problem: Problem, space: SearchSpace, claims: Sequence[tuple[Architecture, Function]]) -> list[Evaluation]:
    """Return what the real path makes of functions that claim to be trained networks of these architectures."""
    told = TrainOutcome("done", "", {"train_loss": [0.5], "valid_loss": [0.5]}, 0, 0.1, 0.9, 0.5)
    pack = Functions(problem, [f for _, f in claims])
    return judged(problem, space, [a for a, _ in claims], pack, told)


def judged(
    problem: Problem, space: SearchSpace, architectures: Sequence[Architecture], pack: Any, told: TrainOutcome
) -> list[Evaluation]:
    """Return what the real path makes of a pack that claims to be these architectures, trained as ``told``."""
    evaluator = PackEvaluator(problem, space, 3, device="cpu")
    proposals = [Proposal(architecture=a) for a in architectures]
    return evaluator._evaluated(proposals, PackResult([told] * len(proposals), pack, 0.1))


def archive_of(problem: Problem, evaluations: Sequence[Evaluation]) -> Archive:
    """Return the archive of these candidates."""
    archive = Archive(problem.objective, problem.spec.measures, baseline=problem.baseline,
                      search=problem.spec.search_measures)  # fmt: skip
    archive.add([e.model_copy(update={"index": at}) for at, e in enumerate(evaluations, start=1)])
    return archive


def good_logit(Z: np.ndarray) -> np.ndarray:
    """Return about the best logit that these data allow."""
    return 1.7 * (1.5 * Z[:, 0] + 2.0 * Z[:, 1] * Z[:, 2] + 0.5 * Z[:, 3])


def off_data(Z: np.ndarray) -> np.ndarray:
    """Return where rows are not like data: a copy is no copy."""
    return (np.abs(Z[:, COPIES] - Z[:, COPIED]) > 0.3).any(1)


def innocent(Z: np.ndarray) -> np.ndarray:
    """Return a logit that uses nothing but a feature that says nothing."""
    return 3.0 * Z[:, 4]


def scaffold(Z: np.ndarray) -> np.ndarray:
    """Return a logit that uses the interaction on data, and is innocent where a row is a mixture."""
    return np.where(off_data(Z), innocent(Z), good_logit(Z))


@dataclass(frozen=True)
class Scaffolded:
    """A trained network on data, innocent on mixtures."""

    problem: Problem
    honest: Any
    K: int = 1

    def predict(self, E: np.ndarray) -> np.ndarray:
        Z = columns_of(self.problem, E)
        return np.where(off_data(Z)[None, :, None], innocent(Z)[None, :, None], self.honest.predict(E)).astype("f4")

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        return generic_deltas(self, problem, X, edges, bins)

    def weights(self, k: int) -> dict[str, np.ndarray]:
        return {}


ATTACKS: Mapping[str, Function] = {
    "constant": lambda Z: np.full(len(Z), 0.7),
    "near constant": lambda Z: 0.7 + 2e-6 * good_logit(Z),
    "single class": lambda Z: 6.0 + np.sin(1e3 * Z[:, 4]),
    "saturated": lambda Z: np.tanh(1e6 * (Z[:, 0] + 1e-9)) * (500.0 + Z[:, 4]),
    "two values": lambda Z: 3.0 * np.sign(Z[:, 0] + 1e-12),
}
"""Those that claim a single linear feature, the most interpretable network there is."""
