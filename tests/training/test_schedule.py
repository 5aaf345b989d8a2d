"""The order in which packs compute: every operation once, after what it reads, in as little room as there is."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_samples import image_space, sampled_networks
from sequence_samples import DATA, PRESETS, lesson_of, network_of, some

from nas_core.training.batched.layout import Plan
from nas_core.training.batched.order import ByDepth, ByHeight, Order
from nas_core.training.batched.program import INPUT
from nas_core.training.batched.schedule import schedule
from nas_core.training.batched.training import packed_plan
from nas_core.training.networks import build_network
from nas_core.training.progress import PackItem


def sequences(kind: str, preset: str, count: int) -> list[Plan]:
    row = lesson_of(kind).train.x[:1]
    plans = [packed_plan(network_of(kind, item), row) for item in some(kind, preset, count)]
    return [plan for plan in plans if plan is not None]


def images(count: int) -> list[Plan]:
    items = [PackItem(a, k) for k, a in enumerate(sampled_networks(count))]
    plans = [packed_plan(build_network(image_space(), item), torch.zeros(1, 1, 7, 6)) for item in items]
    return [plan for plan in plans if plan is not None]


def check(plans: list[Plan], *, by_slot: bool) -> None:
    done: set[tuple[int, int]] = set()
    joins = {(k, n) for k, plan in enumerate(plans) for n, key in enumerate(plan.keys) if key is None}
    for step in schedule(plans, by_slot=by_slot):
        for member in step.members:
            plan, at = plans[member.network], (member.network, member.operation)
            assert at not in done
            read = {(member.network, i) for i in plan.program.operations[member.operation].inputs if i != INPUT}
            assert read - joins <= done
        done |= {(member.network, member.operation) for member in step.members}
        assert len({plans[m.network].keys[m.operation] for m in step.members}) == 1
        if by_slot:
            assert step.width == max(2, len(step.members))
            assert all(sum(run.stop - run.start for run in runs) == step.width for runs in step.operands)
    assert done | joins == {(k, n) for k, plan in enumerate(plans) for n in range(len(plan.program.operations))}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", DATA)
def test_every_operation_of_sequences_once_and_after_what_it_reads(kind: str, preset: str) -> None:
    check(sequences(kind, preset, 30), by_slot=True)


def test_every_operation_of_images_once_and_after_what_it_reads() -> None:
    check(images(30), by_slot=False)


def test_loops_over_the_steps_are_few() -> None:
    """Six at most in a network of three recurrent layers, of each kind and size: not one for each that there is."""
    plans = sequences("series", "balanced", 64)
    cells = [operation for plan in plans for operation in plan.program.operations if operation.kind in ("gru", "lstm")]
    loops = [step for step in schedule(plans, by_slot=True) if step.kind in ("gru", "lstm")]
    assert len(loops) <= 7
    assert len(cells) >= 7 * len(loops)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_ranks_are_those_of_what_is_left(entries: list[tuple[str, int, int]]) -> None:
    orders: tuple[Order, Order] = (ByDepth(), ByHeight())
    for order in orders:
        for at, (key, depth, height) in enumerate(entries):
            order.enter(key, (0, at), depth, height)
        order.done(entries[0][0], [(0, 0)])
    for key in {key for key, _, _ in entries[1:]}:
        left = [(depth, height) for own, depth, height in entries[1:] if own == key]
        depths, heights = [d for d, _ in left], [h for _, h in left]
        assert orders[0].rank(key, 2) == (sum(depths) / len(left), -2)
        assert orders[1].rank(key, 2) == (-max(heights), -sum(heights) / len(left))
