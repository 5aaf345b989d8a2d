"""Whether two candidates look at the same: how alike their attributions of the same rows are, and where they part.

Letters: n rows, P features, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.interpretability.rank_agreement import pair_agreement, sizes
from nas_core.records import Estimate

if TYPE_CHECKING:
    from nas_core.explanations.attribution import Attribution

__all__ = ["Agreement", "attribution_agreement", "comparable", "prediction_distance", "top_overlap"]

RESAMPLES = 500
EDGES = (0.025, 0.975)
TOP = 5


@dataclass(frozen=True)
class Agreement:
    """How alike two attributions (n, P) of the same rows are.

    Attributes:
        cosine: (n,) cosine of the two rows of attributions, in [−1, 1]: direction and size of every feature.
        order: (n,) share of the pairs of features that both put in the same order of size, in [0, 1].
        top: (n,) share of the five largest features of each that are the same, in [0, 1].
        score: Mean cosine over the rows, with the 95 % interval over resampled rows. This is the agreement score.
        order_score, top_score: The same of the others.
        chance: Mean cosine when each row of one is put beside another row of the other: what agreeing about the
            features in general already gives.
        weight: (n,) (1 − cosine) times the mean length of the two rows: how much there is to disagree about.
    """

    cosine: np.ndarray
    order: np.ndarray
    top: np.ndarray
    score: Estimate
    order_score: Estimate
    top_score: Estimate
    chance: float
    weight: np.ndarray


def comparable(attribution: Attribution) -> np.ndarray:
    """Return the attributions (n, P · C) as they are compared.

    Several outputs are logits, which mean the same when all of them are raised by the same: their mean over the outputs
    is taken off every feature first.
    """
    values = attribution.values
    if values.shape[2] > 1:
        values = values - values.mean(axis=2, keepdims=True)
    return values.reshape(len(values), -1)


def attribution_agreement(first: Attribution, second: Attribution, *, seed: int = 0) -> Agreement:
    """Return how alike two attributions of the same rows against the same background are.

    Source: Krishna et al. (2022), arXiv 2202.01602: agreement of the top features and pairwise rank agreement, there
        between methods, here between networks.
    Differs: the score is the cosine, as it needs no k, counts signs, and gives features without influence no say. Two
        rows without any attribution agree (1), one without and one with do not (0). Ties count half in the order.

    Raises:
        ExplanationError: They are not of the same rows, features or outputs.
    """
    if first.values.shape != second.values.shape or not np.array_equal(first.data, second.data, equal_nan=True):
        raise ExplanationError(
            f"The attributions are of {first.values.shape} and {second.values.shape} values of different rows",
            allowed="attributions of the same rows, features and outputs", fix="explain the same rows of both",
        )  # fmt: skip
    if not len(first.values):
        raise ExplanationError("The attributions have no rows", allowed="one row or more", fix="explain some rows")
    one, two = comparable(first), comparable(second)
    cosine = _cosine(one, two)
    big = _per_feature(first), _per_feature(second)
    order = pair_agreement(sizes(big[0]), sizes(big[1]))
    top = top_overlap(*big)
    lengths = _length(one) / 2 + _length(two) / 2
    rng = np.random.default_rng(seed)
    shift = [_cosine(one, np.roll(two, k, axis=0)).mean() for k in range(1, min(len(one), 6))]
    return Agreement(
        cosine, order, top, _mean(cosine, rng), _mean(order, rng), _mean(top, rng),
        float(np.mean(shift)) if shift else float("nan"), (1.0 - cosine) * lengths,
    )  # fmt: skip


def top_overlap(first: np.ndarray, second: np.ndarray, k: int = TOP) -> np.ndarray:
    """Return (n,) which share of the k features with the largest sizes (n, P) the rows of both have in common.

    Features without influence are in no top; rows where neither has any agree (1).
    """
    found = np.ones(len(first))
    for i, (a, b) in enumerate(zip(first, second)):
        tops = [{int(j) for j in np.argsort(-row, kind="stable")[:k] if row[j] > 0} for row in (a, b)]
        most = max(len(top) for top in tops)
        if most:
            found[i] = len(tops[0] & tops[1]) / most
    return found


def prediction_distance(first: np.ndarray, second: np.ndarray, task: str) -> np.ndarray:
    """Return (n,) how far two predictions (n, C) of the same rows are apart.

    Of a classification it is the total variation distance of the class probabilities, in [0, 1]: the share of the
    probability that lies elsewhere. Of a regression it is the absolute difference.
    """
    if task == "regression":
        return np.abs(first[:, 0] - second[:, 0])
    shares = [_probabilities(outputs) for outputs in (first, second)]
    found: np.ndarray = np.abs(shares[0] - shares[1]).sum(axis=1) / 2
    return found


def _probabilities(outputs: np.ndarray) -> np.ndarray:
    logits = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = grown / grown.sum(axis=1, keepdims=True)
    return shares


def _per_feature(attribution: Attribution) -> np.ndarray:
    """Return the size (n, P) of each feature, over the outputs."""
    n, P = attribution.values.shape[:2]
    sizes_: np.ndarray = np.abs(comparable(attribution)).reshape(n, P, -1).mean(axis=2)
    return sizes_


def _cosine(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    # scaled first, so that squares neither overflow nor vanish
    scaled = [_scaled(one), _scaled(two)]
    lengths = [np.linalg.norm(a, axis=1) for a in scaled]
    known = (lengths[0] > 0) & (lengths[1] > 0)
    inner = (scaled[0] * scaled[1]).sum(axis=1) / np.where(known, lengths[0] * lengths[1], 1.0)
    both_silent = (lengths[0] == 0) & (lengths[1] == 0)
    found: np.ndarray = np.where(known, np.clip(inner, -1.0, 1.0), both_silent.astype(float))
    return found


def _length(values: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.abs(values).max(axis=1, initial=0.0) * np.linalg.norm(_scaled(values), axis=1)
    return found


def _scaled(values: np.ndarray) -> np.ndarray:
    top = np.abs(values).max(axis=1, initial=0.0, keepdims=True)
    found: np.ndarray = values / np.where(top > 0, top, 1.0)
    return found


def _mean(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Return the mean with its 95 % interval over resampled rows; NaN (fewer than 2 features) counts as 1."""
    values = np.nan_to_num(values, nan=1.0)
    n = len(values)
    means = values[rng.integers(n, size=(RESAMPLES, n))].mean(axis=1)
    value = float(values.mean())
    low, high = np.quantile(means, EDGES)
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value))
