"""Decisions in the history of their run: an event of kind ``decision`` each, which any store keeps."""

from __future__ import annotations

from pydantic import ValidationError

from nas_core.records import Event
from nas_core.reports.record import DecisionRecord
from nas_core.store.base import Store

__all__ = ["DECISION", "decisions_of", "keep_decision"]

DECISION = "decision"


def keep_decision(store: Store, record: DecisionRecord) -> int:
    """Add a decision to its run, live or not, and return the run's new revision.

    Raises:
        StoreError: No such run.
    """
    payload = {"record": record.model_dump(mode="json")}
    event = Event(kind=DECISION, time=record.made, evaluated=record.budget.evaluated, payload=payload)
    return store.note(record.run_id, [event])


def decisions_of(store: Store, run_id: str) -> tuple[DecisionRecord, ...]:
    """Return the decisions about a run, the latest first; one that a later version of NASight wrote is left out.

    Raises:
        StoreError: No such run.
    """
    found = []
    for event in store.events(run_id):
        if event.kind == DECISION:
            try:
                found.append(DecisionRecord.model_validate(event.payload["record"]))
            except (ValidationError, KeyError):
                continue
    return tuple(reversed(found))
