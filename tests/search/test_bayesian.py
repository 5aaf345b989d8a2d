"""What Bayesian optimisation keeps between two asks, and how the Gaussian process of Optuna is bounded."""

from __future__ import annotations

import json

import pytest
from optuna.samplers import GPSampler
from strategy_contract import strategy_named
from toy_space import ToySpace, toy_evaluation

from nas_core.errors import SettingsError
from nas_core.search.study import PRELIMINARY, SEARCHES, gp_sampler


def test_a_state_without_the_evaluations_of_its_parents_is_refused() -> None:
    space, strategy = ToySpace(), strategy_named("bayesian", ToySpace())
    told = [toy_evaluation(space, p) for p in strategy.ask(24)]
    strategy.tell(told)
    strategy.ask(8)
    state = json.loads(json.dumps(strategy.state()))
    assert 0 < len(state["near"]) <= 16
    assert set(state["near"]) <= {e.id for e in told}
    with pytest.raises(SettingsError, match=r"refers to .* candidates without an evaluation"):
        strategy_named("bayesian", ToySpace()).restore(state, [])


def test_the_gaussian_process_of_optuna_is_asked_with_fewer_points() -> None:
    own, theirs = gp_sampler(0), vars(GPSampler(seed=0))
    names = {"_n_preliminary_samples": PRELIMINARY, "_n_local_search": SEARCHES}
    assert all(vars(own)[name] == value < theirs[name] for name, value in names.items())
