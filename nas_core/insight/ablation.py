"""From one candidate to another, one difference at a time: which of the differences made the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.insight.aims import INTERPRETABILITY, PERFORMANCE
from nas_core.insight.facets import decided_of
from nas_core.insight.importance import Explained
from nas_core.insight.material import Material
from nas_core.insight.mixing import Mixer, Piece, mixer_of

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.search import Ranking

__all__ = ["AblationPath", "Point", "Step", "ablation_path", "default_ends"]


@dataclass(frozen=True)
class Point:
    """An aim of one architecture: measured, or predicted with a 95 % interval."""

    value: float
    low: float
    high: float
    measured: bool


@dataclass(frozen=True)
class Step:
    """One step of a path.

    Attributes:
        pieces: What changed; none at the start, several where single ones lead to no valid architecture.
        candidate: Identity of the architecture reached.
        number: Its number in the run where it was evaluated, else None.
        performance, interpretability: Of the architecture reached.
    """

    pieces: tuple[Piece, ...]
    candidate: str
    number: int | None
    performance: Point
    interpretability: Point


@dataclass(frozen=True)
class AblationPath:
    """The steps from a source (the first) to a target (the last), at λ.

    Attributes:
        weight: λ, at which the order was chosen.
        steps: One more than there are changes.
    """

    weight: float
    steps: tuple[Step, ...]

    @property
    def predicted(self) -> int:
        """How many of the architectures were never trained."""
        return sum(not step.performance.measured for step in self.steps)


def ablation_path(
    material: Material, found: Mapping[str, Explained], ranking: Ranking, source: str, target: str
) -> AblationPath:
    """Return the greedy path from one candidate to another.

    Of the differences that are left, the one is made next that lowers the trade-off at λ most. Architectures that the
    run evaluated count with what was measured, others with what the surrogate predicts; the interval of a prediction
    holds 95 % of the errors that the surrogate makes about candidates it has not seen.

    Source: Fawcett & Hoos (2016), "Analysing differences between algorithm configurations through ablation".
    Differs: predicted where not measured (Biedenkapp et al. 2017); a difference that leads to no valid architecture
    waits, and what is left at the end goes together.
    Costs: O(differences²) predictions, below a second.

    Args:
        material: The candidates that are looked at.
        found: The surrogates of "performance" and "interpretability".
        ranking: The snapshot of ``material`` ranked under the preference in force.
        source, target: Identities of two candidates of the run that ended well.

    Raises:
        SettingsError: One of them is not a candidate that ended well, or both are one.
    """
    if source == target:
        raise SettingsError("A path from a candidate to itself has no steps", fix="choose two different candidates")
    ends = [_architecture(material, name) for name in (source, target)]
    mixer = mixer_of(material.space, *ends)
    judge = _Judge(material, found, ranking)
    steps = [judge.step((), ends[0])]
    taken: frozenset[str] = frozenset()
    current, left = ends[0], list(mixer.pieces)
    while current.id != target:
        step = _best(mixer, judge, taken, left, current)
        if step is None:
            steps.append(judge.step(tuple(left), ends[1]))
            break
        piece, current = step
        taken, left = taken | {piece.key}, [p for p in left if p.key != piece.key]
        steps.append(judge.step((piece,), current))
    return AblationPath(ranking.preference.weight, tuple(steps))


def default_ends(material: Material, ranking: Ranking, evaluated: Sequence[int] | None = None) -> tuple[str, str]:
    """Return where a path begins and ends unless somebody chooses: the first landmark, and the best at λ.

    Without a landmark it begins with the candidate that was proposed first, and where the best is that one, with the
    next.

    Raises:
        SettingsError: Fewer than two candidates ended well.
    """
    snapshot = material.snapshot
    fine = [at for at in material.at if np.isfinite(ranking.score[at])]
    if len(fine) < 2:
        raise SettingsError("A path needs two candidates that ended well", fix="wait until the run has found more")
    best = ranking.best if ranking.best is not None else min(fine, key=lambda at: ranking.score[at])
    ordered = sorted(fine, key=lambda at: (not snapshot.operator[at].startswith("landmark"), snapshot.index[at]))
    start = next(at for at in ordered if at != best)
    return snapshot.ids[start], snapshot.ids[best]


def _architecture(material: Material, name: str) -> Architecture:
    at = material.snapshot.position(name)
    if at is None or name not in material.architectures or not material.snapshot.eligible[at]:
        raise SettingsError(
            f"{name!r} is no candidate of this run that ended well", fix="choose an eligible candidate of the run"
        )
    return material.architectures[name]


def _best(
    mixer: Mixer, judge: _Judge, taken: frozenset[str], left: Sequence[Piece], current: Architecture
) -> tuple[Piece, Architecture] | None:
    """Return the best next piece and where it leads; None where no single one leads to another valid architecture."""
    reached = [(p, a) for p in left if (a := mixer.mixed(taken | {p.key})) is not None and a.id != current.id]
    if not reached:
        return None
    scalars = judge.scalars([a for _, a in reached])
    return reached[int(np.argmin(scalars))]


class _Judge:
    """Says what is known, else predicted, of architectures."""

    def __init__(self, material: Material, found: Mapping[str, Explained], ranking: Ranking) -> None:
        from nas_core.search.ranking import front_scale

        self._material, self._found, self._ranking = material, found, ranking
        leaders = ranking.losses[ranking.leaders] if ranking.leaders.any() else np.array([[0.0, 0.0], [1.0, 1.0]])
        self._ideal, self._span = front_scale(leaders)
        self._errors = {
            name: np.quantile(r, [0.025, 0.975]) if len(r := found[name].forest.residuals) else np.zeros(2)
            for name in (PERFORMANCE, INTERPRETABILITY)
        }

    def points(self, architectures: Sequence[Architecture]) -> list[tuple[Point, Point]]:
        """Return performance and interpretability of each."""
        values = [a.values for a in architectures]
        predicted = [self._predicted(name, values) for name in (PERFORMANCE, INTERPRETABILITY)]
        return [self._measured(a) or (predicted[0][k], predicted[1][k]) for k, a in enumerate(architectures)]

    def scalars(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Return the trade-off (m,) at λ; smaller is better."""
        from nas_core.preferences import tchebycheff

        objective = self._material.snapshot.objective
        losses = [[objective.loss(p.value), 1.0 - i.value] for p, i in self.points(architectures)]
        return tchebycheff((np.array(losses) - self._ideal) / self._span, self._ranking.preference.weight)

    def step(self, pieces: tuple[Piece, ...], architecture: Architecture) -> Step:
        """Return a step that leads to ``architecture``."""
        at = self._material.snapshot.position(architecture.id)
        number = None if at is None else int(self._material.snapshot.index[at])
        performance, interpretability = self.points([architecture])[0]
        return Step(pieces, architecture.id, number, performance, interpretability)

    def _measured(self, architecture: Architecture) -> tuple[Point, Point] | None:
        snapshot = self._material.snapshot
        at = snapshot.position(architecture.id)
        if at is None or not snapshot.eligible[at] or not np.isfinite(self._ranking.interpretability[at]):
            return None
        value, low, high = (
            float(snapshot.columns[c][at]) for c in ("performance", "performance_low", "performance_high")
        )
        simple = float(self._ranking.interpretability[at])
        return Point(value, low, high, True), Point(simple, simple, simple, True)

    def _predicted(self, name: str, values: list[dict[str, Any]]) -> list[Point]:
        forest = self._found[name].forest
        decided = decided_of(self._material.space, [f.key for f in forest.facets], values)
        mean = forest.predict(values, decided).mean(axis=0)
        low, high = self._errors[name]
        best = self._material.snapshot.objective.best if name == PERFORMANCE else 1.0
        top = best if name == INTERPRETABILITY or self._material.snapshot.objective.maximise else np.inf
        floor = best if name == PERFORMANCE and top != best else (0.0 if name == INTERPRETABILITY else -np.inf)
        low, high = (np.clip(mean + error, floor, top) for error in (low, high))  # nothing is better than perfect
        return [Point(float(m), float(a), float(b), False) for m, a, b in zip(mean, low, high)]
