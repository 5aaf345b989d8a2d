"""What every registered measure keeps to, on trained packs of tables with whatever columns, rows and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from measured_packs import DEFAULTS

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem, Recipe
from nas_core.data.splits import Split
from nas_core.interpretability import MEASURES, MeasureContext, MeasuredCandidate, measure_pack
from nas_core.records import Architecture, Measurement
from nas_core.spaces import SearchSpace, facts

CASES = (
    "two classes", "three classes", "regression", "constant columns", "two values", "categories only", "few rows",
    "one row", "one feature",
)  # fmt: skip
# Read off the architecture: these have a value whatever the network says.
EXACT = {"feature_parsimony", "interaction_sparsity", "monotone_share", "operation_economy"}


def table(case: str, rows: int = 400) -> Dataset:
    """Return a small table with the peculiarity ``case``."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(rows, 4))
    codes = np.column_stack([rng.integers(0, 3, rows), rng.integers(0, 2, rows)]).astype(float)
    numbers = {
        "constant columns": X * [1, 1, 0, 0] + 3,
        "two values": (X > 0) * 1.0,
        "categories only": X[:, :0],
        "one feature": X[:, :1],
    }.get(case, X)
    if case == "one feature":
        codes = codes[:, :0]
    features = [FeatureSpec(f"n{j}", "numeric") for j in range(numbers.shape[1])]
    features += [FeatureSpec(f"c{j}", "categorical", ("a", "b", "c")[: 3 - j]) for j in range(codes.shape[1])]
    held = np.column_stack([numbers, codes])
    signal = held[:, 0] * (held[:, 1] if held.shape[1] > 1 else 1) + held[:, -1]
    source = DataSource(kind="memory", location="contract")
    if case == "regression":
        return Dataset("contract", tuple(features), held, signal, "regression", (), "y", source)
    classes = 3 if case == "three classes" else 2
    noisy = signal + 0.1 * rng.normal(size=rows)
    y = np.digitize(noisy, np.quantile(noisy, np.linspace(0, 1, classes + 1)[1:-1])).astype(np.int64)
    return Dataset("contract", tuple(features), held, y, "classification", ("x", "y", "z")[:classes], "y", source)


def shrunk(problem: Problem, rows: int) -> Problem:
    """Return the problem with so few held-out rows; the others are of the test part."""
    parts = problem.split
    test = np.sort(np.concatenate([parts.test, parts.valid[rows:]]))
    return Problem(problem.spec, problem.dataset, Split(parts.train, parts.valid[:rows], test))


@cache
def trained(case: str) -> MeasureContext:
    """Return three trained candidates: additive, with interactions, and linear."""
    from nas_core.training.fit import PackItem, train_pack

    problem = Problem.create(table(case))
    space = SearchSpace.for_problem(problem, "accurate")
    P = problem.P
    whole = space.architecture({**DEFAULTS, "groups": [{"features": list(range(P)), "linear": False}]})
    single = [{"features": [j], "linear": False} for j in range(P)]
    linear = {**DEFAULTS, "depth": 0, "groups": [{"features": list(range(P)), "linear": True}]}
    pack = [space.architecture({**DEFAULTS, "groups": single}), whole, space.architecture(linear)]
    items = [PackItem(architecture, seed) for seed, architecture in enumerate(pack)]
    model = train_pack(problem, space, items, recipe=Recipe(max_epochs=8), device="cpu").pack
    rows = {"one row": 1, "few rows": 12}.get(case)
    held = problem if rows is None else shrunk(problem, rows)
    return MeasureContext(space, pack, [facts(space, a) for a in pack], held, model)


def fresh(context: MeasureContext, **changes: Any) -> MeasureContext:
    """Return the same candidates with nothing computed yet."""
    return replace(context, **changes)


def measured(context: MeasureContext, name: str) -> list[Measurement]:
    return [row[name] for row in measure_pack(context, [name])]


def alike(found: Sequence[Measurement], other: Sequence[Measurement], slack: float) -> bool:
    """Return whether both say the same, reasons included."""
    pairs = [(getattr(a, f), getattr(b, f)) for a, b in zip(found, other) for f in ("value", "raw", "low", "high")]
    numbers = all((a is None and b is None) or a == pytest.approx(b, abs=slack, rel=slack) for a, b in pairs)
    return numbers and [a.reason for a in found] == [b.reason for b in other]


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("case", CASES)
class TestOnEveryTable:
    def test_a_score_is_in_the_unit_interval_inside_its_own_or_there_is_a_reason(self, case: str, name: str) -> None:
        for found in measured(fresh(trained(case)), name):
            if found.value is None:
                assert found.reason
                assert found.raw is None
                assert name not in EXACT
                continue
            assert not found.reason
            assert 0 <= found.value <= 1
            assert found.raw is not None
            if case == "one row" and found.low is None:
                continue
            assert found.low is not None, "every measure has an interval"
            assert found.high is not None
            assert 0 <= found.low <= found.value <= found.high <= 1

    def test_the_same_twice(self, case: str, name: str) -> None:
        first, second = (measured(fresh(trained(case)), name) for _ in range(2))
        assert first == second

    def test_other_candidates_of_the_pack_change_nothing(self, case: str, name: str) -> None:
        context = trained(case)
        together = measured(fresh(context), name)
        for k in range(3):
            alone = fresh(
                context, architectures=[context.architectures[k]], facts=[context.facts[k]],
                model=One(context.model, k),
            )  # fmt: skip
            assert alike(measured(alone, name), together[k : k + 1], 1e-6)

    def test_its_advice_states_the_value_and_a_change_unless_nothing_is_left_to_raise(
        self, case: str, name: str
    ) -> None:
        context = fresh(trained(case))
        names = context.problem.feature_names
        for architecture, known, found in zip(context.architectures, context.facts, measured(context, name)):
            advice = MEASURES[name].advise(MeasuredCandidate(architecture, known, found, names))
            assert advice.state.endswith(".")
            assert (advice.change == "") or advice.change.endswith(".")
            if found.value is None:
                assert found.reason in advice.state
            elif found.value >= 1 - 1e-12:
                assert not advice.change


@pytest.mark.parametrize("name", MEASURES)
class TestOnOneTable:
    @pytest.mark.parametrize("case", ["two classes", "regression", "categories only"])
    def test_the_order_of_the_rows_changes_nothing(self, case: str, name: str) -> None:
        context = trained(case)
        problem, rng = context.problem, np.random.default_rng(1)
        parts = Split(*(rng.permutation(p) for p in (problem.split.train, problem.split.valid, problem.split.test)))
        shuffled = Problem(problem.spec, problem.dataset, parts)
        assert not (shuffled.valid.rows == problem.valid.rows).all()
        found = measured(fresh(context, problem=shuffled), name)
        assert alike(found, measured(fresh(context), name), 1e-4)

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_outputs_that_are_not_finite_are_a_reason_and_their_neighbours_keep_their_numbers(
        self, name: str, position: int
    ) -> None:
        context = trained("regression")
        clean = measured(fresh(context), name)
        found = measured(fresh(context, model=Broken(context.model, position)), name)
        if name not in EXACT:
            assert found[position].value is None
            told = ("not finite", "predictions only", "no common layers")
            assert any(words in found[position].reason for words in told)
        if name in EXACT or found[position].reason == "its outputs are not finite numbers":
            others = [k for k in range(3) if k != position]
            assert alike([found[k] for k in others], [clean[k] for k in others], 1e-9)

    def test_it_says_what_it_is_when_it_applies_and_what_it_costs(self, name: str) -> None:
        measure = MEASURES[name]
        verdict = measure.applies_to(fresh(trained("two classes")))
        assert verdict.reason
        assert verdict.ok or name == "introspectability"
        assert measure.summary.endswith(".") or ":" in measure.summary
        assert "Source:" in measure.description
        assert measure.cost
        assert "Costs" not in measure.cost
        assert name in EXACT or measure.settings, "what its number depends on"
        assert measure.family in ("structure", "summary", "explanation")

    def test_structure_alone_is_enough_or_it_says_what_is_missing(self, name: str) -> None:
        context = trained("two classes")
        known = MeasureContext(context.space, context.architectures, context.facts)
        for found in measured(known, name):
            assert (found.value is not None) == (name in EXACT)
            assert found.value is not None or found.reason

    def test_no_pack_gives_no_scores(self, name: str) -> None:
        context = trained("two classes")
        assert measure_pack(MeasureContext(context.space, [], []), [name]) == []


class One:
    """One candidate of a pack, as if it had been trained alone."""

    def __init__(self, pack: Any, k: int) -> None:
        self.pack, self.k = pack, k

    def predict(self, E: np.ndarray) -> np.ndarray:
        return self.pack.predict(E)[self.k : self.k + 1]

    def feature_deltas(self, *given: Any) -> np.ndarray:
        return self.pack.feature_deltas(*given)[self.k : self.k + 1]

    def weights(self, k: int) -> dict[str, np.ndarray]:
        return self.pack.weights(self.k)


class Broken:
    """A pack one of whose candidates says NaN."""

    def __init__(self, pack: Any, k: int) -> None:
        self.pack, self.k = pack, k

    def predict(self, E: np.ndarray) -> np.ndarray:
        found = np.array(self.pack.predict(E))
        found[self.k] = np.nan
        return found

    def feature_deltas(self, *given: Any) -> np.ndarray:
        found = np.array(self.pack.feature_deltas(*given))
        found[self.k] = np.nan
        return found


def test_the_thirteen_measures_are_there() -> None:
    structure = [n for n, m in MEASURES.items() if m.family == "structure"]
    summary = [n for n, m in MEASURES.items() if m.family == "summary"]
    explanation = [n for n, m in MEASURES.items() if m.family == "explanation"]
    assert (len(structure), len(summary), len(explanation)) == (6, 3, 4)
    assert all(isinstance(a, Architecture) for a in trained("two classes").architectures)
