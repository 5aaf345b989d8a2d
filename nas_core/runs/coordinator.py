"""The thread that searches: it alone owns the strategy, the evaluator and the store's writer.

Exact resume. After each pack one transaction commits its evaluations together with the strategy's state *after* being
told them. What is committed during a pack carries the state *before* the pack was asked for, and how many were asked: a
run that continues asks again, gets the same candidates, evaluates those that are missing, and tells all of them in the
order they were asked. So a kill at any moment, a stop and a time limit all continue as if nothing had happened.

Candidates that a person proposed are evaluated before the strategy is asked again, and the strategy is told of them.
Until then they are part of the state, so they are not lost either.

A candidate that was in training when the run was stopped has no evaluation. It is named in the event, and evaluated
when the run continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nas_core.errors import RunError
from nas_core.evaluation.base import Evaluator, PackProgress
from nas_core.records import Evaluation, Proposal, RunRecord, RunState, Status
from nas_core.runs.control import Control, Ending
from nas_core.runs.ledger import Ledger
from nas_core.runs.progress import PackState, RunSnapshot
from nas_core.runs.settings import RunSettings
from nas_core.search.strategy import Strategy
from nas_core.store.base import Store

__all__ = ["Coordinator", "Parts"]

COMMIT_SECONDS = 0.2
"""Slow evaluators are committed one candidate at a time; what finishes together, together."""

BEAT_SECONDS = 60.0
FAILED_PACKS = 3


@dataclass(frozen=True)
class Parts:
    """What a run is made of; built in its own thread, as the imports and hints behind it take seconds."""

    strategy: Strategy
    evaluator: Evaluator


class Coordinator:
    """One run from start to end; :meth:`main` is the thread's target."""

    def __init__(
        self, store: Store, record: RunRecord, control: Control, publish: Callable[[RunSnapshot], None]
    ) -> None:
        self._store, self._control = store, control
        self._settings = RunSettings.model_validate(record.settings)
        self._ledger = Ledger(store, record, control, publish)
        self._told = 0  # candidates the strategy knows
        self._asked: int | None = None  # size of the pack that was begun before the run was continued
        self._begun: dict[str, Evaluation] = {}  # its finished candidates
        self._manual: list[Proposal] = []  # proposed by a person, not evaluated yet
        self._evaluated: set[str] = set()
        self._all_failed = 0

    def main(self, build: Callable[[], Parts]) -> None:
        """Search until the end, whatever it is."""
        try:
            self._begin(build)
            ending = self._next()
            while ending is None:
                ending = self._pack() or self._next()
            self._ledger.finish(ending)
        except Exception as error:  # noqa: BLE001 - whatever it was, the run says so and stays resumable
            self._ledger.interrupt(error)

    def _begin(self, build: Callable[[], Parts]) -> None:
        run_id = self._ledger.record.id
        saved = self._store.strategy_state(run_id)
        earlier = self._store.evaluations(run_id)
        self._ledger.load(earlier)
        parts = build()
        self._strategy, self._evaluator = parts.strategy, parts.evaluator
        if saved is not None:
            self._told, self._asked = saved["told"], saved["asked"]
            self._strategy.restore(saved["strategy"], [e for e in earlier if e.index < self._told])
            self._manual = [Proposal.model_validate(p) for p in saved.get("manual", ())]
            self._begun = {e.id: e for e in earlier if e.index >= self._told}
        self._evaluated = {e.id for e in earlier if e.index < self._told}
        self._ledger.note("started" if saved is None else "resumed", settings=self._ledger.record.settings)
        self._ledger.change(state=RunState.RUNNING, reason="")
        self._ledger.run_clock(self._settings.seconds)
        self._take_proposals()
        self._save(self._strategy.state(), self._asked)

    def _next(self) -> Ending | None:
        """Do what others asked for; return how to end, or None to go on with the next pack."""
        self._apply_changes()
        if self._control.pausing and self._control.ending is None:
            self._pause()
        if self._control.ending is not None or self._control.late():
            return self._stopped()
        limit = self._settings.candidates
        if limit is not None and self._told >= limit and self._asked is None:
            return Ending(RunState.DONE, f"All {limit} candidates are evaluated")
        return None

    def _pack(self) -> Ending | None:
        """Take or ask for a pack, evaluate and commit it, tell the strategy; return an ending where there is one."""
        before, size = self._strategy.state(), self._asked
        if self._manual and size is None:
            proposals = self._manual[: self._settings.pack_size or 64]
        else:
            size = size or self._pack_size()
            with self._ledger.phase("strategy"):
                proposals = self._strategy.ask(size)
        if not proposals:
            return Ending(RunState.DONE, "The search space is exhausted: there is no candidate left")
        found = dict(self._begun)
        self._ledger.next_pack(asked=self._told + len(proposals))
        for evaluation in self._evaluations(proposals, found):
            found[evaluation.id] = evaluation
            self._ledger.keep(evaluation)
            if self._ledger.silence >= COMMIT_SECONDS:
                self._save(before, size)
        if missing := [p.architecture.id for p in proposals if p.architecture.id not in found]:
            # The strategy has been asked and will not be told: this run ends here and continues from ``before``.
            self._ledger.note("cancelled", candidates=missing)
            self._save(before, size)
            return self._stopped()
        self._tell([found[p.architecture.id] for p in proposals])
        return None

    def _evaluations(self, proposals: list[Proposal], found: dict[str, Evaluation]) -> Iterator[Evaluation]:
        """Yield the finished evaluations of the proposals that are not in ``found``, numbered as they were asked."""
        numbers = {p.architecture.id: self._told + at for at, p in enumerate(proposals)}
        todo = [p for p in proposals if p.architecture.id not in found]
        for evaluation in self._evaluator.evaluate(todo, stop=self._control, on_progress=self._show_pack):
            self._ledger.add_seconds(self._evaluator.take_seconds())
            self._ledger.keep_weights(self._evaluator.take_weights())
            if evaluation.status is not Status.CANCELLED:
                yield evaluation.model_copy(update={"index": numbers[evaluation.id]})
        self._ledger.add_seconds(self._evaluator.take_seconds())

    def _tell(self, evaluations: list[Evaluation]) -> None:
        with self._ledger.phase("strategy"):
            self._strategy.tell(evaluations)
            state = self._strategy.state()
        self._told += len(evaluations)
        self._evaluated |= {e.id for e in evaluations}
        self._manual = [p for p in self._manual if p.architecture.id not in self._evaluated]
        self._asked, self._begun = None, {}
        self._ledger.pack_finished()
        self._save(state, None)
        self._check_failures(evaluations)

    def _check_failures(self, evaluations: list[Evaluation]) -> None:
        failed = all(e.status is Status.FAILED for e in evaluations)
        self._all_failed = self._all_failed + 1 if failed else 0
        if self._all_failed >= FAILED_PACKS:
            raise RunError(
                f"Every candidate of the last {FAILED_PACKS} packs failed, the last one with: {evaluations[-1].reason}",
                fix="look at the failures; resume when the cause is gone",
            )

    def _pack_size(self) -> int:
        size = self._settings.pack_size or 64
        if self._told == 0:
            size = min(size, self._settings.first_pack or size)
        limit = self._settings.candidates
        return size if limit is None else min(size, limit - self._told)

    def _stopped(self) -> Ending:
        if self._control.ending is not None:
            return self._control.ending
        if self._control.late():
            return Ending(RunState.DONE, f"The time budget of {self._settings.seconds:g} s is used up")
        raise RunError("The evaluator gave no result for a candidate, and was not stopped", fix="see the log")

    def _apply_changes(self) -> None:
        """Take over the candidates, the preference and the budget that were asked for."""
        changes: dict[str, Any] = {}
        if self._take_proposals():
            self._save(self._strategy.state(), self._asked)
        # A pack that was begun is asked for again first, by the strategy as it was.
        preference = self._control.take_preference() if self._asked is None else None
        if preference is not None and preference != self._settings.preference:
            changes["preference"] = preference
            self._strategy.steer(preference)
            self._ledger.note("steered", preference=preference.model_dump(mode="json"))
        budget = self._control.take_budget()
        if budget is not None:
            changes |= {"candidates": budget.candidates, "seconds": budget.seconds}
            self._ledger.note("budget", candidates=budget.candidates, seconds=budget.seconds)
        if changes:
            self._settings = self._settings.model_copy(update=changes)
            self._ledger.change(settings=self._settings.model_dump(mode="json"))
            self._ledger.run_clock(self._settings.seconds)
            self._save(self._strategy.state(), self._asked)

    def _take_proposals(self) -> bool:
        """Queue the candidates that were proposed since the last look; return whether there are any."""
        asked = self._control.take_proposals()
        waiting = self._evaluated | {p.architecture.id for p in self._manual}
        fresh = {p.architecture.id: p for p in reversed(asked) if p.architecture.id not in waiting}  # the first counts
        self._manual += reversed(fresh.values())
        if asked:
            self._ledger.note("proposed", candidates=list(fresh), known=len(asked) - len(fresh))
        return bool(asked)

    def _pause(self) -> None:
        """Wait until somebody resumes or stops the run; changes are applied meanwhile."""
        self._ledger.note("paused")
        self._ledger.change(state=RunState.PAUSED, reason="")
        self._save(None, None)
        while self._control.pausing and self._control.ending is None:
            self._ledger.halt_clock()
            with self._ledger.phase("idle"):
                self._control.wait(BEAT_SECONDS)
            self._apply_changes()
            self._ledger.beat()
        self._ledger.run_clock(self._settings.seconds)
        if self._control.ending is None:
            self._ledger.note("resumed")
            self._ledger.change(state=RunState.RUNNING, reason="")
            self._save(None, None)

    def _save(self, strategy_state: dict[str, Any] | None, asked: int | None) -> None:
        """Commit what is held; without a strategy state the one committed last stays."""
        if strategy_state is None:
            self._ledger.save(None, self._settings)
        else:
            manual = [p.model_dump(mode="json") for p in self._manual]
            state = {"strategy": strategy_state, "told": self._told, "asked": asked, "manual": manual}
            self._ledger.save(state, self._settings)

    def _show_pack(self, pack: PackProgress) -> None:
        state = PackState(
            number=self._ledger.packs, phase=pack.phase, size=pack.size, epoch=pack.epoch, epochs=pack.epochs
        )
        self._ledger.show_pack(state)
        if self._ledger.silence > BEAT_SECONDS:
            self._ledger.beat()
