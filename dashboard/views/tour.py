"""The guided tour as data: which page each step is on, what it says, and what it points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.texts import text

__all__ = ["TourStep", "tour_step", "tour_steps"]


@dataclass(frozen=True)
class TourStep:
    """One step of the tour.

    Attributes:
        number, total: Which step of how many, from 1.
        page: The page it is on.
        title, look, attempt: What it is about, what to look at, what to try.
        points_at: CSS selector of the element it is about, "" for none.
    """

    number: int
    total: int
    page: str
    title: str
    look: str
    attempt: str
    points_at: str


_STEPS = (
    ("run", "front", "[class*=st-key-front_]"),
    ("run", "weight", ".st-key-lam"),
    ("run", "panel", ".st-key-candidate_panel"),
    ("run", "below", "[data-testid=stMain] [data-testid=stTabs] [role=tablist]"),
    ("candidate", "why", "[data-testid=stMain] [data-testid=stTabs] [role=tablist]"),
    ("candidate", "trust", "[data-testid=stMain] [data-testid=stTabs] [role=tablist]"),
    ("compare", "compare", ""),
    ("insight", "insight", ""),
    ("report", "report", ""),
    ("space", "space", ""),
    ("run", "own", ".st-key-start_own"),
)


def tour_steps(pages: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Return page, name and selector of every step whose page this studio has."""
    return tuple(step for step in _STEPS if step[0] in pages)


def tour_step(number: int, pages: Sequence[str]) -> TourStep:
    """Return step ``number``, the nearest one where there is none of that number."""
    steps = tour_steps(pages)
    at = min(max(number, 1), len(steps))
    page, name, points_at = steps[at - 1]
    title, look, attempt = (text(f"tour.{name}_{part}") for part in ("title", "look", "try"))
    return TourStep(at, len(steps), page, title, look, attempt, points_at)
