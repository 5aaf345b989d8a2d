"""One canonical form for what is the same network, different ones for what is not; counted against enumeration."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_examples import SCALARS, build, computed, fixed_images, network, open_space, pixels, stage
from image_twin import literal, raw_stages

from nas_core.data.signal import Signal
from nas_core.errors import SpaceError
from nas_core.records import canonical_json
from nas_core.spaces import Categorical, ImageBlocks, Integer, Real, SearchSpace, facts

Values = dict[str, Any]


def tiny_space(signal: Signal, operations: tuple[str, ...], **variables: Any) -> SearchSpace:
    """Return a space small enough to enumerate."""
    blocks = {"widths": (2, 3), "max_stages": 2, "max_blocks": 2, **variables.pop("stages", {})}
    chosen: dict[str, Any] = {
        "activation": ("tanh", "identity"), "connections": ("plain", "residual", "dense"),
        "normalisation": ("none", "batch"), "head": ("gap_linear", "dense"), "hidden_width": (2, 3),
        "optimiser": ("adam",), **variables,
    }  # fmt: skip
    one: dict[str, Any] = {"low": 0.01, "high": 0.01, "log": True}
    return open_space(signal, 2).changed(
        variables=(
            ImageBlocks(name="stages", operations=operations, **blocks),
            *(Categorical(name=n, choices=c) for n, c in chosen.items()),
            Integer(name="hidden_depth", low=0, high=1),
            Real(name="dropout", low=0.0, high=0.0),
            Real(name="learning_rate", **one),
            Real(name="weight_decay", **one),
        )
    )


def raw_values(space: SearchSpace) -> list[Values]:
    """Return every combination of choices, identity blocks included, that the space does not refuse."""
    variable: Any = space.by_name["stages"]
    wide = ("conv1", "conv3", "conv5", "sep3", "sep5")
    blocks = [{"operation": o, "width": w} for o in variable.operations if o in wide for w in variable.widths]
    blocks += [{"operation": o} for o in (*variable.operations, "identity") if o not in wide]
    ends = [{"operation": "none"}, *({"operation": t} for t in variable.transitions if t != "conv")]
    ends += [{"operation": "conv", "width": w} for w in variable.widths if "conv" in variable.transitions]
    scalars = {n: v.choices for n, v in space.by_name.items() if isinstance(v, Categorical)}
    found = []
    for stages in raw_stages(variable.max_blocks, blocks, ends):
        for picked in itertools.product(*scalars.values(), (0, 1)):
            values = {
                "stages": stages, "dropout": 0.0, "learning_rate": 0.01, "weight_decay": 0.01,
                **dict(zip([*scalars, "hidden_depth"], picked, strict=True)),
            }  # fmt: skip
            if not space.engine.problems(space, values):
                found.append(values)
    return found


PLAIN: dict[str, Any] = {"activation": ("tanh",), "normalisation": ("none",), "hidden_width": (2,)}

TINY = [
    (pixels(4, 4), ("conv1", "max"), {"stages": {"transitions": ("max", "avg"), "widths": (2,)}, "hidden_width": (2,)}),
    (pixels(2, 2), ("conv3", "conv5", "se"), {"stages": {"transitions": ("avg", "conv"), "widths": (2,)}, **PLAIN}),
    (
        pixels(3, 3),
        ("conv1", "avg"),
        {"stages": {"transitions": ("avg",), "widths": (1, 2)}, **PLAIN, "activation": ("tanh", "identity")},
    ),
    (pixels(1, 2), ("sep3", "sep5", "max"), {"stages": {"transitions": ("max", "avg"), "widths": (2,)}, **PLAIN}),
    (pixels(1, 1), ("conv1", "max"), {"stages": {"widths": (2,), "transitions": ("max",)}}),
    (pixels(6, 5), ("conv3", "attention"), {"stages": {"max_stages": 1, "widths": (2,)}, "connections": ("residual",)}),
]


@pytest.mark.parametrize(("signal", "operations", "variables"), TINY)
def test_every_network_of_a_tiny_space_has_exactly_one_form(
    signal: Signal, operations: tuple[str, ...], variables: dict[str, Any]
) -> None:
    """Different forms compute different functions of the same weights, or at a different price; and all are counted."""
    space = tiny_space(signal, operations, **variables)
    forms = {canonical_json(space.architecture(v).values): space.architecture(v) for v in raw_values(space)}
    prints: dict[Any, Values] = {}
    for form, architecture in forms.items():
        values = architecture.values
        outputs = [f"{v:.8e}" for v in computed(space, values).ravel()]
        other = prints.setdefault((*outputs, facts(space, architecture).operations), values)
        if other is not values:  # by chance, for weights of one sign, or for all weights?
            draws = (np.allclose(computed(space, values, d), computed(space, other, d)) for d in range(1, 9))
            assert not all(draws), f"{form} and {other} are the same network"
    size = space.size()
    assert size.exact
    assert 10**size.log10 == pytest.approx(len(forms))


@pytest.mark.parametrize(("signal", "operations", "variables"), TINY)
def test_the_canonical_form_computes_what_the_values_say(
    signal: Signal, operations: tuple[str, ...], variables: dict[str, Any]
) -> None:
    space = tiny_space(signal, operations, **variables)
    raw = raw_values(space)
    for at in np.random.default_rng(0).permutation(len(raw))[:150]:
        assert_same_function(space, raw[at])


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([pixels(8, 8), pixels(5, 7, channels=2), pixels(1, 6), pixels(2, 2)]), st.integers(0, 10**6))
def test_nothing_that_computes_nothing_changes_the_identity(signal: Signal, seed: int) -> None:
    """Identity blocks anywhere, a stage cut in two by no transition, other key orders, settings nobody reads."""
    space = open_space(signal)
    rng = np.random.default_rng(seed)
    architecture = space.sample(rng)
    disguised = disguise(space, architecture.values, rng)
    assert space.architecture(disguised) == architecture
    assert_same_function(space, disguised)


def disguise(space: SearchSpace, values: Values, rng: np.random.Generator) -> Values:
    """Return other values of the same network."""
    stages: list[dict[str, Any]] = []
    for old in values["stages"]:
        blocks = []
        for block in old["blocks"]:
            blocks += [{"operation": "identity"}] * int(rng.integers(3))
            blocks.append(dict(reversed(block.items())))
        cut = int(rng.integers(len(blocks) + 1))
        stages.append({"transition": {"operation": "none"}, "blocks": blocks[:cut]})
        stages.append({"transition": old["transition"], "blocks": [*blocks[cut:], {"operation": "identity"}]})
    changed = {**dict(reversed(values.items())), "stages": stages}
    if values["head"] == "gap_linear":
        changed["hidden_depth"], changed["hidden_width"] = int(rng.integers(3)), 32
    elif values["hidden_depth"] == 0:
        changed["hidden_width"] = 64
    if not values["stages"] and values["hidden_depth"] == 0:
        changed.update(activation="gelu", normalisation="batch", connections="dense", dropout=0.0)
    return changed


def assert_same_function(space: SearchSpace, raw: Values) -> None:
    canonical = space.architecture(raw).values
    with torch.no_grad():
        outputs = literal(raw, fixed_images(space), space.outputs).numpy()
    np.testing.assert_allclose(computed(space, canonical), outputs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([stage("conv3-8", "identity", "max")], [stage("conv3-8", "max")]),
        ([stage("conv3-8"), stage("conv3-8")], [stage("conv3-8", "conv3-8")]),
        ([stage("conv3-8", to="max"), stage("conv3-8", to="max"), stage("conv5-8")],
         [stage("conv3-8", to="max"), stage("conv3-8", to="max"), stage("conv3-8")]),
        ([stage("conv3-8", to="avg")], [stage("conv3-8")]),
        ([stage("conv3-8", to="max"), stage("conv3-8", to="max"), stage("conv3-8", to="max"), stage("avg", "max")],
         [stage("conv3-8", to="max"), stage("conv3-8", to="max"), stage("conv3-8", to="max")]),
    ],
)  # fmt: skip
def test_isomorphic_pairs_have_one_identity(one: list[Any], two: list[Any]) -> None:
    space = open_space(pixels(8, 8))
    assert build(space, *one).id == build(space, *two).id


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([stage("conv3-8", "max")], [stage("max", "conv3-8")]),
        ([stage("conv3-8", to="avg"), stage("conv3-8")], [stage("conv3-8", "conv3-8", to="avg")]),
        ([stage("conv3-8", to="max")], [stage("conv3-8", to="avg")]),
        ([stage("conv3-8", "conv3-16")], [stage("conv3-16", "conv3-8")]),
        ([stage("sep3-8")], [stage("conv3-8")]),
        ([stage("conv3-8")], [stage("conv3-8", "se")]),
    ],
)
def test_different_networks_have_different_identities(one: list[Any], two: list[Any]) -> None:
    space = open_space(pixels(7, 7))
    assert build(space, *one).id != build(space, *two).id


@pytest.mark.parametrize(("size", "same"), [((2, 2), True), ((1, 2), True), ((3, 3), False), ((1, 3), False)])
def test_a_5x5_kernel_is_a_3x3_one_exactly_where_its_border_meets_padding_only(size: Any, same: bool) -> None:
    space = open_space(pixels(*size))
    assert (build(space, stage("conv5-8")) == build(space, stage("conv3-8"))) is same
    assert (build(space, stage("sep5-8")) == build(space, stage("sep3-8"))) is same


def test_connections_matter_only_where_there_is_something_to_go_around() -> None:
    space = open_space(pixels(8, 8))
    widening = [stage("conv3-8", "conv3-16")]
    assert build(space, *widening, connections="residual").values["connections"] == "plain"
    assert build(space, stage("max", to="avg"), connections="dense").values["connections"] == "plain"
    assert build(space, stage("conv3-8", "conv3-8"), connections="residual").values["connections"] == "residual"
    assert build(space, *widening, connections="dense").values["connections"] == "dense"


def test_dense_head_without_hidden_layers_on_one_place_is_the_linear_head() -> None:
    space = open_space(pixels(4, 4))
    stages = [stage("conv3-8", to="max"), stage("conv3-8", to="max")]
    assert build(space, *stages, head="dense") == build(space, *stages, head="gap_linear")
    assert build(space, *stages, head="dense", hidden_depth=1) != build(space, *stages, head="gap_linear")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stages": [stage("conv7-8")]}, "block 1 of stage 1 is 'conv7'; allowed: conv1"),
        ({"stages": [stage("conv3-5")]}, "block 1 of stage 1 has width 5; allowed: 4, 8"),
        ({"stages": [stage("max-8")]}, "is 'max' and has a width"),
        ({"stages": [stage("conv3")]}, "has width None"),
        ({"stages": [stage(to="max"), stage("conv3-8")]}, "stage 1 has 0 blocks that compute"),
        ({"stages": [stage(*["conv3-8"] * 5)]}, "stage 1 has 5 blocks"),
        ({"stages": [stage("conv3-8", to="max")] * 2 + [stage("max")]}, "max pooling of 2×2 places, which gives one"),
        ({"stages": [stage("conv3-8", to="max")] * 3 + [stage("conv1-8")]}, "of a single place; use a dense head"),
        ({"stages": [stage("conv3-8", to="max")] * 3 + [stage("max", to="conv-8")]}, "stage 4 has 0 blocks"),
        ({"stages": [stage("conv3-8", to="conv-5")]}, "transition of stage 1 has width 5"),
        ({"stages": {"conv3": 8}}, "a list of stages"),
        ({"stages": [{"blocks": 3, "transition": {"operation": "none"}}]}, "the blocks of stage 1 are 3"),
        ({"stages": [{"blocks": []}]}, "stage 1 is"),
        ({"activation": "swish"}, "activation is 'swish'; allowed: relu"),
        ({"head": "dense", "hidden_depth": 1, "hidden_width": 3}, "hidden_width is 3"),
        ({"dropout": 0.9}, "dropout is 0.9"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(changes: Values, reason: str) -> None:
    space = open_space(pixels(8, 8))
    with pytest.raises(SpaceError, match=reason):
        space.architecture({"stages": [stage("conv3-8")], **SCALARS, **changes})


@settings(max_examples=150, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.sampled_from(["conv3", "max", "none", "operation", "width"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["blocks", "transition", "operation", "width", "x"]), inner, max_size=3),
    max_leaves=12,
))  # fmt: skip
def test_any_json_is_either_an_architecture_or_refused_in_words(value: Any) -> None:
    space = open_space(pixels(8, 8))
    values = {"stages": value, **SCALARS}
    if wrong := space.engine.problems(space, values):
        with pytest.raises(SpaceError, match="This is no architecture"):
            space.architecture(values)
        assert all(isinstance(reason, str) and reason for reason in wrong)
    else:
        assert network(space, space.architecture(values))(fixed_images(space)).shape == (3, space.outputs)
