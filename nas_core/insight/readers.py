"""Readers of the plain variables: one choice of a list, a number, a yes or no."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nas_core.insight.facets import Reader
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Flag, Integer

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.variables import Variable

__all__ = ["NumberReader", "OptionReader", "plain", "scalar_readers"]


class OptionReader(Reader):
    """One option of a list without an order, one-hot."""

    def __init__(self, variable: Variable, options: Sequence[Any], words: dict[Any, str] | None = None) -> None:
        self.key, self.label = variable.name, variable.label or variable.name
        self._options, self._words = tuple(options), words or {}
        self.names = tuple(map(self.say, self._options))

    def row(self, values: dict[str, Any]) -> list[float]:
        return [float(values[self.key] == option) for option in self._options]

    def level(self, values: dict[str, Any]) -> Any:
        return values[self.key]

    def levels(self) -> tuple[Any, ...]:
        return self._options

    def say(self, level: Any) -> str:
        return self._words.get(level, str(level))


class NumberReader(Reader):
    """A number; on a logarithmic scale where the variable is, with whether it is exactly 0."""

    def __init__(self, variable: Variable, *, log: bool = False, floor: float = 0.0) -> None:
        self.key, self.label = variable.name, variable.label or variable.name
        self._log, self._floor = log, floor
        self.names = (self.label, f"{self.label} = 0")

    def row(self, values: dict[str, Any]) -> list[float]:
        value = float(values[self.key])
        placed = math.log(max(value, self._floor)) if self._log else value
        return [placed, float(value == 0)]

    def level(self, values: dict[str, Any]) -> float:
        return float(values[self.key])

    def levels(self) -> None:
        return None

    def say(self, level: Any) -> str:
        return plain(level)


def scalar_readers(variable: Variable, space: SearchSpace, seen: Sequence[Any]) -> list[Reader]:
    """Return the one reader of a plain variable.

    An option that only another version of the space offered is read as well.
    """
    if isinstance(variable, Categorical):
        if variable.ordered and all(isinstance(c, int) for c in (*variable.choices, *seen)):
            return [NumberReader(variable)]
        return [OptionReader(variable, list(dict.fromkeys((*variable.choices, *sorted(set(seen), key=str)))))]
    if isinstance(variable, Flag):
        return [OptionReader(variable, (False, True), {False: "no", True: "yes"})]
    if isinstance(variable, Integer):
        return [NumberReader(variable)]
    if isinstance(variable, Real):
        positive = [float(v) for v in seen if v > 0]
        floor = min([variable.low, *positive]) if variable.low > 0 else min(positive, default=1.0)
        return [NumberReader(variable, log=variable.log, floor=floor)]
    from nas_core.records import canonical_json

    texts = sorted({canonical_json(v) for v in seen})  # a variable of a plug-in: which of the values that occurred
    return [_WholeReader(variable, texts)]


class _WholeReader(Reader):
    """A value as a whole, one-hot over those that occurred."""

    def __init__(self, variable: Variable, texts: Sequence[str]) -> None:
        self.key, self.label, self._texts = variable.name, variable.label or variable.name, tuple(texts)
        self.names = self._texts

    def row(self, values: dict[str, Any]) -> list[float]:
        own = self.level(values)
        return [float(own == text) for text in self._texts]

    def level(self, values: dict[str, Any]) -> str:
        from nas_core.records import canonical_json

        return canonical_json(values[self.key])

    def levels(self) -> tuple[Any, ...]:
        return self._texts

    def say(self, level: Any) -> str:
        return str(level)


def plain(value: float) -> str:
    """Return a number as a person writes it, three significant digits at most."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e6 else f"{value:.3g}"
