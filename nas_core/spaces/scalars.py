"""Scalar variables: one choice of a list, an integer, a flag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nas_core.spaces.variables import Chooser, Context, Edit, Variable, register_variable

__all__ = ["Categorical", "Flag", "Integer"]

FEW = 20
"""Numbers up to which each is an option by itself."""


class Categorical(Variable):
    """One of a list of choices; ``ordered`` choices mutate to an adjacent one."""

    kind: Literal["categorical"] = "categorical"
    choices: tuple[int | str, ...] = Field(min_length=1)
    ordered: bool = False

    @model_validator(mode="after")
    def _unique(self) -> Self:
        if len(set(self.choices)) != len(self.choices):
            raise ValueError(f"the choices of {self.name} are repeated: {list(self.choices)}")
        return self

    def sample(self, rng: np.random.Generator, context: Context) -> int | str:
        """Return one choice, all equally likely."""
        return self.choices[int(rng.random() * len(self.choices))]

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> int | str:
        """Return another choice; an adjacent one when ordered."""
        options = list(self.neighbours(value, context))
        return options[int(rng.random() * len(options))] if options else self.choices[0]

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Any:
        """Return one parent's choice."""
        return a if rng.random() < 0.5 else b

    def neighbours(self, value: Any, context: Context) -> Iterator[int | str]:
        """Yield every other choice; the adjacent ones when ordered."""
        if not self.ordered or value not in self.choices:
            yield from (c for c in self.choices if c != value)
            return
        at = self.choices.index(value)
        yield from (self.choices[i] for i in (at - 1, at + 1) if 0 <= i < len(self.choices))

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield every other choice."""
        yield from (Edit("", "change", str(c), c) for c in self.choices if c != value)

    def count(self, context: Context) -> int:
        """Return the number of choices."""
        return len(self.choices)

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return the position in [0, 1] when ordered, else one-hot (all zero outside the domain)."""
        if self.ordered:
            at = self.choices.index(value) if value in self.choices else 0
            return np.array([at / max(1, len(self.choices) - 1)])
        return np.array([1.0 if c == value else 0.0 for c in self.choices])

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        return [self.name] if self.ordered else [f"{self.name}={c}" for c in self.choices]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is not one of the choices, or None."""
        if value in self.choices and not isinstance(value, bool):
            return None
        return f"{self.name} is {value!r}; allowed: {', '.join(map(str, self.choices))}"

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> int | str:
        """Return one choice: one decision."""
        known = self.choices.index(like) if like in self.choices else None
        return self.choices[chooser.pick(self.name, self.choices, known)]

    def tidy(self, value: Any) -> Any:
        """Return the choice itself."""
        return value


class Integer(Variable):
    """A whole number in [low, high]."""

    kind: Literal["integer"] = "integer"
    low: int
    high: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"{self.name} has low {self.low} above high {self.high}")
        return self

    def sample(self, rng: np.random.Generator, context: Context) -> int:
        """Return a number of the range, all equally likely."""
        return self.low + int(rng.random() * (self.high - self.low + 1))

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> int:
        """Return an adjacent number, sometimes any other one."""
        options = list(self.neighbours(value, context))
        if rng.random() < 0.2:
            options = [v for v in range(self.low, self.high + 1) if v != value]
        return options[int(rng.random() * len(options))] if options else self.low

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Any:
        """Return one parent's number."""
        return a if rng.random() < 0.5 else b

    def neighbours(self, value: Any, context: Context) -> Iterator[int]:
        """Yield the number below and the number above."""
        yield from (v for v in (value - 1, value + 1) if self.low <= v <= self.high)

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield every other number of the range, at most 100 of them evenly spaced."""
        step = max(1, (self.high - self.low) // 100)
        yield from (Edit("", "change", str(v), v) for v in range(self.low, self.high + 1, step) if v != value)

    def count(self, context: Context) -> int:
        """Return how many numbers the range has."""
        return self.high - self.low + 1

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return the position in the range, in [0, 1]."""
        return np.array([(value - self.low) / max(1, self.high - self.low)])

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of the one entry."""
        return [self.name]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is not a whole number of the range, or None."""
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return None
        return f"{self.name} is {value!r}; allowed: a whole number from {self.low} to {self.high}"

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> int:
        """Return a number of the range: one decision, a pick where there are few."""
        span = self.high - self.low
        known = like if isinstance(like, int) and self.low <= like <= self.high else None
        if span < FEW:
            options = range(self.low, self.high + 1)
            return options[chooser.pick(self.name, options, None if known is None else known - self.low)]
        return self.low + round(chooser.number(self.name, None if known is None else (known - self.low) / span) * span)

    def tidy(self, value: Any) -> int:
        """Return a plain int."""
        return int(value)


class Flag(Variable):
    """Yes or no."""

    kind: Literal["flag"] = "flag"

    def sample(self, rng: np.random.Generator, context: Context) -> bool:
        """Return yes or no, equally likely."""
        return bool(rng.random() < 0.5)

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> bool:
        """Return the other one."""
        return not value

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Any:
        """Return one parent's answer."""
        return a if rng.random() < 0.5 else b

    def neighbours(self, value: Any, context: Context) -> Iterator[bool]:
        """Yield the other one."""
        yield not value

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield the other one."""
        yield Edit("", "change", "no" if value else "yes", not value)

    def count(self, context: Context) -> int:
        """Return 2."""
        return 2

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return 1 for yes, 0 for no."""
        return np.array([float(value)])

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of the one entry."""
        return [self.name]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is not a yes or no, or None."""
        return None if isinstance(value, bool) else f"{self.name} is {value!r}; allowed: true or false"

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> bool:
        """Return yes or no: one decision."""
        return bool(chooser.pick(self.name, (False, True), None if like is None else int(like)))

    def tidy(self, value: Any) -> bool:
        """Return a plain bool."""
        return bool(value)


register_variable("categorical", Categorical)
register_variable("integer", Integer)
register_variable("flag", Flag)
