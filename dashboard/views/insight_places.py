"""Pairs of choices, the way from one candidate to another, and the map of candidates, as data."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.insight import facet_label, titled
from dashboard.views.words import count, duration, number, signed
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.insight import AblationPath, Embedding, Material, PairMap, Step
    from nas_core.insight.ablation import Point
    from nas_core.search import Ranking

__all__ = ["COLOURS", "EndPoint", "MapView", "PathStop", "PathView", "SurfaceView", "ends_offered", "map_view",
           "path_view", "surface_view"]  # fmt: skip

COLOURS = ("performance", "interpretability", "seconds", "front")
OFFERED = 60
"""Candidates that are offered as the ends of a path."""


@dataclass(frozen=True)
class SurfaceView:
    """Mean aim for each combination of two choices; cells that no candidate has are the surrogate's guess."""

    aim: str
    labels: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    mean: np.ndarray
    count: np.ndarray
    hover: tuple[tuple[str, ...], ...]
    spoken: str


@dataclass(frozen=True)
class PathStop:
    """One architecture on a path.

    Attributes:
        label: What changed to reach it.
        candidate: Its identity where it is a candidate of the run, else None.
        performance, interpretability: Its value, the interval, and whether it was measured.
        words: The same as cells of a table: what changed, candidate, performance, its change, interpretability, its
            change.
    """

    label: str
    candidate: str | None
    performance: Point
    interpretability: Point
    words: tuple[str, ...]


@dataclass(frozen=True)
class PathView:
    """The way from one candidate to another.

    Attributes:
        metric: What performance is called.
        stops: The architectures in order.
        sentence: What made the largest difference, in words.
        predicted: How many stops were never trained.
    """

    metric: str
    stops: tuple[PathStop, ...]
    sentence: str
    predicted: int


@dataclass(frozen=True)
class EndPoint:
    """A candidate that is offered as the end of a path."""

    id: str
    label: str


@dataclass(frozen=True)
class MapView:
    """n candidates on a plane.

    Attributes:
        x, y: (n,) where.
        ids: Their identities.
        numbers: (n,) their numbers.
        colour: (n,) what colours them; 1 and 0 for being on the front.
        aim: What colours them: one of :data:`COLOURS`.
        colour_label: What it is called; "" for the front.
        on_front: (n,) bool.
        chosen, best: Positions, None where there is none.
        hover: Of each, in words.
        held: Share of the variation that the plane holds.
        spoken: All in one sentence.
    """

    x: np.ndarray
    y: np.ndarray
    ids: tuple[str, ...]
    numbers: np.ndarray
    colour: np.ndarray
    aim: str
    colour_label: str
    on_front: np.ndarray
    chosen: int | None
    best: int | None
    hover: tuple[str, ...]
    held: float
    spoken: str


def surface_view(found: PairMap, keys: tuple[str, str], aim: str, label: str) -> SurfaceView:
    """Return what is drawn of a pair of choices for the aim ``aim`` that is called ``label``."""
    labels = (facet_label(keys[0], found.labels[0]), facet_label(keys[1], found.labels[1]))
    named = {"first": escape(labels[0]), "second": escape(labels[1]), "aim": escape(label)}
    hover = tuple(
        tuple(
            text("insight.cell_words" if found.count[i, j] else "insight.cell_guess", row=escape(row),
                 column=escape(column), mean=number(float(found.mean[i, j])),
                 count=count(int(found.count[i, j])), **named)
            for j, column in enumerate(found.columns)
        )
        for i, row in enumerate(found.rows)
    )  # fmt: skip
    spoken = text("insight.surface_none")
    if np.isfinite(found.mean).any():
        i, j = np.unravel_index(int(np.nanargmax(found.mean)), found.mean.shape)
        spoken = text("insight.surface_spoken", aim=label, first=markdown_text(labels[0]),
                      second=markdown_text(labels[1]), row=markdown_text(found.rows[i]),
                      column=markdown_text(found.columns[j]),
                      mean=number(float(found.mean[i, j])))  # fmt: skip
    return SurfaceView(aim, labels, found.rows, found.columns, found.mean, found.count, hover, spoken)


def path_view(path: AblationPath, metric: str, ids: tuple[str, ...]) -> PathView:
    """Return what is drawn of a path; ``ids`` are the candidates of the run, ``metric`` what performance is called."""
    known = set(ids)
    stops = []
    for at, step in enumerate(path.steps):
        before = path.steps[at - 1] if at else None
        stops.append(_stop(step, before, known))
    told = text("insight.path_same")
    if len(path.steps) > 1:
        moves = list(zip(path.steps, path.steps[1:]))
        p = max(moves, key=lambda m: abs(m[1].performance.value - m[0].performance.value))
        i = max(moves, key=lambda m: abs(m[1].interpretability.value - m[0].interpretability.value))
        told = text("insight.path_sentence", metric=metric, first=_piece_names(p[1]), second=_piece_names(i[1]),
                    gain=signed(p[1].performance.value - p[0].performance.value),
                    change=signed(i[1].interpretability.value - i[0].interpretability.value))  # fmt: skip
    return PathView(metric, tuple(stops), told, path.predicted)


def ends_offered(material: Material, ranking: Ranking, also: tuple[str, ...] = ()) -> tuple[EndPoint, ...]:
    """Return the candidates that are offered as the ends of a path: some by name, the front, landmarks."""
    snapshot = material.snapshot
    front = [int(at) for at in ranking.order if ranking.on_front[at]]
    named = [at for name in also if (at := snapshot.position(name)) is not None]
    landmarks = [int(at) for at in material.at if snapshot.operator[at].startswith("landmark")]
    rest = [int(at) for at in ranking.order[:OFFERED]]
    chosen = [
        at
        for at in dict.fromkeys((*named, *landmarks[: OFFERED // 3], *front, *rest))
        if snapshot.eligible[at] and np.isfinite(ranking.score[at]) and snapshot.ids[at] in material.architectures
    ]
    shown = []
    for at in chosen[:OFFERED]:
        made = snapshot.operator[at]
        kind = text("insight.end_front") if ranking.on_front[at] else text("insight.end_other")
        name = made.removeprefix("landmark:").strip() if made.startswith("landmark") else kind
        label = text("insight.end_label", number=count(int(snapshot.index[at])), name=name,
                     performance=number(float(snapshot.performance[at])),
                     interpretability=number(float(ranking.interpretability[at]), 2))  # fmt: skip
        shown.append(EndPoint(snapshot.ids[at], label))
    return tuple(shown)


def map_view(
    material: Material, embedding: Embedding, ranking: Ranking, colour: str, chosen: str | None
) -> MapView:  # fmt: skip
    """Return the map coloured by one of :data:`COLOURS`."""
    snapshot, at = material.snapshot, material.at
    performance, simple = snapshot.performance[at], ranking.interpretability[at]
    seconds, front = snapshot.columns["seconds"][at], ranking.on_front[at]
    values = {"performance": performance, "interpretability": simple, "seconds": seconds,
              "front": front.astype(float)}[colour]  # fmt: skip
    labels = {"performance": snapshot.objective.label, "front": ""}
    metric = snapshot.objective.label
    hover = tuple(
        text("insight.map_hover", number=count(int(n)), metric=metric, performance=number(float(p)),
             interpretability=number(float(i), 2), seconds=duration(float(s)))
        for n, p, i, s in zip(snapshot.index[at], performance, simple, seconds)
    )  # fmt: skip
    where = {snapshot.ids[i]: k for k, i in enumerate(at)}
    best = None if ranking.best is None else where.get(snapshot.ids[ranking.best])
    spoken = text("insight.map_spoken", count=count(len(at)), held=f"{100 * embedding.held:.0f} %")
    return MapView(
        embedding.points[:, 0], embedding.points[:, 1], material.ids, snapshot.index[at], values, colour,
        labels[colour] if colour in labels else titled(text(f"insight.aim_{colour}")), front,
        where.get(chosen or ""), best, hover, embedding.held, spoken,
    )  # fmt: skip


def _stop(step: Step, before: Step | None, known: set[str]) -> PathStop:
    label = _pieces(step) if step.pieces else text("insight.path_start")
    own = step.candidate if step.number is not None and step.candidate in known else None
    p, i = step.performance, step.interpretability
    gains = ("", "")
    if before is not None:
        gains = signed(p.value - before.performance.value), signed(i.value - before.interpretability.value)
    name = f"#{count(step.number)}" if step.number is not None else text("insight.path_not_trained")
    return PathStop(label, own, p, i, (label, name, _point(p), gains[0], _point(i), gains[1]))


def _pieces(step: Step) -> str:
    return "; ".join(
        f"{facet_label(p.key, p.label)} {p.change}" if p.change else facet_label(p.key, p.label) for p in step.pieces
    )


def _piece_names(step: Step) -> str:
    return text("insight.path_and").join(f"“{markdown_text(facet_label(p.key, p.label))}”" for p in step.pieces)


def _point(point: Point) -> str:
    if point.measured:
        return number(point.value)
    return text("insight.path_predicted", value=number(point.value), low=number(point.low), high=number(point.high))
