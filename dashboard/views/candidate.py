"""One candidate as its page shows it: where it came from, how good it is, what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import said, spoken, spoken_line, spoken_steps, text
from dashboard.views.card import structure_lines
from dashboard.views.measures import RaisedBy, architecture_changes, nearest_higher
from dashboard.views.plain import plain_sentence
from dashboard.views.words import count, duration, estimate, number
from nas_core.objectives import METRICS

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Architecture, Evaluation
    from nas_core.spaces import SearchSpace
    from nas_core.store.summaries import Summary

__all__ = ["BestLink", "CandidateView", "Fact", "best_links", "candidate_view", "described_changes", "origin_words",
           "raised_by"]  # fmt: skip

MOST_COMPARED = 4000


@dataclass(frozen=True)
class Fact:
    """One number of the header: what it is, its value in words, and a sentence on it."""

    label: str
    value: str
    help: str = ""


@dataclass(frozen=True)
class CandidateView:
    """What the header and the facts of a candidate say.

    Attributes:
        status: Its status in words; ``reason`` is why, where it did not end well.
        ended_well: True when it was trained and may be on the front.
        parents: Number in the run and id of each parent.
        plain: What it is in one plain sentence.
        structure: What it is made of, besides its features, in one line.
        lines: How much of a signal it sees at a time and what acts together, as terms and words; empty for tables.
        groups: The groups of a table's network in words, one each.
    """

    id: str
    number: int
    status: str
    reason: str
    ended_well: bool
    origin: str
    parents: tuple[tuple[int, str], ...]
    plain: str
    structure: str
    lines: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class BestLink:
    """A candidate worth opening, in one line."""

    id: str
    words: str


def candidate_view(
    evaluation: Evaluation, space: SearchSpace, objective: Objective, others: Sequence[Evaluation | Summary]
) -> CandidateView:
    """Return the view of one evaluated candidate; ``others`` are those of its run, its parents at least."""
    from nas_core.spaces import facts

    numbers = {e.id: e.index for e in others}
    values = evaluation.architecture.values
    names = [f.name for f in space.features]
    known = facts(space, evaluation.architecture)
    lines = structure_lines(evaluation, space, known) if space.signal is not None else ()
    return CandidateView(
        id=evaluation.id,
        number=evaluation.index,
        status=text(f"candidate.status_{evaluation.status.value}"),
        reason=evaluation.reason,
        ended_well=evaluation.eligible,
        origin=origin_words(evaluation),
        parents=tuple((numbers[p], p) for p in evaluation.parents if p in numbers),
        plain=plain_sentence(evaluation, space, objective, known),
        structure=spoken_line(space.engine.describe(space, values)),
        lines=lines,
        groups=tuple(_group_words(g, values.get("marks", {}), names) for g in values.get("groups", ())),
        facts=tuple(_facts(evaluation, objective)),
    )


def origin_words(evaluation: Evaluation | Summary) -> str:
    """Return how a candidate came about: a landmark, a sample, a warm start, by hand, or an operator."""
    if evaluation.operator.startswith("warm start"):
        return text("lineage.origin_warm", run=evaluation.operator.partition(":")[2].strip())
    if evaluation.origin == "manual":
        return text("lineage.origin_hand")
    if evaluation.operator.startswith("landmark"):
        return text("candidate.origin_landmark", name=said(evaluation.operator.partition(":")[2].strip()))
    if evaluation.operator == "sample":
        return text("candidate.origin_sample")
    return text("candidate.origin_operator", name=spoken_steps(evaluation.operator))


def _group_words(group: dict, marks: dict, names: Sequence[str]) -> str:
    arrows = {1: " ↑", -1: " ↓"}
    features = [names[j] + arrows.get(marks.get(str(j), 0), "") for j in group["features"]]
    kind = text("candidate.linear") if group.get("linear") else ""
    return " × ".join(features) + (f" ({kind})" if kind else "")


def _facts(evaluation: Evaluation, objective: Objective) -> list[Fact]:
    cost = evaluation.cost
    about = f"{said(objective.description)} {text('candidate.interval')}"
    found = [
        Fact(spoken(objective.label), estimate(evaluation.performance), about),
        Fact(text("candidate.skill"), estimate(evaluation.skill), text("candidate.skill_help")),
    ]
    for name, value in evaluation.metrics.items():
        if name != objective.name:
            known = METRICS.get(name)
            label, meaning = (spoken(known.label), said(known.description)) if known else (name.replace("_", " "), "")
            found.append(Fact(label, number(value), meaning))
    return [
        *found,
        Fact(text("candidate.parameters"), count(cost.parameters)),
        Fact(text("candidate.operations"), count(cost.operations), text("candidate.operations_help")),
        Fact(text("candidate.seconds"), duration(cost.seconds), text("candidate.seconds_help")),
    ]


def raised_by(
    evaluations: Sequence[Evaluation | Summary], space: SearchSpace, candidate: str,
    encode: Callable[[Architecture], np.ndarray] | None = None,
) -> dict[str, RaisedBy | None]:  # fmt: skip
    """Return, for each measure of ``candidate``, the nearest evaluated candidate with a higher value (None: none has).

    Args:
        encode: Remembers encodings between calls; the space's own by default.

    Costs: encoding at most 4,000 eligible candidates, the latest ones.
    """
    pool = [e for e in evaluations if e.eligible or e.id == candidate]
    here = next((e for e in pool if e.id == candidate), None)
    if here is None:
        return {}
    pool = [here, *[e for e in pool if e.id != candidate][-MOST_COMPARED:]]
    encodings = np.stack([(encode or space.encode)(e.architecture) for e in pool])
    found: dict[str, RaisedBy | None] = {}
    for measure in here.scored:
        values = np.array([e.score(measure) for e in pool])
        near = nearest_higher(values, encodings, 0)
        found[measure] = None if near is None else _raised(space, here, pool[near], float(values[near]))
    return found


def _raised(space: SearchSpace, here: Evaluation | Summary, other: Evaluation | Summary, value: float) -> RaisedBy:
    change = None
    if here.performance is not None and other.performance is not None:
        change = other.performance.value - here.performance.value
    before, after = here.architecture.values, other.architecture.values
    if space.signal is None:
        changes = architecture_changes(before, after, [f.name for f in space.features])
    else:
        changes = described_changes(space.engine.describe(space, before), space.engine.describe(space, after))
    return RaisedBy(other.id, other.index, value, change, changes)


def described_changes(before: str, after: str) -> tuple[str, ...]:
    """Return what differs between two descriptions, part by part; networks of layers have no shorter difference."""
    old, new = before.split(" · "), after.split(" · ")
    gone, come = [p for p in old if p not in new], [p for p in new if p not in old]
    changes = []
    if come:
        changes.append(text("card.now", after=" · ".join(come)))
    if gone:
        changes.append(text("card.was", before=" · ".join(gone)))
    return tuple(changes)


def best_links(
    evaluations: Sequence[Evaluation | Summary], objective: Objective, space: SearchSpace, most: int = 6
) -> tuple[BestLink, ...]:
    """Return the candidates on the front of performance against what a person can count, best performance first.

    That is the features used where the data are a table, else the operations of one prediction.
    """
    eligible = [(objective.loss(p.value), e.index, e) for e in evaluations
                if e.eligible and (p := e.performance) is not None]  # fmt: skip
    links: list[BestLink] = []
    fewest = float("inf")
    for _, _, e in sorted(eligible, key=lambda found: found[:2]):
        if len(links) == most or fewest == 0:
            break
        features = {j for g in e.architecture.values.get("groups", ()) for j in g["features"]}
        amount = len(features) if space.signal is None else e.cost.operations
        if amount < fewest:
            fewest = amount
            links.append(BestLink(e.id, _link(e, objective, space, amount)))
    return tuple(links)


def _link(evaluation: Evaluation | Summary, objective: Objective, space: SearchSpace, amount: int) -> str:
    told = {"number": evaluation.index, "metric": spoken(objective.label), "value": estimate(evaluation.performance)}
    if space.signal is not None:
        return text("card.link_signal", **told, operations=count(amount))
    return text("candidate.link", **told, used=amount, all=len(space.features))
