"""One candidate in a few lines: what it is made of, how good it is, how simple it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import catalogue, said, spoken, spoken_line, text
from dashboard.views.plain import plain_sentence
from dashboard.views.words import count, percent

if TYPE_CHECKING:
    from nas_core.data.signal import Signal
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation
    from nas_core.spaces import SearchSpace, StructuralFacts

__all__ = ["Card", "MeasureBar", "candidate_card", "measure_label", "structure_lines"]

SHOWN_FEATURES, SHOWN_TOGETHER, SHOWN_GROUPS = 8, 4, 4


@dataclass(frozen=True)
class MeasureBar:
    """One measure of a candidate: its score in [0, 1], or why there is none."""

    name: str
    label: str
    score: float | None
    reason: str


@dataclass(frozen=True)
class Card:
    """What the panel of a chosen candidate shows.

    Attributes:
        id, number: Identity, and number in its run.
        metric: Name of the performance metric.
        performance, low, high: Performance with its 95 % interval.
        interpretability: Weighted mean of the measures under the preference in force.
        lines: What it is made of, as terms and words: the features of a table and which interact, or how much of an
            image or a sequence one place sees and which patches or steps can act together; then how it is built and
            what it costs.
        phrase: The most telling of these in one phrase for a sentence.
        plain: The candidate in one plain sentence.
        bars: Its measures.
        parameters, operations: What it costs.
        origin, operator, parents: Where it came from.
        status, reason: How its evaluation ended.
    """

    id: str
    number: int
    metric: str
    performance: float | None
    low: float | None
    high: float | None
    interpretability: float | None
    lines: tuple[tuple[str, str], ...]
    phrase: str
    plain: str
    bars: tuple[MeasureBar, ...]
    parameters: int
    operations: int
    origin: str
    operator: str
    parents: int
    status: str
    reason: str


def candidate_card(
    evaluation: Evaluation, space: SearchSpace, objective: Objective, labels: dict[str, str],
    interpretability: float | None,
) -> Card:  # fmt: skip
    """Return the card of one evaluated candidate.

    Args:
        evaluation: The candidate.
        space: The space it is from, for the names of its features.
        objective: The performance objective.
        labels: What a person reads for each measure's name.
        interpretability: Its interpretability under the preference in force; None when undefined.
    """
    from nas_core.spaces import facts

    found = facts(space, evaluation.architecture)
    p = evaluation.performance
    cost = text("card.cost_words", parameters=count(evaluation.cost.parameters or found.parameters),
                operations=count(evaluation.cost.operations or found.operations))  # fmt: skip
    built = spoken_line(space.engine.describe(space, evaluation.architecture.values))
    return Card(
        id=evaluation.id,
        number=evaluation.index,
        metric=spoken(objective.label),
        performance=p.value if p else None,
        low=p.low if p else None,
        high=p.high if p else None,
        interpretability=interpretability,
        lines=(*structure_lines(evaluation, space, found), (text("card.built"), built), (text("card.cost"), cost)),
        phrase=_phrase(space, found),
        plain=plain_sentence(evaluation, space, objective, found),
        bars=tuple(
            MeasureBar(n, labels.get(n, n), m.value, said(m.reason or "")) for n, m in evaluation.measures.items()
        ),
        parameters=evaluation.cost.parameters,
        operations=evaluation.cost.operations,
        origin=evaluation.origin,
        operator=evaluation.operator,
        parents=len(evaluation.parents),
        status=str(evaluation.status),
        reason=said(evaluation.reason),
    )


def structure_lines(evaluation: Evaluation, space: SearchSpace, found: StructuralFacts) -> tuple[tuple[str, str], ...]:
    """Return what a candidate reads and what acts together in it, as terms and words."""
    if space.signal is not None:
        return _signal_lines(space.signal, len(space.features), found)
    names = [f.name for f in space.features]
    used = [names[j] for j in found.used_features]
    shown = ", ".join(used[:SHOWN_FEATURES]) + (" …" if len(used) > SHOWN_FEATURES else "")
    counted = text("card.features", used=len(used), total=len(names))
    groups = _interactions(evaluation.architecture.values.get("groups", ()), names) if found.pairs else ()
    together = "; ".join(_group_words(group) for group in groups[:SHOWN_GROUPS]) or text("card.interactions_none")
    return (
        (text("card.uses"), f"{counted}: {shown}" if shown else counted),
        (text("card.interact"), together + (" …" if len(groups) > SHOWN_GROUPS else "")),
    )


def _signal_lines(signal: Signal, cells: int, found: StructuralFacts) -> tuple[tuple[str, str], ...]:
    """Return how much of a signal one place sees, whether cells are left out, and how many pairs can act together."""
    kind = signal.modality
    sees = _sees(signal, found, "card.sees")
    if len(found.used_features) < cells:
        part = text(f"card.sees_{kind}_part", used=count(len(found.used_features)), total=count(cells))
        sees = f"{sees}; {part}" if sees else part
    total = cells * (cells - 1) // 2
    if found.pairs:
        together = text(f"card.together_{kind}", pairs=count(found.pairs), total=count(total),
                        share=percent(found.pairs / total))  # fmt: skip
    else:
        together = text(f"card.together_{kind}_none")
    lines = ((text("card.sees"), sees), (text("card.together"), together))
    return tuple(line for line in lines if line[1])


def _sees(signal: Signal, found: StructuralFacts, key: str) -> str:
    """Return the receptive field in words, "" where it is not known."""
    if found.receptive_field is None:
        return ""
    (height, width), (all_height, all_width) = found.receptive_field, signal.place
    height, width = min(height, all_height), min(width, all_width)
    key = f"{key}_{signal.modality}"
    if (height, width) == (all_height, all_width):
        return text(f"{key}_all")
    if found.pairs == math.comb(signal.features, 2):  # a dense head, for example, joins what single places see
        return text(f"{key}_joined", height=height, width=width, steps=width)
    return text(key, height=height, width=width, all_height=all_height, all_width=all_width, steps=width, all=all_width)


def _phrase(space: SearchSpace, found: StructuralFacts) -> str:
    if space.signal is not None:
        operations = text("card.phrase_operations", operations=count(found.operations))
        return ", ".join(part for part in (_sees(space.signal, found, "card.phrase_sees"), operations) if part)
    kind = {0: "none", 1: "one"}.get(found.pairs, "many")
    features = text("card.features", used=len(found.used_features), total=len(space.features))
    return text("card.phrase_table", features=features,
                interactions=text(f"card.interactions_{kind}", count=found.pairs))  # fmt: skip


def _interactions(groups: Sequence[dict], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the features of every group in which they interact, by name."""
    return tuple(
        tuple(names[j] for j in group["features"])
        for group in groups
        if not group.get("linear") and len(group["features"]) > 1
    )


def _group_words(group: tuple[str, ...]) -> str:
    if len(group) <= SHOWN_TOGETHER:
        return " × ".join(group)
    return text("card.group_more", names=" × ".join(group[:2]), more=len(group) - 2)


def measure_label(name: str) -> str:
    """Return the short name of a measure: the catalogue's, else the measure's own."""
    key = f"run.measure_{name}"
    if key in catalogue("en"):
        return text(key)
    from nas_core.interpretability import MEASURES

    return spoken(MEASURES[name].label) if name in MEASURES else name.replace("_", " ")
