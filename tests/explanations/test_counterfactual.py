"""What-if questions: distances are a metric, counterfactuals do what they say and nothing that they need not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from signal_examples import problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError
from nas_core.explanations import TrainedCandidate
from nas_core.explanations.counterfactual import nearest_otherwise, sparse_counterfactual
from nas_core.explanations.occluded import fewest_cells, occluded
from nas_core.explanations.what_if import RowDistance, knobs, otherwise, plausibility

KINDS = ("binary", "classes", "regression")
PROBLEMS = {kind: made_problem(kind) for kind in KINDS}
DISTANCES = {kind: RowDistance(problem) for kind, problem in PROBLEMS.items()}
CANDIDATES = {
    (kind, seed): candidate_of(PROBLEMS[kind], (0, 1), (2,), (3,), (5,), seed=seed, width=16)
    for kind in KINDS
    for seed in (1, 2)
}
CASES = st.tuples(st.sampled_from(KINDS), st.sampled_from([1, 2]), st.integers(0, 20))


def asked(case: tuple[str, int, int]) -> tuple[TrainedCandidate, np.ndarray, RowDistance]:
    kind, seed, at = case
    return CANDIDATES[kind, seed], PROBLEMS[kind].valid.raw[at], DISTANCES[kind]


def test_knobs_are_the_values_of_the_training_rows(made: Callable[..., TrainedCandidate]) -> None:
    candidate = made((0, 1), (3,), (5,))
    raw = candidate.problem.train.raw
    for knob in knobs(candidate):
        column = raw[:, knob.feature]
        assert all(knob.inside(float(v)) for v in column)
        assert knob.used == (knob.feature in candidate.used)
        if knob.kind == "numeric":
            assert np.nanmin(column) <= knob.low <= knob.high <= np.nanmax(column)
            assert not knob.inside(np.nanmax(column) + 1)
        else:
            assert not knob.inside(9.0)
    assert knobs(candidate)[3].missing
    assert not knobs(candidate)[0].inside(np.nan)


def test_certified_features_say_so(binary: Problem) -> None:
    plain = knobs(candidate_of(binary, (0,), (1,)))
    assert plain[0].direction is None
    marked = knobs(candidate_of(binary, (0,), (1,), marks={"0": 1}, encoding="standardised"))
    assert marked[0].direction == 1


@given(CASES, st.integers(0, 20), st.integers(0, 20))
def test_distances_are_a_metric(case: tuple[str, int, int], second: int, third: int) -> None:
    _, a, distance = asked(case)
    raw = PROBLEMS[case[0]].valid.raw
    b, c = raw[second], raw[third]
    ab, ba = distance.between(a, b[None])[0], distance.between(b, a[None])[0]
    assert distance.between(a, a[None])[0] == 0
    assert ab == pytest.approx(ba)
    assert ab >= 0
    lacking = np.isnan([a[3], b[3], c[3]]).any()  # 1 against a missing value is no metric beside numbers far apart
    if not lacking:
        assert ab <= distance.between(a, c[None])[0] + distance.between(c, b[None])[0] + 1e-9


@given(CASES)
def test_distances_are_sums_over_the_features(case: tuple[str, int, int]) -> None:
    _, row, distance = asked(case)
    train = PROBLEMS[case[0]].train.raw
    levels = train[:, 5].astype(int)
    same = sum((np.mean(levels == v)) ** 2 for v in set(levels))
    found = distance.between(row, train[:5])
    for other, apart in zip(train[:5], found):
        slow = 0.0
        for j in range(5):
            if np.isnan(row[j]) or np.isnan(other[j]):
                slow += float(np.isnan(row[j]) != np.isnan(other[j]))
            else:
                slow += abs(row[j] - other[j]) / np.nanstd(train[:, j])
        slow += same * (row[5] != other[5])
        assert apart == pytest.approx(slow)


def test_a_training_row_is_plausible_and_a_monster_is_not(made: Callable[..., TrainedCandidate]) -> None:
    candidate = made((0, 1), (2,))
    distance = RowDistance(candidate.problem)
    row = candidate.problem.train.raw[3].copy()
    found = plausibility(distance, row, knobs(candidate))
    assert (found.outside, found.nearest, found.far) == ((), 0.0, False)
    row[0], row[5] = 99.0, 7.0
    found = plausibility(distance, row, knobs(candidate))
    assert found.outside == (0, 5)
    assert found.far


@given(CASES)
def test_the_nearest_row_is_the_nearest_that_is_predicted_otherwise(case: tuple[str, int, int]) -> None:
    candidate, row, distance = asked(case)
    pool = candidate.problem.train.raw
    found = nearest_otherwise(candidate, row, pool, distance)
    reference = candidate.predict(row[None])[0]
    outputs = candidate.predict(pool)
    best = (np.inf, -1)
    for i, other in enumerate(pool):
        if candidate.problem.task == "regression":
            differs = abs(outputs[i, 0] - reference[0]) > candidate.problem.target_sd
        elif candidate.problem.C == 1:
            differs = (outputs[i, 0] > 0) != (reference[0] > 0)
        else:
            differs = outputs[i].argmax() != reference.argmax()
        if differs:
            best = min(best, (float(distance.between(row, other[None])[0]), i))
    if best[1] < 0:
        assert found is None
    else:
        assert found is not None
        assert found.distance == pytest.approx(best[0])
        assert found.position == best[1]
        assert all(row[j] != pool[found.position][j] for j in found.differs)


@given(CASES)
@settings(deadline=None)
def test_a_sparse_counterfactual_needs_every_change_and_changes_what_is_read(case: tuple[str, int, int]) -> None:
    candidate, row, distance = asked(case)
    reference = candidate.predict(row[None])[0]
    found = sparse_counterfactual(candidate, row, distance, most=3)
    assert np.allclose(candidate.predict(found.row[None])[0], found.outputs)
    assert found.reached == bool(otherwise(candidate.problem, reference, found.outputs[None])[0] > 0)
    assert found.reached == (not found.reason)
    assert len(found.changes) <= 3
    assert {c.feature for c in found.changes} <= set(candidate.used)
    assert not set(found.plausible.outside) & {c.feature for c in found.changes}
    untouched = [j for j in range(6) if j not in {c.feature for c in found.changes}]
    assert np.array_equal(found.row[untouched], row[untouched], equal_nan=True)
    if found.reached:
        for change in found.changes:
            back = found.row.copy()
            back[change.feature] = change.before
            assert otherwise(candidate.problem, reference, candidate.predict(back[None]))[0] <= 0


@given(CASES)
@settings(deadline=None)
def test_where_one_change_suffices_one_is_found(case: tuple[str, int, int]) -> None:
    candidate, row, distance = asked(case)
    reference, train = candidate.predict(row[None])[0], candidate.problem.train.raw
    enough = False
    for j in candidate.used:
        known = train[~np.isnan(train[:, j]), j]
        values = np.unique(known) if j == 5 else np.quantile(known, np.linspace(0.01, 0.99, 15), method="nearest")
        rows = np.repeat(row[None], len(values), axis=0)
        rows[:, j] = values
        enough |= bool((otherwise(candidate.problem, reference, candidate.predict(rows)) > 0).any())
    found = sparse_counterfactual(candidate, row, distance)
    assert (len(found.changes) == 1 and found.reached) == enough


@given(CASES, st.sets(st.integers(0, 5)))
@settings(deadline=None)
def test_what_is_held_is_not_changed(case: tuple[str, int, int], fixed: set[int]) -> None:
    candidate, row, distance = asked(case)
    found = sparse_counterfactual(candidate, row, distance, fixed=fixed)
    assert not {c.feature for c in found.changes} & fixed
    if set(candidate.used) <= fixed:
        assert "no feature that may be changed" in found.reason


def test_numbers_go_back_as_far_as_they_can() -> None:
    x = np.linspace(-3, 3, 200)
    problem = table(x[:, None], (x > 0).astype(float), classes=("no", "yes"))
    candidate = known(problem, only=((0,), lambda v: 4 * v))
    found = sparse_counterfactual(candidate, np.array([-2.0]), RowDistance(problem))
    assert found.reached
    assert 0 < found.row[0] < 0.6  # the first of the 15 values on the other side


def test_what_cannot_be_asked_is_refused(made: Callable[..., TrainedCandidate]) -> None:
    candidate = made((0,))
    distance = RowDistance(candidate.problem)
    with pytest.raises(ExplanationError, match="one column per feature"):
        sparse_counterfactual(candidate, np.zeros(3), distance)
    with pytest.raises(ExplanationError, match="0 changes"):
        sparse_counterfactual(candidate, np.zeros(6), distance, most=0)
    with pytest.raises(ExplanationError, match="Outputs of the shape"):
        otherwise(candidate.problem, np.zeros(9), np.zeros((2, 9)))


def test_occluded_cells_are_those_of_the_measures() -> None:
    problem = problem_of("image")
    candidate = of_family(problem)
    row = problem.valid.raw[0]
    nothing = np.zeros((1, problem.P), bool)
    assert np.allclose(occluded(candidate, row, nothing)[0], candidate.predict(row[None])[0], atol=1e-5)
    all_gone = occluded(candidate, row, ~nothing)[0]
    assert np.allclose(all_gone, occluded(candidate, problem.valid.raw[1], ~nothing)[0], atol=1e-5)
    with pytest.raises(ExplanationError, match="Sets of cells"):
        occluded(candidate, row, np.zeros((1, 2), bool))


@pytest.mark.parametrize("seed", range(4))
def test_the_fewest_cells_are_all_needed(seed: int) -> None:
    problem = problem_of("image")
    candidate = of_family(problem, seed)
    for row in problem.valid.raw[:3]:
        found = fewest_cells(candidate, row)
        reference = candidate.predict(row[None])[0]
        assert found.reached == bool(otherwise(problem, reference, found.outputs[None])[0] > 0)
        if found.reached:
            for j in found.cells:
                gone = np.isin(np.arange(problem.P), [i for i in found.cells if i != j])
                assert otherwise(problem, reference, occluded(candidate, row, gone[None]))[0] <= 0
    with pytest.raises(ExplanationError, match="networks on tables"):
        knobs(candidate)
