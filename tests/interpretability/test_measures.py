"""The structural measures: exact formulas, guards and words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from measured_packs import ModulePack, architecture_of, context_of, toy_problem

from nas_core.data import Problem
from nas_core.errors import SettingsError
from nas_core.interpretability import (
    DEFAULT_MEASURES,
    MEASURES,
    MeasureContext,
    MeasuredCandidate,
    measure_pack,
    undefined,
)
from nas_core.records import Measurement
from nas_core.spaces import SearchSpace, facts

PROBLEM = toy_problem()
SPACE = SearchSpace.for_problem(PROBLEM, "accurate")
ADDITIVE = architecture_of(SPACE, (0,), (1,), (5,))
PAIR = architecture_of(SPACE, (0, 1), (2,))
WHOLE = architecture_of(SPACE, (0, 1, 2, 3, 4, 5), width=32)
LINE = architecture_of(SPACE, (2,), linear=True, depth=0)
PACK = [ADDITIVE, PAIR, WHOLE, LINE]


@pytest.fixture(scope="module")
def context() -> MeasureContext:
    return context_of(PROBLEM, PACK)


class Scaled:
    """A pack whose outputs are those of another times a factor per candidate."""

    def __init__(self, inner: ModulePack, factors: list[float]) -> None:
        self.inner, self.factors = inner, np.asarray(factors)[:, None, None]

    def predict(self, E: np.ndarray) -> np.ndarray:
        return self.inner.predict(E) * self.factors

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        return self.inner.feature_deltas(problem, X, edges, bins) * self.factors[..., None]


def scores(name: str, context: MeasureContext) -> list[Measurement]:
    return MEASURES[name].score(context)


def test_feature_parsimony_counts_used_features(context: MeasureContext) -> None:
    found = scores("feature_parsimony", context)
    assert [m.raw for m in found] == [3, 3, 6, 1]
    assert [m.value for m in found] == pytest.approx([0.5, 0.5, 0.0, 5 / 6])


def test_interaction_sparsity_counts_all_pairs_of_a_group(context: MeasureContext) -> None:
    found = scores("interaction_sparsity", context)
    assert [m.raw for m in found] == pytest.approx([0, 1 / 15, 1, 0])
    assert [m.value for m in found] == pytest.approx([1, 14 / 15, 0, 1])


def test_monotone_share_counts_what_no_weights_could_turn(context: MeasureContext) -> None:
    found = scores("monotone_share", context)
    assert [m.raw for m in found] == pytest.approx([3 / 6, 3 / 6, 1, 0])
    assert found[3].graded == pytest.approx(1.0)
    assert all(m.graded is not None and 0 <= m.graded <= 1 for m in found)


def test_a_marked_network_is_monotone_in_the_measured_sense_too() -> None:
    space = SearchSpace.for_problem(PROBLEM, "accurate")
    marked = [architecture_of(space, (0, 1), (2,), marks={"0": 1, "1": -1, "2": 1}) for _ in range(3)]
    found = scores("monotone_share", context_of(PROBLEM, marked))
    assert [m.value for m in found] == [1, 1, 1]
    assert [m.graded for m in found] == pytest.approx([1, 1, 1])


def test_operation_economy_is_logarithmic_in_the_space(context: MeasureContext) -> None:
    for found, known in zip(scores("operation_economy", context), context.facts):
        assert found.raw == known.operations
        expected = 1 - math.log(max(1, known.operations)) / math.log(known.max_operations)
        assert found.value == pytest.approx(expected)
    values = [m.value for m in scores("operation_economy", context)]
    assert values[3] == max(values)
    assert values[2] == min(values)


def test_additivity_is_exact_where_nothing_can_interact_and_estimated_elsewhere(context: MeasureContext) -> None:
    found = scores("additivity", context)
    assert (found[0].value, found[0].low, found[0].high) == (1, 1, 1)
    assert (found[3].value, found[3].raw) == (1, 0)
    for k in (1, 2):
        assert found[k].low < found[k].value < found[k].high
    assert context.effects.interaction_strength[[0, 3]] == pytest.approx([0, 0], abs=1e-3)  # measured, not assumed


def test_a_straight_line_is_the_simplest_curve(context: MeasureContext) -> None:
    found = scores("main_effect_simplicity", context)
    assert found[3].raw == pytest.approx(1)
    assert found[3].value == 1
    assert (found[3].low, found[3].high) == (1, 1)
    assert found[1].low < found[1].value < found[1].high


def test_a_candidate_that_is_not_finite_has_no_value_and_its_neighbours_keep_theirs(context: MeasureContext) -> None:
    clean = measure_pack(context)
    inner = context.model
    assert isinstance(inner, ModulePack)
    broken = measure_pack(context_of(PROBLEM, PACK, Scaled(inner, [1, np.nan, 1, 1])))
    for name in ("additivity", "main_effect_simplicity"):
        assert broken[1][name].value is None
        assert broken[1][name].reason == "its outputs are not finite numbers"
    for k in (0, 2, 3):
        assert broken[k] == clean[k]


def test_a_network_that_does_nothing_is_given_no_noise_to_be_scored_on(context: MeasureContext) -> None:
    inner = context.model
    assert isinstance(inner, ModulePack)
    found = measure_pack(context_of(PROBLEM, PACK, Scaled(inner, [0.0] * 4)))
    for k in range(4):
        assert found[k]["additivity"].raw == 0
        assert found[k]["main_effect_simplicity"].raw == 0
        assert found[k]["monotone_share"].graded is None


def test_without_trained_networks_only_the_structure_is_measured() -> None:
    known = [facts(SPACE, a) for a in PACK]
    found = measure_pack(MeasureContext(SPACE, PACK, known))
    for row in found:
        assert {name for name, m in row.items() if m.value is None} == {
            "additivity",
            "main_effect_simplicity",
            "tree_fidelity",
            "decision_path",
        }
        assert row["additivity"].reason == "it needs a trained network and held-out rows"
        assert row["monotone_share"].graded is None
    with pytest.raises(SettingsError, match="known by their structure only"):
        MEASURES["additivity"].score(MeasureContext(SPACE, PACK, known))


def test_several_classes_are_pooled() -> None:
    problem = toy_problem(classes=4)
    space = SearchSpace.for_problem(problem, "accurate")
    pack = [architecture_of(space, (0,), (5,)), architecture_of(space, (0, 1, 5))]
    context = context_of(problem, pack)
    assert context.effects.importances.shape == (2, 6, 4)
    assert [tuple(row) for row in measure_pack(context)] == [DEFAULT_MEASURES] * 2
    assert context.effects.interaction_strength[0] == pytest.approx(0, abs=1e-3)
    assert context.effects.interaction_strength[1] > 0.01


def test_the_rows_depend_on_the_problem_only() -> None:
    large = toy_problem(rows=6000)
    first, second = context_of(large, PACK[:1]), context_of(large, PACK)
    assert (first.rows == second.rows).all()
    assert len(first.rows) == 1000 < len(large.valid)
    assert not np.isnan(first.rows).any()
    assert sorted(map(tuple, context_of(PROBLEM, PACK).rows)) == sorted(map(tuple, PROBLEM.valid.X))


def test_an_ineligible_candidate_has_no_interpretability() -> None:
    found = undefined("no better than a constant")
    assert set(found) == set(DEFAULT_MEASURES)
    assert all(m.value is None and m.reason == "no better than a constant" for m in found.values())


def test_an_unknown_measure_is_refused(context: MeasureContext) -> None:
    with pytest.raises(SettingsError, match=r"no measure 'beauty'.*feature_parsimony"):
        measure_pack(context, ["beauty"])
    with pytest.raises(SettingsError, match="no measure 'beauty'"):
        undefined("x", ["beauty"])


def test_advice_names_numbers_and_features(context: MeasureContext) -> None:
    names = list(PROBLEM.feature_names)
    row = measure_pack(context)[1]

    def said(name: str) -> tuple[str, str]:
        advice = MEASURES[name].advise(MeasuredCandidate(PAIR, context.facts[1], row[name], names))
        return advice.state, advice.change

    assert said("feature_parsimony")[0] == "Uses 3 of 6 features."
    assert "0.167" in said("feature_parsimony")[1]
    assert said("interaction_sparsity") == (
        "1 of 15 pairs of features may interact.",
        "Split the group of n0, n1: giving one of its 2 features its own network raises this score by 0.0667.",
    )
    assert said("monotone_share")[0].startswith("0 of the 3 features used are monotone by construction.")
    assert "n0, n1, n2" in said("monotone_share")[1]
    assert "leave" in said("additivity")[0]
    assert "n0, n1" in said("additivity")[1]


@pytest.mark.parametrize("name", ["feature_parsimony", "interaction_sparsity", "operation_economy"])
def test_the_change_that_is_promised_raises_the_score_by_as_much(name: str) -> None:
    before, after = facts(SPACE, WHOLE), facts(SPACE, architecture_of(SPACE, (0, 1, 2, 3, 4), (5,), width=32))
    if name == "feature_parsimony":
        after = facts(SPACE, architecture_of(SPACE, (0, 1, 2, 3, 4), width=32))
    (low,), (high,) = (MEASURES[name].score(MeasureContext(SPACE, [WHOLE], [f])) for f in (before, after))
    promised = MEASURES[name].advise(MeasuredCandidate(WHOLE, before, low, list(PROBLEM.feature_names))).change
    number = float(promised.rstrip(".").split()[-1])
    assert high.value is not None
    assert low.value is not None
    if name == "operation_economy":
        halved = 1 - math.log(before.operations / 2) / math.log(before.max_operations)
        assert halved - low.value == pytest.approx(number, rel=0.01)
    else:
        assert high.value - low.value == pytest.approx(number, rel=0.01)
