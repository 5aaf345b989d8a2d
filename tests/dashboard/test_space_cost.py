"""What candidates cost: the spread that is drawn is that of the sample."""

from __future__ import annotations

import numpy as np
import pytest
from recorded import run_problem

from dashboard.figures.space import cost_figure
from dashboard.theme import LIGHT
from dashboard.views.estimate import cost_view
from nas_core.errors import SpaceError
from nas_core.records import derive_seed
from nas_core.spaces import SearchSpace, facts

SPACE = SearchSpace.for_problem(run_problem("iris"), "balanced")


def test_the_spread_is_that_of_the_sampled_candidates() -> None:
    view = cost_view(SPACE, how_many=60)
    drawn = [SPACE.sample(np.random.default_rng(derive_seed("cost", i))) for i in range(60)]
    for spread, name in zip(view.spreads, ("parameters", "operations"), strict=True):
        values = [getattr(facts(SPACE, a), name) for a in drawn]
        assert spread.counts.sum() == view.sampled == 60
        assert (spread.least, spread.most) == (min(values), max(values))
        assert spread.middle == np.median(values)
        assert np.all(np.diff(spread.edges) > 0)
        assert spread.low <= spread.middle <= spread.high


def test_the_same_space_gives_the_same_spread() -> None:
    one, two = cost_view(SPACE, how_many=30), cost_view(SPACE, how_many=30)
    assert [s.words for s in one.spreads] == [s.words for s in two.spreads]


def test_a_slow_space_is_sampled_less_but_not_too_little() -> None:
    assert cost_view(SPACE, how_many=200, patience=0.0).sampled == 20


def test_a_space_of_one_cost_has_a_picture_too() -> None:
    one = SPACE.constraints.model_copy(update={"max_depth": 0, "max_features": 1})
    plain = tuple(v.model_copy(update={"choices": ("standardised",)}) if v.name == "encoding" else v
                  for v in SPACE.variables)  # fmt: skip
    spread = cost_view(SPACE.changed(constraints=one, variables=plain), how_many=20).spreads[0]
    assert spread.least == spread.most == 6  # a weight for each of three classes, and three biases
    figure = cost_figure(spread, LIGHT)
    assert sum(figure.data[0].y) == 20


def test_the_lines_of_the_picture_are_the_quantiles() -> None:
    spread = cost_view(SPACE, how_many=60).spreads[1]
    figure = cost_figure(spread, LIGHT)
    lines = [10 ** trace.x[0] - 1 for trace in figure.data[1:]]
    assert lines == pytest.approx([spread.low, spread.middle, spread.high])
    assert len(figure.layout.xaxis.tickvals) >= 2


def test_an_empty_space_says_which_constraint_refuses() -> None:
    empty = SPACE.changed(constraints=SPACE.constraints.model_copy(update={"max_operations": 1, "max_parameters": 1}))
    with pytest.raises(SpaceError, match="max_"):
        cost_view(empty)
