"""LIME: a weighted linear fit around each row, with the R² it has on masks that it was not fitted to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nas_core.explanations.base import Candidate, Explainer, Shares
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.coalitions import Coalitions
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.interpretability.effects import VARIANCE_FLOOR
from nas_core.records import Verdict, derive_seed

__all__ = ["Lime", "local_fit"]

FOLDS = 5
WIDTH = 0.75  # of the kernel, times the root of the number of features, as the authors' code has it
RIDGE = 1e-9  # Ω: just enough for a solution where masks are few
MOST = 4096  # masks of a row, after which more would change nothing that can be seen


class Lime(Explainer[Candidate]):
    """How the output follows features that come and go: the weights of a linear fit to masks of the row.

    Masks of any size leave features out, whose values then come from background rows. A linear function of which
    features are present is fitted to the outputs, masks near the whole row counting more: exp(−D²/σ²), D² the number of
    features left out, σ = 0.75·√P. What it cannot say is told by R² on masks held out of the fit, and errors by
    leaving out each fifth of the masks. The values do not add up to the output: the fit has a constant of its own.

    Source: Ribeiro, Singh & Guestrin (2016), arXiv 1602.04938.
    Differs: outputs of a mask are averaged over the background rows; the fit leaves no feature out; R² is held out.
    Costs: (4a + 16) N B predictions per round for a features that vary; all 2^a masks where that is less.
    """

    name, label = "lime", "LIME"
    explains = (TrainedCandidate, SignalCandidate)
    additive, sampled = False, True
    per_cell = 6

    def fits(self, candidate: Candidate) -> Verdict:
        """Return that it applies to every network."""
        return Verdict(ok=True, reason="it needs nothing but predictions")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield the weights (N, P, C), their standard errors and R² after every round of masks."""
        sets = Coalitions(candidate, rows, background)
        a, rng = len(sets.players), np.random.default_rng(derive_seed("masks", seed))
        fresh, whole = _first_masks(a, rng)
        present, worths, passes = np.zeros((0, a), bool), np.zeros((0, len(rows), candidate.outputs)), 0
        while True:
            of_rows = [sets.worths(n, fresh) for n in range(len(rows))]
            found = np.stack(of_rows, axis=1) if of_rows else np.zeros((len(fresh), 0, candidate.outputs))
            present, worths = np.concatenate((present, fresh)), np.concatenate((worths, found))
            passes += fresh.shape[0] * len(rows) * len(background)
            fit = local_fit(present, worths.reshape(len(present), -1), whole=whole)
            shape = (a, len(rows), candidate.outputs)
            weights, errors = (part.reshape(shape).transpose(1, 0, 2) for part in (fit.weights, fit.errors))
            held_out = fit.r2.reshape(shape[1:])
            yield Shares(sets.values(weights), sets.values(errors), passes, fit=held_out)
            if whole or len(present) >= MOST or not len(rows):
                return
            fresh = _drawn(a, 4 * a + 16, rng)


@dataclass(frozen=True)
class LocalFit:
    """A linear fit to masks: weights (a, R), their standard errors (a, R) and held-out weighted R² (R,)."""

    weights: np.ndarray
    errors: np.ndarray
    r2: np.ndarray


def local_fit(present: np.ndarray, worths: np.ndarray, *, whole: bool = False) -> LocalFit:
    """Return the weighted least-squares fit g(z) = c + Σ w_j z_j of R functions known on m masks.

    The weight of a mask is exp(−D²/σ²), D² = its absent features, σ = 0.75·√a. R² is that of five fits, each judged on
    the fifth of the masks that it has not seen; 1 where the function does not vary, or depends on one feature only. The
    errors are those of the delete-a-fifth jackknife; 0 where the masks are all there are, so that nothing is sampled.

    Args:
        present: (m, a) True where a feature is present.
        worths: (m, R) the outputs.
        whole: Whether the masks are all 2^a.
    """
    m, a = present.shape
    design = np.concatenate((np.ones((m, 1)), present.astype(float)), axis=1)
    kernel = np.exp(-(a - present.sum(1)) / (WIDTH**2 * max(1, a)))
    folds = np.arange(m) % FOLDS
    weights = _solved(design, worths, kernel)
    error, parts = np.zeros_like(worths), []
    for fold in range(min(FOLDS, m)):
        out = folds == fold
        part = _solved(design[~out], worths[~out], kernel[~out])
        error[out] = worths[out] - design[out] @ part
        parts.append(part)
    share = kernel[:, None] / kernel.sum()
    mean = (share * worths).sum(0)
    variation = (share * (worths - mean) ** 2).sum(0)
    flat = (variation < VARIANCE_FLOOR * (1 + mean**2)) | (a < 2)
    r2 = np.where(flat, 1.0, 1 - (share * error**2).sum(0) / np.where(flat, 1.0, variation))
    if whole:
        return LocalFit(weights[1:], np.zeros_like(weights[1:]), r2)
    spread = np.sqrt((FOLDS - 1) / FOLDS * np.sum((np.stack(parts) - np.mean(parts, axis=0)) ** 2, axis=0))
    return LocalFit(weights[1:], spread[1:], r2)


def _solved(design: np.ndarray, worths: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the coefficients (a + 1, R) of the weighted fit with next to no ridge."""
    weighted = design * kernel[:, None]
    square = weighted.T @ design
    square[np.diag_indices(len(square))] += RIDGE * max(1.0, float(kernel.sum()))
    return np.asarray(np.linalg.solve(square, weighted.T @ worths))


def _first_masks(a: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Return the masks of the first round, and whether these are all there are."""
    count = 4 * a + 16
    if 2**a > count:
        return _drawn(a, count, rng), False
    masks = (np.arange(2**a)[:, None] >> np.arange(a) & 1).astype(bool)
    return masks[rng.permutation(len(masks))], True  # in random order, because folds are taken in order


def _drawn(a: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` random masks (count, a): as many with one feature left out as with two, and so on."""
    left_out = rng.integers(1, a + 1, count)
    order = rng.permuted(np.tile(np.arange(a), (count, 1)), axis=1)
    return order >= left_out[:, None]
