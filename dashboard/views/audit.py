"""How far the numbers of one candidate hold, as data: guards, subgroups, and measures beside an untrained twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import said, spoken, text
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    from nas_core.audit.confirm import SeedSpread
    from nas_core.audit.eligibility import GuardCheck
    from nas_core.audit.subgroups import Subgroups
    from nas_core.audit.untrained import TwinRow
    from nas_core.records import Measurement

__all__ = [
    "GroupBar",
    "GroupsView",
    "GuardRow",
    "SeedsView",
    "TwinPoint",
    "TwinsView",
    "agreement_words",
    "groups_view",
    "guard_rows",
    "seeds_view",
    "twins_view",
]

SHOWN = 8
ENOUGH = 6  # candidates from which on a rank correlation is told


@dataclass(frozen=True)
class GuardRow:
    """One guard: ``ok`` is None where it cannot tell."""

    label: str
    ok: bool | None
    words: str


@dataclass(frozen=True)
class GroupBar:
    """The skill of one subgroup with its 95 % interval."""

    name: str
    rows: int
    value: float
    low: float
    high: float
    lower: bool


@dataclass(frozen=True)
class GroupsView:
    """The subgroups with the lowest skill, the worst first.

    Attributes:
        bars: Those that are shown.
        hidden: How many more there are.
        overall: Skill on all rows; None where there is no subgroup.
        words: What was found, or why there are none.
    """

    bars: tuple[GroupBar, ...]
    hidden: int
    overall: float | None
    words: str


@dataclass(frozen=True)
class TwinPoint:
    """One measure of the trained network and of the same network untrained.

    Attributes:
        trained, low, high: Score with its interval; None where undefined.
        untrained: Score before training; None where undefined, and of a measure that no search optimises.
        warning: Whether training has not raised it.
        audit: Whether no search optimises it.
        words: What that means.
    """

    label: str
    trained: float | None
    low: float | None
    high: float | None
    untrained: float | None
    warning: bool
    audit: bool
    words: str


@dataclass(frozen=True)
class TwinsView:
    """All measures of the search beside the untrained twin, and those that no search optimises."""

    points: tuple[TwinPoint, ...]

    @property
    def warnings(self) -> tuple[TwinPoint, ...]:
        """The measures that training has not raised."""
        return tuple(p for p in self.points if p.warning)

    @property
    def undefined(self) -> tuple[TwinPoint, ...]:
        """The measures without a value."""
        return tuple(p for p in self.points if p.trained is None)


@dataclass(frozen=True)
class SeedsView:
    """What other seeds give, as (label, value, help) and sentences."""

    facts: tuple[tuple[str, str, str], ...]
    words: tuple[str, ...]


def guard_rows(checks: Sequence[GuardCheck]) -> tuple[GuardRow, ...]:
    """Return the guards, those that refuse first."""
    rows = [GuardRow(spoken(c.label), c.ok, said(c.words)) for c in checks]
    return tuple(sorted(rows, key=lambda r: (r.ok is not False, r.ok is not None)))


def groups_view(found: Subgroups) -> GroupsView:
    """Return the subgroups with the lowest skill."""
    bars = tuple(
        GroupBar(g.name, g.rows, g.skill.value, g.skill.low, g.skill.high, g.lower) for g in found.groups[:SHOWN]
    )
    overall = None if found.overall is None or not bars else found.overall.value
    return GroupsView(bars, max(0, len(found.groups) - SHOWN), overall, said(found.words))


def twins_view(rows: Sequence[TwinRow], audited: Mapping[str, Measurement], labels: Mapping[str, str]) -> TwinsView:
    """Return the measures of a candidate beside its untrained twin, then those that no search optimises."""
    points = [
        TwinPoint(
            spoken(r.label),
            r.trained.value,
            r.trained.low,
            r.trained.high,
            r.untrained.value,
            r.warning,
            False,
            said(r.words),
        )
        for r in rows
    ]
    points += [
        TwinPoint(
            spoken(labels[name]),
            m.value,
            m.low,
            m.high,
            None,
            False,
            True,
            said(m.reason or "") or text(f"audit.{name}"),
        )
        for name, m in audited.items()
    ]
    return TwinsView(tuple(points))


def seeds_view(spread: SeedSpread, metric: str, performance: float, interpretability: float) -> SeedsView:
    """Return what other seeds give, beside what the run reported."""
    told = (
        (metric, _mean(spread.performance, spread.performance_sd), text("audit.reported", value=number(performance))),
        (text("audit.interpretability"), _mean(spread.interpretability, spread.interpretability_sd),
         text("audit.reported", value=number(interpretability))),
        (text("audit.stays"), percent(spread.on_front), text("audit.stays_help")),
    )  # fmt: skip
    words = []
    if spread.eligible < spread.trained:
        lost, reasons = spread.trained - spread.eligible, "; ".join(spread.reasons)
        words.append(text("audit.not_eligible", lost=lost, trained=spread.trained, reasons=reasons))
    return SeedsView(told, tuple(words))


def agreement_words(interpretability: Mapping[str, float], audited: Mapping[str, Mapping[str, Measurement]]) -> str:
    """Return in words whether what the search optimised and what it did not agree over several candidates.

    Args:
        interpretability: Of each candidate by identity.
        audited: The measures that no search optimises, of the same candidates.
    """
    from scipy.stats import spearmanr

    sentences = []
    names = dict.fromkeys(name for row in audited.values() for name in row)
    for name in names:
        values = {key: row[name].value for key, row in audited.items() if name in row}
        known = {k: v for k, v in values.items() if v is not None and k in interpretability}
        pairs = np.array([[interpretability[k], v] for k, v in known.items()]).reshape(-1, 2)
        if len(pairs) < ENOUGH or np.ptp(pairs, axis=0).min() < 1e-9:
            continue
        found = float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
        key = "together" if found > 0.3 else "against" if found < -0.3 else "apart"
        value = f"{found:+.2f}".replace("-", "−")
        sentences.append(text(f"audit.agree_{key}", name=text(f"audit.{name}_name"), value=value, count=len(pairs)))
    return " ".join(sentences) or text("audit.agree_few", count=ENOUGH)


def _mean(value: float | None, sd: float | None) -> str:
    return number(value) if sd is None or value is None else f"{number(value)} ± {number(sd, 1)}"
