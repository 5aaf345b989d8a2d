"""The untrained twin: every measure of the same architecture with the weights its training started from.

A measure that likes untrained networks is a warning: what it praises is the architecture or the initialisation, not
what was learned from the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nas_core.records import Architecture, FiniteRecord, Measurement

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.spaces.space import SearchSpace

__all__ = ["TwinRow", "untrained_twin"]

TOP = 0.995
CLOSE = 0.02
"""Scores that differ by less count as equal where neither has an interval."""


class TwinRow(FiniteRecord):
    """One measure of a candidate and of its untrained twin.

    Attributes:
        name, label: Of the measure.
        trained, untrained: What it measures.
        structural: True when it is read off the architecture, so that the twin must have the same.
        warning: True when training has not raised it although it looks at the weights.
        words: What that means.
    """

    name: str
    label: str
    trained: Measurement
    untrained: Measurement
    structural: bool
    warning: bool
    words: str


def untrained_twin(
    problem: Problem,
    space: SearchSpace,
    architecture: Architecture,
    measures: Mapping[str, Measurement],
    *,
    seed: int,
    device: str = "auto",
) -> tuple[TwinRow, ...]:
    """Return the measures of a candidate beside those of the same network before its training.

    Args:
        problem: The problem it was trained on.
        space: Its space.
        architecture: Its architecture.
        measures: What was measured of the trained network.
        seed: The candidate's own, so that the twin has the weights its training started from.
        device: auto, cpu, cuda or mps.

    Costs: one evaluation of the measures.
    """
    from nas_core.interpretability import MeasureContext, measure_named, measure_pack
    from nas_core.spaces.family import facts
    from nas_core.training.progress import PackItem
    from nas_core.training.untrained import untrained_pack

    pack = untrained_pack(problem, space, [PackItem(architecture, seed)], device=device)
    known = [facts(space, architecture)]
    bare = MeasureContext(space, [architecture], known)
    found = measure_pack(MeasureContext(space, [architecture], known, problem, pack), list(measures))[0]
    rows = []
    for name, trained in measures.items():
        measure = measure_named(name)
        rows.append(_row(name, measure.label, trained, found[name], structural=measure.applies_to(bare).ok))
    return tuple(rows)


def _row(name: str, label: str, trained: Measurement, untrained: Measurement, *, structural: bool) -> TwinRow:
    warning, words = _verdict(trained, untrained, structural=structural)
    return TwinRow(name=name, label=label, trained=trained, untrained=untrained, structural=structural, warning=warning,
                   words=words)  # fmt: skip


def _verdict(trained: Measurement, untrained: Measurement, *, structural: bool) -> tuple[bool, str]:
    """Return whether to warn, and why."""
    if trained.value is None:
        return False, trained.reason or "It was not measured."
    if untrained.value is None:
        return False, f"Of the untrained network it is undefined: {untrained.reason or 'it was not measured'}."
    if structural:
        return False, "Read off the architecture: the same before and after training, whatever was learned."
    if min(trained.value, untrained.value) >= TOP:
        return False, "At its best before and after: the architecture alone sees to it."
    margin = max(CLOSE, _half(trained) + _half(untrained))
    if untrained.value >= trained.value + margin:
        return True, "Higher before training than after: what it praises was not learned from the data."
    if untrained.value >= trained.value:
        return True, "As high before training as after: it does not show what was learned from the data."
    if untrained.value > trained.value - margin:
        return False, "Higher after training, but by no more than chance explains."
    return False, "Higher after training than before."


def _half(m: Measurement) -> float:
    """Return half the width of the interval of a measure, 0 where it has none."""
    return 0.0 if m.low is None or m.high is None else (m.high - m.low) / 2
