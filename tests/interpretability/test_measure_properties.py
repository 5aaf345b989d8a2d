"""What must not matter to the measures of a function: the place of a feature, its unit, the order of rows, the seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.interpretability import effects_of
from nas_core.interpretability.effect_measures import additivity_of, simplicity_of
from nas_core.interpretability.intervals import interval, resample_counts
from nas_core.interpretability.trees import surrogate_tree
from nas_core.records import Measurement

FEATURES = 4
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Drawn:
    """A random network, rows to look at, and whether its outputs are logits of three classes."""

    X: np.ndarray
    weights: np.ndarray
    outputs: np.ndarray

    @classmethod
    def of(cls, seed: int, classes: int, rows: int = 120) -> Drawn:
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(rows, FEATURES))
        X[:, 1] = np.round(X[:, 1])  # ties
        return cls(X, rng.normal(size=(FEATURES, 5)), rng.normal(size=(5, max(1, classes))))

    def predict(self, Z: np.ndarray) -> np.ndarray:
        return np.tanh(Z @ self.weights) @ self.outputs


def measures(predict: Callable[[np.ndarray], np.ndarray], X: np.ndarray) -> list[Measurement]:
    effects = effects_of(predict, X)
    return [*additivity_of(effects), *simplicity_of(effects)]


def close(found: list[Measurement], other: list[Measurement], slack: float = 1e-7) -> None:
    for one, two in zip(found, other):
        assert [one.value, one.raw, one.low, one.high] == pytest.approx([two.value, two.raw, two.low, two.high], slack)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([1, 3]))
def test_scores_are_in_the_unit_interval_inside_their_own(seed: int, classes: int) -> None:
    drawn = Drawn.of(seed, classes)
    for found in measures(drawn.predict, drawn.X):
        assert 0 <= found.low <= found.value <= found.high <= 1


@settings(max_examples=20, deadline=None)
@given(seeds, st.permutations(range(FEATURES)))
def test_features_in_other_places_have_the_same_measures(seed: int, places: list[int]) -> None:
    drawn = Drawn.of(seed, 1)
    back = np.argsort(places)
    close(measures(lambda Z: drawn.predict(Z[:, back]), drawn.X[:, places]), measures(drawn.predict, drawn.X))


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_other_units_give_the_same_measures(seed: int, scale: float, shift: float) -> None:
    drawn = Drawn.of(seed, 1)
    moved = drawn.X * scale + shift
    close(measures(lambda Z: drawn.predict((Z - shift) / scale), moved), measures(drawn.predict, drawn.X), 1e-5)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_rows_in_another_order_have_the_same_numbers(seed: int) -> None:
    """The draws of an interval go by place: measures put rows in a fixed order first, here they are not in one."""
    drawn = Drawn.of(seed, 1)
    order = np.random.default_rng(seed).permutation(len(drawn.X))
    found, other = measures(drawn.predict, drawn.X), measures(drawn.predict, drawn.X[order])
    assert [m.raw for m in other] == pytest.approx([m.raw for m in found], rel=1e-7)
    additive, shuffled = found[0], other[0]
    assert shuffled.high - shuffled.low == pytest.approx(additive.high - additive.low, rel=0.25, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds, st.permutations(range(FEATURES)), st.sampled_from([0, 2]))
def test_trees_do_not_depend_on_the_place_of_a_feature(seed: int, places: list[int], classes: int) -> None:
    drawn = Drawn.of(seed, 1)
    outputs = drawn.predict(drawn.X)
    if classes and len(np.unique(outputs > 0)) < 2:
        return
    one = surrogate_tree(drawn.X, outputs, classes=classes)
    other = surrogate_tree(drawn.X[:, places], outputs, classes=classes)
    # equal splits are told apart by place, which small leaves leave room for
    assert other.fidelity == pytest.approx(one.fidelity, abs=0.25)
    assert other.path_length == pytest.approx(one.path_length, abs=0.6)


@given(st.integers(1, 50), st.integers(1, 20))
def test_resamples_are_the_same_in_every_call_and_draw_every_row_once_on_average(rows: int, resamples: int) -> None:
    counts = resample_counts(rows, resamples)
    assert counts.shape == (resamples, rows)
    assert (counts.sum(1) == rows).all()
    resample_counts.cache_clear()
    assert (resample_counts(rows, resamples) == counts).all()


@given(st.lists(st.floats(-1, 1) | st.just(float("nan")), max_size=30), st.floats(-1, 1))
def test_an_interval_holds_its_value_whatever_the_draws(draws: list[float], value: float) -> None:
    low, high = interval(np.array(draws, float), value)
    assert low <= value <= high
