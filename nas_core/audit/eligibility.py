"""Why a candidate may enter a front, guard by guard: asked again of the stored network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.audit.confirm import network_outputs
from nas_core.evaluation.guards import flat, not_learnt, saturated, two_valued
from nas_core.records import Evaluation, FiniteRecord

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.explanations.base import Candidate

__all__ = ["GuardCheck", "guard_checks"]


class GuardCheck(FiniteRecord):
    """What one guard says.

    Attributes:
        name, label: Of the guard.
        ok: Whether it lets the candidate pass; None where it cannot tell.
        words: Why.
    """

    name: str
    label: str
    ok: bool | None
    words: str


@dataclass(frozen=True)
class _Losses:
    """Mean validation losses of the untrained and of the trained network."""

    start_loss: float
    kept_loss: float


def guard_checks(candidate: Candidate, evaluation: Evaluation, *, device: str = "auto") -> tuple[GuardCheck, ...]:
    """Return what each guard says of a stored candidate, also of one that was evaluated before a guard was there.

    Args:
        candidate: Its network.
        evaluation: What the search found.
        device: auto, cpu, cuda or mps.

    Costs: the predictions of the validation rows, by the trained and by the untrained network.
    """
    problem = candidate.problem
    outputs = network_outputs(candidate, problem.valid.raw)
    checks = [_skill(evaluation)]
    if not np.isfinite(outputs).all():
        return (*checks, GuardCheck(name="finite", label="Outputs are numbers", ok=False,
                                    words="Some of its outputs on the validation rows are not finite."))  # fmt: skip
    checks.append(_asked("varies", "Outputs vary", flat(outputs), "They differ clearly from row to row."))
    if problem.task == "classification":
        reason = saturated(outputs, problem.valid.target)
        checks.append(_asked("certainty", "Certainty holds", reason, "It is not certain of what it gets wrong."))
    signal = problem.dataset.signal is not None
    numeric = [j for j in candidate.used if signal or problem.dataset.features[j].kind != "categorical"]
    inputs = problem.valid.raw if signal else problem.valid.X[:, numeric]
    reason = two_valued(outputs, inputs)
    checks.append(_asked("values", "Units are alive", reason, "Its outputs have more than two values, or as many as "
                         "its inputs allow."))  # fmt: skip
    checks.append(_learnt(candidate, evaluation, outputs, device))
    return tuple(checks)


def row_losses(problem: Problem, outputs: np.ndarray) -> np.ndarray:
    """Return the training loss (N,) of outputs (N, C) of the validation rows, weighted as in training."""
    y, f = problem.valid.y, np.asarray(outputs, np.float64)
    if problem.task == "regression":
        found = (f[:, 0] - y) ** 2
    elif f.shape[1] == 1:
        found = np.logaddexp(0.0, np.where(y == 1, -1.0, 1.0) * f[:, 0])
    else:
        found = np.logaddexp.reduce(f, axis=1) - f[np.arange(len(f)), y.astype(np.int64)]
    return found if problem.valid.weights is None else found * problem.valid.weights


def _skill(e: Evaluation) -> GuardCheck:
    if e.skill is None:
        return GuardCheck(name="skill", label="Better than ignoring the inputs", ok=None,
                          words="Its skill was not recorded.")  # fmt: skip
    words = f"Skill {e.skill.value:.3g}, 95 % interval {e.skill.low:.3g} to {e.skill.high:.3g}."
    return GuardCheck(name="skill", label="Better than ignoring the inputs", ok=e.skill.low > 0, words=words)


def _asked(name: str, label: str, reason: str, fine: str) -> GuardCheck:
    return GuardCheck(name=name, label=label, ok=not reason, words=f"{reason}." if reason else fine)


def _learnt(candidate: Candidate, e: Evaluation, outputs: np.ndarray, device: str) -> GuardCheck:
    """Return whether training has improved it over its initial weights."""
    from nas_core.training.progress import PackItem
    from nas_core.training.untrained import untrained_pack

    problem, label = candidate.problem, "Has learnt"
    twin = untrained_pack(problem, candidate.space, [PackItem(e.architecture, e.seed)], device=device)
    before = twin.predict(problem.valid.E)[0]
    if not np.isfinite(before).all():
        return GuardCheck(name="learnt", label=label, ok=None, words="Its untrained twin does not predict numbers.")
    losses = _Losses(float(row_losses(problem, before).mean()), float(row_losses(problem, outputs).mean()))
    fine = f"Training brought its validation loss from {losses.start_loss:.3g} to {losses.kept_loss:.3g}."
    return _asked("learnt", label, not_learnt(losses, problem.featureless_loss), fine)
