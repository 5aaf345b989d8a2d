"""What to be careful about in a decision, found from facts alone: each is a sentence only where its fact holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.records import Evaluation, RunRecord, RunState
from nas_core.reports.record import BudgetUsed, Caveat, DataFacts, FinalTest
from nas_core.search.ranking import Ranking
from nas_core.search.snapshot import Snapshot

__all__ = ["Case", "caveats_of"]

FEW_ROWS = 200
"""Validation rows below which the interval of a share of .9 is wider than ± .04."""
FEW_CANDIDATES = 100
LOST_SHARE = 0.1


@dataclass(frozen=True)
class Case:
    """All that caveats are found from.

    Attributes:
        run: The run's record.
        chosen: The choice.
        position: Its place in the snapshot.
        snapshot, ranking, inside: The candidates, their order under the decision's preference, and which lie in the
            version of the space that is in force.
        data, budget: As recorded.
        inherits: Whether the search began trainings from parents' weights.
        test: The final test of the chosen candidate, where there was one.
        looks: How often the test part was opened.
        doubts: What an audit of the chosen candidate said, in sentences; None where there was no audit.
    """

    run: RunRecord
    chosen: Evaluation
    position: int
    snapshot: Snapshot
    ranking: Ranking
    inside: np.ndarray
    data: DataFacts
    budget: BudgetUsed
    inherits: bool
    test: FinalTest | None
    looks: int
    doubts: Sequence[str] | None


def caveats_of(case: Case) -> tuple[Caveat, ...]:
    """Return what to be careful about, the most serious first."""
    found = [*_of_choice(case), *_of_evidence(case), *_of_search(case), *_of_test(case)]
    if case.doubts is None:
        found.append(Caveat(kind="no_audit"))
    else:
        found += [Caveat(kind="audit", facts={"words": words.rstrip(".")}) for words in case.doubts]
        if not case.doubts:
            found.append(Caveat(kind="audit_clean"))
    return tuple(found)


def _of_choice(case: Case) -> list[Caveat]:
    """Return what speaks against the choice itself."""
    found, ranking, at, number = [], case.ranking, case.position, str(case.chosen.index)
    if not case.chosen.eligible:
        facts = {"number": number, "status": case.chosen.status.value, "reason": case.chosen.reason.rstrip(".") or "–"}
        return [Caveat(kind="ineligible", facts=facts)]
    if not ranking.on_front[at]:
        found.append(Caveat(kind="dominated", facts={"number": number}))
    if ranking.best is not None and ranking.best != at:
        other = str(int(case.snapshot.index[ranking.best]))
        found.append(Caveat(kind="not_best", facts={"best": other, "weight": f"{ranking.preference.weight:.2f}"}))
    if ranking.preference.goals and not ranking.meets[at]:
        found.append(Caveat(kind="goals_missed", facts={"number": number}))
    if not case.inside[at]:
        found.append(Caveat(kind="outside", facts={"number": number}))
    undefined = [n for n, m in case.chosen.measures.items() if m.value is None]
    if undefined:
        found.append(Caveat(kind="undefined", facts={"count": str(len(undefined)), "names": ", ".join(undefined)}))
    return found


def _of_evidence(case: Case) -> list[Caveat]:
    """Return where the numbers say less than they seem to."""
    found, data = [], case.data
    if data.valid_rows is None:
        found.append(Caveat(kind="data_unread"))
    elif data.valid_rows < FEW_ROWS:
        found.append(Caveat(kind="few_rows", facts={"rows": str(data.valid_rows)}))
    overlapping, runner_up = _overlaps(case)
    if runner_up is not None:
        facts = {"number": str(case.chosen.index), "other": str(runner_up), "count": str(overlapping)}
        found.append(Caveat(kind="overlap", facts=facts))
    eligible = int(case.snapshot.eligible.sum())
    if eligible > 1:
        found.append(Caveat(kind="curse", facts={"count": str(eligible)}))
    if case.chosen.inherited:
        found.append(Caveat(kind="inherited", facts={"parent": case.chosen.inherited}))
    if case.chosen.weights is None and case.chosen.eligible:
        found.append(Caveat(kind="no_weights"))
    return found


def _overlaps(case: Case) -> tuple[int, int | None]:
    """Return how many others of the front the validation rows do not tell apart from the chosen one in performance.

    With it comes the number of the first of them in the ranking; None where there is none.
    """
    low, high = case.snapshot.columns["performance_low"], case.snapshot.columns["performance_high"]
    at = case.position
    if not case.chosen.eligible:
        return 0, None
    others = [p for p in case.ranking.order if case.ranking.on_front[p] and p != at]
    close = [p for p in others if low[p] <= high[at] and low[at] <= high[p]]
    return len(close), int(case.snapshot.index[close[0]]) if close else None


def _of_search(case: Case) -> list[Caveat]:
    """Return how the search fell short."""
    found, run, budget = [], case.run, case.budget
    if run.state in (RunState.STOPPED, RunState.INTERRUPTED):
        found.append(Caveat(kind="ended_early", facts={"reason": run.reason.rstrip(".") or "–"}))
    elif run.state is not RunState.DONE:
        found.append(Caveat(kind="still_searching", facts={"evaluated": str(budget.evaluated)}))
    if budget.evaluated < FEW_CANDIDATES:
        found.append(Caveat(kind="few_candidates", facts={"evaluated": str(budget.evaluated)}))
    lost = budget.by_status.get("failed", 0) + budget.by_status.get("ineligible", 0)
    if budget.evaluated and lost / budget.evaluated >= LOST_SHARE:
        facts = {name: str(budget.by_status.get(name, 0)) for name in ("failed", "ineligible")}
        found.append(Caveat(kind="lost", facts={**facts, "evaluated": str(budget.evaluated)}))
    if pruned := budget.by_status.get("pruned", 0):
        found.append(Caveat(kind="pruned", facts={"count": str(pruned)}))
    if case.inherits and not case.chosen.inherited:
        found.append(Caveat(kind="inheriting"))
    return found


def _of_test(case: Case) -> list[Caveat]:
    """Return what the test rows say, or that nobody asked them."""
    if case.test is None:
        return [Caveat(kind="test_elsewhere" if case.looks else "test_closed", facts={"looks": str(case.looks)})]
    found = []
    if case.looks > 1:
        found.append(Caveat(kind="test_looks", facts={"looks": str(case.looks)}))
    fresh, validation = case.test.fresh.value, case.test.validation
    if not validation.low <= fresh <= validation.high:
        found.append(Caveat(kind="test_differs"))
    if case.test.reason:
        found.append(Caveat(kind="test_ineligible", facts={"reason": case.test.reason.rstrip(".")}))
    return found
