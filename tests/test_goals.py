"""Goals: what is refused, what a goal is as a limit on a loss, and who misses it by how much."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.errors import SettingsError
from nas_core.objectives import METRICS, metric_objective
from nas_core.preferences import Goal, Preference
from nas_core.search.limits import Limits

AUC, MSE = metric_objective("roc_auc"), metric_objective("mse")
NAMES = ("feature_parsimony", "additivity")


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_goal_for_nothing_is_refused(name: Any) -> None:
    with pytest.raises(SettingsError, match=r"A goal is set for .*performance, interpretability, or the name of a"):
        Goal(name=name, value=0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, "high", None, True])
def test_a_goal_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"The goal for performance is .*a finite number"):
        Goal(name="performance", value=value)


@pytest.mark.parametrize("value", [-0.1, 1.01, math.nan])
@pytest.mark.parametrize("name", ["interpretability", "additivity"])
def test_a_score_outside_the_unit_interval_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=rf"The goal for {name} is .*a score from 0 to 1"):
        Goal(name=name, value=value)


def test_two_goals_for_the_same_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"There are 2 goals for performance.*one goal for each"):
        Preference(goals=(Goal(name="performance", value=0.8), Goal(name="performance", value=0.9)))


def test_goals_survive_a_round_trip_and_make_another_preference() -> None:
    wish = Preference(goals=(Goal(name="performance", value=0.9), Goal(name="additivity", value=0.5)))
    assert Preference.model_validate(json.loads(json.dumps(wish.model_dump(mode="json")))) == wish
    assert wish != Preference()
    assert Preference.model_validate({"weight": 0.5}) == Preference()


def test_a_goal_beyond_perfect_is_refused_in_the_direction_of_the_metric() -> None:
    with pytest.raises(SettingsError, match=r"The goal for ROC AUC is 1\.2, .*a perfect one has 1.*at most 1"):
        Limits.of((Goal(name="performance", value=1.2),), AUC)
    with pytest.raises(SettingsError, match=r"The goal for MSE is -0\.1, .*a perfect one has 0.*at least 0"):
        Limits.of((Goal(name="performance", value=-0.1),), MSE)


def test_a_goal_for_what_is_not_measured_is_refused_where_that_is_known() -> None:
    goals = (Goal(name="beauty", value=0.5),)
    with pytest.raises(SettingsError, match=r"goal for 'beauty', which is not measured here.*interpretability, addit"):
        Limits.of(goals, AUC, ("additivity",))
    assert Limits.of(goals, AUC).measures == ("beauty",)


@given(st.sampled_from(sorted(METRICS)), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5), st.floats(0.0, 1.0))
def test_a_value_meets_its_own_goal_and_whatever_is_better(name: str, shares: list[float], share: float) -> None:
    objective = METRICS[name]
    goal, values = objective.value(share), [objective.value(s) for s in shares]
    limits = Limits.of((Goal(name="performance", value=goal),), objective)
    losses = np.array([[objective.loss(v), 0.0] for v in [goal, *values]])
    missed = limits.violation(losses, np.empty((len(losses), 0)), ())
    assert missed[0] == 0.0
    for value, found in zip(values, missed[1:]):
        if not objective.better(goal, value):
            assert found == 0.0
        assert found == max(0.0, objective.loss(value) - objective.loss(goal))


def test_violations_add_up_in_losses_and_what_is_undefined_is_the_worst() -> None:
    goals = (
        Goal(name="performance", value=0.9), Goal(name="interpretability", value=0.5),
        Goal(name="additivity", value=0.75),
    )  # fmt: skip
    limits = Limits.of(goals, AUC, NAMES)
    losses = np.array([[0.1, 0.5], [0.3, 0.75], [0.1, np.nan], [0.1, 0.5]])
    measures = np.array([[0.0, 0.75], [1.0, 0.5], [0.5, 0.8], [1.0, np.nan]])
    expected = [0.0, 0.2 + 0.25 + 0.25, 0.5, 0.75]
    assert limits.violation(losses, measures, NAMES) == pytest.approx(expected, abs=1e-12)
    assert limits.violation(losses, measures[:, :1], NAMES[:1])[0] == 0.75  # not measured is not met
    assert Limits.of((), AUC).violation(losses, measures, NAMES).tolist() == [0.0] * 4
