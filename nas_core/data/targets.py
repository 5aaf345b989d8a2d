"""Transforms of a target quantity: what a network is trained to predict instead of the value itself."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nas_core.errors import DataError

__all__ = ["TARGET_TRANSFORMS", "TargetScale", "TargetTransform", "TransformName", "fit_transform"]

TransformName = Literal["none", "log1p", "yeo_johnson", "quantile"]
TARGET_TRANSFORMS: tuple[TransformName, ...] = ("none", "log1p", "yeo_johnson", "quantile")
KNOTS = 2_000
LOST = 1e-3  # of the range, that a power transform may lose: an extreme λ presses one end into a single number
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TargetTransform:
    """A strictly increasing function of the target, fitted on training rows, and its inverse.

    The inverse never leaves the training range: the inverse of a slightly too large logarithm can be larger than all
    values together, and would then decide the mean squared error alone.

    Attributes:
        name: Which one.
        low, high: Smallest and largest training value, in the target's own unit.
        power: λ of Yeo and Johnson.
        values, scores: (M,) increasing knots of ``quantile``: values and their normal scores.
    """

    name: TransformName
    low: float
    high: float
    power: float = 1.0
    values: Floats | None = None
    scores: Floats | None = None

    def forward(self, y: NDArray[Any]) -> Floats:
        """Return what is trained on, for values ``y`` of any shape in the target's own unit."""
        y = np.asarray(y, dtype=np.float64)
        if self.name == "log1p":
            return np.log1p(np.maximum(y, 0.0))
        if self.name == "yeo_johnson":
            return _yeo_johnson(y, self.power)
        if self.name == "quantile":
            return np.interp(y, *self._knots())
        return y

    def inverse(self, u: NDArray[Any]) -> Floats:
        """Return values in the target's own unit within the training range; ``none`` has no range."""
        u = np.asarray(u, dtype=np.float64)
        if self.name == "none":
            return u
        ends = self.forward(np.array([self.low, self.high]))
        u = np.clip(u, *ends)
        if self.name == "log1p":
            found = np.expm1(u)
        elif self.name == "yeo_johnson":
            found = _yeo_johnson_inverse(u, self.power)
        else:
            values, scores = self._knots()
            found = np.interp(u, scores, values)
        return np.clip(found, self.low, self.high)

    def words(self, target: str) -> str:
        """Return what is trained on, for a person: ``ln(1 + price)``."""
        return {
            "none": target,
            "log1p": f"ln(1 + {target})",
            "yeo_johnson": f"{target}, Yeo–Johnson (λ = {self.power:.3g})",
            "quantile": f"normal score of {target}",
        }[self.name]

    def _knots(self) -> tuple[Floats, Floats]:
        assert self.values is not None  # fit_transform gives them to every "quantile"
        assert self.scores is not None
        return self.values, self.scores


@dataclass(frozen=True)
class TargetScale:
    """The unit in which a regression is trained, and the one in which it is judged; both have mean 0 and sd 1.

    R², MSE and MAE are judged without the transform, so that networks trained on different transforms compare.

    Attributes:
        transform: What the target goes through first.
        mean, sd: Of the transformed target over the training rows.
        own_mean, own_sd: Of the target itself over the training rows.
    """

    transform: TargetTransform
    mean: float
    sd: float
    own_mean: float
    own_sd: float

    @classmethod
    def fit(cls, name: TransformName, y: NDArray[Any]) -> TargetScale:
        """Fit on training values y (n,).

        Raises:
            DataError: They cannot be transformed so.
        """
        y = np.asarray(y, dtype=np.float64)
        transform = fit_transform(name, y)
        u = transform.forward(y)
        return cls(transform, float(u.mean()), _sd(u), float(y.mean()), _sd(y))

    def trained(self, y: NDArray[Any]) -> Floats:
        """Return values in the target's own unit in the unit that is trained."""
        return (self.transform.forward(y) - self.mean) / self.sd

    def standardised(self, y: NDArray[Any]) -> Floats:
        """Return values in the target's own unit in the unit that is judged."""
        return (np.asarray(y, dtype=np.float64) - self.own_mean) / self.own_sd

    def judged(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return outputs of networks, of any shape, in the unit that is judged."""
        if self.transform.name == "none":
            return outputs
        return self.standardised(self.transform.inverse(outputs.astype(np.float64) * self.sd + self.mean))


def _sd(values: Floats) -> float:
    """Return the standard deviation, 1 of a constant."""
    sd = float(values.std())
    return sd if sd > 0 else 1.0


def fit_transform(name: TransformName, y: NDArray[Any]) -> TargetTransform:
    """Fit a transform on training values y (n,).

    ``log1p`` is ln(1 + y); ``yeo_johnson`` the power transform of Yeo and Johnson (2000), its λ by maximum likelihood;
    ``quantile`` maps ranks to normal scores, linear between the training values (2,000 of them at most).

    Raises:
        DataError: ``log1p`` of negative values, or values that a transform makes infinite or equal.
    """
    y = np.asarray(y, dtype=np.float64)
    low, high = float(y.min()), float(y.max())
    if name == "log1p" and low < 0:
        raise DataError(
            f"The target has negative values in training rows (the smallest is {low:g})",
            allowed="values of 0 and more for the transform log1p",
            fix="use yeo_johnson or quantile",
        )
    made = TargetTransform(name, low, high)
    if name == "yeo_johnson":
        made = TargetTransform(name, low, high, power=_power(y))
    elif name == "quantile":
        made = TargetTransform(name, low, high, 1.0, *_normal_scores(y))
    lost = np.abs(made.inverse(made.forward(y)) - y).max()
    if name == "yeo_johnson" and not lost <= LOST * (high - low):
        raise DataError(
            f"The transform {name} cannot tell the values of the target apart (from {low:g} to {high:g})",
            allowed="values that are not nearly all the same",
            fix="use quantile, or none",
        )
    return made


def _power(y: Floats) -> float:
    from scipy import stats

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a likelihood that overflows is told by what the transform loses
        return float(stats.yeojohnson_normmax(y))


def _normal_scores(y: Floats) -> tuple[Floats, Floats]:
    """Return different values and the normal scores of their middle ranks."""
    from scipy.special import ndtri

    values, counts = np.unique(y, return_counts=True)
    scores = ndtri((np.cumsum(counts) - 0.5 * counts) / len(y))
    if len(values) > KNOTS:
        kept = np.linspace(0, len(values) - 1, KNOTS).astype(np.int64)
        values, scores = values[kept], scores[kept]
    return values, scores


def _yeo_johnson(y: Floats, power: float) -> Floats:
    """Return Yeo and Johnson's ψ(λ, y)."""
    above, below = np.maximum(y, 0.0), np.maximum(-y, 0.0)
    return np.where(y >= 0, _box_cox(above, power), -_box_cox(below, 2.0 - power))


def _yeo_johnson_inverse(u: Floats, power: float) -> Floats:
    above, below = np.maximum(u, 0.0), np.maximum(-u, 0.0)
    return np.where(u >= 0, _box_cox_inverse(above, power), -_box_cox_inverse(below, 2.0 - power))


def _box_cox(x: Floats, power: float) -> Floats:
    """Return ((1 + x)^λ − 1) / λ of x ≥ 0, and its limit ln(1 + x), without losing small values."""
    logs = np.log1p(x)
    return logs if abs(power) < 1e-12 else np.expm1(power * logs) / power


def _box_cox_inverse(u: Floats, power: float) -> Floats:
    if abs(power) < 1e-12:
        return np.expm1(u)
    return np.expm1(np.log1p(np.maximum(power * u, -1.0 + 1e-16)) / power)
