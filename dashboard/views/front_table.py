"""What the front shows, as a table: for those who read numbers, or cannot see the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.front_axes import axis_of
from dashboard.views.front_choice import FrontChoice
from dashboard.views.front_marks import front_marks

if TYPE_CHECKING:
    from dashboard.views.front import FrontView
    from nas_core.search import FrontLuck, Ranking, Snapshot

__all__ = ["ROWS", "FrontTable", "front_table"]

ROWS = 200


@dataclass(frozen=True)
class FrontTable:
    """The points on the front, the best on the first axis first.

    Attributes:
        columns: What stands above a column, to its values (k,): number, then value and interval of each axis, chance
            (percent, where it is known), marks in words.
        total: Points on the front.
    """

    columns: dict[str, np.ndarray]
    total: int


def front_table(
    view: FrontView, archive: Snapshot, ranking: Ranking, choice: FrontChoice, luck: FrontLuck | None = None
) -> FrontTable:
    """Return the front of ``view`` as a table.

    Args:
        view: The front as drawn, of ``archive`` under ``ranking`` as ``choice`` says.
        archive, ranking, choice: As for the view.
        luck: Chances; no column without.
    """
    axes = [axis_of(key, archive, ranking, intervals=True) for key in choice.keys]
    where = {int(number): k for k, number in enumerate(archive.index)}
    at = np.array([where[int(number)] for number in view.numbers[view.on_front]], dtype=int)
    at = at[np.argsort(axes[0].losses[at], kind="stable")]
    total, at = len(at), at[:ROWS]
    columns: dict[str, np.ndarray] = {text("front.col_number"): archive.index[at]}
    for axis in axes:
        columns[axis.label] = axis.values[at]
        if axis.uncertain:
            columns[text("front.col_low", name=axis.name)] = axis.low[at]
            columns[text("front.col_high", name=axis.name)] = axis.high[at]
    if luck is not None:
        chance = np.zeros(len(archive))
        there = luck.positions < len(archive)
        chance[luck.positions[there]] = luck.chance[there]
        columns[text("front.col_chance")] = np.round(100 * chance[at])
    marks = front_marks(archive, ranking, axes, ranking.on_front if choice.usual else _mask(at, len(archive)),
                        ("knee", "unsupported", "ties"), luck)  # fmt: skip
    said = {"knee": (marks.knee,), "unsupported": marks.unsupported, "tied": marks.tied}
    named = {view.best: [text("front.mark_best")]}
    for name, numbers in said.items():
        for number in numbers:
            named.setdefault(number, []).append(text(f"front.name_{name}"))
    columns[text("front.col_marks")] = np.array(
        [", ".join(named.get(int(k), [])) for k in archive.index[at]], dtype=object
    )
    return FrontTable(columns, total)


def _mask(at: np.ndarray, count: int) -> np.ndarray:
    mask = np.zeros(count, dtype=bool)
    mask[at] = True
    return mask
