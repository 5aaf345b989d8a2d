"""Landmarks: architectures that mark the corners of the tabular space, for a search to start from its whole extent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical
from nas_core.spaces.tabular.canonical import Block, as_groups
from nas_core.spaces.tabular.moves import relevance_weights
from nas_core.spaces.tabular.repair import fit
from nas_core.spaces.tabular.rules import Rules, rules_of
from nas_core.spaces.variables import Context, Hints

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["landmarks"]

Values = dict[str, Any]

_PREFERRED: dict[str, tuple[Any, ...]] = {
    "activation": ("relu", "tanh", "softplus", "sigmoid"),
    "connections": ("full",),
    "normalisation": ("none", "batch"),
    "optimiser": ("adam", "adamw"),
    "learning_rate": (0.02,),
    "weight_decay": (0.0, 1e-4),
    "dropout": (0.0,),
    "encoding": ("piecewise", "quantile", "standardised"),
}


def landmarks(space: SearchSpace, hints: Hints | None) -> list[tuple[str, Values]]:
    """Return the named landmarks the constraints leave possible, the most transparent first.

    Without hints "best" means first in the order of the features.
    """
    rules = rules_of(space)
    allowed = np.array(rules.allowed)
    ranked = allowed[np.argsort(-relevance_weights(hints, rules.P)[allowed], kind="stable")].tolist()
    marks = _directions(rules, hints)
    everything = ranked[: rules.max_features]
    plans: list[tuple[str, list[Block], bool, str]] = []
    for place, j in enumerate(ranked[:3]):
        plans.append((f"one feature, rank {place + 1}", [((j,), True)], True, "standardised"))
    if ranked:
        plans.append(("one feature on bins", [((ranked[0],), True)], True, "piecewise"))
    for count in (2, 3, 4, 5, 7):
        few = _complementary(ranked, hints, count)
        # a line is monotone without a mark, and free to turn against the feature's own direction
        plans.append((f"{count} linear features", [((j,), True) for j in few], False, "standardised"))
        plans.append((f"{count} monotone curves on bins", [((j,), True) for j in few], True, "piecewise"))
        if count in (3, 5):
            plans.append((f"{count} monotone networks", [((j,), False) for j in few], True, "standardised"))
    plans.append(("linear model of all features", [((j,), True) for j in everything], False, "standardised"))
    plans.append(("additive bins of all features", [((j,), True) for j in everything], False, "piecewise"))
    plans.append(("additive network of all features", [((j,), False) for j in everything], False, "quantile"))
    plans.append(("one network of all features", [(tuple(everything), False)], False, "standardised"))
    return [
        (name, _realise(space, blocks, marks if marked else {}, encoding)) for name, blocks, marked, encoding in plans
    ]


def _directions(rules: Rules, hints: Hints | None) -> dict[str, int]:
    """Return the mark of each feature along its hinted direction; without a hint, the first direction allowed."""
    marks = {}
    for j in rules.allowed:
        lean = 0.0 if hints is None else float(hints.direction[j])
        sign = -1 if lean < 0 else 1
        if rules.signs:
            marks[str(j)] = sign if sign in rules.signs else rules.signs[0]
    return marks


def _complementary(ranked: list[int], hints: Hints | None, count: int) -> list[int]:
    """Return ``count`` features that add to each other: the hinted order first, then by relevance."""
    hinted = [] if hints is None else [j for j in hints.order if j in ranked]
    return list(dict.fromkeys(hinted + ranked))[:count]


def _realise(space: SearchSpace, blocks: list[Block], marks: dict[str, int], encoding: str) -> Values:
    """Return values with these groups and sensible settings for the rest, repaired towards the constraints."""
    rng = np.random.default_rng(0)  # only repairs draw from it: a landmark is a function of the space and the hints
    rules, context = rules_of(space), Context(space)
    used = {str(j) for features, _ in blocks for j in features}
    values: Values = {"groups": as_groups(blocks), "marks": {j: s for j, s in marks.items() if j in used}}
    flat = all(linear for _, linear in blocks) or not rules.hidden_depths
    values["depth"] = 0 if flat else min(rules.hidden_depths, key=lambda d: abs(d - 1))
    for variable in space.variables:
        if variable.name in values:
            continue
        first = (encoding,) if variable.name == "encoding" else ()
        values[variable.name] = _nearest(variable, first + _PREFERRED.get(variable.name, ()))
    return fit(rules, values, context, rng)


def _nearest(variable: Any, wanted: tuple[Any, ...]) -> Any:
    if isinstance(variable, Categorical):
        middle = variable.choices[len(variable.choices) // 2]
        return next((w for w in wanted if w in variable.choices), middle)
    if isinstance(variable, Real):
        inside = [w for w in wanted if variable.low <= w <= variable.high or (w == 0 and variable.zero)]
        return variable.tidy(inside[0] if inside else variable.high)
    return variable.low
