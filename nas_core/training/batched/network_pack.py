"""Networks of images computed together: their weights in one flat vector, their outputs and gradients at once.

Values are (n, height, width, channels), the channels of all networks side by side, so that convolutions run with their
channels last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.layers import Dropout, SignalNetwork
from nas_core.training.batched import works
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.schedule import ROWS, Member, Run, Step, schedule
from nas_core.training.batched.works import Work
from nas_core.training.plan import run_length

__all__ = ["NetworkPack", "parameter_runs"]

STATISTICS = ("running_mean", "running_var")


def parameter_runs(network: nn.Module) -> dict[str, tuple[int, int]]:
    """Return where in the vector of a network each parameter lies: (start, stop) by name."""
    found, start = {}, 0
    for name, parameter in network.named_parameters():
        found[name] = (start, start + parameter.numel())
        start += parameter.numel()
    return found


@dataclass
class _Block:
    """A parameter of a step: its shape in memory, and where it begins in the vector of all steps."""

    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape))


class NetworkPack:
    """K networks of images that are computed together.

    Args:
        networks: The networks; only read, for their names and shapes.
        plans: How each is computed, see :func:`nas_core.training.batched.layout.plan_of`.
        device: Where.

    Attributes:
        starts: Where each network begins in the flat vector of weights (T,).
        runs: How much of it each takes, a multiple of ``nas_core.training.plan.LANES``.
    """

    def __init__(self, networks: Sequence[SignalNetwork], plans: Sequence[Plan], device: torch.device) -> None:
        self._networks, self._plans, self._device = networks, plans, device
        self._steps = schedule(plans)
        places = [parameter_runs(network) for network in networks]
        self.runs = [run_length(max(stop for _, stop in of.values())) for of in places]
        self.starts = np.cumsum([0, *self.runs])[:-1].tolist()
        blocks = _Blocks(sum(self.runs))
        self._blocks: list[list[_Block]] = []
        statistics = _Blocks(0)
        self._statistics: list[_Block | None] = []
        self._where: list[dict[str, np.ndarray]] = [{} for _ in networks]  # of the statistics, by their names
        for step in self._steps:
            self._blocks.append(self._parameters(step, blocks, places))
            self._statistics.append(self._count(step, statistics))
        self._spread = torch.from_numpy(blocks.spread()).to(device)
        self._gathered = torch.from_numpy(blocks.gathered()).to(device)
        self._zero = torch.zeros(1, device=device)
        self.statistics = torch.zeros(2, statistics.size, device=device)
        self.statistics[1] = 1.0
        self._operands = [[[self._parts(r) for r in runs] for runs in step.operands] for step in self._steps]
        self._sizes = [[b - a for a, b in pairwise(step.cuts)] for step in self._steps]
        self._outputs = [self._output(k) for k in range(len(networks))]
        self._works = [self._work(at, step) for at, step in enumerate(self._steps)]

    def flat(self) -> Tensor:
        """Return the weights (T,) that the networks have now."""
        vector = torch.zeros(sum(self.runs))
        for network, start in zip(self._networks, self.starts):
            for name, (first, stop) in parameter_runs(network).items():
                values = network.get_parameter(name).detach().cpu().contiguous()
                vector[start + first : start + stop] = values.reshape(-1)
        return vector.to(self._device)

    def statistics_of(self, k: int) -> dict[str, Tensor]:
        """Return a copy of the running statistics of a network by their names."""
        return {
            name: self.statistics[STATISTICS.index(name.rpartition(".")[2]), torch.from_numpy(at).to(self._device)]
            for name, at in self._where[k].items()
        }

    def load_statistics(self, k: int, values: dict[str, Tensor]) -> None:
        """Set the running statistics of a network."""
        for name, at in self._where[k].items():
            row = STATISTICS.index(name.rpartition(".")[2])
            self.statistics[row, torch.from_numpy(at).to(self._device)] = values[name].to(self._device)

    def spread(self, flat: Tensor) -> list[list[Tensor]]:
        """Return the parameters of all steps from the flat vector, ready for :meth:`forward`."""
        every = torch.cat([flat, self._zero]).index_select(0, self._spread)
        return [[every[b.start : b.stop].view(b.shape).requires_grad_() for b in blocks] for blocks in self._blocks]

    def forward(self, x: Tensor, parameters: Sequence[Sequence[Tensor]], *, training: bool) -> Tensor:
        """Return the outputs (K, C, n) for rows x (n, channels, height, width)."""
        rows = x.permute(0, 2, 3, 1)
        values: list[Sequence[Tensor]] = []
        for work, operands, sizes, own in zip(self._works, self._operands, self._sizes, parameters, strict=True):
            value = work([_put_together(operand, rows, values) for operand in operands], own, training)
            values.append(value.split(sizes, -1) if len(sizes) > 1 else (value,))
        logits = [values[step][part][:, 0, 0, :outputs] for step, part, outputs in self._outputs]
        return torch.stack(logits).transpose(1, 2)

    def gradient(self, objective: Tensor, parameters: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the gradient (T,) of a sum over the networks with respect to the flat vector."""
        found = torch.autograd.grad(objective, [p for own in parameters for p in own])
        every = torch.cat([*(g.reshape(-1) for g in found), self._zero])
        return every.index_select(0, self._gathered)

    def _output(self, k: int) -> tuple[int, int, int]:
        """Return the step and the part of its value where the outputs of a network lie, and how many there are."""
        last = len(self._plans[k].program.operations) - 1
        outputs = self._plans[k].program.operations[last].shape[2]
        at, start = next(
            (at, member.start)
            for at, step in enumerate(self._steps)
            for member in step.members
            if (member.network, member.operation) == (k, last)
        )
        return at, self._steps[at].cuts.index(start), outputs

    def _parameters(self, step: Step, blocks: _Blocks, places: Sequence[dict[str, tuple[int, int]]]) -> list[_Block]:
        """Add the parameters of a step, weight and bias, and say where those of the networks lie in them."""
        added = [blocks.add(shape) for shape in self._shapes(step)]
        for slot, member in enumerate(step.members):
            plan, k = self._plans[member.network], member.network
            operation = plan.program.operations[member.operation]
            inputs = plan.layout(operation.inputs[0]).places
            outputs = plan.layouts[member.operation].places
            for block, kind in zip(added, ("weight", "bias")):
                parameter = getattr(self._networks[k].get_submodule(operation.place), kind)
                if parameter is None:
                    continue
                first = self.starts[k] + places[k][f"{operation.place}.{kind}"][0]
                own = first + np.arange(parameter.numel()).reshape(parameter.shape)
                where = blocks.view(block)
                if kind == "bias" or step.kind == "norm":
                    (where[slot, 0] if step.kind == "linear" else where[member.start :])[outputs] = own
                elif step.kind == "linear":
                    where[slot][np.ix_(inputs, outputs)] = own.T
                elif step.kind == "depthwise":
                    where[member.start + outputs] = own.transpose(0, 2, 3, 1)
                else:
                    area = where[member.start : member.start + plan.layouts[member.operation].size]
                    area[np.ix_(outputs, *map(np.arange, own.shape[2:]), inputs)] = own.transpose(0, 2, 3, 1)
        return added

    def _shapes(self, step: Step) -> list[tuple[int, ...]]:
        """Return the shapes of the weight and the bias of a step, those of convolutions with the channels last."""
        member = step.members[0]
        plan = self._plans[member.network]
        read, made = plan.reads[member.operation], plan.layouts[member.operation].size
        if step.kind == "linear":
            return [(step.slots, read, made), (step.slots, 1, made)]
        if step.kind == "norm":
            return [(step.width,), (step.width,)]
        inputs = {"first convolution": plan.program.given[2], "depthwise": 1, "convolution": read}.get(step.kind)
        if inputs is None:
            return []
        height, width = step.traits[0]
        return [(step.width, height, width, inputs), (step.width,)]

    def _count(self, step: Step, statistics: _Blocks) -> _Block | None:
        """Make room for the running statistics of a step of normalisation."""
        if step.kind != "norm":
            return None
        block = statistics.add((step.width,))
        for member in step.members:
            plan = self._plans[member.network]
            place = plan.program.operations[member.operation].place
            at = block.start + member.start + plan.layouts[member.operation].places
            self._where[member.network] |= {f"{place}.{name}": at for name in STATISTICS}
        return block

    def _work(self, at: int, step: Step) -> Work:
        """Return what a step computes, a function of its values, its parameters and whether it trains."""
        modules = [self._module(member) for member in step.members]
        if step.kind == "norm":
            block = self._statistics[at]
            assert block is not None
            momentum, epsilon = step.traits
            return works.norm(self.statistics[:, block.start : block.stop], momentum, epsilon)
        if step.kind == "dropout":
            layouts = [self._plans[m.network].layouts[m.operation].places + m.start for m in step.members]
            return works.dropout([m for m in modules if isinstance(m, Dropout)], layouts, self._device)
        if step.kind == "each channel":
            return works.each_channel(modules[0])
        return works.of_kind(step)

    def _module(self, member: Member) -> nn.Module:
        place = self._plans[member.network].program.operations[member.operation].place
        return self._networks[member.network].get_submodule(place)

    def _parts(self, run: Run) -> tuple[int | None, int, int]:
        """Return a run as a step and the numbers of its parts; for zeros None and how many."""
        if run.step is None or run.step == ROWS:
            return run.step, run.start, run.stop
        cuts = self._steps[run.step].cuts
        return run.step, cuts.index(run.start), cuts.index(run.stop)


class _Blocks:
    """A vector put together from blocks, and for each of its numbers which of another vector (total,) it is."""

    def __init__(self, total: int) -> None:
        self._total, self.size = total, 0
        self._indices: list[np.ndarray] = []
        self._starts: dict[int, np.ndarray] = {}

    def add(self, shape: tuple[int, ...]) -> _Block:
        """Add a block of zeros."""
        block = _Block(shape, self.size)
        self._indices.append(np.full(shape, self._total))
        self._starts[block.start] = self._indices[-1]
        self.size = block.stop
        return block

    def view(self, block: _Block) -> np.ndarray:
        """Return the indices of a block, to be set."""
        return self._starts[block.start]

    def spread(self) -> np.ndarray:
        """Return for each number of the blocks its place in the other vector, ``total`` where it is a zero."""
        return np.concatenate([i.ravel() for i in self._indices]) if self._indices else np.zeros(0, dtype=np.int64)

    def gathered(self) -> np.ndarray:
        """Return for each number of the other vector its place in the blocks, their size where it has none."""
        spread = self.spread()
        found = np.full(self._total + 1, self.size)
        found[spread] = np.arange(len(spread))
        return found[:-1]


def _put_together(
    operand: Sequence[tuple[int | None, int, int]], rows: Tensor, values: Sequence[Sequence[Tensor]]
) -> Tensor:
    """Return a value that is read: one part of an earlier value as it is, or several side by side.

    Its strides follow from its shape alone. Those of a map of one place may be anything, and torch chooses kernels by
    them, which differ in the last bit.
    """
    step, first, stop = operand[0]
    if len(operand) == 1 and step is not None and (step == ROWS or stop - first == 1):
        part = rows if step == ROWS else values[step][first]
        return part.reshape(-1).view(part.shape)
    parts: list[Tensor] = []
    zeros: list[tuple[int, int]] = []
    for step, first, stop in operand:
        if step is None:
            zeros.append((len(parts), stop - first))
            parts.append(rows)
        elif step == ROWS:
            parts.append(rows)
        else:
            parts += values[step][first:stop]
    like = next((p for n, p in enumerate(parts) if n not in {at for at, _ in zeros}), rows)
    for at, channels in zeros:
        parts[at] = like.new_zeros((*like.shape[:3], channels))
    return torch.cat(parts, -1)
