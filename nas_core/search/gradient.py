"""Gradient-based search: choices relaxed to shares, moved by gradient descent, then made discrete again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nas_core.search.choices import RefittedStrategy
from nas_core.search.decisions import Decision, Follower
from nas_core.search.standing import best_and_others
from nas_core.search.surrogate import Surrogate
from nas_core.spaces.variables import Chooser

__all__ = ["GradientStrategy"]

DATA = 400
"""Candidates that the relaxed objective is fitted to, at most: the best half, and a random half of the others."""

DESCENTS, STEPS, RATE = 8, 20, 0.5
"""Relaxed architectures moved side by side, gradient steps of each, and the length of a step."""

DRAWS = 2
"""How often each relaxed architecture is drawn from, as some draws are known already."""

HOT, COLD = 1.0, 0.15
"""The temperature of the relaxation at the first and at the last step."""

SURE = 2.5
"""Logit of the chosen option in a relaxed architecture that starts at a known one."""


class GradientStrategy(RefittedStrategy):
    """Relaxes every choice to shares of its options and descends the gradient of a learned objective.

    Feature gates and groups of a table, blocks of an image network and operations of a cell are all named decisions. A
    decision becomes a softmax over its options; a smooth model of the loss at λ, fitted to everything told, takes the
    shares in the place of the choices. Several relaxed architectures start at the best known ones and at random, follow
    its gradient while the temperature falls, and end as discrete architectures drawn from their shares.

    Source: Liu et al. (2019, DARTS), arXiv 1806.09055, for the relaxation; Luo et al. (2018, NAO), arXiv 1808.07233,
    for the gradient of a learned performance; Jang et al. (2017), arXiv 1611.01144, for the falling temperature.
    Differs: the objective is a Gaussian process over decisions instead of the training loss of a network that shares
    weights, so interpretability has a gradient as well as accuracy, and any space of named decisions can be searched.
    Costs: 12 factorisations of at most 400 rows, then 20 gradients of its mean for 8 or more architectures.
    """

    name: ClassVar[str] = "gradient"
    label: ClassVar[str] = "Gradient descent"
    description: ClassVar[str] = "Relaxes every choice and follows the gradient of what it has learned."

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        losses = self.losses()
        ordered = best_and_others(sorted(losses, key=losses.__getitem__), DATA, rng)
        table = _Table.of([self.decisions(c) for c in ordered])
        known = np.stack([table.encode(self.decisions(c)) for c in ordered])
        model = Surrogate(known, np.array([losses[c] for c in ordered])[:, None])
        while True:
            logits = rng.normal(0.0, 1.0, (max(DESCENTS, n), table.width))
            near = rng.integers(min(len(ordered), max(4, len(ordered) // 5)), size=len(logits) * 3 // 4)
            logits[: len(near)] += SURE * (2.0 * known[near] - 1.0)
            shares = table.descended(logits, model)
            for _ in range(DRAWS):
                yield from (Follower(table.drawn(row, rng)) for row in shares)


@dataclass(frozen=True)
class _Table:
    """Where each named decision lies in the vector of a relaxed architecture: option by option, or one number."""

    names: tuple[str, ...]
    sizes: np.ndarray
    starts: np.ndarray
    owner: np.ndarray
    """(width,) the decision of each entry, −1 for numbers."""

    @classmethod
    def of(cls, known: Sequence[dict[str, Decision]]) -> _Table:
        """Return the table of all decisions that occur."""
        options: dict[str, int] = {}
        for decisions in known:
            for name, decision in decisions.items():
                options[name] = max(options.get(name, 0), decision.options)
        names = tuple(sorted(options))
        sizes = np.array([options[n] for n in names], dtype=int)
        widths = np.maximum(sizes, 1)
        owner = np.repeat(np.where(sizes > 0, np.arange(len(names)), -1), widths)
        return cls(names, sizes, np.concatenate([[0], np.cumsum(widths)[:-1]]), owner)

    @property
    def width(self) -> int:
        """Length of the vector."""
        return len(self.owner)

    def encode(self, decisions: dict[str, Decision]) -> np.ndarray:
        """Return the vector (width,) of known decisions; one that was not taken has equal shares."""
        vector = np.zeros(self.width)
        for name, size, start in zip(self.names, self.sizes, self.starts):
            decision = decisions.get(name)
            if not size:
                vector[start] = 0.5 if decision is None else decision.answer
            elif decision is None:
                vector[start : start + size] = 1.0 / size
            else:
                vector[start + int(decision.answer)] = 1.0
        return vector

    def relaxed(self, logits: np.ndarray, temperature: float) -> np.ndarray:
        """Return shares (s, width) of logits: a softmax per decision, a logistic function for numbers."""
        number = self.owner < 0
        scaled = logits / temperature
        weights = np.exp(scaled - self._spread(np.maximum.reduceat(scaled, self.starts, axis=1)))
        shares: np.ndarray = weights / self._spread(np.add.reduceat(weights, self.starts, axis=1))
        shares[:, number] = 1.0 / (1.0 + np.exp(-np.clip(logits[:, number], -30.0, 30.0)))
        return shares

    def _spread(self, per_decision: np.ndarray) -> np.ndarray:
        """Return one number per decision (s, d) as one per entry (s, width)."""
        return np.repeat(per_decision, np.maximum(self.sizes, 1), axis=1)

    def descended(self, logits: np.ndarray, model: Surrogate) -> np.ndarray:
        """Return shares (s, width) after gradient descent on the mean of the model, the most promising first."""
        number = self.owner < 0
        for step in range(STEPS):
            temperature = HOT * (COLD / HOT) ** (step / (STEPS - 1))
            shares = self.relaxed(logits, temperature)
            slope = model.slope(shares)
            pull = shares * slope
            pull -= shares * self._spread(np.add.reduceat(pull, self.starts, axis=1))
            pull[:, number] = slope[:, number] * shares[:, number] * (1.0 - shares[:, number])
            length = np.sqrt((pull**2).sum(axis=1, keepdims=True)) + 1e-12
            logits = logits - RATE * np.sqrt(self.width) * pull / length
        shares = self.relaxed(logits, COLD)
        order = np.argsort(model.mean(shares)[:, 0], kind="stable")
        ordered: np.ndarray = shares[order]
        return ordered

    def drawn(self, shares: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
        """Return discrete answers drawn from shares (width,)."""
        answers: dict[str, float] = {}
        for name, size, start in zip(self.names, self.sizes, self.starts):
            part = shares[start : start + max(1, size)]
            turn = float(rng.random())
            answers[name] = float(np.searchsorted(np.cumsum(part), turn * part.sum())) if size else float(part[0])
        return answers
