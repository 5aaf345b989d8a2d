"""Parzen estimators of a pack against Optuna's densities, and against a loop that fits them anew for each answer."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters

from nas_core.search.parzen import DRAWN, _drawn, log_density, parzen_answers

SIZES = np.array([2, 3, 5, 4])


def points(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((count, len(SIZES))) ** 2 * SIZES).astype(np.int64)


def optunas(known: np.ndarray) -> _ParzenEstimator:
    columns = {str(d): known[:, d] for d in range(len(SIZES))}
    space = {str(d): CategoricalDistribution(tuple(range(size))) for d, size in enumerate(SIZES)}
    return _ParzenEstimator(columns, space, _ParzenEstimatorParameters(1.0, True, False, np.ones, True))


def density(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    return log_density((asked[:, None] == known[None]).sum(axis=2), SIZES)


@pytest.mark.parametrize("count", [0, 1, 7, 60])
def test_the_density_is_that_of_optuna(count: int) -> None:
    known, asked = points(count, 0), points(40, 1)
    theirs = optunas(known).log_pdf({str(d): asked[:, d] for d in range(len(SIZES))})
    assert density(known, asked) == pytest.approx(theirs, abs=1e-9)


def test_draws_are_as_frequent_as_the_density_says() -> None:
    good = points(5, 2)
    drawn = _drawn(good, SIZES, 60_000, np.random.default_rng(0))
    found, times = np.unique(drawn, axis=0, return_counts=True)
    expected = 60_000 * np.exp(density(good, found))
    often = expected > 200
    assert often.sum() > 20
    assert (np.abs(times - expected)[often] < 5 * np.sqrt(expected[often])).all()


def test_answers_of_a_pack_are_those_of_fits_one_by_one() -> None:
    known = points(50, 3)
    drawn = _drawn(known[:5], SIZES, DRAWN * 6, np.random.default_rng(9))
    bad, slow = known[5:], []
    for at in range(6):
        own = drawn[DRAWN * at : DRAWN * (at + 1)]
        slow.append(own[int(np.argmax(density(known[:5], own) - density(bad, own)))])
        bad = np.vstack([bad, slow[-1]])
    fast = parzen_answers(known, SIZES, 6, np.random.default_rng(9))
    assert fast.tolist() == np.array(slow).tolist()


def test_what_the_good_share_is_answered() -> None:
    rng = np.random.default_rng(4)
    known = (rng.random((60, len(SIZES))) * SIZES).astype(np.int64)
    known[:6, 2], known[6:, 2] = 4, rng.integers(4, size=54)
    assert (parzen_answers(known, SIZES, 20, rng)[:, 2] == 4).mean() > 0.8
