"""Rankings, standings and populations under goals: feasibility first, the nearest where nobody meets them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_standing import AUC, NAMES, evaluation

from nas_core.preferences import Goal, Preference, interpretability, tchebycheff
from nas_core.records import Status
from nas_core.search import Archive, Snapshot, goal_report
from nas_core.search.limits import Limits
from nas_core.search.population import Member, Population
from nas_core.search.standing import Standing

unit = st.integers(0, 8).map(lambda k: k / 8)
status = st.sampled_from([Status.DONE, Status.DONE, Status.DONE, Status.INELIGIBLE, Status.FAILED])
rows = st.lists(st.tuples(unit, unit, unit, status), min_size=1, max_size=14)
goal_lists = st.lists(
    st.builds(Goal, name=st.sampled_from(["performance", "interpretability", *NAMES]), value=unit),
    max_size=3, unique_by=lambda goal: goal.name,
).map(tuple)  # fmt: skip


def snapshot_of(given_rows: list) -> Snapshot:
    archive = Archive(AUC, NAMES)
    return archive.add([evaluation(at, v, (a, b), s) for at, (v, a, b, s) in enumerate(given_rows)])


def slow_order(snapshot: Snapshot, wish: Preference, among: np.ndarray) -> list[int]:
    """The slow twin: candidates compared one by one in plain Python."""
    n = len(snapshot)
    mean = interpretability(snapshot.measures, wish.vector(NAMES))
    pair = [(float(snapshot.performance_loss[k]), float(1.0 - mean[k])) for k in range(n)]
    able = [k for k in range(n) if snapshot.eligible[k]]

    def missed(k: int) -> float:
        total = 0.0
        for goal in wish.goals:
            own = {"performance": pair[k][0], "interpretability": pair[k][1]}
            loss = own[goal.name] if goal.name in own else 1.0 - float(snapshot.measure(goal.name)[k])
            total += max(0.0, loss - (1.0 - goal.value))  # of AUC the loss is 1 − AUC
        return total

    counting = [k for k in able if among[k]] or able
    least = min((missed(k) for k in counting), default=0.0)
    nearest = [k for k in counting if missed(k) == least]

    def beaten(k: int) -> bool:
        return any(pair[j] != pair[k] and pair[j][0] <= pair[k][0] and pair[j][1] <= pair[k][1] for j in nearest)

    front = [k for k in nearest if not beaten(k)]
    ideal = [min((pair[k][i] for k in front), default=0.0) for i in (0, 1)]
    span = [max((pair[k][i] for k in front), default=0.0) - ideal[i] for i in (0, 1)]
    scale = [s if s > 1e-9 else 1.0 for s in span]

    def key(k: int) -> tuple:
        if k not in able:
            return (2, 0, 0.0, 0.0, 0.0, True, k)
        scaled = np.array([[(pair[k][i] - ideal[i]) / scale[i] for i in (0, 1)]])
        score = float(tchebycheff(scaled, wish.weight)[0])
        return (int(k not in able), int(k not in counting), missed(k), score, sum(pair[k]), k not in front, k)

    return sorted(range(n), key=key)


@settings(max_examples=150, deadline=None)
@given(rows, goal_lists, unit, st.data())
def test_the_order_is_that_of_comparing_one_by_one(
    given_rows: list, goals: tuple, weight: float, data: st.DataObject
) -> None:
    snapshot, wish = snapshot_of(given_rows), Preference(weight=weight, goals=goals)
    among = data.draw(arrays(bool, len(given_rows)))
    ranking = snapshot.rank(wish, among)
    able = snapshot.eligible
    assert ranking.order[: able.sum()].tolist() == slow_order(snapshot, wish, among)[: able.sum()]
    assert not able[ranking.order[able.sum() :]].any()
    counting = able & among if (able & among).any() else able
    assert (ranking.best is None) == (not able.any())
    if ranking.best is not None:
        assert ranking.leaders[ranking.best]
        assert counting[ranking.best]
        assert ranking.violation[ranking.best] == ranking.violation[counting].min()
    assert (ranking.meets == (able & (ranking.violation == 0.0))).all()
    assert not (ranking.on_front | ranking.leaders)[~counting].any()


@settings(max_examples=100, deadline=None)
@given(rows, goal_lists, st.lists(st.floats(0.0, 1.0), max_size=8))
def test_who_wins_agrees_with_the_ranking(given_rows: list, goals: tuple, weights: list[float]) -> None:
    snapshot, wish = snapshot_of(given_rows), Preference(goals=goals)
    intervals = snapshot.rank(wish).winners()
    assert (intervals == []) == (not snapshot.eligible.any())
    for weight in [*weights, *(0.5 * (i.low + i.high) for i in intervals)] if intervals else []:
        ranking = snapshot.rank(wish.model_copy(update={"weight": weight}))
        winner = next(i for i in intervals if i.low <= weight <= i.high).position
        assert ranking.leaders[winner]
        assert ranking.score[winner] <= ranking.score[ranking.best] + 1e-9
        assert ranking.violation[winner] == ranking.violation[ranking.best]
    if intervals and not snapshot.rank(wish).meets.any():
        missed = snapshot.rank(wish).violation
        assert len(intervals) <= (missed == missed.min()).sum()


def test_one_nearest_candidate_wins_at_every_weight() -> None:
    snapshot = snapshot_of([(0.9, 0.2, 0.2, Status.DONE), (0.6, 0.8, 0.8, Status.DONE)])
    goals = (Goal(name="performance", value=0.95),)
    assert [(i.position, i.low, i.high) for i in snapshot.rank(Preference(goals=goals)).winners()] == [(0, 0.0, 1.0)]


@settings(max_examples=100, deadline=None)
@given(rows, goal_lists, unit, st.randoms(use_true_random=False))
def test_standing_compares_as_the_ranking_does(given_rows: list, goals: tuple, weight: float, order: Random) -> None:
    snapshot, wish = snapshot_of(given_rows), Preference(weight=weight, goals=goals)
    ranking, standing = snapshot.rank(wish), Standing(AUC, wish)
    told = [evaluation(at, v, (a, b), s) for at, (v, a, b, s) in enumerate(given_rows)]
    order.shuffle(told)
    for e in told:
        standing.add([e])
    for at, candidate in enumerate(snapshot.ids):
        kind, scalar, tie = standing.key(candidate)
        assert kind == (0 if ranking.meets[at] else 1) if snapshot.eligible[at] else kind >= 2
        if snapshot.eligible[at]:
            assert standing.meets(candidate) == ranking.meets[at]
            assert (scalar if kind == 0 else tie) == pytest.approx(ranking.score[at], abs=1e-12)
            assert kind == 0 or scalar == ranking.violation[at]
    assert set(standing.front) <= {snapshot.ids[at] for at in np.flatnonzero(ranking.leaders)}
    if ranking.best is not None:
        best = snapshot.position(standing.best(list(snapshot.ids)))
        assert ranking.violation[best] == ranking.violation[ranking.best]
        assert ranking.score[best] == pytest.approx(ranking.score[ranking.best], abs=1e-12)
    again = Standing(AUC, Preference())
    again.add(told)
    again.prefer(wish)
    assert [again.key(c) for c in snapshot.ids] == [standing.key(c) for c in snapshot.ids]


@settings(max_examples=100, deadline=None)
@given(rows, goal_lists, unit)
def test_a_population_puts_violators_behind_all_fronts(given_rows: list, goals: tuple, weight: float) -> None:
    snapshot, wish = snapshot_of(given_rows), Preference(weight=weight, goals=goals)
    ranking = snapshot.rank(wish)
    told = [evaluation(at, v, (a, b), s) for at, (v, a, b, s) in enumerate(given_rows)]
    members = [Member.of(e, AUC, ("additivity",)) for e in told]
    population = Population.of(members, wish, Limits.of(goals, AUC))
    at = [snapshot.position(m.architecture.id) for m in population.members]
    missed = np.where(snapshot.eligible, ranking.violation, np.inf)[at]
    assert (np.diff(missed[np.isfinite(missed)]) >= 0).all()
    assert np.isinf(missed[np.isfinite(missed).sum() :]).all()
    assert len(set(population.rank[missed == 0.0]) & set(population.rank[missed > 0.0])) == 0
    np.testing.assert_allclose(population.score, ranking.score[at], atol=1e-12)
    half = Population.select(members, max(1, len(members) // 2), wish, Limits.of(goals, AUC))
    kept = {m.architecture.id for m in half.members}
    assert max((missed[k] for k, m in enumerate(population.members) if m.architecture.id in kept)) <= min(
        (missed[k] for k, m in enumerate(population.members) if m.architecture.id not in kept), default=np.inf
    )


def test_those_that_do_not_count_are_never_the_best_unless_nothing_else_is_there() -> None:
    snapshot = snapshot_of([(0.9, 0.9, 0.9, Status.DONE), (0.6, 0.1, 0.1, Status.DONE), (0.9, 1, 1, Status.FAILED)])
    wish = Preference()
    assert snapshot.rank(wish).order.tolist() == [0, 1, 2]
    assert snapshot.rank(wish, np.array([False, True, True])).order.tolist() == [1, 0, 2]
    assert snapshot.rank(wish, np.array([False, False, True])).best == 0
    assert Archive(AUC, NAMES).rank(wish, np.empty(0, bool)).best is None


def test_the_report_says_who_meets_the_goals_or_what_the_nearest_lacks() -> None:
    told = [(0.941, 0.9, 0.2, Status.DONE), (0.7, 0.9, 0.9, Status.DONE), (0.99, 1, 1, Status.FAILED)]
    snapshot = snapshot_of(told)

    def report(*goals: Goal) -> tuple:
        ranking = snapshot.rank(Preference(goals=goals))
        return goal_report(snapshot, ranking), goal_report(snapshot, ranking).sentence(AUC)

    found, words = report(Goal(name="performance", value=0.95), Goal(name="additivity", value=0.25))
    assert words == "No candidate meets the goals; nearest: #0, ROC AUC 0.941 (goal 0.95), additivity 0.2 (goal 0.25)."
    assert (found.met, found.eligible, [line.met for line in found.lines]) == (0, 2, [0, 1])
    assert found.lines[0].lacks == pytest.approx(0.009)
    assert [line.best for line in found.lines] == [0.941, 0.9]
    found, words = report(Goal(name="performance", value=0.7), Goal(name="feature_parsimony", value=0.9))
    assert words.startswith("2 of 2 candidates meet both goals; best: #")
    assert [line.lacks for line in found.lines] == [0.0, 0.0]
    assert "ROC AUC 0.941 (goal 0.9411)" in report(Goal(name="performance", value=0.9411))[1]
    assert report()[1] == "There are no goals."
    empty = Archive(AUC, NAMES).snapshot()
    nobody = goal_report(empty, empty.rank(Preference(goals=(Goal(name="performance", value=0.9),))))
    assert nobody.sentence(AUC) == "No candidate can be compared with the goal yet."
    assert nobody.lines[0].best is None
