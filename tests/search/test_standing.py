"""Standing agrees with the ranking a person sees, whatever the order of arrival."""

from __future__ import annotations

import hashlib
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.objectives import metric_objective
from nas_core.preferences import Goal, Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.search.archive import Archive
from nas_core.search.standing import INELIGIBLE, MEETS, Standing, best_and_others, from_best

AUC = metric_objective("roc_auc")
NAMES = ("feature_parsimony", "additivity")


def evaluation(at: int, value: float, scores: tuple[float, float], status: Status = Status.DONE) -> Evaluation:
    architecture = Architecture(family="toy", values={"at": at})
    return Evaluation(
        id=architecture.id, architecture=architecture, status=status, reason="" if status is Status.DONE else "test",
        performance=None if status is Status.FAILED else Estimate(value=value, low=value, high=value),
        measures={n: Measurement(value=s) for n, s in zip(NAMES, scores)} if status is Status.DONE else {},
        skill=Estimate(value=0.5, low=0.4, high=0.6) if status is Status.DONE else None,
    )  # fmt: skip


def test_equal_candidates_leave_the_same_front_in_any_order() -> None:
    same = [evaluation(at, 0.8, (0.5, 0.5)) for at in range(6)]
    fronts = set()
    for order in (same, same[::-1]):
        standing = Standing(AUC, Preference())
        for e in order:
            standing.add([e])
        fronts.add(standing.front)
    assert fronts == {(min(e.id for e in same),)}


def test_a_pruned_candidate_that_is_trained_to_the_end_takes_its_place() -> None:
    standing = Standing(AUC, Preference())
    early, late = evaluation(1, 0.9, (0.5, 0.5), Status.PRUNED), evaluation(1, 0.9, (0.5, 0.5))
    assert standing.add([early]) == [early.id]
    assert standing.key(early.id).kind == INELIGIBLE
    assert standing.add([early]) == []
    assert standing.add([late]) == [late.id]
    assert standing.key(early.id)[0] == 0
    assert standing.front == (late.id,)
    assert standing.add([late]) == standing.add([early]) == [], "an earlier state does not come back"
    assert standing.front == (late.id,)


unit = st.integers(0, 12).map(lambda k: k / 12)
told = st.lists(
    st.tuples(unit, unit, unit, st.sampled_from([Status.DONE, Status.DONE, Status.INELIGIBLE, Status.FAILED])),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(told, unit, st.randoms(use_true_random=False))
def test_keys_order_candidates_as_the_ranking_does(rows: list, weight: float, shuffler: Random) -> None:
    evaluations = [evaluation(at, value, (a, b), status) for at, (value, a, b, status) in enumerate(rows)]
    archive, wish = Archive(AUC, NAMES), Preference(weight=weight)
    archive.add(evaluations)
    ranking = archive.rank(wish)
    standing = Standing(AUC, wish)
    shuffler.shuffle(evaluations)
    for e in evaluations:
        standing.add([e])
    snapshot = archive.snapshot()
    for at, key in enumerate(snapshot.ids):
        group, scalar, _ = standing.key(key)
        assert (group == 0) == bool(snapshot.eligible[at])
        if group == 0:
            assert scalar == pytest.approx(ranking.score[at], abs=1e-12)
    assert set(standing.front) <= {snapshot.ids[at] for at in np.flatnonzero(ranking.on_front)}
    if ranking.best is not None:
        best = standing.best(list(snapshot.ids))
        assert standing.key(best)[1] == pytest.approx(ranking.score[ranking.best], abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(told, unit, st.lists(unit, min_size=0, max_size=2))
def test_looked_at_all_at_once_candidates_compare_as_one_by_one(rows: list, weight: float, goals: list) -> None:
    wanted = tuple(Goal(name=name, value=value) for name, value in zip(NAMES, goals))
    standing = Standing(AUC, Preference(weight=weight, goals=wanted))
    standing.add([evaluation(at, value, (a, b), status) for at, (value, a, b, status) in enumerate(rows)])
    keys = {c: standing.key(c) for c in standing.architectures}
    assert standing.scalars() == {c: key.scalar for c, key in keys.items() if key.kind == MEETS}, "to the last digit"
    assert standing.ranked() == sorted(standing.feasible, key=lambda c: (keys[c], c))


def test_another_preference_compares_anew() -> None:
    standing = Standing(AUC, Preference(weight=0.0))
    accurate, simple = evaluation(0, 0.9, (0.1, 0.1)), evaluation(1, 0.6, (0.9, 0.9))
    standing.add([accurate, simple])
    assert standing.best([accurate.id, simple.id]) == accurate.id
    standing.prefer(Preference(weight=1.0))
    assert standing.best([accurate.id, simple.id]) == simple.id
    assert standing.front == (accurate.id, simple.id)


def test_ineligible_comes_after_feasible_and_before_failed() -> None:
    standing = Standing(AUC, Preference())
    rows = [evaluation(0, 0.9, (1, 1), Status.FAILED), evaluation(1, 0.9, (1, 1), Status.INELIGIBLE),
            evaluation(2, 0.8, (1, 1), Status.INELIGIBLE), evaluation(3, 0.55, (0.1, 0.1))]  # fmt: skip
    standing.add(rows)
    assert sorted((e.id for e in rows), key=standing.key) == [rows[i].id for i in (3, 1, 2, 0)]


def test_without_measures_performance_alone_counts() -> None:
    standing = Standing(AUC, Preference(weight=0.7))
    plain = [evaluation(i, v, (0, 0)).model_copy(update={"measures": {}}) for i, v in enumerate((0.6, 0.9, 0.7))]
    standing.add(plain)
    assert standing.best([e.id for e in plain]) == plain[1].id
    assert standing.front == (plain[1].id,)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 2)), max_size=30), st.randoms())
def test_from_the_best_is_sorting_by_the_values_and_then_by_the_name(rows: list, shuffler: Random) -> None:
    names = [f"{at:04x}" for at in range(len(rows))]
    shuffler.shuffle(names)
    values = [np.array([row[at] for row in rows], dtype=float) for at in range(3)]
    assert from_best(names, *values) == [name for _, name in sorted(zip(rows, names, strict=True))]


def test_the_others_beside_the_best_are_the_same_ones_when_more_are_told() -> None:
    ids = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(400)]
    few, many = best_and_others(ids[:380], 40), best_and_others(ids, 40)
    assert few[:20] == many[:20] == ids[:20]
    assert len(set(many)) == len(many) == 40
    assert len(set(few[20:]) & set(many[20:])) >= 15
    assert 50 < np.mean([ids.index(one) - 20 for one in many[20:]]) < 330, "of all ranks"
    assert best_and_others(ids[:40], 40) == ids[:40]
