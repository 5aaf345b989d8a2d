"""Gradient-based search: choices relaxed to shares, moved by gradient descent, then made discrete again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nas_core.search.answers import AnswerTable
from nas_core.search.choices import RefittedStrategy
from nas_core.search.decisions import Follower
from nas_core.search.standing import best_and_others
from nas_core.search.surrogate import Surrogate
from nas_core.spaces.variables import Chooser

__all__ = ["GradientStrategy"]

DATA = 200
"""Candidates that the relaxed objective is fitted to, at most: the best half, and a random half of the others."""

FEWEST, MOST = 8, 64
"""Relaxed architectures moved side by side: as many as are asked for, but not fewer and not more than this."""

STEPS, RATE = 12, 0.5
"""Gradient steps of each, and the length of a step."""

DRAWS = 2
"""Draws for each candidate that is asked for, as some draws are known already."""

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
        everyone, losses = self.ordered()
        ordered = best_and_others(everyone, DATA)
        told = self.answers(ordered)
        table = _Table.of(told)
        known = table.encode(told.answers)
        model = Surrogate(known, np.array([losses[c] for c in ordered])[:, None])
        while True:
            logits = rng.normal(0.0, 1.0, (min(max(FEWEST, n), MOST), table.width))
            near = rng.integers(min(len(ordered), max(4, len(ordered) // 5)), size=len(logits) * 3 // 4)
            logits[: len(near)] += SURE * (2.0 * known[near] - 1.0)
            shares = table.descended(logits, model)
            for _ in range(-(-DRAWS * n // len(shares))):
                yield from map(Follower, table.drawn(shares, rng))


@dataclass(frozen=True)
class _Table:
    """Where each named decision lies in the vector of a relaxed architecture: option by option, or one number."""

    names: tuple[str, ...]
    sizes: np.ndarray
    starts: np.ndarray
    owner: np.ndarray
    """(width,) the decision of each entry, −1 for numbers."""

    @classmethod
    def of(cls, told: AnswerTable) -> _Table:
        """Return the table of all decisions that occur."""
        widths = np.maximum(told.options, 1)
        owner = np.repeat(np.where(told.options > 0, np.arange(len(told.names)), -1), widths)
        return cls(told.names, told.options, np.concatenate([[0], np.cumsum(widths)[:-1]]), owner)

    @property
    def width(self) -> int:
        """Length of the vector."""
        return len(self.owner)

    def encode(self, answers: np.ndarray) -> np.ndarray:
        """Return vectors (n, width) of answers (n, d); a decision that was not taken has equal shares."""
        taken = ~np.isnan(answers)
        equal = np.where(self.owner < 0, 0.5, 1.0 / np.maximum(self.sizes, 1)[self.owner])
        vectors = np.where(self._spread(taken), 0.0, equal)
        row, column = np.nonzero(taken)
        answer, choice = answers[row, column], self.sizes[column] > 0
        vectors[row, self.starts[column] + np.where(choice, answer, 0.0).astype(int)] = np.where(choice, 1.0, answer)
        return vectors

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

    def drawn(self, shares: np.ndarray, rng: np.random.Generator) -> Iterator[dict[str, float]]:
        """Yield for each of the shares (s, width) discrete answers drawn from them."""
        within = np.arange(self.width) - self._spread(self.starts[None])[0]
        decision = self._spread(np.arange(len(self.names))[None])[0]
        parts = np.zeros((len(shares), len(self.names), int(self.sizes.max(initial=1)) or 1))
        parts[:, decision, within] = shares
        upto = parts.cumsum(axis=2)
        answers = (upto < rng.random(upto.shape[:2])[..., None] * upto[..., -1:]).sum(axis=2)
        drawn = np.where(self.sizes > 0, answers, shares[:, self.starts])
        for row in drawn.tolist():
            yield dict(zip(self.names, row, strict=True))
