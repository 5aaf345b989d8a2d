"""A run in the thread of the test, whose store remembers every commit: whatever kills it, it goes on from one of them.

A person's acts come at given numbers of candidates, again in every life that begins before them. Some candidates are
pruned by a referee, some are given up by the person, all decided by their identities.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nas_core.data import Problem
from nas_core.evaluation.base import Evaluator, Halt, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Event, Proposal, RunRecord, RunState, Status
from nas_core.runs.control import Control
from nas_core.runs.coordinator import Coordinator, Parts
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import space_versions
from nas_core.search import Strategy, make_strategy
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore
from nas_core.store.owner import this_process

Act = Callable[[Control, InMemoryStore], None]

STEERED = ("steered", "strategy", "space", "overruled", "replaced", "killed", "dropped", "rules", "proposed")
"""The events that must be the same in every life."""


class RememberingStore(InMemoryStore):
    """Keeps a copy of itself after every commit, and says when one was made."""

    def __init__(self, told: Callable[[dict[str, Any] | None], None] = lambda state: None) -> None:
        super().__init__()
        self.told = told
        self.commits: list[RememberingStore] = []

    def commit(self, *args: Any, **changes: Any) -> int:
        revision = super().commit(*args, **changes)
        self.commits.append(self.copy())
        self.told(args[2])
        return revision

    def copy(self) -> RememberingStore:
        """Return a store with the same contents."""
        other = RememberingStore()
        other._runs = {
            key: replace(run, evaluations=dict(run.evaluations), events=list(run.events))
            for key, run in self._runs.items()
        }
        other._artifacts = dict(self._artifacts)
        return other


def sign(candidate: str) -> int:
    """Return a number from 0 to 15 that decides what happens to a candidate."""
    return int(candidate[-1], 16)


class Halving(Referee):
    """Prunes some candidates, and looks at their performance."""

    def looks_at(self, epoch: int) -> bool:
        return epoch == 1

    def halt(self, candidate: str, epoch: int, epochs: int, performance: float | None) -> Halt | None:
        return Halt(Status.PRUNED, "Almost surely dominated") if sign(candidate) in (1, 2, 3) else None


class Handled(Evaluator):
    """The synthetic evaluator with a referee that is asked, and a person who gives up some candidates."""

    def __init__(self, inner: Evaluator, control: Control, known: Callable[[], set[str]]) -> None:
        self._inner, self._control, self._known = inner, control, known

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        for at, proposal in enumerate(proposals):
            candidate = proposal.architecture.id
            if sign(candidate) == 0 and candidate not in self._known():
                self._control.kill(candidate)
            if on_progress:
                on_progress(PackProgress("train", len(proposals), at, len(proposals)))
            halt = referee.halt(candidate, 1, 9, 0.5) if referee else None
            for found in self._inner.evaluate([proposal], stop=stop):
                halted = None if halt is None else {"status": halt.status, "reason": halt.reason}
                yield found if halted is None else found.model_copy(update=halted)

    def enter(self, space: SearchSpace) -> None:
        self._inner.enter(space)

    def take_weights(self) -> dict[str, Weights]:
        return self._inner.take_weights()

    def take_seconds(self) -> dict[str, float]:
        return self._inner.take_seconds()


def recorded(problem: Problem, space: SearchSpace, settings: RunSettings) -> RememberingStore:
    """Return a store with one run that has not begun."""
    store = RememberingStore()
    store.create_run(
        RunRecord(
            id="run",
            name="steered",
            created=time.time(),
            state=RunState.CREATED,
            problem=problem.spec.model_dump(mode="json"),
            space=space.model_dump(mode="json"),
            settings=settings.model_dump(mode="json"),
            data_hash=problem.spec.data_hash,
            baseline=problem.baseline,
        )
    )
    return store


def live(store: RememberingStore, problem: Problem, acts: Mapping[int, Sequence[tuple[str, Act]]]) -> RunRecord:
    """Run until the end in this thread; return the record.

    Args:
        store: With the run.
        problem: Of the run.
        acts: What a person does once so many candidates are told: pairs of the event that it leaves and the act.
    """
    record = store.claim("run", this_process(), time.time())
    control, issued = Control(), set()

    def told(state: dict[str, Any] | None) -> None:
        if state is None or state["asked"] is not None:
            return
        for at, act in enumerate(acts.get(state["told"], ())):
            key = (state["told"], at)
            if key not in issued and not _done(store.events("run"), acts, key):
                act[1](control, store)
            issued.add(key)

    def strategy(name: str, space: SearchSpace, preference: Preference, seed: int) -> Strategy:
        return make_strategy(
            name, space, seed=seed, preference=preference, objective=problem.objective, hints=problem.hints
        )

    def build() -> Parts:
        first = space_versions(store.events("run"), record)[0].space
        seed = RunSettings.model_validate(record.settings).seed
        handled = Handled(SyntheticEvaluator(first, seed), control, lambda: {e.id for e in store.evaluations("run")})
        return Parts(strategy, handled, lambda known, proposals: Halving())

    store.told = told
    Coordinator(store, record, control, lambda snapshot: None).main(build)
    return store.run("run")


def _done(events: list[Event], acts: Mapping[int, Sequence[tuple[str, Act]]], key: tuple[int, int]) -> bool:
    """Return whether an act left its event in an earlier life: the acts of one kind leave theirs in order."""
    kind = acts[key[0]][key[1]][0]
    earlier = sum(k == kind for told in sorted(acts) for at, (k, _) in enumerate(acts[told]) if (told, at) < key)
    return sum(event.kind == kind for event in events) > earlier


def steered(store: InMemoryStore) -> list[tuple[str, dict[str, Any]]]:
    """Return what a person did to the run, and what came of it."""
    return [(e.kind, e.payload) for e in store.events("run") if e.kind in STEERED]
