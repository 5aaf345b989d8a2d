"""What became of the goals, for a person: who meets them, and what the nearest candidate lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import INTERPRETABILITY, PERFORMANCE, Goal
from nas_core.search.limits import Limits
from nas_core.search.ranking import Ranking
from nas_core.search.snapshot import Snapshot

__all__ = ["GoalLine", "GoalReport", "goal_report"]


@dataclass(frozen=True)
class GoalLine:
    """One goal, and how far the candidates are.

    Attributes:
        goal: What was asked for.
        at_least: False where smaller values are better.
        met: How many of the eligible candidates meet it.
        best: The value that comes nearest to it or is farthest beyond, in the goal's own unit; None without candidates.
        reached: Its value of the candidate that the report is about; None where it is undefined.
        lacks: By how much that candidate misses it, in the goal's own unit; 0 where it is met, None where undefined.
    """

    goal: Goal
    at_least: bool
    met: int
    best: float | None
    reached: float | None
    lacks: float | None


@dataclass(frozen=True)
class GoalReport:
    """What became of all goals together.

    Attributes:
        lines: One for each goal.
        met: How many candidates meet all of them.
        eligible: How many candidates there are that may be compared.
        position: The best candidate under the preference: one that meets all goals or, while none does, the nearest.
        index: Its running number.
        id: Its identity; None, as position and index, without an eligible candidate.
    """

    lines: tuple[GoalLine, ...]
    met: int
    eligible: int
    position: int | None
    index: int | None
    id: str | None

    def sentence(self, objective: Objective, labels: Mapping[str, str] | None = None) -> str:
        """Return in one sentence who meets the goals or, while nobody does, what the nearest candidate lacks.

        Args:
            objective: The performance objective.
            labels: What a person reads for a measure.
        """
        if not self.lines:
            return "There are no goals."
        goals = {1: "the goal", 2: "both goals"}.get(len(self.lines), f"all {len(self.lines)} goals")
        if self.index is None:
            return f"No candidate can be compared with {goals} yet."
        if self.met:
            return f"{self.met} of {self.eligible} candidates meet{'s' * (self.met == 1)} {goals}; best: #{self.index}."
        missing = [line for line in self.lines if line.lacks is None or line.lacks > 0.0]
        named = {PERFORMANCE: objective.label, **(labels or {})}
        words = ", ".join(
            _lacking(line, named.get(line.goal.name, line.goal.name.replace("_", " "))) for line in missing
        )
        goals = "the goal" if len(self.lines) == 1 else "the goals"
        return f"No candidate meets {goals}; nearest: #{self.index}, {words}."


def goal_report(snapshot: Snapshot, ranking: Ranking) -> GoalReport:
    """Return what became of the goals of the preference that ``snapshot`` was ranked under.

    Raises:
        SettingsError: As of :meth:`Snapshot.rank`.
    """
    limits = Limits.of(ranking.preference.goals, snapshot.objective, snapshot.names)
    misses = limits.misses(ranking.losses, snapshot.measures, snapshot.names)
    eligible = np.isfinite(ranking.violation)
    lines = [_line(snapshot, ranking, goal, misses[:, at], eligible) for at, goal in enumerate(limits.goals)]
    best = ranking.best
    index, identity = (None, None) if best is None else (int(snapshot.index[best]), snapshot.ids[best])
    return GoalReport(tuple(lines), int(ranking.meets.sum()), int(eligible.sum()), best, index, identity)


def _line(snapshot: Snapshot, ranking: Ranking, goal: Goal, missed: np.ndarray, eligible: np.ndarray) -> GoalLine:
    """Return what became of one goal; ``missed`` (n,) is by how much loss each candidate misses it."""
    values = _values(snapshot, ranking, goal.name)
    maximise = goal.name != PERFORMANCE or snapshot.objective.maximise
    known = values[eligible & ~np.isnan(values)]
    best = None if not known.size else float(known.max() if maximise else known.min())
    reached = lacks = None
    if ranking.best is not None and not np.isnan(values[ranking.best]):
        reached = float(values[ranking.best])
        lacks = abs(goal.value - reached) if missed[ranking.best] > 0.0 else 0.0
    return GoalLine(goal, maximise, int((missed[eligible] == 0.0).sum()), best, reached, lacks)


def _values(snapshot: Snapshot, ranking: Ranking, name: str) -> np.ndarray:
    """Return the values (n,) that a goal is about, in its own unit."""
    if name == PERFORMANCE:
        return snapshot.performance
    return ranking.interpretability if name == INTERPRETABILITY else snapshot.measure(name)


def _lacking(line: GoalLine, label: str) -> str:
    goal = f"{line.goal.value:.6g}"
    if line.reached is None:
        return f"{label} undefined (goal {goal})"
    digits = 3
    while digits < 6 and float(f"{line.reached:.{digits}g}") == line.goal.value:
        digits += 1  # a goal that is just missed must not read as one that is met
    return f"{label} {line.reached:.{digits}g} (goal {goal})"
