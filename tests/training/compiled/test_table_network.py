"""Networks of tables by kernels: rows that are not copied, places, signs and noise as torch has them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_samples import SHORT, Variant, make_problem, make_space, sampled

from nas_core.data import Problem
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.layout import network_layout
from nas_core.spaces.tabular.noise import drop_threshold, keep_mask, row_keys, unit_keys
from nas_core.training.compiled import table_network
from nas_core.training.compiled.table_plan import FREE, MASKED, table_plan
from nas_core.training.compiled.table_steps import draw, own_slopes, use
from nas_core.training.fit import PackItem, train_pack

SIGNS = st.tuples(st.floats(-9, 9, width=32), st.sampled_from([-1, MASKED, 1, FREE]))


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_rows_of_each_call_give_the_same_bits_as_copied_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, space = make_problem(name), make_space(name)
    items = [PackItem(a, k) for k, a in enumerate(sampled(space, 8, seed=6))]
    copied = train_pack(problem, space, items, recipe=SHORT, device="cpu")
    monkeypatch.setattr(table_network, "COPIED", 0)
    monkeypatch.setattr(table_network, "LOOKED_AT", 64)
    called = train_pack(problem, space, items, recipe=SHORT, device="cpu")
    for k in range(len(items)):
        assert called.outcomes[k].curves["train_loss"] == copied.outcomes[k].curves["train_loss"]
        assert called.outcomes[k].curves["valid_loss"] == pytest.approx(copied.outcomes[k].curves["valid_loss"])
        own, other = called.pack.weights(k), copied.pack.weights(k)
        assert own.keys() == other.keys()
        assert all(np.array_equal(own[key], other[key]) for key in own)


def test_all_that_trains_tables_is_ready_once_it_was_prepared() -> None:
    code = """
import numpy as np
from nas_core.training.compiled import ready, table_steps
ready.prepare("tabular")
compiled = [len(f.signatures) for f in (table_steps.train, table_steps.look, table_steps.pick)]
from nas_core import Problem, SearchSpace, load_data
from nas_core.training.fit import PackItem, train_pack
problem = Problem.create(load_data("iris"), class_weights="balanced")
space = SearchSpace.for_problem(problem)
items = [PackItem(space.sample(np.random.default_rng(n)), n) for n in range(12)]
recipe = problem.spec.recipe.model_copy(update={"max_epochs": 2})
train_pack(problem, space, items, recipe=recipe, device="cpu")
print(compiled, [len(f.signatures) for f in (table_steps.train, table_steps.look)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[1, 1, 1] [1, 1]", "nothing is compiled while candidates train"


def test_every_value_has_a_place_of_its_own(problem: Problem, space: SearchSpace) -> None:
    for architecture in sampled(space, 60, seed=1):
        layout = network_layout(architecture, problem.encoder, problem.C)
        plan = table_plan(layout)
        assert sorted(plan.places) == list(range(layout.size))
        assert sorted(plan.stats) == list(range(layout.stats_size))
        decayed = np.concatenate([np.full(block.size, block.decays) for block in layout.blocks])
        assert np.array_equal(plan.places < plan.decayed, decayed)


@pytest.mark.parametrize(
    "changes",
    [{"marks": {"0": 1, "7": -1}}, {"connections": "sparse"}, {"connections": "sparse", "marks": {"7": 1}}],
)
def test_signs_and_masks_are_those_of_the_layout(
    problem: Problem, variant: Variant, changes: dict[str, object]
) -> None:
    layout = network_layout(variant(**changes), problem.encoder, problem.C)
    plan, start = table_plan(layout), 0
    assert len(plan.signs) == layout.size
    for block in layout.blocks:
        found = plan.signs[plan.places[start : start + block.size]].reshape(block.shape)
        expected = np.full(block.shape, FREE) if block.sign is None else np.where(block.sign == 0, FREE, block.sign)
        if block.mask is not None:
            expected = np.where(block.mask, expected, MASKED)
        assert np.array_equal(found, expected)
        start += block.size


def test_where_all_is_free_there_are_no_signs(problem: Problem, variant: Variant) -> None:
    assert not len(table_plan(network_layout(variant(), problem.encoder, problem.C)).signs)


@given(st.integers(0, 2**63), st.integers(0, 200), st.floats(0.0, 0.9))
def test_noise_is_that_of_the_counters(seed: int, epoch: int, p: float) -> None:
    units, rows, N = unit_keys(seed, 3, 1, 5), row_keys(epoch, 2, 21), 32
    noise, scale = np.zeros(5 * N, dtype=np.float32), np.float32(1 / (1 - p))
    draw(noise, N, rows, units, drop_threshold(p), scale)
    kept = keep_mask(torch.from_numpy(units)[:, None], torch.from_numpy(rows), drop_threshold(p)).numpy()
    assert np.array_equal(noise.reshape(5, N)[:, :21], np.where(kept, scale, np.float32(0)))


@given(st.lists(SIGNS, min_size=1, max_size=40))
def test_prescribed_signs_are_kept_whatever_the_values(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs], dtype=np.float32)
    signs = np.array([sign for _, sign in pairs], dtype=np.int8)
    weights, gradient = np.empty_like(values), np.ones_like(values)
    use(values, signs, weights)
    own_slopes(values, signs, gradient)
    free = signs == FREE
    assert np.array_equal(weights[free], values[free])
    assert np.array_equal(weights[~free], signs[~free] * np.abs(values[~free]))
    assert np.array_equal(gradient, np.where(free, 1, signs * np.sign(values)))
