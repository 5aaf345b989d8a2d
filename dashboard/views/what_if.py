"""A row with some values moved, beside the row as it is: predictions, attributions, plausibility, in words and numbers.

P features; attributions in the unit of the output (log-odds, or the target's).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.attributions import probabilities, value_words
from dashboard.views.words import number, percent, signed

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.explanations import IceLines
    from nas_core.explanations.what_if import Knob, Plausibility

__all__ = ["IceView", "Moved", "Outcome", "ice_view", "knob_words", "moved_bars", "outcomes", "plausible_words"]


@dataclass(frozen=True)
class Outcome:
    """One output before and after: a class with its probability, or the target.

    Attributes:
        name: Of the class or the target.
        before, after: In words.
        change: The difference in words; empty where there is none.
        before_share, after_share: Probabilities for bars; None for a regression.
        now: Whether it is the predicted class now.
        was: Whether it was.
    """

    name: str
    before: str
    after: str
    change: str
    before_share: float | None
    after_share: float | None
    now: bool
    was: bool


@dataclass(frozen=True)
class Moved:
    """One feature: what it holds and adds before and after."""

    name: str
    value_before: str
    value_after: str
    before: float
    after: float
    changed: bool


@dataclass(frozen=True, eq=False)
class IceView:
    """The output of one row as one feature moves over its training values.

    Attributes:
        name: Of the feature.
        x, y: (M,) values (positions of levels), and the output with the other values as they are now.
        levels: Names of the levels; empty for a number.
        here, start: (value, output) of the present position and of the row as it is; NaN x where missing.
        low, high: Range of the training values.
        output: Name and unit of the output.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    levels: tuple[str, ...]
    here: tuple[float, float]
    start: tuple[float, float]
    low: float
    high: float
    output: str


def outcomes(problem: Problem, before: np.ndarray, after: np.ndarray, most: int = 4) -> tuple[Outcome, ...]:
    """Return the outputs (C,) before and after; of many classes the most likely ones, and those that were."""
    if problem.task == "regression":
        transform = problem.target_scale.transform
        was, now = (float(transform.inverse(v[:1])[0]) for v in (before, after))
        change = "" if was == now else _signed(now - was)
        return (Outcome(problem.dataset.target, number(was), number(now), change, None, None, True, True),)
    shares = probabilities(np.stack([before, after]))
    order = np.argsort(-np.maximum(shares[0], shares[1]), kind="stable")[:most]
    found = []
    for c in sorted(order, key=lambda c: -shares[1, c]):
        was, now = (float(s) for s in shares[:, c])
        points = 100 * (now - was)
        change = text("what_if.points", change=signed(points, 1)) if abs(points) >= 0.05 else ""
        found.append(Outcome(problem.dataset.classes[c], percent(was), percent(now), change, was, now,
                             bool(shares[1].argmax() == c), bool(shares[0].argmax() == c)))  # fmt: skip
    return tuple(found)


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{number(abs(value))}"


def moved_bars(
    problem: Problem, rows: tuple[np.ndarray, np.ndarray], values: tuple[np.ndarray, np.ndarray],
    used: Collection[int], most: int = 10,
) -> tuple[Moved, ...]:  # fmt: skip
    """Return the features that add most before or after, those first that were changed and are read.

    Args:
        problem: For names and levels.
        rows: (P,) raw values before and after.
        values: (P,) attributions of one output before and after.
        used: Features that the network reads.
        most: Features at most.
    """
    before, after = rows
    changed = ~((before == after) | (np.isnan(before) & np.isnan(after))) & np.isin(np.arange(len(before)), list(used))
    size = np.maximum(np.abs(values[0]), np.abs(values[1]))
    order = [int(j) for j in np.lexsort((-size, ~changed)) if size[j] > 0 or changed[j]][:most]
    order.sort(key=lambda j: -size[j])
    features = problem.dataset.features
    return tuple(
        Moved(features[j].name, value_words(float(before[j]), features[j]), value_words(float(after[j]), features[j]),
              float(values[0][j]), float(values[1][j]), bool(changed[j]))
        for j in order
    )  # fmt: skip


def ice_view(
    lines: IceLines, knob: Knob, start: tuple[float, float], output: int, unit: str, name: str
) -> IceView:  # fmt: skip
    """Return the ICE line of one row (N = 1) as it is now; ``start`` is where the feature began, and the output."""
    y = lines.outputs[0, :, output]
    levels = knob.levels
    x = np.arange(len(lines.grid), dtype=float) if levels else lines.grid
    place = {float(v): float(i) for i, v in enumerate(lines.grid)}

    def at(value: float) -> float:
        return place.get(value, float("nan")) if levels else value

    named = tuple(levels[int(v)] for v in lines.grid) if levels else ()
    return IceView(lines.name, x, y, named, (at(float(lines.own[0])), float(lines.own_outputs[0, output])),
                   (at(start[0]), start[1]), knob.smallest, knob.largest,
                   text("what_if.output", output=name, unit=unit))  # fmt: skip


def plausible_words(found: Plausibility, names: Sequence[str]) -> tuple[str, bool]:
    """Return whether such a row could exist, in words, and whether there is reason to doubt it."""
    told = []
    if found.outside:
        told.append(text("what_if.outside", names=", ".join(names[j] for j in found.outside)))
    values = {"distance": number(found.nearest), "usual": number(found.usual), "row": found.row}
    if found.far:
        told.append(text("what_if.far", **values))
    if not told:
        return text("what_if.plausible", **values), False
    return " ".join(told), True


def knob_words(knob: Knob) -> str:
    """Return what is known of a feature besides its range: that it is certified monotone."""
    directions: Mapping[int | None, str] = {1: text("what_if.rises"), -1: text("what_if.falls"),
                                            0: text("what_if.monotone")}  # fmt: skip
    return directions.get(knob.direction, "")
