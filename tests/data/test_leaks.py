"""Suspicious columns are found, honest ones are left in peace, and nothing but the training rows is looked at."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from nas_core.data import Dataset, dataset_from_frame, load_data, split
from nas_core.data.leaks import column_warnings
from nas_core.errors import DataError

N = 1500


def honest(seed: int = 0, rows: int = N, classes: int = 2) -> pd.DataFrame:
    """Six ordinary columns, two of them useful, and a target of ``classes`` classes (0: a quantity)."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 5)).round(4), columns=list("abcde"))
    frame["colour"] = rng.choice(["red", "green", "blue"], rows)
    frame.loc[rng.random(rows) < 0.1, "d"] = np.nan
    signal = frame.a + frame.b + (frame.colour == "red") + rng.normal(size=rows)
    names = np.array(["low", "mid", "high"])
    frame["target"] = signal if not classes else names[np.digitize(signal, [0.3] if classes == 2 else [-0.5, 1.0])]
    return frame


def kinds(frame: pd.DataFrame, rows: np.ndarray | None = None) -> dict[str, str]:
    return {w.column: w.kind for w in column_warnings(dataset_from_frame(frame, "target"), rows)}


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [60, 1500])
def test_honest_columns_are_left_in_peace(classes: int, seed: int, rows: int) -> None:
    assert kinds(honest(seed, rows, classes)) == {}


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "diabetes"])
def test_the_built_in_sets_are_honest(name: str) -> None:
    data = load_data(name)
    assert column_warnings(data, split(data, 0).train) == ()


def test_a_constant_among_the_training_rows_is_found() -> None:
    frame = honest()
    frame["flag"] = 0.0
    frame.loc[1400:, "flag"] = 1.0
    assert kinds(frame) == {}
    assert kinds(frame, np.arange(1000)) == {"flag": "constant"}


def test_copies_are_found_however_they_are_written() -> None:
    frame = honest()
    frame["same"] = frame.d
    frame["fahrenheit"] = frame.a * 1.8 + 32
    frame["turned"] = -3 * frame.b
    frame["farbe"] = frame.colour.map({"red": "rot", "green": "gruen", "blue": "blau"})
    frame["nearly"] = frame.c.where(frame.index != 7, frame.c + 1.0)
    found = {w.column: w for w in column_warnings(dataset_from_frame(frame, "target"))}
    assert {c: w.kind for c, w in found.items()} == dict.fromkeys(
        ["same", "fahrenheit", "turned", "farbe"], "duplicate"
    )
    assert found["same"].evidence == "It holds the same values as 'd', in every row."
    assert found["fahrenheit"].evidence == "It only writes differently what is in 'a', in every row."
    assert "'colour'" in found["farbe"].suggestion


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_column_that_is_the_target_in_disguise_is_found(classes: int) -> None:
    frame = honest(classes=classes)
    rng = np.random.default_rng(1)
    y = frame.target if not classes else frame.target.map({"low": 0.0, "mid": 2.0, "high": -1.0})
    frame["after"] = y + 0.05 * rng.normal(size=N)
    if classes:
        frame["code"] = frame.target.map({"low": "x", "mid": "y", "high": "z"})
    found = {w.column: w for w in column_warnings(dataset_from_frame(frame, "target"))}
    assert {c: w.kind for c, w in found.items()} == {c: "leak" for c in ("after", "code") if c in frame}
    assert ("R² 0.99" if not classes else "AUC ") in found["after"].evidence


def test_a_column_far_ahead_of_all_others_is_found() -> None:
    frame = honest()
    rng = np.random.default_rng(2)
    y = (frame.target == "mid").to_numpy()
    frame = frame.drop(columns=["a", "b", "colour"]).assign(mark=y + 0.45 * rng.normal(size=N))
    [found] = column_warnings(dataset_from_frame(frame, "target"))
    assert found.kind == "leak"
    assert "; the next best column reaches AUC 0.5" in found.evidence


@pytest.mark.parametrize("classes", [0, 2])
def test_gaps_that_tell_the_target_are_found(classes: int) -> None:
    frame = honest(classes=classes)
    high = frame.target > 0.5 if not classes else frame.target == "mid"
    if not classes:
        frame["target"] = np.where(high, 10.0, 0.0) + np.random.default_rng(0).normal(size=N)
    frame.loc[high & (frame.index % 20 != 0), "e"] = np.nan
    [found] = column_warnings(dataset_from_frame(frame, "target"))
    assert (found.column, found.kind) == ("e", "missing_leak")
    if classes:
        assert "missing in 94% of the rows of 'mid' and in 0% of those of 'low'" in found.evidence


def test_gaps_filled_with_class_means_are_found() -> None:
    frame = honest()
    gaps = frame.d.isna() | (np.random.default_rng(3).random(N) < 0.1)
    frame.loc[gaps, "d"] = frame.d.groupby(frame.target).transform("mean")[gaps]
    [found] = column_warnings(dataset_from_frame(frame, "target"))
    assert (found.column, found.kind) == ("d", "filled_leak")
    assert "all of 'low'" in found.evidence
    assert "all of 'mid'" in found.evidence


def test_gaps_filled_with_one_mean_are_honest() -> None:
    frame = honest()
    assert kinds(frame.assign(d=frame.d.fillna(frame.d.mean()))) == {}


def test_a_common_value_in_the_tail_of_one_class_is_honest() -> None:
    frame = honest()
    positive = (frame.target == "mid").to_numpy()
    income = np.random.default_rng(4).normal(size=N) + 2 * positive
    frame["income"] = np.minimum(income, np.quantile(income, 0.95))  # the survey's highest answer
    assert "income" not in kinds(frame)


def test_other_parts_are_not_looked_at() -> None:
    frame = honest()
    rows = np.arange(0, N, 2)
    before = column_warnings(dataset_from_frame(frame, "target"), rows)
    frame.loc[frame.index % 2 == 1, ["a", "e"]] = 0.0
    frame.loc[frame.index % 2 == 1, "d"] = np.where(frame.target[1::2] == "mid", np.nan, 1.0)
    assert column_warnings(dataset_from_frame(frame, "target"), rows) == before


def test_images_have_no_columns_to_warn_about() -> None:
    with pytest.raises(DataError, match="holds image data"):
        column_warnings(load_data("digits_images"))


def _large() -> Dataset:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 50))
    X[rng.random(X.shape) < 0.05] = np.nan
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(50)])
    return dataset_from_frame(frame.assign(target=rng.choice(["a", "b"], len(X))))


@pytest.mark.slow
def test_a_large_table_takes_two_seconds_at_most() -> None:
    data = _large()
    began = time.process_time()
    assert column_warnings(data, split(data, 0).train) == ()
    assert time.process_time() - began < 2.0


@pytest.mark.slow
def test_a_wide_table_takes_little_time() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1000, 3000)), columns=[f"c{j}" for j in range(3000)])
    data = dataset_from_frame(frame.assign(target=rng.choice(["a", "b"], 1000)))
    began = time.process_time()
    assert column_warnings(data) == ()
    assert time.process_time() - began < 6.0
