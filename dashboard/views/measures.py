"""The interpretability measures of one candidate, each with its value, its raw quantity in words, and a next step.

"What would raise it" is answered from the run itself: the evaluated candidate that differs least from this one (in
the space's own encoding) and has a higher value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.texts import said, spoken, text
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.records import Evaluation, Measurement
    from nas_core.spaces import SearchSpace

__all__ = [
    "FAMILIES",
    "MeasureBar",
    "MeasureFamily",
    "MeasuresView",
    "RaisedBy",
    "architecture_changes",
    "measures_view",
    "nearest_higher",
]

STEP = 0.005
FAMILIES = ("structure", "summary", "explanation")


@dataclass(frozen=True)
class RaisedBy:
    """An evaluated candidate close to this one with a higher value of a measure.

    Attributes:
        id, index: The neighbour.
        value: Its value of the measure.
        performance_change: Its performance minus this candidate's; None where one of them has none.
        changes: What differs between the two architectures, in words.
    """

    id: str
    index: int
    value: float
    performance_change: float | None
    changes: tuple[str, ...]


@dataclass(frozen=True)
class MeasureBar:
    """One measure of a candidate.

    Attributes:
        value, low, high: Score in [0, 1] with its interval; None when undefined, and then ``reason`` says why.
        words: What the raw quantity is ("uses 6 of 30 features").
        advice: The change of the architecture that would raise it.
        raised_by: An evaluated candidate near this one that has a higher value.
        family: What kind of measure it is, one of FAMILIES; empty where nobody knows it any more.
        by_run: Whether the run took it, so that other candidates have it too.
    """

    name: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    words: str
    advice: str
    reason: str
    description: str
    raised_by: RaisedBy | None
    family: str = ""
    by_run: bool = True

    @property
    def interval(self) -> str:
        """The 95 % interval in words; empty where the value is exact, undefined or has none."""
        if self.value is None or self.low is None or self.high is None or self.high - self.low < 1e-9:
            return ""
        return text("measured.interval", low=f"{self.low:.2f}", high=f"{self.high:.2f}")


@dataclass(frozen=True)
class MeasureFamily:
    """The measures of one family, with what they have in common."""

    name: str
    label: str
    words: str
    bars: tuple[MeasureBar, ...]


@dataclass(frozen=True)
class MeasuresView:
    """All measures of one candidate, family after family, each in the registry's order.

    Attributes:
        bars: Those that have a value, and those that the run could not give one.
        not_applicable: Those that were tried later and do not apply to this candidate, each with its reason.
        missing: Names of the measures that nobody has taken of it yet.
        missing_labels: What they are called.
    """

    bars: tuple[MeasureBar, ...]
    not_applicable: tuple[MeasureBar, ...] = ()
    missing: tuple[str, ...] = ()
    missing_labels: tuple[str, ...] = ()

    @property
    def families(self) -> tuple[MeasureFamily, ...]:
        """The bars by family; those of no known family come last."""
        found = []
        for name in (*FAMILIES, ""):
            own = tuple(b for b in self.bars if b.family == name)
            if own:
                key = name or "other"
                found.append(MeasureFamily(name, text(f"measured.{key}"), text(f"measured.{key}_words"), own))
        return tuple(found)


def measures_view(
    evaluation: Evaluation,
    space: SearchSpace,
    raised: Mapping[str, RaisedBy | None],
    later: Mapping[str, Measurement] | None = None,
) -> MeasuresView:
    """Return the measures of ``evaluation``, each put into words by the measure itself.

    Args:
        space: The space it comes from.
        raised: Nearest candidate with a higher value, by measure.
        later: Measurements that were taken after the run.
    """
    from nas_core.interpretability import MEASURES, MeasuredCandidate
    from nas_core.spaces import facts

    known = facts(space, evaluation.architecture)
    names = [f.name for f in space.features]
    more = {name: found for name, found in (later or {}).items() if name not in evaluation.measures}
    bars = []
    for name, found in {**evaluation.measures, **more}.items():
        measure = MEASURES.get(name)
        label, description = (spoken(measure.label), said(measure.summary)) if measure else (name.replace("_", " "), "")
        words, advice = "", ""
        if measure is not None and found.value is not None:
            told = measure.advise(MeasuredCandidate(evaluation.architecture, known, found, names, space.signal))
            words, advice = said(told.state), said(told.change)
        bars.append(
            MeasureBar(
                name, label, found.value, found.low, found.high, words, advice, said(found.reason or ""), description,
                raised.get(name), measure.family if measure else "", name not in more,
            )
        )  # fmt: skip
    bars.sort(key=lambda bar: (*FAMILIES, "").index(bar.family))
    missing = tuple(name for name in MEASURES if name not in evaluation.measures and name not in more)
    return MeasuresView(
        tuple(b for b in bars if b.by_run or b.value is not None),
        tuple(b for b in bars if not b.by_run and b.value is None),
        missing,
        tuple(spoken(MEASURES[name].label) for name in missing),
    )


def nearest_higher(values: np.ndarray, encodings: np.ndarray, at: int) -> int | None:
    """Return the candidate nearest to ``at`` (Euclidean, columns scaled to unit range) with a clearly higher value.

    Args:
        values: A measure of every candidate, (n,); NaN where undefined.
        encodings: Encoded architectures, (n, d).
        at: Position of the candidate in question. Ties go to the earlier candidate.
    """
    here = values[at] if np.isfinite(values[at]) else -np.inf
    higher = np.flatnonzero(np.isfinite(values) & (values > here + STEP))
    if higher.size == 0:
        return None
    span = np.ptp(encodings, axis=0)
    scaled = encodings / np.where(span > 0, span, 1.0)
    distance = np.linalg.norm(scaled[higher] - scaled[at], axis=1)
    return int(higher[np.argmin(distance)])


def architecture_changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """Return in words what turns the architecture values ``before`` into ``after``."""
    changes = []
    old, new = _used(before), _used(after)
    if dropped := sorted(old - new):
        changes.append(text("measure.drops", names=_list(dropped, names)))
    if added := sorted(new - old):
        changes.append(text("measure.adds", names=_list(added, names)))
    if len(before.get("groups", ())) != len(after.get("groups", ())):
        changes.append(text("measure.groups", before=len(before.get("groups", ())), after=len(after.get("groups", ()))))
    for key in sorted(set(before) | set(after)):
        if key in ("groups", "marks") or before.get(key) == after.get(key):
            continue
        label = spoken(key.replace("_", " "))
        old_value, new_value = _written(before.get(key)), _written(after.get(key))
        changes.append(text("measure.changes", label=label, before=old_value, after=new_value))
    if before.get("marks", {}) != after.get("marks", {}):
        changes.append(text("measure.marks", before=len(before.get("marks", {})), after=len(after.get("marks", {}))))
    return tuple(changes)


def _written(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _used(values: Mapping[str, Any]) -> set[int]:
    return {int(f) for group in values.get("groups", ()) for f in group["features"]}


def _list(indices: Sequence[int], names: Sequence[str], most: int = 3) -> str:
    shown = [names[i] if i < len(names) else str(i) for i in indices[:most]]
    more = len(indices) - len(shown)
    return ", ".join(shown) + (text("measure.more", count=more) if more else "")
