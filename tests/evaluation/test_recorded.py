"""Recorded tables: every distinct row an architecture, and clear words about tables that are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nas_core.errors import DataError, SettingsError
from nas_core.evaluation.recorded import RecordedEvaluator, RecordedTable
from nas_core.records import Proposal
from nas_core.runs.benchmark import replay
from nas_core.search import STRATEGIES


def small(**columns: list) -> pd.DataFrame:
    table = {"a": ["x", "x", "y", "y", "x"], "b": [1, 2, 1, 2, 1], "seen": [0.1, 0.4, 0.2, 0.9, 0.3],
             "shown": [1.0, 4.0, 2.0, 9.0, 3.0]}  # fmt: skip
    return pd.DataFrame(table | columns)


def grid(n: int = 4, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    codes = np.stack(np.meshgrid(*[np.arange(n)] * 4), axis=-1).reshape(-1, 4)
    good = -((codes - [1, 2, 3, 0]) ** 2).sum(axis=1)
    frame = pd.DataFrame(codes, columns=list("abcd"))
    return frame.assign(seen=good + rng.normal(0, 0.1, len(codes)), shown=10.0 * good)


def test_rows_of_one_architecture_are_averaged_and_neighbours_differ_in_one_variable() -> None:
    table = RecordedTable(small(), ["a", "b"], "seen", "shown")
    assert len(table) == 4
    assert table.levels == (("x", "y"), (1, 2))
    assert table.searched[table.position[(0, 0)]] == pytest.approx(0.2)
    assert table.reported[table.position[(0, 0)]] == pytest.approx(2.0)
    here = table.architecture(table.position[(0, 0)])
    assert [a.values for a in table.neighbours(here)] == [{"a": "y", "b": 1}, {"a": "x", "b": 2}]
    assert table.encode(here).tolist() == [1, 0, 1, 0]


def test_a_neighbour_that_is_not_in_the_table_is_no_neighbour() -> None:
    frame = small().iloc[:3]  # (y, 2) is missing
    table = RecordedTable(frame, ["a", "b"], "seen", "shown")
    near = [a.values for a in table.neighbours(table.architecture(table.position[(1, 0)]))]
    assert near == [{"a": "x", "b": 1}]
    rng = np.random.default_rng(0)
    everything = [table.architecture(i) for i in range(3)]
    assert all(table.crossover(a, b, rng) in everything for a in everything for b in everything)


def test_the_evaluator_tells_the_searched_column_alone() -> None:
    table = RecordedTable(grid(), list("abcd"), "seen", "shown")
    rng = np.random.default_rng(0)
    proposals = [Proposal(architecture=table.sample(rng)) for _ in range(5)]
    found = list(RecordedEvaluator(table).evaluate(proposals, stop=_Never()))
    for e in found:
        assert e.performance.value == pytest.approx(table.searched[table.place(e.architecture)])
    assert table.objective.loss(table.searched.max()) == 0.0
    assert table.objective.loss(table.searched.min()) == 1.0


def test_smaller_can_be_better() -> None:
    frame = grid()
    frame["cost"] = -frame["seen"]
    up = replay(RecordedTable(frame, list("abcd"), "seen", "shown"), ["local_search"], budget=40, trials=4)[0]
    down = replay(
        RecordedTable(frame, list("abcd"), "cost", "shown", minimise=True), ["local_search"], budget=40, trials=4
    )[0]
    assert up.curve == down.curve


def test_a_replay_depends_on_the_seed_and_on_nothing_else() -> None:
    table = RecordedTable(grid(), list("abcd"), "seen", "shown")
    one = replay(table, ["random", "local_search"], budget=20, trials=30, seed=3)
    alone = replay(table, ["local_search"], budget=20, trials=30, seed=3, workers=2)
    other = replay(table, ["local_search"], budget=20, trials=30, seed=4)
    assert one[1].curve == alone[0].curve != other[0].curve
    assert one[1].mean == one[1].curve[-1] > one[0].mean
    assert all(a <= b + 5 for a, b in zip(one[1].curve, one[1].curve[1:]))  # the searched column decides, not this one


def test_a_budget_beyond_the_table_ends_at_its_best() -> None:
    table = RecordedTable(small(), ["a", "b"], "seen", "shown")
    for found in replay(table, ["random", "regularised_evolution", "local_search", "nsga2"], budget=10, trials=3):
        assert found.curve[3:] == (9.0,) * 7
        assert found.standard_error == 0.0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_replays_every_table(strategy: str) -> None:
    two = RecordedTable(small().iloc[:2], ["b"], "seen", "shown")
    (found,) = replay(two, [strategy], budget=4, trials=2)
    assert found.curve[1:] == (4.0,) * 3  # two rows, and a budget beyond them
    flat = RecordedTable(grid(3).assign(seen=0.5, same="x"), [*"abcd", "same"], "seen", "shown")
    (found,) = replay(flat, [strategy], budget=24, trials=2)  # nothing to learn, and a variable that never varies
    assert all(np.isfinite(found.curve))


def test_levels_may_be_of_any_kind_and_combinations_may_be_missing() -> None:
    plain = grid(3)
    frame = plain.assign(a=plain["a"] / 8, b=plain["b"] == 1, c=plain["c"].map("xyz".__getitem__))
    table = RecordedTable(frame.iloc[1::2], list("abcd"), "seen", "shown")
    assert table.levels == ((0.0, 0.125, 0.25), (False, True), ("x", "y", "z"), (0, 1, 2))
    for name, found in zip(STRATEGIES, replay(table, list(STRATEGIES), budget=30, trials=2)):
        assert table.reported.min() <= found.mean <= table.reported.max(), name


@pytest.mark.parametrize(
    ("change", "variables", "said"),
    [
        ({}, ["a", "c"], "no column 'c'.*a, b, seen, shown"),
        ({}, ["a", "a"], r"variables are \['a', 'a'\]"),
        ({}, ["a", "seen"], "'seen' is a variable and a result"),
        ({"seen": [1, 2, None, 4, 5]}, ["a", "b"], "'seen' is 'nan' in row 3.*finite"),
        ({"shown": [1, 2, 3, "lots", 5]}, ["a", "b"], "'shown' is 'lots' in row 4"),
        ({"b": [1, None, 2, 2, 2]}, ["a", "b"], "'b' has missing values"),
        ({"a": ["x"] * 5}, ["a"], "one architecture only"),
    ],
)
def test_a_table_that_is_none_is_refused_in_words(change: dict, variables: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        RecordedTable(small(**change), variables, "seen", "shown")


@pytest.mark.parametrize(("wrong", "said"), [({"trials": 1}, "trials is 1.*2 or more"), ({"budget": 0}, "budget is 0")])
def test_numbers_too_small_are_refused(wrong: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        replay(RecordedTable(small(), ["a", "b"], "seen", "shown"), ["random"], **wrong)


class _Never:
    def is_set(self) -> bool:
        return False
