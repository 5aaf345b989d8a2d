"""Trees that imitate a model: how well, by how many decisions, and that neither units nor the order of rows matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.errors import SettingsError
from nas_core.interpretability.agreement import class_agreement, output_agreement
from nas_core.interpretability.trees import TreeRows, grow, hard_classes, path_length, surrogate_tree

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 5))
CURVED = np.tanh(X[:, :1]) + X[:, 1:2] * X[:, 2:3]


def steps(Z: np.ndarray) -> np.ndarray:
    """A tree of depth 2: what a tree can say exactly."""
    return np.where(Z[:, 0] > 0, np.where(Z[:, 1] > 0.5, 3.0, 1.0), -2.0)[:, None]


def test_a_function_that_is_a_tree_is_reproduced() -> None:
    found = surrogate_tree(X, steps(X), classes=0)
    assert found.fidelity > 0.98
    assert found.low <= found.fidelity <= found.high <= 1
    assert found.predict(X) == pytest.approx(steps(X))
    assert set(found.tree.tree_.feature) == {0, 1, -2}
    assert sorted(found.tree.tree_.threshold[found.tree.tree_.feature >= 0]) == pytest.approx([0, 0.5], abs=0.05)


def test_noise_is_not_reproduced_and_may_be_worse_than_its_mean() -> None:
    found = surrogate_tree(X, np.random.default_rng(1).normal(size=(600, 1)), classes=0)
    assert found.fidelity < 0
    assert surrogate_tree(X, np.random.default_rng(1).normal(size=(600, 1)), classes=2).fidelity < 0.2


def test_fidelity_is_the_cross_validated_score_of_scikit_learn() -> None:
    """The slow twin: R² and κ by the library, on other parts of the rows."""
    from sklearn.metrics import cohen_kappa_score
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    parts = KFold(5, shuffle=True, random_state=0)
    said = cross_val_predict(DecisionTreeRegressor(max_depth=4, min_samples_leaf=5), X, CURVED[:, 0], cv=parts)
    share = 1 - ((CURVED[:, 0] - said) ** 2).sum() / ((CURVED[:, 0] - CURVED.mean()) ** 2).sum()
    assert surrogate_tree(X, CURVED, classes=0).fidelity == pytest.approx(share, abs=0.1)
    hard = (CURVED[:, 0] > 0).astype(int)
    said = cross_val_predict(DecisionTreeClassifier(max_depth=4, min_samples_leaf=5), X, hard, cv=parts)
    assert surrogate_tree(X, CURVED, classes=2).fidelity == pytest.approx(cohen_kappa_score(hard, said), abs=0.1)


def test_the_path_is_the_mean_number_of_decisions_not_the_mean_leaf_number() -> None:
    """Against the paths that scikit-learn lists; the mean index of the leaves is another number."""
    from sklearn.tree import DecisionTreeClassifier

    rows = TreeRows.of(X)
    hard = hard_classes(CURVED)
    found = path_length(rows.ranks, hard, 2)
    tree = DecisionTreeClassifier(min_samples_leaf=25, random_state=0).fit(rows.ranks, hard)
    listed = np.asarray(tree.decision_path(rows.ranks).sum(1)).ravel() - 1  # without the leaf
    assert found.value == pytest.approx(listed.mean())
    assert found.low <= found.value <= found.high
    assert abs(tree.apply(rows.ranks).mean() - found.value) > 1
    assert surrogate_tree(X, CURVED, classes=2).path_length == pytest.approx(found.value, abs=0.3)


def test_one_decision_has_a_path_of_one_and_leaves_are_large() -> None:
    assert surrogate_tree(X, X[:, :1] - 0.3, classes=2).path_length == 1
    many = np.random.default_rng(2).normal(size=(6000, 2))
    rows = TreeRows.of(many)
    tree = grow(rows.ranks, hard_classes(many[:, :1] * many[:, 1:]), 2, leaf=60).tree_
    expected = tree.n_node_samples[tree.children_left >= 0].sum() / 6000
    assert path_length(rows.ranks, hard_classes(many[:, :1] * many[:, 1:]), 2).value == pytest.approx(expected)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 2, 3]), st.sampled_from([None, 3]))
def test_draws_that_are_used_again_grow_the_same_trees(seed: int, classes: int, depth: int | None) -> None:
    rng = np.random.default_rng(seed)
    draws = np.random.RandomState(int(rng.integers(99)))
    for _ in range(3):
        ranks = rng.integers(0, 6, size=(80, 4)).astype(np.float32)  # many ties between splits
        target = rng.integers(0, classes, 80) if classes else rng.normal(size=(80, 2)).round()
        one, other = (grow(ranks, target, classes, depth=depth, draws=d).tree_ for d in (None, draws))
        for name in ("feature", "threshold", "children_left", "value"):
            assert np.array_equal(getattr(one, name), getattr(other, name))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 2, 3]))
def test_shuffled_rows_give_the_same_tree(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(120, 3)).round(1)
    outputs = np.column_stack([np.tanh(Z[:, 0]), Z[:, 1] * Z[:, 2], Z[:, 0]])[:, : 3 if classes == 3 else 1]
    order = rng.permutation(120)
    one, other = surrogate_tree(Z, outputs, classes=classes), surrogate_tree(Z[order], outputs[order], classes=classes)
    assert (one.fidelity, one.low, one.high) == (other.fidelity, other.low, other.high)
    assert (one.path_length, one.path_low) == (other.path_length, other.path_low)
    assert (one.predict(Z) == other.predict(Z)).all()


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([-1.0, 1e-9, 3.0, 1e9]), st.sampled_from([0.0, 1.6e9]),
    st.sampled_from([0, 2]),
)  # fmt: skip
def test_units_do_not_matter_even_where_single_precision_could_not_tell_values_apart(
    seed: int, scale: float, shift: float, classes: int
) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.integers(0, 50, size=(150, 2)).astype(float)
    outputs = (Z[:, :1] - 25) * (Z[:, 1:] - 20)
    moved = Z * np.array([abs(scale) if shift else scale, 1]) + np.array([shift if abs(scale) >= 1 else 0, 0])
    plain, other = surrogate_tree(Z, outputs, classes=classes), surrogate_tree(moved, outputs, classes=classes)
    # a column that is turned round breaks ties between equal splits the other way
    slack = 0.15 if scale < 0 else 1e-9
    assert other.fidelity == pytest.approx(plain.fidelity, abs=slack)
    assert other.path_length == pytest.approx(plain.path_length, abs=5 * slack)
    if scale > 0:
        assert (other.predict(moved) == plain.predict(Z)).all()


def test_the_seed_decides_and_the_number_of_rows_is_bounded() -> None:
    first, again = (surrogate_tree(X, CURVED, classes=0, seed=1) for _ in range(2))
    assert first.fidelity == again.fidelity
    assert surrogate_tree(X, CURVED, classes=0, seed=2).fidelity != first.fidelity
    some = surrogate_tree(X, CURVED, classes=0, rows=100)
    assert some.tree.tree_.n_node_samples[0] == 100
    assert surrogate_tree(np.tile(X, (5, 1)), np.tile(CURVED, (5, 1)), classes=0).tree.tree_.n_node_samples[0] == 2000


def test_a_category_is_asked_level_by_level() -> None:
    codes = np.random.default_rng(3).integers(0, 4, 300).astype(float)
    Z = np.column_stack([codes, X[:300, 0]])
    outputs = (codes == 2)[:, None] * 5.0
    found = surrogate_tree(Z, outputs, classes=0, categorical=[True, False])
    assert found.columns == ((0, 0.0), (0, 1.0), (0, 2.0), (0, 3.0), (1, None))
    assert found.tree.tree_.feature[0] == 2
    assert found.tree.tree_.threshold[0] == 0.5
    assert found.path_length == 1
    assert found.predict(Z) == pytest.approx(outputs)
    assert TreeRows.of(Z > 0, [True, False]).columns == ((0, 1.0), (1, None))
    wide = np.random.default_rng(3).integers(0, 60, 3000).astype(float)[:, None]
    assert len(TreeRows.of(wide, [True]).columns) == 20


@pytest.mark.parametrize("classes", [0, 2])
def test_a_constant_and_single_rows_have_a_reason(classes: int) -> None:
    constant = surrogate_tree(X, np.full((600, 1), 0.7), classes=classes)
    assert (constant.fidelity, constant.path_length) == (None, None)
    assert "same" in constant.reason
    assert constant.path_reason == constant.reason
    assert (constant.predict(X) == (1 if classes else 0.7)).all()
    for n in (1, 2, 19):
        few = surrogate_tree(X[:n], CURVED[:n], classes=classes)
        assert few.fidelity is None
        assert few.reason in (f"it needs 20 rows, there are {n}", constant.reason)
    assert surrogate_tree(X[:30], CURVED[:30], classes=classes).path_reason == "it needs 50 rows, there are 30"


def test_outputs_that_are_not_finite_have_a_reason() -> None:
    outputs = CURVED.copy()
    outputs[3] = np.nan
    found = surrogate_tree(X, outputs, classes=0)
    assert found.tree is None
    assert found.reason == found.path_reason == "its outputs are not finite numbers"


def test_inputs_that_do_not_vary_cannot_be_split() -> None:
    found = surrogate_tree(np.ones((200, 2)), CURVED[:200], classes=2)
    assert found.fidelity <= 0
    assert found.path_length is None
    assert found.path_reason == "no feature splits the rows into parts of 25"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"\(600, 5\) and outputs of shape \(600,\)"):
        surrogate_tree(X, CURVED[:, 0], classes=0)
    with pytest.raises(SettingsError, match="missing values"):
        surrogate_tree(np.full((5, 1), np.nan), CURVED[:5], classes=0)
    with pytest.raises(SettingsError, match="3 classes with 1 outputs"):
        surrogate_tree(X, CURVED, classes=3)
    with pytest.raises(SettingsError, match="same n"):
        surrogate_tree(X[:0], CURVED[:0], classes=0)


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_kappa_is_that_of_scikit_learn(seed: int, classes: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, 60)
    said = np.where(rng.random(60) < 0.7, true, rng.integers(0, classes, 60))
    if len(np.unique(true)) < 2:
        return
    found = class_agreement(true, said)
    assert found.value == pytest.approx(cohen_kappa_score(true, said))
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_agreement_of_perfect_useless_and_constant_predictions() -> None:
    y = CURVED[:80]
    assert output_agreement(y, y).value == 1
    assert output_agreement(y, np.full_like(y, y.mean())).value == pytest.approx(0)
    assert output_agreement(y, -y).value < 0
    assert output_agreement(np.ones((9, 1)), np.ones((9, 1))).reason
    assert class_agreement(np.ones(9, int), np.ones(9, int)).value is None
    imbalanced = np.arange(100) < 3
    assert class_agreement(imbalanced, np.zeros(100, bool)).value == 0  # 97 % agreement by chance
