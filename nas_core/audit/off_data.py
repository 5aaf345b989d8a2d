"""Whether the function that mixtures of rows show is the function that the data show.

LIME, KernelSHAP and every measure of a local fit ask a model about rows that do not exist: some features of one row,
the others of another. A scaffolded model (Slack et al. 2020) recognises such rows and behaves innocently there, while
it uses on real rows what it hides on mixtures. Here the two behaviours are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nas_core.records import Estimate, FiniteRecord, derive_seed

__all__ = ["OffData", "off_data_check"]

Predict = Callable[[np.ndarray], np.ndarray]

ROWS, FEWEST, TREES = 500, 30, 60
KEPT = (0.2, 0.8)
LEARNABLE, LOST, HALF = 0.2, 0.05, 0.5
RESAMPLES = 300
NOTHING = 1e-10


class OffData(FiniteRecord):
    """Whether a model behaves on mixtures as it does on data.

    Attributes:
        mixtures: Share of the variance of the output on mixtures that the function fitted to mixtures explains.
        carried: Share of the variance on real rows that the same function explains there.
        possible: The same of a function of the same kind that was fitted to real rows; what can be expected.
        lost: ``possible`` − ``carried`` with its 95 % interval over real rows; None where there is no verdict.
        flagged: True when what mixtures show is clearly not what the data show.
        words: What that means.
        reason: Why there is no verdict; empty where there is one.
    """

    mixtures: float | None = None
    carried: float | None = None
    possible: float | None = None
    lost: Estimate | None = None
    flagged: bool = False
    words: str = ""
    reason: str = ""


def off_data_check(predict: Predict, X: np.ndarray, *, known: np.ndarray | None = None, seed: int = 0) -> OffData:
    """Return whether the function that mixtures of rows show is the one that the rows show.

    Some rows are learned from, others are looked at. One set of trees is fitted to the outputs of mixtures of the
    former (each feature from one of two rows, at random), another one to the outputs of the rows themselves. Both are
    then asked about the latter. Where both can be learned, but what was learned from mixtures explains less than half
    of what can be known of the real rows, beyond chance, the model does one thing where it is used and another where it
    is explained: measures and attributions that are computed on mixtures describe the latter.

    Source: the attack is Slack et al. (2020), arXiv 1911.02508; that explanations must be checked on the data manifold:
    Frye et al. (2021), arXiv 2006.01272.
    Differs: a comparison of two fits, not a detector of rows that are off the data, so a model that merely extrapolates
    strangely where no attribution looks is not accused.
    Costs: 5·500 predictions and two fits of 60 randomised trees (Geurts et al. 2006), about a second.

    Args:
        predict: (n, P) array → (n,) or (n, C) outputs: logits or predictions.
        X: (N, P) held-out rows; missing values are fine.
        known: (M, P) rows to learn from, such as the training rows; half of ``X`` when None.
        seed: Decides halves and mixtures.
    """
    X = np.asarray(X, float)
    learned = X if known is None else np.asarray(known, float)
    need = FEWEST * (2 if known is None else 1)
    if min(len(X), len(learned)) < need:
        return _silent(f"There are {min(len(X), len(learned))} rows; {need} are needed to compare fits")
    varying = [j for j in range(X.shape[1]) if len(np.unique(X[~np.isnan(X[:, j]), j])) > 1]
    if len(varying) < 2:
        return _silent("Fewer than two features vary, so there is nothing to mix")
    rng = np.random.default_rng(derive_seed("off data", seed))
    order = rng.permutation(len(X))
    own = order[: len(order) // 2] if known is None else rng.permutation(len(learned))
    real = learned[own[:ROWS]]
    asked = X[(order[len(order) // 2 :] if known is None else order)[:ROWS]]
    mixed, judged = _mixtures(real, 2 * len(real), rng), _mixtures(asked, len(asked), rng)
    outputs = [_centred(predict(rows)) for rows in (real, asked, mixed, judged)]
    if not all(np.isfinite(f).all() for f in outputs):
        return _silent("Some of its outputs are not finite numbers")
    on_real, on_asked, on_mixed, on_judged = outputs
    if _variance(on_asked) < NOTHING * (1 + float((on_asked**2).mean())):
        return _silent("Its outputs do not vary over the rows")
    from_mixtures = _errors(mixed, on_mixed, [(judged, on_judged), (asked, on_asked)], seed)
    from_data = _errors(real, on_real, [(asked, on_asked)], seed)
    if _variance(on_judged) < 1e-3 * _variance(on_asked):
        seen = 1.0  # it is constant on mixtures: they show that, exactly
    else:
        seen = 1.0 - float(from_mixtures[0].mean()) / _variance(on_judged)
    return _verdict(seen, from_mixtures[1], from_data[0], on_asked, rng)


def _verdict(seen: float, mixtures: np.ndarray, data: np.ndarray, f: np.ndarray, rng: np.random.Generator) -> OffData:
    """Return the verdict from the squared errors (n,) on real rows of what mixtures and what data taught."""
    deviations = ((f - f.mean(0)) ** 2).sum(1)
    draws = rng.integers(len(f), size=(RESAMPLES, len(f)))
    scale = np.maximum(deviations[draws].mean(1), NOTHING)
    value = float((mixtures - data).mean() / deviations.mean())
    low, high = np.quantile((mixtures - data)[draws].mean(1) / scale, (0.025, 0.975))
    carried, possible = (1.0 - float(e.mean() / deviations.mean()) for e in (mixtures, data))
    lost = Estimate(value=value, low=float(min(low, value)), high=float(max(high, value)))
    flagged = seen >= LEARNABLE and possible >= LEARNABLE and lost.low > LOST and carried < HALF * possible
    if flagged:
        words = (
            f"On mixtures of rows it is another function than on the data: what trees learn there explains {seen:.0%} "
            f"of it there, and {_share(carried)} of it on real rows, where {possible:.0%} can be learned. Attributions "
            "and local fits that ask about mixtures (LIME, KernelSHAP) describe what it does where it is never used."
        )
    elif possible < LEARNABLE:
        words = "Trees cannot follow it on real rows well enough to compare the two."
    elif seen < LEARNABLE:
        words = "Trees cannot follow it on mixtures of rows well enough to compare the two."
    else:
        words = (
            f"On mixtures of rows it is the function that it is on the data, as far as trees can tell: they carry "
            f"{_share(carried)} of it over, of {possible:.0%} that can be learned."
        )
    return OffData(mixtures=seen, carried=carried, possible=possible, lost=lost, flagged=flagged, words=words)


def _silent(reason: str) -> OffData:
    return OffData(reason=reason, words=f"{reason}.")


def _share(value: float) -> str:
    return f"{value:.0%}" if value > 0 else "nothing"


def _mixtures(X: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows (count, P), each feature from one of two rows; how much is kept of the first varies."""
    one, other = (X[rng.integers(len(X), size=count)] for _ in range(2))
    share = rng.uniform(*KEPT, size=(count, 1))
    return np.where(rng.random(one.shape) < share, one, other)


def _errors(X: np.ndarray, f: np.ndarray, asked: list[tuple[np.ndarray, np.ndarray]], seed: int) -> list[np.ndarray]:
    """Return the squared errors (n,) on ``asked`` rows of trees fitted to outputs ``f`` (n, C) of rows X."""
    from sklearn.ensemble import ExtraTreesRegressor

    trees: Any = ExtraTreesRegressor(TREES, min_samples_leaf=2, random_state=seed % 2**32).fit(
        X, f[:, 0] if f.shape[1] == 1 else f
    )
    return [((trees.predict(rows).reshape(truth.shape) - truth) ** 2).sum(1) for rows, truth in asked]


def _variance(f: np.ndarray) -> float:
    """Return the variance of outputs (n, C), summed over them."""
    return float(((f - f.mean(0)) ** 2).sum(1).mean())


def _centred(outputs: np.ndarray) -> np.ndarray:
    """Return outputs (n, C) float64, several of them against their mean."""
    f = np.asarray(outputs, np.float64)
    f = f[:, None] if f.ndim == 1 else f
    return f - f.mean(1, keepdims=True) if f.shape[1] > 1 else f
