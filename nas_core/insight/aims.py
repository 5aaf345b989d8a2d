"""Aims: the quantities whose variation among candidates is to be explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import SettingsError

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["INTERPRETABILITY", "PERFORMANCE", "SCALAR", "SECONDS", "Aim", "aim_names", "aim_of"]

PERFORMANCE, INTERPRETABILITY, SCALAR, SECONDS = "performance", "interpretability", "scalar", "seconds"


@dataclass(frozen=True)
class Aim:
    """One quantity of n candidates.

    Attributes:
        name: ``performance``, ``interpretability``, ``scalar`` (the trade-off at λ), ``seconds``, or a measure.
        label: What a person reads.
        values: (n,) in its unit, NaN where a candidate has none; seconds as their decimal logarithm.
        unit: Of the values, "" for a pure number.
        larger_is_better: The direction.
    """

    name: str
    label: str
    values: np.ndarray = field(repr=False)
    unit: str
    larger_is_better: bool

    def rows(self, at: np.ndarray) -> Aim:
        """Return the aim of the candidates at the positions ``at``."""
        return Aim(self.name, self.label, self.values[at], self.unit, self.larger_is_better)


def aim_names(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the names of the aims of a run: the two that are traded, the trade-off, the measures, the cost."""
    return (PERFORMANCE, INTERPRETABILITY, SCALAR, *snapshot.names, SECONDS)


def aim_of(name: str, snapshot: Snapshot, ranking: Ranking) -> Aim:
    """Return one aim of all candidates of a snapshot.

    Args:
        name: One of :func:`aim_names`.
        snapshot: What was found.
        ranking: It, ranked under the preference that says what interpretability is made of, and at which λ.

    Raises:
        SettingsError: No such aim.
    """
    if name == PERFORMANCE:
        objective = snapshot.objective
        return Aim(name, objective.label, snapshot.performance, objective.unit, objective.maximise)
    if name == INTERPRETABILITY:
        return Aim(name, "Interpretability", ranking.interpretability, "", True)
    if name == SCALAR:
        score = np.where(np.isfinite(ranking.score), ranking.score, np.nan)
        return Aim(name, f"Trade-off at λ = {ranking.preference.weight:.2f}", score, "", False)
    if name == SECONDS:
        seconds = snapshot.columns["seconds"]
        known = np.where(seconds > 0, np.log10(np.maximum(seconds, 1e-9)), np.nan)
        return Aim(name, "Training time", known, "log₁₀ s", False)
    if name in snapshot.names:
        from nas_core.interpretability import MEASURES

        label = MEASURES[name].label if name in MEASURES else name.replace("_", " ")
        return Aim(name, label, snapshot.measure(name), "", True)
    raise SettingsError(
        f"There is nothing called {name!r} to explain", allowed=", ".join(aim_names(snapshot)), fix="choose one of them"
    )
