"""One candidate in a few lines: what it is made of, how good it is, how simple it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation
    from nas_core.spaces import SearchSpace

__all__ = ["Card", "MeasureBar", "candidate_card", "structure_words"]


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
        features: Names of the features it uses, in the order of the data.
        total: Number of features of the data.
        interactions: Groups of features that interact, by name.
        pairs: Pairs of features that interact, all pairs of a group counted.
        monotone: Features whose effect is certified to go one way.
        architecture: The rest of it in words.
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
    features: tuple[str, ...]
    total: int
    interactions: tuple[tuple[str, ...], ...]
    pairs: int
    monotone: int
    architecture: str
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

    values = evaluation.architecture.values
    names = [f.name for f in space.features]
    found = facts(space, evaluation.architecture)
    p = evaluation.performance
    return Card(
        id=evaluation.id,
        number=evaluation.index,
        metric=objective.label,
        performance=p.value if p else None,
        low=p.low if p else None,
        high=p.high if p else None,
        interpretability=interpretability,
        features=tuple(names[j] for j in found.used_features),
        total=len(names),
        interactions=_interactions(values.get("groups", ()), names) if found.pairs else (),
        pairs=found.pairs,
        monotone=len(found.certified),
        architecture=structure_words(values),
        bars=tuple(MeasureBar(n, labels.get(n, n), m.value, m.reason or "") for n, m in evaluation.measures.items()),
        parameters=evaluation.cost.parameters,
        operations=evaluation.cost.operations,
        origin=evaluation.origin,
        operator=evaluation.operator,
        parents=len(evaluation.parents),
        status=str(evaluation.status),
        reason=evaluation.reason,
    )


def _interactions(groups: Sequence[dict], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the features of every group in which they interact, by name."""
    return tuple(
        tuple(names[j] for j in group["features"])
        for group in groups
        if not group.get("linear") and len(group["features"]) > 1
    )


def structure_words(values: dict) -> str:
    """Return the parts of a tabular architecture that are not its features, in one line."""
    parts = [str(values.get("encoding", ""))]
    if values.get("depth", 0):
        parts.append(f"{values['depth']} × {values['width']} {values['activation']}")
        parts += [str(values[k]) for k in ("connections",) if values.get(k) not in (None, "full")]
        parts += [f"{values['normalisation']} norm"] if values.get("normalisation") not in (None, "none") else []
        parts += [f"dropout {number(values['dropout'])}"] if values.get("dropout") else []
    else:
        parts.append("linear")
    parts.append(f"{values.get('optimiser', '')} {number(values.get('learning_rate'))}".strip())
    return " · ".join(part for part in parts if part and part != "–")
