"""What was not trained: structural measures are those of an evaluation, predictions hold what is then measured."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.comparison.chosen import picked, suggested
from nas_core.comparison.expected import EXACT, FEWEST, Evidence, _undominated, exact_measures, expected
from nas_core.data import Problem, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.objectives import metric_objective
from nas_core.preferences import Preference, interpretability
from nas_core.records import Evaluation, Proposal
from nas_core.search import Archive
from nas_core.spaces import SearchSpace

NAMES = ("feature_parsimony", "interaction_sparsity", "additivity", "monotone_share", "operation_economy")


@pytest.fixture(scope="module")
def wine() -> tuple[SearchSpace, list[Evaluation]]:
    space = SearchSpace.for_problem(Problem.create(load_data("wine")))
    drawn = {a.id: a for a in (space.sample(np.random.default_rng(i)) for i in range(160))}
    evaluator = SyntheticEvaluator(space)
    return space, list(evaluator.evaluate([Proposal(architecture=a) for a in drawn.values()], stop=threading.Event()))


def evidence(space: SearchSpace, found: list[Evaluation]) -> Evidence:
    scores = [[np.nan if (v := e.measures[n].value) is None else v for n in NAMES] for e in found]
    return Evidence(
        np.stack([space.encode(e.architecture) for e in found]), np.array([e.performance.value for e in found]),
        np.array(scores), NAMES,
    )  # fmt: skip


def test_structural_measures_are_those_of_an_evaluation(wine: tuple[SearchSpace, list[Evaluation]]) -> None:
    space, found = wine
    told = exact_measures(space, [e.architecture for e in found], NAMES)
    for e, known in zip(found, told):
        assert known.keys() == set(EXACT)
        for name, value in known.items():
            assert value == pytest.approx(e.measures[name].value)
    assert exact_measures(space, [], NAMES) == []


def test_predictions_hold_what_is_measured_about_as_often_as_they_say(
    wine: tuple[SearchSpace, list[Evaluation]],
) -> None:
    space, found = wine
    known, asked = found[:110], found[110:]
    told = expected(space, [e.architecture for e in asked], evidence(space, known), Preference())
    measured = np.array([e.performance.value for e in asked])
    inside = np.mean([t.performance.low <= m <= t.performance.high for t, m in zip(told, measured)])
    assert inside >= 0.85
    middle = np.array([t.performance.value for t in told])
    assert np.corrcoef(middle, measured)[0, 1] > 0.5
    whole = interpretability(evidence(space, asked).measures, Preference().vector(NAMES))
    assert np.mean([t.interpretability.low <= w <= t.interpretability.high for t, w in zip(told, whole)]) >= 0.8
    assert told[0].skill > 0.3
    assert told[0].learned_from == 110


def test_interpretability_of_structure_alone_is_no_prediction(wine: tuple[SearchSpace, list[Evaluation]]) -> None:
    space, found = wine
    only = Preference(measures={"feature_parsimony": 1.0})
    told = expected(space, [found[-1].architecture], evidence(space, found[:40]), only)[0].interpretability
    assert told.low == told.high == told.value
    true = interpretability(evidence(space, found[-1:]).measures, only.vector(NAMES))[0]
    assert told.value == pytest.approx(true)


def test_with_too_little_evidence_nothing_is_predicted(wine: tuple[SearchSpace, list[Evaluation]]) -> None:
    space, found = wine
    told = expected(space, [found[-1].architecture], evidence(space, found[: FEWEST - 1]), Preference())[0]
    assert (told.performance, told.interpretability, told.skill) == (None, None, None)
    assert told.exact.keys() == set(EXACT)


def archive(found: list[Evaluation]) -> Archive:
    kept = Archive(metric_objective("roc_auc"), NAMES, baseline=0.5)
    kept.add(found)
    return kept


def test_the_suggested_candidates_are_the_winners_at_three_weights(
    wine: tuple[SearchSpace, list[Evaluation]],
) -> None:
    snapshot = archive(wine[1]).snapshot()
    picks = suggested(snapshot.rank(Preference()))
    assert len({p.position for p in picks}) == len(picks) >= 2
    for pick in picks:
        for weight in pick.weights:
            assert snapshot.rank(Preference(weight=weight)).best == pick.position
    assert sorted(w for p in picks for w in p.weights) == [0.2, 0.5, 0.8]


def test_without_candidates_nothing_is_suggested_and_one_is_suggested_alone(
    wine: tuple[SearchSpace, list[Evaluation]],
) -> None:
    assert suggested(archive([]).snapshot().rank(Preference())) == ()
    (only,) = suggested(archive(wine[1][:1]).snapshot().rank(Preference()))
    assert only.position == 0
    assert picked(archive([]).snapshot().rank(Preference())) == ()


def test_the_chance_of_being_on_the_front_is_the_share_of_draws_that_nothing_dominates(
    wine: tuple[SearchSpace, list[Evaluation]],
) -> None:
    space, found = wine
    told = expected(space, [e.architecture for e in found[:20]], evidence(space, found[20:]), Preference())
    assert all(0.0 <= e.on_front <= 1.0 for e in told)
    assert len({e.on_front for e in told}) > 3
    few = expected(space, [found[0].architecture], evidence(space, found[1:FEWEST]), Preference())[0]
    assert few.on_front is None


@given(
    st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=1, max_size=12),
    st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")])] * 2), max_size=12),
)
def test_undominated_draws_are_counted_one_by_one(draws: list[tuple[int, int]], present: list[tuple]) -> None:
    def dominates(a: tuple, b: tuple) -> bool:
        return all(x >= y for x, y in zip(a, b)) and any(x > y for x, y in zip(a, b))

    there = [p for p in present if not any(np.isnan(v) for v in p)]
    slow = sum(not any(dominates(p, d) for p in there) for d in draws) / len(draws)
    fast = _undominated(np.array(draws, float), np.array(present, float).reshape(-1, 2))
    assert fast == pytest.approx(slow)
