"""Encodings: monotone where they say so, bounded, the same one column at a time, and rebuilt from JSON."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from nas_core.data import ENCODINGS, Encoder, FeatureSpec, Problem, dataset_from_frame, load_data
from nas_core.data.encodings import Periodic, Piecewise, Quantile, Standardised, bin_edges, fit_encoding, make_encoding
from nas_core.errors import DataError

Floats = NDArray[np.float64]
anything = st.floats(-1e100, 1e100)
columns = st.one_of(
    arrays(np.float64, st.integers(1, 60), elements=anything),
    arrays(np.float64, st.integers(1, 60), elements=st.sampled_from([0.0, 0.0, 0.0, 1.0, -2.5, 7.0])),
    arrays(np.float64, st.integers(1, 60), elements=st.floats(-3, 3)),
    arrays(np.float64, st.integers(1, 60), elements=st.integers(10**15, 10**15 + 20).map(float)),
)


@pytest.mark.parametrize("name", ENCODINGS)
@settings(deadline=None)
@given(train=columns, values=arrays(np.float64, 30, elements=anything))
@example(train=np.array([-2.5] + [0.0] * 14), values=np.array([-7e-169]))  # rounded above the next knot's rank
def test_every_encoding_is_finite_bounded_and_monotone_where_it_says_so(
    name: str, train: Floats, values: Floats
) -> None:
    encoding = fit_encoding(name, train)
    x = np.sort(np.concatenate([train, values]))
    out = encoding(x)
    assert out.shape == (len(x), encoding.width)
    assert encoding.width >= 1
    assert np.abs(out).max() <= 20.0
    if encoding.monotone:
        assert np.all(np.diff(out, axis=0) >= 0)
        assert np.all(np.diff(out.astype(np.float32), axis=0) >= 0)


@pytest.mark.parametrize("name", ENCODINGS)
@settings(deadline=None)
@given(train=columns)
def test_an_encoding_comes_back_from_json_bit_by_bit(name: str, train: Floats) -> None:
    encoding = fit_encoding(name, train)
    again = make_encoding(name, json.loads(json.dumps(encoding.state())))
    assert np.array_equal(again(train), encoding(train))


@settings(deadline=None)
@given(train=columns, bins=st.integers(2, 16))
def test_bins_are_increasing_and_few(train: Floats, bins: int) -> None:
    edges = bin_edges(train, bins)
    assert np.all(np.diff(edges) > 0)
    assert 2 <= len(edges) <= bins + 5
    assert edges[0] == train.min()
    assert edges[-1] >= train.max()


@settings(deadline=None)
@given(train=columns, values=arrays(np.float64, 10, elements=st.floats(-10, 10)))
def test_piecewise_is_the_sum_of_its_definition(train: Floats, values: Floats) -> None:
    encoding = Piecewise.fit(train)
    slow = np.empty((len(values), encoding.width))
    for i, x in enumerate(values):
        for b in range(encoding.width):
            low, high = encoding.edges[b], encoding.edges[b + 1]
            slow[i, b] = 0.0 if x <= low else 1.0 if x >= high else (x - low) / (high - low)
    assert np.allclose(encoding(values), slow, atol=1e-12)


def test_a_spike_gets_bins_of_its_own() -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.random(1000) < 0.9, 0.0, rng.lognormal(7, 1, 1000))
    smallest = x[x > 0].min()
    encoding = Piecewise.fit(x)
    zero, little = encoding(np.array([0.0, smallest]))
    assert np.any(little - zero >= 1 - 1e-12)
    assert encoding.width >= 8


def test_standardised_and_quantile_against_their_definitions() -> None:
    from scipy.stats import rankdata

    x = np.random.default_rng(1).normal(3, 5, 200).round(1)
    assert np.allclose(Standardised.fit(x)(x)[:, 0], (x - x.mean()) / x.std())
    expected = ((rankdata(x) - 0.5) / len(x) - 0.5) * np.sqrt(12)
    assert np.allclose(Quantile.fit(x)(x)[:, 0], expected)


@settings(deadline=None)
@given(x=arrays(np.float64, st.integers(2, 200), elements=st.floats(-1e6, 1e6)))
def test_quantile_with_few_knots_is_near_the_rank(x: Floats) -> None:
    many = np.concatenate([x, np.random.default_rng(0).normal(size=1000)])
    values, counts = np.unique(many, return_counts=True)
    exact = ((np.cumsum(counts) - counts / 2) / len(many) - 0.5) * np.sqrt(12)
    spacing = np.sqrt(12) * (1 / 255 + counts.max() / len(many))
    assert np.abs(Quantile.fit(many)(values)[:, 0] - exact).max() <= spacing + 1e-9


def test_periodic_does_not_repeat_outside_its_range() -> None:
    encoding = Periodic.fit(np.linspace(0, 1, 101))
    assert np.array_equal(encoding(np.array([5.0])), encoding(np.array([1.0])))
    assert not np.allclose(encoding(np.array([0.0])), encoding(np.array([1.0])))


SPECS = (
    FeatureSpec("size", "numeric", missing=2),
    FeatureSpec("colour", "categorical", ("blue", "green", "red"), missing=1),
    FeatureSpec("weight", "numeric"),
    FeatureSpec("shape", "categorical", ("round", "square")),
)
X = np.array(
    [
        [1.0, 0, 3.0, 0],
        [np.nan, 0, 1.0, 1],
        [5.0, np.nan, 2.0, 1],
        [3.0, 2, 9.0, 0],
        [2.0, 0, 4.0, 1],
    ]
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.fit(SPECS, X)


def test_one_hot_indicator_and_unseen_levels(encoder: Encoder) -> None:
    E = encoder.transform(X)
    for encoding in ENCODINGS:
        colour = E[:, encoder.columns(encoding, 1)]
        # blue, red (green never occurs in training), missing; the missing row counts as the most frequent level
        assert np.array_equal(colour, [[1, 0, 0], [1, 0, 0], [1, 0, 1], [0, 1, 0], [1, 0, 0]])
        assert np.array_equal(E[:, encoder.columns(encoding, 0)[-1]], [0, 1, 0, 0, 0])
    unseen = np.array([[1.0, 1, 1.0, 7.0]])
    assert not encoder.transform(unseen)[0, encoder.columns("quantile", 1)].any()
    assert not encoder.transform(unseen)[0, encoder.columns("quantile", 3)].any()
    assert encoder.has_indicator.tolist() == [True, True, False, False]


def test_impute(encoder: Encoder) -> None:
    filled = encoder.impute(X)
    assert filled[1, 0] == 2.5
    assert filled[2, 1] == 0
    assert np.array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    # imputing first changes the indicators and nothing else
    indicators = [encoder.columns("standardised", j)[-1] for j in (0, 1)]
    rest = np.setdiff1d(np.arange(encoder.D), indicators)
    assert np.array_equal(encoder.transform(filled)[:, rest], encoder.transform(X)[:, rest])


def test_columns_cover_the_bank(encoder: Encoder) -> None:
    seen: set[int] = set()
    for j in range(encoder.P):
        for encoding in ENCODINGS:
            columns = encoder.columns(encoding, j)
            assert np.all(np.diff(columns) > 0)
            assert np.all(encoder.owner[columns] == j)
            assert len(columns) == encoder.width(encoding, j)
            seen |= set(columns.tolist())
    assert seen == set(range(encoder.D))
    assert len(encoder.names) == len(encoder.monotone) == encoder.D


def test_only_increasing_columns_are_called_monotone(encoder: Encoder) -> None:
    for j, spec in enumerate(SPECS):
        block_columns, block = encoder.transform_feature(j, np.linspace(-5, 15, 200))
        rising = np.all(np.diff(block, axis=0) >= 0, axis=0)
        assert np.all(rising[encoder.monotone[block_columns]])
        expected = ("standardised", "quantile", "piecewise") if spec.kind == "numeric" else ()
        for name in ENCODINGS:
            flags = encoder.monotone[encoder.columns(name, j)]
            own = flags[: len(flags) - int(encoder.has_indicator[j])]
            assert np.all(own == (name in expected))


@pytest.mark.parametrize("encoding", [None, *ENCODINGS])
def test_one_feature_alone_is_its_part_of_the_bank(encoder: Encoder, encoding: str | None) -> None:
    E = encoder.transform(X)
    for j in range(encoder.P):
        columns, block = encoder.transform_feature(j, X[:, j], encoding)
        assert block.dtype == np.float32
        assert np.array_equal(block, E[:, columns])
        if encoding is not None:
            assert np.array_equal(columns, encoder.columns(encoding, j))


def test_rows_are_encoded_independently_and_deterministically(encoder: Encoder) -> None:
    E = encoder.transform(X)
    assert np.array_equal(np.vstack([encoder.transform(X[[i]]) for i in range(len(X))]), E)
    assert np.array_equal(Encoder.fit(SPECS, X[::-1]).transform(X), E)
    assert encoder.transform(X[:0]).shape == (0, encoder.D)


def test_encoder_comes_back_from_json(encoder: Encoder) -> None:
    again = Encoder.from_state(json.loads(json.dumps(encoder.state())))
    assert np.array_equal(again.transform(X), encoder.transform(X))
    assert again.names == encoder.names
    assert again.features == encoder.features


def test_a_feature_without_training_values() -> None:
    specs = (FeatureSpec("a", "numeric", missing=5), FeatureSpec("b", "categorical", ("x", "y"), missing=5))
    encoder = Encoder.fit(specs, np.full((5, 2), np.nan))
    assert np.isfinite(encoder.transform(np.array([[2.0, 1], [np.nan, np.nan]]))).all()


def test_wrong_use_is_explained(encoder: Encoder) -> None:
    with pytest.raises(DataError, match=r"no encoding 'spline'.*standardised, quantile"):
        encoder.columns("spline", 0)
    with pytest.raises(DataError, match=r"shape \(2, 3\).*\(n, 4\)"):
        encoder.transform(np.zeros((2, 3)))


def test_a_long_table_is_encoded_in_well_below_a_second() -> None:
    X = np.random.default_rng(0).normal(size=(20_000, 9))
    encoder = Encoder.fit([FeatureSpec(f"f{j}", "numeric") for j in range(9)], X)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        encoder.transform(X)
        best = min(best, time.process_time() - start)
    assert best < 0.6


def test_two_thousand_columns_work_and_stay_bounded() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2000))
    frame = pd.DataFrame(X, columns=[f"gene {j}" for j in range(2000)])
    frame["target"] = np.where(X[:, 7] > 0, "sick", "well")
    problem = Problem.create(dataset_from_frame(frame))
    assert (problem.P, problem.hints.relevance.argmax()) == (2000, 7)
    per_row = 4 * problem.encoder.D
    assert (problem.spec.max_train_rows + problem.spec.max_valid_rows) * per_row <= 600_000_000
    start = time.process_time()
    assert problem.train.E.shape == (90, problem.encoder.D)
    assert time.process_time() - start < 5


def test_digits_hints_are_quick() -> None:
    problem = Problem.create(load_data("digits"))
    _ = problem.train
    start = time.process_time()
    assert problem.hints.interaction.shape == (64, 64)
    assert time.process_time() - start < 2  # processor seconds: other programs on the machine do not count
