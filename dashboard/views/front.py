"""The Pareto front as data: where each candidate lies, which are not dominated, which is chosen at λ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import spoken, text
from dashboard.views.goals import GoalMark, goal_marks
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.evaluation.baselines import Baseline
    from nas_core.search import Ranking, Snapshot

__all__ = ["Band", "Floor", "FrontView", "PlainPoint", "front_view"]

RECENT = 32
"""How many of the newest candidates are marked as new."""
FIRST = 64
"""Where landmarks are looked for: among the first candidates."""
LANDMARK = "landmark:"
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


@dataclass(frozen=True)
class PlainPoint:
    """A plain model that is no candidate (linear, tree, forest …), drawn as a square; ``short`` stands beside it."""

    label: str
    short: str
    x: float
    y: float


@dataclass(frozen=True)
class Band:
    """The candidate ``number`` (``id``) wins for every λ in [``low``, ``high``]."""

    number: int
    id: str
    low: float
    high: float


@dataclass(frozen=True)
class FrontView:
    """What the front shows; arrays hold the n eligible candidates in order of arrival.

    Attributes:
        run: Identity of the run; another run resets the zoom.
        numbers: (n,) uint32, the candidate's number in its run.
        interpretability: (n,) weighted geometric mean of the measures, in [0, 1].
        performance: (n,) the performance metric; which way is better shows in ``y_range`` and ``y_label``.
        on_front: (n,) bool.
        meets: (n,) bool, meets all goals.
        outside: (n,) bool, not in the version of the search space that is in force.
        recent: (n,) bool, among the newest.
        best: Number of the candidate chosen at λ; None before there is one.
        selected: Number of the candidate a person picked; None when nobody did.
        floors: References.
        plain: Plain models under the same weights.
        bands: Who wins at which λ, from accuracy to interpretability; they tile [0, 1].
        weight: λ.
        x_label, y_label: Titles of the axes.
        x_range, y_range: What the axes show before anybody zooms.
        goals: The goals that the axes show, as lines.
        words: What the legend calls each kind of point, and what is said of the bands.
        summary: One sentence for people who do not see the picture.
    """

    run: str
    numbers: np.ndarray
    interpretability: np.ndarray
    performance: np.ndarray
    on_front: np.ndarray
    meets: np.ndarray
    outside: np.ndarray
    recent: np.ndarray
    best: int | None
    selected: int | None
    floors: tuple[Floor, ...]
    bands: tuple[Band, ...]
    weight: float
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    words: Mapping[str, str]
    summary: str
    plain: tuple[PlainPoint, ...] = ()
    goals: tuple[GoalMark, ...] = ()


def front_view(
    run: str, archive: Snapshot, ranking: Ranking, *, selected: str | None, words: Mapping[str, str],
    x_label: str, live: bool = False, baselines: Sequence[Baseline] = (), inside: np.ndarray | None = None,
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
        x_label: Title of the interpretability axis.
        live: Mark the newest candidates.
        baselines: Plain models of the same problem; those whose interpretability is undefined have no place.
        inside: (n,) bool, which candidates lie in the search space as it is now; all when None.
    """
    shown = np.flatnonzero(~np.isnan(ranking.interpretability))
    numbers = np.asarray(archive.index, dtype=np.uint32)
    recent = np.zeros(len(shown), dtype=bool)
    if live and len(shown) > RECENT:
        recent[-RECENT:] = True
    performance = archive.performance[shown]
    on_front = ranking.on_front[shown]
    position = archive.position(selected) if selected else None
    maximise = archive.objective.maximise
    plain = _plain(baselines, archive.names, ranking)
    goals = goal_marks(ranking.preference.goals, archive.objective)
    shown_too = [p.y for p in plain] + [goal.value for goal in goals if goal.axis == "y"]
    metric = spoken(archive.objective.label)
    return FrontView(
        run=run,
        numbers=numbers[shown],
        interpretability=ranking.interpretability[shown],
        performance=performance,
        on_front=on_front,
        meets=ranking.meets[shown],
        outside=np.zeros(len(shown), dtype=bool) if inside is None else ~inside[shown],
        recent=recent,
        best=None if ranking.best is None else int(numbers[ranking.best]),
        selected=None if position is None else int(numbers[position]),
        floors=_floors(archive, ranking),
        bands=_bands(archive, ranking),
        weight=ranking.preference.weight,
        x_label=x_label,
        y_label=metric if maximise else text("run.smaller", metric=metric),
        x_range=(-0.02, 1.03),
        y_range=_shown_range(
            np.concatenate([performance, shown_too]), np.concatenate([on_front, [True] * len(shown_too)]) > 0,
            maximise=maximise,
        ),
        words={name: words[name] for name in words if name != "summary"},
        summary=_summary(words["summary"], metric, performance, on_front),
        plain=plain,
        goals=goals,
    )  # fmt: skip


def _summary(sentence: str, metric: str, performance: np.ndarray, on_front: np.ndarray) -> str:
    low, high = (number(float(f(performance))) for f in (np.min, np.max)) if len(performance) else ("–", "–")
    return sentence.format(count=len(performance), front=int(on_front.sum()), metric=metric, low=low, high=high)


def _shown_range(performance: np.ndarray, on_front: np.ndarray, *, maximise: bool) -> tuple[float, float]:
    """Return a range that holds the front and most of the cloud, in steps of .05 so that it does not creep.

    Its second number is drawn at the top: the better end, also where smaller values are better.
    """
    if not len(performance):
        return (0.5, 1.0) if maximise else (1.0, 0.0)
    signed = performance if maximise else -performance
    low = min(float(signed[on_front].min(initial=np.inf)), float(np.quantile(signed, 0.1)))
    high = float(signed.max())
    low, high = np.floor(low / 0.05 - 0.2) * 0.05, np.ceil(high / 0.05) * 0.05
    shown = float(low), float(high + 0.04 * (high - low))
    return shown if maximise else (-shown[0], -shown[1])


def _floors(archive: Snapshot, ranking: Ranking) -> tuple[Floor, ...]:
    """Return the landmarks every search starts from: linear, additive and full models of well-chosen features."""
    found = []
    for at, operator in enumerate(archive.operator[:FIRST]):
        if operator.startswith(LANDMARK) and not np.isnan(ranking.interpretability[at]):
            label = operator.removeprefix(LANDMARK).strip()
            x, y = float(ranking.interpretability[at]), float(archive.performance[at])
            shown = text(NAMED[label]) if label in NAMED else label
            found.append(Floor(int(archive.index[at]), shown, x, y, label in NAMED))
    return tuple(found)


def _plain(baselines: Sequence[Baseline], names: Sequence[str], ranking: Ranking) -> tuple[PlainPoint, ...]:
    """Return where plain models lie: their measures weighed as those of the candidates."""
    from nas_core.preferences import interpretability

    known = [b for b in baselines if b.eligible and b.performance is not None]
    if not known:
        return ()
    scores = [[b.measures[n].value if n in b.measures else None for n in names] for b in known]
    means = interpretability(np.array(scores, float), ranking.preference.vector(names))
    return tuple(
        PlainPoint(spoken(b.label), text(f"baselines.short_{b.name}"), float(x), b.performance.value)
        for b, x in zip(known, means)
        if b.performance is not None and not np.isnan(x)
    )


def _bands(archive: Snapshot, ranking: Ranking) -> tuple[Band, ...]:
    return tuple(
        Band(int(archive.index[w.position]), archive.ids[w.position], w.low, w.high) for w in ranking.winners()
    )
