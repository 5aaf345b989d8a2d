"""Candidates as lines over parallel axes: which are drawn, where each axis begins and ends, what stands beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.axes import Axis
from dashboard.views.words import count, number

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["MOST", "ParallelView", "Scale", "parallel_view", "start_axes"]

MOST = 2_000
"""Lines that are drawn besides the front: more cannot be told apart, and cost time."""
START_CHOICES = 5
"""Choices of architecture that are shown before anybody chooses axes."""
FEW = 12
"""Different numbers of a choice that all have a tick; more have five along the axis."""


@dataclass(frozen=True)
class Scale:
    """One axis: where a value lies between its lower end (0) and its upper end (1).

    Attributes:
        name, label: Of the axis.
        kind: "objective", "measure", "cost" or "choice".
        low, high: Values at the ends; the upper end may be the smaller value, where less is better.
        log: Whether the scale is logarithmic.
        words: Whether its values are words, of which each has a tick.
        ticks: Fraction and words.
    """

    name: str
    label: str
    kind: str
    low: float
    high: float
    log: bool
    words: bool
    ticks: tuple[tuple[float, str], ...]

    def fractions(self, values: np.ndarray) -> np.ndarray:
        """Return where ``values`` (n,) lie, NaN where there is none."""
        if self.low == self.high:
            return np.where(np.isnan(values), np.nan, 0.5)
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(np.log(values / self.low) / np.log(self.high / self.low))
        return np.asarray((values - self.low) / (self.high - self.low))

    def value(self, fraction: float) -> float:
        """Return the value at a fraction; the inverse of :meth:`fractions`."""
        if self.log:
            return float(self.low * (self.high / self.low) ** fraction)
        return float(self.low + fraction * (self.high - self.low))


@dataclass(frozen=True)
class ParallelView:
    """What the parallel coordinates show; k lines over A axes.

    Attributes:
        run: Identity of the run.
        scales: The axes, from left to right.
        numbers: (k,) number of each candidate.
        at: (k,) position of each in the snapshot.
        fractions: (k, A) where each line crosses each axis, NaN where it has no value.
        on_front, starred: (k,) bool.
        best, selected: Numbers of the candidates that stand out; None where there is none.
        total: Candidates of the run.
        summary: One sentence for people who do not see the picture.
    """

    run: str
    scales: tuple[Scale, ...]
    numbers: np.ndarray
    at: np.ndarray
    fractions: np.ndarray
    on_front: np.ndarray
    starred: np.ndarray
    best: int | None
    selected: int | None
    total: int
    summary: str


def start_axes(axes: Sequence[Axis], search: Collection[str]) -> tuple[str, ...]:
    """Return the axes that are shown before anybody chooses: a few choices, what was optimised, and the outcome."""
    choices = [axis.name for axis in axes if axis.kind == "choice"][:START_CHOICES]
    middle = [axis.name for axis in axes if axis.name in search or axis.name == "parameters"]
    return (*choices, *middle, "interpretability", "performance")


def parallel_view(
    run: str, snapshot: Snapshot, ranked: Ranking, axes: Sequence[Axis], names: Sequence[str], *,
    starred: Collection[str] = (), selected: str | None = None,
) -> ParallelView:  # fmt: skip
    """Return the lines of a run over the axes called ``names``.

    The front, the candidates with a star and the chosen ones are always drawn; of the others an even sample.
    """
    by_name = {axis.name: axis for axis in axes}
    shown = [by_name[name] for name in names if name in by_name]
    scales = tuple(_scale(axis) for axis in shown)
    stars = np.array([key in starred for key in snapshot.ids], dtype=bool)
    position = snapshot.position(selected) if selected else None
    always = ranked.on_front | stars
    for one in (ranked.best, position):
        if one is not None:
            always[one] = True
    others = np.flatnonzero(~np.isnan(ranked.interpretability) & ~always)
    room = max(0, MOST - int(always.sum()))
    if len(others) > room:
        others = others[np.unique(np.linspace(0, len(others) - 1, room).astype(int))] if room else others[:0]
    at = np.concatenate([others, np.flatnonzero(always)]).astype(int)
    fractions = [scale.fractions(axis.values[at]) for scale, axis in zip(scales, shown)]
    return ParallelView(
        run=run,
        scales=scales,
        numbers=snapshot.index[at].astype(np.uint32),
        at=at,
        fractions=np.column_stack(fractions) if fractions else np.zeros((len(at), 0)),
        on_front=ranked.on_front[at],
        starred=stars[at],
        best=None if ranked.best is None else int(snapshot.index[ranked.best]),
        selected=None if position is None else int(snapshot.index[position]),
        total=len(snapshot),
        summary=text("parallel.summary", drawn=count(len(at)), total=count(len(snapshot)),
                     axes=", ".join(axis.label for axis in shown)),
    )  # fmt: skip


def _scale(axis: Axis) -> Scale:
    low, high = axis.range
    if axis.options:
        low, high = 0.0, float(max(1, len(axis.options) - 1))
    if axis.kind == "objective" and axis.better < 0:
        low, high = high, low  # up is better, as on the front
    plain = Scale(axis.name, axis.label, axis.kind, low, high, axis.log and low > 0 < high,
                  bool(axis.options), ())  # fmt: skip
    return replace(plain, ticks=_ticks(plain, axis))


def _ticks(scale: Scale, axis: Axis) -> tuple[tuple[float, str], ...]:
    if axis.options:
        return tuple((at / max(1, len(axis.options) - 1), word) for at, word in enumerate(axis.options))
    if scale.low == scale.high:
        return ((0.5, f"{scale.low:.3g}"),)
    values = np.unique(axis.values[~np.isnan(axis.values)])
    if len(values) <= FEW and axis.kind == "choice":  # a few numbers: all of them, as they are
        return tuple((float(f), f"{v:g}") for f, v in zip(scale.fractions(values), values))
    return tuple((f, number(scale.value(f))) for f in (0.0, 0.25, 0.5, 0.75, 1.0))
