"""Searching: fronts and hypervolume, the archive that is ranked under a preference, and the strategies.

A strategy (``strategy.py``) proposes architectures and is told how they fared. The archive keeps every candidate as
columns; a change of λ, of the measure weights or of the goals ranks it again and trains nothing. ``limits`` is the one
place that compares candidates with goals, ``goals`` says what became of them. ``front_points`` and ``chances`` are what
a person asks of a front: its knee, points that no λ chooses, how much of it is luck. ``correlations`` says which
measures count one property twice.
"""

from nas_core.search.archive import Archive
from nas_core.search.chances import quick_chances
from nas_core.search.correlations import Correlations, correlate
from nas_core.search.front_luck import FrontLuck, front_luck
from nas_core.search.front_points import knee, unsupported
from nas_core.search.fronts import crowding, exclusive_volume, hypervolume, non_dominated, ranks
from nas_core.search.goals import GoalReport, goal_report
from nas_core.search.growth import GrowingFront
from nas_core.search.limits import Limits
from nas_core.search.mean_intervals import mean_interval
from nas_core.search.nsga2 import Nsga2Strategy
from nas_core.search.random import RandomStrategy
from nas_core.search.ranking import Interval, Ranking, winners
from nas_core.search.registry import DEFAULT_STRATEGY, STRATEGIES, make_strategy
from nas_core.search.snapshot import SEARCH_MEASURES, Snapshot
from nas_core.search.strategy import Space, Strategy

__all__ = [
    "DEFAULT_STRATEGY",
    "SEARCH_MEASURES",
    "STRATEGIES",
    "Archive",
    "Correlations",
    "FrontLuck",
    "GoalReport",
    "GrowingFront",
    "Interval",
    "Limits",
    "Nsga2Strategy",
    "RandomStrategy",
    "Ranking",
    "Snapshot",
    "Space",
    "Strategy",
    "correlate",
    "crowding",
    "exclusive_volume",
    "front_luck",
    "goal_report",
    "hypervolume",
    "knee",
    "make_strategy",
    "mean_interval",
    "non_dominated",
    "quick_chances",
    "ranks",
    "unsupported",
    "winners",
]
