"""What was done to a run while it searched, from its events, as facts for sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nas_core.records import Event
from nas_core.reports.record import Act

__all__ = ["STEERING", "acts_of"]

STEERING = ("steered", "strategy", "space", "halving", "proposed", "overruled", "killed", "budget")
"""Kinds of act after which a search from the beginning gives other candidates."""
TOLD = (*STEERING, "rules", "resumed", "stopped", "interrupted", "warm")


def acts_of(events: Iterable[Event]) -> tuple[Act, ...]:
    """Return what was done, in order; what a run notes about itself alone is left out."""
    found = []
    for event in events:
        if event.kind in TOLD and (facts := _facts(event.kind, event.payload)) is not None:
            found.append(Act(kind=event.kind, time=event.time, evaluated=event.evaluated, facts=facts))
    return tuple(found)


def _facts(kind: str, payload: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the facts of one act, None where it changed nothing."""
    if kind == "steered":
        wish = payload["preference"]
        goals = ", ".join(f"{goal['name']} {goal['value']:g}" for goal in wish.get("goals", ()))
        return {"weight": f"{wish['weight']:.2f}", "goals": goals or "–"}
    if kind == "strategy":
        return {"before": str(payload["from"]), "after": str(payload["to"])}
    if kind == "space":
        return {"version": str(payload["version"]), "words": str(payload.get("words", "")) or "–"}
    if kind == "halving":
        return {"on": "on" if payload["on"] else "off"}
    if kind in ("proposed", "overruled", "killed"):
        many = len(payload.get("candidates", ()))
        return {"count": str(many)} if many else None
    if kind == "budget":
        return {name: "–" if payload.get(name) is None else f"{payload[name]:g}" for name in ("candidates", "seconds")}
    if kind == "rules":
        goals = "yes" if payload.get("until_goals") else "no"
        return {"goals": goals, "plateau": "–" if payload.get("plateau") is None else str(payload["plateau"])}
    if kind == "warm":
        return {"runs": ", ".join(payload.get("runs", ())), "count": str(payload.get("candidates", 0))}
    return {"reason": str(payload.get("reason", "")).rstrip(".") or "–"}
