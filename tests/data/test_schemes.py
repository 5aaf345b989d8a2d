"""Splits by group and by time: nothing straddles, the order holds, and what cannot be split is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.data import Dataset, Problem, ProblemSpec, SplitScheme, dataset_from_frame, load_data, split
from nas_core.data.columns import aside_column
from nas_core.data.splits import MANY_GROUPS
from nas_core.errors import DataError

GROUP = SplitScheme(kind="group", column="key")
TIME = SplitScheme(kind="time", column="key")
SHARES = (0.6, 0.2, 0.2)


def table(key: object, y: object, seed: int = 0) -> Dataset:
    key = pd.Series(key)
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=len(key)), "key": key, "target": y})
    return dataset_from_frame(frame, "target", aside="key")


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=3, max_size=40), seed=st.integers(0, 2**40),
    missing=st.booleans(),
)  # fmt: skip
def test_a_group_never_straddles(sizes: list[int], seed: int, missing: bool) -> None:
    rng = np.random.default_rng(seed)
    key = rng.permutation(np.repeat([f"g{k}" for k in range(len(sizes))], sizes)).astype(object)
    if missing:
        key[key == "g0"] = None
    if len(key) < 10:
        return
    data = table(key, rng.normal(size=len(key)))
    parts = split(data, seed, SHARES, GROUP)
    together = np.concatenate([parts.train, parts.valid, parts.test])
    assert np.array_equal(np.sort(together), np.arange(len(key)))
    groups = [set(pd.Series(key[rows]).fillna("none")) for rows in (parts.train, parts.valid, parts.test)]
    assert all(groups)
    assert sum(map(len, groups)) == len(set.union(*groups))
    largest = max(np.unique(pd.Series(key).fillna("none"), return_counts=True)[1])
    assert abs(len(parts.train) - 0.6 * len(key)) <= largest + 2
    again = split(data, seed, SHARES, GROUP)
    assert np.array_equal(again.train, parts.train)


def test_groups_are_dealt_so_that_classes_keep_their_shares() -> None:
    rng = np.random.default_rng(0)
    key = np.repeat(np.arange(200), 10)
    y = np.where(rng.random(2000) < np.repeat(rng.choice([0.05, 0.6], 200), 10), "yes", "no")
    parts = split(table(key, y), 3, SHARES, GROUP)
    share = [np.mean(y[rows] == "yes") for rows in (parts.train, parts.valid, parts.test)]
    assert np.allclose(share, np.mean(y == "yes"), atol=0.02)
    assert [len(rows) for rows in (parts.train, parts.valid, parts.test)] == pytest.approx([1200, 400, 400], abs=10)


def test_very_many_groups_are_split_too() -> None:
    key = np.repeat(np.arange(MANY_GROUPS + 500), 2)
    parts = split(table(key, np.random.default_rng(0).normal(size=len(key))), 0, SHARES, GROUP)
    assert len(parts.train) == pytest.approx(0.6 * len(key), abs=3)
    assert not set(key[parts.train]) & set(key[parts.test])


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1000), n=st.integers(12, 200), times=st.integers(3, 40))
def test_the_past_comes_before_the_future(seed: int, n: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    key = rng.integers(0, times, n)
    key[:3] = [0, 1, 2]
    parts = split(table(key, rng.normal(size=n)), seed, SHARES, TIME)
    assert key[parts.train].max() < key[parts.valid].min() <= key[parts.valid].max() < key[parts.test].min()
    # the cut is the one nearest to the share among those that leave a time to validation and one to test
    ends = np.cumsum(np.unique(key, return_counts=True)[1])[:-2]
    assert abs(len(parts.train) - 0.6 * n) == pytest.approx(np.abs(ends - 0.6 * n).min())
    other = split(table(key, rng.normal(size=n)), seed + 1, SHARES, TIME)
    assert np.array_equal(parts.valid, other.valid)


def test_rows_are_their_own_order_without_a_column() -> None:
    parts = split(load_data("diabetes"), 0, SHARES, SplitScheme(kind="time"))
    assert parts.train.tolist() == list(range(265))
    assert parts.test[0] == parts.valid[-1] + 1


def test_a_declared_test_part_stays() -> None:
    data = replace(table(np.arange(60) // 3, np.arange(60.0)), held_out=np.arange(40, 60))
    for scheme in (GROUP, TIME):
        parts = split(data, 0, SHARES, scheme)
        assert parts.test.tolist() == list(range(40, 60))
        assert len(parts.train) == pytest.approx(30, abs=3)


@pytest.mark.parametrize(
    ("values", "ordered", "reason"),
    [
        (["2024-02-01", "2024-01-15", "2024-03-01"], [1, 0, 2], ""),
        (["1.2.2024", "15.1.2024", None], [1, 0, -1], ""),
        (["31/1/2024", "1/2/2024", "2/3/2024"], [0, 1, 2], ""),
        ([3.5, 1.0, 3.5], [1, 0, 1], ""),
        (["10", "9", "100"], [1, 0, 2], ""),
        (list(pd.to_datetime(["2024-02-01", "2024-01-15", "2024-03-01"])), [1, 0, 2], ""),
        (["1/2/2024", "2/1/2024", "3/3/2024"], None, "as day/month and as month/day"),
        (["2024-01-01", "soon", "2024-03-01"], None, "holds 'soon', which is neither a number nor a date"),
        ([1.0, np.inf, 2.0], None, "infinite"),
    ],
)
def test_what_orders_rows_in_time(values: list, ordered: list[int] | None, reason: str) -> None:
    found = aside_column(pd.Series(values, name="when"))
    assert found.ordered is (ordered is not None)
    assert reason in found.reason
    if ordered is not None:
        assert found.codes.tolist() == ordered


@pytest.mark.parametrize(
    ("key", "y", "scheme", "said"),
    [
        (["a"] * 20 + ["b"] * 20, np.arange(40.0), GROUP, "has 2 groups. Allowed: at least 3 groups"),
        ([1] * 20 + [2] * 20, np.arange(40.0), TIME, "2 different values. Allowed: at least 3 different times"),
        (["a", "b", "c", "d"] * 10, np.arange(40.0), TIME, "holds 'a', which is neither a number nor a date"),
        ([*range(39), None], np.arange(40.0), TIME, "1 rows have no value"),
        (np.arange(40), ["x"] * 30 + ["y"] * 10, TIME, "training part has no row of 'y'"),
        (np.arange(40), ["x", "y"] * 12 + ["x"] * 16, TIME, "validation part holds the class 'x' only"),
        (
            np.arange(40),
            np.arange(40.0),
            SplitScheme(kind="group", column="other"),
            "does not keep aside.*aside=COLUMN",
        ),
    ],
)
def test_what_cannot_be_split_is_said(key: object, y: object, scheme: SplitScheme, said: str) -> None:
    with pytest.raises(DataError, match=said):
        split(table(key, y), 0, SHARES, scheme)


def test_the_column_is_a_feature_only_when_asked_for() -> None:
    frame = pd.DataFrame({"x": np.arange(40) % 7, "key": np.arange(40) // 4, "target": np.arange(40.0)})
    assert dataset_from_frame(frame, aside="key").feature_names == ("x",)
    assert dataset_from_frame(frame, aside="key", kinds={"key": "numeric"}).feature_names == ("x", "key")
    assert dataset_from_frame(frame).feature_names == ("x", "key")
    assert dataset_from_frame(frame).hash != dataset_from_frame(frame, aside="key").hash
    for name in ("target", "nothing"):
        with pytest.raises(DataError, match=rf"cannot be split by '{name}'.*Allowed: a column of the table: x, key"):
            dataset_from_frame(frame, "target", aside=name)


def test_missing_targets_leave_the_column_in_step() -> None:
    y = np.arange(40.0)
    y[::4] = np.nan
    data = table(np.arange(40) // 4, y)
    assert data.aside is not None
    assert data.aside.codes.tolist() == [k // 4 for k in range(40) if k % 4]


@pytest.mark.parametrize("scheme", [GROUP, TIME])
def test_a_problem_comes_back_with_its_split(tmp_path: Path, scheme: SplitScheme) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=90), "key": rng.integers(0, 12, 90), "target": rng.integers(0, 2, 90)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    problem = Problem.create(load_data(tmp_path / "t.csv", aside="key"), scheme=scheme, class_weights="balanced")
    again = Problem.load(ProblemSpec.model_validate_json(problem.spec.model_dump_json()))
    assert problem.feature_names == ("x",)
    for part in ("train", "valid", "test"):
        assert np.array_equal(getattr(problem.split, part), getattr(again.split, part))
    assert again.spec == problem.spec
    assert np.array_equal(again.train.weights, problem.train.weights)
    frame.assign(key=frame.key + (frame.key > 5)).to_csv(tmp_path / "t.csv", index=False)
    assert Problem.load(problem.spec).dataset.hash == problem.dataset.hash  # the same groups in the same order
    frame.assign(key=frame.key // 2).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="changed"):
        Problem.load(problem.spec)


def test_a_class_that_the_validation_part_lacks_is_told() -> None:
    y = ["a", "b", "c"] * 8 + ["a", "b"] * 8
    problem = Problem.create(table(np.arange(40), y), scheme=TIME)
    assert "The validation part has no row of 1 of the 3 classes." in problem.notes
    assert problem.baseline == 0.5
    assert Problem.create(table(np.arange(40), y), "balanced_accuracy", scheme=TIME).baseline == 0.5
