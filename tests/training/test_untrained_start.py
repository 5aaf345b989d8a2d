"""The loss before the first step: that of the initial weights, the same alone and in company."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.audit.eligibility import row_losses
from nas_core.data import Problem, Recipe, load_data
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.module import build
from nas_core.training.fit import train_pack
from nas_core.training.progress import PackItem, StopSignal
from nas_core.training.untrained import untrained_pack

RECIPE = Recipe(max_epochs=4, batch_size=64, patience=4)
SIGNALS = Recipe(max_epochs=2, batch_size=64, patience=2, schedule="one_cycle")


@pytest.fixture(scope="module", params=["breast_cancer", "iris", "diabetes"])
def table(request: pytest.FixtureRequest) -> Problem:
    return Problem.create(load_data(request.param), recipe=RECIPE)


def items_of(problem: Problem, count: int, family: str | None = None) -> tuple[SearchSpace, list[PackItem]]:
    space = SearchSpace.for_problem(problem, "accurate" if family is None else "balanced", family)
    rng = np.random.default_rng(0)
    return space, [PackItem(space.sample(rng), seed) for seed in range(count)]


def test_the_start_loss_is_that_of_the_untrained_twin(table: Problem) -> None:
    space, items = items_of(table, 6)
    found = train_pack(table, space, items, device="cpu").outcomes
    outputs = untrained_pack(table, space, items, device="cpu").predict(table.valid.E)
    for k, outcome in enumerate(found):
        assert outcome.start_loss == pytest.approx(row_losses(table, outputs[k]).mean(), rel=1e-5)


def test_the_kept_loss_is_the_lowest_of_the_curve_and_the_start_where_nothing_was_kept(table: Problem) -> None:
    space, items = items_of(table, 6)
    for outcome in train_pack(table, space, items, device="cpu").outcomes:
        assert outcome.kept_loss == outcome.curves["valid_loss"][outcome.best_epoch]
    stop = StopSignal()
    stop.set()
    for outcome in train_pack(table, space, items, stop=stop, device="cpu").outcomes:
        assert (outcome.best_epoch, outcome.kept_loss) == (-1, outcome.start_loss)


def test_the_start_loss_does_not_depend_on_the_company(table: Problem) -> None:
    space, items = items_of(table, 5)
    together = [o.start_loss for o in train_pack(table, space, items, device="cpu").outcomes]
    alone = [train_pack(table, space, [item], device="cpu").outcomes[0].start_loss for item in items]
    assert together == alone


def test_the_twin_has_the_weights_of_a_fresh_module(table: Problem) -> None:
    space, items = items_of(table, 3)
    pack = untrained_pack(table, space, items, device="cpu")
    for k, item in enumerate(items):
        fresh = build(item.architecture, table.encoder, table.C, seed=item.seed).state_dict()
        assert set(fresh) == set(pack.weights(k))
        for name, values in pack.weights(k).items():
            np.testing.assert_array_equal(values, fresh[name].numpy())


@pytest.fixture(scope="module")
def digits() -> Problem:
    return Problem.create(load_data("digits_images"), recipe=SIGNALS, max_train_rows=300, max_valid_rows=150)


def test_a_network_of_images_tells_its_start_loss_too(digits: Problem) -> None:
    space = SearchSpace.for_problem(digits)
    rng = np.random.default_rng(1)
    items = [PackItem(space.sample(rng), seed) for seed in range(2)]
    found = train_pack(digits, space, items, device="cpu").outcomes
    outputs = untrained_pack(digits, space, items, device="cpu").predict(digits.valid.E)
    for k, outcome in enumerate(found):
        assert outcome.start_loss == pytest.approx(row_losses(digits, outputs[k]).mean(), rel=1e-4)
        assert outcome.kept_loss == pytest.approx(outcome.curves["valid_loss"][outcome.best_epoch], rel=1e-9)
