"""Every registered strategy keeps the contract."""

from __future__ import annotations

import pytest
from strategy_contract import AUC, StrategyContract
from toy_space import ToySpace

from nas_core.errors import SettingsError
from nas_core.preferences import Preference
from nas_core.search import DEFAULT_STRATEGY, STRATEGIES, make_strategy


class TestNsga2(StrategyContract):
    strategy = "nsga2"


class TestRandom(StrategyContract):
    strategy = "random"


class TestBayesian(StrategyContract):
    strategy = "bayesian"


class TestReinforce(StrategyContract):
    strategy = "reinforce"


class TestGradient(StrategyContract):
    strategy = "gradient"


class TestTpe(StrategyContract):
    strategy = "tpe"


class TestGp(StrategyContract):
    strategy = "gp"


class TestLocalSearch(StrategyContract):
    strategy = "local_search"


class TestRegularisedEvolution(StrategyContract):
    strategy = "regularised_evolution"


def test_every_strategy_has_a_contract_test_and_words_for_a_person() -> None:
    tested = {cls.strategy for cls in StrategyContract.__subclasses__()}
    assert set(STRATEGIES) <= tested
    assert all(name == s.name and s.label and s.description.endswith(".") for name, s in STRATEGIES.items())
    assert DEFAULT_STRATEGY in STRATEGIES


def test_an_unknown_strategy_is_refused_with_the_known_names() -> None:
    with pytest.raises(SettingsError, match=r"no strategy 'tea leaves'.*nsga2, random"):
        make_strategy("tea leaves", ToySpace(), seed=0, preference=Preference(), objective=AUC)
