"""Networks of sequences computed together: their outputs at once. Values are (slots, n, steps, channels)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from nas_core.spaces.layers import SignalNetwork
from nas_core.spaces.sequence.network import SequenceNetwork
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.schedule import ROWS, Run, Step, schedule
from nas_core.training.batched.sequence_steps import size_of, work_of
from nas_core.training.batched.sequence_weights import place_parameters
from nas_core.training.batched.sequence_works import Batch
from nas_core.training.batched.weights import PackWeights

__all__ = ["SequencePack"]


class SequencePack:
    """K networks of sequences that are computed together.

    Args:
        networks: The networks; only read, for their names and shapes.
        plans: How each is computed, see :func:`nas_core.training.batched.sequence_layers.sequence_plan`.
        device: Where.

    Attributes:
        weights: Their weights.
    """

    def __init__(self, networks: Sequence[SignalNetwork], plans: Sequence[Plan], device: torch.device) -> None:
        assert isinstance(networks[0], SequenceNetwork)  # plans of sequences are those of such networks
        self._plans, self._first = plans, networks[0]
        self._steps = schedule(plans, by_slot=True)
        self.weights = PackWeights(networks, device)
        for step in self._steps:
            place_parameters(step, plans, networks, self.weights)
        starts = [self._count(step) for step in self._steps]
        self.weights.close()
        self._works = [
            work_of(step, plans, networks, self.weights.statistics[:, start:stop], device)
            for step, (start, stop) in zip(self._steps, starts, strict=True)
        ]
        self._operands = [[[self._parts(r) for r in runs] for runs in step.operands] for step in self._steps]
        self._sizes = [[b - a for a, b in pairwise(step.cuts)] for step in self._steps]
        self._outputs = self._readouts()

    def forward(self, x: Tensor, parameters: Sequence[Sequence[Tensor]], *, training: bool) -> Tensor:
        """Return the outputs (K, C, n) for rows x (n, channels, steps)."""
        batch = self._batch(x, training)
        values: list[Sequence[Tensor]] = []
        for work, operands, sizes, own in zip(self._works, self._operands, self._sizes, parameters, strict=True):
            value = work([_put_together(operand, batch.rows, values) for operand in operands], own, batch)
            values.append(value.split(sizes) if len(sizes) > 1 else (value,))
        logits = torch.cat([values[step][part] for step, part in self._outputs])
        return logits[:, :, 0, : self._first.readout.out_features].transpose(1, 2)

    def _batch(self, x: Tensor, training: bool) -> Batch:
        """Return what all networks are given: the rows with their channels padded, or the ids of words."""
        told = self._first.present(x)
        present = None if told is None else told[:, 0]
        if self._first.embedding is not None:
            return Batch(x[:, 0].round(), present, training)
        maps = x[:, : self._first.channels]
        maps = maps if told is None else maps * told
        spare = self._plans[0].program.given[2] - self._first.channels
        return Batch(functional.pad(maps.transpose(1, 2), (0, spare))[None].contiguous(), present, training)

    def _readouts(self) -> list[tuple[int, int]]:
        """Return for each network the step and the part of its value where its outputs lie."""
        found: dict[int, tuple[int, int]] = {}
        for at, step in enumerate(self._steps):
            if step.kind == "readout":
                found |= {member.network: (at, step.cuts.index(member.start)) for member in step.members}
        return [found[k] for k in range(len(found))]

    def _count(self, step: Step) -> tuple[int, int]:
        """Make room for the running statistics of a step of normalisation; return where they begin and end."""
        if step.kind != "step norm":
            return 0, 0
        size = size_of(step, self._plans)
        block = self.weights.add_statistics(step.slots * size)
        for member in step.members:
            plan = self._plans[member.network]
            at = block.start + member.start * size + plan.layouts[member.operation].places
            self.weights.name_statistics(member.network, plan.program.operations[member.operation].place, at)
        return block.start, block.stop

    def _parts(self, run: Run) -> tuple[int | None, int, int]:
        """Return a run as a step and the numbers of its parts; for zeros None and how many."""
        if run.step is None or run.step == ROWS:
            return run.step, run.start, run.stop
        cuts = self._steps[run.step].cuts
        return run.step, cuts.index(run.start), cuts.index(run.stop)


def _put_together(
    operand: Sequence[tuple[int | None, int, int]], rows: Tensor, values: Sequence[Sequence[Tensor]]
) -> Tensor:
    """Return a value that is read: one part of an earlier value as it is, or several slots behind each other."""
    if all(step in (None, ROWS) for step, _, _ in operand):  # whoever is empty may read the rows as well
        slots = sum(stop - first for _, first, stop in operand)
        return rows if rows.ndim == 2 else rows.expand(slots, -1, -1, -1).contiguous()
    parts: list[Tensor] = []
    for step, first, stop in operand:
        if step is None:
            like = parts[0]
            parts.append(like.new_zeros((stop - first, *like.shape[1:])))
        else:
            parts += [rows] if step == ROWS else values[step][first:stop]
    return parts[0] if len(parts) == 1 else torch.cat(parts)
