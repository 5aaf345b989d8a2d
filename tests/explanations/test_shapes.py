"""Shape functions show exactly what SHAP gives a feature that is alone in its group."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nas_core.data import Problem
from nas_core.explanations import TrainedCandidate, explain, shape_functions

Made = Callable[..., TrainedCandidate]


def test_the_effect_at_a_value_is_the_shap_value_of_a_row_with_it(problem: Problem, made: Made) -> None:
    candidate, background = made((0, 1), (2,), (3,), (5,)), problem.train.raw[:30]
    shapes = shape_functions(candidate, background)
    assert {s.feature for s in shapes} == {2, 3, 5}
    for shape in shapes:
        rows = np.tile(problem.valid.raw[:1], (len(shape.grid), 1))
        rows[:, shape.feature] = shape.grid
        assert shape.effect == pytest.approx(explain(candidate, rows, background).values[:, shape.feature], abs=1e-9)


def test_a_missing_value_has_its_own_effect(problem: Problem, made: Made) -> None:
    candidate, background = made((3,), (2,)), problem.train.raw[:30]
    by_feature = {s.feature: s for s in shape_functions(candidate, background)}
    row = problem.valid.raw[:1].copy()
    row[0, 3] = np.nan
    assert by_feature[3].missing == pytest.approx(explain(candidate, row, background).values[0, 3], abs=1e-9)
    assert by_feature[2].missing is None


def test_the_histogram_counts_every_known_training_value(problem: Problem, made: Made) -> None:
    shapes = shape_functions(made((2,), (3,), (5,)))
    for shape in shapes:
        known = ~np.isnan(problem.train.raw[:, shape.feature])
        assert shape.counts.sum() == known.sum()
        assert (np.diff(shape.grid) > 0).all()
        if shape.kind == "categorical":
            assert shape.levels == ("red", "green", "blue")
            assert len(shape.counts) == 3
        else:
            assert len(shape.edges) == len(shape.counts) + 1


def test_the_widest_comes_first_and_groups_of_several_have_none(made: Made) -> None:
    spans = [s.span for s in shape_functions(made((0,), (1,), (2,)))]
    assert spans == sorted(spans, reverse=True)
    assert shape_functions(made((0, 1, 2))) == ()
