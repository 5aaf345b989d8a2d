"""When a search has found enough: a candidate that meets all goals, or a hypervolume that does not grow any more.

Rules are looked at between packs, so a run that is interrupted and resumed stops at the same candidate. They count what
lies in the present space. What was found is a result at any moment; a rule only says that waiting longer is no use.
"""

from __future__ import annotations

from collections.abc import Sequence

from nas_core.errors import SettingsError
from nas_core.objectives import recorded_objective
from nas_core.preferences import PERFORMANCE, STRUCTURE_MEASURES, Preference
from nas_core.records import Evaluation, RunRecord
from nas_core.runs.settings import RunSettings
from nas_core.search.archive import Archive
from nas_core.search.goals import GoalLine, goal_report
from nas_core.search.snapshot import SEARCH_MEASURES

__all__ = ["StoppingRules", "check_rules"]

GROWTH = 0.001
"""A hypervolume that grows by no more than this share has not grown."""


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
        if not settings.until_goals or not settings.preference.goals:
            return None
        snapshot = self._archive.snapshot()
        report = goal_report(snapshot, snapshot.rank(settings.preference))
        if not report.met:
            return None
        numbers = ", ".join(_said(line, snapshot.objective.label) for line in report.lines)
        return f"Candidate #{report.index} ({report.id}) reaches every goal: {numbers}"

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


def check_rules(preference: Preference, *, until_goals: bool) -> None:
    """Raise SettingsError where a run should end at its goals, and has none."""
    if until_goals and not preference.goals:
        raise SettingsError(
            "The run should end when a candidate reaches all goals, and no goal is set",
            allowed="at least one goal line in the preference",
            fix="set a goal, or leave until_goals off",
        )


def _said(line: GoalLine, metric: str) -> str:
    label = metric if line.goal.name == PERFORMANCE else line.goal.name.replace("_", " ")
    reached = _short(line.reached) if line.reached is not None else "undefined"
    return f"{label} {reached} {'≥' if line.at_least else '≤'} {_short(line.goal.value)}"


def _short(value: float) -> str:
    """Return a number with four digits after the point, and none before it where that would be zero."""
    text = f"{value:.4f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
