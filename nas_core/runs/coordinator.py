"""The thread that searches: it alone owns the strategy, the evaluator and the store's writer.

Exact resume. After each pack one transaction commits its evaluations together with the strategy's state *after* being
told them. What is committed during a pack carries the state *before* the pack was asked for, and how many were asked: a
run that continues asks again, gets the same candidates, evaluates those that are missing, and tells all of them in the
order they were asked. So a kill at any moment, a stop and a time limit all continue as if nothing had happened.

Candidates that a person proposed are evaluated before the strategy is asked again, and the strategy is told of them.
Until then they are part of the state, so they are not lost either. The same is true of candidates that are to be
trained to the end after all; as they replace an evaluation that the strategy knows, all of them are committed at once,
together with the state after it was told.

What a person changes is taken over between packs, and never within one that was begun before the run was continued. One
transaction commits the settings, the space, the event and the state of the strategy that goes on with them: a run that
is killed has made a change, or it has not.

A candidate that is given up has an evaluation at once, so it is not trained again. A candidate that was in training
when the run was stopped has none. It is named in the event, and evaluated when the run continues.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from nas_core.errors import RunError
from nas_core.evaluation.base import Evaluator, PackProgress
from nas_core.records import Evaluation, RunRecord, RunState, Status
from nas_core.runs.acts import Acts
from nas_core.runs.control import Control, Ending
from nas_core.runs.ledger import Ledger
from nas_core.runs.listening import listened
from nas_core.runs.progress import PackState, RunSnapshot
from nas_core.runs.rules import StoppingRules
from nas_core.runs.searcher import Searcher, StrategyFactory
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import space_at, space_versions
from nas_core.runs.waiting import Waiting
from nas_core.runs.work import PersonFirst, RefereeFactory, Work
from nas_core.store.base import Store

__all__ = ["Coordinator", "Parts"]

COMMIT_SECONDS = 0.2
"""Slow evaluators are committed one candidate at a time; what finishes together, together."""

BEAT_SECONDS = 60.0
FAILED_PACKS = 3


@dataclass(frozen=True)
class Parts:
    """What a run is made of; built in its own thread, as the imports and hints behind it take seconds.

    Attributes:
        strategy: Makes strategies; more than one in a run whose strategy or space is changed.
        evaluator: Made for the first version of the space.
        referee: Makes the referee of a pack; None for none.
        device: What the candidates are trained on, in words.
    """

    strategy: StrategyFactory
    evaluator: Evaluator
    referee: RefereeFactory | None = None
    device: str = ""


class Coordinator:
    """One run from start to end; :meth:`main` is the thread's target."""

    def __init__(
        self, store: Store, record: RunRecord, control: Control, publish: Callable[[RunSnapshot], None]
    ) -> None:
        self._store, self._control = store, control
        self._settings = RunSettings.model_validate(record.settings)
        self._ledger = Ledger(store, record, control, publish)
        self._told = 0  # candidates that have a number and that the strategy knows
        self._asked: int | None = None  # size of the pack that was begun before the run was continued
        self._begun: dict[str, Evaluation] = {}  # its finished candidates
        self._work: Work | None = None
        self._unheard: list[Evaluation] | None = None  # told since the halving heard of it; None: it heard of nothing
        self._all_failed = 0
        self._afterwards = ExitStack()

    def main(self, build: Callable[[], Parts]) -> None:
        """Search until the end, whatever it is."""
        with listened(self._ledger.note), self._afterwards:
            self._search(build)

    def _search(self, build: Callable[[], Parts]) -> None:
        try:
            self._begin(build)
            ending = self._next()
            while ending is None:
                ending = self._pack() or self._next()
            self._ledger.finish(ending)
        except Exception as error:  # noqa: BLE001 - whatever it was, the run says so and stays resumable
            self._ledger.interrupt(error)

    def _begin(self, build: Callable[[], Parts]) -> None:
        record = self._ledger.record
        saved = self._store.strategy_state(record.id)
        earlier = self._store.evaluations(record.id)
        versions = space_versions(self._store.events(record.id), record)
        self._ledger.load(earlier)
        self._parts = build()
        self._afterwards.callback(self._parts.evaluator.close)
        self._ledger.trains_on(self._parts.device)
        state: dict[str, Any] = saved or {}
        self._waiting = Waiting(state)
        self._rules = StoppingRules(record, state.get("since", 0))
        self._searcher = Searcher(self._parts.strategy, self._settings, versions[-1].space, self._read_told,
                                  state.get("renewals", 0))  # fmt: skip
        if saved is not None:
            self._told, self._asked = saved["told"], saved["asked"]
            told = [e for e in earlier if e.index < self._told]
            self._rules.fill(self._searcher.restore(saved["strategy"], told))
            self._begun = {e.id: e for e in earlier if e.index >= self._told}
        if len(versions) > 1:
            self._parts.evaluator.enter(versions[-1].space)
        self._acts = Acts(self._control, self._ledger, self._searcher, self._rules, self._waiting, versions)
        self._ledger.note("started" if saved is None else "resumed", settings=record.settings)
        self._ledger.change(state=RunState.RUNNING, reason="")
        self._ledger.run_clock(self._settings.seconds)
        self._acts.take_proposals()
        self._save(self._searcher.state(), self._asked)

    def _next(self) -> Ending | None:
        """Do what others asked for; return how to end, or None to go on with the next pack."""
        self._apply_changes()
        if self._waits:
            self._pause()
        if self._control.ending is not None or self._control.late():
            return self._stopped()
        if self._control.closing is not None and not self._in_pack:
            return self._control.closing
        if self._in_pack or self._waiting.again:
            return None
        limit = self._settings.candidates
        if limit is not None and self._told >= limit:
            return Ending(RunState.DONE, f"All {limit} candidates are evaluated")
        reason = None if self._waiting.manual else self._rules.verdict(self._settings)
        return None if reason is None else Ending(RunState.DONE, reason)

    @property
    def _waits(self) -> bool:
        """True while the run is to be paused, and nobody wants it to end."""
        return self._control.pausing and self._control.ending is None and self._control.closing is None

    @property
    def _in_pack(self) -> bool:
        """True while a pack is to be finished that was begun before the run was continued."""
        return self._asked is not None or bool(self._begun)

    def _pack(self) -> Ending | None:
        """Take or ask for a pack, evaluate and commit it, tell the strategy; return an ending where there is one."""
        work = self._next_work()
        if not work.proposals:
            return Ending(RunState.DONE, "The search space is exhausted: there is no candidate left")
        self._ledger.next_pack(asked=self._told + (0 if work.again else len(work.proposals)))
        self._work = work
        self._evaluate(work)
        self._work = None
        self._control.end_kills(work.numbers)
        if work.open:
            # The strategy has been asked and will not be told: this run ends here and continues from ``before``.
            self._ledger.note("cancelled", candidates=[p.architecture.id for p in work.open])
            self._save(work.before, work.size)
            return self._stopped()
        self._tell(work)
        return None

    def _next_work(self) -> Work:
        """Return what to evaluate next: a begun pack, what a person overruled or drew, what the strategy proposes."""
        before, size, space = self._searcher.state(), self._asked, self._searcher.space
        if self._waiting.again and not self._in_pack:
            return self._work_again(before)
        if self._waiting.manual and size is None:
            proposals = self._waiting.manual[: self._settings.pack_size or 64]
        else:
            size = size or self._pack_size()
            with self._ledger.phase("strategy"):
                proposals = self._searcher.ask(size)
        numbers = {p.architecture.id: self._told + at for at, p in enumerate(proposals)}
        return Work(proposals, numbers, space, before, size, dict(self._begun))

    def _work_again(self, before: dict[str, Any]) -> Work:
        """Return those of the overruled candidates that were proposed in the same version of the space as the first."""
        known = self._searcher.known
        number = known[self._waiting.again[0].architecture.id].space
        proposals = [p for p in self._waiting.again if known[p.architecture.id].space == number]
        numbers = {p.architecture.id: known[p.architecture.id].number for p in proposals}
        return Work(proposals, numbers, space_at(self._acts.versions, number), before, again=True)

    def _evaluate(self, work: Work) -> None:
        """Evaluate what is open until it is finished or the run is stopped, and commit on the way."""
        evaluator, present = self._parts.evaluator, self._searcher.space
        if work.space is not present:
            evaluator.enter(work.space)
        todo, referee = work.open, self._referee(work)
        for evaluation in evaluator.evaluate(todo, stop=self._control, on_progress=self._show_pack, referee=referee):
            self._ledger.add_seconds(evaluator.take_seconds())
            self._give_up(work)
            work.weights |= evaluator.take_weights()
            if evaluation.status is Status.CANCELLED or not work.awaits(evaluation.id):
                continue
            work.found[evaluation.id] = work.numbered(evaluation)
            if not work.again:
                self._hold(work, evaluation.id)
                if self._ledger.held >= COMMIT_SECONDS:  # those of a pack that come at once are one commit
                    self._save(work.before, work.size)
        self._ledger.add_seconds(evaluator.take_seconds())
        if work.space is not present:
            evaluator.enter(present)

    def _referee(self, work: Work) -> PersonFirst:
        """Return who may end the training of candidates: of those that a person asked for, only persons."""
        make = self._parts.referee if self._settings.halving else None
        if make is None:
            self._unheard = None
        if make is None or work.size is None:
            return PersonFirst(self._control, None)
        told, self._unheard = self._read_told() if self._unheard is None else self._unheard, []
        return PersonFirst(self._control, make(told, work.proposals))

    def _read_told(self) -> list[Evaluation]:
        """Return all evaluations that the strategy knows, from the store; between packs they are committed."""
        return self._ledger.evaluations(self._told)

    def _hold(self, work: Work, candidate: str, *, before: Status | None = None) -> None:
        """Hold a finished candidate and its weights for the next commit."""
        self._ledger.keep(work.found[candidate], before=before)
        if candidate in work.weights:
            self._ledger.keep_weights({candidate: work.weights.pop(candidate)})

    def _give_up(self, work: Work) -> None:
        """Take the candidates that a person gave up out of work, for good: this is committed at once."""
        gone = [p.architecture.id for p in work.open if p.architecture.id in self._control.kills]
        if not gone:
            return
        for evaluation in work.give_up(gone):
            self._ledger.keep(evaluation)
        self._waiting.drop_again(gone)
        self._ledger.note("killed", candidates=gone, again=work.again)
        self._ledger.try_save(self._state(work.before, work.size), self._settings)

    def _tell(self, work: Work) -> None:
        known = self._searcher.known
        found = [work.found[key] for key in work.ids]
        if work.again:
            for e in found:
                self._hold(work, e.id, before=known[e.id].status)
                self._ledger.note("replaced", candidate=e.id, before=known[e.id].status.value, now=e.status.value)
        else:
            self._told += len(found)
        with self._ledger.phase("strategy"):
            self._rules.add(self._searcher.tell(found))
            state = self._searcher.state()
        if self._unheard is not None:
            self._unheard += found
        self._waiting.drop(work.found)
        self._asked, self._begun = None, {}
        self._ledger.pack_finished([e.index for e in found], again=work.again)
        self._save(state, None)
        if not work.again:
            self._check_failures(found)

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
        """Take over what was asked for, and commit it."""
        space, settings = self._searcher.space, self._settings
        changed = self._acts.take_proposals()
        self._settings = self._acts.take_limits(settings)
        if not self._in_pack:
            changed |= self._acts.take_candidates()
            self._settings = self._acts.take_direction(self._settings)
        if self._settings != settings:
            self._ledger.change(settings=self._settings.model_dump(mode="json"))
            self._ledger.run_clock(self._settings.seconds)
        if self._searcher.space is not space:
            self._parts.evaluator.enter(self._searcher.space)
        if changed or self._settings != settings or self._searcher.space is not space:
            self._save(self._searcher.state(), self._asked)

    def _pause(self) -> None:
        """Wait until somebody resumes or stops the run; changes are applied meanwhile."""
        self._ledger.note("paused")
        self._ledger.change(state=RunState.PAUSED, reason="")
        self._save(None, None)
        while self._waits:
            self._ledger.halt_clock()
            with self._ledger.pause():
                self._control.wait(BEAT_SECONDS)
            self._apply_changes()
            self._ledger.beat()
        self._ledger.run_clock(self._settings.seconds)
        if self._control.ending is None and self._control.closing is None:
            self._ledger.note("resumed")
            self._ledger.change(state=RunState.RUNNING, reason="")
            self._save(None, None)

    def _save(self, searched: dict[str, Any] | None, asked: int | None) -> None:
        """Commit what is held; without a state of the search the one committed last stays."""
        self._ledger.show_waiting(self._waiting.all())
        self._ledger.save(None if searched is None else self._state(searched, asked), self._settings)

    def _state(self, searched: dict[str, Any], asked: int | None) -> dict[str, Any]:
        """Return what is needed to continue exactly, besides the evaluations."""
        counters = {"told": self._told, "asked": asked, "since": self._rules.since}
        return {**searched, **counters, **self._waiting.state()}

    def _show_pack(self, pack: PackProgress) -> None:
        work = self._work
        if work is None:
            return
        self._give_up(work)
        self._ledger.add_seconds(self._parts.evaluator.take_seconds())
        state = PackState(
            number=self._ledger.packs, phase=pack.phase, size=pack.size, epoch=pack.epoch, epochs=pack.epochs,
            candidates=work.shown(),
        )  # fmt: skip
        self._ledger.show_pack(state)
        if self._ledger.silence > BEAT_SECONDS:
            self._ledger.beat()
