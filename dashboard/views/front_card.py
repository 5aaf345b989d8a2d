"""A few lines about one candidate, for the card at its point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.texts import text
from dashboard.views.card import candidate_card
from dashboard.views.words import interval

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation
    from nas_core.spaces import SearchSpace

__all__ = ["point_lines"]

STRUCTURE = 2
"""Lines about what a candidate is made of: what it reads, and what acts together in it."""


def point_lines(evaluation: Evaluation, space: SearchSpace, objective: Objective) -> tuple[tuple[str, str], ...]:
    """Return (term, words): performance with its interval, what the candidate is made of, and how it came about.

    Args:
        evaluation: The candidate.
        space: The space it is from, for the names of its features.
        objective: The performance objective.
    """
    card = candidate_card(evaluation, space, objective, {}, None)
    performance = interval(card.performance, card.low, card.high)
    made = evaluation.operator.replace("_", " ")
    lines = ((card.metric, performance), *card.lines[:STRUCTURE])
    return (*lines, (text("front.card_made"), made)) if made else lines
