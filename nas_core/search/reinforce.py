"""REINFORCE: a policy over the decisions that make an architecture, moved towards what was rewarded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.search.choices import ChoiceStrategy
from nas_core.search.decisions import Decision
from nas_core.spaces.variables import Chooser

__all__ = ["ReinforceStrategy"]

RATE = 0.6
"""Step of the policy's logits per rewarded candidate."""

BINS = 8
"""Parts that a number is chosen from; it lies anywhere in its part."""

EXPLORING = 0.08
"""Share of each decision that stays uniform, so that no option is lost for good."""


class ReinforceStrategy(ChoiceStrategy):
    """A policy with one categorical distribution for each named decision, learned by policy gradient.

    Each candidate told moves the logits of the decisions that make it by rate · advantage · ∇ log π. The reward is the
    share of the candidates known so far that it beats at λ, the baseline is one half: neither outliers nor units
    matter. Candidates of others are learned from as if the policy had decided them.

    Source: Williams (1992), Machine Learning 8; Zoph & Le (2017), arXiv 1611.01578; independent decisions instead of a
    recurrent controller as in Ying et al. (2019), arXiv 1902.09635.
    Differs: rewards are ranks; a share of every decision stays uniform instead of an entropy bonus.
    Costs: one step per decision of a candidate.
    """

    name: ClassVar[str] = "reinforce"
    label: ClassVar[str] = "REINFORCE"
    description: ClassVar[str] = "Learns by trial and reward how likely each choice should be."

    def _begin(self) -> None:
        self._logits: dict[str, np.ndarray] = {}

    def _learn(self, fresh: Sequence[str]) -> None:
        if not fresh:
            return
        losses = self.losses()
        known = np.sort(list(losses.values()))
        for candidate in fresh:
            below = np.searchsorted(known, losses[candidate], side="left")
            upto = np.searchsorted(known, losses[candidate], side="right")
            advantage = 0.5 - (below + upto) / (2 * len(known))
            for name, decision in self.decisions(candidate).items():
                self._step(name, decision, advantage)

    def _step(self, name: str, decision: Decision, advantage: float) -> None:
        logits = self._logits.setdefault(name, np.zeros(decision.options or BINS))
        chosen = int(decision.answer) if decision.options else min(BINS - 1, int(decision.answer * BINS))
        if chosen < len(logits):
            change = -_shares(logits)
            change[chosen] += 1.0
            logits += RATE * advantage * change

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        while True:
            yield _Policy(self._logits, rng)

    def _learned(self) -> dict[str, Any]:
        return {name: [float(v) for v in logits] for name, logits in self._logits.items()}

    def _relearn(self, learned: dict[str, Any]) -> None:
        self._logits = {name: np.asarray(values, dtype=float) for name, values in learned.items()}


class _Policy:
    """Draws every decision from the policy."""

    def __init__(self, logits: dict[str, np.ndarray], rng: np.random.Generator) -> None:
        self._logits, self._rng = logits, rng

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        """Return an option."""
        return self._drawn(name, len(options))

    def number(self, name: str, like: float | None) -> float:
        """Return a number."""
        return (self._drawn(name, BINS) + float(self._rng.random())) / BINS

    def _drawn(self, name: str, options: int) -> int:
        logits = self._logits.get(name)
        shares = np.full(options, 1.0) if logits is None or len(logits) != options else _shares(logits)
        shares = (1 - EXPLORING) * shares / shares.sum() + EXPLORING / options
        return min(options - 1, int(np.searchsorted(np.cumsum(shares), self._rng.random(), side="right")))


def _shares(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    shares: np.ndarray = weights / weights.sum()
    return shares
