"""A run as everybody but its own thread sees it: controls that never block, and snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from nas_core.errors import RunError, SpaceError, StoreError
from nas_core.objectives import recorded_objective
from nas_core.preferences import STRUCTURE_MEASURES, Preference
from nas_core.records import Architecture, Evaluation, Proposal, RunRecord, RunState, Status
from nas_core.runs.control import Budget, Control, Ending, Halving, Rules, SpaceEdit, StrategyChange
from nas_core.runs.coordinator import Coordinator, Parts
from nas_core.runs.progress import Progress, RunSnapshot
from nas_core.runs.rules import check_rules
from nas_core.runs.settings import RunSettings
from nas_core.search.limits import Limits
from nas_core.search.registry import check_strategy
from nas_core.search.standing import UNFINISHED
from nas_core.spaces.space import SearchSpace
from nas_core.store.base import Store

__all__ = ["Run", "check_edit", "check_member", "check_unfinished"]


class Run:
    """A search in a background thread of this process.

    Args:
        store: Where it is kept.
        record: Its record in the store; this process must have claimed it.
        build: Makes the strategy and the evaluator; called once, in the run's thread.
    """

    def __init__(self, store: Store, record: RunRecord, build: Callable[[], Parts]) -> None:
        self.id, self.store = record.id, store
        self._build = build
        self._control, self._ended = Control(), threading.Event()
        progress = Progress.model_validate(record.progress)
        self._snapshot = RunSnapshot(record=record, progress=progress)
        self._coordinator = Coordinator(store, record, self._control, self._publish)
        # A daemon, or the interpreter could not end while a run is paused; the registry stops it properly at exit.
        self._thread = threading.Thread(target=self._main, name=f"run {record.id}", daemon=True)

    @property
    def state(self) -> RunState:
        """The state the run is in now."""
        return self._snapshot.record.state

    @property
    def alive(self) -> bool:
        """True until the run has ended, however it ended."""
        return self._thread.ident is not None and not self._ended.is_set()

    def start(self) -> None:
        """Start the thread.

        Raises:
            RunError: It was started before.
        """
        if self._thread.ident is not None:
            raise RunError(f"Run {self.id} was started before", allowed="one start", fix="resume it")
        self._thread.start()

    def pause(self) -> None:
        """Pause after the pack in work, so that no work is lost; returns at once."""
        self._check_not_ended("paused")
        self._control.pause()

    def resume(self) -> None:
        """Go on after a pause; where the store had refused, try to save again first."""
        self._check_not_ended("resumed here")
        self._control.go_on()

    def stop(self, reason: str = "Stopped by a person", *, interrupted: bool = False) -> None:
        """End now: candidates in training are given up and evaluated when the run continues; returns at once.

        Args:
            reason: Why, for the record.
            interrupted: Record it as interrupted, not as stopped: nobody wanted this run to end.
        """
        self._control.end(Ending(RunState.INTERRUPTED if interrupted else RunState.STOPPED, reason))

    def stop_after_pack(self, reason: str = "Stopped by a person after the pack in work") -> None:
        """End once the pack in work is finished, so that nothing in training is given up; returns at once.

        A paused run ends where it is. :meth:`stop` still ends it now.

        Raises:
            RunError: The run has ended.
        """
        self._check_not_ended("stopped")
        self._control.end_after_pack(Ending(RunState.STOPPED, reason))

    def steer(self, preference: Preference) -> None:
        """Follow another preference from the next pack on; returns at once.

        Raises:
            RunError: The run has ended.
            SettingsError: A goal is for a measure that this run does not take, or no model can reach it.
        """
        self._check_not_ended("steered")
        problem = self._snapshot.record.problem
        Limits.of(preference.goals, recorded_objective(problem), problem.get("measures") or STRUCTURE_MEASURES)
        self._control.ask(preference)

    def propose(
        self,
        architecture: Architecture,
        *,
        parents: Sequence[str] = (),
        operator: str = "drawn",
        origin: str = "manual",
    ) -> None:
        """Evaluate a person's own architecture before the strategy is asked again; returns at once.

        The strategy is told how it fared. One that is evaluated already is left out.

        Args:
            architecture: In canonical form, from ``SearchSpace.architecture``.
            parents: Candidates it was made from.
            operator: What made it.
            origin: Who proposed it: "manual", or "strategy" where no person did.

        Raises:
            RunError: The run has ended.
            SpaceError: The architecture is not in the run's space.
        """
        self._check_not_ended("given another candidate")
        check_member(self._space, architecture)
        proposal = Proposal(architecture=architecture, parents=tuple(parents), operator=operator, origin=origin)
        self._control.propose(proposal)

    def set_budget(self, *, candidates: int | None, seconds: float | None) -> None:
        """Replace the budget from the next pack on; None for no limit; returns at once.

        Raises:
            SettingsError: A number outside what is allowed.
        """
        self._check_not_ended("given another budget")
        checked = RunSettings(candidates=candidates, seconds=seconds)
        self._control.ask(Budget(checked.candidates, checked.seconds))

    def set_rules(self, *, until_goals: bool, plateau: int | None) -> None:
        """Replace the stopping rules from the next pack on; returns at once.

        Args:
            until_goals: End when a candidate reaches every goal of the preference.
            plateau: End when the hypervolume has not grown for so many candidates; None for never.

        Raises:
            SettingsError: No goal is set, or a number outside what is allowed.
        """
        self._check_not_ended("given other stopping rules")
        checked = RunSettings(until_goals=until_goals, plateau=plateau)
        check_rules(self._control.asked(Preference) or self._settings.preference, until_goals=until_goals)
        self._control.ask(Rules(checked.until_goals, checked.plateau))

    def set_halving(self, on: bool) -> None:
        """Train candidates that are almost surely dominated no further, or all to the end, from the next pack on."""
        self._check_not_ended("told how far to train its candidates")
        self._control.ask(Halving(on))

    def set_strategy(self, name: str) -> None:
        """Go on with another strategy from the next pack on; it is told everything found so far; returns at once.

        Raises:
            SettingsError: No such strategy.
        """
        self._check_not_ended("given another strategy")
        check_strategy(name)
        self._control.ask(StrategyChange(name))

    def edit_space(self, space: SearchSpace, words: str = "") -> None:
        """Search another version of the space from the next pack on; returns at once.

        The strategy goes on with the candidates that lie in it. All others stay in the store, and can be compared. It
        becomes the next version, whatever its number; an edit is undone by another one with the earlier content.

        Args:
            space: Of the same family, for the same data.
            words: What was changed, for the log.

        Raises:
            SpaceError: It is for other data, or no architecture is valid in it.
        """
        self._check_not_ended("given another search space")
        check_edit(self._space, space)
        self._control.ask(SpaceEdit(space, words))

    def kill(self, candidate_id: str) -> None:
        """Give up one candidate that is in training or waits; seen within an epoch; returns at once.

        One in training is recorded as cancelled, and never trained again unless somebody overrules it. One that waits
        is forgotten.

        Raises:
            RunError: It is not in work, or it is given up already.
        """
        self._check_not_ended("told to give up a candidate")
        if self._control.withdraw(candidate_id):
            return
        if candidate_id in self._control.kills:
            raise RunError(f"Candidate {candidate_id} is being given up already", fix="wait for the next epoch")
        progress = self._snapshot.progress
        working = [] if progress.pack is None else [c.id for c in progress.pack.candidates]
        if candidate_id not in [*working, *(p.architecture.id for p in progress.waiting)]:
            raise RunError(
                f"Candidate {candidate_id} cannot be given up: {self._standing(candidate_id)}",
                allowed=", ".join(working) or "a candidate in training, and there is none",
                fix="choose one of those in work",
            )
        self._control.kill(candidate_id)

    def overrule(self, candidate_id: str) -> None:
        """Train a candidate to the end that was stopped early, before the strategy is asked again; returns at once.

        Its new evaluation replaces the old one, and the strategy is told of it.

        Raises:
            StoreError: The run has no such candidate.
            RunError: It was not stopped early.
        """
        self._check_not_ended("told to train a candidate to the end")
        check_unfinished(self.evaluation(candidate_id))
        self._control.overrule(candidate_id)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run has ended; return whether it has."""
        # Not a join: a Ctrl-C during a join makes Python 3.11 take the running thread for an ended one.
        return self._ended.wait(timeout)

    def snapshot(self) -> RunSnapshot:
        """Return the run at this moment, without waiting."""
        snapshot = self._snapshot
        running = snapshot.record.state is RunState.RUNNING
        return snapshot.model_copy(
            update={
                "pausing": running and self._control.pausing,
                "stopping": running and (self._control.ending or self._control.closing) is not None,
            }
        )

    def evaluation(self, candidate_id: str) -> Evaluation:
        """Return one committed evaluation.

        Raises:
            StoreError: The run has no such candidate.
        """
        return self.store.evaluation(self.id, candidate_id)

    @property
    def _settings(self) -> RunSettings:
        return RunSettings.model_validate(self._snapshot.record.settings)

    @property
    def _space(self) -> SearchSpace:
        """The version that will be in force when the next candidates are looked at."""
        edit = self._control.asked(SpaceEdit)
        return SearchSpace.model_validate(self._snapshot.record.space) if edit is None else edit.space

    def _standing(self, candidate_id: str) -> str:
        """Return in words what is known of a candidate."""
        try:
            return f"it is {self.evaluation(candidate_id).status} already"
        except StoreError:
            return "this run has no such candidate"

    def _publish(self, snapshot: RunSnapshot) -> None:
        self._snapshot = snapshot  # replacing a reference is atomic: readers never wait

    def _main(self) -> None:
        try:
            self._coordinator.main(self._build)
        finally:
            self._ended.set()

    def _check_not_ended(self, verb: str) -> None:
        if self._ended.is_set():
            raise RunError(
                f"Run {self.id} is {self.state} and cannot be {verb}",
                allowed="a run that is running or paused",
                fix="continue it with resume_run",
            )


def check_edit(present: SearchSpace, space: SearchSpace) -> None:
    """Raise SpaceError unless ``space`` may be the next version of ``present``: for the same data, and not empty."""
    fields = ("family", "features", "signal", "outputs")
    if other := [name for name in fields if getattr(space, name) != getattr(present, name)]:
        raise SpaceError(
            f"The edited space differs in what an edit cannot change: {', '.join(other)}",
            allowed="other variables and constraints for the same data",
            fix="start a new run for it",
        )
    space.sample(np.random.default_rng(0))


def check_member(space: SearchSpace, architecture: Architecture) -> None:
    """Raise SpaceError unless ``architecture`` is in ``space``."""
    if wrong := space.validate_architecture(architecture):
        raise SpaceError(
            f"The architecture {architecture.id} is not in the search space: {'; '.join(wrong)}",
            allowed="an architecture of the run's space",
            fix="change the architecture, or start a run with a wider space",
        )


def check_unfinished(evaluation: Evaluation) -> None:
    """Raise RunError unless the training of a candidate was ended early, by the halving or by a person."""
    if evaluation.status not in UNFINISHED:
        raise RunError(
            f"Candidate {evaluation.id} was not stopped early: it is {evaluation.status}",
            allowed=f"a candidate that is {Status.PRUNED} or {Status.CANCELLED}",
            fix="propose a changed architecture instead",
        )
