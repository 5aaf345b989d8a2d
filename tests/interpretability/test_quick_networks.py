"""Networks rewritten for many predictions: the same outputs and activations as the ones that were trained."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from signal_examples import problem_of
from torch import nn

from nas_core.interpretability.cell_effects import CellMixtures, cell_residuals, other_rows
from nas_core.interpretability.masks import FEW, held_out_scores, shapley_masks
from nas_core.interpretability.networks import QuickNetwork
from nas_core.interpretability.per_problem import once
from nas_core.interpretability.quick_networks import quickened
from nas_core.spaces import SearchSpace
from nas_core.spaces.layers import SignalNetwork
from nas_core.training.fit import PackItem
from nas_core.training.networks import build_network, placed


def networks_of(kind: str, family: str, preset: str, count: int) -> list[SignalNetwork]:
    """Return networks whose normalisation has statistics as if they were trained."""
    space, rng = SearchSpace.for_problem(problem_of(kind), preset, family), np.random.default_rng(0)
    built = [placed(build_network(space, PackItem(space.sample(rng), 1)), torch.device("cpu")) for _ in range(count)]
    chance = torch.Generator().manual_seed(0)
    for buffer in (b for network in built for b in network.buffers() if b.is_floating_point()):
        buffer.uniform_(0.5, 1.5, generator=chance)
    return [network.eval() for network in built]


@pytest.mark.parametrize(
    ("kind", "family", "preset"),
    [("image", "image", "accurate"), ("image", "cell", "balanced"), ("padded", "sequence", "balanced"),
     ("words", "sequence", "balanced")],
)  # fmt: skip
def test_outputs_and_activations_are_those_of_the_network(kind: str, family: str, preset: str) -> None:
    problem = problem_of(kind)
    E, shape = problem.valid.E, problem.signal_encoder.shape
    groups = np.arange(len(E)) % 3
    for network in networks_of(kind, family, preset, 4):
        before = {name: value.clone() for name, value in network.state_dict().items()}
        quick, x = QuickNetwork(network, shape), torch.from_numpy(E).reshape(-1, *shape)
        with torch.no_grad():
            plain = network(x)
        assert_close(quick.outputs(E), plain)
        for name, sums in zip(network.layers, quick.layer_sums(E, groups, 3), strict=True):
            seen = activations(network, name, x)
            assert_close(sums, torch.stack([seen[groups == g].sum(0) for g in range(3)]))
        assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
        assert all(value.stride() == before[name].stride() for name, value in network.state_dict().items())
        assert not any(m._forward_hooks for m in [*network.modules(), *quick.module.modules()])


def activations(network: SignalNetwork, name: str, x: torch.Tensor) -> torch.Tensor:
    """Return the outputs (n, units) of a submodule."""
    seen: list[torch.Tensor] = []
    hook = network.get_submodule(name).register_forward_hook(lambda _m, _i, out: seen.append(out.detach().flatten(1)))
    with torch.no_grad():
        network(x)
    hook.remove()
    return seen[0]


def assert_close(found: np.ndarray, plain: torch.Tensor) -> None:
    """Compare to single precision."""
    assert found == pytest.approx(plain.double().numpy(), rel=1e-4, abs=2e-6 * (1 + float(plain.abs().max())))


class Sequenced(SignalNetwork):
    """Any layers one after the other, as a network of images."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts, self.layers = nn.Sequential(*parts), ("parts",)

    @property
    def map_weights(self) -> None:
        return None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.parts(x)

    def head(self, maps: torch.Tensor) -> torch.Tensor:
        return maps


POOLS = (
    nn.MaxPool2d(2, ceil_mode=True),
    nn.AvgPool2d(2, ceil_mode=True),
    nn.MaxPool2d(3, stride=1, padding=1),
    nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5, 4), (7, 7), (8, 6)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pooling_is_that_of_torch(size: tuple[int, int], layout: torch.memory_format) -> None:
    x = torch.randn(3, 2, *size, generator=torch.Generator().manual_seed(0)).to(memory_format=layout)
    x[0, 0, 0, 0] = torch.nan
    for pool in POOLS:
        quick = quickened(Sequenced([pool]))
        assert type(quick.parts[0]) is not type(pool)
        assert torch.allclose(quick(x), pool(x), rtol=1e-6, atol=1e-7, equal_nan=True)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3), nn.AvgPool2d(3, stride=1, padding=1)])
def test_other_pooling_stays_as_it_is(pool: nn.Module) -> None:
    assert type(quickened(Sequenced([pool])).parts[0]) is type(pool)


def test_tanh_is_that_of_torch() -> None:
    x = torch.cat([torch.linspace(-20, 20, 4001), torch.tensor([torch.inf, -torch.inf, 1e-9])])
    quick = quickened(Sequenced([nn.Tanh()]))
    assert type(quick.parts[0]) is not nn.Tanh
    assert torch.allclose(quick(x), torch.tanh(x), rtol=0, atol=3e-7)


@pytest.mark.parametrize("features", [2, 5, 40, FEW])
def test_fits_to_kept_masks_are_those_solved_one_by_one(features: int) -> None:
    masks = shapley_masks(features, 60 if features < FEW else FEW + 2, np.random.default_rng(0))
    rest = np.random.default_rng(1).normal(size=(len(masks.folds), 3))
    assert masks.left_over(rest) == pytest.approx(masks._fitted_left_over(rest), abs=1e-9)
    assert np.abs(masks.left_over(masks.present[:, :-1] * 1.0 - masks.present[:, -1:])).max() < (
        1e-9 if len(masks.folds) > 2 * features else 2
    )
    (score,) = held_out_scores(rest[None], np.zeros((1, 3)), np.ones((1, 3)), masks)
    assert score <= 1


def test_mixtures_that_are_kept_give_what_new_ones_give() -> None:
    rng = np.random.default_rng(0)
    pool, owner = rng.integers(0, 3, (40, 6)).astype(np.float32), np.array([0, 0, 1, 1, 2, 2])
    others = other_rows(40, 4, rng)[:30]
    kept, none_kept = (CellMixtures(pool[:30], pool, others, owner) for _ in range(2))
    none_kept._room = 0

    def f(x: np.ndarray) -> np.ndarray:
        return np.stack([np.sin(x).prod(1), x[:, 0] * x[:, 5]], 1)

    for count in (30, 8, 30, 17):
        found = [kept.residuals(f, count), none_kept.residuals(f, count)]
        fresh = cell_residuals(f, pool[:count], pool, others[:count], owner)
        for one in found:
            assert one.residuals == pytest.approx(fresh.residuals, abs=1e-12)
            assert one.deviations.tolist() == fresh.deviations.tolist()
    assert len(kept._kept) == 1
    assert not none_kept._kept


def test_what_a_problem_keeps_is_made_once_and_goes_with_it() -> None:
    class Kept:
        pass

    problem, other = problem_of(), problem_of()
    first = once(problem, "something", Kept)
    assert once(problem, "something", Kept) is first
    assert once(other, "something", Kept) is not first
    alive = [type(x) for x in gc.get_objects()].count(Kept)
    del problem, first
    gc.collect()
    assert [type(x) for x in gc.get_objects()].count(Kept) == alive - 1
