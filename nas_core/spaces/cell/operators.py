"""Drawing, varying, crossing and repairing whole cell architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.records import freeze
from nas_core.spaces.cell.canonical import canonical
from nas_core.spaces.cell.checks import find_rejection
from nas_core.spaces.cell.edges import reduced
from nas_core.spaces.cell.rules import CellRules, rules_of
from nas_core.spaces.cell.structure import network_cost, window_sides
from nas_core.spaces.variables import Chooser, Context, Hints, Variable

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["cross", "decide", "draw", "fit", "near", "refit", "vary"]

Values = dict[str, Any]

_STEPS = 60
"""Steps of shrinking, more than a cell has edges to cheapen and a skeleton has sizes to lower."""

_QUANTITY: dict[str, Callable[[CellRules, Values], int]] = {
    "max_convolutions": lambda rules, values: sum(o.startswith("nor_conv") for o in values["cell"]),
    "max_parameters": lambda rules, values: network_cost(rules, values)[0],
    "max_operations": lambda rules, values: network_cost(rules, values)[1],
    "max_receptive_field": window_sides,  # inside the borders every step to a smaller one may look alike
}


def draw(space: SearchSpace, rng: np.random.Generator, hints: Hints | None) -> Values:
    """Return a random architecture: every variable by itself, then repaired."""
    context = Context(space, hints)
    return fit(rules_of(space), {v.name: v.sample(rng, context) for v in space.variables}, context, rng)


def decide(space: SearchSpace, chooser: Chooser, hints: Hints | None, like: Values | None) -> Values:
    """Return an architecture made of named decisions, every variable by itself, then repaired."""
    context = Context(space, hints)
    values = {v.name: v.decide(chooser, context, None if like is None else like[v.name]) for v in space.variables}
    return fit(rules_of(space), values, context, np.random.default_rng(0))


def vary(space: SearchSpace, values: Values, rng: np.random.Generator, hints: Hints | None) -> tuple[Values, str]:
    """Return an architecture one step away, in half of the cases of its cell, and the variable's name."""
    context = Context(space, hints, values)
    names = [v.name for v in space.variables if v.name != "cell" and v.count(context) > 1]
    name = "cell" if rng.random() < 0.5 or not names else names[int(rng.random() * len(names))]
    changed = {**values, name: space.by_name[name].mutate(values[name], rng, context)}
    return fit(rules_of(space), changed, context, rng), name


def cross(space: SearchSpace, a: Values, b: Values, rng: np.random.Generator) -> Values:
    """Return a child: each edge of the cell and each other variable from one of the parents."""
    context = Context(space)
    child = {n: v.crossover(a[n], b[n], rng, context) for n, v in space.by_name.items()}
    return fit(rules_of(space), child, context, rng)


def refit(space: SearchSpace, values: Values, rng: np.random.Generator) -> Values:
    """Return values of another version of the space, repaired towards this one."""
    return fit(rules_of(space), freeze(values), Context(space), rng)


def near(space: SearchSpace, values: Values) -> Iterator[Values]:
    """Yield every architecture one smallest step away, taking one step of each variable in turn."""
    rules, context = rules_of(space), Context(space, values=values)
    streams = [_steps(rules, values, variable, context) for variable in space.variables]
    while streams:
        alive = []
        for stream in streams:
            if step := list(islice(stream, 1)):
                yield step[0]
                alive.append(stream)
        streams = alive


def _steps(rules: CellRules, values: Values, variable: Variable, context: Context) -> Iterator[Values]:
    for step in variable.neighbours(values[variable.name], context):
        yield canonical(rules, {**values, variable.name: step})


def fit(rules: CellRules, values: Values, context: Context, rng: np.random.Generator) -> Values:
    """Return canonical values inside the domain, and inside every constraint that repair can meet."""
    fitted = dict(values)
    for name, variable in context.space.by_name.items():
        if variable.validate_value(fitted[name], context):
            fitted[name] = variable.sample(rng, context)
    fitted = canonical(rules, fitted)
    return _shrunk(rules, fitted, context, rng) if rules.limited else fitted


def _shrunk(rules: CellRules, values: Values, context: Context, rng: np.random.Generator) -> Values:
    """Return values made smaller step by step until no constraint refuses them or nothing is left to take away.

    Each step is a random one of those that bring down what the constraint counts; a constant cell is drawn anew.
    """
    for _ in range(_STEPS):
        rejection = find_rejection(rules, values)
        if rejection is None:
            break
        if rejection.constraint == "allow_constant":
            values = canonical(rules, {**values, "cell": rules.edges.sample(rng, context)})
            continue
        count = _QUANTITY[rejection.constraint]
        given = count(rules, values)
        smaller = [s for s in _simpler(rules, values) if count(rules, s) < given and _leads_on(rules, s)]
        if not smaller:
            break
        values = smaller[int(rng.random() * len(smaller))]
    return values


def _leads_on(rules: CellRules, values: Values) -> bool:
    """Return whether the cell is no constant one where that is not allowed."""
    return rules.limits.allow_constant or any(o != "none" for o in values["cell"])


def _simpler(rules: CellRules, values: Values) -> Iterator[Values]:
    """Yield canonical values with one thing smaller: an edge, the number of cells, the width, the stages."""
    yield from (canonical(rules, {**values, "cell": cell}) for cell in reduced(rules, values["cell"]))
    fewer = values["repeats"] - 1
    if fewer in rules.repeats:
        yield canonical(rules, {**values, "repeats": fewer})
    if narrower := [int(w) for w in rules.choices["width"].choices if int(w) < values["width"]]:
        yield canonical(rules, {**values, "width": max(narrower)})
    stages = rules.numbers["stages"]
    others = (s for s in (values["stages"] - 1, values["stages"] + 1) if stages.low <= s <= stages.high)
    yield from (canonical(rules, {**values, "stages": s}) for s in others)
