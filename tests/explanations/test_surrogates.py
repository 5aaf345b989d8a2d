"""Surrogate trees and forests: rules that say exactly what the tree says, fidelity on held-out rows, and bad input."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from signal_examples import problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations import (
    Condition,
    TrainedCandidate,
    TreeSurrogate,
    forest_surrogate,
    tree_surrogate,
)
from nas_core.explanations.surrogate_rules import cut_words
from nas_core.interpretability.trees import hard_classes, surrogate_tree

Made = Callable[..., TrainedCandidate]


def squares(classes: tuple[str, ...] = (), rows: int = 900) -> Problem:
    X = np.random.default_rng(0).uniform(-1, 1, (rows, 3))
    return table(X, (X[:, 0] > 0).astype(float) if classes else X[:, 0], classes=classes)


def steps() -> TrainedCandidate:
    """A network that is a tree: two classes, in four corners of x0 and x1."""
    problem = squares(("no", "yes"))
    return known(problem, pair=((0, 1), lambda a, b: torch.where((a > 0.25) & (b <= -0.5), 1.0, -1.0)))


def read(words: str, names: tuple[str, ...], levels: tuple[str, ...], X: np.ndarray) -> np.ndarray:
    """Return which rows (n, P) fulfil a rule, from its words alone."""
    found = np.ones(len(X), bool)
    if words.startswith("always"):
        return found
    for part in re.split(r" and ", words.removeprefix("if ").split(" then ")[0]):
        if match := re.fullmatch(r"(?:(\S+) < )?(\w+) ≤ (\S+)", part):
            low, name, high = match.groups()
            x = X[:, names.index(name)]
            found &= (x <= float(high)) & (x > (float(low) if low else -np.inf))
        elif match := re.fullmatch(r"(\w+) > (\S+)", part):
            found &= X[:, names.index(match[1])] > float(match[2])
        else:
            match = re.fullmatch(r"(\w+) is (not )?(.+)", part)
            assert match, part
            named = [levels.index(level) for level in match[3].split(" or ")]
            found &= np.isin(X[:, names.index(match[1])], named) != bool(match[2])
    return found


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_the_rules_say_exactly_what_the_tree_says(problem: Problem, made: Made, depth: int) -> None:
    candidate = made((0, 1, 3), (2,), (5,))
    tree = tree_surrogate(candidate, depth)
    X = problem.encoder.impute(problem.dataset.X)
    said, leaves = tree.predict(X), tree.apply(X)
    hit = np.stack([rule.holds(X) for rule in tree.rules])
    assert (hit.sum(0) == 1).all()
    for rule, rows in zip(tree.rules, hit):
        assert (leaves[rows] == rule.node).all()
        if problem.task == "classification":
            assert {problem.dataset.classes[c] for c in said[rows]} <= {rule.answer}
        assert len({c.feature for c in rule.conditions}) == len(rule.conditions)
        assert {c.feature for c in rule.conditions} <= set(candidate.used)
    grown_on = problem.encoder.impute(problem.train.raw)
    assert [int(rule.holds(grown_on).sum()) for rule in tree.rules] == [rule.rows for rule in tree.rules]


@pytest.mark.parametrize("kind", ["classes", "regression"])
def test_the_words_alone_reproduce_every_row(kind: str) -> None:
    problem = made_problem(kind)
    tree = tree_surrogate(candidate_of(problem, (0, 1, 3), (2,), (5,)), 5)
    X = problem.encoder.impute(np.concatenate((problem.train.raw, problem.valid.raw)))
    lines = [line for line in tree.rules_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(tree.rules) > 3
    leaves = tree.apply(X)
    for line, rule in zip(lines, tree.rules):
        assert line == rule.words
        inside = read(line, problem.feature_names, ("red", "green", "blue"), X)
        assert np.array_equal(inside, leaves == rule.node)


def test_the_tree_is_the_fitted_one(problem: Problem, made: Made) -> None:
    candidate = made((0, 1), (2, 5))
    own = tree_surrogate(candidate, 4)
    X, raw = np.array(problem.encoder.impute(problem.train.raw)), problem.train.raw
    unread = [j for j in range(problem.P) if j not in candidate.used]
    X[:, unread] = X[0, unread]  # a tree that could ask about what stands in for a feature would say what nobody uses
    kinds = [f.kind == "categorical" for f in problem.dataset.features]
    fitted = surrogate_tree(X, candidate.predict(raw), classes=len(problem.dataset.classes), categorical=kinds)
    others = problem.encoder.impute(problem.dataset.X)
    assert own.predict(others) == pytest.approx(fitted.predict(others))


def test_a_network_that_is_a_tree_is_found_and_reproduced() -> None:
    tree = tree_surrogate(steps(), 3)
    assert tree.matched > 0.98
    assert tree.agreement.value is not None
    assert tree.agreement.value > 0.93
    assert len(tree.nodes) == 5
    assert len(tree.leaves) == 3
    asked = {n.condition.name: n.condition.high for n in tree.nodes if n.condition}
    assert asked["x0"] == pytest.approx(0.25, abs=0.02)
    assert asked["x1"] == pytest.approx(-0.5, abs=0.02)
    assert {r.answer for r in tree.rules} == {"no", "yes"}
    assert sum(r.rows for r in tree.rules) == tree.rows
    assert all(r.confidence == "100 %" for r in tree.rules)


def test_fidelity_is_that_of_the_held_out_rows() -> None:
    candidate = steps()
    problem = candidate.problem
    tree = tree_surrogate(candidate, 2)
    own = hard_classes(candidate.predict(problem.valid.raw))
    assert tree.matched == pytest.approx(np.mean(own == tree.predict(problem.valid.X)))
    assert tree.held_out == len(problem.valid)
    numbers = squares()
    smooth = known(numbers, pair=((0, 1), lambda a, b: a + b))
    regression = tree_surrogate(smooth, 3)
    target, said = smooth.predict(numbers.valid.raw), regression.predict(numbers.valid.X)
    assert regression.agreement.value == pytest.approx(
        1 - ((target - said) ** 2).sum() / ((target - target.mean()) ** 2).sum()
    )
    assert np.isnan(regression.matched)
    deeper = tree_surrogate(smooth, 5)
    assert deeper.agreement.value > regression.agreement.value
    assert regression.agreement.low < regression.agreement.value < regression.agreement.high


def assert_consistent(tree: TreeSurrogate) -> None:
    """Check that counts, shares, depths and parents of all nodes fit together."""
    for number, node in enumerate(tree.nodes):
        assert (node.condition is None) == (node.yes < 0) == (node.no < 0)
        assert node.share == pytest.approx(node.rows / tree.rows)
        if node.condition is None:
            continue
        below = tree.nodes[node.yes], tree.nodes[node.no]
        assert sum(n.rows for n in below) == node.rows
        assert all(n.parent == number and n.depth == node.depth + 1 <= tree.depth for n in below)
        if tree.classes:  # no split whose sides say the same
            assert len({n.code for n in below}) == 2 or any(n.condition for n in below)
    assert tree.nodes[0].parent == -1
    assert tree.nodes[0].rows == tree.rows


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3, 4, 5]), st.sampled_from(["binary", "classes", "regression"]))
def test_every_tree_fits_together(seed: int, depth: int, kind: str) -> None:
    candidate = candidate_of(made_problem(kind), (0, 1, 2), (3, 5), seed=seed)
    assert_consistent(tree_surrogate(candidate, depth))


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=30, unique=True), st.data())
def test_a_threshold_in_words_puts_every_value_on_its_side(values: list[float], data: st.DataObject) -> None:
    known_ = np.sort(np.array(values))
    at = data.draw(st.integers(0, len(known_) - 2))
    cut = float(known_[at] + (known_[at + 1] - known_[at]) / 2)
    words = cut_words(cut, known_)
    assert np.array_equal(known_ <= float(words), known_ <= cut)


def test_thresholds_are_as_short_as_they_can_be() -> None:
    assert cut_words(880.3999, np.array([870.0, 884.0])) == "880"
    assert cut_words(880.3999, np.array([880.1, 880.6])) == "880.4"
    assert cut_words(0.14234, np.array([0.1, 0.2])) == "0.142"
    assert cut_words(0.0, np.array([-1.0, 1.0])) == "0"
    assert float(cut_words(1.5e-9, np.array([1e-9, 2e-9]))) == pytest.approx(1.5e-9)
    assert float(cut_words(1.23456e12, np.array([1e12, 2e12]))) == pytest.approx(1.23e12)


def test_conditions_join_and_say_what_is_left() -> None:
    above = Condition(0, "age", low=3, low_words="3")
    below = Condition(0, "age", high=8, high_words="8")
    assert above.joined(below).words == "3 < age ≤ 8"
    assert above.joined(below).joined(Condition(0, "age", high=5, high_words="5")).words == "3 < age ≤ 5"
    assert below.joined(Condition(0, "age", high=9, high_words="9")).words == "age ≤ 8"
    levels = ("red", "green", "blue")
    not_red = Condition(1, "colour", codes=(1, 2), levels=levels)
    assert not_red.words == "colour is not red"
    assert not_red.joined(Condition(1, "colour", codes=(0, 2), levels=levels)).words == "colour is blue"


def test_a_constant_network_is_one_leaf_with_a_reason() -> None:
    problem = squares(("no", "yes"))
    tree = tree_surrogate(known(problem, one=((0,), lambda a: 0 * a + 2)), 4)
    assert len(tree.nodes) == 1
    assert tree.agreement.value is None
    assert "one class" in tree.agreement.reason
    assert tree.rules_text().splitlines()[-1].startswith("always yes (")
    assert "none" in tree.rules_text()
    numbers = squares()
    constant = known(numbers, one=((0,), lambda a: 0 * a + 2))
    tree = tree_surrogate(constant, 4)
    assert len(tree.nodes) == 1
    assert "same" in tree.agreement.reason
    forest = forest_surrogate(constant)
    assert not forest.importance.any()
    assert "same" in forest.agreement.reason


def test_a_table_of_categories_and_columns_that_say_nothing() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (120, 2)).astype(float)
    X = np.column_stack([codes, np.full(120, 1.0), np.full(120, np.nan)])
    problem = table(X, (codes[:, 0] == 1).astype(float), levels={0: ("a", "b", "c"), 1: ("d", "e", "f")},
                    classes=("no", "yes"))  # fmt: skip
    candidate = candidate_of(problem, (0, 1, 2, 3))
    tree = tree_surrogate(candidate, 5)
    assert_consistent(tree)
    assert tree.filled == ("x3",)
    forest = forest_surrogate(candidate)
    assert not forest.importance[[2, 3]].any()
    assert np.isfinite(forest.importance).all()


def test_the_forest_finds_what_matters_and_is_judged_on_held_out_rows() -> None:
    problem = squares()
    candidate = known(problem, all=((0, 1, 2), lambda a, b, c: 5 * a + torch.sin(4 * b) + 0 * c))
    forest = forest_surrogate(candidate)
    assert forest.importance.sum() == pytest.approx(1)
    assert list(np.argsort(-forest.importance)) == [0, 1, 2]
    assert forest.agreement.value > tree_surrogate(candidate, 3).agreement.value
    assert forest.held_out == len(problem.valid)
    again = forest_surrogate(candidate)
    assert np.array_equal(again.importance, forest.importance)
    classes = forest_surrogate(steps())
    assert classes.matched > 0.95
    assert classes.agreement.value <= 1


def test_errors_say_what_is_allowed() -> None:
    candidate = steps()
    with pytest.raises(SettingsError, match=r"depth 6.*2 to 5"):
        tree_surrogate(candidate, 6)
    with pytest.raises(SettingsError, match="0 trees"):
        forest_surrogate(candidate, trees=0)
    broken = known(candidate.problem, one=((0,), lambda a: a / 0))
    for imitate in (tree_surrogate, forest_surrogate):
        with pytest.raises(ExplanationError, match=r"imitated|no numbers"):
            imitate(broken)
        with pytest.raises(ExplanationError, match="reads image data"):
            imitate(of_family(problem_of()))
