"""The candidates that did not make it: the first failure, how many ended how, and which reasons come again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import said, text
from nas_core.records import Status

if TYPE_CHECKING:
    from nas_core.search import Snapshot

__all__ = ["FailuresView", "FirstFailure", "ReasonGroup", "failures_view", "first_failure", "reason_groups"]

NUMBER = re.compile(r"(?<![A-Za-z_\d.])[-+#]?(?:\d[\d,]*)?\.?\d+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class FailuresView:
    """Candidates that cannot enter the front, the newest first."""

    numbers: tuple[int, ...]
    ids: tuple[str, ...]
    statuses: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many ended with each status, the most frequent first."""
        return dict(Counter(self.statuses).most_common())


@dataclass(frozen=True)
class ReasonGroup:
    """Candidates that ended for one reason, numbers in it aside.

    Attributes:
        status: How they ended.
        reason: The reason, "…" where its numbers differ.
        count: How many.
        first, last: Numbers of the first and of the last of them.
        example: Identity of the first.
    """

    status: str
    reason: str
    count: int
    first: int
    last: int
    example: str


@dataclass(frozen=True)
class FirstFailure:
    """The first candidate that crashed.

    Attributes:
        id, number: Of the candidate.
        line: The first line of the reason.
        rest: What follows it, empty where nothing does.
        failed: How many have failed by now.
    """

    id: str
    number: int
    line: str
    rest: str
    failed: int


def failures_view(snapshot: Snapshot, reason: Callable[[str], str]) -> FailuresView:
    """Return the candidates of ``snapshot`` that are not eligible; ``reason`` says why one of an identity is not."""
    at = np.flatnonzero(~snapshot.eligible)
    at = at[np.argsort(-snapshot.index[at], kind="stable")]
    ids = tuple(snapshot.ids[i] for i in at)
    return FailuresView(
        tuple(int(n) for n in snapshot.index[at]),
        ids,
        tuple(str(snapshot.status[i]) for i in at),
        tuple(said(reason(key)) for key in ids),
    )


def reason_groups(view: FailuresView) -> tuple[ReasonGroup, ...]:
    """Return the reasons, the most frequent first; two that differ in numbers only are one."""
    found: dict[tuple[str, str], list[int]] = {}
    for row, (status, reason) in enumerate(zip(view.statuses, view.reasons)):
        found.setdefault((status, NUMBER.sub("…", reason)), []).append(row)
    groups = []
    for (status, shape), rows in found.items():
        told = {view.reasons[row] for row in rows}
        oldest = min(rows, key=lambda row: view.numbers[row])
        numbers = [view.numbers[row] for row in rows]
        words = told.pop() if len(told) == 1 else shape
        groups.append(ReasonGroup(status, words or text("failures.no_reason"), len(rows), min(numbers), max(numbers),
                                  view.ids[oldest]))  # fmt: skip
    return tuple(sorted(groups, key=lambda group: (-group.count, group.first)))


def first_failure(snapshot: Snapshot, reason: Callable[[str], str]) -> FirstFailure | None:
    """Return the first candidate that crashed, None while none has."""
    if Status.FAILED not in snapshot.status:  # every look asks, and mostly none has
        return None
    failed = [i for i, status in enumerate(snapshot.status) if status is Status.FAILED]
    at = min(failed, key=lambda i: int(snapshot.index[i]))
    line, _, rest = reason(snapshot.ids[at]).strip().partition("\n")
    return FirstFailure(
        snapshot.ids[at], int(snapshot.index[at]), said(line) or text("failures.no_reason"), rest, len(failed)
    )
