"""What has to fit together in a run that can be continued exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from nas_core.records import Evaluation, RunRecord

__all__ = ["misfits"]


def misfits(record: RunRecord, evaluations: Sequence[Evaluation], state: dict[str, Any] | None) -> list[str]:
    """Return in words what does not fit together; nothing for a run as the coordinator leaves it at any moment.

    Args:
        record: The run.
        evaluations: All that are stored.
        state: What was committed with them; None when nothing was.
    """
    numbers = Counter(e.index for e in evaluations)
    found = [f"{count} candidates have the number {number}" for number, count in numbers.items() if count > 1]
    if state is None:
        if evaluations:
            found.append("There are candidates and no strategy state: it cannot be continued")
        return found
    told = state.get("told")
    if not isinstance(told, int):
        return [*found, "Its strategy state does not say how many candidates it has been told of"]
    if missing := sorted(set(range(told)) - set(numbers)):
        found.append(f"{len(missing)} of {told} candidates are missing, the first is number {missing[0]}")
    return found
