"""Importances: known ones are found, they add up, names do not matter, and a surrogate that sees nothing says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searched import answered, option_facet

from nas_core.insight.effects import effect_of, pair_map
from nas_core.insight.importance import explained, importance_of, pairs_of, share_of


def additive(answers: np.ndarray, sizes: tuple[float, ...]) -> np.ndarray:
    """Return Σ size · centred answer: its variance is the sum of those of its terms."""
    return np.sum([s * (answers[:, p] - answers[:, p].mean()) for p, s in enumerate(sizes)], axis=0)


def test_an_additive_function_has_its_variance_shares() -> None:
    facets, answers = answered(1000, (4, 4, 4, 4))
    y = additive(answers, (3.0, 2.0, 1.0, 0.0))
    found = importance_of(explained(facets, y))
    variances = np.array([s**2 * answers[:, p].var() for p, s in enumerate((3.0, 2.0, 1.0, 0.0))])
    shares = dict(zip(found.keys, found.main))
    for name, known in zip("abcd", variances / variances.sum()):
        assert abs(shares[name].value - known) < 0.04
        assert shares[name].low - 0.03 <= known <= shares[name].high + 0.03
    assert found.keys[:3] == ("a", "b", "c")
    assert found.together.value < 0.05
    assert found.reliability.r2 > 0.95


def test_a_product_of_two_centred_choices_is_nothing_but_interaction() -> None:
    facets, answers = answered(800, (2, 2, 3))
    y = (2.0 * answers[:, 0] - 1) * (2.0 * answers[:, 1] - 1)
    found = explained(facets, y)
    assert max(share.value for share in importance_of(found).main) < 0.05
    best = pairs_of(found)[0]
    assert {best.first, best.second} == {"a", "b"}
    assert best.share.value > 0.9
    table = pair_map(found, "a", "b")
    assert np.allclose(table.mean, [[1, -1], [-1, 1]], atol=0.2)
    assert table.count.sum() == 800


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(40, 150))
def test_shares_of_single_facets_and_pairs_never_exceed_the_whole(seed: int, n: int) -> None:
    facets, answers = answered(n, (2, 3, 5), seed)
    y = np.random.default_rng(seed).normal(size=(2, 3, 5))[tuple(answers.T)]
    found = explained(facets, y, seed=seed)
    shares = importance_of(found)
    total = sum(s.value for s in shares.main)
    assert total <= 1.0 + 1e-3
    assert abs(total + shares.together.value - 1.0) < 1e-3
    assert total + sum(p.share.value for p in pairs_of(found)) <= 1.0 + 1e-2
    for share in (*shares.main, shares.together):
        assert 0.0 <= share.low <= share.value <= share.high <= 1.0


def test_names_and_order_of_options_do_not_matter() -> None:
    facets, answers = answered(600, (4, 3, 3))
    y = additive(answers, (3.0, 1.0, 0.5))
    shuffled = [option_facet("a", np.array([2, 0, 3, 1])[answers[:, 0]], 4), *facets[1:]]
    renamed = [option_facet("z", answers[:, 0], 4), *facets[1:]]
    plain, other, named = (importance_of(explained(f, y)) for f in (facets, shuffled, renamed))
    assert [s.value for s in plain.main] == [s.value for s in named.main]
    for key in plain.keys:
        one, two = plain.main[plain.keys.index(key)], other.main[other.keys.index(key)]
        assert abs(one.value - two.value) < 0.03


def test_the_unit_of_the_aim_does_not_matter() -> None:
    facets, answers = answered(200, (3, 3))
    y = additive(answers, (2.0, 1.0))
    one, two = importance_of(explained(facets, y)), importance_of(explained(facets, 0.5 + 1e-4 * y))
    assert np.allclose([s.value for s in one.main], [s.value for s in two.main], atol=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_surrogate_of_noise_says_that_it_does_not_predict(seed: int) -> None:
    facets, _ = answered(200, (3, 3, 4), seed)
    found = importance_of(explained(facets, np.random.default_rng(seed).normal(size=200), seed=seed))
    assert found.reliability.r2_low <= 0.0
    assert not found.reliability.predicts


def test_an_aim_that_does_not_vary_has_no_importances() -> None:
    facets, _ = answered(60, (3, 3))
    found = importance_of(explained(facets, np.full(60, 0.7)), shap=True)
    assert found.main == ()
    assert not found.reliability.predicts


def test_candidates_without_a_value_are_left_out() -> None:
    facets, answers = answered(120, (3, 3))
    y = additive(answers, (2.0, 1.0))
    y[::4] = np.nan
    assert importance_of(explained(facets, y)).n == 90


def test_a_choice_that_means_nothing_does_not_stand_for_the_one_that_made_it_so() -> None:
    rng = np.random.default_rng(0)
    depth, activation = rng.integers(0, 3, 600), rng.integers(0, 3, 600)
    decided = depth > 0
    facets = [option_facet("depth", depth, 3), option_facet("act", np.where(decided, activation, 0), 3, decided)]
    found = explained(facets, (depth > 0) * 1.0 + 0.01 * rng.normal(size=600))
    shares = importance_of(found)
    assert shares.main[shares.keys.index("depth")].value > 0.95
    assert shares.main[shares.keys.index("act")].value < 0.02
    assert effect_of(found, "act").undecided == int((~decided).sum())


def test_shap_shares_of_two_independent_switches_are_as_their_effects() -> None:
    facets, answers = answered(800, (2, 2))
    found = importance_of(explained(facets, 3.0 * answers[:, 0] + 1.0 * answers[:, 1]), shap=True)
    shares = dict(zip(found.keys, found.shap))
    assert abs(shares["a"].value - 0.75) < 0.03
    assert abs(sum(share.value for share in shares.values()) - 1.0) < 1e-6


def test_effects_are_the_mean_over_everything_else() -> None:
    facets, answers = answered(900, (3, 4))
    y = additive(answers, (2.0, 1.0)) + 5.0
    effect = effect_of(explained(facets, y), "a")
    for number, level in enumerate(effect.levels):
        own = y[answers[:, 0] == number]
        assert level.count == len(own)
        assert np.isclose(level.observed, own.mean())
        assert level.observed_low < level.observed < level.observed_high
        assert abs(level.mean - (5.0 + 2.0 * (number - answers[:, 0].mean()))) < 0.15


def test_the_interval_of_a_share_stays_between_0_and_1() -> None:
    share = share_of(np.array([0.98, 1.0, 0.9, 0.99]))
    assert share.high == 1.0
    assert 0.8 < share.low < share.value


def test_the_same_seed_gives_the_same_importances() -> None:
    facets, answers = answered(100, (3, 3))
    y = additive(answers, (2.0, 1.0))
    assert importance_of(explained(facets, y, seed=3)) == importance_of(explained(facets, y, seed=3))
