"""Features used and features that act together, found by resampling: against the slow way, and in numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core import measure
from nas_core.interpretability import used_features
from nas_core.interpretability.black_box import BlackBox, Unusable, opened
from nas_core.interpretability.dependence import limit_of, linked_features, used_features_of
from nas_core.interpretability.model_facts import closed_pairs

Function = Callable[[np.ndarray], np.ndarray]


class Counted:
    """A function that counts the rows it is asked about."""

    def __init__(self, function: Function) -> None:
        self.function, self.rows = function, 0

    def __call__(self, X: np.ndarray) -> np.ndarray:
        self.rows += len(X)
        return self.function(X)


def box_of(function: Function, X: np.ndarray) -> tuple[BlackBox, np.ndarray]:
    return opened(function, X, lambda values: values, "regression")


def grouped(seed: int, P: int) -> tuple[Function, list[tuple[int, ...]]]:
    """Return a function whose features act together in known groups of at most four, some of them unused."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(P).tolist()
    groups: list[tuple[int, ...]] = []
    while order:
        size = int(rng.integers(1, 5))
        groups.append(tuple(sorted(order[:size])))
        order = order[size:]
    if len(groups) > 1:
        groups.pop()
    weights = rng.uniform(0.5, 2, P)

    def function(X: np.ndarray) -> np.ndarray:
        parts = [np.sin(weights[list(g)] * X[:, list(g)]).sum(1) for g in groups]
        return np.sum([p**3 + p for p in parts], axis=0)

    return function, groups


def all_pairs(function: Function, X: np.ndarray, used: tuple[int, ...], seed: int) -> int:
    """Return the number of pairs, closed under transitivity, from second differences of every pair: the slow twin."""
    rng = np.random.default_rng(seed)
    f = function(X)
    limit = 1e-6 * float(f.var())
    links = []
    for j, k in combinations(used, 2):
        a, b, both = X.copy(), X.copy(), X.copy()
        a[:, j] = both[:, j] = rng.permutation(X[:, j])
        b[:, k] = both[:, k] = rng.permutation(X[:, k])
        if float(((f - function(a) - function(b) + function(both)) ** 2).mean()) > limit:
            links.append(((j,), (k,)))
    return closed_pairs(links)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_groups_are_those_of_all_pairs_and_of_the_construction(seed: int, P: int) -> None:
    X = np.random.default_rng(seed).uniform(-2, 2, (200, P))
    function, groups = grouped(seed, P)
    box, outputs = box_of(function, X)
    used = tuple(sorted(j for g in groups for j in g))
    assert used_features_of(box, X, outputs, range(P), np.random.default_rng(0)).features == used
    found = linked_features(box, X, outputs, used, np.random.default_rng(1))
    assert found.groups == tuple(sorted(g for g in groups if len(g) > 1))
    assert found.pairs == all_pairs(function, X, used, seed)
    assert found.low <= found.pairs <= found.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_features_used_are_those_found_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(150, 6)), rng.choice([0.0, 1e-7, 0.3, 2.0], 6)

    def function(Z: np.ndarray) -> np.ndarray:
        return np.tanh(Z @ weights)

    box, outputs = box_of(function, X)
    if outputs.std() < 1e-3:
        return
    found = used_features_of(box, X, outputs, range(6), np.random.default_rng(0))
    assert found.features == used_features(lambda Z: function(Z)[:, None], X)
    assert found.low <= len(found.features) == found.high


def test_a_tree_uses_the_features_that_it_splits() -> None:
    """Molnar et al. (2019) check the count by resampling on trees: with 500 draws it is right."""
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(0)
    for seed in range(8):
        X = rng.normal(size=(500, 8))
        y = X @ rng.choice([0.0, 1.0], 8) + rng.normal(size=500)
        tree = DecisionTreeRegressor(max_leaf_nodes=6, min_samples_leaf=10, random_state=seed).fit(X, y)
        split = len(np.unique(tree.tree_.feature[tree.tree_.children_left >= 0]))
        assert measure(tree.predict, X, measures=["feature_parsimony"])["feature_parsimony"].raw == split


def test_many_features_that_act_alone_cost_a_test_each() -> None:
    X = np.random.default_rng(0).normal(size=(400, 40))
    asked = Counted(lambda Z: np.sin(Z).sum(1))
    box, outputs = box_of(asked, X)
    asked.rows = 0
    assert linked_features(box, X, outputs, range(40), np.random.default_rng(0)).pairs == 0
    assert asked.rows < 4 * 40 * 1000  # every pair would take 780 tests of 1,000 second differences

    together = Counted(lambda Z: np.tanh(Z).sum(1) ** 2)
    box, outputs = box_of(together, X)
    together.rows = 0
    assert linked_features(box, X, outputs, range(40), np.random.default_rng(0)).pairs == 780
    assert together.rows < 8 * 40 * 1000


def test_features_not_used_are_settled_together() -> None:
    X = np.random.default_rng(0).normal(size=(300, 200))
    asked = Counted(lambda Z: Z[:, 3])
    box, outputs = box_of(asked, X)
    asked.rows = 0
    assert used_features_of(box, X, outputs, range(200), np.random.default_rng(0)).features == (3,)
    assert asked.rows == 300 * (200 + 50)


def test_rounding_in_single_precision_is_no_interaction() -> None:
    X = np.random.default_rng(0).normal(size=(300, 4))
    found = measure(lambda Z: (1e5 + Z.sum(1)).astype(np.float32), X)
    assert found["interaction_sparsity"].raw == 0
    assert limit_of(np.array([[1e5], [1e5 + 1]]), 1e-7) > 1e-6


def test_too_many_features_are_a_reason() -> None:
    X = np.zeros((40, 9000)) + np.arange(40)[:, None]
    box, outputs = box_of(lambda Z: Z.sum(1), X)
    with pytest.raises(Unusable, match="interactions among 9,000 features would take too long"):
        linked_features(box, X, outputs, range(9000), np.random.default_rng(0))
