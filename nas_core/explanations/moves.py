"""The output of a candidate on rows whose features are moved to other values; only their groups are run again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate

__all__ = ["Moves", "checked_table"]


def checked_table(candidate: Candidate, what: str) -> TrainedCandidate:
    """Return a candidate on a table.

    Raises:
        ExplanationError: It reads images or sequences, for which ``what`` does not exist.
    """
    if not isinstance(candidate, TrainedCandidate):
        raise ExplanationError(
            f"{what} are drawn over the values of a column, and this network reads "
            f"{candidate.problem.dataset.modality} data",
            allowed="networks on tables",
            fix="explain single rows of it, or permute its cells",
        )
    return candidate


class Moves:
    """N rows of a table, and what a candidate gives for them when the columns of some features are replaced.

    f(x) = b + Σ_g f_g(x_g), so a feature that moves changes its own group only: every answer costs N passes of that
    group, and a feature that is not used changes nothing, exactly.

    Attributes:
        candidate: The candidate.
        X: (N, P) raw rows, NaN = missing.
        outputs: (N, C) output of the rows as they are.

    Args:
        candidate: Of a table.
        X: Raw rows (N, P).

    Raises:
        ExplanationError: The rows have the wrong shape, or there are none.
    """

    def __init__(self, candidate: TrainedCandidate, X: np.ndarray) -> None:
        self.candidate, self.X = candidate, candidate.checked(X)
        if not len(self.X):
            raise ExplanationError("There are no rows", allowed="one row or more", fix="pass some rows of the data")
        self._bank = candidate.bank(self.X)
        self.outputs = candidate.predict_bank(self._bank)
        self._home = {j: g for g in candidate.groups for j in g.features}
        self._effects: dict[int, np.ndarray] = {}

    def group(self, feature: int) -> FeatureGroup | None:
        """Return the group that reads a feature; None where the network does not."""
        return self._home.get(feature)

    def acts_alone(self, feature: int) -> bool:
        """Return whether the architecture makes the feature's effect the same for all rows: alone, or in a sum."""
        group = self.group(feature)
        return group is None or group.linear or len(group.features) == 1

    def columns(self, feature: int) -> np.ndarray:
        """Return the encoded columns (N, d) of a used feature in these rows."""
        return self._bank[:, self.candidate.span(feature)]

    def encoded(self, feature: int, values: np.ndarray) -> np.ndarray:
        """Return the encoded columns (M, d) of raw ``values`` (M,) of a used feature."""
        values = np.asarray(values, float)
        return self.candidate.encode({feature: values}, len(values))[:, self.candidate.span(feature)]

    def changed(self, replaced: Mapping[int, np.ndarray]) -> np.ndarray:
        """Return the outputs (N, C) with the columns of used features replaced: feature → (N, d) or (d,)."""
        groups = {self._home[j].index for j in replaced}
        bank = self._bank.copy()
        for j, block in replaced.items():
            bank[:, self.candidate.span(j)] = block
        found = self.outputs.copy()
        for g in sorted(groups):
            found += self.candidate.group_effect(g, bank) - self._own(g)
        return found

    def _own(self, group: int) -> np.ndarray:
        """Return the contribution (N, C) of a group to the rows as they are, computed once."""
        if group not in self._effects:
            self._effects[group] = self.candidate.group_effect(group, self._bank)
        return self._effects[group]
