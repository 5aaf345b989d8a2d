"""In which order the operations of many networks are computed, and which of them together.

Of the kinds of operations that some network is ready for, one comes first (:mod:`nas_core.training.batched.order`); the
others may become more meanwhile.

The channels of what is computed together are a multiple of LANES, as in packs of tables: no value is left over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any

from nas_core.training.batched.layout import STRUCTURED, Plan, reads_rows
from nas_core.training.batched.order import ByDepth, ByHeight, Order
from nas_core.training.batched.program import INPUT
from nas_core.training.plan import LANES

__all__ = ["ROWS", "Member", "Run", "Step", "schedule"]

ROWS = -1
"""The number of the step whose value is the rows themselves."""


@dataclass(frozen=True)
class Run:
    """Channels from ``start`` to ``stop`` of the value of a step; zeros where ``step`` is None."""

    step: int | None
    start: int
    stop: int


@dataclass(frozen=True)
class Member:
    """One operation of one network in a step; its channels begin at ``start`` of the value of the step."""

    network: int
    operation: int
    start: int


@dataclass
class Step:
    """Operations that are computed together.

    Attributes:
        kind, traits: As those of the operations.
        members: The operations.
        width: Channels of the value, empty networks included.
        used: Channels of the networks there are.
        slots: Networks of equal size it is computed for, empty ones included; 0 where it works channel by channel.
        operands: For each value that is read, of which runs it is put together.
        cuts: Channels at which the value is cut for those who read it.
    """

    kind: str
    traits: tuple[Any, ...]
    members: list[Member]
    width: int
    used: int
    slots: int
    operands: list[list[Run]]
    cuts: list[int] = field(default_factory=list)


def schedule(plans: Sequence[Plan], *, by_slot: bool = False) -> list[Step]:
    """Return the steps that compute all networks.

    Args:
        plans: How each network is computed.
        by_slot: Whether values are (slots, …), one slot for each network, instead of all channels side by side; then
            runs, cuts and widths are counted in slots, and operations compute together where their keys agree.
    """
    return _Agenda(plans, by_slot).steps()


class _Agenda:
    """What is still to be computed."""

    def __init__(self, plans: Sequence[Plan], by_slot: bool) -> None:
        self._plans, self._by_slot = plans, by_slot
        self._missing: dict[tuple[int, int], int] = {}
        self._readers: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._order: Order = ByHeight() if by_slot else ByDepth()
        self._ready: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
        self._runs: dict[tuple[int, int], list[Run]] = {}  # of the value of each operation
        self._steps: list[Step] = []

    def steps(self) -> list[Step]:
        for k, plan in enumerate(self._plans):
            self._enter(k, plan)
        while any(self._ready.values()):
            key = min(
                (key for key, ready in self._ready.items() if ready),
                key=lambda key: self._order.rank(key, len(self._ready[key])),
            )
            self._compute(key)
        for step in self._steps:
            for operand in step.operands:
                for run in operand:
                    if run.step is not None and run.step != ROWS:
                        self._steps[run.step].cuts += [run.start, run.stop]
        for step in self._steps:
            for member in step.members:
                if not self._readers[member.network, member.operation]:  # the outputs of a network
                    step.cuts += [member.start, member.start + self._size(member)]
            step.cuts = sorted({0, step.width, *step.cuts})
        return self._steps

    def _enter(self, k: int, plan: Plan) -> None:
        depths: list[int] = []
        for number, operation in enumerate(plan.program.operations):
            inputs = [i for i in operation.inputs if i != INPUT]
            self._missing[k, number] = len(inputs)
            depths.append(1 + max((depths[i] for i in inputs), default=0))
            for i in inputs:
                self._readers[k, i].append(number)
        heights: dict[int, int] = {}
        for number in reversed(range(len(depths))):
            heights[number] = 1 + max((heights[reader] for reader in self._readers[k, number]), default=0)
        for number, depth in enumerate(depths):
            if plan.keys[number] is not None:
                self._order.enter(plan.keys[number], (k, number), depth, heights[number])
        for number in range(len(depths)):
            if not self._missing[k, number]:
                self._offer(k, number)

    def _offer(self, k: int, number: int) -> None:
        """An operation has all it reads: a join is done at once, others wait for company."""
        plan = self._plans[k]
        if plan.keys[number] is None:
            inputs = plan.program.operations[number].inputs
            self._done(k, number, [run for i in inputs for run in self._value(k, i)])
        else:
            self._ready[plan.keys[number]].append((k, number))

    def _value(self, k: int, number: int) -> list[Run]:
        if number == INPUT:
            return [Run(ROWS, 0, 1 if self._by_slot else self._plans[k].program.given[2])]
        return self._runs[k, number]

    def _done(self, k: int, number: int, runs: list[Run]) -> None:
        self._runs[k, number] = runs
        for reader in self._readers[k, number]:
            self._missing[k, reader] -= 1
            if not self._missing[k, reader]:
                self._offer(k, reader)

    def _compute(self, key: Hashable) -> None:
        ready = sorted(self._ready.pop(key), key=lambda at: (self._traits(at) if self._by_slot else "", at))
        self._order.done(key, ready)
        at = len(self._steps)
        step = self._slots(ready) if self._by_slot else self._step(ready)
        self._steps.append(step)
        for member in step.members:
            runs = [Run(at, member.start, member.start + self._size(member))]
            self._done(member.network, member.operation, runs)

    def _traits(self, at: tuple[int, int]) -> str:
        """Return what those of equal key may differ in; equal ones lie together."""
        return repr(self._plans[at[0]].program.operations[at[1]].traits)

    def _size(self, member: Member) -> int:
        if self._by_slot:
            return 1
        return self._plans[member.network].layouts[member.operation].size

    def _step(self, ready: list[tuple[int, int]]) -> Step:
        k, number = ready[0]
        plan = self._plans[k]
        operation, made, read = plan.program.operations[number], plan.layouts[number].size, plan.reads[number]
        members, start = [], 0
        for network, op in ready:
            members.append(Member(network, op, start))
            start += self._plans[network].layouts[op].size
        used, slots, width = start, 0, _rounded(start, LANES)
        if reads_rows(operation):
            rows = [[Run(ROWS, 0, plan.program.given[2])]]
            return Step("first convolution", operation.traits, members, width, used, 0, rows)
        if operation.kind in STRUCTURED:
            slots = max(2, _rounded(len(ready), lcm(_share(made), _share(read))))
            width = slots * made
        operands = [self._operand(ready, which, slots, width) for which in range(len(operation.inputs))]
        return Step(operation.kind, operation.traits, members, width, used, slots, operands)

    def _slots(self, ready: list[tuple[int, int]]) -> Step:
        """Return a step whose value has a slot for each network, two at least, so that products are always batched."""
        operation = self._plans[ready[0][0]].program.operations[ready[0][1]]
        members = [Member(k, number, slot) for slot, (k, number) in enumerate(ready)]
        used, slots = len(ready), max(2, len(ready))
        operands = []
        for which in range(len(operation.inputs)):
            sources = [(k, self._plans[k].program.operations[number].inputs[which]) for k, number in ready]
            runs = [run for k, source in sources for run in self._value(k, source)]
            operands.append(self._whole(_merged([*runs, Run(None, 0, slots - used)])))
        return Step(operation.kind, operation.traits, members, slots, used, slots, operands)

    def _operand(self, ready: list[tuple[int, int]], which: int, slots: int, width: int) -> list[Run]:
        """Return of which runs one of the values is put together."""
        runs: list[Run] = []
        for k, number in ready:
            plan = self._plans[k]
            source = plan.program.operations[number].inputs[which]
            runs += self._value(k, source)
            size = plan.layout(source).size
            if slots and which == 0 and plan.reads[number] > size:
                runs.append(Run(None, 0, plan.reads[number] - size))
        held = sum(run.stop - run.start for run in runs)
        each = held // len(ready) if slots else 0
        spare = (slots - len(ready)) * each if slots else width - held
        return self._whole(_merged([*runs, Run(None, 0, spare)]))

    def _whole(self, runs: list[Run]) -> list[Run]:
        """Return one run where a value is read as it is, its empty networks instead of zeros."""
        first, rest = runs[0], runs[1:]
        if first.step in (None, ROWS) or first.start or len(rest) != 1 or rest[0].step is not None:
            return runs
        source = self._steps[first.step]
        if first.stop != source.used or first.stop + rest[0].stop != source.width:
            return runs
        return [Run(first.step, 0, source.width)]


def _merged(runs: list[Run]) -> list[Run]:
    """Return the runs, those that follow each other as one, without empty ones."""
    merged: list[Run] = []
    for run in runs:
        if run.stop == run.start:
            continue
        last = merged[-1] if merged else None
        if last is not None and last.step == run.step and run.step != ROWS:
            if run.step is None:
                merged[-1] = Run(None, 0, last.stop + run.stop)
                continue
            if last.stop == run.start:
                merged[-1] = Run(run.step, last.start, run.stop)
                continue
        merged.append(run)
    return merged


def _share(size: int) -> int:
    """Return how many networks of this size fill a multiple of LANES."""
    return lcm(size, LANES) // size


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
