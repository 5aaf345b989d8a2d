"""A run as everybody but its own thread sees it: controls that never block, and snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from nas_core.errors import RunError, SpaceError
from nas_core.preferences import Preference
from nas_core.records import Architecture, Evaluation, Proposal, RunRecord, RunState
from nas_core.runs.control import Budget, Control, Ending
from nas_core.runs.coordinator import Coordinator, Parts
from nas_core.runs.progress import Progress, RunSnapshot
from nas_core.runs.settings import RunSettings
from nas_core.spaces.space import SearchSpace
from nas_core.store.base import Store

__all__ = ["Run", "check_member"]


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

    def steer(self, preference: Preference) -> None:
        """Follow another preference from the next pack on; returns at once."""
        self._check_not_ended("steered")
        self._control.steer(preference)

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
        check_member(SearchSpace.model_validate(self._snapshot.record.space), architecture)
        proposal = Proposal(architecture=architecture, parents=tuple(parents), operator=operator, origin=origin)
        self._control.propose(proposal)

    def set_budget(self, *, candidates: int | None, seconds: float | None) -> None:
        """Replace the budget from the next pack on; None for no limit; returns at once.

        Raises:
            SettingsError: A number outside what is allowed.
        """
        self._check_not_ended("given another budget")
        checked = RunSettings(candidates=candidates, seconds=seconds)
        self._control.set_budget(Budget(checked.candidates, checked.seconds))

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
                "stopping": running and self._control.ending is not None,
            }
        )

    def evaluation(self, candidate_id: str) -> Evaluation:
        """Return one committed evaluation.

        Raises:
            StoreError: The run has no such candidate.
        """
        return self.store.evaluation(self.id, candidate_id)

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


def check_member(space: SearchSpace, architecture: Architecture) -> None:
    """Raise SpaceError unless ``architecture`` is in ``space``."""
    if wrong := space.validate_architecture(architecture):
        raise SpaceError(
            f"The architecture {architecture.id} is not in the search space: {'; '.join(wrong)}",
            allowed="an architecture of the run's space",
            fix="change the architecture, or start a run with a wider space",
        )
