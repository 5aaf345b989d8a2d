"""The candidates that did not make it, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas_core.records import Evaluation

__all__ = ["FailuresView", "failures_view"]


@dataclass(frozen=True)
class FailuresView:
    """Candidates that cannot enter the front, the newest first."""

    numbers: tuple[int, ...]
    ids: tuple[str, ...]
    statuses: tuple[str, ...]
    reasons: tuple[str, ...]


def failures_view(evaluations: Sequence[Evaluation]) -> FailuresView:
    """Return those of ``evaluations`` that are not eligible, in the order given."""
    lost = [e for e in evaluations if not e.eligible]
    return FailuresView(
        tuple(e.index for e in lost),
        tuple(e.id for e in lost),
        tuple(str(e.status) for e in lost),
        tuple(e.reason for e in lost),
    )
