"""Drawing, varying and crossing whole image architectures with the variables' own operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.records import freeze
from nas_core.spaces.image.blocks import ImageBlocks
from nas_core.spaces.image.canonical import canonical, forced
from nas_core.spaces.image.repair import fit
from nas_core.spaces.image.rules import ImageRules, rules_of
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["cross", "decide", "draw", "near", "refit", "vary"]

Values = dict[str, Any]


def draw(space: SearchSpace, rng: np.random.Generator, hints: Hints | None) -> Values:
    """Return a random architecture: every variable drawn by itself, then repaired."""
    context = Context(space, hints)
    values = {v.name: v.sample(rng, context) for v in space.variables}
    return fit(rules_of(space), values, context, rng)


def decide(space: SearchSpace, chooser: Chooser, hints: Hints | None, like: Values | None) -> Values:
    """Return an architecture made of named decisions, every variable by itself, then repaired."""
    context = Context(space, hints)
    values = {v.name: v.decide(chooser, context, None if like is None else like[v.name]) for v in space.variables}
    return fit(rules_of(space), values, context, np.random.default_rng(0))


def vary(space: SearchSpace, values: Values, rng: np.random.Generator, hints: Hints | None) -> tuple[Values, str]:
    """Return an architecture one step away, in a quarter of the cases two, and the operators' names."""
    rules, changed, names = rules_of(space), values, []
    for _ in range(2 if rng.random() < 0.25 else 1):
        before, changed = changed, dict(changed)
        context = Context(space, hints, before)
        name = _pick_variable(space, before, rng)
        variable = space.by_name[name]
        if isinstance(variable, ImageBlocks):
            changed[name], operator = variable.operate(before[name], rng, context)
        else:
            changed[name], operator = variable.mutate(before[name], rng, context), name
        changed = fit(rules, changed, context, rng, before)
        names.append(operator)
    return changed, " + ".join(names)


def cross(space: SearchSpace, a: Values, b: Values, rng: np.random.Generator) -> Values:
    """Return a child: stages crossed, every other variable from the parents in which it means something."""
    rules, context = rules_of(space), Context(space)
    asleep = {id(p): forced(rules, p) for p in (a, b)}
    child: Values = {}
    for name, variable in space.by_name.items():
        awake = [p for p in (a, b) if name not in asleep[id(p)]] or [a, b]
        child[name] = variable.crossover(awake[0][name], awake[-1][name], rng, context)
    return fit(rules, child, context, rng)


def refit(space: SearchSpace, values: Values, rng: np.random.Generator) -> Values:
    """Return values of another version of the space, repaired towards this one."""
    return fit(rules_of(space), freeze(values), Context(space), rng)


def near(space: SearchSpace, values: Values) -> Iterator[Values]:
    """Yield every architecture one smallest step away, taking one step of each variable in turn."""
    rules = rules_of(space)
    context = Context(space, values=values)
    streams = [_steps(rules, space, values, name, context) for name in _active(space, values)]
    while streams:
        alive = []
        for stream in streams:
            if step := list(islice(stream, 1)):
                yield step[0]
                alive.append(stream)
        streams = alive


def _steps(rules: ImageRules, space: SearchSpace, values: Values, name: str, context: Context) -> Iterator[Values]:
    for value in space.by_name[name].neighbours(values[name], context):
        changed = {**values, name: value}
        rng = np.random.default_rng(0)  # what wakes up is drawn; the neighbourhood is a function of the point
        if name == "stages" and set(forced(rules, values)) <= set(forced(rules, changed)):
            yield canonical(rules, changed)  # nothing wakes up: no repair that could also undo the step
        else:
            yield fit(rules, changed, context, rng, values)


def _active(space: SearchSpace, values: Values) -> list[str]:
    """Return the variables that mean something for these values."""
    fixed = forced(rules_of(space), values)
    return [v.name for v in space.variables if v.name not in fixed]


def _pick_variable(space: SearchSpace, values: Values, rng: np.random.Generator) -> str:
    if rng.random() < 0.55:
        return "stages"
    others = [n for n in _active(space, values) if n != "stages"]
    return others[int(rng.random() * len(others))]
