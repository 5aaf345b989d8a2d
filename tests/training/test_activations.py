"""Prepared activations against those of torch, in double precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_core.spaces.tabular.noise import keep_mask, keep_ones
from nas_core.training.activations import ACTIVATION_NAMES, activate, activate_backward
from nas_core.training.passes import run_all

MODULES = {
    "gelu": nn.GELU(), "identity": nn.Identity(), "relu": nn.ReLU(), "sigmoid": nn.Sigmoid(), "silu": nn.SiLU(),
    "softplus": nn.Softplus(), "tanh": nn.Tanh(),
}  # fmt: skip


def inputs() -> torch.Tensor:
    """Values (1, 8, 4000) around 0 and far from it, beyond where everything is saturated."""
    near, far = torch.linspace(-8, 8, 16_000), torch.linspace(-120, 120, 16_000)
    return torch.cat([near, far]).view(1, 8, 4000)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
@pytest.mark.parametrize("in_place", [False, True])
def test_values_and_gradients_are_those_of_torch(name: str, in_place: bool) -> None:
    z = inputs()
    exact = z.double().requires_grad_()
    expected = MODULES[name](exact)
    expected.sum().backward()
    given = z.clone()
    a = given if in_place else torch.empty_like(z)
    run_all(activate(name, given, a))
    own = 2e-6 if name == "gelu" else 2e-7  # torch's own GELU is that far from the exact one in single precision
    torch.testing.assert_close(a.double(), expected, rtol=2e-6, atol=own)
    if not in_place:
        gradient = torch.ones_like(z)
        run_all(activate_backward(name, gradient, z, a, gradient))
        torch.testing.assert_close(gradient.double(), exact.grad, rtol=2e-6, atol=1e-6)


def test_tanh_never_falls_and_stays_within_its_limits() -> None:
    z = torch.linspace(-20, 20, 64_000)
    run_all(activate("tanh", z, z))
    assert bool((z.diff() >= -1.2e-7).all())
    assert z.abs().max() == 1.0


def test_a_value_does_not_depend_on_how_many_lie_beside_it() -> None:
    z = torch.randn(64, 8, 32, generator=torch.Generator().manual_seed(0))
    together = torch.empty_like(z)
    run_all(activate("tanh", z, together))
    for k in range(len(z)):
        alone = torch.empty_like(z[k : k + 1])
        run_all(activate("tanh", z[k : k + 1].clone(), alone))
        assert torch.equal(alone[0], together[k])


def test_ones_of_dropout_are_the_mask() -> None:
    made = torch.Generator().manual_seed(0)
    units, rows, limits = (
        torch.randint(-(2**31), 2**31, shape, dtype=torch.int32, generator=made) for shape in ((50, 1), (64,), (50, 1))
    )
    x = (units.long() + rows + 2**31) % 2**32 - 2**31
    x = (x ^ (x >> 15)) * 0x2C1B3C6D
    slow = (x + 2**31) % 2**32 - 2**31 >= limits
    out, spare = torch.empty(50, 64, dtype=torch.int32), torch.empty(50, 64, dtype=torch.int32)
    assert torch.equal(keep_ones(units, rows, limits, out, spare), slow.int())
    assert torch.equal(keep_mask(units, rows, limits), slow)
