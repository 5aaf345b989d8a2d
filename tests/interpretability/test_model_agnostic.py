"""The measures on any function: oracle values, bad input, and what must not matter."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core import ModelFacts, measure
from nas_core.errors import DataError, SettingsError
from nas_core.interpretability import MEASURES
from nas_core.interpretability.function_measures import NAMES
from nas_core.interpretability.model_agnostic import CONSTANT, ONE_ROW
from nas_core.records import Measurement

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from oracles import ORACLES, oracle_rows

STRUCTURE = ("feature_parsimony", "interaction_sparsity", "additivity", "main_effect_simplicity")
CUBE = np.random.default_rng(7).uniform(-1, 1, (400, 3))


def scores(found: dict[str, Measurement]) -> dict[str, tuple[float | None, float | None]]:
    return {name: (m.value, m.graded) for name, m in found.items()}


def assert_same(found: dict[str, Measurement], plain: dict[str, Measurement], slack: float = 1e-7) -> None:
    """Assert that all scores are the same to rounding, and that the same ones are missing."""
    for name in NAMES:
        for one, other in ((found[name].value, plain[name].value), (found[name].graded, plain[name].graded)):
            assert (one is None) == (other is None), name
            assert one == pytest.approx(other, abs=slack), name


def network(seed: int, features: int, outputs: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(features, 5)), rng.normal(size=(5, outputs))
    return lambda X: np.tanh(X @ A) @ b if outputs > 1 else np.tanh(X @ A) @ b[:, 0]


def test_the_names_are_those_of_the_measures() -> None:
    assert set(NAMES) == set(MEASURES)
    assert len(NAMES) == 13


@pytest.mark.parametrize("oracle", ORACLES, ids=[o.name for o in ORACLES])
def test_oracles(oracle: Any) -> None:
    found = measure(oracle.function, oracle_rows(oracle), measures=STRUCTURE)
    assert found["feature_parsimony"].raw == oracle.used
    assert found["interaction_sparsity"].raw == pytest.approx(oracle.pairs)
    assert found["additivity"].raw == pytest.approx(oracle.strength, abs=oracle.strength_slack)
    assert found["main_effect_simplicity"].raw == pytest.approx(oracle.complexity, abs=oracle.complexity_slack)


def test_a_pure_interaction_is_not_scored_on_the_noise_of_its_effects() -> None:
    found = measure(lambda X: X[:, 0] * X[:, 1], np.random.default_rng(0).uniform(-1, 1, (2000, 3)))
    assert found["main_effect_simplicity"].raw < 4
    assert found["additivity"].value == 0.0
    assert found["monotone_share"].value is None
    assert "certified" in found["monotone_share"].reason


def test_a_constant_is_undefined_and_keeps_its_raw_structure() -> None:
    found = measure(lambda X: np.full(len(X), 0.7) + 1e-9 * X[:, 0], CUBE)
    assert set(found) == set(NAMES)
    for name, m in found.items():
        assert m.value is None
        assert m.reason == CONSTANT
        assert m.raw == (0.0 if name in STRUCTURE else None)


def test_every_value_has_its_range_and_its_interval_or_a_reason() -> None:
    for outputs, task in ((1, "regression"), (1, "classification"), (3, "classification")):
        found = measure(network(3, 4, outputs), np.random.default_rng(1).normal(size=(300, 4)), task=task)
        for name, m in found.items():
            if m.value is None:
                assert m.reason, name
            else:
                assert 0 <= m.low <= m.value <= m.high <= 1, name
                assert m.raw is not None
        missing = {name for name, m in found.items() if m.value is None}
        assert missing == {"monotone_share", "operation_economy", "explainer_agreement", "introspectability"}


def test_a_leaked_weight_is_not_used_and_a_rare_one_is() -> None:
    X = np.random.default_rng(0).normal(size=(500, 3))

    def rare(Z: np.ndarray) -> np.ndarray:
        return Z[:, 0] + 1e-6 * Z[:, 1] + 5 * ((Z[:, 2] > 2) & (Z[:, 0] > 1))

    assert measure(rare, X, measures=["feature_parsimony"])["feature_parsimony"].raw == 2


def test_two_features_that_cancel_are_both_used() -> None:
    x = np.random.default_rng(0).normal(size=400)
    X = np.column_stack([x, x + 1e-9, np.random.default_rng(1).normal(size=400)])
    found = measure(lambda Z: Z[:, 0] - Z[:, 1] + Z[:, 2], X, measures=["feature_parsimony"])
    assert found["feature_parsimony"].raw == 3


def test_facts_take_the_place_of_estimates() -> None:
    facts = ModelFacts(used=(0, 1), pairs=((0, 1),), monotone=(1,), operations=10, most_operations=1000)
    found = measure(network(0, 3), CUBE, facts=facts)
    assert found["feature_parsimony"] == Measurement(value=1 - 2 / 3, raw=2, low=1 - 2 / 3, high=1 - 2 / 3)
    assert found["interaction_sparsity"].value == found["interaction_sparsity"].high == pytest.approx(2 / 3)
    assert found["monotone_share"].value == pytest.approx(2 / 3)
    assert found["monotone_share"].graded is not None
    assert found["operation_economy"].value == pytest.approx(2 / 3)
    additive = measure(lambda X: X[:, 0] ** 3 + X[:, 1], CUBE, facts=ModelFacts(pairs=()))
    assert additive["additivity"].value == additive["local_additive_fidelity"].value == 1.0
    closed = ModelFacts(pairs=((0, 1), (1, 2), (4, 5)))
    assert closed.pair_count == 4


def test_facts_of_an_architecture_are_understood() -> None:
    from nas_core.spaces.family import StructuralFacts

    facts = StructuralFacts((0, 2), 1, {0: 1}, 8, 4, 64)
    found = measure(lambda X: X[:, 0] * X[:, 2], CUBE, facts=facts, measures=NAMES[:6])
    assert found["feature_parsimony"].raw == 2
    assert found["monotone_share"].raw == pytest.approx(1 / 3)
    assert found["operation_economy"].value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (ModelFacts(used=(7,)), r"name the features \[7\].*0 to 2"),
        (ModelFacts(used=(0,), pairs=((0, 1),)), "say are not used"),
        (ModelFacts(monotone=(-1,)), r"\[-1\]"),
    ],
)
def test_facts_that_cannot_be(facts: ModelFacts, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        measure(network(0, 3), CUBE, facts=facts)


def test_a_subset_is_measured_as_in_all() -> None:
    every = measure(network(2, 3), CUBE)
    assert list(every) == list(NAMES)
    for name in NAMES:
        assert measure(network(2, 3), CUBE, measures=[name]) == {name: every[name]}


def test_the_skill_guard() -> None:
    X = np.random.default_rng(0).normal(size=(300, 3))
    good, noise = X[:, 0], np.random.default_rng(1).normal(size=300)
    assert measure(lambda Z: Z[:, 0], X, y=good + noise)["additivity"].value is not None
    useless = measure(lambda Z: Z[:, 0], X, y=noise)
    assert all(m.value is None and "ignores its inputs" in m.reason for m in useless.values())
    words = np.where(good > 0, "yes", "no")
    assert measure(lambda Z: Z[:, 0], X, y=words, task="classification")["additivity"].value is not None
    assert measure(lambda Z: -Z[:, 0], X, y=words, task="classification")["additivity"].value is None
    three = np.digitize(good, (-0.5, 0.5))
    logits = lambda Z: np.column_stack([-Z[:, 0], 0.3 - abs(Z[:, 0]), Z[:, 0]])  # noqa: E731
    assert measure(logits, X, y=three, task="classification")["additivity"].value is not None
    assert "single class" in measure(logits, X, y=0 * three, task="classification")["additivity"].reason


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        (np.zeros(4), "regression", "shape"),
        (np.full(400, np.nan), "regression", "400 values of y are missing"),
        (np.array(["a"] * 400), "regression", "words"),
        (np.array(["a", "b", "c", "d"] * 100), "classification", "4 classes and the model 2"),
    ],
)
def test_a_target_that_cannot_be(y: np.ndarray, task: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        measure(network(0, 3), CUBE, y=y, task=task)


def test_two_logits_are_their_difference() -> None:
    one = network(5, 3)
    two = measure(lambda X: np.column_stack([-one(X) / 2, one(X) / 2]), CUBE, task="classification")
    assert_same(two, measure(one, CUBE, task="classification"))
    column = measure(lambda X: one(X)[:, None], CUBE, task="classification")
    assert scores(column) == scores(measure(one, CUBE, task="classification"))


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1.0, np.nan]]), "Values of x2 are missing"),
        (np.array([[1.0, np.inf]]), "infinite"),
        (np.zeros(5), "shape .5,."),
        (np.zeros((0, 3)), "0 rows of 3"),
        (np.zeros((3, 0)), "0 features"),
        ([[1, 2], [3]], "two dimensions"),
        (np.array([[1, None], ["a", "b"]], dtype=object), "column 1 are missing"),
        (pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}), "'when' holds dates"),
        (pd.DataFrame({"a": [1.0, None]}), "Values of a are missing"),
        (np.array([[1 + 2j]]), "complex"),
    ],
)
def test_rows_that_cannot_be(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        measure(lambda Z: np.zeros(len(Z)), X)


def test_a_sparse_matrix_is_refused_with_the_way_out() -> None:
    from scipy.sparse import csr_matrix

    with pytest.raises(DataError, match="toarray"):
        measure(lambda Z: np.zeros(len(Z)), csr_matrix(np.eye(3)))


@pytest.mark.parametrize(
    ("predict", "options", "message"),
    [
        (lambda X: np.zeros(len(X) + 1), {}, "for 400 rows"),
        (lambda X: 1.0, {}, "for 400 rows"),
        (lambda X: np.zeros((len(X), 2, 2)), {}, "for 400 rows"),
        (lambda X: np.zeros((len(X), 2)), {}, "2 outputs for a regression"),
        (lambda X: np.array(["a"] * len(X)), {}, "not numbers"),
        (lambda X: np.column_stack([X[:, 0] ** 2, 1 - X[:, 0] ** 2]), {"task": "classification"}, "probabilities"),
        (lambda X: X @ np.zeros(99), {}, "raises ValueError"),
        ("model", {}, "str is not a function"),
        (lambda X: X[:, 0], {"task": "ranking"}, "no task 'ranking'"),
        (lambda X: X[:, 0], {"measures": ["magic"]}, "no measure 'magic'"),
        (lambda X: X[:, 0], {"rows": 0}, "rows is 0"),
        (lambda X: X[:, 0], {"names": ["a"]}, "1 names for 3"),
        (lambda X: X[:, 0], {"categorical": ["a"]}, "categorical names 'a'"),
        (lambda X: X[:, 0], {"categorical": [3]}, "0 to 2"),
    ],
)
def test_functions_and_options_that_cannot_be(predict: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        measure(predict, CUBE, **options)


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (lambda X: np.where(X[:, 0] > 0, np.nan, 1.0), "not finite"),
        (lambda X: np.full(len(X), np.inf), "not finite"),
        (lambda X: np.random.default_rng().normal(size=len(X)), "when it is asked again"),
        (lambda X: X[:, 0] - X[:, 0].mean(), "beside other rows"),
    ],
)
def test_outputs_that_allow_no_measure(predict: Any, message: str) -> None:
    found = measure(predict, CUBE)
    assert all(m.value is None and message in m.reason for m in found.values())


def test_outputs_that_fail_off_the_rows_only() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(300, 1)), 2, axis=1)

    def broken(Z: np.ndarray) -> np.ndarray:
        return np.where(Z[:, 0] == Z[:, 1], Z[:, 0], np.nan)

    def raising(Z: np.ndarray) -> np.ndarray:
        if (Z[:, 0] != Z[:, 1]).any():
            raise RuntimeError("off the line")
        return Z[:, 0]

    assert "for resampled rows" in measure(broken, X)["feature_parsimony"].reason
    assert "RuntimeError for resampled rows: off the line" in measure(raising, X)["additivity"].reason


def test_one_row_and_few_rows() -> None:
    for rows in range(1, 12):
        found = measure(network(0, 3), CUBE[:rows])
        assert all(m.value is not None or m.reason for m in found.values())
        if rows == 1:
            assert all(m.reason == ONE_ROW for m in found.values())
        elif rows < 10:
            assert f"effects need 10 rows, there are {rows}" == found["additivity"].reason


def test_constant_columns_are_not_used() -> None:
    X = np.column_stack([CUBE, np.full(len(CUBE), 3.0)])
    found = measure(lambda Z: Z[:, 0] * Z[:, 3], X)
    assert found["feature_parsimony"].raw == 1
    assert found["interaction_sparsity"].raw == 0


def test_two_valued_and_categorical_features_only() -> None:
    X = np.random.default_rng(0).integers(0, 2, (300, 4)).astype(float)
    found = measure(lambda Z: Z[:, 0] + Z[:, 1] * Z[:, 2], X)
    assert found["feature_parsimony"].raw == 3
    assert found["interaction_sparsity"].raw == pytest.approx(1 / 6)
    assert found["main_effect_simplicity"].raw == pytest.approx(1.0)
    assert "cannot change a little" in found["explanation_stability"].reason
    levels = np.random.default_rng(0).integers(0, 5, (300, 3)).astype(float)
    effect = np.array([0.0, 0.0, 4.0, 4.0, 9.0])
    coded = measure(lambda Z: effect[Z[:, 0].astype(int)] + Z[:, 1], levels, categorical=[0, 1, 2])
    assert coded["monotone_share"].graded is None
    assert coded["additivity"].raw < 0.05
    assert coded["main_effect_simplicity"].raw >= 2


def test_a_frame_with_words_reaches_the_model_as_it_was() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 60, 300),
            "town": rng.choice(["Ulm", "Jena", "Bonn"], 300),
            "kind": pd.Categorical(rng.choice(["a", "b"], 300)),
            "old": rng.choice([True, False], 300),
        }
    )
    seen = []

    def predict(given: pd.DataFrame) -> np.ndarray:
        seen.append(given)
        bonus = given["town"].map({"Ulm": 0.0, "Jena": 10.0, "Bonn": 20.0}).to_numpy(float)
        return given["age"].to_numpy(float) + bonus * (given["kind"] == "a").to_numpy(float)

    found = measure(predict, frame)
    assert all(list(part.columns) == list(frame.columns) for part in seen)
    assert seen[0]["kind"].dtype == frame["kind"].dtype
    assert found["feature_parsimony"].raw == 3
    assert found["interaction_sparsity"].raw == pytest.approx(1 / 6)
    objects = measure(lambda Z: predict(pd.DataFrame(Z, columns=frame.columns)), frame.to_numpy(dtype=object))
    assert objects["interaction_sparsity"].raw == pytest.approx(1 / 6)


def test_a_function_that_spoils_its_rows_is_measured_alike() -> None:
    def spoiling(X: np.ndarray) -> np.ndarray:
        X *= 2
        return np.tanh(X).prod(1)

    X = CUBE.copy()
    assert measure(spoiling, X) == measure(lambda Z: np.tanh(2 * Z).prod(1), CUBE)
    assert np.array_equal(X, CUBE)


def test_a_network_of_torch_has_gradients_and_keeps_its_mode() -> None:
    import torch

    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    layers.train()
    X = np.random.default_rng(0).normal(size=(300, 4))
    found = measure(layers, X)
    assert layers.training
    assert 0.5 < found["explainer_agreement"].raw <= 1
    assert found["explanation_stability"].value is not None
    assert found["attribution_sparsity"].value is not None
    two = torch.nn.Linear(4, 2)
    assert measure(two, X, task="classification")["explainer_agreement"].value == pytest.approx(1.0)


def test_ten_thousand_columns_take_bounded_time() -> None:
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(200, 10_000)), rng.normal(size=10_000)
    began = time.process_time()
    dense = measure(lambda Z: Z @ w, X)
    few = measure(lambda Z: Z[:, 5] * Z[:, 17] + Z[:, 9], X)
    assert time.process_time() - began < 60
    expected = (2 * w**2 > 1e-6 * (w**2).sum()).sum()  # resampling a feature of variance 1 changes f by 2w² on average
    assert dense["feature_parsimony"].raw == pytest.approx(expected, rel=0.02)
    assert "too long" in dense["additivity"].reason
    assert "too long" in dense["interaction_sparsity"].reason
    assert few["feature_parsimony"].raw == 3
    assert few["interaction_sparsity"].raw == pytest.approx(1 / (10_000 * 9_999 / 2))
    assert few["additivity"].value is not None


# --- what must not matter --------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_the_order_of_rows_and_features_does_not_matter(seed: int, outputs: int) -> None:
    rng = np.random.default_rng(seed)
    X, f = rng.normal(size=(120, 4)), network(seed, 4, outputs)
    task = "regression" if outputs == 1 else "classification"
    plain = measure(f, X, task=task)
    assert_same(measure(f, X[rng.permutation(120)], task=task), plain)
    places = rng.permutation(4)
    back = np.argsort(places)
    moved = measure(lambda Z: f(Z[:, back]), X[:, places], task=task)
    assert_same(moved, plain)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_units_of_features_do_not_matter_nor_their_direction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, f = rng.normal(size=(120, 4)), network(seed, 4)
    scale, shift = rng.choice([-1, 1], 4) * 2.0 ** rng.integers(-8, 9, 4), rng.integers(-3, 4, 4)
    moved = measure(lambda Z: f((Z - shift) / scale), X * scale + shift)
    assert_same(moved, measure(f, X), 1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_the_unit_of_the_output_does_not_matter(seed: int, scale: float, shift: float) -> None:
    X, f = np.random.default_rng(seed).normal(size=(120, 4)), network(seed, 4)
    moved = measure(lambda Z: f(Z) * scale + shift, X)
    assert_same(moved, measure(f, X), 1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 1000))
def test_the_same_seed_gives_the_same_numbers(seed: int, chosen: int) -> None:
    X, f = np.random.default_rng(seed).normal(size=(90, 3)), network(seed, 3)
    state = np.random.get_state()[1].copy()
    assert measure(f, X, seed=chosen, rows=60) == measure(f, X, seed=chosen, rows=60)
    assert np.array_equal(state, np.random.get_state()[1])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rows_beyond_the_bound_are_chosen_by_what_they_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, f = rng.normal(size=(300, 3)), network(seed, 3)
    plain = measure(f, X, rows=100)
    assert_same(measure(f, X[rng.permutation(300)], rows=100), plain)
    places = rng.permutation(3)
    moved = measure(lambda Z: f(Z[:, np.argsort(places)]), -X[:, places] * 1, rows=100)
    turned = measure(lambda Z: f(-Z), -X, rows=100)
    assert_same(turned, plain)
    assert set(moved) == set(plain)
