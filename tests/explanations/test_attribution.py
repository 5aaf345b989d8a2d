"""Attributions are frozen data; global importance is their mean size with an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.errors import ExplanationError
from nas_core.explanations import Attribution, importance


def attribution(values: np.ndarray) -> Attribution:
    N, P, C = values.shape
    return Attribution(
        values, np.zeros(C), values.sum(1), np.zeros((N, P)), tuple(f"f{j}" for j in range(P)),
        tuple(f"c{c}" for c in range(C)), "given",
    )  # fmt: skip


def test_nothing_in_it_can_be_changed_and_it_shares_no_memory_with_its_source() -> None:
    source = np.ones((2, 3, 1))
    frozen = attribution(source)
    source[:] = 5
    assert (frozen.values == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        frozen.values[0] = 2


def test_the_residual_is_what_is_missing_from_completeness() -> None:
    values = np.ones((2, 3, 1))
    complete = attribution(values)
    short = Attribution(values, np.array([-0.25]), values.sum(1), np.zeros((2, 3)), ("a", "b", "c"), ("y",), "given")
    assert complete.residual == 0
    assert short.residual == 0.25
    assert attribution(np.zeros((0, 3, 1))).residual == 0


def test_one_output_can_be_taken_out() -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    second = attribution(values).output(1)
    assert (second.values[:, :, 0] == values[:, :, 1]).all()
    assert second.output_names == ("c1",)
    with pytest.raises(ExplanationError, match=r"no output 2.*0 to 1"):
        attribution(values).output(2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_importance_is_the_mean_size_inside_its_interval_and_ignores_signs(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4, 2)) * [[[1.0]], [[0.0]], [[3.0]], [[0.5]]][0]
    found = importance(attribution(values), seed=1)
    assert found.value == pytest.approx(np.abs(values).mean((0, 2)))
    assert (found.low <= found.value + 1e-12).all()
    assert (found.value <= found.high + 1e-12).all()
    assert (importance(attribution(-values), seed=1).low == found.low).all()


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    truth = np.sqrt(2 / np.pi)
    hits = 0
    for seed in range(200):
        found = importance(attribution(rng.normal(size=(80, 1, 1))), seed=seed)
        hits += bool(found.low[0] <= truth <= found.high[0])
    assert 178 <= hits <= 199


def test_the_order_is_by_size_and_ties_stay_in_place() -> None:
    values = np.array([[[1.0], [3.0], [1.0], [2.0]]])
    assert importance(attribution(values)).order.tolist() == [1, 3, 0, 2]


def test_no_rows_have_no_importance() -> None:
    with pytest.raises(ExplanationError, match="no rows"):
        importance(attribution(np.zeros((0, 2, 1))))
