"""The log of a run: what it did, what was done to it, what failed, line by line in the order of time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from nas_core.records import Evaluation, Event, Record, Status
from nas_core.store.base import Store

__all__ = ["LogLine", "as_json_lines", "log_lines", "run_log"]

_LEVELS = {"interrupted": "error", "store_failed": "error", "killed": "warning", "cancelled": "warning"}


class LogLine(Record):
    """One thing that happened.

    Attributes:
        time: Seconds since 1970, UTC.
        level: info, warning or error.
        event: started, pack, steered, …, log (a line of the program's loggers) or failed (a candidate).
        evaluated: Candidates that were evaluated before.
        message: In words, where there are any.
        facts: Everything else that is known of it.
    """

    time: float
    level: str
    event: str
    evaluated: int = 0
    message: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)

    @property
    def moment(self) -> str:
        """When, in ISO 8601 to the millisecond, UTC."""
        return datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run_log(store: Store, run_id: str) -> list[LogLine]:
    """Return the log of a run.

    Raises:
        StoreError: No such run.
    """
    return log_lines(store.events(run_id), store.evaluations(run_id))


def log_lines(events: Iterable[Event], evaluations: Iterable[Evaluation]) -> list[LogLine]:
    """Return events and failed candidates as lines in the order of time; of one moment, events in their own order."""
    lines = [_of_event(event) for event in events]
    lines += [_of_failure(e) for e in evaluations if e.status is Status.FAILED]
    return sorted(lines, key=lambda line: line.time)


def as_json_lines(lines: Sequence[LogLine]) -> str:
    """Return one JSON object a line: time (ISO 8601, UTC), level, event, evaluated, message, and what else is known."""
    return "".join(json.dumps(_document(line), ensure_ascii=False) + "\n" for line in lines)


def _document(line: LogLine) -> dict[str, Any]:
    head = {"time": line.moment, "level": line.level, "event": line.event, "evaluated": line.evaluated}
    return head | ({"message": line.message} if line.message else {}) | line.facts


def _of_event(event: Event) -> LogLine:
    facts = dict(event.payload)
    level = str(facts.pop("level", "")) if event.kind == "log" else _LEVELS.get(event.kind, "info")
    message = str(facts.pop("message", "") if event.kind == "log" else facts.pop("reason", ""))
    return LogLine(
        time=event.time, level=level, event=event.kind, evaluated=event.evaluated, message=message, facts=facts
    )


def _of_failure(evaluation: Evaluation) -> LogLine:
    facts: dict[str, Any] = {"candidate": evaluation.id, "number": evaluation.index, "operator": evaluation.operator}
    if evaluation.traceback:
        facts["traceback"] = evaluation.traceback
    return LogLine(
        time=evaluation.finished, level="error", event="failed", evaluated=evaluation.index, message=evaluation.reason,
        facts=facts,
    )  # fmt: skip
