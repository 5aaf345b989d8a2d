"""Bands of shape functions over refits: they hold a function that is known, and no wider than its noise makes them."""

from __future__ import annotations

import numpy as np
import pytest
from audited_candidates import VALUES, made_table, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_core.audit.shape_bands import FEWEST, Refits, bootstrap_counts, refit, shape_band, student_band
from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.errors import ExplanationError
from nas_core.explanations import TrainedCandidate, effect_curve
from nas_core.spaces import SearchSpace
from nas_core.training.fit import PackItem, train_pack
from nas_core.training.progress import StopSignal

NOISE = 0.5


def additive(seed: int, rows: int = 400) -> Problem:
    """Return sin(2 x0) + x1² with noise, and a third feature that does nothing."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (rows, 3))
    y = np.sin(2 * X[:, 0]) + X[:, 1] ** 2 + rng.normal(0, NOISE, rows)
    source = DataSource(kind="memory", location=f"additive {seed}")
    features = tuple(FeatureSpec(f"x{j}", "numeric") for j in range(3))
    return Problem.create(Dataset("additive", features, X, y, "regression", (), "answer", source), seed=seed)


def network(problem: Problem, *, linear: bool, epochs: int) -> TrainedCandidate:
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": epochs, "patience": epochs})
    spec = problem.spec.model_copy(update={"recipe": recipe})
    problem = Problem(spec, problem.dataset, problem.split)
    space = SearchSpace.for_problem(problem, "accurate")
    groups = [{"features": [j], "linear": linear} for j in range(3)]
    architecture = space.architecture({**VALUES, "groups": groups})
    pack = train_pack(problem, space, [PackItem(architecture, 1)], device="cpu").pack
    return TrainedCandidate(problem, space, architecture, pack.weights(0))


@pytest.fixture(scope="module")
def refits() -> Refits:
    found = refit(trained(made_table("two", rows=200), (0,), (6, 7), epochs=15), repeats=5, device="cpu")
    assert found is not None
    return found


def test_the_band_of_an_additive_network_holds_the_function_that_made_the_data() -> None:
    inside, half, spans = [], [], []
    for seed in range(4):
        candidate = network(additive(seed), linear=False, epochs=40)
        found = refit(candidate, repeats=10, device="cpu")
        assert found is not None
        X = candidate.problem.train.raw
        for j, function in enumerate((lambda x: np.sin(2 * x), np.square, np.zeros_like)):
            band = shape_band(found, j, X=X)
            truth = function(band.grid) - function(X[:, j]).mean()
            inner = (band.grid > -0.9) & (band.grid < 0.9)
            inside.append(((band.low[:, 0] <= truth) & (truth <= band.high[:, 0]))[inner].mean())
            half.append(band.width)
            spans.append(np.ptp(band.effect))
        assert candidate.problem.test_opened == 0
    assert np.mean(inside) >= 0.85
    assert np.mean(half) < 0.25 * np.max(spans), "a band that holds everything says nothing"


def test_the_band_of_a_weighted_sum_is_as_wide_as_least_squares_says() -> None:
    """The slope of a linear model has the standard error σ / (√n · sd x); its band is that, times |x − x̄|."""
    ratios = []
    for seed in range(3):
        candidate = network(additive(100 + seed), linear=True, epochs=40)
        found = refit(candidate, repeats=16, device="cpu")
        assert found is not None
        X, y = candidate.problem.train.raw, candidate.problem.dataset.y[candidate.problem.train.rows]
        design = np.column_stack([np.ones(len(X)), X])
        weights, rest, *_ = np.linalg.lstsq(design, y, rcond=None)
        errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * rest[0] / (len(X) - 4))[1:]
        for j in range(3):
            band = shape_band(found, j, X=X)
            slopes = np.array([np.polyfit(band.grid, c[:, 0], 1)[0] for c in band.curves])
            ratios.append(slopes.std(ddof=1) / errors[j])
            assert abs(slopes.mean() - weights[1 + j]) < 2 * errors[j]
    assert 0.75 < np.mean(ratios) < 1.35


def test_the_curve_is_that_of_the_network_and_the_band_is_around_it(refits: Refits) -> None:
    for feature in range(8):
        band, curve = shape_band(refits, feature), effect_curve(refits.candidate, feature)
        np.testing.assert_array_equal(band.effect, curve.effect)
        np.testing.assert_array_equal(band.grid, curve.grid)
        np.testing.assert_allclose((band.low + band.high) / 2, band.effect, atol=1e-12)
        assert (band.missing is None) == (curve.missing is None)
        for network_, found in zip(refits.networks, band.curves, strict=True):
            np.testing.assert_array_equal(found, effect_curve(network_, feature).effect)


def test_what_the_network_does_not_read_has_no_band(refits: Refits) -> None:
    assert shape_band(refits, 3).width == 0.0
    assert shape_band(refits, 0).width > 0.0


def test_a_curve_of_a_group_has_a_band_too(refits: Refits) -> None:
    ale, pdp = (shape_band(refits, 6, method) for method in ("ale", "pdp"))
    assert ale.width > 0
    assert pdp.width > 0
    assert ale.missing is not None
    assert (ale.missing[1] > ale.missing[0]).all()


def test_the_same_seed_gives_the_same_refits_and_another_one_others(refits: Refits) -> None:
    again, other = (refit(refits.candidate, repeats=5, seed=seed, device="cpu") for seed in (0, 1))
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(shape_band(again, 0).curves, shape_band(refits, 0).curves)
    assert not np.allclose(shape_band(other, 0).curves, shape_band(refits, 0).curves)


def test_it_can_be_stopped(refits: Refits) -> None:
    stop, seen = StopSignal(), []

    def heard(progress: object) -> None:
        seen.append(progress)
        stop.set()

    assert refit(refits.candidate, repeats=5, stop=stop, on_epoch=heard, device="cpu") is None
    assert len(seen) == 1


def test_refits_that_diverge_are_an_error_that_says_so() -> None:
    candidate = trained(made_table("two", rows=200), (0,), epochs=2)
    values = {**candidate.architecture.values, "learning_rate": 1e30, "optimiser": "sgd"}
    wild = TrainedCandidate(candidate.problem, candidate.space, candidate.architecture.model_copy(
        update={"values": values}), {k: v.numpy() for k, v in candidate.module.state_dict().items()})  # fmt: skip
    with pytest.raises(ExplanationError, match=rf"Only 0 of 5 refits.*loss became.*at least {FEWEST} refits"):
        refit(wild, repeats=5, device="cpu")


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 60), repeats=st.integers(1, 5), seed=st.integers(0, 999))
def test_a_bootstrap_sample_has_as_many_draws_as_rows(rows: int, repeats: int, seed: int) -> None:
    counts = bootstrap_counts(rows, repeats, seed=seed)
    assert counts.shape == (repeats, rows)
    assert (counts.sum(1) == rows).all()
    assert (counts >= 0).all()
    np.testing.assert_array_equal(counts[:1], bootstrap_counts(rows, 1, seed=seed))


@settings(max_examples=40, deadline=None)
@given(
    values=arrays(float, (5, 3), elements=st.floats(-1e3, 1e3)), shift=st.floats(-10, 10), scale=st.floats(0.1, 10),
)  # fmt: skip
def test_a_band_moves_and_grows_with_its_values(values: np.ndarray, shift: float, scale: float) -> None:
    centre = values.mean(0)
    low, high = student_band(centre, values)
    assert (low <= high).all()
    moved = student_band(scale * centre + shift, scale * values + shift)
    np.testing.assert_allclose(moved, (scale * low + shift, scale * high + shift), atol=1e-6)
    np.testing.assert_allclose(student_band(centre, values[::-1]), (low, high), atol=1e-9)
    # 2.776 is the 97.5 % point of Student's t with four degrees of freedom
    np.testing.assert_allclose((high - low) / 2, 2.7764451 * values.std(0, ddof=1), rtol=1e-6, atol=1e-9)
