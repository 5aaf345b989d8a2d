"""The way from one candidate to another: what each edit brings, measured where it was trained, else predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import text
from dashboard.views.compare_edits import EditLine, edit_line
from dashboard.views.words import interval, number, signed

if TYPE_CHECKING:
    from nas_core.comparison.diff import Step
    from nas_core.comparison.expected import Expectation
    from nas_core.records import Estimate, Evaluation
    from nas_core.spaces import SearchSpace
    from nas_core.store.summaries import Summary

__all__ = ["PathPoint", "PathStop", "PathView", "path_view"]


@dataclass(frozen=True)
class PathPoint:
    """A quantity at one stop: its value and 95 % interval, None where nothing is known; and whether it was measured."""

    value: float | None
    low: float | None
    high: float | None
    measured: bool

    @property
    def words(self) -> str:
        """The value with its interval, and whether it is a prediction."""
        if self.value is None:
            return text("compare.unknown")
        if self.measured:
            return interval(self.value, self.low, self.high)
        return text("compare.predicted", value=number(self.value), low=number(self.low), high=number(self.high))


@dataclass(frozen=True)
class PathStop:
    """One architecture on the way.

    Attributes:
        id, number: Identity; number in the run, None where it was not evaluated.
        edits: What changes to get here, in words; empty at the start.
        idle: What is done as well and means nothing any more.
        refused: Why several edits had to be made at once, where the space says so.
        performance, interpretability: What it is worth.
        changes: Difference of the two to the stop before, in words.
        exact: Structural measures, by label, that changed on the way here: before and after.
        position: In the way; 0 is the start.
    """

    id: str
    number: int | None
    edits: tuple[EditLine, ...]
    idle: tuple[EditLine, ...]
    refused: str
    performance: PathPoint
    interpretability: PathPoint
    changes: tuple[str, str]
    exact: tuple[str, ...]
    position: int

    @property
    def joined(self) -> bool:
        """Whether several edits had to be made at once."""
        return len(self.edits) > 1


@dataclass(frozen=True)
class PathView:
    """All stops from one candidate to another, with what the predictions rest on.

    ``measured`` counts the stops between the ends that the run has evaluated, ``skill`` is as in ``Expectation``.
    """

    stops: tuple[PathStop, ...]
    metric: str
    measured: int
    learned_from: int
    skill: float | None

    @property
    def drawable(self) -> bool:
        """Whether anything is known between the ends, so that a picture says more than the table."""
        return any(stop.performance.value is not None for stop in self.stops[1:-1])

    @property
    def predicted(self) -> int:
        """Stops that were not evaluated."""
        return sum(stop.number is None for stop in self.stops)


def path_view(
    start: Evaluation | Summary, steps: Sequence[Step], space: SearchSpace, known: Mapping[str, Evaluation | Summary],
    expected: Mapping[str, Expectation], interpretable: Mapping[str, float | None], metric: str,
    exact: Mapping[str, Mapping[str, float]], labels: Mapping[str, str],
) -> PathView:  # fmt: skip
    """Return the stops of a way.

    Args:
        start: Where it begins.
        steps: The steps to the other candidate.
        space: Their space.
        known: Evaluations by identity, of those stops that have one.
        expected: What is expected of the others.
        interpretable: Interpretability of the evaluated stops.
        metric: Name of the performance metric.
        exact: Structural measures of every stop.
        labels: What a person reads for a measure.
    """
    stops: list[PathStop] = []
    for at, key in enumerate([start.id, *(s.architecture.id for s in steps)]):
        step = steps[at - 1] if at else None
        evaluation = known.get(key)
        performance, whole = _points(evaluation, expected.get(key), interpretable.get(key))
        before = stops[-1] if stops else None
        changes = ("", "")
        if before is not None:
            changes = _change(before.performance, performance), _change(before.interpretability, whole)
        stops.append(PathStop(
            key, None if evaluation is None else evaluation.index,
            tuple(edit_line(e, space) for e in (step.edits if step else ())),
            tuple(edit_line(e, space) for e in (step.idle if step else ())), step.refused if step else "",
            performance, whole, changes, _exact_changes(exact, before, key, labels), at,
        ))  # fmt: skip
    some = next(iter(expected.values()), None)
    between = stops[1:-1]
    return PathView(tuple(stops), metric, sum(s.number is not None for s in between),
                    some.learned_from if some else 0, some.skill if some else None)  # fmt: skip


def _points(
    evaluation: Evaluation | Summary | None, expected: Expectation | None, interpretable: float | None
) -> tuple[PathPoint, PathPoint]:
    if evaluation is not None:
        return _point(evaluation.performance, True), PathPoint(interpretable, None, None, True)
    if expected is None:
        return _point(None, False), _point(None, False)
    return _point(expected.performance, False), _point(expected.interpretability, False)


def _point(estimate: Estimate | None, measured: bool) -> PathPoint:
    if estimate is None:
        return PathPoint(None, None, None, measured)
    return PathPoint(estimate.value, estimate.low, estimate.high, measured)


def _change(before: PathPoint, now: PathPoint) -> str:
    """Return the difference to the stop before, marked as about where one of them is a prediction."""
    if before.value is None or now.value is None:
        return ""
    told = signed(now.value - before.value)
    told = "0" if float(told.replace("−", "-")) == 0.0 else told
    return told if before.measured and now.measured else text("compare.about", value=told)


def _exact_changes(
    exact: Mapping[str, Mapping[str, float]], before: PathStop | None, key: str, labels: Mapping[str, str]
) -> tuple[str, ...]:
    if before is None:
        return ()
    old, new = exact.get(before.id, {}), exact.get(key, {})
    return tuple(
        text("compare.exact_change", label=labels.get(n, n), before=number(old[n]), after=number(new[n]))
        for n in new if n in old and number(new[n]) != number(old[n])
    )  # fmt: skip
