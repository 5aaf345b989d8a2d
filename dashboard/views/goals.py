"""Goals as data: the lines that are drawn over the front, and what is said of who reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import spoken, text
from dashboard.views.card import measure_label
from dashboard.views.words import count, number

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.preferences import Goal
    from nas_core.search import Ranking, Snapshot
    from nas_core.search.goals import GoalLine, GoalReport

__all__ = ["GoalMark", "goal_marks", "goal_name", "goal_sentence"]


@dataclass(frozen=True)
class GoalMark:
    """A goal as a line over the front.

    Attributes:
        axis: ``x``, ``y`` or ``z``; as a rule ``y`` for performance, ``x`` for interpretability.
        value: Where the line is, in the unit of the axis.
        at_least: False where the values below it are the good ones.
        words: What stands beside it.
    """

    axis: str
    value: float
    at_least: bool
    words: str


def goal_name(name: str, objective: Objective) -> str:
    """Return what a person reads for what a goal is set for."""
    from nas_core.preferences import INTERPRETABILITY, PERFORMANCE

    if name == PERFORMANCE:
        return spoken(objective.label)
    return text("goals.interpretability") if name == INTERPRETABILITY else measure_label(name)


def goal_marks(
    goals: tuple[Goal, ...], objective: Objective, axes: Sequence[str] = ("interpretability", "performance")
) -> tuple[GoalMark, ...]:
    """Return the lines of the goals that the axes of the front show; ``axes`` are the quantities on x and y (and z)."""
    places = dict(zip(axes, "xyz"))
    return tuple(
        GoalMark(
            places[goal.name], goal.value, goal.name != "performance" or objective.maximise,
            text("goals.line", value=f"{goal.value:.6g}"),
        )
        for goal in goals if goal.name in places
    )  # fmt: skip


def goal_sentence(snapshot: Snapshot, ranked: Ranking) -> str:
    """Return who meets the goals or, while nobody does, what the nearest candidate lacks; empty without goals."""
    from nas_core.search import goal_report

    if not ranked.preference.goals:
        return ""
    found = goal_report(snapshot, ranked)
    if found.index is None:
        return text("goals.nobody")
    return _met(found, snapshot.objective) if found.met else _nearest(found, snapshot.objective)


def _met(found: GoalReport, objective: Objective) -> str:
    named = {1: text("goals.one"), 2: text("goals.both")}
    goals = named.get(len(found.lines)) or text("goals.all", count=len(found.lines))
    told = text("goals.met", met=count(found.met), eligible=count(found.eligible), goals=goals)
    if len(found.lines) == 1:
        return told
    parts = (text("goals.part", name=goal_name(n.goal.name, objective), met=count(n.met)) for n in found.lines)
    return f"{told} {text('goals.each', parts=' · '.join(parts))}"


def _nearest(found: GoalReport, objective: Objective) -> str:
    missing = ", ".join(_missing(line, objective) for line in found.lines if line.lacks is None or line.lacks > 0.0)
    goals = text("goals.goal" if len(found.lines) == 1 else "goals.goals")
    return text("goals.not_met", goals=goals, number=found.index, missing=missing)


def _missing(line: GoalLine, objective: Objective) -> str:
    """Return what is missed and by what; with as many digits as it takes to tell it from the goal."""
    reached, digits = number(line.reached), 3
    while line.reached is not None and digits < 6 and float(reached.replace(",", "")) == line.goal.value:
        digits += 1
        reached = number(line.reached, digits)
    name = goal_name(line.goal.name, objective)
    return text("goals.missing", name=name, reached=reached, value=f"{line.goal.value:.6g}")
