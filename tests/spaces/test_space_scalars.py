"""Scalar variables: domain, operators, counting and the messages of their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from space_examples import example_space

from nas_core.spaces import Categorical, Context, Flag, Integer, Real, Variable

CONTEXT = Context(example_space(2))
VARIABLES: list[Variable] = [
    Categorical(name="c", choices=("a", "b", "c")),
    Categorical(name="w", choices=(2, 4, 8, 16), ordered=True),
    Categorical(name="one", choices=("only",)),
    Integer(name="i", low=-2, high=3),
    Integer(name="i1", low=4, high=4),
    Real(name="r", low=0.0, high=0.5, zero=0.5),
    Real(name="shifted", low=0.25, high=0.75, step=0.05, zero=0.3),
    Real(name="log", low=1e-6, high=0.02, log=True, zero=0.3),
    Real(name="log1", low=0.01, high=0.01, log=True),
    Flag(name="f"),
]


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
@given(seed=st.integers(0, 10**6))
def test_every_operator_stays_in_the_domain(variable: Variable, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = variable.sample(rng, CONTEXT), variable.sample(rng, CONTEXT)
    near = list(variable.neighbours(a, CONTEXT))
    for value in (a, b, variable.mutate(a, rng, CONTEXT), variable.crossover(a, b, rng, CONTEXT), *near):
        assert variable.validate_value(value, CONTEXT) is None
        assert variable.tidy(value) == value
        assert type(value) in (int, float, str, bool)
        code = variable.encode(value, CONTEXT)
        assert code.shape == (len(variable.encode_names(CONTEXT)),)
        assert (code >= 0).all() and (code <= 1).all()  # noqa: PT018 - one claim: entries in [0, 1]
    assert a not in near
    assert len(set(near)) == len(near)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
@given(seed=st.integers(0, 10**6))
def test_mutation_changes_the_value_where_there_is_another(variable: Variable, seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = variable.sample(rng, CONTEXT)
    changed = variable.mutate(value, rng, CONTEXT)
    assert (changed != value) == (variable.count(CONTEXT) > 1)


@pytest.mark.parametrize(
    ("variable", "count"),
    [
        (Real(name="r", low=0.0, high=0.5), 51),
        (Real(name="r", low=0.25, high=0.75, step=0.05, zero=0.1), 12),
        (Real(name="r", low=0.001, high=0.1, log=True), 1801),
        (Real(name="r", low=0.998, high=1.02, log=True), 5),
        (Real(name="r", low=0.998, high=1.02, log=True, zero=0.1), 6),
        (Integer(name="i", low=-2, high=3), 6),
        (Flag(name="f"), 2),
    ],
    ids=repr,
)
def test_count_is_the_number_of_values(variable: Variable, count: int) -> None:
    assert variable.count(CONTEXT) == count
    rng = np.random.default_rng(0)
    seen = {variable.sample(rng, CONTEXT) for _ in range(300)}
    assert len(seen) <= count
    if count < 13:
        assert len(seen) == count


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (VARIABLES[0], "d", "c is 'd'; allowed: a, b, c"),
        (VARIABLES[1], True, "w is True"),
        (VARIABLES[3], 9, "i is 9; allowed: a whole number from -2 to 3"),
        (VARIABLES[3], 1.0, "i is 1.0"),
        (VARIABLES[5], 0.6, "r is 0.6; allowed: 0 to 0.5 or 0"),
        (VARIABLES[5], float("nan"), "r is nan"),
        (VARIABLES[7], "0.01", "log is '0.01'"),
        (VARIABLES[9], 1, "f is 1; allowed: true or false"),
    ],
)
def test_value_outside_the_domain_is_explained(variable: Variable, value: object, message: str) -> None:
    assert message in (variable.validate_value(value, CONTEXT) or "")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Integer(name="i", low=3, high=2), "low 3 above high 2"),
        (lambda: Real(name="r", low=3, high=2), "low 3.0 above high 2.0"),
        (lambda: Real(name="r", low=0, high=2, log=True), "log scale and needs low above 0"),
        (lambda: Real(name="r", low=0.12345, high=2, log=True), "0.12345, which is not .*; nearest: 0.123"),
        (lambda: Categorical(name="c", choices=("a", "a")), "choices of c are repeated"),
    ],
)  # fmt: skip
def test_impossible_limits_are_explained(build: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        build()
