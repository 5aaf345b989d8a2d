"""The evaluator of a cluster: hands parts of a pack out as tasks, and takes each candidate in exactly once."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.cluster.connection import Cluster
from nas_core.evaluation.cluster.task import Found, MakeEvaluator, Share, versions
from nas_core.evaluation.cluster.tasks import ProcessEndedError, Tasks
from nas_core.records import Evaluation, Halt, Proposal, Status
from nas_core.spaces import SearchSpace

if TYPE_CHECKING:
    from nas_core.evaluation.packs import Parents

__all__ = ["ClusterEvaluator", "share_size"]

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
TABLES = 16
CRASHES = 3
CANCELLED = "Stopped before its training had finished"


def share_size(space: SearchSpace) -> int:
    """Return how many candidates one task evaluates: 16 networks of tables, one of images or sequences.

    It does not depend on the cluster, so the numbers do not either: a pack of tables is one batched product, whose
    last digits depend on who is in it.
    """
    return TABLES if space.signal is None else 1


class ClusterEvaluator(Evaluator):
    """Evaluates on the nodes of a Ray cluster, with the numbers of the evaluator that ``make`` makes.

    A node evaluates a share with its own copy of that evaluator, of the referee and of the parents' weights. What is
    lost with its node is given out again as it was; what was in work in a process that ended by itself, in halves,
    until the candidate that is to blame stands alone and has ended three. A task that was given up, or of which a
    candidate is, is never listened to again, so no candidate comes twice.

    Args:
        cluster: Joined; :meth:`close` leaves it.
        make: Makes the evaluator on a node; sent once.
        size: Candidates of a task.
        parents: Finds the weights that proposals may start from; asked here, and sent along.
    """

    def __init__(self, cluster: Cluster, make: MakeEvaluator, *, size: int, parents: Parents | None = None) -> None:
        self._cluster, self._size, self._parents = cluster, size, parents
        self._tasks = Tasks(cluster, make)
        self._run, self._versions = secrets.token_hex(8), versions()
        self._space: dict[str, Any] | None = None
        self._weights: dict[str, Weights] = {}
        self._seconds: Counter[str] = Counter()
        self._since = time.monotonic()

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        work = _Shares(self._tasks, proposals, lambda part: self._shared(part, referee), referee)
        self._since = time.monotonic()
        try:
            if not stop.is_set():
                work.begin(self._size)
            while work.left and not stop.is_set():
                self._cluster.check()
                if on_progress:
                    on_progress(PackProgress("train", len(proposals)))
                yield from work.ended()
                for found in work.finished(POLL_SECONDS):
                    yield from work.news(self._take_in(found) if isinstance(found, Found) else [found])
        finally:
            work.give_up()
        yield from (_without_numbers(p, Status.CANCELLED, CANCELLED) for p in work.left.values())

    def enter(self, space: SearchSpace) -> None:
        self._space = space.model_dump(mode="json")

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        """Return the seconds that passed here, in the proportion of those that the nodes spent together."""
        now, spent = time.monotonic(), self._seconds.total()
        if not spent:
            return {"train": 0.0, "measure": 0.0}
        passed, self._since = now - self._since, now
        taken, self._seconds = self._seconds, Counter()
        return {name: passed * taken[name] / spent for name in ("train", "measure")}

    def close(self) -> None:
        """Leave the cluster."""
        self._cluster.close()

    def _take_in(self, found: Found) -> list[Evaluation]:
        """Keep the weights and the seconds of a task; return its evaluations."""
        self._weights |= found.owned_weights()
        self._seconds.update(found.seconds)
        return [Evaluation.model_validate(document) for document in found.evaluations]

    def _shared(self, proposals: Sequence[Proposal], referee: Referee | None) -> Share:
        parents = self._parents(proposals) if self._parents is not None else {}
        documents = [p.model_dump(mode="json") for p in proposals]
        return Share(self._run, documents, self._space, parents, referee, self._versions)


class _Shares:
    """The shares of one pack: those in work as tasks, and the candidates that nobody has evaluated yet.

    Args:
        tasks: Of the cluster.
        proposals: The pack.
        shared: Makes what is sent of some of them.
        referee: Asked who is given up.
    """

    def __init__(
        self, tasks: Tasks, proposals: Sequence[Proposal], shared: Callable[[Sequence[Proposal]], Share],
        referee: Referee | None,
    ) -> None:  # fmt: skip
        self._tasks, self._shared, self._referee = tasks, shared, referee
        self.left = {p.architecture.id: p for p in proposals}
        self._working: dict[Any, list[Proposal]] = {}
        self._crashes: Counter[str] = Counter()

    def begin(self, size: int) -> None:
        """Give everything out, so many candidates a task."""
        proposals = list(self.left.values())
        for at in range(0, len(proposals), size):
            self._submit(proposals[at : at + size])

    def ended(self) -> Iterator[Evaluation]:
        """Yield what a person gives up, end its task at once, and give the others of that task out again."""
        for candidate, halt in self._halts().items():
            task = next(t for t, share in self._working.items() if any(p.architecture.id == candidate for p in share))
            self._tasks.cancel(task)
            self._submit([p for p in self._working.pop(task) if p.architecture.id != candidate])
            yield _without_numbers(self.left.pop(candidate), halt.status, halt.reason)

    def finished(self, seconds: float) -> Iterator[Found | Evaluation]:
        """Yield what a task has found, or the candidate that ended its process; wait at most so long for one."""
        for task in self._tasks.wait(list(self._working), seconds):
            share = self._working.pop(task)
            try:
                found = self._tasks.result(task)
            except ProcessEndedError as error:
                yield from self._crashed(share, str(error))
                continue
            if found is None:
                self._submit(share)
            else:
                yield found

    def news(self, found: Sequence[Evaluation]) -> Iterator[Evaluation]:
        """Yield those that were not there before."""
        for evaluation in found:
            if self.left.pop(evaluation.id, None) is not None:
                yield evaluation

    def give_up(self) -> None:
        """End all tasks in work."""
        for task in self._working:
            self._tasks.cancel(task)
        self._working = {}

    def _halts(self) -> Mapping[str, Halt]:
        """Return who is ended before its training has said anything: what a person gives up."""
        if self._referee is None:
            return {}
        asked = {key: self._referee.halt(key, 0, 1, None) for key in self.left}
        return {key: halt for key, halt in asked.items() if halt is not None}

    def _crashed(self, share: list[Proposal], words: str) -> Iterator[Evaluation]:
        """Give out again what was in work in a process that ended by itself, or say that it is to blame."""
        self._crashes.update(p.architecture.id for p in share)
        worst = max(self._crashes[p.architecture.id] for p in share)
        log.warning("A process of the cluster ended with %d candidates in work (%s)", len(share), words)
        if len(share) == 1 and worst >= CRASHES:
            yield _without_numbers(share[0], Status.FAILED, f"The process that trained it ended {worst} times: {words}")
            return
        half = len(share) // 2
        self._submit(share[:half])
        self._submit(share[half:])

    def _submit(self, share: list[Proposal]) -> None:
        if share:
            self._working[self._tasks.submit(self._shared(share))] = share


def _without_numbers(proposal: Proposal, status: Status, reason: str) -> Evaluation:
    return Evaluation(
        id=proposal.architecture.id, architecture=proposal.architecture, status=status, reason=reason,
        parents=proposal.parents, operator=proposal.operator, origin=proposal.origin, finished=time.time(),
    )  # fmt: skip
