"""The explainers of the ``shap`` library that only predict: they know nothing of a network, so they check ours.

They are given the feature values as numbers of a list, so that nothing is encoded again for any of the many mixtures of
rows they ask for, and missing values are values like others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.borrowed import lent_shap
from nas_core.explanations.candidate import CHUNK, TrainedCandidate
from nas_core.explanations.rounds import Rounds
from nas_core.records import Verdict, derive_seed

__all__ = ["ShapExact", "ShapKernel", "ShapPermutation"]

MAX_EXACT = 12
ORDERS, FIRST = 1, 4  # of a round; rounds before the first answer
ENUMERATED, FIRST_FITS = 8, 3  # features whose coalitions are all taken; rounds before the first answer


class ShapExact(Explainer[TrainedCandidate]):
    """Exact Shapley values from the ``shap`` library: all coalitions of the features used, without looking inside.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; ``shap.explainers.Exact``.
    Costs: N·B·2^u predictions for u features used; features that are not used have exactly 0.
    """

    name, label = "shap_exact", "SHAP, exact"
    explains = TrainedCandidate
    per_set = 1
    relatives = ("group_shap", "mixed_shap")

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
        coded = _Coded(candidate, rows, background)

        def explained(shap: Any) -> np.ndarray:
            masker = shap.maskers.Independent(coded.background, max_samples=len(background))
            explainer = shap.explainers.Exact(coded.outputs, masker)
            return np.asarray(explainer(coded.rows, max_evals=2 ** coded.rows.shape[1], silent=True).values)

        yield Shares(coded.values(explained, seed))


class ShapPermutation(Explainer[TrainedCandidate]):
    """Sampled Shapley values from the ``shap`` library: features enter along random orders and their reverse.

    Completeness holds exactly for every row; single values carry sampling noise where features interact. Rounds of an
    order and its reverse are averaged, and their differences tell the errors.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; ``shap.explainers.Permutation``.
    Costs: 4 orders · (2u + 1) predictions of B rows for each row before the first answer, u features used; one order
    per round after it.
    """

    name, label = "shap_permutation", "SHAP, permutation"
    explains = TrainedCandidate
    sampled = True
    per_cell = 2 * ORDERS * FIRST
    relatives = ("mixed_shap",)

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return that it applies to every candidate."""
        return Verdict(ok=True, reason="it needs nothing but predictions")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) and its standard errors after every round, without end."""
        coded = _Coded(candidate, rows, background)
        evaluations = ORDERS * (2 * len(candidate.used) + 1)

        def round_of(own: int) -> Callable[[Any], np.ndarray]:
            def explained(shap: Any) -> np.ndarray:
                masker = shap.maskers.Independent(coded.background, max_samples=len(background))
                explainer = shap.explainers.Permutation(coded.outputs, masker, seed=own % 2**32)
                return np.asarray(explainer(coded.rows, max_evals=evaluations, silent=True).values)

            return explained

        return coded.rounds(round_of, seed, FIRST, evaluations)


class ShapKernel(Explainer[TrainedCandidate]):
    """Shapley values as a weighted linear fit on coalitions, from the ``shap`` library.

    The fit is made to add up to the output exactly. Where the coalitions are few all of them are taken and the values
    are exact; else fits to different random coalitions are averaged, and their differences tell the errors.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; ``shap.KernelExplainer``.
    Differs: several fits to 2u + 64 coalitions instead of one to 2u + 2048, so that errors are known.
    Costs: 2u + 64 predictions of B rows for each row and round, u features used, all 2^u up to 8; for comparison.
    """

    name, label = "shap_kernel", "SHAP, kernel"
    explains = TrainedCandidate
    sampled = True
    per_cell = 6 * FIRST_FITS
    relatives = ("mixed_shap",)

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return that it applies to every candidate."""
        return Verdict(ok=True, reason="it needs nothing but predictions")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) and its standard errors after every round; once where all coalitions are taken."""
        coded, used = _Coded(candidate, rows, background), len(candidate.used)
        coalitions = 2**used if used <= ENUMERATED else 2 * used + 64

        def explained(shap: Any) -> np.ndarray:
            explainer = shap.KernelExplainer(coded.outputs, coded.background)
            found = explainer.shap_values(coded.rows, nsamples=coalitions, silent=True, l1_reg=False)
            return np.asarray(found)

        if used <= ENUMERATED:
            values = coded.values(explained, seed)
            return iter([Shares(values, np.zeros_like(values), coalitions * len(rows) * len(background))])
        return coded.rounds(lambda own: explained, seed, FIRST_FITS, coalitions)


class _Coded:
    """A candidate as a function of the features it uses, each value given as its number in a list of all there are.

    Attributes:
        rows, background: (N, u), (B, u) the numbers.
    """

    def __init__(self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray) -> None:
        self._candidate, self._used = candidate, list(candidate.used)
        raw = np.concatenate((rows, background))
        bank = candidate.bank(raw)
        numbers, self._tables = [np.zeros((len(raw), 0))], []
        for j in self._used:
            _, first, number = np.unique(raw[:, j], return_index=True, return_inverse=True)
            self._tables.append((candidate.span(j), bank[first, candidate.span(j)]))
            numbers.append(number.reshape(-1, 1).astype(float))
        coded = np.concatenate(numbers, axis=1)
        self.rows, self.background, self._columns = coded[: len(rows)], coded[len(rows) :], bank.shape[1]

    def outputs(self, numbers: np.ndarray) -> np.ndarray:
        """Return the outputs (M, C) of rows given as numbers (M, u)."""
        at = np.asarray(numbers).astype(int)
        found = [np.zeros((0, self._candidate.outputs))]
        for start in range(0, len(at), CHUNK):
            part = at[start : start + CHUNK]
            bank = np.empty((len(part), self._columns))
            for i, (span, table) in enumerate(self._tables):
                bank[:, span] = table[part[:, i]]
            found.append(self._candidate.predict_bank(bank))
        return np.concatenate(found)

    def values(self, explained: Callable[[Any], np.ndarray], seed: int) -> np.ndarray:
        """Return φ (N, P, C) from the library's values of the features used; the others cannot matter."""
        values = np.zeros((len(self.rows), self._candidate.problem.P, self._candidate.outputs))
        if self._used and len(self.rows):
            with lent_shap(seed) as shap:
                found = explained(shap)
            # the library leaves out the last dimension when there is one output
            values[:, self._used] = found if found.ndim == 3 else found[:, :, None]
        return values

    def rounds(
        self, round_of: Callable[[int], Callable[[Any], np.ndarray]], seed: int, first: int, predictions: int
    ) -> Iterator[Shares]:
        """Yield the mean of the ``first`` rounds with its errors, then of one more each time."""
        shape = (len(self.rows), self._candidate.problem.P, self._candidate.outputs)
        mean, cost = Rounds(shape), predictions * len(self.rows) * len(self.background)
        while True:
            own = derive_seed("round", seed, mean.count)
            mean.add(self.values(round_of(own), own))
            if mean.count >= first:
                yield Shares(mean.values, mean.errors, cost * mean.count)
                if not len(self.rows) or not self._used:
                    return
