"""An evaluator that divides packs among the processor cores: this process, and workers beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.isolation.beside import Beside, Finished
from nas_core.records import Evaluation, Proposal
from nas_core.spaces import SearchSpace

if TYPE_CHECKING:
    import torch

    from nas_core.data.problem import Problem

__all__ = ["WORTH_SECONDS", "CoresEvaluator", "Divide", "cores_of_each", "divided", "parts_of", "processes_for"]

Divide = Callable[[Sequence[Proposal], int], list[list[Proposal]]]
"""Divides proposals into at most so many shares, none of which is empty."""

LEAST = 12
"""Candidates of a share, on average: every share has costs of its own that do not grow with it."""

PACK = 64
"""Candidates of a pack, as most searches ask for them."""

WORTH_SECONDS = 10.0
"""Workers are started when so much has been trained: they load for about as long as this, on cores of their own."""


class CoresEvaluator(Evaluator):
    """Evaluates a share of each pack in this process, and the others in workers beside it.

    A candidate's numbers do not depend, to the last bit, on who is trained and measured beside it, so it does not
    matter who evaluates it, nor how many workers there are, nor when they are ready. Nobody waits for a worker to
    start: until it is ready this process does all of it, and it takes over what a worker gives up.

    Args:
        here: Evaluates in this process.
        worker: Starts a worker that evaluates like ``here``.
        divide: Divides a pack.
        cores: Processes that may work at the same time, this one included.
        worth: Seconds of training after which workers are started.
    """

    def __init__(
        self, here: Evaluator, worker: Callable[[], Beside], divide: Divide, cores: int, *,
        worth: float = WORTH_SECONDS,
    ) -> None:  # fmt: skip
        self._here, self._make, self._divide, self._cores, self._worth = here, worker, divide, cores, worth
        self._beside: list[Beside] = []
        self._space: SearchSpace | None = None
        self._weights: dict[str, Weights] = {}
        self._seconds = {"train": 0.0, "measure": 0.0}

    @property
    def ready(self) -> int:
        """Number of processes that share the next pack, this one included."""
        return 1 + sum(b.ready for b in self._beside)

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        ready = [b for b in self._beside if b.ready]
        most = parts_of(len(proposals), 1 + len(ready))
        own, *others = self._divide(proposals, most) if most > 1 else [list(proposals)]
        self._here.use(max(1, self._cores // (1 + len(others))))
        shares = [_Share(b, {p.architecture.id: p for p in part}) for b, part in zip(ready, others, strict=False)]
        told = _Told(on_progress, len(proposals))

        def here(part: Sequence[Proposal]) -> Iterator[Evaluation]:
            for evaluation in self._here.evaluate(part, stop=stop, on_progress=told, referee=referee):
                self._note()
                yield evaluation

        try:
            for share in shares:
                share.begin(stop, referee)
            yield from here(own)
            for share in shares:
                yield from self._heard(share, told)
            left = [p for share in shares for p in share.left.values()]
            if left:
                self._here.use(self._cores)
                yield from here(left)
        finally:
            for share in shares:
                share.end()
            self._note()
        self._start(len(proposals))

    def enter(self, space: SearchSpace) -> None:
        self._space = space
        self._here.enter(space)
        for worker in self._beside:
            worker.enter(space)

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        self._note()
        taken, self._seconds = self._seconds, {"train": 0.0, "measure": 0.0}
        return taken

    def close(self) -> None:
        for worker in self._beside:
            worker.close()
        self._here.close()

    def _note(self) -> None:
        """Take over what this process has weighed and clocked."""
        self._weights |= self._here.take_weights()
        for phase, seconds in self._here.take_seconds().items():
            self._add(phase, seconds)

    def _add(self, phase: str, seconds: float) -> None:
        self._seconds[phase] += seconds
        if phase == "train":
            self._worth -= seconds

    def _heard(self, share: _Share, told: _Told) -> Iterator[Evaluation]:
        """Yield what a worker finishes; the seconds of waiting for it count as what it does meanwhile."""
        while True:
            began, phase = time.perf_counter(), share.phase
            heard = share.hear()
            self._add(phase, time.perf_counter() - began)
            if isinstance(heard, PackProgress):
                told(heard)
            elif isinstance(heard, Finished):
                self._weights |= heard.weights
                yield heard.evaluation
            else:
                return

    def _start(self, size: int) -> None:
        """Start the workers that packs of this size need, once training has taken long enough."""
        missing = parts_of(size, self._cores) - 1 - len(self._beside)
        if self._worth > 0 or missing <= 0:
            return
        for _ in range(missing):
            self._beside.append(self._make())
            if self._space is not None:
                self._beside[-1].enter(self._space)


@dataclass
class _Share:
    """What a worker has to evaluate; ``left`` are those that it has not finished, ``phase`` is what it does now."""

    worker: Beside
    left: dict[str, Proposal]
    phase: str = "train"
    open: bool = False

    def begin(self, stop: Stop, referee: Referee | None) -> None:
        """Let the worker begin."""
        self.worker.begin(list(self.left.values()), stop, referee)
        self.open = True

    def hear(self) -> Finished | PackProgress | None:
        """Return the next thing the worker says, None at the end."""
        heard = self.worker.hear()
        if isinstance(heard, PackProgress):
            self.phase = "measure" if heard.phase == "measure" else "train"
            return heard
        if isinstance(heard, Finished):
            del self.left[heard.evaluation.id]
            return heard
        self.open = False
        return None

    def end(self) -> None:
        """Let go of what is not finished, and hear all that is still said."""
        if self.open:
            self.worker.give_up()
        while self.open:
            self.hear()


class _Told:
    """Passes on how far the whole pack is; what was said of a share while nobody listened is not told late."""

    def __init__(self, on_progress: Callable[[PackProgress], None] | None, size: int) -> None:
        self._on_progress, self._size, self._epoch = on_progress, size, 0

    def __call__(self, pack: PackProgress) -> None:
        if self._on_progress is None or (pack.phase == "train" and pack.epoch <= self._epoch):
            return
        self._epoch = max(self._epoch, pack.epoch)
        self._on_progress(replace(pack, size=self._size))


def parts_of(size: int, processes: int) -> int:
    """Return into how many shares a pack of ``size`` is divided among so many processes."""
    return max(1, min(processes, size // LEAST))


def cores_of_each(cores: int) -> int:
    """Return how many cores each worker may use where there are as many as packs of 64 can have."""
    return max(1, cores // parts_of(PACK, cores))


def processes_for(problem: Problem, space: SearchSpace, device: torch.device) -> int:
    """Return how many processes of this machine may share packs; 1 where that is no way to train them.

    Networks of images and sequences have threads, accelerators are one, and data that were handed over as a table in
    memory cannot be loaded by a worker.
    """
    from nas_core.training.side_by_side import workers_on

    alone = space.signal is not None or problem.dataset.source.kind == "memory"
    return 1 if alone else workers_on(device)


def divided(problem: Problem) -> Divide:
    """Return how packs of a problem of rows are divided: so that all shares take about as long."""

    def divide(proposals: Sequence[Proposal], parts: int) -> list[list[Proposal]]:
        from nas_core.spaces.tabular.layout import network_layout
        from nas_core.training.shares import equal_shares

        layouts = [network_layout(p.architecture, problem.encoder, problem.C) for p in proposals]
        return [[proposals[k] for k in share] for share in equal_shares(layouts, parts)]

    return divide
