"""The rules of a surrogate tree: one sentence per leaf, which together say exactly what the tree says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Condition", "Rule", "cut_words"]

DIGITS = 3


@dataclass(frozen=True)
class Condition:
    """What a rule asks of one feature: a number in (low, high], or one of some categories.

    Attributes:
        feature, name: Which feature.
        low, high: Ends in the unit of the feature; infinite where there is none.
        low_words, high_words: The same as a person reads them.
        codes: Codes of the categories that are allowed, ascending; None for a number.
        levels: Names of all categories of the feature.
    """

    feature: int
    name: str
    low: float = -np.inf
    high: float = np.inf
    low_words: str = ""
    high_words: str = ""
    codes: tuple[int, ...] | None = None
    levels: tuple[str, ...] = ()

    def holds(self, X: np.ndarray) -> np.ndarray:
        """Return (n,) whether rows (n, P) without missing values fulfil it."""
        x = X[:, self.feature]
        if self.codes is not None:
            return np.isin(x, self.codes)
        return (x > self.low) & (x <= self.high)

    def joined(self, other: Condition) -> Condition:
        """Return the condition that holds where this one and another one of the same feature do."""
        if self.codes is not None and other.codes is not None:
            return replace(self, codes=tuple(c for c in self.codes if c in other.codes))
        narrow = self
        if other.low > self.low:
            narrow = replace(narrow, low=other.low, low_words=other.low_words)
        if other.high < self.high:
            narrow = replace(narrow, high=other.high, high_words=other.high_words)
        return narrow

    @property
    def words(self) -> str:
        """The condition for a person: ``3 < age ≤ 8``, ``colour is red or blue``."""
        if self.codes is not None:
            allowed = [self.levels[c] for c in self.codes]
            others = [name for c, name in enumerate(self.levels) if c not in self.codes]
            if len(others) < len(allowed):
                return f"{self.name} is not {' or '.join(others)}"
            return f"{self.name} is {' or '.join(allowed)}"
        if self.high == np.inf:
            return f"{self.name} > {self.low_words}"
        if self.low == -np.inf:
            return f"{self.name} ≤ {self.high_words}"
        return f"{self.low_words} < {self.name} ≤ {self.high_words}"


@dataclass(frozen=True)
class Rule:
    """One leaf of a tree.

    Attributes:
        conditions: What its rows fulfil, one per feature, in the order in which the tree asks.
        node: Number of the leaf.
        answer: What the tree says of them.
        rows: How many of the rows that the tree was grown on are in it.
        confidence: Share of these rows to which the network gives the same class, or ± the standard deviation of the
            network's outputs, for a person.
    """

    conditions: tuple[Condition, ...]
    node: int
    answer: str
    rows: int
    confidence: str

    def holds(self, X: np.ndarray) -> np.ndarray:
        """Return (n,) whether rows (n, P) without missing values fall under it."""
        found = np.ones(len(X), bool)
        for condition in self.conditions:
            found &= condition.holds(X)
        return found

    @property
    def words(self) -> str:
        """``if worst area ≤ 880 and … then benign (312 rows, 98 %)``."""
        count = "1 row" if self.rows == 1 else f"{self.rows} rows"
        end = f"{self.answer} ({count}, {self.confidence})"
        if not self.conditions:
            return f"always {end}"
        return f"if {' and '.join(c.words for c in self.conditions)} then {end}"


def cut_words(cut: float, values: np.ndarray) -> str:
    """Return a threshold in as few digits, three at least, as put all known ``values`` on the side they belong to."""
    below = np.count_nonzero(values <= cut)
    for digits in range(DIGITS, 17):
        words = np.format_float_positional(float(f"{cut:.{digits}g}"), trim="-")
        if np.count_nonzero(values <= float(words)) == below:
            break
    return words if 1e-4 <= abs(cut) < 1e7 or cut == 0 else f"{float(words):.{digits}g}"
