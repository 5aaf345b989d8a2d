"""What every search strategy keeps: inherit :class:`StrategyContract` and give the name of the strategy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from toy_space import LonelySpace, ToySpace, toy_evaluation

from nas_core.errors import SettingsError
from nas_core.objectives import metric_objective
from nas_core.preferences import Goal, Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Proposal, Status
from nas_core.search import STRATEGIES, Strategy, make_strategy

HERE = Path(__file__).resolve().parent
AUC = metric_objective("roc_auc")


REACHABLE = (Goal(name="performance", value=0.85), Goal(name="feature_parsimony", value=0.4))
UNREACHABLE = (Goal(name="interpretability", value=1.0), Goal(name="performance", value=1.0))
GOALS = [REACHABLE, UNREACHABLE, (Goal(name="tree_fidelity", value=0.5),)]  # nobody has measured the last one


def strategy_named(
    name: str, space: ToySpace | LonelySpace, *, seed: int = 0, weight: float = 0.5, goals: tuple[Goal, ...] = ()
) -> Strategy:
    preference = Preference(weight=weight, goals=goals)
    return make_strategy(name, space, seed=seed, preference=preference, objective=AUC)


def trace(strategy: Strategy, space: ToySpace, packs: list[int]) -> list[str]:
    """Ask and tell pack by pack; return the identities in the order they were proposed."""
    ids = []
    for n in packs:
        proposals = strategy.ask(n)
        strategy.tell([toy_evaluation(space, p) for p in proposals])
        ids += [p.architecture.id for p in proposals]
    return ids


PACKS = [48, 1, 32, 7, 32]

CHILD = """
import json, sys
from strategy_contract import PACKS, strategy_named, trace
from toy_space import ToySpace
print(json.dumps({n: trace(strategy_named(n, ToySpace(), seed=3), ToySpace(), PACKS) for n in sys.argv[1:]}))
"""


@cache
def traces_of_another_process() -> dict[str, list[str]]:
    """Return what every strategy proposes in a process of its own; one process, as starting it takes longest."""
    path = os.pathsep.join([str(HERE), str(HERE.parent.parent)])
    # A hash seed of its own, so that an order taken from a set or from hash() would show.
    environment = os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "77"}
    answer = subprocess.run(
        [sys.executable, "-c", CHILD, *STRATEGIES], capture_output=True, text=True, check=True, env=environment
    )
    found: dict[str, list[str]] = json.loads(answer.stdout)
    return found


class StrategyContract:
    """Inherit, name the class ``Test…`` and set ``strategy``."""

    strategy: str

    def test_another_process_proposes_the_same(self) -> None:
        here = trace(strategy_named(self.strategy, ToySpace(), seed=3), ToySpace(), PACKS)
        assert traces_of_another_process()[self.strategy] == here

    def test_another_seed_proposes_something_else(self) -> None:
        space = ToySpace()
        one, two = (set(trace(strategy_named(self.strategy, space, seed=s), space, [64, 64])) for s in (0, 1))
        assert len(one & two) < 64

    @pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
    def test_nothing_is_proposed_twice(self, weight: float) -> None:
        space = ToySpace(features=6, rates=3)
        ids = trace(strategy_named(self.strategy, space, weight=weight), space, [32] * 8)
        assert len(ids) == 256
        assert len(set(ids)) == len(ids)

    def test_nothing_is_proposed_twice_without_being_told(self) -> None:
        strategy = strategy_named(self.strategy, ToySpace())
        ids = [p.architecture.id for _ in range(5) for p in strategy.ask(40)]
        assert len(ids) == 200
        assert len(set(ids)) == len(ids)

    @pytest.mark.parametrize("n", [1, 64])
    def test_asks_for_as_many_as_wanted(self, n: int) -> None:
        space, strategy = ToySpace(), strategy_named(self.strategy, ToySpace())
        for _ in range(80 if n == 1 else 3):
            proposals = strategy.ask(n)
            assert len(proposals) == n
            strategy.tell([toy_evaluation(space, p) for p in proposals])

    def test_asking_for_none_gives_none_and_keeps_the_space_open(self) -> None:
        strategy = strategy_named(self.strategy, ToySpace())
        assert strategy.ask(0) == []
        assert len(strategy.ask(3)) == 3

    @pytest.mark.parametrize("pack", [5, 64])
    def test_a_small_space_is_proposed_completely_and_then_exhausted(self, pack: int) -> None:
        space = ToySpace(features=3, rates=2)
        everything = {a.id for a in space.all()}
        strategy, found = strategy_named(self.strategy, space), []
        while proposals := strategy.ask(pack):
            found += [p.architecture.id for p in proposals]
            strategy.tell([toy_evaluation(space, p) for p in proposals])
            assert len(found) <= len(everything)
        assert set(found) == everything
        assert strategy.ask(pack) == []

    @pytest.mark.parametrize("after", [0, 1, 2, 4])
    def test_a_restored_strategy_goes_on_exactly(self, after: int) -> None:
        space = ToySpace()
        original, told = strategy_named(self.strategy, space, weight=0.2), []
        for n in [30, 24, 1, 24][:after]:
            told += [toy_evaluation(space, p) for p in original.ask(n)]
            original.tell(told[-n:])
        text = json.dumps(original.state(), allow_nan=False)
        restored = strategy_named(self.strategy, space)
        restored.restore(json.loads(text), told[::-1])
        packs = [24, 3, 24]
        assert trace(restored, space, packs) == trace(original, space, packs)

    @pytest.mark.parametrize("goals", GOALS)
    def test_goals_reachable_or_not_do_not_stop_it(self, goals: tuple[Goal, ...]) -> None:
        space = ToySpace(features=6, rates=3)
        ids = trace(strategy_named(self.strategy, space, weight=0.3, goals=goals), space, [20, 40, 1, 40])
        assert len(set(ids)) == 101

    @pytest.mark.parametrize("goals", GOALS)
    def test_goals_survive_a_restore(self, goals: tuple[Goal, ...]) -> None:
        space = ToySpace()
        original, told = strategy_named(self.strategy, space, goals=goals), []
        for n in (30, 40):
            told += [toy_evaluation(space, p) for p in original.ask(n)]
            original.tell(told[-n:])
        restored = strategy_named(self.strategy, space)
        restored.restore(json.loads(json.dumps(original.state(), allow_nan=False)), told[::-1])
        assert trace(restored, space, [40, 3]) == trace(original, space, [40, 3])

    def test_goals_set_and_lifted_while_it_runs_survive_a_restore(self) -> None:
        space = ToySpace()
        original, told = strategy_named(self.strategy, space), []
        for goals in (REACHABLE, UNREACHABLE, ()):
            told += [toy_evaluation(space, p) for p in original.ask(24)]
            original.tell(told[-24:])
            original.steer(Preference(weight=0.5, goals=goals))
            restored = strategy_named(self.strategy, space)
            restored.restore(json.loads(json.dumps(original.state(), allow_nan=False)), told)
            assert restored.state()["preference"] == Preference(weight=0.5, goals=goals).model_dump(mode="json")
        assert trace(restored, space, [24, 3]) == trace(original, space, [24, 3])

    def test_a_goal_that_no_model_can_reach_is_refused(self) -> None:
        beyond = (Goal(name="performance", value=1.2),)
        with pytest.raises(SettingsError, match=r"goal for ROC AUC is 1\.2, which no model can reach"):
            strategy_named(self.strategy, ToySpace(), goals=beyond)
        strategy = strategy_named(self.strategy, ToySpace())
        with pytest.raises(SettingsError, match=r"at most 1"):
            strategy.steer(Preference(goals=beyond))

    def test_proposals_without_an_evaluation_survive_a_restore(self) -> None:
        space = ToySpace()
        original = strategy_named(self.strategy, space)
        told = [toy_evaluation(space, p) for p in original.ask(20)]
        original.tell(told)
        waiting = original.ask(10)
        restored = strategy_named(self.strategy, space)
        restored.restore(json.loads(json.dumps(original.state())), told)
        late = [toy_evaluation(space, p) for p in waiting]
        original.tell(late)
        restored.tell(late)
        assert trace(restored, space, [40, 24]) == trace(original, space, [40, 24])

    def test_an_exhausted_space_is_exhausted_after_a_restore(self) -> None:
        space = ToySpace(features=2, rates=2)
        original, told = strategy_named(self.strategy, space), []
        while proposals := original.ask(4):
            told += [toy_evaluation(space, p) for p in proposals]
            original.tell(told[-len(proposals) :])
        restored = strategy_named(self.strategy, space)
        restored.restore(original.state(), told)
        assert restored.ask(4) == []

    def test_the_state_of_another_strategy_is_refused(self) -> None:
        state = strategy_named(self.strategy, ToySpace()).state() | {"strategy": "tea leaves"}
        with pytest.raises(SettingsError, match="belongs to the strategy 'tea leaves'"):
            strategy_named(self.strategy, ToySpace()).restore(state, [])

    def test_the_order_within_a_pack_does_not_matter(self) -> None:
        space = ToySpace()
        one, two = strategy_named(self.strategy, space), strategy_named(self.strategy, space)
        told = [toy_evaluation(space, p) for p in one.ask(64)]
        two.ask(64)
        one.tell(told)
        two.tell(told[::-1])
        assert trace(one, space, [24, 24]) == trace(two, space, [24, 24])

    @pytest.mark.parametrize("status", [s for s in Status if s is not Status.DONE])
    def test_only_failures_do_not_stop_it(self, status: Status) -> None:
        space, strategy = ToySpace(), strategy_named(self.strategy, ToySpace())
        for _ in range(4):
            proposals = strategy.ask(40)
            assert len(proposals) == 40
            strategy.tell([toy_evaluation(space, p, status) for p in proposals])

    def test_broken_numbers_do_not_stop_it(self) -> None:
        space, strategy = ToySpace(), strategy_named(self.strategy, ToySpace())
        nan = float("nan")  # records refuse it, an evaluator that goes around them must still not break a search
        for change in (
            {"performance": Estimate.model_construct(value=nan, low=nan, high=nan)},
            {"performance": None},
            {"measures": {}},
            {"measures": {"feature_parsimony": Measurement(reason="undefined")}},
            {"measures": {"monotone_share": Measurement.model_construct(value=nan)}},
            {"performance": Estimate(value=-5.0, low=-6.0, high=7.0)},
        ):
            proposals = strategy.ask(20)
            assert len(proposals) == 20
            good = [toy_evaluation(space, p) for p in proposals]
            strategy.tell([e.model_copy(update=change) if at % 2 else e for at, e in enumerate(good)])
        assert len(strategy.ask(20)) == 20

    def test_equal_results_everywhere_do_not_stop_it(self) -> None:
        space, strategy = ToySpace(), strategy_named(self.strategy, ToySpace())
        for n in (30, 24, 1, 1, 1, 1, 24):
            proposals = strategy.ask(n)
            assert len(proposals) == n
            same = toy_evaluation(space, proposals[0])
            alike = {"performance": same.performance, "measures": same.measures}
            strategy.tell([toy_evaluation(space, p).model_copy(update=alike) for p in proposals])

    def test_a_space_of_one_architecture_is_proposed_once(self) -> None:
        space = LonelySpace()
        strategy = strategy_named(self.strategy, space)
        (only,) = strategy.ask(5)
        assert strategy.ask(5) == []
        strategy.tell([toy_evaluation(ToySpace(), only)])
        assert strategy.ask(1) == []
        restored = strategy_named(self.strategy, space)
        restored.restore(strategy.state(), [toy_evaluation(ToySpace(), only)])
        assert restored.ask(2) == []

    def test_candidates_it_never_asked_for_are_welcome_and_not_proposed(self) -> None:
        space = ToySpace(features=3, rates=2)
        by_hand = space.all()[:10]
        strategy = strategy_named(self.strategy, space)
        strategy.tell([toy_evaluation(space, Proposal(architecture=a, origin="manual")) for a in by_hand])
        found = {p.architecture for p in strategy.ask(100)}
        assert found == set(space.all()) - set(by_hand)

    def test_telling_nothing_or_twice_changes_nothing(self) -> None:
        space = ToySpace()
        one, two = strategy_named(self.strategy, space), strategy_named(self.strategy, space)
        for strategy in (one, two):
            told = [toy_evaluation(space, p) for p in strategy.ask(64)]
            strategy.tell(told)
        two.tell([])
        two.tell(told[:9])
        assert trace(one, space, [24]) == trace(two, space, [24])

    def test_told_much_before_it_is_asked_it_goes_on_from_there(self) -> None:
        space = ToySpace()
        told = [toy_evaluation(space, p) for p in space.initial(64, np.random.default_rng(4))]
        strategy = strategy_named(self.strategy, space)
        strategy.tell(told)
        restored = strategy_named(self.strategy, space)
        restored.restore(json.loads(json.dumps(strategy.state())), told[::-1])
        proposals = strategy.ask(40)
        assert proposals == restored.ask(40)
        assert not any(p.operator == "initial" for p in proposals)

    @pytest.mark.parametrize("early", [Status.PRUNED, Status.CANCELLED])
    def test_what_is_trained_to_the_end_after_all_replaces_what_was_known(self, early: Status) -> None:
        space, original = ToySpace(), strategy_named(self.strategy, ToySpace(), weight=0.2)
        plain = strategy_named(self.strategy, ToySpace(), weight=0.2)
        told: dict[str, Evaluation] = {}
        for n in (40, 64):
            proposals = original.ask(n)
            assert proposals == plain.ask(n)
            found = [toy_evaluation(space, p, early if at % 3 else Status.DONE) for at, p in enumerate(proposals)]
            for strategy in (original, plain):
                strategy.tell(found)
            told |= {e.id: e for e in found}
        late = [toy_evaluation(space, p) for at, p in enumerate(proposals) if at % 3]
        original.tell(late)
        told |= {e.id: e for e in late}
        restored = strategy_named(self.strategy, space, weight=0.2)
        restored.restore(json.loads(json.dumps(original.state(), allow_nan=False)), [*told.values()][::-1])
        original.tell(late)  # once more changes nothing, and neither does what was known before
        then = trace(original, space, [64, 30])
        assert trace(restored, space, [64, 30]) == then
        if self.strategy != "random":
            assert trace(plain, space, [64, 30]) != then, "it learned nothing from them"

    def test_equal_candidates_in_another_order_make_no_difference_after_a_restore(self) -> None:
        space, original = ToySpace(), strategy_named(self.strategy, ToySpace())
        told = []
        for n in (20, 40):
            proposals = original.ask(n)
            same = toy_evaluation(space, proposals[0])
            found = [toy_evaluation(space, p) for p in proposals]
            told += [e.model_copy(update={"performance": same.performance, "measures": same.measures}) for e in found]
            original.tell(told[-n:])
        restored = strategy_named(self.strategy, space)
        restored.restore(json.loads(json.dumps(original.state())), told[::-1])
        assert trace(restored, space, [30, 30]) == trace(original, space, [30, 30])

    def test_proposals_name_known_parents(self) -> None:
        space, strategy = ToySpace(), strategy_named(self.strategy, ToySpace())
        known: set[str] = set()
        for _ in range(4):
            proposals = strategy.ask(32)
            assert all(set(p.parents) <= known and p.operator and p.origin == "strategy" for p in proposals)
            strategy.tell([toy_evaluation(space, p) for p in proposals])
            known |= {p.architecture.id for p in proposals}


def best_by(evaluations: list[Evaluation], measure: str | None = None) -> float:
    """Return the best performance, or the best value of a measure."""
    if measure is None:
        return max(e.performance.value for e in evaluations if e.performance)
    return max(e.measures[measure].value or 0.0 for e in evaluations if e.measures)


def architectures(proposals: list[Proposal]) -> set[Architecture]:
    return {p.architecture for p in proposals}
