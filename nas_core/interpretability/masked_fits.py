"""Rows of any function explained by taking features away: how well a sum of shares fits, and what the shares are.

An absent feature has the values of background rows, and the output is the mean over them. The shares are KernelSHAP's;
of a network of torch whose rows are numbers they are integrated gradients, as of a candidate of a search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_core.interpretability.black_box import BlackBox, Unusable
from nas_core.interpretability.dependence import centred
from nas_core.interpretability.masks import Masks, held_out_scores, shapley_masks
from nas_core.interpretability.module_gradients import by_all_methods, integrated

__all__ = ["ExplainedSample", "shapley_shares"]

# Rows explained, rows changed a little and draws of each, background rows, features that masks are drawn of, at most.
ROWS, CHANGED_ROWS, DRAWS, BACKGROUND, MOST_FEATURES = 64, 16, 5, 100, 300
# Predictions, and numbers handed to the function, per explanation of all rows.
PREDICTIONS, MOST_NUMBERS, FEWEST_BACKGROUND = 200_000, 600_000_000, 5
# Standard deviations of a small change; baselines of gradients, as in ``explained_rows``.
SMALL, BASELINES = 0.05, 32


@dataclass(frozen=True)
class ExplainedSample:
    """Some rows of a function and their explanations.

    Attributes:
        box: The function.
        X: (N, P) rows to explain some of, and to take values from.
        outputs: (N, C) of them, centred over several outputs.
        used: (U,) the features it depends on, in standard order; the others have no share.
        signs: (P,) directions of the standard order.
        steady: (P,) True where a feature has no small changes: categories, and features with two values.
        classification: True where a prediction is a class.
        seed: Of the choice of rows, masks and changes.
    """

    box: BlackBox
    X: np.ndarray
    outputs: np.ndarray
    used: tuple[int, ...]
    signs: np.ndarray
    steady: np.ndarray
    classification: bool
    seed: int

    @cached_property
    def scores(self) -> np.ndarray:
        """(R,) held-out weighted R² of an additive fit to the masks of each row.

        Raises:
            Unusable: A prediction fails, or there are too many features.
        """
        return held_out_scores(self._values(self.X[self.at]), *self._ends(self.X[self.at]), self.masks)

    @cached_property
    def shares(self) -> np.ndarray:
        """(R, U) φ of the regression output, or of the logit of the class predicted for each row.

        Raises:
            Unusable: A prediction fails, or there are too many features.
        """
        return self._shares(self.X[self.at], self._explained(self.X[self.at]))

    def by_all_methods(self) -> tuple[np.ndarray, ...]:
        """Return φ (R, U) of integrated gradients, GradientSHAP and DeepLIFT.

        Raises:
            Unusable: The function is no network of torch.
        """
        rows, columns = self.X[self.at], list(self.used)
        found = by_all_methods(self.box, rows, self.baselines, self._explained(rows), self.seed)
        return tuple(values[:, columns] for values in found)

    def changed_shares(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return φ (r, U) of the first rows, φ (r, DRAWS, U) after small changes, and (r, DRAWS) True where kept.

        δ ~ N(0, (0.05 sd)²); a change is kept where the predicted class stays, in a regression always.

        Raises:
            Unusable: A prediction fails, or there are too many features.
        """
        rows = self.X[self.at[:CHANGED_ROWS]]
        noise = np.random.default_rng((self.seed, 1)).normal(size=(len(rows), DRAWS, len(self.used)))
        width = SMALL * self.X.std(0) * self.signs * ~self.steady
        changed = np.repeat(rows[:, None], DRAWS, axis=1)
        columns = list(self.used)
        changed[:, :, columns] += noise * width[columns]
        flat = changed.reshape(-1, rows.shape[1])
        explained = self._explained(rows)
        after = self._shares(flat, np.repeat(explained, DRAWS)).reshape(len(rows), DRAWS, -1)
        same = self._classes(flat).reshape(-1, DRAWS) == self._classes(rows)[:, None]
        return self.shares[: len(rows)], after, same

    @cached_property
    def at(self) -> np.ndarray:
        """(R,) which rows are explained."""
        return np.random.default_rng((self.seed, 2)).permutation(len(self.X))[:ROWS]

    @cached_property
    def masks(self) -> Masks:
        """The sets of used features that are present, the same for every row."""
        U = len(self.used)
        if U > MOST_FEATURES:
            raise Unusable(f"explaining rows by {U:,} features would take too long; at most {MOST_FEATURES}")
        return shapley_masks(U, 4 * U + 16, np.random.default_rng((self.seed, 3)))

    @cached_property
    def _background(self) -> np.ndarray:
        """(B, P) rows that absent features have the values of: fewer where that is dear."""
        sets = max(1, len(self.masks.present)) * min(ROWS, len(self.X))
        afford = min(PREDICTIONS, MOST_NUMBERS // self.X.shape[1]) // sets
        count = int(np.clip(afford, FEWEST_BACKGROUND, BACKGROUND))
        return self.X[np.random.default_rng((self.seed, 4)).permutation(len(self.X))[:count]]

    def _values(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs (r, m, C) of rows (r, P) with the features of each mask, averaged over the background."""
        present, B = self.masks.present, self._background
        found = np.zeros((len(rows), len(present), self.box.outputs))
        columns = list(self.used)
        for i, row in enumerate(rows if len(present) else ()):
            mixed = np.tile(row, (len(present), len(B), 1))
            mixed[:, :, columns] = np.where(present[:, None], row[columns], B[None][:, :, columns])
            found[i] = self._ask(mixed.reshape(-1, len(row))).reshape(len(present), len(B), -1).mean(1)
        return found

    def _ends(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the outputs (r, C) of rows (r, P) without any and with all of their features."""
        empty = self._ask(self._background.copy()).mean(0)
        return np.tile(empty, (len(rows), 1)), self._ask(rows.copy())

    def _shares(self, rows: np.ndarray, explained: np.ndarray) -> np.ndarray:
        """Return φ (r, U) of the given output (r,) of each row."""
        if self.box.module is not None:
            return integrated(self.box, rows, self.baselines, explained)[:, list(self.used)]
        at = np.arange(len(rows))
        values = self._values(rows)[at, :, explained]
        empty, full = (end[at, explained] for end in self._ends(rows))
        return shapley_shares(values, empty, full, self.masks)

    @cached_property
    def baselines(self) -> np.ndarray:
        """(B, P) rows that gradients count from."""
        return self.X[np.random.default_rng((self.seed, 4)).permutation(len(self.X))[:BASELINES]]

    def _explained(self, rows: np.ndarray) -> np.ndarray:
        """Return which output (r,) of the rows is explained."""
        outputs = self._ask(rows.copy())
        return outputs.argmax(1) if outputs.shape[1] > 1 else np.zeros(len(rows), np.int64)

    def _classes(self, rows: np.ndarray) -> np.ndarray:
        """Return the predicted class (r,), 0 for all in a regression."""
        outputs = self._ask(rows.copy())
        if outputs.shape[1] > 1:
            return outputs.argmax(1)
        return (outputs[:, 0] > 0).astype(np.int64) * self.classification

    def _ask(self, rows: np.ndarray) -> np.ndarray:
        return centred(self.box.ask(rows))


def shapley_shares(values: np.ndarray, empty: np.ndarray, full: np.ndarray, masks: Masks) -> np.ndarray:
    """Return φ (R, U) of KernelSHAP: the weighted least squares fit to all masks whose shares sum to full − empty.

    Source: Lundberg & Lee (2017), arXiv 1705.07874.

    Args:
        values: (R, m) outputs with the masks' features present.
        empty, full: (R,) outputs with no feature and with all of them.
        masks: The m masks; none where there is one feature, which then has it all.
    """
    whole = full - empty
    if not len(masks.present):
        return whole[:, None]
    z, roots = masks.present.astype(float), np.sqrt(masks.weights)[:, None]
    rest = values.T - empty - z[:, -1:] * whole
    first = np.linalg.lstsq(roots * (z[:, :-1] - z[:, -1:]), roots * rest, rcond=None)[0].T
    return np.concatenate([first, (whole - first.sum(1))[:, None]], axis=1)
