"""What somebody has to know before believing a candidate's numbers, as short badges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dashboard.texts import text
from dashboard.views.words import count, number

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation
    from nas_core.store.summaries import Summary

__all__ = ["Badge", "honesty_badges", "measured_badge", "tied"]

State = Literal["good", "warn", "plain"]


@dataclass(frozen=True)
class Badge:
    """One badge: a few words, whether they are good news, and a sentence."""

    words: str
    state: State
    help: str


def honesty_badges(
    evaluation: Evaluation, front: Sequence[Evaluation | Summary], objective: Objective, *, epochs: int | None,
    trust: str | None, audited: bool | None,
) -> tuple[Badge, ...]:  # fmt: skip
    """Return the badges of a candidate.

    Args:
        evaluation: The candidate.
        front: The candidates on the front, for ties.
        objective: The performance objective.
        epochs: Epochs that training may take at most, where that is known.
        trust: What the checks of its explanation said: "passed", "failed", "skipped"; None where none were made.
        audited: Whether it held with other seeds; None where nobody looked.
    """
    badges = [_eligible(evaluation)]
    if (stopped := _stopped(evaluation, epochs)) is not None:
        badges.append(stopped)
    if evaluation.inherited:
        badges.append(Badge(text("honesty.inherited"), "warn", text("honesty.inherited_help")))
    if evaluation.eligible:
        badges.append(_interval(evaluation, front, objective))
        badges.append(_trust(trust))
        badges.append(_audited(audited))
    return tuple(badges)


def measured_badge(rows: int, metric: str) -> Badge:
    """Return how many validation rows everything was measured on."""
    return Badge(text("honesty.rows", rows=count(rows)), "plain", text("honesty.rows_help", metric=metric))


def tied(evaluation: Evaluation, front: Sequence[Evaluation | Summary]) -> list[Evaluation | Summary]:
    """Return the other candidates of the front whose performance lies within this one's interval, the nearest first."""
    own = evaluation.performance
    if own is None:
        return []
    others = [e for e in front if e.id != evaluation.id and e.performance is not None]
    near = [e for e in others if own.low <= e.performance.value <= own.high]  # type: ignore[union-attr]
    return sorted(near, key=lambda e: (abs(e.performance.value - own.value), e.index))  # type: ignore[union-attr]


def _eligible(evaluation: Evaluation) -> Badge:
    if evaluation.eligible:
        return Badge(text("honesty.eligible"), "good", text("honesty.eligible_help"))
    reason = evaluation.reason.rstrip(".") or text("honesty.no_reason")
    return Badge(text("honesty.not_eligible"), "warn", text("honesty.not_eligible_help", reason=reason))


def _stopped(evaluation: Evaluation, epochs: int | None) -> Badge | None:
    done = max((len(evaluation.curves.get(name, ())) for name in ("train_loss", "valid_loss")), default=0)
    if evaluation.status.value == "pruned":
        return Badge(text("honesty.pruned", done=done), "warn", text("honesty.pruned_help"))
    if epochs and 0 < done < epochs:
        return Badge(text("honesty.early", done=done), "plain", text("honesty.early_help", done=done, epochs=epochs))
    return None


def _interval(evaluation: Evaluation, front: Sequence[Evaluation | Summary], objective: Objective) -> Badge:
    own = evaluation.performance
    assert own is not None  # only eligible ones are asked
    half, others = number((own.high - own.low) / 2, 2), tied(evaluation, front)
    told = {"half": half, "metric": objective.label}
    if not others:
        return Badge(text("honesty.half", **told), "plain", text("honesty.half_help", **told))
    words = text("honesty.ties", **told, number=others[0].index, count=len(others))
    if len(others) > 1:
        words = text("honesty.ties_many", **told, number=others[0].index, count=len(others))
    return Badge(words, "plain", text("honesty.ties_help", **told, number=others[0].index, count=len(others)))


def _trust(trust: str | None) -> Badge:
    if trust == "passed":
        return Badge(text("honesty.trust_passed"), "good", text("honesty.trust_passed_help"))
    if trust == "failed":
        return Badge(text("honesty.trust_failed"), "warn", text("honesty.trust_failed_help"))
    return Badge(text("honesty.trust_unknown"), "plain", text("honesty.trust_unknown_help"))


def _audited(audited: bool | None) -> Badge:
    if audited is None:
        return Badge(text("honesty.not_audited"), "plain", text("honesty.not_audited_help"))
    if audited:
        return Badge(text("honesty.audited"), "good", text("honesty.audited_help"))
    return Badge(text("honesty.audit_failed"), "warn", text("honesty.audit_failed_help"))
