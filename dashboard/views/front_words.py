"""Sentences about the front: what is on it, and who cannot be told apart from the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.front_axes import Axis
from dashboard.views.front_choice import FrontChoice
from dashboard.views.front_marks import FrontMarks
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    from dashboard.views.front import FrontView

__all__ = ["front_summary", "legend_help", "tie_sentence"]

NAMED = 5
"""Tied candidates that are named; of more, how many."""


def front_summary(
    sentence: str, choice: FrontChoice, axes: Sequence[Axis], shown: np.ndarray, on_front: np.ndarray, marks: FrontMarks
) -> str:
    """Return what the picture shows in one sentence, the marks in a second one.

    Args:
        sentence: For the usual axes, with {count}, {front}, {metric}, {low}, {high}.
        choice: What is on the axes.
        axes: These axes.
        shown: Positions of the candidates that lie on them.
        on_front: (n,) which of these are on the front.
        marks: What is marked.
    """
    values = axes[1].values[shown]
    low, high = (number(float(f(values))) for f in (np.min, np.max)) if len(values) else ("–", "–")
    counted = {"count": len(shown), "front": int(on_front.sum())}
    if choice.usual:
        told = sentence.format(**counted, metric=axes[1].name, low=low, high=high)
    else:
        told = text("front.summary", **counted, axes=", ".join(axis.name for axis in axes))
    more = [text("front.summary_knee", number=marks.knee)] if marks.knee is not None else []
    if marks.unsupported:
        more.append(text("front.summary_unsupported", count=len(marks.unsupported)))
    if marks.tied:
        more.append(text("front.summary_tied", count=len(marks.tied)))
    return " ".join([told, *more])


def tie_sentence(view: FrontView) -> str:
    """Return who cannot be told apart from the best at λ, and how surely it leads there."""
    if view.best is None:
        return ""
    band = next((b for b in view.bands if b.low <= view.weight <= b.high and b.number == view.best), None)
    lead = percent(band.lead) if band is not None else "–"
    if not view.marks.tied:
        return text("front.tied_none", number=view.best, lead=lead)
    named = ", ".join(f"#{k}" for k in view.marks.tied[:NAMED])
    if len(view.marks.tied) > NAMED:
        named = text("front.tied_more", named=named, more=len(view.marks.tied) - NAMED)
    key = "front.tied_one" if len(view.marks.tied) == 1 else "front.tied"
    return text(key, number=view.best, count=len(view.marks.tied), named=named, lead=lead)


def legend_help(view: FrontView) -> str:
    """Return what each mark means, as a list in Markdown; only those that are there."""
    there = {
        "cloud": True, "front": bool(view.on_front.any()), "best": view.best is not None,
        "selected": view.selected is not None, "floors": bool(view.floors), "recent": bool(view.recent.any()),
        "plain": bool(view.plain), "misses": not bool(view.meets.all()), "outside": bool(view.outside.any()),
        "knee": view.marks.knee is not None, "unsupported": bool(view.marks.unsupported), "tied": bool(view.marks.tied),
        "chance": bool(view.marks.chances), "crosses": bool(view.marks.crosses),
        "ellipses": bool(view.marks.ellipses), "shaky": bool(view.marks.shaky),
    }  # fmt: skip
    goal = any(axis.goal for axis in view.axes) and view.z is None
    lines = [
        text(f"front.help_{name}") for name, shown in {**there, "goal": goal, "keys": view.z is None}.items() if shown
    ]
    return "\n".join(f"- {line}" for line in lines)
