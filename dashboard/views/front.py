"""The Pareto front as data: where each candidate lies, which are not dominated, which is chosen at λ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import said, spoken, text
from dashboard.views.front_axes import Axis, axis_of, axis_range, baseline_value
from dashboard.views.front_choice import FrontChoice
from dashboard.views.front_colour import LANDMARK, Colouring, colouring
from dashboard.views.front_marks import NO_MARKS, FrontMarks, front_marks
from dashboard.views.front_words import front_summary
from dashboard.views.goals import GoalMark, goal_marks

if TYPE_CHECKING:
    from nas_core.evaluation.baselines import Baseline
    from nas_core.search import FrontLuck, Ranking, Snapshot

__all__ = ["AxisView", "Band", "Floor", "FrontView", "PlainPoint", "front_view"]

RECENT = 32
"""How many of the newest candidates are marked as new."""
FIRST = 64
"""Where landmarks are looked for: among the first candidates."""
USUAL = FrontChoice()
NAMED = {
    "one feature, rank 1": "run.floor_feature",
    "linear model of all features": "run.floor_linear",
    "one network of all features": "run.floor_network",
}
"""Landmarks whose name stands beside their diamond, and that name; the others say theirs on hover."""


@dataclass(frozen=True)
class Floor:
    """A reference that a search should beat, drawn as a diamond: a plain model, measured like every candidate."""

    number: int
    label: str
    x: float
    y: float
    named: bool
    z: float = 0.0


@dataclass(frozen=True)
class PlainPoint:
    """A plain model that is no candidate (linear, tree, forest …), drawn as a square; ``short`` stands beside it."""

    label: str
    short: str
    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True)
class Band:
    """The candidate ``number`` (``id``) wins for every λ in [``low``, ``high``].

    ``lead`` is the share of draws from the intervals in which it stays first in the middle of the band; None where
    nobody asked.
    """

    number: int
    id: str
    low: float
    high: float
    lead: float | None = None


@dataclass(frozen=True)
class AxisView:
    """An axis of the front: the key and the name of its quantity, its title, what it shows at first, and its goal.

    ``range`` holds decimal exponents where the axis is logarithmic (``log``); its second number is the better end.
    ``goal`` is the name of the goal that can be set on it, empty where none can; ``bounds`` is what that can be.
    """

    key: str
    name: str
    label: str
    range: tuple[float, float]
    log: bool
    goal: str
    bounds: tuple[float | None, float | None]
    maximise: bool


@dataclass(frozen=True)
class FrontView:
    """What the front shows; arrays hold the n candidates that lie on all its axes, in order of arrival.

    Attributes:
        run: Identity of the run; another run, or other axes, reset the zoom.
        numbers: (n,) uint32, the candidate's number in its run.
        x, y: (n,) where they lie; by default weighted interpretability in [0, 1] and the performance metric.
        z: (n,) where they lie on a third axis; None in two dimensions.
        axes: The two or three axes.
        interpretability: (n,) for the words at a point, where no axis shows it; None where one does.
        on_front: (n,) bool, on the front of the quantities of the axes.
        meets: (n,) bool, meets all goals.
        outside: (n,) bool, not in the version of the search space that is in force.
        recent: (n,) bool, among the newest.
        best: Number of the candidate chosen at λ; None before there is one.
        selected: Number of the candidate a person picked; None when nobody did.
        floors: References.
        plain: Plain models under the same weights.
        bands: Who wins at which λ, from accuracy to interpretability; they tile [0, 1].
        weight: λ.
        goals: The goals that the axes show, as lines.
        marks: Knee, ties, chances, intervals, ellipses, as far as they are asked for.
        colouring: What colours say beside the front; None where they say that alone.
        words: What the legend calls each kind of point, and what is said of the bands.
        summary: One sentence for people who do not see the picture.
    """

    run: str
    numbers: np.ndarray
    x: np.ndarray
    y: np.ndarray
    axes: tuple[AxisView, ...]
    on_front: np.ndarray
    meets: np.ndarray
    outside: np.ndarray
    recent: np.ndarray
    best: int | None
    selected: int | None
    floors: tuple[Floor, ...]
    bands: tuple[Band, ...]
    weight: float
    words: Mapping[str, str]
    summary: str
    plain: tuple[PlainPoint, ...] = ()
    goals: tuple[GoalMark, ...] = ()
    z: np.ndarray | None = None
    interpretability: np.ndarray | None = None
    marks: FrontMarks = NO_MARKS
    colouring: Colouring | None = None

    @property
    def x_range(self) -> tuple[float, float]:
        """What the x axis shows before anybody zooms."""
        return self.axes[0].range

    @property
    def y_range(self) -> tuple[float, float]:
        """What the y axis shows before anybody zooms."""
        return self.axes[1].range

    @property
    def y_label(self) -> str:
        """Title of the y axis."""
        return self.axes[1].label


def front_view(
    run: str, archive: Snapshot, ranking: Ranking, *, selected: str | None, words: Mapping[str, str],
    x_label: str = "", live: bool = False, baselines: Sequence[Baseline] = (), inside: np.ndarray | None = None,
    choice: FrontChoice = USUAL, luck: FrontLuck | None = None, since: Sequence[int] = (0,),
) -> FrontView:  # fmt: skip
    """Return the front of ``archive`` under ``ranking``; candidates that are not eligible are left out.

    Args:
        run: Identity of the run.
        archive: What it has found.
        ranking: Of ``archive``, under the preference in force.
        selected: Identity of the candidate a person picked.
        words: Legend names (cloud, recent, front, misses, outside, floors, plain, best, selected), ``waiting``,
            ``drawing``, ``ribbon``, ``band`` with placeholders {number}, {low}, {high}, and ``summary`` with {count},
            {front}, {metric}, {low}, {high}.
        x_label: Title of the axis of interpretability; its usual name when empty.
        live: Mark the newest candidates.
        baselines: Plain models of the same problem; those that an axis does not know have no place.
        inside: (n,) bool, which candidates lie in the search space as it is now; all when None.
        choice: Axes, colour and marks.
        luck: What draws from the intervals say, of these candidates or of the first of them.
        since: How many candidates there were before each version of the search space.
    """
    axes = [axis_of(key, archive, ranking, intervals=choice.intervals) for key in choice.keys]
    there = ~np.any([np.isnan(axis.values) for axis in axes], axis=0)
    shown = np.flatnonzero(there)
    on_front = ranking.on_front if choice.usual else _front_of(axes, there, inside)
    numbers = np.asarray(archive.index, dtype=np.uint32)
    position = archive.position(selected) if selected else None
    plain = _plain(baselines, archive.names, ranking, choice.keys)
    goals = goal_marks(ranking.preference.goals, archive.objective, choice.keys)
    marks = front_marks(archive, ranking, axes, on_front, choice.marks, luck)
    ranges = [_range(axis, name, shown, on_front, plain, goals) for axis, name in zip(axes, "xyz")]
    return FrontView(
        run=run,
        numbers=numbers[shown],
        x=axes[0].values[shown],
        y=axes[1].values[shown],
        z=axes[2].values[shown] if choice.z else None,
        axes=_axis_views(axes, ranges, x_label),
        interpretability=None if "interpretability" in choice.keys else ranking.interpretability[shown],
        on_front=on_front[shown],
        meets=ranking.meets[shown],
        outside=np.zeros(len(shown), dtype=bool) if inside is None else ~inside[shown],
        recent=_recent(len(shown), live=live),
        best=None if ranking.best is None else int(numbers[ranking.best]),
        selected=None if position is None else int(numbers[position]),
        floors=_floors(archive, ranking, axes),
        bands=_bands(archive, ranking, luck if "ties" in choice.marks else None),
        weight=ranking.preference.weight,
        words={name: words[name] for name in words if name != "summary"},
        summary=front_summary(words["summary"], choice, axes, shown, on_front[shown], marks),
        plain=plain,
        goals=goals,
        marks=marks,
        colouring=colouring(choice.colour, archive, shown, luck, since),
    )


def _axis_views(axes: Sequence[Axis], ranges: Sequence[tuple[float, float]], x_label: str) -> tuple[AxisView, ...]:
    """Return the axes as they are drawn; that of interpretability has a title of its own where one is given."""
    return tuple(
        AxisView(a.key, a.name, x_label if x_label and a.key == "interpretability" else a.label, r, a.log, a.goal,
                 a.bounds, a.maximise)
        for a, r in zip(axes, ranges, strict=True)
    )  # fmt: skip


def _recent(shown: int, *, live: bool) -> np.ndarray:
    """Return which of the candidates in view are the newest: none where the run is over or there are few."""
    recent = np.zeros(shown, dtype=bool)
    if live and shown > RECENT:
        recent[-RECENT:] = True
    return recent


def _front_of(axes: Sequence[Axis], there: np.ndarray, inside: np.ndarray | None) -> np.ndarray:
    """Return the front (n,) of two or three quantities, of the candidates that count (as in the ranking)."""
    from nas_core.search import non_dominated

    counts = there if inside is None or not (there & inside).any() else there & inside
    return non_dominated(np.where(counts[:, None], np.column_stack([axis.losses for axis in axes]), np.nan))


def _range(
    axis: Axis, name: str, shown: np.ndarray, on_front: np.ndarray, plain: Sequence[PlainPoint],
    goals: Sequence[GoalMark],
) -> tuple[float, float]:  # fmt: skip
    too = [float(getattr(p, name)) for p in plain] + [goal.value for goal in goals if goal.axis == name]
    important = np.concatenate([on_front[shown], np.ones(len(too), dtype=bool)])
    return axis_range(axis, np.concatenate([axis.values[shown], too]), important)


def _floors(archive: Snapshot, ranking: Ranking, axes: Sequence[Axis]) -> tuple[Floor, ...]:
    """Return the landmarks every search starts from: linear, additive and full models of well-chosen features."""
    found = []
    for at, operator in enumerate(archive.operator[:FIRST]):
        where = [float(axis.values[at]) for axis in axes]
        if operator.startswith(LANDMARK) and not np.isnan(where).any():
            label = said(operator.removeprefix(LANDMARK).strip())
            shown = text(NAMED[label]) if label in NAMED else label
            found.append(Floor(int(archive.index[at]), shown, where[0], where[1], label in NAMED, *where[2:]))
    return tuple(found)


def _plain(
    baselines: Sequence[Baseline], names: Sequence[str], ranking: Ranking, keys: Sequence[str]
) -> tuple[PlainPoint, ...]:
    """Return where plain models lie: their measures weighed as those of the candidates."""
    known = [b for b in baselines if b.eligible and b.performance is not None]
    placed = [(b, [baseline_value(key, b, names, ranking) for key in keys]) for b in known]
    return tuple(
        PlainPoint(spoken(b.label), text(f"baselines.short_{b.name}"), *where)
        for b, where in placed
        if not np.isnan(where).any()
    )


def _bands(archive: Snapshot, ranking: Ranking, luck: FrontLuck | None) -> tuple[Band, ...]:
    found = []
    for w in ranking.winners():
        row = None if luck is None else luck.at((w.low + w.high) / 2)
        known = luck is not None and row is not None and luck.best[row] == w.position
        lead = float(luck.lead[row]) if known and luck is not None and row is not None else None
        found.append(Band(int(archive.index[w.position]), archive.ids[w.position], w.low, w.high, lead))
    return tuple(found)
