"""A goal is searched for: every strategy that learns finds more that meets it than random search does."""

from __future__ import annotations

import pytest
from strategy_contract import AUC, trace
from toy_space import ToySpace, toy_evaluation

from nas_core.preferences import Goal, Preference
from nas_core.records import Proposal
from nas_core.search import STRATEGIES, Archive, make_strategy

GOALS = (Goal(name="feature_parsimony", value=0.6), Goal(name="performance", value=0.93))
SPACE, SEEDS, PACKS = ToySpace(), (0, 1), [16, *[32] * 4]


def met_in_the_second_half(name: str, goals: tuple[Goal, ...] = GOALS) -> int:
    """Return how many evaluations of the second half meet GOALS, all seeds together, while ``goals`` are searched."""
    found = 0
    for seed in SEEDS:
        strategy = make_strategy(name, SPACE, seed=seed, preference=Preference(goals=goals), objective=AUC)
        archive = Archive(AUC)
        for n in PACKS:
            told = [toy_evaluation(SPACE, p) for p in strategy.ask(n)]
            strategy.tell(told)
            archive.add(told)
        meets = archive.rank(Preference(goals=GOALS)).meets
        found += int(meets[len(meets) // 2 :].sum())
    return found


@pytest.fixture(scope="module")
def by_chance() -> int:
    return met_in_the_second_half("random")


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"random"}))
def test_a_strategy_that_learns_meets_the_goal_more_often_than_random_search(name: str, by_chance: int) -> None:
    assert met_in_the_second_half(name) > 2 * by_chance


def test_a_goal_draws_the_search_of_a_whole_front_to_where_it_is_met() -> None:
    assert met_in_the_second_half("nsga2") > 2 * met_in_the_second_half("nsga2", ())


@pytest.mark.parametrize("name", ["nsga2", "bayesian", "local_search"])
def test_an_unreachable_goal_is_approached(name: str) -> None:
    goals = (Goal(name="performance", value=0.999), Goal(name="feature_parsimony", value=0.9))
    wish = Preference(goals=goals)
    strategy = make_strategy(name, SPACE, seed=0, preference=wish, objective=AUC)
    archive = Archive(AUC)
    for n in PACKS:
        told = [toy_evaluation(SPACE, p) for p in strategy.ask(n)]
        strategy.tell(told)
        archive.add(told)
    chance = Archive(AUC)
    random = make_strategy("random", SPACE, seed=0, preference=wish, objective=AUC)
    chance.add([toy_evaluation(SPACE, Proposal(architecture=p.architecture)) for p in random.ask(sum(PACKS))])
    ranking = archive.rank(wish)
    assert not ranking.meets.any()
    assert ranking.violation.min() < chance.rank(wish).violation.min()


def test_goals_set_while_it_runs_are_followed_from_the_next_pack_on() -> None:
    strategy = make_strategy("nsga2", SPACE, seed=0, preference=Preference(), objective=AUC)
    trace(strategy, SPACE, [32] * 3)
    strategy.steer(Preference(goals=GOALS))
    archive = Archive(AUC)
    for _ in range(3):
        told = [toy_evaluation(SPACE, p) for p in strategy.ask(32)]
        strategy.tell(told)
        archive.add(told)
    assert archive.rank(Preference(goals=GOALS)).meets.mean() > 0.2
