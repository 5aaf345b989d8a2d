"""The space's own starting points, handed out one pack after another."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.records import Proposal, derive_seed
from nas_core.search.ledger import Ledger
from nas_core.search.strategy import Space

__all__ = ["Starts"]


class Starts:
    """The informed proposals that evolutionary and Bayesian strategies begin with.

    A strategy that is told as many evaluations before it is asked at all goes on from these, and needs none.

    Args:
        space: Where to search.
        seed: Of the strategy.
        name: Of the strategy; two strategies with one seed begin differently.
        size: How many starting points there are at most.
        hints: What the data suggest about the features.
    """

    def __init__(self, space: Space, seed: int, name: str, size: int, hints: Any) -> None:
        self._space, self._seed, self._name, self._size, self._hints = space, seed, name, size, hints
        self.looked_at = 0  # part of a strategy's state
        self._proposals: list[Proposal] | None = None  # made on first use: it may take a while

    def take(self, n: int, ledger: Ledger) -> list[Proposal]:
        """Return and claim up to ``n`` of the starting points that are not known yet."""
        if self.looked_at == 0 and ledger.evaluated >= self._size:
            self.looked_at = self._size
        if self.looked_at >= self._size:
            return []
        if self._proposals is None:
            rng = np.random.default_rng(derive_seed(self._seed, self._name, "initial"))
            self._proposals = self._space.initial(self._size, rng, self._hints)
        found: list[Proposal] = []
        while len(found) < n and self.looked_at < len(self._proposals):
            proposal = self._proposals[self.looked_at]
            self.looked_at += 1
            if ledger.claim(proposal):
                found.append(proposal)
        return found
