"""What an architecture is expected to reach, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.texts import text
from dashboard.views.words import count, number, percent

if TYPE_CHECKING:
    from nas_core.comparison.expected import Expectation
    from nas_core.records import Estimate

__all__ = ["expected_rows", "expected_words"]


def expected_rows(found: Expectation, metric: str) -> list[tuple[str, str, str]]:
    """Return label, value and explanation of each prediction that there is."""
    rows = [(metric, _told(found.performance), text("expected.interval_help"))]
    if found.interpretability is not None:
        rows.append((text("run.interpretability"), _told(found.interpretability), text("expected.interval_help")))
    if found.on_front is not None:
        rows.append((text("expected.on_front"), percent(found.on_front), text("expected.on_front_help")))
    return rows


def expected_words(found: Expectation, run: str) -> str:
    """Return what was learned from, and how well that predicts."""
    skill = "" if found.skill is None else text("expected.skill", skill=number(found.skill, 2))
    return f"{text('expected.learned', count=count(found.learned_from), run=run)}{skill}"


def _told(estimate: Estimate | None) -> str:
    return number(None) if estimate is None else f"{number(estimate.low)} – {number(estimate.high)}"
