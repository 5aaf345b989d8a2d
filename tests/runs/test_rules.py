"""Stopping rules against plain loops over the evaluations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.errors import SettingsError
from nas_core.preferences import Goal, Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, RunRecord, RunState, Status
from nas_core.runs.rules import StoppingRules, check_rules
from nas_core.runs.settings import RunSettings
from nas_core.search.fronts import hypervolume

NAMES = ("feature_parsimony", "interaction_sparsity", "monotone_share")
RECORD = RunRecord(
    id="r", name="r", created=0.0, state=RunState.RUNNING, space={}, settings={}, data_hash="",
    problem={"metric": "roc_auc", "measures": NAMES, "search_measures": NAMES}, baseline=0.5,
)  # fmt: skip


def evaluated(at: int, value: float | None, scores: tuple[float, ...] = (0.5, 0.5, 0.5)) -> Evaluation:
    architecture = Architecture(family="toy", values={"at": at})
    return Evaluation(
        id=architecture.id,
        index=at,
        architecture=architecture,
        status=Status.DONE if value is not None else Status.FAILED,
        performance=None if value is None else Estimate(value=value, low=value, high=value),
        measures={n: Measurement(value=s) for n, s in zip(NAMES, scores)},
    )


tenths = st.integers(0, 10).map(lambda k: k / 10)
rows = st.lists(st.tuples(st.one_of(st.none(), tenths), tenths, tenths, tenths), max_size=30)


def volume(evaluations: list[Evaluation]) -> float:
    """Return the hypervolume of what was evaluated and of the model without features, computed at once."""
    losses = [[0.5, 0.0, 0.0, 0.0]]
    for e in evaluations:
        if e.performance is not None:
            losses.append([1 - e.performance.value, *(1 - e.measures[n].value for n in NAMES)])
    return hypervolume(np.array(losses), np.ones(4))


@settings(max_examples=80, deadline=None)
@given(rows, st.integers(1, 12), st.integers(0, 30), st.integers(1, 7))
def test_a_plateau_is_what_a_plain_loop_finds(drawn: list, plateau: int, since: int, pack: int) -> None:
    found = [evaluated(at, row[0], row[1:]) for at, row in enumerate(drawn)]
    rules = StoppingRules(RECORD, since)
    for start in range(0, len(found), pack):
        rules.add(found[start : start + pack])
    flat = len(found) - since >= plateau and volume(found) <= 1.001 * volume(found[: len(found) - plateau])
    reason = rules.verdict(RunSettings(plateau=plateau))
    assert (reason is not None) == flat
    if reason is not None:
        assert reason.startswith(f"The hypervolume has not grown for {plateau} candidates: ")
        assert float(reason.split(": ")[1]) == pytest.approx(volume(found), abs=1e-4)
    assert rules.verdict(RunSettings()) is None


def test_equal_objectives_everywhere_are_a_plateau() -> None:
    rules = StoppingRules(RECORD)
    rules.add([evaluated(at, 0.7) for at in range(9)])
    assert rules.verdict(RunSettings(plateau=9)) is None, "the first of them was better than nothing"
    rules.add([evaluated(9, 0.7)])
    assert rules.verdict(RunSettings(plateau=9)) is not None


def test_nothing_but_failures_is_a_plateau_too() -> None:
    rules = StoppingRules(RECORD)
    rules.add([evaluated(at, None) for at in range(5)])
    assert rules.verdict(RunSettings(plateau=5)) == "The hypervolume has not grown for 5 candidates: .5000"


def test_after_an_act_of_a_person_the_count_begins_again() -> None:
    rules = StoppingRules(RECORD)
    rules.add([evaluated(at, 0.7) for at in range(9)])
    rules.move_on()
    assert rules.since == 9
    rules.add([evaluated(at, 0.7) for at in range(9, 12)])
    assert rules.verdict(RunSettings(plateau=4)) is None
    rules.add([evaluated(12, 0.7)])
    assert rules.verdict(RunSettings(plateau=4)) is not None


@settings(max_examples=80, deadline=None)
@given(rows, tenths, tenths, tenths, st.booleans())
def test_a_run_ends_at_its_goals_where_a_plain_loop_says_so(
    drawn: list, a: float, b: float, c: float, smaller: bool
) -> None:
    metric = "log_loss" if smaller else "roc_auc"
    rules = StoppingRules(RECORD.model_copy(update={"problem": {**RECORD.problem, "metric": metric}}))
    found = [evaluated(at, row[0], row[1:]) for at, row in enumerate(drawn)]
    rules.add(found)
    goals = (Goal(name="performance", value=a), Goal(name="monotone_share", value=b),
             Goal(name="interpretability", value=c))  # fmt: skip
    wish = Preference(measures={"feature_parsimony": 1.0}, goals=goals)

    def meets(e: Evaluation) -> bool:
        if e.performance is None:
            return False
        reached = e.performance.value <= a if smaller else e.performance.value >= a
        geometric = (0.01 + e.measures["feature_parsimony"].value) / 1.01
        return reached and e.measures["monotone_share"].value >= b and geometric >= c

    said = rules.verdict(RunSettings(preference=wish, until_goals=True))
    assert (said is not None) == any(meets(e) for e in found)
    if said is not None:
        named = next(e for e in found if f"({e.id})" in said)
        assert meets(named)
        assert said.startswith(f"Candidate #{named.index} (")
    assert rules.verdict(RunSettings(preference=wish)) is None


def test_a_preference_without_goals_cannot_end_a_run_at_them() -> None:
    check_rules(Preference(), until_goals=False)
    with pytest.raises(SettingsError, match="no goal is set"):
        check_rules(Preference(), until_goals=True)
