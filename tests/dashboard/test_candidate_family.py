"""Lineage, ties, the way along the front and the list of rows: bounded, complete, and in the right order."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import RUN, recorded_run, run_problem

from dashboard.views.along import along_front
from dashboard.views.honesty import honesty_badges, measured_badge, tied
from dashboard.views.lineage import ANCESTORS, DESCENDANTS, lineage, lineage_view
from dashboard.views.rows import RowTable, disagreement, listed, row_table
from nas_core.objectives import metric_objective
from nas_core.preferences import Preference
from nas_core.records import Estimate, Evaluation, Status
from nas_core.runs.viewer import follow
from nas_core.spaces import SearchSpace

STORE, FOUND = recorded_run(count=10)
ONE = next(e for e in FOUND if e.eligible)
SPACE = SearchSpace.model_validate(STORE.run(RUN).space)
AUC = metric_objective("roc_auc")


def made(number: int, parents: tuple[str, ...] = (), **changes: object) -> Evaluation:
    return ONE.model_copy(update={"id": f"{number:016x}", "index": number, "parents": parents, **changes})


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=30))
def test_a_lineage_is_what_a_slow_search_reaches(links: list[tuple[int, int]]) -> None:
    family = [made(i, tuple({f"{p:016x}" for p in pair if p < i})) for i, pair in enumerate(links)]
    by_id = {e.id: e for e in family}
    one = family[len(family) // 2].id

    def older(i: str) -> set[str]:
        return {p for q in by_id[i].parents for p in ({q} | older(q))}

    ancestors, descendants, more, fewer = lineage(family, one)
    assert set(ancestors) == older(one)
    assert set(descendants) == {e.id for e in family if one in older(e.id)}
    assert (more, fewer) == (0, 0)


def test_a_run_of_ten_thousand_is_bounded_and_quick() -> None:
    family = [made(0)]
    for i in range(1, 10_000):
        family.append(made(i, (family[i - 1 if i < 300 else 299].id,)))
    began = time.process_time()
    ancestors, descendants, older, younger = lineage(family, family[299].id)
    assert time.process_time() - began < 2
    assert (len(ancestors), older) == (ANCESTORS, 299 - ANCESTORS)
    assert (len(descendants), younger) == (DESCENDANTS, 9_700 - DESCENDANTS)
    assert ancestors[0] == family[298].id


def test_steps_tell_what_changed() -> None:
    first = ONE
    other = next(e for e in FOUND if e.eligible and e.id != ONE.id)
    child = other.model_copy(update={"parents": (first.id,), "operator": "drop_feature", "inherited": first.id})
    view = lineage_view([first, child], child.id, {first.id: 0.5, child.id: 0.75}, AUC, SPACE)
    (edge,) = view.edges
    assert (edge.parent, edge.child) == (first.id, child.id)
    assert edge.operator == "by drop feature"
    assert edge.interpretability == "+0.250"
    assert edge.inherited
    assert edge.changes
    assert edge.better == (child.performance.value > first.performance.value)
    assert {n.kind for n in view.nodes} == {"self", "ancestor"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"operator": "warm start: old-run"}, "warm start from the run old-run"),
        ({"operator": "drawn", "origin": "manual"}, "drawn by hand"),
    ],
)
def test_where_the_first_came_from_is_told(changes: dict[str, str], words: str) -> None:
    one = made(1, (), **changes)
    assert words in lineage_view([one], one.id, {}, AUC, SPACE).beginning[0]


def test_ties_are_those_within_the_interval_the_nearest_first() -> None:
    values = (0.80, 0.86, 0.91, 0.97)
    front = [made(i, performance=Estimate(value=v, low=v - 0.06, high=v + 0.06)) for i, v in enumerate(values, start=1)]
    assert [e.index for e in tied(front[1], front)] == [3, 1]
    words = [b.words for b in honesty_badges(front[1], front, AUC, epochs=None, trust=None, audited=None)]
    assert "± 0.06, ties #3 + 2" in words or "± 0.060, ties #3 + 2" in words
    assert tied(front[3], front[:1]) == []


@pytest.mark.parametrize(
    ("changes", "told", "words"),
    [
        ({}, {}, "eligible"),
        ({"status": Status.PRUNED, "curves": {"train_loss": [1.0, 0.5]}}, {}, "stopped after 2 epochs"),
        ({"curves": {"train_loss": [1.0, 0.5]}}, {"epochs": 9}, "early stop, 2 epochs"),
        ({"inherited": "f" * 16}, {}, "inherited weights"),
        ({}, {"trust": "failed"}, "do not trust explanation"),
        ({}, {"trust": "passed"}, "explanation checked"),
        ({}, {"audited": True}, "held with other seeds"),
        ({}, {"audited": False}, "lost with other seeds"),
        ({"status": Status.INELIGIBLE, "performance": None}, {}, "not eligible"),
    ],
)
def test_badges_say_what_is_known(changes: dict, told: dict, words: str) -> None:
    wanted = {"epochs": None, "trust": None, "audited": None, **told}
    badges = honesty_badges(made(1, (), **changes), [], AUC, **wanted)
    assert words in [b.words for b in badges]
    assert all(b.help for b in badges)
    assert measured_badge(1200, "ROC AUC").words == "1,200 rows"


def test_neighbours_lie_along_the_front() -> None:
    snapshot = follow(STORE, RUN).snapshot
    ranking = snapshot.rank(Preference(weight=0.5))
    views = {i: along_front(snapshot, ranking, i) for i in snapshot.ids}
    front = next(iter(views.values())).front
    assert set(front) == {i for i, on in zip(snapshot.ids, ranking.on_front) if on}
    for place, i in enumerate(front):
        view = views[i]
        assert view.place == place + 1
        assert (view.previous or (None,))[0] == (front[place - 1] if place else None)
        assert (view.next or (None,))[0] == (front[place + 1] if place + 1 < len(front) else None)
    off = next(i for i, on in zip(snapshot.ids, ranking.on_front) if not on)
    assert views[off].place is None
    assert views[off].previous or views[off].next


def test_the_list_of_rows_holds_the_chosen_and_the_most_wrong() -> None:
    rng = np.random.default_rng(0)
    n = 5_000
    table = RowTable(np.arange(n) * 2, np.zeros(n), np.zeros(n), None, rng.random(n), rng.random(n), (), "y")
    offered = listed(table, 4_242)
    assert len(offered) <= 301
    assert offered == sorted(set(offered))
    assert {4_242, int(table.rows[table.error.argmax()]), int(table.rows[table.doubt.argmax()])} <= set(offered)
    few = replace(table, rows=table.rows[:9])
    assert listed(few, 0) == list(range(0, 18, 2))


def test_rows_tell_errors_as_the_metrics_see_them() -> None:
    problem = run_problem("iris")
    predicted = np.random.default_rng(1).normal(size=(len(problem.valid), 3))
    table = row_table(problem, predicted)
    shares = np.exp(predicted) / np.exp(predicted).sum(1, keepdims=True)
    y = problem.dataset.y[problem.valid.rows]
    assert np.allclose(table.error, 1 - shares[np.arange(len(y)), y])
    assert np.array_equal(table.predicted, predicted.argmax(1))
    assert disagreement(table, table).max() == 0
    other = row_table(problem, -predicted)
    assert table.shares is not None
    assert other.shares is not None
    assert np.allclose(disagreement(table, other), np.maximum(table.shares - other.shares, 0).sum(1))
    assert (disagreement(table, other) <= 1).all()
