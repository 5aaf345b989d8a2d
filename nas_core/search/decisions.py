"""Architectures as named decisions: what a policy, a density or a process over choices learns from.

A space makes an architecture of decisions that a ``Chooser`` takes (see ``nas_core.spaces.variables.Variable.decide``).
Here are the choosers: one that writes down the decisions of a known architecture, and one that follows given answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nas_core.records import Architecture
from nas_core.search.strategy import Space

__all__ = ["Decision", "Follower", "Scribe", "decisions_of"]


class Decision(NamedTuple):
    """One answer.

    Attributes:
        options: How many options there were; 0 for a number in [0, 1].
        answer: The position of the option, or the number.
    """

    options: int
    answer: float


@dataclass
class Scribe:
    """Writes down every decision, answered as the known architecture has it, else with the first option."""

    told: dict[str, Decision] = field(default_factory=dict)

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        """Return the known answer."""
        answer = like or 0
        self.told[name] = Decision(len(options), answer)
        return answer

    def number(self, name: str, like: float | None) -> float:
        """Return the known answer."""
        answer = 0.5 if like is None else like
        self.told[name] = Decision(0, answer)
        return answer


@dataclass(frozen=True)
class Follower:
    """Takes given answers where there are any, else the first option or the middle of a scale."""

    answers: Mapping[str, float]

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        """Return the given answer."""
        return min(int(self.answers.get(name, 0)), len(options) - 1)

    def number(self, name: str, like: float | None) -> float:
        """Return the given answer."""
        return float(self.answers.get(name, 0.5))


def decisions_of(space: Space, architecture: Architecture, hints: Any = None) -> dict[str, Decision]:
    """Return the decisions that make ``architecture``, by name, in the order in which they are taken."""
    scribe = Scribe()
    space.decide(scribe, hints, architecture)
    return scribe.told
