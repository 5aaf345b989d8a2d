"""Whether an attribution may be trusted: all gates at once, and in words why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, Explainer, default_background
from nas_core.explanations.choice import EXPLAINERS
from nas_core.explanations.gates import (
    Checked,
    Gate,
    additivity_gate,
    completeness,
    faithfulness_gate,
    local_fit_gate,
    repetition_gate,
    rise_gate,
)
from nas_core.explanations.gates.base import skipped
from nas_core.records import Measurement

__all__ = ["GATES", "Gate", "Trust", "check_attribution"]

GATES: dict[str, tuple[str, Callable[[Checked], Gate]]] = {
    "completeness": ("Adds up", completeness),
    "faithfulness": ("Faithful", faithfulness_gate),
    "emprt": ("Sees the weights", rise_gate),
    "additivity": ("Weak interactions", additivity_gate),
    "local_additive_fidelity": ("Locally a sum", local_fit_gate),
    "repetition": ("Repeatable", repetition_gate),
}
"""The gates by name, with their labels, in the order they are told. None of them is an objective of any search."""


@dataclass(frozen=True)
class Trust:
    """What the gates say of one attribution."""

    gates: tuple[Gate, ...]

    @property
    def passed(self) -> tuple[Gate, ...]:
        """The gates that it passed."""
        return tuple(g for g in self.gates if g.ok is True)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that it failed."""
        return tuple(g for g in self.gates if g.ok is False)

    @property
    def unknown(self) -> tuple[Gate, ...]:
        """The gates that do not apply, or cannot tell."""
        return tuple(g for g in self.gates if g.ok is None)

    @property
    def trusted(self) -> bool:
        """True when no gate failed and at least one could be asked."""
        return bool(self.passed) and not self.failed

    @property
    def because(self) -> tuple[str, ...]:
        """Why it is not to be trusted: what the failed gates found; empty when it may be."""
        if self.trusted:
            return ()
        return tuple(g.words for g in self.failed) or ("None of the checks could be made.",)


def check_attribution(
    candidate: Candidate,
    attribution: Attribution,
    *,
    background: np.ndarray | None = None,
    explainer: Explainer[Any] | None = None,
    measures: Mapping[str, Measurement] | None = None,
    seed: int = 0,
) -> Trust:
    """Return what all gates say of an attribution of a candidate.

    A gate is shown, never maximised: see ``nas_core.explanations.gates``. The same arguments give the same answer.

    Costs: some thousand predictions, and six explanations of a few rows by the same method.

    Args:
        candidate: What was explained.
        attribution: What the explanation says; of all outputs, or of some of them.
        background: The raw rows that stood for absent features; training rows by default.
        explainer: The method, where it is not in ``EXPLAINERS`` by the attribution's ``method``.
        measures: Stored measurements of the candidate by name, so that they are not taken again.
        seed: Of everything that is drawn.
    """
    why = _unusable(attribution)
    if why is not None:
        broken = attribution.values.size > 0 and attribution.base.size > 0
        first = Gate("completeness", GATES["completeness"][0], None, None, False if broken else None, why)
        others = "Not asked: the values are not usable."
        rest = [skipped(name, label, others) for name, (label, _) in GATES.items() if name != "completeness"]
        return Trust((first, *rest))
    checked = Checked(
        candidate,
        attribution,
        default_background(candidate.problem) if background is None else candidate.checked(background),
        explainer or EXPLAINERS.get(attribution.method),
        measures or {},
        seed,
    )
    return Trust(tuple(gate(checked) for _, gate in GATES.values()))


def _unusable(attribution: Attribution) -> str | None:
    """Return why an attribution cannot be looked at, or None."""
    if not attribution.values.size:
        return "The attribution has no rows, so there is nothing to check."
    bad = int((~np.isfinite(attribution.values)).sum())
    if bad:
        return f"{bad} of its {attribution.values.size} values are not numbers."
    if not (np.isfinite(attribution.outputs).all() and np.isfinite(attribution.base).all()):
        return "The outputs of the network are not finite numbers."
    return None
