"""When a search has found enough: a candidate that meets all goals, or a hypervolume that does not grow any more.

Rules are looked at between packs, so a run that is interrupted and resumed stops at the same candidate. They count what
lies in the present space. What was found is a result at any moment; a rule only says that waiting longer is no use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective, recorded_objective
from nas_core.preferences import STRUCTURE_MEASURES, Preference
from nas_core.records import Evaluation, RunRecord
from nas_core.runs.settings import RunSettings
from nas_core.search.archive import Archive
from nas_core.search.snapshot import SEARCH_MEASURES, Snapshot

__all__ = ["GoalLine", "StoppingRules", "check_rules", "goals_of", "meeting"]

GROWTH = 0.001
"""A hypervolume that grows by no more than this share has not grown."""


class GoalLine(Protocol):
    """A line to be reached: of "performance" in the metric's unit, of "interpretability" or a measure from 0 to 1."""

    @property
    def name(self) -> str:
        """What the line is drawn through."""

    @property
    def value(self) -> float:
        """Where."""


class StoppingRules:
    """The candidates of the present space, and what the rules say of them.

    Args:
        record: The run's, for its objective and measures.
        since: Of how many candidates the search has moved on since: an act of a person gives it new time.
    """

    def __init__(self, record: RunRecord, since: int = 0) -> None:
        self._objective = recorded_objective(record.problem)
        self._names = tuple(record.problem.get("measures") or STRUCTURE_MEASURES)
        self._search = tuple(record.problem.get("search_measures") or SEARCH_MEASURES)
        self._baseline = record.baseline
        self.since = since
        self._archive = self._empty()
        self._floor = self._archive.hypervolume()

    def fill(self, evaluations: Sequence[Evaluation]) -> None:
        """Start again from these candidates, in the order of their numbers."""
        self._archive = self._empty()
        self.add(evaluations)

    def add(self, evaluations: Sequence[Evaluation]) -> None:
        """Count evaluated candidates; one known already replaces what was known."""
        self._archive.add(evaluations)

    def move_on(self) -> None:
        """Count a plateau from here on: the search goes another way."""
        self.since = len(self._archive)

    def verdict(self, settings: RunSettings) -> str | None:
        """Return why the run should end, in words and numbers, None to go on."""
        return self._reached(settings) or self._levelled(settings.plateau)

    def _reached(self, settings: RunSettings) -> str | None:
        goals = goals_of(settings.preference)
        if not settings.until_goals or not goals:
            return None
        snapshot = self._archive.snapshot()
        found = np.flatnonzero(meeting(snapshot, goals, settings.preference))
        if not len(found):
            return None
        at = int(found[np.argmin(snapshot.index[found])])
        numbers = ", ".join(_said(snapshot, at, goal, settings.preference) for goal in goals)
        return f"Candidate #{int(snapshot.index[at])} ({snapshot.ids[at]}) reaches every goal: {numbers}"

    def _levelled(self, plateau: int | None) -> str | None:
        count = len(self._archive)
        if plateau is None or count - self.since < plateau:
            return None
        curve = self._archive.hypervolume_curve()
        before = float(curve[count - plateau - 1]) if count > plateau else self._floor
        now = float(curve[-1])
        if now > before * (1.0 + GROWTH):
            return None
        return f"The hypervolume has not grown for {plateau} candidates: {_short(now)}"

    def _empty(self) -> Archive:
        return Archive(self._objective, self._names, baseline=self._baseline, search=self._search)


def goals_of(preference: Preference) -> Sequence[GoalLine]:
    """Return the goal lines of a preference, none where it has none."""
    return tuple(getattr(preference, "goals", ()))


def meeting(snapshot: Snapshot, goals: Sequence[GoalLine], preference: Preference) -> np.ndarray:
    """Return which candidates (n,) meet all goals; an ineligible one, or one without the value, meets none.

    Raises:
        SettingsError: A goal is set for a measure that the snapshot does not hold.
    """
    met = snapshot.eligible.copy()
    for goal in goals:
        values = _values(snapshot, goal.name, preference)
        with np.errstate(invalid="ignore"):
            at_most = goal.name == "performance" and not snapshot.objective.maximise
            met &= values <= goal.value if at_most else values >= goal.value
    return met


def check_rules(preference: Preference, *, until_goals: bool) -> None:
    """Raise SettingsError where a run should end at its goals, and has none."""
    if until_goals and not goals_of(preference):
        raise SettingsError(
            "The run should end when a candidate reaches all goals, and no goal is set",
            allowed="at least one goal line in the preference",
            fix="set a goal, or leave until_goals off",
        )


def _values(snapshot: Snapshot, name: str, preference: Preference) -> np.ndarray:
    if name == "performance":
        return snapshot.performance
    if name == "interpretability":
        return snapshot.rank(preference).interpretability
    return snapshot.measure(name)


def _said(snapshot: Snapshot, at: int, goal: GoalLine, preference: Preference) -> str:
    objective: Objective = snapshot.objective
    value = float(_values(snapshot, goal.name, preference)[at])
    if goal.name != "performance":
        return f"{goal.name.replace('_', ' ')} {_short(value)} ≥ {_short(goal.value)}"
    sign = "≥" if objective.maximise else "≤"
    return f"{objective.label} {_short(value)} {sign} {_short(goal.value)}"


def _short(value: float) -> str:
    """Return a number with four digits after the point, and none before it where that would be zero."""
    text = f"{value:.4f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
