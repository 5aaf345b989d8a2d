"""Isomorphic networks have one form and one identity; each repair rule of the family on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_examples import example_space

from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces import facts

SPACE = example_space(8)
BASE: dict[str, Any] = {
    "groups": [{"features": [0, 2], "linear": False}, {"features": [1], "linear": True}],
    "marks": {"0": 1, "1": -1},
    "depth": 2, "width": 8, "activation": "relu", "connections": "full", "normalisation": "none", "dropout": 0.1,
    "encoding": "quantile", "optimiser": "adam", "learning_rate": 0.01, "weight_decay": 1e-4,
}  # fmt: skip


def built(**changes: Any) -> Architecture:
    return SPACE.architecture({**BASE, **changes})


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_of_groups_features_and_marks_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = SPACE.sample(rng)
    groups = [{"features": rng.permutation(g["features"]).tolist(), "linear": g["linear"]} for g in a.values["groups"]]
    marks = list(a.values["marks"].items())
    shuffled = {
        **dict(reversed(a.values.items())),
        "groups": [groups[i] for i in rng.permutation(len(groups))],
        "marks": dict(marks[i] for i in rng.permutation(len(marks))),
    }
    assert SPACE.architecture(shuffled).id == a.id


def test_linear_group_is_split_into_single_features() -> None:
    split = built(groups=[{"features": [4, 1], "linear": True}, {"features": [0, 2], "linear": False}])
    assert split.values["groups"] == [
        {"features": [0, 2], "linear": False},
        {"features": [1], "linear": True},
        {"features": [4], "linear": True},
    ]


def test_depth_zero_and_all_linear_are_the_same_network() -> None:
    flat = built(depth=0, width=64, activation="gelu", dropout=0.5)
    groups = [{"features": [j], "linear": True} for j in (0, 1, 2)]
    assert flat == built(groups=groups, depth=3, connections="dense", normalisation="layer")
    assert flat.values["depth"] == 0
    assert [g["linear"] for g in flat.values["groups"]] == [True] * 3


@pytest.mark.parametrize(("connections", "kept"), [("residual", "full"), ("sparse", "full"), ("dense", "dense")])
def test_connections_between_hidden_layers_need_two_of_them(connections: str, kept: str) -> None:
    assert built(depth=1, connections=connections).values["connections"] == kept
    assert built(depth=2, connections=connections).values["connections"] == connections


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, {"0": 1, "1": -1}),
        ({"activation": "gelu"}, {"1": -1}),
        ({"activation": "silu"}, {"1": -1}),
        ({"activation": "identity"}, {"0": 1, "1": -1}),
        ({"normalisation": "layer"}, {"1": -1}),
        ({"normalisation": "batch"}, {"0": 1, "1": -1}),
        ({"encoding": "periodic"}, {}),
        ({"marks": {"5": 1, "1": 1}}, {"1": 1}),
        ({"groups": [{"features": [0, 3], "linear": False}], "marks": {"0": 1, "3": 1}}, {"0": 1}),
    ],
)
def test_marks_are_kept_exactly_where_they_can_be_certified(changes: dict[str, Any], marks: dict[str, int]) -> None:
    assert built(**changes).values["marks"] == marks


def test_marks_need_a_single_output() -> None:
    assert example_space(8, outputs=3).architecture(BASE).values["marks"] == {}


def test_encoding_of_categorical_features_only_is_irrelevant() -> None:
    only = [{"features": [3, 7], "linear": False}]
    assert built(groups=only, encoding="periodic") == built(groups=only, encoding="piecewise")


def test_reals_are_rounded_to_the_values_of_their_variable() -> None:
    values = built(learning_rate=0.0123456, weight_decay=0.000123449, dropout=0.1249).values
    assert (values["learning_rate"], values["weight_decay"], values["dropout"]) == (0.0123, 0.000123, 0.12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_canonical_form_is_idempotent_and_distinguishes_other_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = SPACE.sample(rng)
    assert SPACE.engine.canonical(SPACE, a.values) == a.values
    b, _ = SPACE.mutate(a, rng)
    assert (a.id == b.id) == (a.values == b.values)
    assert a.id != b.id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 7}, "width is 7; allowed: 2, 4, 8"),
        ({"depth": 9}, "depth is 9; allowed: a whole number from 0 to 4"),
        ({"activation": "swish"}, "activation is 'swish'; allowed: relu"),
        ({"learning_rate": -1}, "learning_rate is -1; allowed: 0.001 to 0.1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"groups": []}, "groups is .*at least one group"),
        ({"groups": [{"features": [], "linear": True}]}, "features of a group are .*not empty"),
        ({"groups": [{"features": [8], "linear": True}]}, "reads feature 8; allowed: an index from 0 to 7"),
        ({"groups": [{"features": [True], "linear": True}]}, "reads feature True"),
        ({"groups": [{"features": [1, 1], "linear": True}]}, "different indices"),
        ({"groups": [{"features": [1], "linear": 1}]}, "linear is 1; allowed: true or false"),
        ({"groups": [{"features": [1], "linear": True}] * 2}, "feature 1 is in two groups"),
        ({"groups": [[1]]}, "a group is .*allowed"),
        ({"marks": {"0": 2}}, "mark of feature 0 is 2; allowed: \\+1, -1"),
        ({"marks": {"99": 1}}, "marks has the key '99'"),
        ({"marks": {"01": 1}}, "marks has the key '01'"),
        ({"marks": [0]}, "marks is .*allowed: a mapping"),
        ({"optimizer": "adam"}, "optimizer is unknown; allowed: groups"),
    ],
)
def test_values_that_are_no_architecture_are_explained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        built(**changes)


def test_missing_value_is_named() -> None:
    with pytest.raises(SpaceError, match="encoding is missing"):
        SPACE.architecture({k: v for k, v in BASE.items() if k != "encoding"})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_features": 2}, "max_features refuses this architecture: 3 features, at most 2 allowed"),
        ({"max_group_size": 1}, "max_group_size.*2 features in a group, at most 1"),
        ({"max_groups": 1}, "max_groups.*2 groups"),
        ({"max_depth": 1}, "depth refuses.*depth is 2; allowed: 0, 1"),
        ({"features_required": ("f7",)}, "features_required.*'f7' is not used"),
        ({"features_forbidden": ("f2",)}, "features_forbidden.*'f2' is used"),
        ({"forbidden_pairs": (("f2", "f0"),)}, "forbidden_pairs.*'f0' and 'f2' share a group"),
        ({"monotone_required": {"f0": -1}}, r"monotone_required.*'f0' is not certified -1"),
        ({"max_parameters": 5}, r"max_parameters.*\d+ parameters, at most 5"),
        ({"max_operations": 5}, r"max_operations.*\d+ operations, at most 5"),
    ],
)
def test_a_manual_architecture_is_refused_not_repaired(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        example_space(8, **limits).architecture(BASE)


def test_values_of_the_caller_are_copied() -> None:
    values = {**BASE, "groups": [{"features": [0], "linear": False}]}
    architecture = SPACE.architecture(values)
    values["groups"][0]["features"].append(5)
    assert facts(SPACE, architecture).used_features == (0,)
