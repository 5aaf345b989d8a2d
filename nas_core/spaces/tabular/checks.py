"""What a tabular declaration, and a tabular architecture, may not be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.spaces.family import Rejection
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer
from nas_core.spaces.tabular.groups import FeatureGroups
from nas_core.spaces.tabular.marks import MonotoneMarks
from nas_core.spaces.tabular.rules import (
    HIDDEN,
    LINEAR_FORM,
    PLAIN_ENCODING,
    Rules,
    TabularConstraints,
    rules_of,
)
from nas_core.spaces.tabular.structure import network_cost
from nas_core.spaces.variables import Context, Variable

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["check_declaration", "find_problems", "find_rejection"]

Values = dict[str, Any]

_TYPES: dict[str, type[Variable]] = {
    "groups": FeatureGroups,
    "marks": MonotoneMarks,
    "depth": Integer,
    "width": Categorical,
    "activation": Categorical,
    "connections": Categorical,
    "normalisation": Categorical,
    "dropout": Real,
    "encoding": Categorical,
    "optimiser": Categorical,
    "learning_rate": Real,
    "weight_decay": Real,
}

_MEANINGS: dict[str, tuple[str, ...]] = {
    "activation": ("relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity"),
    "connections": ("full", "sparse", "residual", "dense"),
    "normalisation": ("none", "batch", "layer"),
    "optimiser": ("sgd", "adam", "adamw", "adagrad"),
}

_BOUNDS = {"dropout": (0.0, 0.95), "learning_rate": (1e-8, 10.0), "weight_decay": (0.0, 10.0)}


def check_declaration(space: SearchSpace) -> None:
    """Raise SpaceError when a declaration contradicts itself or the family."""
    if not space.features:
        raise SpaceError("The space has no features", allowed="at least one", fix="make it from a problem")
    names = [f.name for f in space.features]
    if repeated := [n for n in names if names.count(n) > 1] if len(set(names)) < len(names) else []:
        raise SpaceError(f"The feature {repeated[0]!r} is declared twice", fix="rename one of them")
    _check_variables(space)
    _check_constraints(space)


def _check_variables(space: SearchSpace) -> None:
    known = space.by_name
    if wrong := [n for n in _TYPES if n not in known] + [n for n in known if n not in _TYPES]:
        what = "is missing" if wrong[0] not in known else "is not one of the family's"
        raise SpaceError(f"The variable {wrong[0]!r} {what}", allowed=", ".join(_TYPES), fix="declare each once")
    for name, variable in known.items():
        if not isinstance(variable, _TYPES[name]):
            kind = _TYPES[name].model_fields["kind"].default
            raise SpaceError(
                f"The variable {name!r} is of kind {type(variable).model_fields['kind'].default!r}",
                allowed=str(kind), fix="change its kind",
            )  # fmt: skip
        _check_meaning(space, name, variable)
    depth = known["depth"]
    if isinstance(depth, Integer) and not 0 <= depth.low <= depth.high <= 16:
        raise SpaceError(f"depth runs from {depth.low} to {depth.high}", allowed="0 to 16", fix="change its limits")


def _check_depth(space: SearchSpace, limits: TabularConstraints) -> None:
    rules = rules_of(space)
    if not rules.depths:
        raise SpaceError(
            f"No depth is left: depth is {rules.depth.low} to {rules.depth.high}, max_depth is {limits.max_depth}"
            f"{'' if rules.linear else ' and linear groups are off'}",
            fix="raise max_depth, lower the smallest depth or allow linear groups",
        )


def _check_meaning(space: SearchSpace, name: str, variable: Variable) -> None:
    if isinstance(variable, Categorical):
        if name == "width":
            wrong = [c for c in variable.choices if not isinstance(c, int) or not 2 <= c <= 4096]
            allowed = "whole numbers from 2 to 4096"
        else:
            meanings = _MEANINGS.get(name, tuple(space.features[0].columns))
            wrong = [c for c in variable.choices if c not in meanings]
            allowed = ", ".join(meanings)
        if wrong:
            raise SpaceError(f"The variable {name!r} has the choice {wrong[0]!r}", allowed=allowed, fix="remove it")
        if name == "encoding":
            _check_encodings(space, [str(c) for c in variable.choices])
    if isinstance(variable, Real):
        low, high = _BOUNDS[name]
        if not low <= variable.low <= variable.high <= high:
            raise SpaceError(
                f"{name} runs from {variable.low:g} to {variable.high:g}", allowed=f"{low:g} to {high:g}",
                fix="change its limits",
            )  # fmt: skip


def _check_encodings(space: SearchSpace, encodings: Iterable[str]) -> None:
    for feature in space.features:
        if missing := [e for e in encodings if e not in feature.columns]:
            raise SpaceError(
                f"The feature {feature.name!r} has no columns for the encoding {missing[0]!r}",
                allowed=", ".join(feature.columns), fix="remove this encoding or make the space from the problem",
            )  # fmt: skip


def _check_constraints(space: SearchSpace) -> None:
    limits = space.constraints
    if not isinstance(limits, TabularConstraints):
        raise SpaceError(f"The constraints are a {type(limits).__name__}", allowed="TabularConstraints")
    pairs = [name for pair in limits.forbidden_pairs for name in pair]
    _check_names(space, "features_required", limits.features_required)
    _check_names(space, "features_forbidden", limits.features_forbidden)
    _check_names(space, "monotone_required", limits.monotone_required)
    _check_names(space, "forbidden_pairs", pairs)
    if same := [a for a, b in limits.forbidden_pairs if a == b]:
        raise SpaceError(f"forbidden_pairs pairs {same[0]!r} with itself", allowed="two different features")
    if both := sorted(set(limits.features_required) & set(limits.features_forbidden)):
        raise SpaceError(f"The feature {both[0]!r} is both required and forbidden", fix="choose one of the two")
    if len(set(limits.features_forbidden)) == len(space.features):
        raise SpaceError("features_forbidden leaves no feature", fix="allow at least one")
    _check_depth(space, limits)
    _check_demands(space, limits)
    most = rules_of(space).max_features
    if len(set(limits.features_required)) > most:
        raise SpaceError(
            f"{len(set(limits.features_required))} features are required, the limits leave room for {most}",
            fix="raise max_features, max_groups or max_group_size, or require fewer",
        )


def _check_names(space: SearchSpace, field: str, names: Iterable[str]) -> None:
    known = [f.name for f in space.features]
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 3) or known[:8]
            raise SpaceError(
                f"{field} names {name!r}, which is no feature", allowed=f"features such as {', '.join(close)}",
                fix="correct the name",
            )  # fmt: skip


def _check_demands(space: SearchSpace, limits: TabularConstraints) -> None:
    kinds = {f.name: f.kind for f in space.features}
    signs = rules_of(space).signs
    for name, sign in limits.monotone_required.items():
        if kinds[name] != "numeric":
            raise SpaceError(f"monotone_required names {name!r}, which is categorical", allowed="numeric features")
        if sign not in signs:
            allowed = ", ".join(f"{s:+d}" for s in signs) or "nothing: marks need one output and at least one sign"
            raise SpaceError(f"monotone_required asks {sign:+d} of {name!r}", allowed=allowed, fix="change it")


def find_problems(space: SearchSpace, values: Values) -> list[str]:
    """Return what is wrong with the form or the domain of ``values``; hidden variables where they mean something."""
    known = space.by_name
    wrong = [f"{n} is missing" for n in known if n not in values]
    wrong += [f"{n} is unknown; allowed: {', '.join(known)}" for n in values if n not in known]
    if wrong:
        return wrong
    context = Context(space, values=values)
    if reason := known["groups"].validate_value(values["groups"], context):
        return [reason]
    flat = values["depth"] == 0 or all(g["linear"] for g in values["groups"])
    found = []
    for name, variable in known.items():
        if name == "depth" and flat:
            continue
        if flat and values[name] == LINEAR_FORM.get(name):
            continue
        merged = name == "connections" and values[name] == "full" and values["depth"] == 1
        if merged or (name == "encoding" and values[name] == PLAIN_ENCODING and _no_numeric(space, values)):
            continue
        if (not flat or name not in HIDDEN) and (reason := variable.validate_value(values[name], context)):
            found.append(reason)
    return found


def _no_numeric(space: SearchSpace, values: Values) -> bool:
    return all(space.features[j].kind != "numeric" for g in values["groups"] for j in g["features"])


def find_rejection(rules: Rules, values: Values) -> Rejection | None:
    """Return the first constraint that canonical values break, or None; costs O(features used)."""
    groups = values["groups"]
    sizes = [len(g["features"]) for g in groups]
    limits = (
        ("max_features", sum(sizes), rules.max_features, "features"),
        ("max_group_size", max(sizes), rules.max_group_size, "features in a group"),
        ("max_groups", len(groups), rules.max_groups, "groups"),
    )
    for name, found, most, what in limits:
        if found > most:
            return Rejection(name, f"{found} {what}, at most {most} allowed")
    if values["depth"] not in rules.depths:
        return Rejection("depth", f"depth is {values['depth']}; allowed: {', '.join(map(str, rules.depths))}")
    if not rules.linear and any(g["linear"] for g in groups):
        return Rejection("groups", "a group is linear; the space has no linear groups")
    return _feature_rejection(rules, values) or _budget_rejection(rules, values)


def _feature_rejection(rules: Rules, values: Values) -> Rejection | None:
    used = {j for g in values["groups"] for j in g["features"]}
    if missing := [j for j in rules.required if j not in used]:
        return Rejection("features_required", f"{rules.names[missing[0]]!r} is not used")
    if len(rules.allowed) < rules.P and (extra := sorted(used - set(rules.allowed))):
        return Rejection("features_forbidden", f"{rules.names[extra[0]]!r} is used")
    for j, sign in rules.demanded.items():
        if j in used and values["marks"].get(str(j)) != sign:
            return Rejection("monotone_required", f"{rules.names[j]!r} is not certified {sign:+d}")
    for group in values["groups"] if rules.enemies else ():
        together = set(group["features"])
        for j in group["features"]:
            if met := sorted(together & rules.enemies.get(j, frozenset())):
                return Rejection("forbidden_pairs", f"{rules.names[j]!r} and {rules.names[met[0]]!r} share a group")
    return None


def _budget_rejection(rules: Rules, values: Values) -> Rejection | None:
    if rules.max_parameters is None and rules.max_operations is None:
        return None
    parameters, operations = network_cost(rules, values)
    if rules.max_parameters is not None and parameters > rules.max_parameters:
        return Rejection("max_parameters", f"{parameters} parameters, at most {rules.max_parameters} allowed")
    if rules.max_operations is not None and operations > rules.max_operations:
        return Rejection("max_operations", f"{operations} operations, at most {rules.max_operations} allowed")
    return None
