"""The explainers of the ``shap`` library on any candidate: they know nothing of its groups, so they check ours.

The library draws from NumPy's global generator; its state is put back afterwards, and a lock keeps two explanations in
two threads from drawing from each other's.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.records import Verdict

__all__ = ["ShapExact", "ShapKernel", "ShapPermutation"]

MAX_EXACT = 12
PERMUTATIONS = 10
Function = Callable[[np.ndarray], np.ndarray]
_SHAP = threading.Lock()


class ShapExact(Explainer[TrainedCandidate]):
    """Exact Shapley values from the ``shap`` library: all coalitions of the features used, without looking inside.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; ``shap.explainers.Exact``.
    Costs: N·B·2^u predictions for u features used; features that are not used have exactly 0.
    """

    name, label = "shap_exact", "SHAP, exact"
    explains = TrainedCandidate

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return whether few enough features are used."""
        used = len(candidate.used)
        if used > MAX_EXACT:
            return Verdict(ok=False, reason=f"it uses {used} features; at most {MAX_EXACT} can be enumerated")
        return Verdict(ok=True, reason=f"it uses {used} features, few enough to enumerate all coalitions")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""

        def explained(shap: Any, f: Function, X: np.ndarray, B: np.ndarray) -> np.ndarray:
            masker = shap.maskers.Independent(B, max_samples=len(B))
            return shap.explainers.Exact(f, masker)(X, max_evals=2 ** X.shape[1], silent=True).values

        yield Shares(_on_used(candidate, rows, background, seed, explained))


class ShapPermutation(Explainer[TrainedCandidate]):
    """Sampled Shapley values from the ``shap`` library: features enter along random orders and their reverse.

    Completeness holds exactly for every row; single values carry sampling noise where features interact.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; ``shap.explainers.Permutation``.
    Costs: 10 orders · (2u + 1) predictions of B rows for each row, u features used.
    """

    name, label = "shap_permutation", "SHAP, permutation"
    explains = TrainedCandidate

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return that it applies to every candidate."""
        return Verdict(ok=True, reason="it needs nothing but predictions")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""

        def explained(shap: Any, f: Function, X: np.ndarray, B: np.ndarray) -> np.ndarray:
            return _permuted(shap, f, X, B, seed)

        yield Shares(_on_used(candidate, rows, background, seed, explained))


class ShapKernel(Explainer[TrainedCandidate]):
    """Shapley values as a weighted linear fit on coalitions, from the ``shap`` library.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; ``shap.KernelExplainer``.
    Costs: (2u + 2048) predictions of B rows for each row, u features used; slow, for comparison.
    """

    name, label = "shap_kernel", "SHAP, kernel"
    explains = TrainedCandidate

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return that it applies to every candidate."""
        return Verdict(ok=True, reason="it needs nothing but predictions")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""

        def explained(shap: Any, f: Function, X: np.ndarray, B: np.ndarray) -> np.ndarray:
            return np.asarray(shap.KernelExplainer(f, B).shap_values(X, silent=True, l1_reg=False))

        yield Shares(_on_used(candidate, rows, background, seed, explained))


def _on_used(
    candidate: TrainedCandidate,
    rows: np.ndarray,
    background: np.ndarray,
    seed: int,
    explained: Callable[[Any, Function, np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return φ (N, P, C) from an explanation of the used features only; the others cannot matter."""
    used = list(candidate.used)
    values = np.zeros((len(rows), candidate.problem.P, candidate.outputs))
    if used and len(rows):
        function = _function_of(candidate, used)
        with _shap(seed) as shap:
            values[:, used] = _with_outputs(explained(shap, function, rows[:, used], background[:, used]))
    return values


def _function_of(candidate: TrainedCandidate, features: Sequence[int]) -> Function:
    """Return the candidate as a function of the raw values (M, u) of the ``features`` it uses."""

    def function(values: np.ndarray) -> np.ndarray:
        columns = np.asarray(values, float).T
        return candidate.predict_bank(candidate.encode(dict(zip(features, columns)), len(values)))

    return function


def _permuted(shap: Any, f: Function, X: np.ndarray, B: np.ndarray, seed: int) -> np.ndarray:
    """Return the library's permutation values of ``X`` (N, k): (N, k) or (N, k, C)."""
    masker = shap.maskers.Independent(B, max_samples=len(B))
    evaluations = PERMUTATIONS * (2 * X.shape[1] + 1)
    return shap.explainers.Permutation(f, masker, seed=seed)(X, max_evals=evaluations, silent=True).values


def _with_outputs(values: np.ndarray) -> np.ndarray:
    """Return (N, k, C); the library leaves out the last dimension when there is one output."""
    return values if values.ndim == 3 else values[:, :, None]


@contextmanager
def _shap(seed: int) -> Iterator[Any]:
    """Lend the library with NumPy's global generator seeded, and put the generator's state back."""
    with _SHAP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # importing the library warns about optional plotting packages
            import shap
        state = np.random.get_state()
        np.random.seed(seed % 2**32)
        try:
            yield shap
        finally:
            np.random.set_state(state)
