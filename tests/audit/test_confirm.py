"""P(on the front): a share, whatever the order; other seeds and fresh rows against counting by hand."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.audit.confirm import (
    Contender,
    contending,
    front_probability,
    judged_fresh,
    resampled_losses,
    retrained,
    seed_spreads,
)
from nas_core.data import Problem, Recipe, load_data
from nas_core.preferences import Preference
from nas_core.records import Estimate, Evaluation, Measurement, Status
from nas_core.search.fronts import hypervolume
from nas_core.spaces import SearchSpace

RECIPE = Recipe(max_epochs=6, batch_size=64, patience=6)


def drawn(seed: int, R: int, K: int, m: int, levels: int) -> np.ndarray:
    """Return losses (R, K, m) with many ties and some rows without a value."""
    rng = np.random.default_rng(seed)
    losses = rng.integers(0, levels, size=(R, K, m)) / levels
    losses[rng.random((R, K)) < 0.1, 0] = np.nan
    return losses


def slow(losses: np.ndarray) -> np.ndarray:
    """The slow twin: every pair of candidates in every resample."""
    R, K, _ = losses.shape
    found = np.zeros(K)
    for one in losses:
        for k in range(K):
            beaten = any(
                not np.isnan(one[j]).any() and (one[j] <= one[k]).all() and (one[j] < one[k]).any() for j in range(K)
            )
            found[k] += not np.isnan(one[k]).any() and not beaten
    return found / R


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), K=st.integers(1, 7), m=st.integers(1, 4), levels=st.integers(1, 6))
def test_it_agrees_with_brute_force_and_is_a_share(seed: int, K: int, m: int, levels: int) -> None:
    losses = drawn(seed, 5, K, m, levels)
    found = front_probability(losses)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found, slow(losses))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), K=st.integers(1, 6))
def test_it_knows_no_order_and_no_duplicates(seed: int, K: int) -> None:
    losses, rng = drawn(seed, 6, K, 2, 4), np.random.default_rng(seed)
    order, rows = rng.permutation(K), rng.permutation(6)
    found = front_probability(losses)
    np.testing.assert_array_equal(front_probability(losses[rows][:, order]), found[order])
    doubled = front_probability(np.concatenate([losses, losses], axis=1))
    np.testing.assert_array_equal(doubled, np.concatenate([found, found]))


def test_alone_it_is_certain_and_dominated_by_far_impossible() -> None:
    rng = np.random.default_rng(0)
    good, bad = rng.uniform(0, 0.3, (50, 1, 2)), rng.uniform(0.6, 1, (50, 1, 2))
    assert front_probability(good).tolist() == [1.0]
    assert front_probability(np.concatenate([good, bad], 1)).tolist() == [1.0, 0.0]
    assert np.isnan(front_probability(np.zeros((0, 2, 2)))).all()


def test_two_that_are_alike_share_what_a_coin_decides() -> None:
    rng = np.random.default_rng(1)
    losses = rng.uniform(size=(4000, 2, 1))
    np.testing.assert_allclose(front_probability(losses), [0.5, 0.5], atol=0.03)


def test_only_those_who_could_be_on_the_front_contend() -> None:
    performance = np.array([[0.1, 0.2, 0.3], [0.15, 0.25, 0.35], [0.7, 0.8, 0.9], [np.nan] * 3])
    interpretable = np.array([[0.4] * 3, [0.4] * 3, [0.5] * 3, [0.1] * 3])
    on_front = np.array([True, False, False, False])
    assert contending(performance, interpretable, on_front).tolist() == [0, 1]
    assert contending(performance, interpretable, on_front, most=0).tolist() == [0]


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"), recipe=RECIPE)


def told(problem: Problem, key: str, noise: float, simple: float, width: float = 0.0) -> Contender:
    y = 2.0 * problem.valid.target - 1.0
    outputs = (y + noise * np.random.default_rng(3).normal(size=len(y)))[:, None]
    m = Measurement(value=simple, low=max(0.0, simple - width), high=min(1.0, simple + width))
    return Contender(key, outputs, dict.fromkeys(problem.spec.measures, m))


def test_resamples_are_joint_and_exact_measures_stay(problem: Problem) -> None:
    contenders = [told(problem, "a", 1.0, 0.8), told(problem, "b", 1.0, 0.8), told(problem, "c", 3.0, 0.8, 0.1)]
    losses = resampled_losses(problem, contenders, Preference())
    assert losses.shape[1:] == (3, 2)
    np.testing.assert_array_equal(losses[:, 0], losses[:, 1])  # the same predictions on the same rows
    assert np.ptp(losses[:, 0, 1]) < 1e-12
    assert np.ptp(losses[:, 2, 1]) > 0.01
    np.testing.assert_array_equal(losses, resampled_losses(problem, contenders, Preference()))
    assert not np.array_equal(losses, resampled_losses(problem, contenders, Preference(), seed=1))


def test_drawn_measures_have_the_interval_they_were_given(problem: Problem) -> None:
    losses = resampled_losses(problem, [told(problem, "a", 1.0, 0.6, 0.1)], Preference(measures={"additivity": 1.0}))
    low, high = np.quantile(1.0 - losses[:, 0, 1], (0.025, 0.975))
    exact = [((0.01 + s) / 1.01) for s in (0.5, 0.7)]
    assert [low, high] == pytest.approx(exact, abs=0.015)


def test_a_front_of_one_is_certain_and_a_useless_neighbour_is_not_on_it(problem: Problem) -> None:
    contenders = [told(problem, "good", 0.5, 0.9), told(problem, "bad", 50.0, 0.2)]
    assert front_probability(resampled_losses(problem, contenders, Preference())).tolist() == [1.0, 0.0]


def evaluation(
    key: str, space: SearchSpace, performance: float, simple: float, status: Status = Status.DONE
) -> Evaluation:
    p = Estimate(value=performance, low=performance, high=performance)
    return Evaluation(
        id=key, architecture=space.sample(np.random.default_rng(0)), status=status, performance=p, skill=p,
        measures={"additivity": Measurement(value=simple, low=simple, high=simple)}, reason="lost its nerve",
    )  # fmt: skip


def test_spreads_over_seeds_are_means_and_shares(problem: Problem) -> None:
    space = SearchSpace.for_problem(problem)
    wish = Preference(measures={"additivity": 1.0})
    seeds = [
        [evaluation("a", space, 0.9, 0.5), evaluation("b", space, 0.8, 0.9)],
        [evaluation("a", space, 0.7, 0.5), evaluation("b", space, 0.8, 0.9)],
        [evaluation("a", space, 0.9, 0.5), evaluation("b", space, 0.5, 0.9, Status.INELIGIBLE)],
    ]
    found = seed_spreads(problem, seeds, wish)
    assert found["a"].performance == pytest.approx(2.5 / 3)
    assert found["a"].performance_sd == pytest.approx(np.std([0.9, 0.7, 0.9], ddof=1))
    assert found["a"].on_front == pytest.approx(2 / 3)
    assert (found["b"].trained, found["b"].eligible, found["b"].reasons) == (3, 2, ("lost its nerve",))
    assert found["b"].on_front == pytest.approx(2 / 3)
    assert seed_spreads(problem, [], wish) == {}
    single = seed_spreads(problem, seeds[:1], wish)["a"]
    assert (single.performance, single.performance_sd) == (0.9, None)


def test_one_that_never_is_eligible_has_no_means(problem: Problem) -> None:
    space = SearchSpace.for_problem(problem)
    found = seed_spreads(problem, [[evaluation("a", space, 0.5, 0.5, Status.FAILED)]], Preference())["a"]
    assert (found.eligible, found.performance, found.interpretability, found.on_front) == (0, None, None, 0.0)


def test_training_again_uses_other_seeds_and_can_be_stopped(problem: Problem) -> None:
    space = SearchSpace.for_problem(problem)
    architectures = [p.architecture for p in space.initial(3, np.random.default_rng(0), problem.hints)]
    heard: list[int] = []
    found = list(
        retrained(problem, space, architectures, seed=0, repeats=2, stop=threading.Event(), device="cpu",
                  on_progress=lambda number, p: heard.append(number))
    )  # fmt: skip
    assert [number for number, _ in found] == [0, 1]
    assert set(heard) == {0, 1}
    for _, evaluations in found:
        assert [e.id for e in evaluations] == [a.id for a in architectures]
    first, second = ([e.seed for e in evaluations] for _, evaluations in found)
    assert not set(first) & set(second)
    stop = threading.Event()
    stop.set()
    assert list(retrained(problem, space, architectures, seed=0, repeats=2, stop=stop)) == []


def test_fresh_rows_show_both_ends(problem: Problem) -> None:
    space, wish = SearchSpace.for_problem(problem), Preference(measures={"additivity": 1.0})
    chosen = [evaluation("a", space, 0.99, 0.3), evaluation("b", space, 0.95, 0.9)]
    part = problem.open_test()
    y, rng = 2.0 * part.target - 1.0, np.random.default_rng(0)
    outputs = {"a": (y + 3 * rng.normal(size=len(y)))[:, None], "b": (y + 0.3 * rng.normal(size=len(y)))[:, None]}
    found = judged_fresh(problem, part, outputs, chosen, wish)
    a, b = found.candidates
    assert (found.rows, a.validation.value, b.validation.value) == (len(part), 0.99, 0.95)
    assert a.fresh.value < 0.95 < b.fresh.value  # the lucky one fell
    losses = np.array([[1 - a.fresh.value, 1 - 0.31 / 1.01], [1 - b.fresh.value, 1 - 0.91 / 1.01]])
    assert found.hypervolume_optimistic == pytest.approx(hypervolume(losses, (1, 1)))
    assert found.hypervolume_pessimistic == pytest.approx(hypervolume(losses[:1], (1, 1)))
    assert found.hypervolume_pessimistic < found.hypervolume_optimistic
    none = judged_fresh(problem, part, {}, chosen, wish)
    assert (none.candidates, none.hypervolume_optimistic, none.hypervolume_pessimistic) == ((), 0.0, 0.0)
