"""Signal networks trained as one pack: their gradients at once, each with its own optimiser, rate, noise and end."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from nas_core.spaces.layers import SignalNetwork, seed_dropout
from nas_core.spaces.sequence.network import SequenceNetwork
from nas_core.training.batched.layout import Plan, plan_of
from nas_core.training.batched.network_pack import NetworkPack
from nas_core.training.batched.program import program_of
from nas_core.training.batched.sequence_layers import sequence_plan
from nas_core.training.batched.sequence_pack import SequencePack
from nas_core.training.batched.weights import parameter_runs
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.inheritance import inherit_entries
from nas_core.training.learner import Learner, Lesson
from nas_core.training.losses import losses
from nas_core.training.optimiser import OPTIMISERS, ElementOptimiser, Tuning
from nas_core.training.plan import run_length
from nas_core.training.progress import PackItem, StopSignal
from nas_core.training.rates import rate_factor

__all__ = ["PackTraining", "packed_plan"]

SHRINK = 0.8  # the pack is laid out again when at most this share of its networks is still training


def packed_plan(network: SignalNetwork, x: Tensor) -> Plan | None:
    """Return how a network is computed in a pack, None where it cannot be; ``x`` (1, …) is one of its rows."""
    if isinstance(network, SequenceNetwork):
        return sequence_plan(network, x.shape[-1])
    program = program_of(network, x)
    return None if program is None else plan_of(program)


def tuning_of(learner: Learner) -> Tuning:
    """Return how the weights of a network are updated; biases and normalisation are not decayed."""
    values, runs = learner.item.architecture.values, parameter_runs(learner.network)
    decays = tuple(runs[name] for name, p in learner.network.named_parameters() if p.ndim > 1)
    size = run_length(max(stop for _, stop in runs.values()))
    return Tuning(values["optimiser"], learner.rate, float(values["weight_decay"]), size, decays)


class PackTraining:
    """Trains K networks together, epoch by epoch.

    Args:
        networks: The networks, initialised, on the device, with their items and plans.
        lesson: The rows and the recipe.
    """

    def __init__(self, networks: Sequence[tuple[SignalNetwork, PackItem, Plan]], lesson: Lesson) -> None:
        self.learners = [Learner(network, item, lesson) for network, item, _ in networks]
        self._lesson, self._plans = lesson, [plan for _, _, plan in networks]
        self._device = lesson.train.x.device
        self._epochs = self._steps = 0
        by_optimiser = [OPTIMISERS.index(item.architecture.values["optimiser"]) for _, item, _ in networks]
        self._current = sorted(range(len(networks)), key=lambda k: by_optimiser[k])
        self._kept: dict[int, tuple[Tensor, dict[str, Tensor], int]] = {}  # weights, statistics, gradient steps

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """An optimiser of nothing: Lightning wants one, the pack has its own."""
        return (torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.0),)

    @property
    def ended(self) -> bool:
        """Whether none of them will be trained any more."""
        return all(learner.ended for learner in self.learners)

    def run_epoch(self, stop: StopSignal) -> None:
        """Train for one epoch, validate, and decide who goes on."""
        began = time.perf_counter()
        active = [k for k in self._current if not self.learners[k].ended]
        try:
            if self._epochs == 0:
                self._begin()
            train = self._epoch(stop)
            if train is None:
                for k in active:
                    self.learners[k].end("cancelled", f"stopped after {self._epochs} epochs")
                return
            self._epochs += 1
            self._look(train)
        finally:
            seconds = (time.perf_counter() - began) / len(active)
            for k in active:
                self.learners[k].seconds += seconds
            self._let_go(active)

    def fail(self, error: Exception) -> None:
        """Stop for good because of an error that no single network is to blame for."""
        for learner in self.learners:
            if not learner.ended:
                learner.fail(error)
                learner.network.eval()

    def _begin(self) -> None:
        """Note the losses of the initial weights, then take over what parents leave."""
        self._lay_out(None)
        for k, loss in zip(self._current, self._start_losses(), strict=True):
            self.learners[k].start_loss = self.learners[k].kept_loss = loss
        for k in self._current:
            learner = self.learners[k]
            learner.inherited = inherit_entries(learner.network, learner.item.parents)
            seed_dropout(learner.network, learner.item.seed, self._device)
        if any(learner.inherited for learner in self.learners):
            self._lay_out(None)
            for k, loss in zip(self._current, self._start_losses(), strict=True):
                self.learners[k].kept_loss = loss if self.learners[k].inherited else self.learners[k].kept_loss
        for n, k in enumerate(self._current):
            self._keep(n, k)

    def _lay_out(self, old: tuple[NetworkPack | SequencePack, list[int], ElementOptimiser] | None) -> None:
        """Build the pack of those who are training, from their networks or from a larger pack."""
        chosen = [self.learners[k] for k in self._current]
        networks = [learner.network for learner in chosen]
        kind = SequencePack if isinstance(networks[0], SequenceNetwork) else NetworkPack
        self._pack = kind(networks, [self._plans[k] for k in self._current], self._device)
        self._optimiser = ElementOptimiser([tuning_of(learner) for learner in chosen], self._device)
        self._rate = self._optimiser.rate
        if old is None:
            self._flat = self._pack.weights.flat()
            for n, network in enumerate(networks):
                self._pack.weights.load_statistics(n, dict(network.named_buffers()))
            return
        pack, kept, optimiser = old
        starts, runs = pack.weights.starts, pack.weights.runs
        places = torch.cat([torch.arange(starts[n], starts[n] + runs[n]) for n in kept])
        places = places.to(self._device)
        self._optimiser.take(optimiser, places)
        self._flat = self._flat[places]
        for at, n in enumerate(kept):
            self._pack.weights.load_statistics(at, pack.weights.statistics_of(n))

    def _epoch(self, stop: StopSignal) -> list[float] | None:
        """Return the mean training losses of an epoch, None when a stop was asked for within it."""
        lesson, train = self._lesson, self._lesson.train
        order = epoch_order(lesson.split_seed, self._epochs, len(train)).to(self._device)
        slices = batch_slices(len(train), lesson.recipe.batch_size)
        steps = len(slices) * lesson.recipe.max_epochs
        total = torch.zeros(len(self._current), device=self._device)
        for rows in slices:
            if stop.is_set():
                return None
            factor = rate_factor(lesson.recipe.schedule, self._steps, steps)
            self._optimiser.rate = self._rate if factor == 1.0 else self._rate * factor
            total += self._step(*train.batch(order[rows]))
            self._steps += 1
        return [float(loss) for loss in total.cpu().double() / len(train)]

    def _step(self, x: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        """Make one gradient step; return the summed loss (K,) of its rows."""
        parameters = self._pack.weights.spread(self._flat)
        outputs = self._pack.forward(x, parameters, training=True)
        each = losses(outputs, y, self._lesson.task, weights)
        gradient = self._pack.weights.gradient(each.mean(1).sum(), parameters)
        self._optimiser.step(self._flat, gradient)
        return each.detach().sum(1)

    def _look(self, train: Sequence[float]) -> None:
        """Validate, keep what deserves it, and let go who has ended."""
        watch = self._lesson.watch
        looked = watch is not None and watch.looks_at(self._epochs)
        rows, outputs = self._validate(keep=looked)
        for n, k in enumerate(self._current):
            learner = self.learners[k]
            if learner.ended:
                continue
            if learner.judge(train[n], rows[n]):
                self._keep(n, k)
            if watch is not None:
                learner.ask(watch, None if outputs is None else outputs[n].T.numpy())
        left = [n for n, k in enumerate(self._current) if not self.learners[k].ended]
        if left and len(left) <= SHRINK * len(self._current):
            old = (self._pack, left, self._optimiser)
            self._current = [self._current[n] for n in left]
            self._lay_out(old)

    def _validate(self, *, keep: bool = False) -> tuple[Tensor, Tensor | None]:
        """Return the validation loss (K, n) of the rows, in double precision, and, when kept, the outputs (K, C, n)."""
        valid, size = self._lesson.valid, 2 * self._lesson.recipe.batch_size
        found, kept = [], []
        with torch.no_grad():
            parameters = self._pack.weights.spread(self._flat)
            for x, rows in valid.chunks(size):
                weights = None if valid.weights is None else valid.weights[rows]
                outputs = self._pack.forward(x, parameters, training=False)
                found.append(losses(outputs, valid.y[rows], self._lesson.task, weights))
                if keep:
                    kept.append(outputs.cpu())
        return torch.cat(found, 1).cpu().double(), torch.cat(kept, 2) if keep else None

    def _start_losses(self) -> list[float]:
        """Return the mean validation losses of the weights as they are, on the rows that are compared."""
        valid, found = self._lesson.valid, []
        with torch.no_grad():
            parameters = self._pack.weights.spread(self._flat)
            for chosen in self._lesson.compared.split(2 * self._lesson.recipe.batch_size):
                x, y, weights = valid.batch(chosen.to(self._device))
                outputs = self._pack.forward(x, parameters, training=False)
                found.append(losses(outputs, y, self._lesson.task, weights))
        return [float(loss) for loss in torch.cat(found, 1).cpu().double().mean(1)]

    def _keep(self, n: int, k: int) -> None:
        """Copy the weights of a network, which is number ``n`` of the pack as it is now."""
        start, run = self._pack.weights.starts[n], self._pack.weights.runs[n]
        self._kept[k] = self._flat[start : start + run].clone(), self._pack.weights.statistics_of(n), self._steps

    def _let_go(self, numbers: Sequence[int]) -> None:
        """Give those of these networks that have ended the weights that are kept."""
        for k in numbers:
            learner = self.learners[k]
            if not learner.ended or k not in self._kept:
                continue
            flat, statistics, steps = self._kept.pop(k)
            with torch.no_grad():
                for name, (start, stop) in parameter_runs(learner.network).items():
                    parameter = learner.network.get_parameter(name)
                    parameter.copy_(flat[start:stop].view(parameter.shape))
                for name, buffer in learner.network.named_buffers():
                    buffer.copy_(statistics[name] if name in statistics else torch.tensor(steps))
            learner.network.eval()
