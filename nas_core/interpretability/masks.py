"""Local additive fits: how well a weighted sum of present features reproduces the output of one row, held out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np
from scipy.linalg import solve_triangular

from nas_core.interpretability.effects import VARIANCE_FLOOR

__all__ = ["FOLDS", "Masks", "held_out_scores", "shapley_masks"]

FOLDS = 5
# Masks up to which what is left over outside the fit is one matrix of them: 1.3 MB.
FEW = 400


@dataclass(frozen=True)
class Masks:
    """Different sets of present features, none of them empty or full.

    Attributes:
        present: (m, P) True where a feature is present.
        weights: (m,) weight of each in the fit and in its judgement, > 0.
        folds: (m,) which part of the cross-validation it is held out in.
    """

    present: np.ndarray
    weights: np.ndarray
    folds: np.ndarray

    def left_over(self, rest: np.ndarray) -> np.ndarray:
        """Return what weighted least squares on the other parts leave of every held-out part of ``rest`` (m, L).

        The sum of all shares is given, so the last feature's share is what the others leave.
        """
        if len(self.folds) <= FEW:
            return self._unexplained @ rest
        return self._fitted_left_over(rest)

    @cached_property
    def _unexplained(self) -> np.ndarray:
        """(m, m) from a target to what is left over of it: worked out once for all that is fitted to the masks."""
        return self._fitted_left_over(np.eye(len(self.folds)))

    def _fitted_left_over(self, rest: np.ndarray) -> np.ndarray:
        z = self.present.astype(float)
        design, roots = z[:, :-1] - z[:, -1:], np.sqrt(self.weights)[:, None]
        error = np.empty_like(rest)
        for fold in np.unique(self.folds):
            out = self.folds == fold
            error[out] = rest[out] - design[out] @ _solved(roots[~out] * design[~out], roots[~out] * rest[~out])
        return error


def shapley_masks(features: int, most: int, rng: np.random.Generator) -> Masks:
    """Return at most about ``most`` masks of P ``features`` from the Shapley kernel, each with its complement.

    All 2^P − 2 with their exact weights where that is few enough; else sizes are drawn by the kernel's total weight per
    size, 1/(s(P − s)), and sets of that size evenly; a set drawn again weighs more instead of being computed again. A
    mask and its complement are held out together, so nothing of a held-out mask is in the fit.

    Source: Lundberg & Lee (2017), arXiv 1705.07874.
    """
    if features < 2:
        return Masks(np.zeros((0, features), bool), np.zeros(0), np.zeros(0, int))
    if 2**features - 2 <= most:
        codes = np.arange(1, 2 ** (features - 1))  # the half that leaves the last feature out
        first = (codes[:, None] >> np.arange(features) & 1).astype(bool)
        sizes = first.sum(1)
        weights = np.array([1 / (comb(features, int(s)) * s * (features - s)) for s in sizes])
    else:
        first, weights = _drawn(features, max(2, most // 2), rng)
    present, both = np.concatenate([first, ~first]), np.concatenate([weights, weights])
    pairs = rng.permutation(len(first)) % FOLDS
    folds = np.concatenate([pairs, pairs]) if len(first) > 1 else np.arange(2)
    return Masks(present, both / both.sum(), folds)


def _drawn(features: int, pairs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return ``pairs`` different masks, none the complement of another, and how often each pair was drawn."""
    sizes = np.arange(1, features)
    chances = 1 / (sizes * (features - sizes))
    chances /= chances.sum()
    found: dict[bytes, int] = {}
    masks: list[np.ndarray] = []
    counts: list[int] = []
    while len(masks) < pairs:
        for size in rng.choice(sizes, size=pairs, p=chances):
            mask = np.zeros(features, bool)
            mask[rng.choice(features, size, replace=False)] = True
            if mask[-1]:
                mask = ~mask
            at = found.setdefault(mask.tobytes(), len(masks))
            if at < len(masks):
                counts[at] += 1
            elif len(masks) < pairs:
                masks.append(mask)
                counts.append(1)
            else:
                break
    return np.stack(masks), np.array(counts, float)


def held_out_scores(values: np.ndarray, empty: np.ndarray, full: np.ndarray, masks: Masks) -> np.ndarray:
    """Return the held-out weighted R² (R,) of additive fits to R rows' outputs under the masks.

    For each part of the cross-validation g(z) = v(∅) + Σ φ_j z_j with Σ φ_j = v(all) − v(∅) is fitted to the other
    parts by weighted least squares, and judged on this one. Squares are pooled over the outputs, centred where there
    are several. A row whose output does not vary under the masks has 1 where the fit says so too, else 0: the product
    of two features, neither of which does anything alone.

    Source: Ribeiro et al. (2016), arXiv 1602.04938; Lundberg & Lee (2017), arXiv 1705.07874.

    Args:
        values: (R, m, C) outputs with the masks' features present.
        empty, full: (R, C) outputs with no feature and with all of them.
        masks: The m masks.
    """
    R, m, _ = values.shape
    if m == 0:
        return np.ones(R)
    v, v0, v1 = (_centred(np.asarray(part, float)) for part in (values, empty[:, None], full[:, None]))
    last = masks.present[:, -1:].astype(float)
    error = masks.left_over((v - v0 - last * (v1 - v0)).transpose(1, 0, 2).reshape(m, -1))
    weights = masks.weights[None, :, None] / masks.weights.sum()
    mean = (weights * v).sum(1, keepdims=True)
    unexplained = (weights * error.reshape(m, R, -1).transpose(1, 0, 2) ** 2).sum((1, 2))
    variation = (weights * (v - mean) ** 2).sum((1, 2))
    rounding = VARIANCE_FLOOR * (1 + (mean**2).sum((1, 2)))
    flat = variation < rounding
    return np.where(flat, unexplained < rounding, 1 - unexplained / np.where(flat, 1.0, variation))


def _solved(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the least-squares solution (P, L) of A x = b: by QR, by singular values where A lacks full rank."""
    if len(A) >= A.shape[1]:
        Q, R = np.linalg.qr(A)
        size = np.abs(np.diag(R))
        if len(size) and size.min() > 1e-10 * size.max():
            solution: np.ndarray = solve_triangular(R, Q.T @ b, check_finite=False)
            return solution
    found: np.ndarray = np.linalg.lstsq(A, b, rcond=None)[0]
    return found


def _centred(outputs: np.ndarray) -> np.ndarray:
    """Return outputs (…, C), centred over several outputs."""
    return outputs - outputs.mean(-1, keepdims=True) if outputs.shape[-1] > 1 else outputs
