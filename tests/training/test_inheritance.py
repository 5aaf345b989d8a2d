"""Children start from their parents' weights where these fit, and from their own seed everywhere else."""

from __future__ import annotations

import numpy as np
import pytest
from network_samples import QUICK, image_problem, image_space, network_of
from training_samples import SHORT, Variant, make_problem, make_space

from nas_core.records import Architecture
from nas_core.training.fit import PackItem, PackResult, Parent, train_pack
from nas_core.training.inheritance import inherit_entries
from nas_core.training.networks import build_network
from nas_core.training.untrained import untrained_pack

STILL = {"learning_rate": 1e-12, "weight_decay": 0.0, "optimiser": "sgd"}
"""What hardly moves: the weights after training tell where it began."""

GROUPS = [
    {"features": [0, 4], "linear": False},
    {"features": [1], "linear": True},
    {"features": [8, 21], "linear": False},
]


def table(items: list[PackItem]) -> PackResult:
    return train_pack(make_problem("breast_cancer"), make_space("breast_cancer"), items, recipe=SHORT, device="cpu")


def parent_of(architecture: Architecture, seed: int = 50) -> Parent:
    return Parent(architecture, table([PackItem(architecture, seed)]).pack.weights(0))


def images(items: list[PackItem]) -> PackResult:
    return train_pack(image_problem(), image_space(), items, recipe=QUICK, device="cpu")


@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
def test_sub_networks_that_fit_start_where_the_parents_ended(variant: Variant, normalisation: str) -> None:
    parent = parent_of(variant(normalisation=normalisation, dropout=0.2))
    child = variant(normalisation=normalisation, groups=GROUPS, **STILL)
    result = table([PackItem(child, 3, (parent,))])
    own = untrained_pack(make_problem("breast_cancer"), make_space("breast_cancer"), [PackItem(child, 3)])
    assert result.outcomes[0].inherited == parent.architecture.id
    for name, values in result.pack.weights(0).items():
        if "running" in name:
            continue  # these move although the weights do not
        expected = own.weights(0)[name] if name.startswith("groups.2.") else parent.weights[name]
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-9)


def test_running_statistics_are_inherited(variant: Variant) -> None:
    parent = parent_of(variant(normalisation="batch"))
    child = PackItem(variant(normalisation="batch", **STILL), 3, (parent,))
    other = PackItem(child.architecture, 3, (Parent(parent.architecture, {**parent.weights, **{
        name: values + 50.0 for name, values in parent.weights.items() if name.endswith("running_var")
    }}),))  # fmt: skip
    one, two = (table([item]).pack.weights(0) for item in (child, other))
    name = "groups.0.layers.0.norm.running_var"
    assert (two[name] > one[name]).all()


def test_a_group_that_moved_to_another_place_fits_too(variant: Variant) -> None:
    parent = parent_of(variant())
    moved = variant(groups=[GROUPS[1], {"features": [7, 20, 27], "linear": False}], **STILL)
    weights = table([PackItem(moved, 9, (parent,))]).pack.weights(0)
    for layer in ("layers.0.linear.weight", "layers.2.linear.bias", "reads.3.weight"):
        np.testing.assert_allclose(weights[f"groups.1.{layer}"], parent.weights[f"groups.2.{layer}"], rtol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"depth": 2}, {"width": 16}, {"activation": "relu"}, {"encoding": "quantile"}, {"normalisation": "layer"},
        {"connections": "residual"}, {"connections": "dense"}, {"connections": "sparse"},
        {"marks": {"0": 1, "7": -1}},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_is_built_in_another_way_does_not_fit(variant: Variant, change: dict[str, object]) -> None:
    nonlinear = [GROUPS[0], {"features": [7, 20, 27], "linear": False}]
    parent = parent_of(variant(groups=nonlinear))
    child = variant(groups=nonlinear, **change)
    heir, plain = table([PackItem(child, 3, (parent,))]), table([PackItem(child, 3)])
    assert heir.outcomes[0].inherited == ""
    assert {n: v.tolist() for n, v in heir.pack.weights(0).items()} == {
        n: v.tolist() for n, v in plain.pack.weights(0).items()
    }


def test_the_first_parent_that_fits_counts_and_dropout_or_the_optimiser_may_differ(variant: Variant) -> None:
    strange, near = parent_of(variant(width=16, groups=[GROUPS[2]])), parent_of(variant())
    child = variant(dropout=0.3, optimiser="adamw", learning_rate=0.01, weight_decay=0.0)
    outcome = table([PackItem(child, 3, (strange, near))]).outcomes[0]
    assert outcome.inherited == near.architecture.id


def test_alone_and_in_a_pack_heirs_get_the_same_weights(variant: Variant) -> None:
    parent = parent_of(variant(normalisation="batch"))
    heirs = [
        PackItem(variant(normalisation="batch", groups=GROUPS[:n], dropout=0.2, optimiser=o), n, (parent,))
        for n, o in ((1, "adam"), (2, "sgd"), (3, "adam"))
    ]
    strangers = [PackItem(variant(optimiser="adagrad"), 7), PackItem(variant(learning_rate=1e30, optimiser="sgd"), 8)]
    together = table([*heirs, *strangers])
    plain = table(strangers)
    for k, item in enumerate([*heirs, strangers[0]]):
        alone = table([item]) if k < 3 else plain
        own, other = together.pack.weights(k), alone.pack.weights(0)
        assert all(np.array_equal(own[name], other[name]) for name in own)
        assert together.outcomes[k].curves == alone.outcomes[0].curves


def test_the_start_loss_is_that_of_the_own_seed(variant: Variant) -> None:
    parent = parent_of(variant())
    child = variant(dropout=0.1)
    heir, plain = table([PackItem(child, 3, (parent,))]).outcomes[0], table([PackItem(child, 3)]).outcomes[0]
    assert heir.start_loss == plain.start_loss
    assert heir.curves["valid_loss"][0] < plain.curves["valid_loss"][0]


def test_entries_of_one_name_and_shape_are_inherited_by_images() -> None:
    grown = network_of(normalisation="batch")
    parent = Parent(grown, images([PackItem(grown, 4)]).pack.weights(0))
    child = network_of(normalisation="batch", dropout=0.3)
    network = build_network(image_space(), PackItem(child, 6))
    assert inherit_entries(network, [parent]) == grown.id
    for name, values in network.state_dict().items():
        if values.is_floating_point():
            assert np.array_equal(values.numpy(), parent.weights[name])
    missing = {n: v for n, v in parent.weights.items() if v.ndim < 2}
    before = {n: v.clone() for n, v in build_network(image_space(), PackItem(child, 6)).state_dict().items()}
    fresh = build_network(image_space(), PackItem(child, 6))
    assert inherit_entries(fresh, [Parent(grown, missing)]) == ""
    assert all(bool((values == before[n]).all()) for n, values in fresh.state_dict().items())


def test_images_alone_and_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    grown = network_of()
    parent = Parent(grown, images([PackItem(grown, 4)]).pack.weights(0))
    items = [PackItem(network_of(dropout=d), 6, (parent,)) for d in (0.1, 0.3)]
    plain = images([PackItem(items[0].architecture, 6)]).outcomes[0]
    together = images(items)
    for k, item in enumerate(items):
        alone = images([item])
        assert alone.outcomes[0].inherited == together.outcomes[k].inherited == grown.id
        own, other = together.pack.weights(k), alone.pack.weights(0)
        assert all(np.array_equal(own[name], other[name]) for name in own)
    assert together.outcomes[0].start_loss == plain.start_loss
    assert together.outcomes[0].curves != plain.curves
