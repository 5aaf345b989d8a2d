"""How a signal network begins and how its learning rate goes: initial weights, the cycle, the recipe."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nas_core.data import Recipe
from nas_core.training.initialise import initialise
from nas_core.training.rates import rate_factor


def network() -> nn.Module:
    return nn.ModuleDict({
        "embedding": nn.Embedding(9, 40, padding_idx=0),
        "conv": nn.Conv2d(6, 50, 3),
        "depthwise": nn.Conv1d(64, 64, 9, groups=64),
        "norm": nn.BatchNorm2d(5),
        "layer": nn.LayerNorm(5),
        "linear": nn.Linear(300, 40),
    })  # fmt: skip


def state(seed: int, noise: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(noise)
    made = network()
    initialise(made, seed)
    return {name: values.clone() for name, values in made.state_dict().items()}


def test_initial_weights_depend_on_the_seed_and_the_name_only() -> None:
    first, again, other = state(1), state(1, noise=5), state(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["linear.weight"], other["linear.weight"])
    torch.manual_seed(0)
    before = torch.get_rng_state()
    initialise(nn.Linear(3, 3), 0)
    part = nn.ModuleDict({"linear": nn.Linear(300, 40)})
    held = torch.get_rng_state()
    initialise(part, 1)
    assert torch.equal(part["linear"].weight, first["linear.weight"])
    assert torch.equal(held, torch.get_rng_state())
    assert not torch.equal(before, held), "nn.Linear draws from the shared generator, initialise does not"


def test_the_size_of_a_signal_is_kept() -> None:
    values = state(3)
    for name, inputs in (("conv.weight", 54), ("depthwise.weight", 9), ("linear.weight", 300)):
        assert float(values[name].std()) == pytest.approx(1 / math.sqrt(inputs), rel=0.15)
        assert float(values[name].abs().max()) <= math.sqrt(3 / inputs)
    assert float(values["embedding.weight"][1:].std()) == pytest.approx(1, rel=0.15)
    assert values["embedding.weight"][0].abs().max() == 0
    for name in ("conv.bias", "linear.bias", "norm.bias", "layer.bias", "norm.running_mean"):
        assert values[name].abs().max() == 0
    for name in ("norm.weight", "layer.weight", "norm.running_var"):
        assert (values[name] == 1).all()


def test_shared_weights_are_drawn_once() -> None:
    shared = nn.Linear(4, 4)
    both = nn.ModuleDict({"a": shared, "b": shared})
    initialise(both, 0)
    alone = nn.ModuleDict({"a": nn.Linear(4, 4)})
    initialise(alone, 0)
    assert torch.equal(shared.weight, alone["a"].weight)


@given(st.integers(1, 3000))
def test_a_cycle_climbs_then_falls_and_never_leaves_the_unit_interval(steps: int) -> None:
    factors = [rate_factor("one_cycle", step, steps) for step in range(steps)]
    assert all(0 < f <= 1 for f in factors)
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    if steps >= 20:
        assert max(factors) > 0.9
        assert factors[-1] < 0.05
        assert top <= 0.15 * steps + 1


def test_a_constant_rate_is_constant() -> None:
    assert {rate_factor("constant", step, 10) for step in range(10)} == {1.0}


@given(st.integers(1, 200_000))
def test_the_recipe_of_signals_follows_the_rows(rows: int) -> None:
    recipe = Recipe.for_signals(rows)
    steps = math.ceil(rows / recipe.batch_size) * recipe.max_epochs
    assert 16 <= recipe.batch_size <= 128
    assert recipe.batch_size & (recipe.batch_size - 1) == 0
    assert recipe.patience == recipe.max_epochs
    assert recipe.max_epochs in (6, 80) or 1200 <= steps <= 1700
