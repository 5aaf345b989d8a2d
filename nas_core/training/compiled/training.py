"""One signal network trained on a processor by compiled kernels."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.layers import Dropout, SignalNetwork, seed_dropout
from nas_core.spaces.sequence.network import SequenceNetwork
from nas_core.training.batched.program import program_of
from nas_core.training.batched.sequence_program import sequence_program
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.compiled.fields import Memory
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.losses import rows_loss
from nas_core.training.compiled.plan import Plan, plan_of
from nas_core.training.compiled.sequence_plan import SequenceWriter
from nas_core.training.compiled.step import backward, calls_of, forward
from nas_core.training.compiled.updates import update
from nas_core.training.inheritance import inherit_entries
from nas_core.training.learner import Learner, Lesson
from nas_core.training.optimiser import OPTIMISERS
from nas_core.training.progress import PackItem, StopSignal
from nas_core.training.rates import rate_factor
from nas_core.training.signal_rows import SignalRows

__all__ = ["CompiledTraining", "Sheet", "compiled_plan", "sheets_of"]

NUMBERS = {name: number for number, name in enumerate(OPTIMISERS)}


@dataclass(frozen=True)
class Sheet:
    """One part of the data as kernels read it: X (n, D), y (n,) class numbers or targets, counts (n,), all float32."""

    X: np.ndarray
    y: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, rows: SignalRows) -> Sheet:
        """Return the rows as flat arrays; images have their channels first."""
        counts = torch.ones(len(rows)) if rows.weights is None else rows.weights
        parts = (rows.x.reshape(len(rows), -1), rows.y, counts)
        return cls(*(np.ascontiguousarray(part.numpy(), dtype=np.float32) for part in parts))


def sheets_of(lesson: Lesson) -> tuple[Sheet, Sheet]:
    """Return the rows to learn from and those to validate with."""
    return Sheet.of(lesson.train), Sheet.of(lesson.valid)


def compiled_plan(network: SignalNetwork, x: Tensor) -> Plan | None:
    """Return how kernels compute a network, None where they cannot; ``x`` (1, …) is one of its rows."""
    if isinstance(network, SequenceNetwork):
        return SequenceWriter(sequence_program(network, *x.shape[1:]), network).plan()
    program = program_of(network, x)
    return None if program is None else plan_of(program, network)


class CompiledTraining(Learner):
    """Trains one network, epoch by epoch, as :class:`nas_core.training.network_training.NetworkTraining` does.

    Args:
        network: The network, initialised, on the processor; trained in place.
        item: Its architecture and seed.
        lesson: The rows and the recipe.
        plan: How it is computed.
        sheets: The rows as kernels read them; see :func:`sheets_of`.
    """

    def __init__(
        self, network: SignalNetwork, item: PackItem, lesson: Lesson, plan: Plan, sheets: tuple[Sheet, Sheet]
    ) -> None:
        super().__init__(network, item, lesson)
        self._plan, (self._train, self._valid) = plan, sheets
        values = item.architecture.values
        self._calls = calls_of(plan.ops)
        self._tuning = NUMBERS[values["optimiser"]], float(values["weight_decay"])
        self._memory: Memory | None = None
        self._steps = 0

    @property
    def _room(self) -> Memory:
        """What it works on, once it has begun."""
        assert self._memory is not None
        return self._memory

    @property
    def learners(self) -> Sequence[Learner]:
        """Itself."""
        return (self,)

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """An optimiser of nothing: Lightning wants one, kernels have their own."""
        return (torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.0),)

    def run_epoch(self, stop: StopSignal) -> None:
        """Train for one epoch, validate, and decide whether it goes on."""
        began = time.perf_counter()
        try:
            if self._memory is None:
                self._begin()
            train = self._epoch(stop)
            if train is None:
                self.end("cancelled", f"stopped after {self.epochs} epochs")
                return
            rows, outputs = self._look(np.arange(len(self._valid.y)))
            if self.judge(train, torch.from_numpy(rows).double()):
                self._keep()
            watch = self.lesson.watch
            if watch is not None:
                self.ask(watch, outputs if watch.looks_at(self.epochs) else None)
        finally:
            self.seconds += time.perf_counter() - began
            if self.ended:
                self._let_go()

    def fail(self, error: Exception) -> None:
        super().fail(error)
        self._let_go()

    def _begin(self) -> None:
        """Note the loss of the initial weights, then take over what a parent leaves."""
        self._lay_out()
        self.start_loss = self.kept_loss = self._start_loss()
        self.inherited = inherit_entries(self.network, self.item.parents)
        if self.inherited:
            self._keep()
            self.kept_loss = self._start_loss()
        seed_dropout(self.network, self.item.seed, torch.device("cpu"))
        self._drops = [(drop, self.network.get_submodule(drop.place)) for drop in self._plan.drops]

    def _lay_out(self) -> None:
        """Make room, and make the parameters and statistics of the network views of it."""
        plan, slices = self._plan, batch_slices(len(self._train.y), self.lesson.recipe.batch_size)
        self._N = N = -(-max(rows.stop - rows.start for rows in slices) // LANES) * LANES
        self._memory = plan.room(N)
        weights, kept = self._memory.weights, self._memory.statistics
        self._first, self._second = np.zeros_like(weights), np.zeros_like(weights)
        self._each = np.zeros(N, dtype=np.float32)
        parameters, running = torch.from_numpy(weights), torch.from_numpy(kept)
        with torch.no_grad():
            for name, (start, shape) in plan.parameters.items():
                parameter = self.network.get_parameter(name)
                view = parameters[start : start + parameter.numel()].view(shape)
                parameter.data = view.copy_(parameter)
            for name, (start, length) in plan.statistics.items():
                _set_buffer(self.network, name, running[start : start + length].copy_(self.network.get_buffer(name)))
        self._keep()

    def _keep(self) -> None:
        self._kept = self._room.weights.copy(), self._room.statistics.copy(), self._steps

    def _let_go(self) -> None:
        """Go back to the weights that are kept, in memory of their own, and forget what training alone needed."""
        if self._memory is not None:
            self._give_back()
            self._memory = None
        self.network.eval()

    def _give_back(self) -> None:
        weights, statistics, steps = self._kept
        for name, (start, shape) in self._plan.parameters.items():
            parameter = self.network.get_parameter(name)
            own = torch.from_numpy(weights[start : start + parameter.numel()].copy()).view(shape)
            parameter.data = own.contiguous(memory_format=torch.channels_last) if own.ndim == 4 else own
        for name, (start, length) in self._plan.statistics.items():
            _set_buffer(self.network, name, torch.from_numpy(statistics[start : start + length].copy()))
        for name, buffer in self.network.named_buffers():
            if name.endswith("num_batches_tracked"):
                buffer.fill_(steps)
        del self._first, self._second, self._kept

    def _epoch(self, stop: StopSignal) -> float | None:
        """Return the mean training loss of an epoch, None when a stop was asked for within it."""
        lesson = self.lesson
        order = epoch_order(lesson.split_seed, self.epochs, len(self._train.y)).numpy()
        slices = batch_slices(len(order), lesson.recipe.batch_size)
        steps = len(slices) * lesson.recipe.max_epochs
        total = 0.0
        for rows in slices:
            if stop.is_set():
                return None
            rate = self.rate * rate_factor(lesson.recipe.schedule, self._steps, steps)
            total += self._step(order[rows], rate)
        return total / len(order)

    def _step(self, rows: np.ndarray, rate: float) -> float:
        """Make one gradient step with some training rows; return the sum of their losses."""
        plan, train, m, N = self._plan, self._train, self._room, self._N
        self._steps += 1
        self._draw(len(rows))
        forward(plan.ops, plan.reals, self._calls[0], m, N, train.X, rows, True)
        y, counts = train.y[rows], train.counts[rows]
        backward(
            plan.ops, plan.reals, self._calls[1], m, N, plan.out, plan.outputs, y, counts, self._each, self._task
        )  # fmt: skip
        optimiser, decay = self._tuning
        update(
            optimiser, m.weights, m.gradient, self._first, self._second, plan.decayed, rate, decay, self._steps
        )  # fmt: skip
        return float(self._each[: len(rows)].sum(dtype=np.float64))

    @property
    def _task(self) -> int:
        return 0 if self.lesson.task == "regression" else 1 if self._plan.outputs == 1 else 2

    def _draw(self, n: int) -> None:
        """Draw the noise of the dropout layers for n rows, each from its own generator, as the layers do."""
        noise = self._room.noise[: self._plan.noise * self._N].reshape(-1, self._N)
        for drop, module in self._drops:
            assert isinstance(module, Dropout)
            shape = (n, drop.channels, drop.places) if drop.places > 1 else (n, drop.channels)
            keep = torch.rand(shape, generator=module.generator) >= module.p
            rows = drop.channels * drop.places
            part = noise[drop.row : drop.row + rows, :n]
            part[:] = keep.view(n, rows).t().contiguous().numpy()  # numpy would take four times as long to turn it
            part *= np.float32(1) / np.float32(1 - module.p)

    def _look(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss (n,) of these validation rows and their outputs (n, C)."""
        plan, valid, m, N = self._plan, self._valid, self._room, self._N
        found = np.empty(len(rows), dtype=np.float32)
        said = np.empty((len(rows), plan.outputs), dtype=np.float32)
        outputs = m.values[plan.out * N : (plan.out + plan.outputs) * N].reshape(plan.outputs, N)
        for start in range(0, len(rows), N):
            part = rows[start : start + N]
            forward(plan.ops, plan.reals, self._calls[0], m, N, valid.X, part, False)
            y, counts, n = valid.y[part], valid.counts[part], len(part)
            rows_loss(m, plan.out, plan.outputs, y, counts, self._each, N, n, self._task)
            found[start : start + n] = self._each[:n]
            said[start : start + n] = outputs[:, :n].T
        return found, said

    def _start_loss(self) -> float:
        """Return the mean validation loss of the weights as they are, on the rows of ``compared``."""
        return float(self._look(self.compared.numpy())[0].astype(np.float64).mean())


def _set_buffer(network: nn.Module, name: str, values: Tensor) -> None:
    owner, _, own = name.rpartition(".")
    network.get_submodule(owner)._buffers[own] = values
