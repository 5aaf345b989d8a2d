"""The scalar variable of real numbers, on a linear or a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nas_core.spaces.variables import Chooser, Context, Edit, Variable, register_variable

__all__ = ["Real"]

_DIGITS = 3


class Real(Variable):
    """A number in [low, high], optionally also exactly 0.

    On a log scale values have three significant digits; on a linear one they are multiples of ``step``. So the domain
    is finite, JSON is stable and the space can be counted.

    Attributes:
        zero: Probability that a sample is exactly 0; above 0 makes 0 a member of the domain.
    """

    kind: Literal["real"] = "real"
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = False
    step: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    zero: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"{self.name} has low {self.low} above high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"{self.name} is on a log scale and needs low above 0, not {self.low}")
        for edge in (self.low, self.high):
            if self.tidy(edge) != edge:
                near = self.tidy(edge)
                raise ValueError(f"{self.name} has the limit {edge}, which is not one of its values; nearest: {near}")
        return self

    def sample(self, rng: np.random.Generator, context: Context) -> float:
        """Return 0 with probability ``zero``, else a value uniform on the scale."""
        if self.zero and rng.random() < self.zero:
            return 0.0
        return self._at(float(rng.random()))

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> float:
        """Return a value a normal step (15 % of the scale) away, sometimes 0 or a fresh sample."""
        for _ in range(8):
            moved = self._jump(value, rng)
            if moved != value:
                return moved
        return next(self.neighbours(value, context), value)

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> float:
        """Return one parent's value, or one between the two."""
        draw = rng.random()
        if draw < 0.4 or 0 in (a, b):
            return a if draw < 0.2 or (draw >= 0.4 and rng.random() < 0.5) else b
        mix = float(rng.random())
        return self._at(mix * self._unit(a) + (1 - mix) * self._unit(b))

    def neighbours(self, value: Any, context: Context) -> Iterator[float]:
        """Yield the values a tenth of the scale below and above, and 0 where it is allowed."""
        if value == 0 and self.zero:
            yield from dict.fromkeys(v for v in (self._at(0.0), self._at(0.5)) if v != 0)
            return
        at = self._unit(value)
        near = [self._at(max(0.0, at - 0.1)), self._at(min(1.0, at + 0.1))]
        yield from dict.fromkeys(v for v in [*near, *([0.0] if self.zero else [])] if v != value)

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield eleven values evenly spaced on the scale, and 0 where it is allowed."""
        offered = [*([0.0] if self.zero else []), *(self._at(i / 10) for i in range(11))]
        yield from (Edit("", "change", f"{v:g}", v) for v in dict.fromkeys(offered) if v != value)

    def count(self, context: Context) -> int:
        """Return how many values the domain has, 0 included where allowed."""
        extra = 1 if self.zero and not self.low <= 0 <= self.high else 0
        if not self.log:
            return round((self.high - self.low) / self.step) + 1 + extra
        return _rank(self.high) - _rank(self.low) + 1 + extra

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return the position on the scale in [0, 1], and whether it is exactly 0 where that is allowed."""
        off = value == 0 and self.zero > 0
        unit = 0.0 if off else self._unit(value)
        return np.array([unit, float(off)]) if self.zero else np.array([unit])

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        return [self.name, f"{self.name}=0"] if self.zero else [self.name]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is not a number of the range, or None."""
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if number and (self.low <= value <= self.high or (value == 0 and self.zero > 0)):
            return None
        return f"{self.name} is {value!r}; allowed: {self.low:g} to {self.high:g}{' or 0' if self.zero else ''}"

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> float:
        """Return a value of the scale: one decision, before it whether it is 0 where it may be."""
        if self.zero:
            known = None if like is None else int(like == 0)
            if chooser.pick(f"{self.name} is 0", (False, True), known):
                return 0.0
        return self._at(chooser.number(self.name, None if like is None else min(1.0, max(0.0, self._unit(like)))))

    def tidy(self, value: Any) -> float:
        """Return the nearest value with three significant digits (log) or on the grid of ``step`` (linear)."""
        if self.log or (value == 0 and self.zero):
            return float(f"{value:.{_DIGITS}g}")
        return round(self.low + round((value - self.low) / self.step) * self.step, 10)

    def _jump(self, value: float, rng: np.random.Generator) -> float:
        if value == 0 and self.zero:
            return self._at(float(rng.random()))
        if self.zero and rng.random() < 0.25 * self.zero:
            return 0.0
        unit = self._unit(value) + 0.15 * float(rng.standard_normal())
        return self._at(min(1.0, max(0.0, unit)))

    def _unit(self, value: float) -> float:
        if self.high == self.low:
            return 0.0
        if self.log:
            low = math.log(self.low)
            return (math.log(max(value, self.low)) - low) / (math.log(self.high) - low)
        return (value - self.low) / (self.high - self.low)

    def _at(self, unit: float) -> float:
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return min(self.high, max(self.low, self.tidy(math.exp(low + unit * (high - low)))))
        return self.tidy(self.low + unit * (self.high - self.low))


def _rank(value: float) -> int:
    """Return the position of a positive three-digit decimal among all of them."""
    mantissa, exponent = f"{value:.{_DIGITS - 1}e}".split("e")
    return int(exponent) * 9 * 10 ** (_DIGITS - 1) + round(float(mantissa) * 10 ** (_DIGITS - 1)) - 10 ** (_DIGITS - 1)


register_variable("real", Real)
