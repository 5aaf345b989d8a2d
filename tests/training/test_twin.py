"""A candidate of a pack equals its slow twin: same curves, same best epoch, same weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from slow_twin import Twin, train_alone
from training_samples import SHORT, Variant, make_problem, make_space, sampled

from nas_core.data import Problem, load_data
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.module import ACTIVATIONS
from nas_core.training.fit import PackItem, PackResult, train_pack
from nas_core.training.losses import loss_gradient, losses
from nas_core.training.optimiser import OPTIMISERS

# float32 sums in another order differ by about 1e-7; a few hundred steps amplify that
TOLERANCE = 2e-4


def assert_same(
    problem: Problem, space: SearchSpace, architectures: Sequence[Architecture], tolerance: float = TOLERANCE
) -> None:
    items = [PackItem(a, 11 + k) for k, a in enumerate(architectures)]
    twins = [train_alone(problem, item.architecture, item.seed, SHORT) for item in items]
    for packed in (False, True):
        compare(train_pack(problem, space, items, recipe=SHORT, packed=packed), architectures, twins, tolerance)


def compare(result: PackResult, architectures: Sequence[Architecture], twins: Sequence[Twin], tolerance: float) -> None:
    for k, architecture in enumerate(architectures):
        twin, outcome = twins[k], result.outcomes[k]
        message = str(architecture.values)
        np.testing.assert_allclose(outcome.curves["train_loss"], twin.train_loss, rtol=tolerance, err_msg=message)
        np.testing.assert_allclose(outcome.curves["valid_loss"], twin.valid_loss, rtol=tolerance, err_msg=message)
        assert outcome.best_epoch == twin.best_epoch, message
        weights, expected = result.pack.weights(k), twin.module.state_dict()
        assert weights.keys() == expected.keys()
        own = np.concatenate([weights[n].ravel() for n in expected])
        other = np.concatenate([expected[n].numpy().ravel() for n in expected])
        assert np.linalg.norm(own - other) <= tolerance * np.linalg.norm(other), message


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_optimiser(problem: Problem, space: SearchSpace, variant: Variant, optimiser: str) -> None:
    assert_same(problem, space, [variant(optimiser=optimiser), variant(optimiser=optimiser, dropout=0.3)])


def test_every_activation(problem: Problem, space: SearchSpace, variant: Variant) -> None:
    assert_same(problem, space, [variant(activation=name) for name in ACTIVATIONS])


@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
def test_every_connection_and_normalisation(
    problem: Problem, space: SearchSpace, variant: Variant, normalisation: str
) -> None:
    connections = ["full", "sparse", "residual", "dense"]
    made = [variant(connections=c, normalisation=normalisation, dropout=d) for c in connections for d in (0.0, 0.2)]
    assert_same(problem, space, made)


def test_every_encoding_width_and_depth(problem: Problem, space: SearchSpace, variant: Variant) -> None:
    made = [variant(encoding=e) for e in ("standardised", "quantile", "piecewise", "periodic")]
    made += [variant(width=w, activation="sigmoid") for w in (2, 4, 16, 32, 64)]
    made += [variant(depth=d, activation="softplus") for d in (1, 2, 4)]
    assert_same(problem, space, made)


@pytest.mark.parametrize("connections", ["full", "sparse", "residual", "dense"])
def test_monotone_marks(problem: Problem, space: SearchSpace, variant: Variant, connections: str) -> None:
    marks = {"0": -1, "7": 1, "1": -1, "20": 1}
    made = [variant(marks=marks, connections=connections, normalisation=n) for n in ("none", "batch")]
    assert_same(problem, space, [*made, variant(marks=marks, connections=connections, encoding="piecewise")])


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_other_tasks(name: str) -> None:
    problem, space = make_problem(name), make_space(name)
    made = [a for a in sampled(space, 12, seed=4) if a.values["normalisation"] != "batch"]
    assert made
    gentle = [a.model_copy(update={"values": {**a.values, "learning_rate": 0.002}}) for a in made]
    assert_same(problem, space, gentle)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_class_weights(name: str) -> None:
    problem, space = Problem.create(load_data(name), class_weights="balanced"), make_space(name)
    made = [a for a in sampled(space, 8, seed=5) if a.values["normalisation"] != "batch"]
    assert made
    gentle = [a.model_copy(update={"values": {**a.values, "learning_rate": 0.002}}) for a in made]
    assert_same(problem, space, gentle)
    plain = train_pack(make_problem(name), space, [PackItem(gentle[0], 11)], recipe=SHORT)
    weighted = train_pack(problem, space, [PackItem(gentle[0], 11)], recipe=SHORT)
    assert plain.outcomes[0].curves["train_loss"] != weighted.outcomes[0].curves["train_loss"]


def test_a_weighted_row_counts_like_so_many_rows() -> None:
    logits = torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y, weights = torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1.0, 2.0, 1.0, 3.0, 1.0], dtype=torch.float64)
    times = weights.long()
    twice = logits.repeat_interleave(times, 2), y.repeat_interleave(times)
    assert torch.allclose(losses(logits, y, "classification", weights).sum(1), losses(*twice, "classification").sum(1))
    leaf = logits.clone().requires_grad_()
    (losses(leaf, y, "classification", weights).sum() / 5).backward()
    assert torch.allclose(loss_gradient(logits, y, "classification", 5, weights), leaf.grad)
    padded = torch.nn.functional.pad(weights, (0, 3), value=torch.nan)
    more = torch.nn.functional.pad(logits, (0, 3)), torch.nn.functional.pad(y, (0, 3))
    assert torch.allclose(loss_gradient(*more, "classification", 5, padded)[:, :, :5], leaf.grad)
    assert not loss_gradient(*more, "classification", 5, padded)[:, :, 5:].any()
