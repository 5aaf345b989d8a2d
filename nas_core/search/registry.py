"""The strategies there are, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.search.bayesian import BayesianStrategy
from nas_core.search.evolution import RegularisedEvolutionStrategy
from nas_core.search.gradient import GradientStrategy
from nas_core.search.local import LocalSearchStrategy
from nas_core.search.nsga2 import Nsga2Strategy
from nas_core.search.random import RandomStrategy
from nas_core.search.reinforce import ReinforceStrategy
from nas_core.search.sampled import GpStrategy, TpeStrategy
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.strategy import Space, Strategy

__all__ = ["DEFAULT_STRATEGY", "STRATEGIES", "check_strategy", "make_strategy"]

STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy
    for strategy in (
        Nsga2Strategy,
        RandomStrategy,
        LocalSearchStrategy,
        RegularisedEvolutionStrategy,
        BayesianStrategy,
        ReinforceStrategy,
        GradientStrategy,
        TpeStrategy,
        GpStrategy,
    )
}

DEFAULT_STRATEGY = Nsga2Strategy.name


def check_strategy(name: str) -> None:
    """Raise SettingsError unless there is a strategy called ``name``."""
    if name not in STRATEGIES:
        raise SettingsError(f"There is no strategy {name!r}", allowed=", ".join(STRATEGIES), fix="choose one of them")


def make_strategy(
    name: str,
    space: Space,
    *,
    seed: int,
    preference: Preference,
    objective: Objective,
    hints: Any = None,
    measures: Sequence[str] = SEARCH_MEASURES,
) -> Strategy:
    """Return a new strategy called ``name``; see :class:`Strategy` for the arguments.

    Raises:
        SettingsError: No such strategy.
    """
    check_strategy(name)
    return STRATEGIES[name](
        space, seed=seed, preference=preference, objective=objective, hints=hints, measures=measures
    )
