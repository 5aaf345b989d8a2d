"""Sampled Shapley values of many features: antithetic permutations, with a standard error for every value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.pieces import ELEMENTS, Pieces

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PermutationSampler"]


class PermutationSampler:
    """Shapley values of the features of a group, or of the cells of a signal, better with every round.

    Features enter one after the other along a random order, from a background row to the explained row, and what each
    changes is its share; then along the reverse order (antithetic). Every background row has orders of its own, so the
    noise comes from the orders only, and two draws per background row and round tell how large it is. Each order's
    changes telescope, so the values of a row add up to f(row) − mean f(background) to rounding in every round.

    Source: Castro et al. (2009), Computers & Operations Research 36; Mitchell et al. (2022), JMLR 23, antithetic
    permutations.
    Costs: 4 (a − 1) N B passes behind the first layer per round, a active features, N rows, B background rows.

    Args:
        pieces: The function, taken apart by features.
        seed: Of the orders; the same for all rows.
    """

    def __init__(self, pieces: Pieces, seed: int) -> None:
        import torch

        from nas_core.training.device import one_thread

        self._pieces, self._rng = pieces, np.random.default_rng(seed)
        self.rounds = 0
        shape = (pieces.own.shape[1], len(pieces.active), pieces.outputs)
        self._sum, self._spread = np.zeros(shape), np.zeros(shape)
        with torch.inference_mode(), one_thread():
            self._start = pieces.effect(pieces.other.sum(0) + pieces.fixed)
            self._end = pieces.effect(pieces.own.sum(0) + pieces.fixed)

    @property
    def passes(self) -> int:
        """Number of passes of a mixture that a round costs."""
        a, N, _ = self._pieces.own.shape
        return 4 * max(0, a - 1) * N * self._pieces.other.shape[1]

    @property
    def values(self) -> np.ndarray:
        """(N, k, C) φ; ``direct`` only before the first round."""
        values = self._pieces.direct.copy()
        values[:, self._pieces.active] += self._sum / max(1, self.rounds)
        return values

    @property
    def errors(self) -> np.ndarray:
        """(N, k, C) standard errors of φ: 0 for features that cannot matter, infinite before the first round."""
        errors = np.zeros(self._pieces.direct.shape)
        # A round holds two draws per background row; half their squared difference estimates the variance of one.
        errors[:, self._pieces.active] = np.sqrt(self._spread) / self.rounds if self.rounds else np.inf
        return errors

    def round(self) -> None:
        """Draw two orders and their reverses for every background row, and walk all rows along them."""
        import torch

        from nas_core.training.device import one_thread

        (a, N, H), B = self._pieces.own.shape, self._pieces.other.shape[1]
        draws = self._rng.permuted(np.tile(np.arange(a), (2, B, 1)), axis=2)
        step = max(1, ELEMENTS // max(1, B * H * a))
        with torch.inference_mode(), one_thread():
            orders = [torch.from_numpy(np.ascontiguousarray(order)) for order in draws]
            for rows in (slice(at, at + step) for at in range(0, N, step)):
                first, second = (self._walked(rows, order) for order in orders)
                self._sum[rows] += ((first + second) / 2).mean(1).numpy()
                self._spread[rows] += ((first - second).square() / 4).sum(1).numpy() / B**2
        self.rounds += 1

    def _walked(self, rows: slice, order: Tensor) -> Tensor:
        """Return (n, B, a, C) what each feature changes along orders (B, a), averaged with the reverse orders."""
        import torch

        own, other = self._pieces.own[:, rows], self._pieces.other
        own_b = torch.arange(len(order))[:, None]
        changed = (own[order] - other[order, own_b][:, :, None]).cumsum(1)  # (B, a, n, H) after 1 … a features
        start = (other.sum(0) + self._pieces.fixed)[:, None, None]
        entered = self._ends(rows, self._pieces.effect(start + changed[:, :-1]))
        left = self._ends(rows, self._pieces.effect(start + (changed[:, -1:] - changed[:, :-1])).flip(1))
        share = (entered.diff(dim=1) + left.diff(dim=1).flip(1)) / 2
        return share[own_b, order.argsort(1)].permute(2, 0, 1, 3)

    def _ends(self, rows: slice, between: Tensor) -> Tensor:
        """Return (B, a + 1, n, C): from the background rows through what is ``between`` to the explained rows."""
        import torch

        B, _, n, C = between.shape
        start = self._start[:, None, None].expand(B, 1, n, C)
        return torch.cat((start, between, self._end[rows].expand(B, 1, n, C)), 1)
