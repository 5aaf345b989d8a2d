"""Networks of images trained as a pack: to the bit what they are alone, and what a plain loop makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from network_samples import QUICK, image_problem, image_space, network_of
from network_twin import train_network_alone
from watchers import Scripted

from nas_core.data import Recipe
from nas_core.records import Architecture
from nas_core.spaces.layers import SignalNetwork
from nas_core.spaces.space import SearchSpace
from nas_core.training.batched.network_pack import NetworkPack
from nas_core.training.batched.training import PackTraining, packed_plan
from nas_core.training.learner import Lesson
from nas_core.training.module import fit_quietly
from nas_core.training.networks import build_network, placed
from nas_core.training.packing import in_packs
from nas_core.training.progress import PackItem, Parent, StopSignal
from nas_core.training.side_by_side import SideBySide
from nas_core.training.signal_rows import SignalRows

CPU = torch.device("cpu")
Weights = dict[str, torch.Tensor]


def lesson_of(outputs: int = 3, recipe: Recipe = QUICK, weights: str = "none", watch: object = None) -> Lesson:
    problem = image_problem(outputs, weights)
    signal = problem.dataset.signal
    assert signal is not None
    return Lesson(
        SignalRows(problem.train, signal, CPU), SignalRows(problem.valid, signal, CPU), problem.task,
        problem.spec.split_seed, recipe, watch,
    )  # fmt: skip


def pack_of(items: list[PackItem], lesson: Lesson, space: SearchSpace | None = None) -> PackTraining:
    networks = [placed(build_network(space or image_space(), item), CPU) for item in items]
    planned = [(n, item, packed_plan(n, lesson.train.x[:1])) for n, item in zip(networks, items, strict=True)]
    return PackTraining([(n, item, plan) for n, item, plan in planned if plan is not None], lesson)


def trained(items: list[PackItem], lesson: Lesson, space: SearchSpace | None = None) -> PackTraining:
    pack = pack_of(items, lesson, space)
    while not pack.ended:
        pack.run_epoch(StopSignal())
    return pack


def weights_of(network: SignalNetwork) -> Weights:
    return {name: values.clone() for name, values in network.state_dict().items()}


def equal(one: SignalNetwork, other: SignalNetwork) -> bool:
    a, b = weights_of(one), weights_of(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def candidates(seed: int) -> Iterator[Architecture]:
    """Yield random networks without dense connections, which are trained by themselves, that are cheap."""
    space, rng = image_space(), np.random.default_rng(seed)
    while True:
        architecture = space.sample(rng)
        small = space.engine.facts(space, architecture.values).operations < 400_000
        if small and architecture.values["connections"] != "dense":
            yield architecture


def some(count: int) -> list[PackItem]:
    return [PackItem(a, k) for k, a in enumerate(islice(candidates(1), count))]


def every_kind() -> list[PackItem]:
    """Networks with every optimiser, normalisation, activation, connection and block, and with dropout."""
    found: list[Architecture] = []
    seen: set[str] = set()
    for architecture in islice(candidates(5), 300):
        values = architecture.values
        blocks = {b["operation"] for stage in values["stages"] for b in stage["blocks"]}
        kinds = {values["optimiser"], values["normalisation"], values["connections"], values["activation"], *blocks}
        if kinds - seen:
            seen |= kinds
            found.append(architecture)
    assert {"sgd", "adam", "adamw", "adagrad", "residual", "batch", "conv3", "sep5", "se", "attention", "max"} <= seen
    return [PackItem(a, k) for k, a in enumerate(found)]


def test_every_network_of_the_family_computes_what_it_computes_alone() -> None:
    x = lesson_of().valid.x
    networks = [build_network(image_space(), item) for item in every_kind()]
    plans = [packed_plan(network, x[:1]) for network in networks]
    known = [(n, p) for n, p in zip(networks, plans, strict=True) if p is not None]
    assert len(known) > 0.8 * len(networks)
    pack = NetworkPack([n for n, _ in known], [p for _, p in known], CPU)
    with torch.no_grad():
        outputs = pack.forward(x, pack.weights.spread(pack.weights.flat()), training=False)
        for (network, _), own in zip(known, outputs, strict=True):
            torch.testing.assert_close(own.T, network.eval()(x), rtol=1e-4, atol=1e-5)


def test_alone_and_in_company_give_the_same_bits() -> None:
    lesson = lesson_of()
    items = every_kind()
    company = trained(items, lesson)
    assert len(company.learners) > 9
    for learner in company.learners[::4]:
        alone = trained([learner.item], lesson).learners[0]
        assert alone.outcome.curves == learner.outcome.curves
        assert equal(alone.network, learner.network)
    fewer = trained(items[3::2], lesson)
    by_id = {learner.item.architecture.id: learner for learner in company.learners}
    assert all(equal(one.network, by_id[one.item.architecture.id].network) for one in fewer.learners)


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw", "adagrad"])
def test_a_plain_loop_comes_to_the_same_weights(optimiser: str) -> None:
    architecture = network_of(optimiser=optimiser, normalisation="batch", dropout=0.2, learning_rate=0.003)
    item = PackItem(architecture, 7)
    twin = train_network_alone(image_problem(), image_space(), item, QUICK)
    learner = trained([some(1)[0], item], lesson_of()).learners[1]
    np.testing.assert_allclose(learner.outcome.curves["train_loss"], twin.train_loss, rtol=1e-3)
    np.testing.assert_allclose(learner.outcome.curves["valid_loss"], twin.valid_loss, rtol=1e-3)


@pytest.mark.parametrize(("outputs", "weights"), [(0, "none"), (2, "none"), (3, "balanced")])
def test_every_task_and_weighted_rows(outputs: int, weights: str) -> None:
    item = PackItem(network_of(outputs), 7)
    twin = train_network_alone(image_problem(outputs, weights), image_space(outputs), item, QUICK)
    learner = trained([item], lesson_of(outputs, weights=weights), image_space(outputs)).learners[0]
    np.testing.assert_allclose(learner.outcome.curves["train_loss"], twin.train_loss, rtol=1e-3)
    assert learner.outcome.best_epoch == twin.kept_epoch


def test_one_that_diverges_fails_and_nobody_notices() -> None:
    good = some(4)
    values = {**network_of(normalisation="none").values, "optimiser": "sgd", "learning_rate": 1e12}
    bad = PackItem(Architecture(family="image", values=values), 0)
    lesson = lesson_of(recipe=QUICK.model_copy(update={"schedule": "constant"}))
    with_it, without = trained([*good[:2], bad, *good[2:]], lesson), trained(good, lesson)
    assert with_it.learners[2].status == "failed"
    assert "loss became" in with_it.learners[2].reason
    others = [learner for n, learner in enumerate(with_it.learners) if n != 2]
    assert all(equal(a.network, b.network) for a, b in zip(others, without.learners, strict=True))


def test_those_who_are_ended_early_leave_and_the_others_go_on_as_before() -> None:
    items = some(5)
    ended = {item.architecture.id: 2 for item in items[:3]}
    halted = trained(items, lesson_of(watch=Scripted(ended, looks=(2,))))
    assert [learner.status for learner in halted.learners] == ["halted"] * 3 + ["done"] * 2
    assert [learner.epochs for learner in halted.learners] == [2, 2, 2, 4, 4]
    whole = trained(items, lesson_of())
    assert all(equal(a.network, b.network) for a, b in zip(halted.learners[3:], whole.learners[3:], strict=True))


def test_a_child_starts_from_its_parent() -> None:
    lesson, item = lesson_of(), PackItem(network_of(), 1)
    parent = trained([item], lesson).learners[0]
    left = {name: values.numpy() for name, values in weights_of(parent.network).items()}
    child = PackItem(network_of(learning_rate=0.002), 2, (Parent(item.architecture, left),))
    other = some(1)[0]
    born, stranger = trained([child, other], lesson).learners
    assert (born.inherited, stranger.inherited) == (item.architecture.id, "")
    assert born.outcome.start_loss != pytest.approx(parent.kept_loss)
    orphan = trained([replace(child, parents=())], lesson).learners[0]
    assert born.outcome.start_loss == orphan.outcome.start_loss
    assert born.curves["train_loss"][0] < orphan.curves["train_loss"][0]


def test_a_stop_keeps_the_best_weights_so_far() -> None:
    lesson = lesson_of()
    pack = pack_of(some(3), lesson)
    pack.run_epoch(StopSignal())
    stop = StopSignal()
    stop.set()
    pack.run_epoch(stop)
    assert pack.ended
    assert {(learner.status, learner.reason) for learner in pack.learners} == {("cancelled", "stopped after 1 epochs")}
    assert all(not learner.network.training for learner in pack.learners)


def test_packs_and_those_that_cannot_be_packed_are_trained_side_by_side() -> None:
    lesson, items = lesson_of(), some(4)
    items.insert(2, PackItem(network_of(connections="dense"), 9))
    networks = {k: placed(build_network(image_space(), item), CPU) for k, item in enumerate(items)}
    trainings, numbers = in_packs(networks, items, lesson, 2, torch.device("cuda"))
    assert numbers == [[0, 3], [1, 4], [2]]
    fit_quietly(SideBySide(trainings, StopSignal(), lambda _: None, 2), CPU, -1)
    learners = [learner for training in trainings for learner in training.learners]
    assert [learner.item for learner in learners] == [items[k] for part in numbers for k in part]
    assert {learner.status for learner in learners} == {"done"}
    assert all(
        equal(a.network, b.network) for a, b in zip(learners[:2], trained([items[0], items[3]], lesson).learners)
    )
    _, apart = in_packs(networks, items, lesson, 2, CPU)
    assert apart == [[0], [1], [2], [3], [4]]
