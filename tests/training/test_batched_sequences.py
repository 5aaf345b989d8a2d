"""Networks of sequences trained as a pack: to the bit what they are alone, and what torch makes of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from operation_count import Counted, WholeCells
from sequence_samples import (
    CPU,
    DATA,
    PRESETS,
    QUICK,
    begun,
    begun_alone,
    ended,
    equal,
    every_kind,
    lesson_of,
    network_of,
    pack_of,
    some,
    space,
    trained,
)
from torch import Tensor
from watchers import Scripted

from nas_core.records import Architecture
from nas_core.spaces.layers import Dropout, SignalNetwork
from nas_core.training.batched.sequence_pack import SequencePack
from nas_core.training.batched.training import packed_plan
from nas_core.training.learner import Lesson
from nas_core.training.losses import losses
from nas_core.training.network_training import NetworkTraining
from nas_core.training.networks import build_network
from nas_core.training.packing import in_packs
from nas_core.training.progress import PackItem, Parent


def alone(kind: str, item: PackItem, lesson: Lesson, classes: int = 3) -> NetworkTraining:
    training = NetworkTraining(network_of(kind, item, classes), item, lesson)
    ended(training)
    return training


def planned(networks: Sequence[SignalNetwork], x: Tensor) -> SequencePack:
    plans = [packed_plan(network, x[:1]) for network in networks]
    assert None not in plans
    pack = SequencePack(networks, [plan for plan in plans if plan is not None], CPU)
    for k, network in enumerate(networks):
        pack.weights.load_statistics(k, dict(network.named_buffers()))
    return pack


@pytest.mark.parametrize("kind", DATA)
def test_every_network_of_the_family_computes_what_it_computes_alone(kind: str) -> None:
    x = lesson_of(kind).valid.x
    networks = [network_of(kind, item) for item in every_kind(kind)]
    pack = planned(networks, x)
    with torch.no_grad():
        outputs = pack.forward(x, pack.weights.spread(pack.weights.flat()), training=False)
        for network, own in zip(networks, outputs, strict=True):
            torch.testing.assert_close(own.T, network.eval()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", DATA)
def test_gradients_are_as_close_to_exact_ones_as_those_of_torch(kind: str, preset: str) -> None:
    x, y, _ = lesson_of(kind).train.batch(torch.arange(16))
    x[0] = 0.0  # where sequences are padded, one without any step
    networks = [build_network(space(kind, preset), item).train() for item in some(kind, preset, 12, 1)]
    for module in (m for network in networks for m in network.modules() if isinstance(m, Dropout)):
        module.p = 0.0
    pack = planned(networks, x)
    parameters = pack.weights.spread(pack.weights.flat())
    each = losses(pack.forward(x, parameters, training=True), y, "classification")
    found = pack.weights.gradient(each.mean(1).sum(), parameters)
    for network, start in zip(networks, pack.weights.starts, strict=True):
        exact = slopes_of(copy.deepcopy(network).double(), x.double(), y)
        size = exact.abs().max()
        torchs = float((slopes_of(network, x, y) - exact).abs().max() / size)
        ours = float((found[start : start + len(exact)] - exact).abs().max() / size)
        assert ours <= 4 * torchs + 1e-6


def slopes_of(network: SignalNetwork, x: Tensor, y: Tensor) -> Tensor:
    network.zero_grad()
    losses(network(x).T[None], y, "classification").mean().backward()
    return torch.cat([p.grad.ravel() for p in network.parameters() if p.grad is not None]).double()


@pytest.mark.parametrize("kind", DATA)
def test_alone_and_in_company_give_the_same_bits(kind: str) -> None:
    lesson, items = lesson_of(kind), every_kind(kind)
    company = trained(kind, items, lesson)
    assert len(company.learners) > 9
    for learner in company.learners[::4]:
        single = trained(kind, [learner.item], lesson).learners[0]
        assert single.outcome.curves == learner.outcome.curves
        assert equal(single.network, learner.network)
    fewer = trained(kind, items[3::2], lesson)
    by_id = {learner.item.architecture.id: learner for learner in company.learners}
    assert all(equal(one.network, by_id[one.item.architecture.id].network) for one in fewer.learners)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", DATA)
def test_torch_comes_to_the_same_losses_alone(kind: str, preset: str) -> None:
    lesson, items = lesson_of(kind), some(kind, preset, 8, 3)
    for learner in trained(kind, items, lesson).learners:
        slow = alone(kind, learner.item, lesson).outcome
        assert learner.outcome.start_loss == pytest.approx(slow.start_loss, rel=1e-5)
        for curve in ("train_loss", "valid_loss"):
            np.testing.assert_allclose(learner.outcome.curves[curve], slow.curves[curve], rtol=1e-5)
        assert learner.outcome.best_epoch == slow.best_epoch


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw", "adagrad"])
@pytest.mark.parametrize("kind", DATA)
def test_torch_comes_to_the_same_weights_with_every_optimiser(kind: str, optimiser: str) -> None:
    lesson = lesson_of(kind)
    layers = [
        {"kind": "conv", "width": 5, "kernel": 5, "dilation": 2},
        {"kind": "gru", "width": 6, "both": True},
        {"kind": "lstm", "width": 6, "both": True},
        {"kind": "attention", "width": 12, "heads": 4},
    ]
    item = PackItem(architecture(layers, optimiser=optimiser), 7)
    learner = trained(kind, [*some(kind, "balanced", 3), item], lesson).learners[-1]
    slow = alone(kind, item, lesson)
    for curve in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(learner.outcome.curves[curve], slow.outcome.curves[curve], rtol=1e-5)
    for (name, ours), theirs in zip(
        learner.network.state_dict().items(), slow.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4, msg=name)


def architecture(layers: list[dict[str, object]], **changes: object) -> Architecture:
    plain = {
        "pooling": "attention", "embedding": 8, "activation": "tanh", "connections": "residual", "dropout": 0.2,
        "normalisation": "batch", "optimiser": "adamw", "learning_rate": 0.005, "weight_decay": 0.01,
    }  # fmt: skip
    return Architecture(family="sequence", values={**plain, "layers": layers, **changes})


@pytest.mark.parametrize("classes", [0, 2])
def test_every_task(classes: int) -> None:
    lesson, items = lesson_of("padded", classes=classes), some("padded", "balanced", 4)
    for learner in trained("padded", items, lesson, classes).learners:
        slow = alone("padded", learner.item, lesson, classes).outcome
        np.testing.assert_allclose(learner.outcome.curves["train_loss"], slow.curves["train_loss"], rtol=1e-5)


def test_a_linear_model_of_the_rows_and_one_wider_than_every_step_of_sizes() -> None:
    lesson = lesson_of("padded")
    wide = [{"kind": "gru", "width": 70, "both": True}, {"kind": "attention", "width": 9, "heads": 3}]
    items = [
        PackItem(architecture(layers, pooling=pooling, normalisation="layer"), 1)
        for layers in ([], wide)
        for pooling in ("sum", "flat", "attention", "last", "max", "mean")
    ]
    for learner in trained("padded", items, lesson).learners:
        slow = alone("padded", learner.item, lesson).outcome
        np.testing.assert_allclose(learner.outcome.curves["train_loss"], slow.curves["train_loss"], rtol=1e-5)


def test_one_that_diverges_fails_and_nobody_notices() -> None:
    good = some("series", "balanced", 4)
    lesson = lesson_of("series", QUICK.model_copy(update={"schedule": "constant"}))
    layers: list[dict[str, object]] = [{"kind": "conv", "width": 8, "kernel": 3, "dilation": 1}]
    changes = {"optimiser": "sgd", "learning_rate": 1e15, "activation": "relu", "normalisation": "none"}
    bad = PackItem(architecture(layers, **changes), 0)
    with_it, without = trained("series", [*good[:2], bad, *good[2:]], lesson), trained("series", good, lesson)
    assert with_it.learners[2].status == "failed"
    assert "loss became" in with_it.learners[2].reason
    others = [learner for n, learner in enumerate(with_it.learners) if n != 2]
    assert all(equal(a.network, b.network) for a, b in zip(others, without.learners, strict=True))


@pytest.mark.parametrize("kind", DATA)
def test_those_who_are_ended_early_leave_and_the_others_go_on_as_before(kind: str) -> None:
    items = some(kind, "balanced", 8, 2)
    over = {item.architecture.id: 1 for item in items[::2]}
    halted = trained(kind, items, lesson_of(kind, watch=Scripted(over, looks=(1,))))
    assert [learner.status for learner in halted.learners] == ["halted", "done"] * 4
    whole = trained(kind, items, lesson_of(kind))
    assert all(equal(a.network, b.network) for a, b in zip(halted.learners[1::2], whole.learners[1::2], strict=True))


def test_a_child_starts_from_its_parent() -> None:
    layers: list[dict[str, object]] = [{"kind": "lstm", "width": 4, "both": False}]
    lesson, item = lesson_of("words"), PackItem(architecture(layers), 1)
    parent = trained("words", [item], lesson).learners[0]
    left = {name: values.numpy().copy() for name, values in parent.network.state_dict().items()}
    child = PackItem(architecture(layers, learning_rate=0.002), 2, (Parent(item.architecture, left),))
    born, stranger = trained("words", [child, some("words", "balanced", 1)[0]], lesson).learners
    assert (born.inherited, stranger.inherited) == (item.architecture.id, "")
    slow = alone("words", child, lesson)
    np.testing.assert_allclose(born.outcome.curves["train_loss"], slow.outcome.curves["train_loss"], rtol=1e-5)
    assert born.outcome.start_loss == pytest.approx(slow.outcome.start_loss, rel=1e-5)


def test_all_of_them_are_one_pack_on_an_accelerator() -> None:
    lesson, items = lesson_of("padded"), some("padded", "accurate", 6)
    networks = {k: network_of("padded", item) for k, item in enumerate(items)}
    trainings, numbers = in_packs(networks, items, lesson, 1, torch.device("cuda"))
    assert numbers == [[0, 1, 2, 3, 4, 5]]
    ended(trainings[0])
    ours = [learner.network for learner in trainings[0].learners]
    assert all(equal(a, b.network) for a, b in zip(ours, trained("padded", items, lesson).learners, strict=True))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", DATA)
def test_a_pack_launches_a_small_share_of_what_its_networks_do(kind: str, preset: str) -> None:
    lesson, items = lesson_of(kind), some(kind, preset, 64)
    rows = lesson.train.batch(torch.arange(16))
    pack = begun(kind, items, lesson)
    with Counted() as together:
        pack._step(*rows)
    apart = whole = 0
    for item in items:
        training = begun_alone(kind, item, lesson)
        with Counted() as counted:
            training._step(*rows)
        apart += counted.count
        with Counted() as counted, WholeCells():
            training._step(*rows)
        whole += counted.count
    assert apart >= 6 * together.count
    assert whole >= 2 * together.count, "even where a recurrent layer is one operation however many steps there are"


def test_the_random_numbers_of_the_process_do_not_matter() -> None:
    items, lesson = some("series", "balanced", 5), lesson_of("series")
    torch.manual_seed(1)
    first = pack_of("series", items, lesson)
    ended(first)
    torch.manual_seed(2)
    second = trained("series", items, lesson)
    assert all(equal(a.network, b.network) for a, b in zip(first.learners, second.learners, strict=True))
