"""Correlations of measures: scipy agrees, what is undefined says why, and what counts twice is said."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from nas_core.objectives import metric_objective
from nas_core.preferences import Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.search.archive import Archive
from nas_core.search.correlations import Correlations, correlate, spearman

AUC = metric_objective("roc_auc")
NAMES = ("additivity", "operation_economy", "tree_fidelity")
few_values = st.integers(0, 6).map(float)
tables = arrays(np.float64, st.tuples(st.integers(0, 40), st.integers(1, 4)), elements=few_values)
holes = arrays(np.float64, st.tuples(st.integers(0, 25), st.just(3)), elements=few_values | st.just(np.nan))


def oracle(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or len(set(a)) == 1 or len(set(b)) == 1:
        return float("nan")
    return float(spearmanr(a, b).statistic)


@settings(deadline=None)
@given(tables | holes)
def test_scipy_agrees_with_ties_and_holes(values: np.ndarray) -> None:
    rho, n = spearman(values)
    for i in range(values.shape[1]):
        for j in range(values.shape[1]):
            both = ~np.isnan(values[:, i]) & ~np.isnan(values[:, j])
            assert n[i, j] == both.sum()
            expected = oracle(values[both, i], values[both, j])
            assert rho[i, j] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(tables, st.permutations(range(40)))
def test_neither_the_order_of_rows_nor_an_increasing_change_matters(values: np.ndarray, order: list[int]) -> None:
    rho, _ = spearman(values)
    shuffled = values[[k for k in order if k < len(values)]]
    assert spearman(shuffled)[0] == pytest.approx(rho, nan_ok=True)
    assert spearman(np.exp(values) * 3)[0] == pytest.approx(rho, nan_ok=True)
    assert spearman(-values)[0] == pytest.approx(rho, nan_ok=True)
    known = rho[~np.isnan(rho)]
    assert ((known >= -1) & (known <= 1)).all()
    assert np.array_equal(rho, rho.T, equal_nan=True)


def archive(scores: np.ndarray, performance: np.ndarray, *, lost: int = 0) -> Archive:
    """Return candidates with these measures; the first ``lost`` are not eligible."""
    made = Archive(AUC, NAMES)
    for at, (row, value) in enumerate(zip(scores, performance)):
        architecture = Architecture(family="toy", values={"at": at})
        made.add([Evaluation(
            id=architecture.id, architecture=architecture, status=Status.INELIGIBLE if at < lost else Status.DONE,
            performance=Estimate(value=value, low=value, high=value), skill=Estimate(value=0.5, low=0.4, high=0.6),
            measures={n: Measurement(value=s) if s == s else Measurement(reason="-") for n, s in zip(NAMES, row)},
        )])  # fmt: skip
    return made


def doubled(rho: float, *, n: int = 60, seed: int = 0) -> Correlations:
    rng = np.random.default_rng(seed)
    base = rng.random(n)
    second = base if rho > 0 else 1 - base
    scores = np.column_stack([base, second, rng.random(n)])
    return correlate(archive(scores, rng.random(n)).snapshot(), Preference())


def test_performance_stands_first_and_better_is_more() -> None:
    rng = np.random.default_rng(1)
    value = rng.random(30) / 2 + 0.5
    scores = np.column_stack([value, 1.5 - value, rng.random(30)])
    found = correlate(archive(scores, value).snapshot(), Preference())
    assert found.names == ("performance", *NAMES)
    assert found.rho[0, 1] == pytest.approx(1.0)
    assert found.rho[0, 2] == pytest.approx(-1.0)
    assert not any(d.first == "performance" for d in found.doubled)


def test_two_measures_that_are_one_are_said_with_their_weights() -> None:
    found = doubled(1.0)
    assert [(d.first, d.second) for d in found.doubled] == [("additivity", "operation_economy")]
    words = found.doubled[0].words({"additivity": "additive"})
    assert "“additive” and “operation economy” rank 60 candidates almost alike (ρ = 1.00)" in words
    assert "33 % and 33 %" in words
    assert "counts twice" in words


def test_measures_that_oppose_each_other_are_said() -> None:
    assert "one cancels the other" in doubled(-1.0).doubled[0].words()


def test_a_measure_without_weight_counts_nothing_twice() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(40)
    snapshot = archive(np.column_stack([base, base, rng.random(40)]), rng.random(40)).snapshot()
    assert correlate(snapshot, Preference()).doubled
    assert not correlate(snapshot, Preference(measures={"additivity": 1, "tree_fidelity": 1})).doubled
    assert not correlate(snapshot, Preference(families={"summary": 1})).doubled


def test_few_candidates_do_not_warn() -> None:
    assert not doubled(1.0, n=9).doubled
    assert doubled(1.0, n=10).doubled


def test_ineligible_candidates_do_not_count() -> None:
    rng = np.random.default_rng(2)
    base = rng.random(30)
    other = base.copy()
    other[:10] = 1 - base[:10]
    snapshot = archive(np.column_stack([base, other, rng.random(30)]), rng.random(30), lost=10).snapshot()
    found = correlate(snapshot, Preference())
    assert found.n[1, 2] == 20
    assert found.rho[1, 2] == pytest.approx(1.0)


def test_what_has_no_correlation_says_why() -> None:
    scores = np.column_stack([np.full(12, 0.5), np.full(12, np.nan), np.arange(12) / 12])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = correlate(archive(scores, np.linspace(0.5, 0.9, 12)).snapshot(), Preference())
    assert found.reasons == {
        "additivity": "the same for all 12 candidates (0.5)",
        "operation_economy": "known of 0 candidates, and 3 are needed",
    }
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    assert document["names"][0] == "performance"
    assert document["spearman"][1][3] is None
    assert document["spearman"][3][3] == 1.0
    assert document["warnings"] == []


def test_an_empty_archive_has_no_correlations() -> None:
    found = correlate(Archive(AUC, NAMES).snapshot(), Preference())
    assert np.isnan(found.rho).all()
    assert found.doubled == ()
    assert "known of 0 candidates" in found.reasons["performance"]
