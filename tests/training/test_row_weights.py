"""Training rows that count differently for one candidate alone: a weighted loss of its own, nobody else's."""

from __future__ import annotations

import numpy as np
import pytest
from training_samples import SHORT, Variant, make_problem, sampled

from nas_core.data import Problem, Recipe, load_data
from nas_core.errors import SettingsError
from nas_core.spaces import SearchSpace
from nas_core.training.fit import PackItem, train_pack
from nas_core.training.trained import TrainedPack

ONCE = Recipe(max_epochs=1, batch_size=64, patience=1, min_delta=0.0)


def flat(pack: TrainedPack, k: int) -> np.ndarray:
    return np.concatenate([values.ravel() for values in pack.weights(k).values()])


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_they_do_what_weights_of_the_problem_do(name: str, packed: bool) -> None:
    """Class weights are row weights that all candidates share: given to each one alone they must teach the same."""
    plain, balanced = make_problem(name), Problem.create(load_data(name), class_weights="balanced")
    space, weights = SearchSpace.for_problem(plain), balanced.row_weights
    assert weights is not None
    assert np.ptp(weights) > 0.1
    architectures = sampled(space, 6, seed=2)
    shared = train_pack(balanced, space, [PackItem(a, 3) for a in architectures], recipe=ONCE, packed=packed)
    own = train_pack(
        plain, space, [PackItem(a, 3, row_weights=weights) for a in architectures], recipe=ONCE, packed=packed
    )
    bare = train_pack(plain, space, [PackItem(a, 3) for a in architectures], recipe=ONCE, packed=packed)
    for k in range(6):
        assert np.array_equal(flat(shared.pack, k), flat(own.pack, k))
        assert not np.allclose(flat(own.pack, k), flat(bare.pack, k))


def test_they_and_the_weights_of_the_problem_multiply(variant: Variant, packed: bool) -> None:
    balanced = Problem.create(load_data("breast_cancer"), class_weights="balanced")
    plain, space = make_problem("breast_cancer"), SearchSpace.for_problem(balanced)
    counts = np.random.default_rng(0).poisson(1.0, len(plain.train)).astype(np.float32)
    both = train_pack(balanced, space, [PackItem(variant(), 1, row_weights=counts)], recipe=ONCE, packed=packed)
    product = counts * balanced.row_weights
    one = train_pack(plain, space, [PackItem(variant(), 1, row_weights=product)], recipe=ONCE, packed=packed)
    assert np.array_equal(flat(both.pack, 0), flat(one.pack, 0))


def test_the_neighbours_of_a_weighted_candidate_do_not_notice(
    problem: Problem, space: SearchSpace, packed: bool
) -> None:
    """Some leave early, so that the pack is laid out again on the way."""
    rng = np.random.default_rng(1)
    recipe = SHORT.model_copy(update={"max_epochs": 12})
    plain = [PackItem(a, k) for k, a in enumerate(sampled(space, 8, seed=4))]
    counts = rng.poisson(1.0, (8, len(problem.train))).astype(np.float32)
    weighted = [PackItem(i.architecture, i.seed, row_weights=c) for i, c in zip(plain, counts, strict=True)]
    alone, mixed = (
        train_pack(problem, space, items, recipe=recipe, packed=packed) for items in (plain, [*plain, *weighted])
    )
    assert len({len(o.curves["valid_loss"]) for o in mixed.outcomes}) > 1, "the pack should shrink on the way"
    for k in range(8):
        assert np.array_equal(flat(alone.pack, k), flat(mixed.pack, k))
        single = train_pack(problem, space, [weighted[k]], recipe=recipe, packed=packed)
        assert np.array_equal(flat(single.pack, 0), flat(mixed.pack, 8 + k))


def test_rows_that_never_count_teach_nothing(
    problem: Problem, space: SearchSpace, variant: Variant, packed: bool
) -> None:
    nothing = np.zeros(len(problem.train), np.float32)
    architecture = variant(weight_decay=0.0, dropout=0.0, normalisation="none")
    taught = train_pack(problem, space, [PackItem(architecture, 1, row_weights=nothing)], recipe=SHORT, packed=packed)
    (outcome,) = taught.outcomes
    assert outcome.curves["train_loss"] == [0.0] * len(outcome.curves["train_loss"])
    assert outcome.curves["valid_loss"] == pytest.approx([outcome.start_loss] * len(outcome.curves["valid_loss"]))


def test_weights_of_another_number_of_rows_are_refused(problem: Problem, space: SearchSpace, variant: Variant) -> None:
    with pytest.raises(SettingsError, match=rf"shape \(3,\).*Allowed: \({len(problem.train)},\)"):
        train_pack(problem, space, [PackItem(variant(), 1, row_weights=np.ones(3))], recipe=SHORT)
