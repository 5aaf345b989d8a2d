"""What happened to a run, act by act, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboard.texts import spoken, text
from dashboard.views.card import measure_label
from dashboard.views.words import count, duration, number

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Event

__all__ = ["HistoryView", "event_words", "history_view"]

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class HistoryView:
    """The acts, the newest first.

    Attributes:
        evaluated: Candidates evaluated before each.
        times: Local time of each, ``HH:MM:SS``.
        words: What each was.
    """

    evaluated: tuple[int, ...]
    times: tuple[str, ...]
    words: tuple[str, ...]


def history_view(events: Iterable[Event], objective: Objective, strategies: Mapping[str, str]) -> HistoryView:
    """Return the acts among ``events`` (in order) in words, the newest first; kinds without words are left out.

    Args:
        events: What happened to the run.
        objective: Of the run, for the words of its goals.
        strategies: Labels of strategies by name.
    """
    told = [(e, event_words(e, objective, strategies)) for e in events]
    shown = [(e, words) for e, words in reversed(told) if words]
    return HistoryView(
        tuple(e.evaluated for e, _ in shown),
        tuple(datetime.fromtimestamp(e.time).strftime("%H:%M:%S") for e, _ in shown),
        tuple(words for _, words in shown),
    )


def event_words(event: Event, objective: Objective, strategies: Mapping[str, str]) -> str:
    """Return one act in words, empty where nobody needs to hear of it; arguments as in :func:`history_view`."""
    payload = event.payload
    special: dict[str, Callable[[], str]] = {
        "started": lambda: _started(payload, strategies),
        "steered": lambda: _steered(payload["preference"], objective),
        "budget": lambda: text("steering.event_budget", budget=_budget(payload)),
        "rules": lambda: text("steering.event_rules", rules=_rules(payload)),
        "strategy": lambda: _switched(payload, strategies),
        "halving": lambda: text(f"steering.event_halving_{'on' if payload['on'] else 'off'}"),
        "space": lambda: _edited(payload),
    }
    if event.kind in special:
        return special[event.kind]()
    if event.kind in ("proposed", "dropped", "overruled", "killed", "cancelled"):
        many = len(payload.get("candidates", ()))
        return text(f"steering.event_{event.kind}", count=count(many)) if many else ""
    if event.kind == "decision":
        return text("report.event_decision", number=payload.get("record", {}).get("chosen", {}).get("number", "?"))
    if event.kind == "test_opened":
        return text("report.event_test_opened")
    if event.kind in ("resumed", "paused"):
        return text(f"steering.event_{event.kind}")
    if event.kind in ("done", "stopped", "interrupted", "store_failed"):
        return text(f"steering.event_{event.kind}", reason=str(payload.get("reason", "")).rstrip("."))
    if event.kind == "log":
        level = text("steering.event_log_error" if payload.get("level") == "error" else "steering.event_log_warning")
        return f"{level}: {payload.get('message', '')}"
    if event.kind == "replaced":
        return text("steering.event_replaced", **{name: payload[name] for name in ("candidate", "before", "now")})
    return ""


def _started(payload: Payload, strategies: Mapping[str, str]) -> str:
    settings = payload["settings"]
    name = settings["strategy"]
    weight = settings["preference"]["weight"]
    return text(
        "steering.event_started", strategy=strategies.get(name, name), weight=f"{weight:.2f}", seed=settings["seed"]
    )


def _steered(preference: Payload, objective: Objective) -> str:
    weight = f"{preference['weight']:.2f}"
    goals = ", ".join(_goal(goal, objective) for goal in preference.get("goals", ()))
    if not goals:
        return text("steering.event_steered", weight=weight)
    return text("steering.event_steered_goals", weight=weight, goals=goals)


def _goal(goal: Payload, objective: Objective) -> str:
    name, sign = goal["name"], "≥"
    if name == "performance":
        label, sign = spoken(objective.label), "≥" if objective.maximise else "≤"
    else:
        label = text("run.interpretability").lower() if name == "interpretability" else measure_label(name)
    return text("steering.goal", name=label, sign=sign, value=number(goal["value"]))


def _budget(payload: Payload) -> str:
    parts = []
    if payload.get("candidates"):
        parts.append(text("steering.event_budget_candidates", count=count(payload["candidates"])))
    if payload.get("seconds"):
        parts.append(text("steering.event_budget_seconds", duration=duration(payload["seconds"])))
    return ", ".join(parts) or text("steering.event_budget_none")


def _rules(payload: Payload) -> str:
    parts = []
    if payload.get("until_goals"):
        parts.append(text("steering.event_rules_goals"))
    if payload.get("plateau"):
        parts.append(text("steering.event_rules_plateau", count=count(payload["plateau"])))
    return ", ".join(parts) or text("steering.event_rules_none")


def _switched(payload: Payload, strategies: Mapping[str, str]) -> str:
    before, after = (strategies.get(payload[name], payload[name]) for name in ("from", "to"))
    return text("steering.event_strategy", before=before, after=after, told=count(payload["told"]))


def _edited(payload: Payload) -> str:
    numbers = {"version": payload["version"], **{n: count(payload[n]) for n in ("inside", "outside")}}
    words = str(payload.get("words", "")).rstrip(".")
    return (
        text("steering.event_space", words=words, **numbers) if words else text("steering.event_space_plain", **numbers)
    )
