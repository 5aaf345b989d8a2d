"""Train signal networks: one ``Trainer.fit`` for all of them, each handed over as soon as it has finished."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import torch

from nas_core.errors import error_line, traceback_of
from nas_core.spaces.family import SignalFamily
from nas_core.spaces.layers import SignalNetwork
from nas_core.training.device import one_thread
from nas_core.training.initialise import initialise
from nas_core.training.learner import Lesson
from nas_core.training.module import fit_quietly
from nas_core.training.module_pack import ModulePack
from nas_core.training.packing import in_packs
from nas_core.training.progress import EitherStop, PackItem, PackProgress, StopSignal, TrainOutcome, Watch
from nas_core.training.result import PackResult
from nas_core.training.shortage import is_shortage
from nas_core.training.side_by_side import SideBySide, workers_on
from nas_core.training.signal_rows import SignalRows

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.data.recipe import Recipe
    from nas_core.spaces.space import SearchSpace

__all__ = ["build_network", "placed", "train_networks"]

_building = threading.Lock()


def build_network(space: SearchSpace, item: PackItem) -> SignalNetwork:
    """Return the network of an item with its initial weights; the random numbers of the process stay as they are."""
    family = cast(SignalFamily, space.engine)
    with _building, torch.random.fork_rng(devices=[]):  # the constructors of torch draw from the shared generator
        network = cast(SignalNetwork, family.module(space, item.architecture.values))
    initialise(network, item.seed)
    return network


def train_networks(
    problem: Problem,
    space: SearchSpace,
    items: Sequence[PackItem],
    recipe: Recipe,
    stop: StopSignal,
    on_epoch: Callable[[PackProgress], None] | None,
    device: torch.device,
    watch: Watch | None = None,
) -> Generator[tuple[int, PackResult], None, None]:
    """Yield the number of each item and its result, as they finish; the others are trained meanwhile.

    One that cannot be built or trained fails with the reason and disturbs nobody. Closing the iterator ends the
    training.
    """
    fleet = _Fleet(problem, space, items, recipe, stop, device, watch)
    try:
        yield from fleet.results(on_epoch)
    finally:
        fleet.halt()


def placed(network: SignalNetwork, device: torch.device) -> SignalNetwork:
    """Move a network to the device, the weights of convolutions of images with their channels last like the images."""
    network = network.to(device)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


class _Fleet:
    """The networks of one call, trained in a thread of their own, and the queue through which they are heard of."""

    def __init__(
        self, problem: Problem, space: SearchSpace, items: Sequence[PackItem], recipe: Recipe, stop: StopSignal,
        device: torch.device, watch: Watch | None,
    ) -> None:  # fmt: skip
        signal = problem.dataset.signal
        assert signal is not None  # a space of signals is made for signals
        self.signal, self.outputs, self.device, self.recipe = signal, problem.C, device, recipe
        lesson = Lesson(
            SignalRows(problem.train, signal, device), SignalRows(problem.valid, signal, device), problem.task,
            problem.spec.split_seed, recipe, watch,
        )  # fmt: skip
        self.own, self.began = EitherStop(stop), time.perf_counter()
        self.outcomes: dict[int, TrainOutcome] = {}
        networks: dict[int, SignalNetwork] = {}
        for k, item in enumerate(items):
            try:
                networks[k] = placed(build_network(space, item), device)
            except Exception as error:  # noqa: BLE001 - what cannot be built is no fault of the others
                self.outcomes[k] = TrainOutcome(
                    "failed", error_line(error), traceback=traceback_of(error), starved=is_shortage(error)
                )
        self.heard: queue.SimpleQueue[list[int] | BaseException] = queue.SimpleQueue()
        workers = workers_on(device)
        trainings, self.numbers = in_packs(networks, items, lesson, workers, device)
        self.learners = {
            k: learner for t, ks in zip(trainings, self.numbers) for k, learner in zip(ks, t.learners, strict=True)
        }
        self.module = SideBySide(trainings, self.own, self._tell, workers)
        self.thread = threading.Thread(target=self._fit, name="training", daemon=True)

    def results(self, on_epoch: Callable[[PackProgress], None] | None) -> Iterator[tuple[int, PackResult]]:
        """Begin the training and yield what finishes."""
        for k, outcome in self.outcomes.items():
            yield k, self._result(k, outcome)
        if self.learners:
            self.thread.start()
        left = set(self.learners)
        while left:
            heard = self.heard.get()
            if isinstance(heard, BaseException):
                raise heard
            if on_epoch is not None:
                on_epoch(self._progress())
            for k in left.intersection(heard):
                left.remove(k)
                yield k, self._result(k, self.learners[k].outcome)

    def halt(self) -> None:
        """End the training, if it goes on, and wait for it."""
        self.own.set()
        if self.thread.ident is not None:
            self.thread.join()

    def _tell(self, number: int) -> None:
        """Say in the thread that trains that an epoch of a training is over, and which of its networks have ended."""
        self.heard.put([k for k in self.numbers[number] if self.learners[k].ended])

    def _fit(self) -> None:
        try:
            with one_thread():
                fit_quietly(self.module, self.device, -1)
        except BaseException as error:  # noqa: BLE001 - told to the thread that asked for the training
            self.heard.put(error)
        finally:
            self.own.set()
            self.module.join()
            self.heard.put(RuntimeError("the training ended before all of its networks had"))  # nobody waits for ever

    def _progress(self) -> PackProgress:
        """Return how far they are: the mean of their epochs, those that ended counting in full."""
        most, all_of_them = self.recipe.max_epochs, list(self.learners.values())
        done = sum(most if t.ended else t.epochs for t in all_of_them)
        active = sum(not t.ended for t in all_of_them)
        seconds = time.perf_counter() - self.began
        return PackProgress(done // len(all_of_them), most, active, len(all_of_them), seconds)

    def _result(self, k: int, outcome: TrainOutcome) -> PackResult:
        learner = self.learners.get(k)
        network = None if learner is None else learner.network
        return PackResult([outcome], ModulePack([network], self.signal, self.outputs, self.device), outcome.seconds)
