"""Nothing one candidate does reaches another: alone or among 64, the same weights."""

from __future__ import annotations

import numpy as np
import pytest
from training_samples import Variant, make_problem, make_space, sampled

from nas_core.data import Problem, Recipe
from nas_core.spaces import SearchSpace
from nas_core.training.fit import PackItem, train_pack
from nas_core.training.trained import TrainedPack

RECIPE = Recipe(max_epochs=14, batch_size=64, patience=4, min_delta=1e-4)


def flat(pack: TrainedPack, k: int) -> np.ndarray:
    return np.concatenate([values.ravel() for values in pack.weights(k).values()])


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_alone_and_among_64_give_the_same_weights(name: str, packed: bool) -> None:
    problem, space = make_problem(name), make_space(name)
    items = [PackItem(a, 100 + k) for k, a in enumerate(sampled(space, 64))]
    assert any(item.architecture.values["dropout"] > 0 for item in items)
    together = train_pack(problem, space, items, recipe=RECIPE, packed=packed)
    assert len({len(o.curves["valid_loss"]) for o in together.outcomes}) > 1, "the pack should shrink on the way"
    for k in range(0, 64, 13):
        alone = train_pack(problem, space, [items[k]], recipe=RECIPE, packed=packed)
        own, other = flat(together.pack, k), flat(alone.pack, 0)
        assert np.linalg.norm(own - other) <= 1e-5 * np.linalg.norm(other)
        assert together.outcomes[k].curves == alone.outcomes[0].curves


def test_a_candidate_that_diverges_fails_with_a_reason_and_its_neighbours_do_not_notice(
    problem: Problem, space: SearchSpace, variant: Variant, packed: bool
) -> None:
    healthy = [PackItem(a, k) for k, a in enumerate(sampled(space, 12, seed=3))]
    wild = [
        PackItem(variant(learning_rate=1e30, optimiser=o, connections=c), 5)
        for o, c in (("sgd", "full"), ("sgd", "dense"), ("sgd", "residual"))
    ]
    wild.append(PackItem(variant(learning_rate=1e30, optimiser="sgd", normalisation="batch", activation="relu"), 6))
    clean = train_pack(problem, space, healthy, recipe=RECIPE, packed=packed)
    mixed = train_pack(problem, space, [*healthy[:6], *wild, *healthy[6:]], recipe=RECIPE, packed=packed)
    for k in range(12):
        assert np.array_equal(flat(clean.pack, k), flat(mixed.pack, k if k < 6 else k + len(wild)))
    for outcome in mixed.outcomes[6 : 6 + len(wild)]:
        assert outcome.status == "failed"
        assert "loss became" in outcome.reason
        assert "1e+30" in outcome.reason


def test_the_order_of_the_items_does_not_matter(problem: Problem, space: SearchSpace, packed: bool) -> None:
    items = [PackItem(a, k) for k, a in enumerate(sampled(space, 10, seed=5))]
    forth = train_pack(problem, space, items, recipe=RECIPE, packed=packed)
    back = train_pack(problem, space, items[::-1], recipe=RECIPE, packed=packed)
    for k in range(10):
        assert np.array_equal(flat(forth.pack, k), flat(back.pack, 9 - k))


def test_the_seed_decides_the_weights(problem: Problem, space: SearchSpace, variant: Variant, packed: bool) -> None:
    result = train_pack(
        problem, space, [PackItem(variant(), 1), PackItem(variant(), 2), PackItem(variant(), 1)], packed=packed
    )
    assert np.array_equal(flat(result.pack, 0), flat(result.pack, 2))
    assert not np.allclose(flat(result.pack, 0), flat(result.pack, 1))
