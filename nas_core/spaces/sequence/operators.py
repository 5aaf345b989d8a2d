"""Drawing, varying and crossing whole sequence architectures with the variables' own operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.records import freeze
from nas_core.spaces.sequence.canonical import canonical, forced
from nas_core.spaces.sequence.repair import fit
from nas_core.spaces.sequence.rules import SCALARS, SequenceRules, rules_of
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["cross", "decide", "draw", "near", "refit", "vary"]

Values = dict[str, Any]


def draw(space: SearchSpace, rng: np.random.Generator, hints: Hints | None) -> Values:
    """Return a random architecture: every variable by itself, then repaired."""
    context = Context(space, hints)
    values = {variable.name: variable.sample(rng, context) for variable in space.variables}
    return fit(rules_of(space), values, context, rng)


def decide(space: SearchSpace, chooser: Chooser, hints: Hints | None, like: Values | None) -> Values:
    """Return an architecture made of named decisions, every variable by itself, then repaired."""
    context = Context(space, hints)
    values = {v.name: v.decide(chooser, context, None if like is None else like[v.name]) for v in space.variables}
    return fit(rules_of(space), values, context, np.random.default_rng(0))


def vary(space: SearchSpace, values: Values, rng: np.random.Generator, hints: Hints | None) -> tuple[Values, str]:
    """Return an architecture one step away, in a quarter of the cases two, and the operators' names."""
    rules, names, changed = rules_of(space), [], dict(values)
    for _ in range(2 if rng.random() < 0.25 else 1):
        name = _pick_variable(rules, space, changed, rng)
        context = Context(space, hints, changed)
        if name == "layers":
            stepped, name = rules.layers.operate(changed["layers"], rng, context)
            after = {**changed, "layers": stepped}
        else:
            after = {**changed, name: space.by_name[name].mutate(changed[name], rng, context)}
        changed = fit(rules, after, context, rng, before=changed)
        names.append(name)
    return changed, " + ".join(names)


def cross(space: SearchSpace, a: Values, b: Values, rng: np.random.Generator) -> Values:
    """Return a child: layers of both, each other variable from the parents where it means something."""
    rules, context = rules_of(space), Context(space)
    asleep = forced(rules, a), forced(rules, b)
    child: Values = {}
    for name, variable in space.by_name.items():
        awake = [p for p, off in zip((a, b), asleep) if name not in off or name == "layers"] or [a, b]
        child[name] = variable.crossover(awake[0][name], awake[-1][name], rng, context)
    return fit(rules, child, context, rng)


def refit(space: SearchSpace, values: Values, rng: np.random.Generator) -> Values:
    """Return values of another version of the space, repaired towards this one."""
    return fit(rules_of(space), freeze(values), Context(space), rng)


def near(space: SearchSpace, values: Values) -> Iterator[Values]:
    """Yield every architecture one smallest step away, taking one step of each variable in turn."""
    rules = rules_of(space)
    context = Context(space, values=values)
    streams = [_steps(rules, space, values, name, context) for name in _active(rules, space, values)]
    while streams:
        alive = []
        for stream in streams:
            if step := list(islice(stream, 1)):
                yield step[0]
                alive.append(stream)
        streams = alive


def _steps(rules: SequenceRules, space: SearchSpace, values: Values, name: str, context: Context) -> Iterator[Values]:
    asleep = forced(rules, values)
    for value in space.by_name[name].neighbours(values[name], context):
        changed = {**values, name: value}
        now = forced(rules, changed)
        rng = np.random.default_rng(0)  # what wakes up is drawn; the neighbourhood is a function of the point
        for other in (n for n in SCALARS if n in asleep and n not in now):
            changed[other] = space.by_name[other].sample(rng, context)
        yield canonical(rules, changed)


def _active(rules: SequenceRules, space: SearchSpace, values: Values) -> list[str]:
    """Return the variables that mean something for these values."""
    fixed = forced(rules, values)
    return [v.name for v in space.variables if v.name not in fixed]


def _pick_variable(rules: SequenceRules, space: SearchSpace, values: Values, rng: np.random.Generator) -> str:
    active = _active(rules, space, values)
    if rng.random() < 0.5 and rules.max_layers and rules.options:
        return "layers"
    others = [n for n in active if n != "layers"]
    return others[int(rng.random() * len(others))]
