"""Drawing, varying and crossing whole tabular architectures with the variables' own operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.records import freeze
from nas_core.spaces.tabular.canonical import canonical
from nas_core.spaces.tabular.marks import used_features
from nas_core.spaces.tabular.repair import fit, honour_marks, wake
from nas_core.spaces.tabular.rules import HIDDEN, LINEAR_FORM, Rules, rules_of
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["cross", "decide", "draw", "near", "refit", "vary"]

Values = dict[str, Any]

_ALWAYS = ("encoding", "optimiser", "learning_rate", "weight_decay")


def draw(space: SearchSpace, rng: np.random.Generator, hints: Hints | None) -> Values:
    """Return a random architecture: groups, marks, then the rest, mostly chosen so that the marks can be kept."""
    rules = rules_of(space)
    context = Context(space, hints)
    values: Values = {"groups": rules.groups_variable.sample(rng, context)}
    values["marks"] = rules.marks_variable.sample(rng, Context(space, hints, values))
    values.update(LINEAR_FORM)
    for name in _ALWAYS:
        values[name] = space.by_name[name].sample(rng, context)
    wake(rules, values, context, rng)
    if values["marks"] and rng.random() < 0.85:
        honour_marks(rules, values, rng, {int(j) for j in values["marks"]})
    return fit(rules, values, context, rng)


def decide(space: SearchSpace, chooser: Chooser, hints: Hints | None, like: Values | None) -> Values:
    """Return an architecture made of named decisions: groups, marks, then what still means something."""
    rules = rules_of(space)
    told = like or {}
    values: Values = {"groups": rules.groups_variable.decide(chooser, Context(space, hints), told.get("groups"))}
    values["marks"] = rules.marks_variable.decide(chooser, Context(space, hints, values), told.get("marks"))
    values.update(LINEAR_FORM)
    flat = all(g["linear"] for g in values["groups"])
    for name, variable in space.by_name.items():
        if name not in ("groups", "marks") and not (flat and (name == "depth" or name in HIDDEN)):
            values[name] = variable.decide(chooser, Context(space, hints, values), told.get(name))
    if not flat and values["depth"] not in rules.hidden_depths:  # repair would draw all hidden variables anew
        values["depth"] = rules.hidden_depths[0]
    return fit(rules, values, Context(space, hints, values), np.random.default_rng(0))


def vary(space: SearchSpace, values: Values, rng: np.random.Generator, hints: Hints | None) -> tuple[Values, str]:
    """Return an architecture one step away, in a quarter of the cases two, and the operators' names."""
    rules = rules_of(space)
    names = []
    changed = dict(values)
    for _ in range(2 if rng.random() < 0.25 else 1):
        name = _pick_variable(space, changed, rng)
        changed, operator = _vary_one(rules, space, changed, name, rng, hints)
        names.append(operator)
    return fit(rules, changed, Context(space, hints, changed), rng), " + ".join(names)


def cross(space: SearchSpace, a: Values, b: Values, rng: np.random.Generator) -> Values:
    """Return a child: groups injected, marks and scalars mixed; hidden variables from the parents that have them."""
    rules = rules_of(space)
    context = Context(space)
    child: Values = {"groups": rules.groups_variable.crossover(a["groups"], b["groups"], rng, context)}
    child["marks"] = rules.marks_variable.crossover(a["marks"], b["marks"], rng, context)
    deep = [p for p in (a, b) if p["depth"] > 0]
    for name, variable in space.by_name.items():
        if name in ("groups", "marks"):
            continue
        one, two = (deep[0], deep[-1]) if deep and (name == "depth" or name in HIDDEN) else (a, b)
        child[name] = variable.crossover(one[name], two[name], rng, context)
    return fit(rules, child, Context(space, values=child), rng)


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


def _steps(rules: Rules, space: SearchSpace, values: Values, name: str, context: Context) -> Iterator[Values]:
    for value in space.by_name[name].neighbours(values[name], context):
        changed = {**values, name: value}
        rng = np.random.default_rng(0)  # a repair may draw; the neighbourhood is a function of the point
        if name == "depth" and values["depth"] == 0:
            changed["groups"] = [{**g, "linear": False} for g in values["groups"]]
            changed.update((n, space.by_name[n].sample(rng, context)) for n in HIDDEN)
        if name == "marks":
            honour_marks(rules, changed, rng, {int(j) for j in value})
        if rules.demanded or changed["depth"] == 0:
            changed = fit(rules, changed, context, rng)
        yield canonical(rules, changed)


def _active(space: SearchSpace, values: Values) -> list[str]:
    """Return the variables that mean something for these values."""
    flat = values["depth"] == 0
    return [v.name for v in space.variables if not (flat and v.name in HIDDEN)]


def _pick_variable(space: SearchSpace, values: Values, rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.45:
        return "groups"
    if draw < 0.6 and rules_of(space).signs:
        return "marks"
    others = [n for n in _active(space, values) if n not in ("groups", "marks")]
    return others[int(rng.random() * len(others))]


def _vary_one(
    rules: Rules, space: SearchSpace, values: Values, name: str, rng: np.random.Generator, hints: Hints | None
) -> tuple[Values, str]:
    context = Context(space, hints, values)
    changed = dict(values)
    if name == "groups":
        changed["groups"], move = rules.groups_variable.operate(values["groups"], rng, context)
        changed["marks"] = _marks_of_new(rules, values, changed, rng, hints)
        return changed, move
    changed[name] = space.by_name[name].mutate(values[name], rng, context)
    if name == "marks":
        honour_marks(rules, changed, rng, {int(j) for j in changed["marks"]})
    if name == "depth" and values["depth"] == 0 and changed["depth"] > 0:
        changed["depth"] = 0  # wake() draws the depth together with the other hidden variables
        changed["groups"] = [{**g, "linear": False} for g in values["groups"]]
    return changed, name


def _marks_of_new(
    rules: Rules, before: Values, after: Values, rng: np.random.Generator, hints: Hints | None
) -> dict[str, int]:
    """Return the marks with features that came in marked about as often as those that were there."""
    old = set(used_features(before))
    new = [j for j in used_features(after) if j not in old]
    if not new:
        return before["marks"]
    share = (len(before["marks"]) + 1) / (len(old) + 2)
    return {**before["marks"], **rules.marks_variable.draw_for(new, share, rules, hints, rng)}
