"""Successive halving: what it never stops, what its probability is worth, and what it depends on."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.data import Problem, load_data
from nas_core.errors import SettingsError
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.objectives import metric_objective
from nas_core.records import Architecture, Estimate, Evaluation, Halt, Measurement, Proposal, Status
from nas_core.search.fronts import crowding, non_dominated, ranks
from nas_core.search.halving import Halving, HalvingReferee, HalvingRules, rungs_of
from nas_core.search.rungs import History, Witnesses
from nas_core.spaces import SearchSpace

AUC, NAMES, EPOCHS = metric_objective("roc_auc"), ("few", "sparse"), 36
RULES = HalvingRules()
RUNGS = rungs_of(EPOCHS, RULES)


def told(
    number: int, final: float, structure: Sequence[float], seen: dict[int, float] | None = None, **fields: Any
) -> Evaluation:
    """An evaluation with losses ``final`` and ``structure``, and the losses ``seen`` after so many epochs."""
    architecture, seen = Architecture(family="tabular", values={"number": number}), seen or {}
    values = {
        "id": architecture.id, "index": number, "architecture": architecture, "status": Status.DONE,
        "performance": Estimate(value=1 - final, low=1 - final, high=1 - final),
        "measures": {n: Measurement(value=1 - s) for n, s in zip(NAMES, structure)},
        "curves": {"valid_loss": [1.0] * EPOCHS, "performance": [1 - s for s in seen.values()],
                   "performance_epoch": [float(e) for e in seen]},
    }  # fmt: skip
    return Evaluation.model_validate({**values, **fields})


class Simulation:
    """A search whose curves are given: losses at the rungs (n, R), at the end (n,) and of the structure (n, m)."""

    def __init__(self, at: np.ndarray, final: np.ndarray, structure: np.ndarray, rules: HalvingRules = RULES) -> None:
        self.at, self.final, self.structure, self.rules = at, final, structure, rules
        self.told: list[Evaluation] = []
        self.stopped: list[int] = []

    def run(self, pack: int = 10) -> Simulation:
        for start in range(0, len(self.final), pack):
            members = range(start, min(start + pack, len(self.final)))
            history = History.of(self.told, AUC, NAMES, RUNGS)
            self.told += [self.train(k, history) for k in members]
        return self

    def train(self, k: int, history: History) -> Evaluation:
        free = {"me": self.structure[k]} if k % 10 else {}  # every tenth is a control
        referee, seen = HalvingReferee(history, free, AUC, self.rules), dict[int, float]()
        for rung, loss in zip(RUNGS, self.at[k]):
            seen[rung] = float(loss)
            halt = referee.halt("me", rung, EPOCHS, 1.0 - float(loss))
            if halt is not None:
                self.stopped.append(k)
                return told(k, float(loss), self.structure[k], seen, status=halt.status, reason=halt.reason)
        return told(k, float(self.final[k]), self.structure[k], seen)

    def front(self) -> np.ndarray:
        """Positions of the front of all final points, those that were stopped included."""
        return np.flatnonzero(non_dominated(np.column_stack([self.final, self.structure])))


def trade_off(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Final losses (n,) and structural losses (n, 2) in which simplicity costs accuracy."""
    structure = np.round(8 * rng.random((count, 2))) / 8  # eighths: 1 − (1 − x) is x
    return np.clip(0.25 - 0.15 * structure.mean(1) + 0.15 * rng.random(count), 0, 1), structure


def slow_and_quick(rng: np.random.Generator, final: np.ndarray) -> np.ndarray:
    """Losses at the rungs (n, R): how far they are still to fall is random, and one in seven begins very slowly."""
    count = len(final)
    scale = np.where(rng.random(count) < 1 / 7, 0.35, 0.05) * rng.lognormal(0, 0.5, count)
    left = np.exp(-np.array(RUNGS) / (6.0 * rng.lognormal(0, 0.4, count)[:, None]))
    return np.clip(final[:, None] + scale[:, None] * left + rng.normal(0, 0.004, (count, len(RUNGS))), 0, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.3, 1.0]))
def test_without_noise_and_crossing_nothing_that_ends_on_the_front_is_stopped(seed: int, bend: float) -> None:
    rng = np.random.default_rng(seed)
    final, structure = trade_off(rng, 120)
    order = np.argsort(np.argsort(final))
    at = np.empty((len(final), len(RUNGS)))
    for r in range(len(RUNGS)):  # any increasing function of the final loss, from parallel curves to anything
        steps = np.sort(rng.random(len(final)))[order]
        at[:, r] = np.clip((1 - bend) * (final + 0.2 / (r + 1)) + bend * steps, 0, 1)
    assert not set(Simulation(at, final, structure).run().stopped) & set(Simulation(at, final, structure).front())


def test_parallel_curves_are_stopped_early_and_cost_nothing() -> None:
    rng = np.random.default_rng(4)
    final, structure = trade_off(rng, 300)
    at = final[:, None] + np.array([[0.2, 0.1, 0.05][: len(RUNGS)]])
    simulation = Simulation(at, final, structure).run()
    assert len(simulation.stopped) > 100
    assert not set(simulation.stopped) & set(simulation.front())


def test_the_probability_is_worth_what_it_says() -> None:
    """Of those stopped at .95 at most a twentieth would not have been dominated by what was known then."""
    stopped = wrong = missed = rank_alone = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        final, structure = trade_off(rng, 400)
        at = slow_and_quick(rng, final)
        simulation = Simulation(at, final, structure).run()
        points = np.column_stack([final, structure])
        for k in simulation.stopped:
            before = [j for j in range(k - k % 10) if j not in simulation.stopped]
            below = (points[before] <= points[k]).all(1) & (points[before] < points[k]).any(1)
            wrong += not below.any()
        stopped += len(simulation.stopped)
        front = set(simulation.front())
        missed += len(set(simulation.stopped) & front)
        third = np.flatnonzero(ranks(np.column_stack([at[:, 0], structure])) > np.quantile(ranks(points), 1 / 3))
        rank_alone += len(front & set(third.tolist()))
    assert stopped > 300
    assert wrong / stopped <= 0.05 + 2 * (0.05 * 0.95 / stopped) ** 0.5
    assert missed <= wrong
    assert rank_alone > missed, "stopping by the rank alone loses more of the front"


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 40), st.sampled_from([2, 3, 4]))
def test_among_the_best_is_what_sorting_everything_says(seed: int, count: int, eta: int) -> None:
    rng = np.random.default_rng(seed)
    losses = np.round(8 * rng.random((count + 1, 3))) / 8
    others, own = losses[:count], losses[count]
    history = History.of([told(k, row[0], row[1:], {4: row[0]}) for k, row in enumerate(others)], AUC, NAMES, (4,))
    rank = ranks(losses)
    space = crowding(losses, rank)
    ahead = (rank < rank[count]) | ((rank == rank[count]) & (space > space[count]))
    expected = int(ahead.sum()) < (count + 1) / eta
    assert history.rungs[4].among_best(own[0], own[1:], 1 / eta) == expected


def parallel(count: int = 60, start: int = 0) -> list[Evaluation]:
    """Candidates that all fall by about .1 after epoch 4, ever simpler and worse."""
    rng = np.random.default_rng(start)
    final = 0.1 + 0.2 * rng.random(count)
    return [
        told(start + k, f, [0.375, 0.375], {4: f + 0.1 + 0.001 * rng.random(), 12: f + 0.05})
        for k, f in enumerate(final)
    ]


def asked(
    evaluations: Sequence[Evaluation], loss: float, structure: Sequence[float], rules: HalvingRules = RULES
) -> Halt | None:
    history = History.of(evaluations, AUC, NAMES, RUNGS)
    return HalvingReferee(history, {"me": np.array(structure)}, AUC, rules).halt("me", 4, EPOCHS, 1.0 - loss)


def test_it_says_in_words_who_dominates() -> None:
    best = told(99, 0.05, [0.375, 0.25], {4: 0.15, 12: 0.1})
    halt = asked([*parallel(), best], 0.35, [0.375, 0.375])
    assert halt.status is Status.PRUNED
    assert re.fullmatch(
        r"Dominated at epoch 4 of 36 with probability \.9\d: #99 is at least as simple and expected to be better by "
        r"\.2 ROC AUC",
        halt.reason,
    )


def test_what_is_not_known_before_training_counts_as_perfect_unless_it_is_predicted() -> None:
    evaluations = [*parallel(), told(99, 0.05, [0.375, 0.25], {4: 0.15, 12: 0.1})]
    assert asked(evaluations, 0.35, [0.375, np.nan]) is None
    assert asked(evaluations, 0.35, [0.375, np.nan], HalvingRules(as_seen=True)) is not None
    assert asked(evaluations, 0.35, [0.25, np.nan], HalvingRules(as_seen=True)) is None
    perfect = told(98, 0.05, [0.375, 0.0], {4: 0.15, 12: 0.1})
    assert asked([*evaluations, perfect], 0.35, [0.375, np.nan]) is not None


def test_simpler_than_all_or_ahead_of_all_goes_on() -> None:
    evaluations = [*parallel(), told(99, 0.05, [0.375, 0.25], {4: 0.15, 12: 0.1})]
    assert asked(evaluations, 0.35, [0.375, 0.375]) is not None
    assert asked(evaluations, 0.9, [0.375, 0.125]) is None
    assert asked(evaluations, 0.14, [0.375, 0.375]) is None


def test_nothing_is_stopped_without_a_history() -> None:
    best = told(99, 0.05, [0.0, 0.0], {4: 0.1})
    assert asked([], 0.9, [1.0, 1.0]) is None
    assert asked([*parallel(28), best], 0.9, [1.0, 1.0]) is None
    assert asked([*parallel(29), best], 0.9, [1.0, 1.0]) is not None
    blind = [e.model_copy(update={"curves": {"valid_loss": [1.0] * EPOCHS}}) for e in parallel()]
    assert asked([*blind, best], 0.9, [1.0, 1.0]) is None, "nobody looked at the rung"
    assert asked(parallel(), float("nan"), [1.0, 1.0]) is not None, "no number is the worst"


def test_failed_and_ineligible_ones_are_no_history_and_dominate_nobody() -> None:
    other = [
        told(100, 0.0, [0.0, 0.0], {4: 0.0}, status=Status.INELIGIBLE, reason="constant"),
        told(101, 0.0, [0.0, 0.0], {4: 0.0}, status=Status.CANCELLED, reason="given up"),
        told(102, 0.0, [0.0, 0.0], status=Status.FAILED, performance=None, measures={}),
    ]
    plain = parallel()
    for loss in np.linspace(0, 1, 21):
        assert asked(plain, loss, [0.4, 0.4]) == asked([*other, *plain], loss, [0.4, 0.4])
    ineligible = [e.model_copy(update={"status": Status.INELIGIBLE}) for e in plain]
    assert asked([*ineligible, told(99, 0.0, [0.0, 0.0], {4: 0.0})], 0.9, [1.0, 1.0]) is None


def test_one_that_finished_before_a_rung_counts_there_with_its_end_and_predicts_nothing() -> None:
    early = told(50, 0.07, [0.1, 0.1], {4: 0.1}, curves={
        "valid_loss": [1.0] * 8, "performance": [0.9], "performance_epoch": [4.0]
    })  # fmt: skip
    rung = History.of([early], AUC, NAMES, RUNGS).rungs[12]
    assert rung.at.tolist() == pytest.approx([0.07])
    assert not rung.learners.any()


def test_rungs_grow_and_end_before_the_training_does() -> None:
    assert rungs_of(60, RULES) == (4, 12, 36)
    assert rungs_of(6, RULES) == (2,)
    assert rungs_of(3, RULES) == (1,)
    assert rungs_of(1, RULES) == ()
    assert rungs_of(81, HalvingRules(eta=2, first=1)) == (1, 2, 4, 8, 16, 32, 64)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [("eta", 1, "a whole number from 2"), ("first", 0, "from 1"), ("certainty", 1.0, "below 1"),
     ("least", 0, "from 1"), ("nearest", 0, "from 1"), ("control", 1.5, "from 0 to 1")],
)  # fmt: skip
def test_rules_outside_what_is_allowed_are_refused(name: str, value: float, allowed: str) -> None:
    with pytest.raises(SettingsError, match=f"The {name} of successive halving is {value}.*{allowed}"):
        HalvingRules(**{name: value})


class Search:
    """A real space and made-up trainings, in packs; everything is deterministic."""

    def __init__(self) -> None:
        problem = Problem.create(load_data("breast_cancer"))
        self.space = SearchSpace.for_problem(problem)
        self.halving = Halving(self.space, problem.objective, problem.spec.search_measures, epochs=20, seed=3)
        proposals = self.space.initial(160, np.random.default_rng(0))
        self.first, self.pack = proposals[:100], proposals[100:]
        self.told = self.evaluated(self.first, ())
        self.found = self.evaluated(self.pack, self.told)

    def evaluated(
        self, pack: Sequence[Proposal], told: Sequence[Evaluation], spared: Sequence[str] = ()
    ) -> list[Evaluation]:
        evaluator = SyntheticEvaluator(self.space, 1, epochs=20)
        found = evaluator.evaluate(pack, stop=threading.Event(), referee=self.halving(told, pack, spared))
        return [e.model_copy(update={"finished": 0.0, "index": len(told) + at}) for at, e in enumerate(found)]

    def stopped(self, found: Sequence[Evaluation]) -> dict[str, str]:
        return {e.id: e.reason for e in found if e.status is Status.PRUNED}


@pytest.fixture(scope="module")
def search() -> Search:
    return Search()


def test_decisions_depend_neither_on_the_pack_nor_on_any_order(search: Search) -> None:
    stopped = search.stopped(search.found)
    assert len(stopped) > 5
    assert search.stopped(search.evaluated(search.pack[::-1], search.told)) == stopped
    shuffled = random.Random(0).sample(search.told, len(search.told))
    assert search.stopped(search.evaluated(search.pack, shuffled)) == stopped
    parts = [search.evaluated(search.pack[start : start + 7], search.told) for start in range(0, 60, 7)]
    assert search.stopped([e for part in parts for e in part]) == stopped


def test_nothing_is_stopped_in_the_first_pack(search: Search) -> None:
    assert not search.stopped(search.told)


def test_own_spared_and_overruled_candidates_are_never_stopped(search: Search) -> None:
    stopped = search.stopped(search.found)
    assert not search.stopped(search.evaluated(search.pack, search.told, tuple(stopped)))
    drawn = [p.model_copy(update={"origin": "manual"}) for p in search.pack]
    assert not search.stopped(search.evaluated(drawn, search.told))
    again = [p for p in search.pack if p.architecture.id in stopped]
    overruled = search.evaluated(again, [*search.told, *search.found])
    assert {e.status for e in overruled} <= {Status.DONE, Status.INELIGIBLE}


def test_a_tenth_is_trained_to_the_end_whatever_it_looks_like(search: Search) -> None:
    everything = [p.architecture.id for p in (*search.first, *search.pack)]
    kept = [c for c in everything if search.halving._control(c)]
    assert 0.03 < len(kept) / len(everything) < 0.2
    assert not set(kept) & set(search.stopped(search.found))


def test_what_is_told_pack_by_pack_decides_as_what_is_told_at_once(search: Search) -> None:
    problem = Problem.create(load_data("breast_cancer"))
    names, everyone = problem.spec.search_measures, [*search.told, *search.found]
    grown = Witnesses(problem.objective, names, (4, 12))
    for at in range(0, len(everyone), 7):
        grown.add(everyone[max(0, at - 3) : at + 7])  # some of them again
    replaced = everyone[5].model_copy(update={"status": Status.FAILED, "performance": None})
    grown.add([replaced])
    one = grown.history()
    two = History.of([*everyone, replaced], problem.objective, names, (4, 12))
    assert len(one.index) == len(two.index) < len(everyone)
    for name in ("index", "final", "measures", "front"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for rung in (4, 12):
        for name in ("at", "learners"):
            np.testing.assert_array_equal(getattr(one.rungs[rung], name), getattr(two.rungs[rung], name))
    assert grown.known == {e.id for e in everyone}
