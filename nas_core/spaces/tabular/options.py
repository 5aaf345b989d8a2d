"""What can be pinned or forbidden in a tabular space."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.spaces.option_lists import (
    Frame,
    Option,
    OptionList,
    ScalarOptions,
    limited,
    register_option_lists,
    revised,
)
from nas_core.spaces.tabular.marks import used_features
from nas_core.spaces.tabular.rules import PLAIN_ENCODING, rules_of

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["FeatureOptions", "GroupOptions", "MarkOptions", "PairOptions"]

Values = dict[str, Any]
Changes = dict[str, Any]


class FeatureOptions(OptionList):
    """Features that a network may read; an option is an index."""

    name = "features"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        rules = rules_of(space)
        free = [j for j in rules.allowed if j not in rules.required]
        return {j: f"uses {rules.names[j]}" for j in free} if len(rules.allowed) > 1 else {}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        return frozenset(used_features(values))

    def without(self, space: SearchSpace, option: Option) -> Changes:
        limits: Any = space.constraints
        return limited(space, features_forbidden=(*limits.features_forbidden, _name(space, option)))

    def only(self, space: SearchSpace, option: Option) -> Changes:
        limits: Any = space.constraints
        return limited(space, features_required=(*limits.features_required, _name(space, option)))


class GroupOptions(OptionList):
    """How features are grouped: alone on a line, or several in one small network."""

    name = "groups"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        rules, found = rules_of(space), dict[Option, str]()
        if rules.hidden_depths and rules.linear:
            found["linear"] = "features with a linear effect"
        if rules.hidden_depths and min(rules.max_group_size, rules.max_features) > 1:
            found["together"] = "features that act together"
        return found

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        linear = any(g["linear"] for g in values["groups"])
        together = any(len(g["features"]) > 1 for g in values["groups"])
        return frozenset([*(["linear"] if linear else []), *(["together"] if together else [])])

    def without(self, space: SearchSpace, option: Option) -> Changes:
        return revised(space, "groups", linear=False) if option == "linear" else limited(space, max_group_size=1)

    def only(self, space: SearchSpace, option: Option) -> Changes:
        if option == "linear":
            return revised(space, "depth", low=0, high=0)
        raise SpaceError("a space cannot say that some features must act together", fix="forbid linear effects instead")


class MarkOptions(OptionList):
    """Directions that a network may promise of an effect."""

    name = "marks"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        words = {1: "increasing by construction", -1: "decreasing by construction"}
        return {sign: words[sign] for sign in rules_of(space).signs}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        return frozenset(values["marks"].values())

    def without(self, space: SearchSpace, option: Option) -> Changes:
        return revised(space, "marks", signs=tuple(s for s in rules_of(space).signs if s != option))

    def only(self, space: SearchSpace, option: Option) -> Changes:
        raise SpaceError(
            "a network promises a direction for single features, not as a whole",
            fix="demand the direction of a feature with monotone_required",
        )


class PairOptions(OptionList):
    """Pairs of features that may share a small network; an option is two indices, ascending."""

    name = "pairs"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        rules = rules_of(space)
        if not rules.hidden_depths or min(rules.max_group_size, rules.max_features) < 2:
            return {}
        return {
            (i, j): f"{rules.names[i]} together with {rules.names[j]}"
            for i, j in combinations(rules.allowed, 2)
            if j not in rules.enemies.get(i, ())
        }

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        return frozenset(pair for g in values["groups"] for pair in combinations(sorted(g["features"]), 2))

    def without(self, space: SearchSpace, option: Option) -> Changes:
        limits: Any = space.constraints
        pair = tuple(_name(space, j) for j in option)  # type: ignore[union-attr]
        return limited(space, forbidden_pairs=(*limits.forbidden_pairs, pair))

    def only(self, space: SearchSpace, option: Option) -> Changes:
        raise SpaceError("a space cannot say that two features must act together", fix="forbid pairs instead")


def _name(space: SearchSpace, index: Any) -> str:
    return space.features[index].name


def _flat(values: Values, frame: Frame | None) -> bool:
    """Return whether there is no hidden layer."""
    return bool(values["depth"] == 0)


def _same_connections(values: Values, frame: Frame | None) -> bool:
    """Return whether sparse, residual and full connections are one and the same: with fewer than two hidden layers."""
    return values["depth"] == 0 or (values["depth"] == 1 and values["connections"] == "full")


def _no_numeric(values: Values, frame: Frame | None) -> bool:
    """Return whether no numeric feature is read, so that the encoding is only written down."""
    numeric = frame is None or any(frame.numeric[j] for j in used_features(values))
    return values["encoding"] == PLAIN_ENCODING and not numeric


register_option_lists(
    "tabular",
    (
        FeatureOptions(),
        GroupOptions(),
        MarkOptions(),
        ScalarOptions("depth"),
        ScalarOptions("width", _flat),
        ScalarOptions("activation", _flat),
        ScalarOptions("connections", _same_connections),
        ScalarOptions("normalisation", _flat),
        ScalarOptions("dropout", _flat),
        ScalarOptions("encoding", _no_numeric),
        ScalarOptions("optimiser"),
        ScalarOptions("weight_decay"),
        PairOptions(),
    ),
)
