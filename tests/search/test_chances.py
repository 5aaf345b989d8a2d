"""Chances to be on the front from intervals: closed forms, a slow twin without pruning, and what they depend on."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from test_standing import AUC, NAMES

from nas_core.errors import SettingsError
from nas_core.preferences import Preference, interpretability
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.search import Archive, Snapshot, non_dominated, quick_chances
from nas_core.search.chances import _normal, interval_draws, possible

HALF = 1.96


def told(at: int, value: float, half: float, score: float, score_half: float = 0.0) -> Evaluation:
    architecture = Architecture(family="toy", values={"at": at})
    measure = Measurement(value=score, low=max(0.0, score - score_half), high=min(1.0, score + score_half))
    return Evaluation(
        id=architecture.id, architecture=architecture, status=Status.DONE, index=at,
        performance=Estimate(value=value, low=value - half, high=value + half),
        measures=dict.fromkeys(NAMES, measure),
    )  # fmt: skip


def snapshot_of(*evaluations: Evaluation) -> Snapshot:
    return Archive(AUC, NAMES).add(evaluations)


def slow(snapshot: Snapshot, wish: Preference, draws: int) -> np.ndarray:
    """The slow twin: everybody is drawn, one candidate after the other."""
    losses = np.full((draws, len(snapshot), 2), np.nan)
    for k in np.flatnonzero(snapshot.eligible):
        z = _normal(0, snapshot.ids[k], draws, 1 + len(NAMES))
        ends = [AUC.loss(float(snapshot.columns[f"performance_{end}"][k])) for end in ("high", "low")]
        value = np.array(snapshot.performance_loss[k])
        losses[:, k, 0] = interval_draws(value, np.array(ends[0]), np.array(ends[1]), z[:, 0])
        scores = interval_draws(snapshot.measures[k], snapshot.measures_low[k], snapshot.measures_high[k], z[:, 1:])
        losses[:, k, 1] = 1.0 - interpretability(scores, wish.vector(NAMES))
    return np.mean([non_dominated(one) for one in losses], axis=0)


numbers = st.integers(0, 10).map(lambda k: k / 10)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=12))
def test_leaving_out_the_hopeless_changes_nothing(rows: list) -> None:
    wish = Preference(measures={"additivity": 0.7, "feature_parsimony": 0.3})
    archive = Archive(AUC, NAMES)
    for at, (value, half, score, score_half) in enumerate(rows):
        archive.add([told(at, value, 0.2 * half, score, 0.2 * score_half)])
    snapshot = archive.snapshot()
    found = quick_chances(snapshot, wish, draws=40)
    np.testing.assert_allclose(found, slow(snapshot, wish, 40))
    assert ((found >= 0.0) & (found <= 1.0)).all()
    backwards = snapshot_of(*(archive_row for archive_row in reversed([
        told(at, v, 0.2 * h, s, 0.2 * sh) for at, (v, h, s, sh) in enumerate(rows)
    ])))  # fmt: skip
    np.testing.assert_allclose(quick_chances(backwards, wish, draws=40), found[::-1])


def test_two_candidates_have_the_chance_that_a_formula_gives() -> None:
    # The second is as interpretable, .02 less accurate and no surer: it is on the front when its draw is the better.
    sd = 0.02
    found = quick_chances(
        snapshot_of(told(0, 0.80, HALF * sd, 0.5), told(1, 0.78, HALF * sd, 0.5)), Preference(), draws=20_000
    )
    expected = ndtr(-0.02 / (sd * math.sqrt(2.0)))
    assert found[1] == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 20_000) + 0.003)
    assert found.sum() == pytest.approx(1.0)


def test_without_intervals_the_front_is_certain_and_the_ineligible_have_no_chance() -> None:
    failed = told(3, 0.99, 0.0, 1.0).model_copy(update={"status": Status.INELIGIBLE})
    exact = [told(0, 0.9, 0.0, 0.2), told(1, 0.8, 0.0, 0.7), told(2, 0.7, 0.0, 0.7)]
    assert quick_chances(snapshot_of(*exact, failed), Preference()).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert quick_chances(snapshot_of(failed), Preference()).tolist() == [0.0]
    assert quick_chances(Archive(AUC, NAMES).snapshot(), Preference()).tolist() == []


def test_one_that_failed_and_has_no_performance_has_no_chance() -> None:
    architecture = Architecture(family="toy", values={"at": 7})
    failed = Evaluation(id=architecture.id, architecture=architecture, status=Status.FAILED, reason="no", index=7)
    assert quick_chances(snapshot_of(told(1, 0.5, 0.1, 0.5), failed), Preference()).tolist() == [1.0, 0.0]


def test_a_new_hopeless_candidate_changes_nobody_elses_chance_and_a_seed_does() -> None:
    rows = [told(0, 0.9, 0.03, 0.2, 0.1), told(1, 0.89, 0.03, 0.25, 0.1), told(2, 0.8, 0.03, 0.3, 0.1)]
    before = quick_chances(snapshot_of(*rows), Preference())
    after = quick_chances(snapshot_of(told(9, 0.3, 0.01, 0.05), *rows), Preference())
    assert after.tolist() == [0.0, *before]
    assert quick_chances(snapshot_of(*rows), Preference(), seed=1).tolist() != before.tolist()


def test_a_weight_for_what_is_not_measured_is_refused() -> None:
    with pytest.raises(SettingsError, match="weight for 'beauty'"):
        quick_chances(snapshot_of(told(0, 0.9, 0.0, 0.2)), Preference(measures={"beauty": 1.0}))


corners = st.integers(0, 6).map(lambda k: k / 6) | st.just(float("nan"))


@given(
    st.integers(0, 8).flatmap(lambda n: arrays(np.float64, (n, 2), elements=corners)),
    st.integers(0, 8).flatmap(lambda k: arrays(np.float64, (k, 2), elements=corners)),
)
def test_possible_is_what_nobody_dominates_for_certain(best: np.ndarray, worst: np.ndarray) -> None:
    expected = [
        not np.isnan(b).any() and not any(not np.isnan(w).any() and (w <= b).all() and (w < b).any() for w in worst)
        for b in best
    ]
    assert possible(best, worst).tolist() == expected


def test_ten_thousand_candidates_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    archive = Archive(AUC, NAMES)
    simple = rng.random(10_000)
    value = 0.95 - 0.1 * simple**2 - rng.exponential(0.03, 10_000)
    archive.add([told(at, float(v), 0.01, float(s), 0.01) for at, (v, s) in enumerate(zip(value, simple))])
    snapshot = archive.snapshot()
    start = time.process_time()
    found = quick_chances(snapshot, Preference())
    assert time.process_time() - start < 1.0
    assert 0 < (found > 0).sum() < 3000
