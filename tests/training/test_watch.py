"""Who looks on while candidates train: ends one of them, and nobody else notices. Tables and signals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from network_samples import QUICK, image_problem, image_space, network_of, sampled_networks
from training_samples import Variant, make_problem, make_space, sampled
from watchers import Scripted

from nas_core.data import Recipe
from nas_core.training.fit import PackItem, PackResult, train_pack

RECIPE = Recipe(max_epochs=10, batch_size=64, patience=4)
Train = Callable[..., PackResult]


@pytest.fixture(params=["tables", "images"])
def train(request: pytest.FixtureRequest) -> Train:
    """Train items of a table or of images, watched or not."""
    if request.param == "tables":
        problem, space, recipe = make_problem("breast_cancer"), make_space("breast_cancer"), RECIPE
    else:
        problem, space, recipe = image_problem(), image_space(), QUICK

    def trained(items: list[PackItem], watch: Scripted | None = None) -> PackResult:
        return train_pack(problem, space, items, recipe=recipe, watch=watch, device="cpu")

    return trained


@pytest.fixture
def items(train: Train, request: pytest.FixtureRequest) -> list[PackItem]:
    if "tables" in request.node.name:
        return [PackItem(a, k) for k, a in enumerate(sampled(make_space("breast_cancer"), 10, seed=4))]
    return [PackItem(a, k) for k, a in enumerate([*sampled_networks(4, seed=2), network_of(dropout=0.4)])]


def flat(result: PackResult, k: int) -> np.ndarray:
    return np.concatenate([values.ravel() for values in result.pack.weights(k).values()])


def test_one_that_is_ended_leaves_and_the_others_do_not_notice(train: Train, items: list[PackItem]) -> None:
    ended = {items[k].architecture.id: epochs for k, epochs in ((0, 1), (2, 2), (3, 1))}
    free, watched = train(items), train(items, Scripted(ended, looks={1, 2}))
    for k, item in enumerate(items):
        one, other = free.outcomes[k], watched.outcomes[k]
        if item.architecture.id not in ended:
            assert np.array_equal(flat(free, k), flat(watched, k))
            assert other.curves["valid_loss"] == one.curves["valid_loss"]
            assert (other.status, other.halt) == ("done", None)
            continue
        epochs = ended[item.architecture.id]
        assert other.status == "halted"
        assert other.reason == other.halt.reason == f"enough after {epochs}"
        assert other.curves["train_loss"] == one.curves["train_loss"][:epochs]
        assert other.curves["performance_epoch"] == [float(e) for e in range(1, epochs + 1)]


def test_a_watch_that_ends_nobody_changes_nothing(train: Train, items: list[PackItem]) -> None:
    free, looking = train(items), Scripted(looks=range(1, 100))
    for watch in (Scripted(), looking):
        watched = train(items, watch)
        for k in range(len(items)):
            assert np.array_equal(flat(free, k), flat(watched, k))
            curves = dict(watched.outcomes[k].curves)
            seen, epochs = curves.pop("performance", []), curves.pop("performance_epoch", [])
            assert curves == free.outcomes[k].curves
            assert len(seen) == len(epochs) == (len(curves["valid_loss"]) if watch is looking else 0)


def test_it_is_asked_after_every_epoch_but_the_last(train: Train, items: list[PackItem]) -> None:
    watch = Scripted(looks={2})
    result = train(items, watch)
    for item, outcome in zip(items, result.outcomes):
        asked = [(epoch, seen) for key, epoch, seen in watch.asked if key == item.architecture.id]
        assert [epoch for epoch, _ in asked] == list(range(1, len(outcome.curves["valid_loss"])))
        assert [seen for epoch, seen in asked if epoch == 2] == outcome.curves["performance"]
        assert all(seen is None for epoch, seen in asked if epoch != 2)


def test_the_outputs_it_judges_are_those_of_the_epoch(train: Train, items: list[PackItem]) -> None:
    problem = make_problem("breast_cancer") if hasattr(train(items[:1]).pack, "layouts") else image_problem()
    watch = Scripted({items[0].architecture.id: 1}, looks={1})
    result = train(items[:1], watch)
    assert result.outcomes[0].best_epoch == 0
    (seen,), kept = watch.outputs, result.pack.predict(problem.valid.E)[0]
    assert seen.shape == kept.shape
    np.testing.assert_allclose(seen, kept, rtol=1e-4, atol=1e-5)


def test_one_that_diverges_is_not_asked_about(variant: Variant) -> None:
    problem, space = make_problem("breast_cancer"), make_space("breast_cancer")
    wild = PackItem(variant(learning_rate=1e30, optimiser="sgd"), 1)
    watch = Scripted({wild.architecture.id: 1}, looks={1, 2, 3})
    outcome = train_pack(problem, space, [wild], recipe=RECIPE, watch=watch, device="cpu").outcomes[0]
    assert outcome.status == "failed"
    assert len(watch.asked) < len(outcome.curves["valid_loss"])
