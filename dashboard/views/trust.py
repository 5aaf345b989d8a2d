"""What the gates say of an attribution, as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dashboard.texts import said, spoken, text
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.explanations.trust import Gate, Trust

__all__ = ["GateRow", "TrustView", "trust_view"]

State = Literal["passed", "failed", "skipped", "not_asked"]


@dataclass(frozen=True)
class GateRow:
    """One check in words.

    Attributes:
        name, label: Which check.
        state: How it ended; "skipped" where a number does not tell, "not_asked" where there is none.
        told: The same in a word.
        number: Its number and what it is held against, or a dash.
        words: What was found.
    """

    name: str
    label: str
    state: State
    told: str
    number: str
    words: str


@dataclass(frozen=True)
class TrustView:
    """The checks of one attribution.

    Attributes:
        state: "passed" = it may be trusted, "failed" = it may not, "skipped" = nothing could be checked.
        headline: The same in a few words.
        why: What the failed checks found, or why none could be made.
        unknown: How many checks cannot tell, in words; empty for none.
        rows: Every check.
    """

    state: Literal["passed", "failed", "skipped"]
    headline: str
    why: tuple[str, ...]
    unknown: str
    rows: tuple[GateRow, ...]


def trust_view(trust: Trust) -> TrustView:
    """Return the view of what the gates say."""
    rows = tuple(_row(gate) for gate in trust.gates)
    passed, failed, unknown = len(trust.passed), len(trust.failed), len(trust.unknown)
    if trust.trusted:
        state: Literal["passed", "failed", "skipped"] = "passed"
        headline = text("trust_badges.trusted", passed=passed, asked=passed + failed)
    elif failed:
        state, headline = "failed", text("trust_badges.untrusted")
    else:
        state, headline = "skipped", text("trust_badges.nothing")
    why = (rows[0].words,) if state == "skipped" and rows else tuple(said(words) for words in trust.because)
    away = (
        text("trust_badges.unknown_one" if unknown == 1 else "trust_badges.unknown", count=unknown) if unknown else ""
    )
    return TrustView(state, headline, why, away, rows)


def _row(gate: Gate) -> GateRow:
    state: State = "not_asked" if gate.value is None else "skipped"
    if gate.ok is not None:
        state = "passed" if gate.ok else "failed"
    told = number(gate.value)
    if gate.value is not None and gate.threshold is not None:
        key = "missed" if gate.ok is False else "held"
        told = text(f"trust_badges.{key}", value=told, relation=gate.relation, threshold=number(gate.threshold, 2))
        if gate.ok is None:
            told = number(gate.value)
    return GateRow(gate.name, spoken(gate.label), state, text(f"trust_badges.{state}"), told, said(gate.words))
