"""Networks of images computed together: their outputs at once.

Values are (n, height, width, channels), the channels of all networks side by side, so that convolutions run with their
channels last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.layers import Dropout, SignalNetwork
from nas_core.training.batched import works
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.schedule import ROWS, Member, Run, Step, schedule
from nas_core.training.batched.weights import Block, PackWeights
from nas_core.training.batched.works import Work

__all__ = ["NetworkPack"]


class NetworkPack:
    """K networks of images that are computed together.

    Args:
        networks: The networks; only read, for their names and shapes.
        plans: How each is computed, see :func:`nas_core.training.batched.layout.plan_of`.
        device: Where.

    Attributes:
        weights: Their weights.
    """

    def __init__(self, networks: Sequence[SignalNetwork], plans: Sequence[Plan], device: torch.device) -> None:
        self._networks, self._plans, self._device = networks, plans, device
        self._steps = schedule(plans)
        self.weights = PackWeights(networks, device)
        self._statistics: list[Block | None] = []
        for step in self._steps:
            self._place(step)
            self._statistics.append(self._count(step))
        self.weights.close()
        self._operands = [[[self._parts(r) for r in runs] for runs in step.operands] for step in self._steps]
        self._sizes = [[b - a for a, b in pairwise(step.cuts)] for step in self._steps]
        self._outputs = [self._output(k) for k in range(len(networks))]
        self._works = [self._work(at, step) for at, step in enumerate(self._steps)]

    def forward(self, x: Tensor, parameters: Sequence[Sequence[Tensor]], *, training: bool) -> Tensor:
        """Return the outputs (K, C, n) for rows x (n, channels, height, width)."""
        rows = x.permute(0, 2, 3, 1)
        values: list[Sequence[Tensor]] = []
        for work, operands, sizes, own in zip(self._works, self._operands, self._sizes, parameters, strict=True):
            value = work([_put_together(operand, rows, values) for operand in operands], own, training)
            values.append(value.split(sizes, -1) if len(sizes) > 1 else (value,))
        logits = [values[step][part][:, 0, 0, :outputs] for step, part, outputs in self._outputs]
        return torch.stack(logits).transpose(1, 2)

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

    def _place(self, step: Step) -> None:
        """Add the parameters of a step, weight and bias, and say where those of the networks lie in them."""
        added = self.weights.add(self._shapes(step))
        for slot, member in enumerate(step.members):
            plan, k = self._plans[member.network], member.network
            operation = plan.program.operations[member.operation]
            inputs = plan.layout(operation.inputs[0]).places
            outputs = plan.layouts[member.operation].places
            for where, kind in zip(added, ("weight", "bias")):
                own = self.weights.places(k, f"{operation.place}.{kind}")
                if own is None:
                    continue
                if kind == "bias" or step.kind == "norm":
                    (where[slot, 0] if step.kind == "linear" else where[member.start :])[outputs] = own
                elif step.kind == "linear":
                    where[slot][np.ix_(inputs, outputs)] = own.T
                elif step.kind == "depthwise":
                    where[member.start + outputs] = own.transpose(0, 2, 3, 1)
                else:
                    area = where[member.start : member.start + plan.layouts[member.operation].size]
                    area[np.ix_(outputs, *map(np.arange, own.shape[2:]), inputs)] = own.transpose(0, 2, 3, 1)

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

    def _count(self, step: Step) -> Block | None:
        """Make room for the running statistics of a step of normalisation."""
        if step.kind != "norm":
            return None
        block = self.weights.add_statistics(step.width)
        for member in step.members:
            plan = self._plans[member.network]
            at = block.start + member.start + plan.layouts[member.operation].places
            self.weights.name_statistics(member.network, plan.program.operations[member.operation].place, at)
        return block

    def _work(self, at: int, step: Step) -> Work:
        """Return what a step computes, a function of its values, its parameters and whether it trains."""
        modules = [self._module(member) for member in step.members]
        if step.kind == "norm":
            block = self._statistics[at]
            assert block is not None
            momentum, epsilon = step.traits
            return works.norm(self.weights.statistics[:, block.start : block.stop], momentum, epsilon)
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
