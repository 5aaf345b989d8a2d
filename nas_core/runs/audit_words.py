"""What an audit means, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.records import RunState

if TYPE_CHECKING:
    from nas_core.runs.auditing import CandidateAudit, RunAudit

__all__ = ["candidate_caveats", "run_caveats"]

UNSURE, LUCKY = 0.5, 0.9
SIMULATED, FAITHFUL = 0.5, 0.1


def candidate_caveats(found: CandidateAudit, metric: str, missing: str) -> tuple[str, ...]:
    """Return what to be careful about with one candidate; empty when nothing was found.

    Args:
        found: What was found.
        metric: Label of the metric.
        missing: Why its network could not be loaded; empty when it could.
    """
    said = [f"It could not be looked at: {missing}"] if missing else []
    said += [f"{g.label}? No: {g.words[0].lower()}{g.words[1:]}" for g in found.guards if g.ok is False]
    if found.front_probability is not None and found.front_probability < UNSURE:
        said.append(
            f"It is on the front by luck more often than not: in {found.front_probability:.0%} of the resamples of the "
            "validation rows it still is."
        )
    if (seeds := found.seeds) is not None:
        said += _seed_words(found, metric)
        if seeds.eligible < seeds.trained:
            said.append(
                f"With {seeds.trained - seeds.eligible} of {seeds.trained} other seeds it is not eligible: "
                f"{'; '.join(seeds.reasons)}."
            )
    if found.subgroups is not None and (worst := found.subgroups.worst) is not None and worst.lower:
        said.append(found.subgroups.words)
    if liked := [row.label for row in found.twin if row.warning]:
        said.append(f"As high or higher before training, so not learned from the data: {', '.join(liked)}.")
    if found.off_data is not None and found.off_data.flagged:
        said.append(found.off_data.words)
    user, control = (found.audit_measures.get(n) for n in ("simulated_user_accuracy", "random_control"))
    if user is not None and user.value is not None and user.value < SIMULATED:
        said.append(
            f"A simulated user who studied its explanations foresees little of it: {user.value:.2f} of the way from "
            "guessing the commonest answer to always right."
        )
    if control is not None and control.low is not None and control.low <= 0.0:
        said.append("Its attributions are not clearly more faithful than values drawn at random.")
    return tuple(said)


def _seed_words(found: CandidateAudit, metric: str) -> list[str]:
    """Return what the other seeds say against the value that was reported."""
    seeds, said = found.seeds, []
    assert seeds is not None
    if seeds.performance is not None and seeds.performance_sd is not None:
        reach = _prediction_factor(seeds.eligible) * seeds.performance_sd + 1e-12
        if abs(found.performance.value - seeds.performance) > reach:
            said.append(
                f"Its {metric} of {found.performance.value:.4g} is further from what other seeds give than one more "
                f"seed would be: {seeds.performance:.4g} ± {seeds.performance_sd:.2g}."
            )
    if seeds.eligible and seeds.on_front < UNSURE:
        said.append(f"Of {seeds.trained} other seeds it stays on the front in {round(seeds.on_front * seeds.trained)}.")
    return said


def _prediction_factor(count: int) -> float:
    """Return by how many standard deviations of ``count`` ≥ 2 values one more may differ from their mean (95 %)."""
    from scipy.stats import t

    return float(t.ppf(0.975, count - 1)) * (1.0 + 1.0 / count) ** 0.5


def run_caveats(audit: RunAudit, asked: int, state: RunState) -> tuple[str, ...]:
    """Return what to be careful about with a whole run.

    Args:
        audit: What was found.
        asked: With how many other seeds it should have been trained again.
        state: The run's.
    """
    said = []
    if not audit.complete:
        said.append("The audit was cancelled: what is missing was not reached.")
    if state in (RunState.RUNNING, RunState.PAUSED, RunState.CREATED):
        said.append("The run had not ended: its front may still change.")
    sure = [c for c in audit.candidates if c.front_probability is not None and c.front_probability >= LUCKY]
    known = [c for c in audit.candidates if c.front_probability is not None]
    if known:
        said.append(
            f"{len(sure)} of {len(known)} candidates on the front are on it in at least {LUCKY:.0%} of "
            f"{audit.resamples} resamples of the validation rows."
        )
    if not asked:
        said.append("No candidate was trained again with another seed.")
    if audit.fresh is None:
        said.append(
            "Every number is from the validation rows that the search chose by, so performance is optimistic; the test "
            "part was not opened."
        )
    else:
        fresh = audit.fresh
        lost = [c for c in fresh.candidates if c.reason]
        said.append(
            f"On {fresh.rows} test rows the front has a hypervolume between {fresh.hypervolume_pessimistic:.4f} and "
            f"{fresh.hypervolume_optimistic:.4f}; the search believed {fresh.hypervolume_validation:.4f}. "
            "Change nothing because of this, or the test part is no longer fresh."
        )
        if lost:
            said.append(f"{len(lost)} of {len(fresh.candidates)} are not eligible on the test rows.")
    return tuple(said)
