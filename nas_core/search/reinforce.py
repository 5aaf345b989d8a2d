"""REINFORCE: a policy over the decisions that make an architecture, moved towards what was rewarded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.search.choices import BINS, ChoiceStrategy
from nas_core.search.decisions import Decision
from nas_core.spaces.variables import Chooser

__all__ = ["ReinforceStrategy"]

RATE = 0.6
"""Step of the policy's logits per rewarded candidate."""

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
        self._logits = _Logits()

    def _learn(self, fresh: Sequence[str]) -> None:
        if not fresh:
            return
        losses = self.losses()
        known = np.sort(list(losses.values()))
        told = np.array([losses[candidate] for candidate in fresh])
        beaten = np.searchsorted(known, told, side="left") + np.searchsorted(known, told, side="right")
        advantages = 0.5 - beaten / (2 * len(known))
        for candidate, advantage in zip(fresh, advantages.tolist(), strict=True):
            self._step(self.decisions(candidate), advantage)

    def _step(self, decisions: Mapping[str, Decision], advantage: float) -> None:
        """Move the logits of all decisions of a candidate, those with as many options together."""
        alike: dict[int, tuple[list[int], list[int]]] = {}
        for name, (options, answer) in decisions.items():
            width, row = self._logits.place(name, options or BINS)
            chosen = int(answer) if options else min(BINS - 1, int(answer * BINS))
            if chosen < width:
                rows, answers = alike.setdefault(width, ([], []))
                rows.append(row)
                answers.append(chosen)
        for width, (rows, answers) in alike.items():
            table = self._logits.tables[width]
            change = -_shares(table[rows])
            change[np.arange(len(rows)), answers] += 1.0
            table[rows] += RATE * advantage * change

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        policy = _Policy(self._logits, rng)
        while True:
            yield policy

    def _learned(self) -> dict[str, Any]:
        return {name: self._logits.of(name).tolist() for name in self._logits.places}

    def _relearn(self, learned: dict[str, Any]) -> None:
        self._logits = _Logits()
        for name, values in learned.items():
            width, row = self._logits.place(name, len(values))
            self._logits.tables[width][row] = values


class _Logits:
    """The logits of all named decisions, of those with as many options in one table.

    Attributes:
        places: Options and row of each decision.
        tables: (rows, options) by options; rows that no decision has yet are zero.
    """

    def __init__(self) -> None:
        self.places: dict[str, tuple[int, int]] = {}
        self.tables: dict[int, np.ndarray] = {}
        self._used: dict[int, int] = {}

    def place(self, name: str, options: int) -> tuple[int, int]:
        """Return options and row of a decision; it keeps the options that it is first seen with."""
        found = self.places.get(name)
        if found is None:
            row = self._used.get(options, 0)
            self._used[options] = row + 1
            table = self.tables.get(options, np.zeros((0, options)))
            if row == len(table):
                self.tables[options] = np.concatenate([table, np.zeros((row + 8, options))])
            found = self.places[name] = options, row
        return found

    def of(self, name: str) -> np.ndarray:
        """Return the logits of a decision that was placed."""
        width, row = self.places[name]
        logits: np.ndarray = self.tables[width][row]
        return logits


class _Policy:
    """Draws every decision from the policy, as it is while one pack is asked for."""

    def __init__(self, logits: _Logits, rng: np.random.Generator) -> None:
        self._logits, self._rng = logits, rng
        self._steps: dict[tuple[str, int], list[float]] = {}  # cumulative shares, once for all candidates of a pack

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        """Return an option."""
        return self._drawn(name, len(options))

    def number(self, name: str, like: float | None) -> float:
        """Return a number."""
        return (self._drawn(name, BINS) + float(self._rng.random())) / BINS

    def _drawn(self, name: str, options: int) -> int:
        steps = self._steps.get((name, options))
        if steps is None:
            steps = self._steps[name, options] = self._cumulative(name, options)
        return min(options - 1, bisect_right(steps, self._rng.random()))

    def _cumulative(self, name: str, options: int) -> list[float]:
        told = self._logits.places.get(name, (0, 0))[0] == options
        shares = _shares(self._logits.of(name)) if told else np.full(options, 1.0)
        shares = (1 - EXPLORING) * shares / shares.sum() + EXPLORING / options
        found: list[float] = np.cumsum(shares).tolist()
        return found


def _shares(logits: np.ndarray) -> np.ndarray:
    """Return the softmax (…, o) of logits (…, o)."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray = weights / weights.sum(axis=-1, keepdims=True)
    return shares
