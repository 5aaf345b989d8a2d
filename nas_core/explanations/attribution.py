"""An attribution as frozen data, and what is averaged from it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from nas_core.errors import ExplanationError

__all__ = ["Attribution", "Importance", "importance"]

NORMAL_95 = 1.96


@dataclass(frozen=True)
class Attribution:
    """How much each feature moves the output of N rows away from the base; all arrays are read-only.

    Attributes:
        values: (N, P, C) φ, in logits, or in the unit of the target for regression.
        base: (C,) what the values are counted from, see ``origin``.
        outputs: (N, C) output of each row.
        data: (N, P) raw values of the rows of a table, NaN = missing; of signals (N, columns), NaN = padding.
        feature_names, output_names: P and C names.
        method: Name of the explainer.
        reason: Why this method was used.
        seconds: How long it took.
        errors: (N, P, C) standard errors of sampled values, 0 where they are exact; None when the method tells none.
        passes: Mixtures of rows that were sampled.
        maps: (N, C, height, width) the same at every place of a signal, where the method tells; a cell's value is the
            sum over its places.
        additive: Whether base and values are meant to add up to the output.
        origin: What ``base`` is: the mean output over the "background" rows, or the output's "bias".
        unit: "output": values are in the unit of the output; "share": they are shares that add up to 1; "slope": how
            much the output changes per standard deviation of a feature, without a sign.
        fit: (N, C) held-out R² of the simple model that the values are weights of, where the method fits one.
        fallback: Why another method was asked for and not used, in words; empty where this one was asked for.
    """

    values: np.ndarray
    base: np.ndarray
    outputs: np.ndarray
    data: np.ndarray
    feature_names: tuple[str, ...]
    output_names: tuple[str, ...]
    method: str
    reason: str = ""
    seconds: float = 0.0
    errors: np.ndarray | None = None
    passes: int = 0
    maps: np.ndarray | None = None
    additive: bool = True
    origin: Literal["background", "bias"] = "background"
    unit: Literal["output", "share", "slope"] = "output"
    fit: np.ndarray | None = None
    fallback: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                own = value.copy()
                own.setflags(write=False)
                object.__setattr__(self, field.name, own)

    @property
    def residuals(self) -> np.ndarray:
        """(N, C) what is missing from completeness: output − base − Σφ; says nothing where φ is not additive."""
        return self.outputs - self.base - self.values.sum(1)

    @property
    def residual(self) -> float:
        """Largest absolute completeness residual; 0 for no rows."""
        return float(np.abs(self.residuals).max(initial=0.0))

    @property
    def signed(self) -> bool:
        """Whether a value says in which direction a feature moves the output."""
        return self.unit == "output"

    @property
    def scale(self) -> float:
        """Largest absolute value; 0 for no rows."""
        return float(np.abs(self.values).max(initial=0.0))

    @property
    def margin(self) -> float:
        """Half the widest 95 % interval of a sampled value: every value is known to ± this; 0 without errors."""
        return NORMAL_95 * float(self.errors.max(initial=0.0)) if self.errors is not None else 0.0

    @property
    def typical_margin(self) -> float:
        """Half the 95 % interval of a sampled value, in the root mean square; 0 without errors."""
        if self.errors is None or not self.errors.any():
            return 0.0
        return NORMAL_95 * float(np.sqrt(np.mean(np.square(self.errors[self.errors > 0]))))

    def output(self, index: int) -> Attribution:
        """Return the attribution of one output only (C = 1).

        Raises:
            ExplanationError: There is no such output.
        """
        if not 0 <= index < len(self.base):
            raise ExplanationError(
                f"There is no output {index}", allowed=f"0 to {len(self.base) - 1}", fix="choose one of the outputs"
            )
        pick = slice(index, index + 1)
        return replace(
            self,
            values=self.values[:, :, pick],
            errors=None if self.errors is None else self.errors[:, :, pick],
            maps=None if self.maps is None else self.maps[:, pick],
            fit=None if self.fit is None else self.fit[:, pick],
            base=self.base[pick],
            outputs=self.outputs[:, pick],
            output_names=self.output_names[pick],
        )


@dataclass(frozen=True)
class Importance:
    """Global importance of the features: mean |φ| over rows, with a 95 % bootstrap interval; P values each."""

    feature_names: tuple[str, ...]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """(P,) feature indices, the most important first; ties in the order of the data."""
        return np.argsort(-self.value, kind="stable")


def importance(attribution: Attribution, *, resamples: int = 200, seed: int = 0) -> Importance:
    """Return mean |φ| of every feature with the 95 % percentile interval over resampled rows.

    Several outputs are averaged. Raises :class:`ExplanationError` when there are no rows.
    """
    sizes = np.abs(attribution.values).mean(2)
    if not len(sizes):
        raise ExplanationError("The attribution has no rows", allowed="one row or more", fix="explain some rows first")
    draws = np.random.default_rng(seed).integers(len(sizes), size=(resamples, len(sizes)))
    flat = draws + len(sizes) * np.arange(resamples)[:, None]
    weights = np.bincount(flat.ravel(), minlength=resamples * len(sizes)).reshape(resamples, -1) / len(sizes)
    low, high = np.quantile(weights @ sizes, (0.025, 0.975), axis=0)
    return Importance(attribution.feature_names, sizes.mean(0), low, high)
