"""Signal networks: the fast training is the plain loop of the slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from network_samples import QUICK, image_problem, image_space, network_of, sampled_networks
from network_twin import train_network_alone

from nas_core.data import Recipe
from nas_core.records import Architecture
from nas_core.training.fit import PackItem, train_pack


def same(architecture: Architecture, outputs: int = 3, recipe: Recipe = QUICK, weights: str = "none") -> None:
    problem, space, item = image_problem(outputs, weights), image_space(outputs), PackItem(architecture, 11)
    result = train_pack(problem, space, [item], recipe=recipe, device="cpu")
    twin = train_network_alone(problem, space, item, recipe)
    outcome = result.outcomes[0]
    assert outcome.status == "done"
    assert outcome.curves["train_loss"] == pytest.approx(twin.train_loss, rel=1e-5)
    assert outcome.curves["valid_loss"] == pytest.approx(twin.valid_loss, rel=1e-5)
    assert outcome.best_epoch == twin.kept_epoch
    mine, other = result.pack.weights(0), twin.network.state_dict()
    assert list(mine) == list(other)
    for name, values in mine.items():
        wanted = other[name].numpy()
        assert np.linalg.norm(values - wanted) <= 1e-5 * max(1.0, np.linalg.norm(wanted)), name


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw", "adagrad"])
@pytest.mark.parametrize("normalisation", ["none", "batch"])
def test_every_optimiser(optimiser: str, normalisation: str) -> None:
    same(network_of(optimiser=optimiser, normalisation=normalisation, dropout=0.3, learning_rate=0.01))


@pytest.mark.parametrize("outputs", [0, 2, 3])
def test_every_task(outputs: int) -> None:
    same(network_of(outputs), outputs)


def test_class_weights() -> None:
    same(network_of(), weights="balanced")


def test_a_constant_rate() -> None:
    same(network_of(), recipe=Recipe(max_epochs=3, batch_size=32, patience=3, min_delta=0.0))


def test_random_networks() -> None:
    # by gradient descent: Adam divides by the size of a gradient, so one that is 0 but for rounding moves a weight
    for architecture in sampled_networks(6):
        same(image_space().architecture({**architecture.values, "optimiser": "sgd", "learning_rate": 0.01}))
