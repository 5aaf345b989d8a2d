"""Attributions from gradients: the axioms at their tolerances, every layer of ours, captum, and slow twins."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_packs import architecture_of, toy_problem
from signal_examples import family_context, problem_of
from torch import Tensor, nn

from nas_core.errors import ExplanationError
from nas_core.interpretability.cells import absent_rows
from nas_core.interpretability.gradients import by_owner, deep_lift, flat_network, gradient_shap, integrated_gradients
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.module import ACTIVATIONS, build

SMOOTH = ("sigmoid", "tanh", "gelu", "silu", "softplus", "identity")
RNG = np.random.default_rng(0)
E, BASES = RNG.normal(size=(20, 5)), RNG.normal(size=(4, 5))


def dense(activation: Callable[[], nn.Module], *, norm: bool = False, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    normal = [nn.LayerNorm(12)] if norm else []
    return nn.Sequential(nn.Linear(5, 12), *normal, activation(), nn.Linear(12, 12), activation(), nn.Linear(12, 3))


def residual(f: nn.Module, rows: np.ndarray, bases: np.ndarray, values: np.ndarray, output: int) -> float:
    """Return how far the values are from adding up, as a share of the largest difference; bases (B, D) or (n, B, D)."""
    kind = next(f.parameters()).dtype
    with torch.no_grad():
        own = f(torch.tensor(rows, dtype=kind))[:, output].double().numpy()
        flat = torch.tensor(np.ascontiguousarray(bases).reshape(-1, rows.shape[1]), dtype=kind)
        base = f(flat)[:, output].double().numpy().reshape(bases.shape[:-1]).mean(-1)
    return float(np.abs(values.sum(1) - (own - base)).max() / np.abs(own - base).max())


@pytest.mark.parametrize("activation", SMOOTH)
def test_integrated_gradients_add_up_for_smooth_networks(activation: str) -> None:
    f = dense(ACTIVATIONS[activation])
    assert residual(f, E, BASES, integrated_gradients(f, E, BASES, 1), 1) < 1e-4


def test_integrated_gradients_of_relu_networks_need_128_points() -> None:
    f = dense(nn.ReLU)
    assert residual(f, E, BASES, integrated_gradients(f, E, BASES, 2, 128), 2) < 5e-2


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", [*SMOOTH, "relu"])
def test_deep_lift_adds_up_whatever_the_activation(activation: str, norm: bool) -> None:
    f = dense(ACTIVATIONS[activation], norm=norm)
    assert residual(f, E, BASES, deep_lift(f, E, BASES, 0), 0) < 1e-5


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
@pytest.mark.parametrize("connections", ["full", "residual", "dense"])
def test_they_add_up_for_networks_of_tables(activation: str, normalisation: str, connections: str) -> None:
    problem = toy_problem()
    space = SearchSpace.for_problem(problem, "accurate")
    architecture = architecture_of(
        space, (0, 1, 3), (2,), (4, 5), activation=activation, normalisation=normalisation, connections=connections,
        encoding="piecewise", marks={"0": 1},
    )  # fmt: skip
    f = build(architecture, problem.encoder, problem.C, seed=1).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in f.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    rows, bases = problem.valid.E[:30], problem.train.E[:5]
    assert residual(f, rows, bases, deep_lift(f, rows, bases, 0), 0) < 1e-3
    steps, tolerance = (256, 5e-2) if activation == "relu" else (64, 1e-3)
    assert residual(f, rows, bases, integrated_gradients(f, rows, bases, 0, steps), 0) < tolerance


@pytest.mark.parametrize(("kind", "family"), [("image", None), ("image", "cell"), ("series", None), ("padded", None)])
def test_they_add_up_for_networks_of_signals(kind: str, family: str | None) -> None:
    problem = problem_of(kind)
    context = family_context(problem, 8, family)
    rows = problem.valid.E[:6]
    bases = np.array(absent_rows(problem, rows))[:, None]
    for k in range(8):
        module = context.network(k).eval()
        torch.manual_seed(k)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
        f = nn.Sequential(nn.Unflatten(1, problem.signal_encoder.shape), module)
        own = flat_network(module, problem.signal_encoder.shape)
        assert residual(f, rows, bases, deep_lift(own, rows, bases, 1), 1) < 1e-3
        assert residual(f, rows, bases, integrated_gradients(own, rows, bases, 1, 128), 1) < 5e-2


LAYERS = {
    "wide maximum": lambda x: nn.functional.max_pool1d(x[:, None], 3, stride=2, padding=1)[:, 0],
    "square maximum": lambda x: nn.functional.max_pool2d(x[:, None, :4].reshape(-1, 1, 2, 2), 2, 1).flatten(1),
    "largest": lambda x: x.amax(-1, keepdim=True),
    "softmax": lambda x: torch.softmax(3 * x, -1),
    "product": lambda x: x[:, :2] * x[:, 2:4],
    "quotient": lambda x: x[:, :2] / (1 + x[:, 2:4] ** 2),
    "matrix product": lambda x: (x[:, :4].reshape(-1, 2, 2) @ x[:, 1:].reshape(-1, 2, 2)).flatten(1),
    "powers": lambda x: x**3 + x.abs().sqrt(),
    "clamped": lambda x: x.clamp(-0.5, 0.5),
    "log of sums": lambda x: torch.logsumexp(2 * x, -1, keepdim=True),
}


@pytest.mark.parametrize("name", LAYERS)
def test_deep_lift_knows_every_operation(name: str) -> None:
    def f(x: Tensor) -> Tensor:
        return LAYERS[name](x)

    values = deep_lift(f, E, BASES, 0)
    change = f(torch.tensor(E))[:, 0].numpy() - f(torch.tensor(BASES))[:, 0].mean().numpy()
    assert values.sum(1) == pytest.approx(change, abs=1e-3 * np.abs(change).max())


def test_a_recurrent_layer_is_followed_in_eval_mode() -> None:
    torch.manual_seed(0)

    class Read(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTM(1, 6, batch_first=True)
            self.out = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.cell(x[..., None])[0][:, -1])

    f = Read().eval()
    assert residual(f, E, BASES, deep_lift(f, E, BASES, 1), 1) < 1e-4
    assert residual(f, E, BASES, integrated_gradients(f, E, BASES, 1), 1) < 1e-4


def test_a_linear_function_is_explained_exactly() -> None:
    torch.manual_seed(0)
    f = nn.Linear(5, 2)
    expected = (E - BASES.mean(0)) * f.weight[1].detach().numpy()
    assert integrated_gradients(f, E, BASES, 1) == pytest.approx(expected, abs=1e-6)
    assert deep_lift(f, E, BASES, 1) == pytest.approx(expected, abs=1e-6)
    assert gradient_shap(f, E, BASES, 1, draws=8) == pytest.approx(expected, abs=1e-6)  # every baseline twice


def test_gradient_shap_is_unbiased() -> None:
    f = dense(nn.Tanh)
    exact = integrated_gradients(f, E[:4], BASES, 0, 64)
    runs = np.stack([gradient_shap(f, E[:4], BASES, 0, draws=3, seed=s) for s in range(300)])
    errors = runs.std(0, ddof=1) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(0) - exact) <= 3.5 * errors + 1e-9).all()
    assert (np.abs(runs.mean(0) - exact) <= 3 * errors + 1e-9).mean() >= 0.95
    assert not np.allclose(runs[0], exact, atol=1e-3)  # three draws are not the integral


@pytest.mark.parametrize("method", [integrated_gradients, gradient_shap, deep_lift])
class TestAxioms:
    """What all three must satisfy."""

    def test_a_feature_that_is_not_used_has_nothing(self, method: Callable[..., np.ndarray]) -> None:
        f = dense(nn.GELU)
        with torch.no_grad():
            f[0].weight[:, 3] = 0
        assert np.abs(method(f, E, BASES, 0)[:, 3]).max() <= 1e-7

    def test_a_function_that_is_flat_at_the_row_still_changed(self, method: Callable[..., np.ndarray]) -> None:
        def f(x: Tensor) -> Tensor:
            return 1 - torch.relu(1 - x)

        x = torch.tensor([[2.0]], requires_grad=True)
        f(x).sum().backward()
        assert x.grad is not None
        assert x.grad.item() == 0  # gradient × input sees nothing
        found = method(f, np.array([[2.0]]), np.array([[0.0]]), 0)
        assert found[0, 0] > 0.3

    def test_a_product_is_shared(self, method: Callable[..., np.ndarray]) -> None:
        x = RNG.normal(size=(6, 2))
        found = method(lambda x: x[:, :1] * x[:, 1:], x, np.zeros((1, 2)), 0)
        tolerance = 0.05 * np.abs(x).max() ** 2 if method is gradient_shap else 1e-6
        assert found == pytest.approx(np.repeat(x.prod(1)[:, None] / 2, 2, axis=1), abs=tolerance)

    def test_it_depends_on_nothing_but_its_arguments(self, method: Callable[..., np.ndarray]) -> None:
        f = dense(nn.SiLU)
        first = method(f, E, BASES, 0)
        torch.rand(3), np.random.random(3)  # the global generators must not matter
        before = torch.get_rng_state(), np.random.get_state()[1].copy()
        assert (method(f, E, BASES, 0) == first).all()
        assert (torch.get_rng_state() == before[0]).all()
        assert (np.random.get_state()[1] == before[1]).all()
        assert method(f, E[:7], BASES, 0) == pytest.approx(first[:7], abs=1e-6)  # beside any other rows
        assert all(p.grad is None for p in f.parameters())
        assert not f[1]._forward_hooks

    def test_each_row_has_its_own_output_and_baselines(self, method: Callable[..., np.ndarray]) -> None:
        f = dense(nn.Tanh)
        which = np.arange(len(E)) % 3
        mixed = method(f, E, BASES, which)
        for c in range(3):
            assert mixed[which == c] == pytest.approx(method(f, E, BASES, c)[which == c], abs=1e-6)
        own = np.repeat(BASES[None], len(E), axis=0)
        assert method(f, E, own, which) == pytest.approx(mixed, abs=1e-6)

    def test_a_network_that_reads_nothing_has_no_attribution(self, method: Callable[..., np.ndarray]) -> None:
        bias = nn.Parameter(torch.ones(2))
        assert not method(lambda x: bias.expand(len(x), -1), E, BASES, 1).any()
        assert not method(lambda x: torch.zeros(len(x), 2), E, BASES, 1).any()
        assert method(dense(nn.ReLU), E[:0], BASES, 0).shape == (0, 5)

    def test_rows_and_baselines_must_fit(self, method: Callable[..., np.ndarray]) -> None:
        f = dense(nn.ReLU)
        for rows, bases in ((E[0], BASES), (E, BASES[:, :4]), (E, BASES[:0]), (E, np.zeros((3, 4, 5)))):
            with pytest.raises(ExplanationError, match="The rows have the shape"):
                method(f, rows, bases, 0)
        with pytest.raises(ExplanationError, match="is 0"):
            method(f, E, BASES, 0, 0)


def test_two_networks_that_compute_the_same_are_explained_the_same() -> None:
    def one(x: Tensor) -> Tensor:
        return torch.relu(torch.relu(x[:, :1]) - 1 - torch.relu(x[:, 1:]))

    def other(x: Tensor) -> Tensor:
        return torch.relu(torch.relu(x[:, :1] - 1) - torch.relu(x[:, 1:]))

    x, base = np.array([[3.0, 1.0]]), np.zeros((1, 2))
    for f in (one, other):
        assert integrated_gradients(f, x, base, 0, 200)[0] == pytest.approx([1.5, -0.5], abs=0.05)
    # DeepLIFT is known not to have this axiom, so a network is not only what it computes
    assert deep_lift(one, x, base, 0)[0] != pytest.approx(deep_lift(other, x, base, 0)[0], abs=0.05)


def test_a_network_that_mixes_its_rows_is_refused() -> None:
    with pytest.raises(ExplanationError, match="keep their rows apart"):
        deep_lift(lambda x: torch.tanh(x.T @ x)[:1].expand(40, -1), E, BASES[:1], 0)


@given(st.integers(1, 4), st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_many_baselines_are_the_mean_of_each(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, bases = rng.normal(size=(3, 5)), rng.normal(size=(count, 5))
    f = dense(nn.GELU, seed=seed)
    for method in (integrated_gradients, deep_lift):
        each = np.mean([method(f, rows, b[None], 0) for b in bases], axis=0)
        assert method(f, rows, bases, 0) == pytest.approx(each, abs=1e-6)


def test_captum_agrees_where_it_knows_the_layers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # captum warns about hooks, and at import about optional packages
        from captum.attr import DeepLift, IntegratedGradients

        f = dense(nn.ReLU).double()
        x, b = torch.tensor(E), torch.tensor(BASES[:1])
        theirs = IntegratedGradients(f).attribute(x, b, target=1, n_steps=50).detach().numpy()
        assert integrated_gradients(f, E, BASES[:1], 1, 50) == pytest.approx(theirs, abs=1e-9)
        lifted = DeepLift(f).attribute(x, b.expand_as(x), target=1).detach().numpy()
        assert deep_lift(f, E, BASES[:1], 1) == pytest.approx(lifted, abs=1e-9)
        # and where it does not know them, its values do not add up: the reason for our own
        g = dense(nn.GELU).double()
        lost = DeepLift(g).attribute(x, b.expand_as(x), target=1).detach().numpy()
        assert residual(g, E, BASES[:1], lost, 1) > 0.01
        assert residual(g, E, BASES[:1], deep_lift(g, E, BASES[:1], 1), 1) < 1e-9


def test_columns_are_summed_by_their_feature() -> None:
    values = np.arange(12.0).reshape(2, 6)
    owner = np.array([0, 2, 2, 0, 3, 0])
    slow = np.array([[sum(row[c] for c in range(6) if owner[c] == j) for j in range(5)] for row in values])
    assert (by_owner(values, owner, 5) == slow).all()
