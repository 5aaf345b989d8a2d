"""Networks of images trained as a pack: to the bit what they are alone, and what a plain loop makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from network_samples import QUICK, image_problem, image_space, network_of, sampled_networks
from network_twin import train_network_alone
from watchers import Scripted

from nas_core.data import Recipe
from nas_core.records import Architecture
from nas_core.spaces.layers import SignalNetwork
from nas_core.spaces.space import SearchSpace
from nas_core.training.batched.network_pack import NetworkPack
from nas_core.training.batched.training import PackTraining, packed_plan
from nas_core.training.learner import Lesson
from nas_core.training.networks import build_network, placed
from nas_core.training.progress import PackItem, Parent, StopSignal
from nas_core.training.signal_rows import SignalRows

CPU = torch.device("cpu")
Weights = dict[str, torch.Tensor]


def lesson_of(outputs: int = 3, recipe: Recipe = QUICK, weights: str = "none", watch: object = None) -> Lesson:
    problem = image_problem(outputs, weights)
    signal = problem.dataset.signal
    assert signal is not None
    return Lesson(
        SignalRows(problem.train, signal, CPU), SignalRows(problem.valid, signal, CPU), problem.task,
        problem.spec.split_seed, recipe, watch,  # type: ignore[arg-type]
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


def every_kind() -> list[Architecture]:
    """Networks with every optimiser, normalisation, connection and block, and with dropout."""
    space, rng, found = image_space(), np.random.default_rng(5), []
    seen: set[str] = set()
    for _ in range(400):
        architecture = space.sample(rng)
        values = architecture.values
        blocks = {b["operation"] for stage in values["stages"] for b in stage["blocks"]}
        kinds = {values["optimiser"], values["normalisation"], values["connections"], values["activation"], *blocks}
        small = space.engine.facts(space, values).operations < 400_000
        if small and kinds - seen:
            seen |= kinds
            found.append(architecture)
    return found


def test_every_network_of_the_family_computes_what_it_computes_alone() -> None:
    x = lesson_of().valid.x
    networks = [build_network(image_space(), PackItem(a, k)) for k, a in enumerate(every_kind())]
    plans = [packed_plan(network, x[:1]) for network in networks]
    known = [(n, p) for n, p in zip(networks, plans, strict=True) if p is not None]
    assert len(known) >= 0.8 * len(networks)
    pack = NetworkPack([n for n, _ in known], [p for _, p in known], CPU)
    with torch.no_grad():
        outputs = pack.forward(x, pack.spread(pack.flat()), training=False)
        for (network, _), own in zip(known, outputs, strict=True):
            torch.testing.assert_close(own.T, network.eval()(x), rtol=1e-4, atol=1e-5)


def test_alone_and_in_company_give_the_same_bits() -> None:
    lesson = lesson_of()
    items = [PackItem(a, k) for k, a in enumerate(every_kind())]
    company = trained(items, lesson)
    some = company.learners[::3]
    assert len(some) > 2
    for learner in some:
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
    learner = trained([PackItem(sampled_networks(1)[0], 3), item], lesson_of()).learners[1]
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
    good = [PackItem(a, k) for k, a in enumerate(sampled_networks(4))]
    values = {**network_of(normalisation="none").values, "optimiser": "sgd", "learning_rate": 1e12}
    bad = PackItem(Architecture(family="image", values=values), 0)
    lesson = lesson_of(recipe=QUICK.model_copy(update={"schedule": "constant"}))
    with_it, without = trained([*good[:2], bad, *good[2:]], lesson), trained(good, lesson)
    assert with_it.learners[2].status == "failed"
    assert "loss became" in with_it.learners[2].reason
    others = [learner for n, learner in enumerate(with_it.learners) if n != 2]
    assert all(equal(a.network, b.network) for a, b in zip(others, without.learners, strict=True))


def test_those_who_are_ended_early_leave_and_the_others_go_on_as_before() -> None:
    items = [PackItem(a, k) for k, a in enumerate(sampled_networks(5))]
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
    other = PackItem(sampled_networks(1)[0], 3)
    born, stranger = trained([child, other], lesson).learners
    assert (born.inherited, stranger.inherited) == (item.architecture.id, "")
    assert born.outcome.start_loss != pytest.approx(parent.kept_loss)
    orphan = trained([replace(child, parents=())], lesson).learners[0]
    assert born.outcome.start_loss == orphan.outcome.start_loss
    assert born.curves["train_loss"][0] < orphan.curves["train_loss"][0]


def test_a_stop_keeps_the_best_weights_so_far() -> None:
    lesson = lesson_of()
    pack = pack_of([PackItem(a, k) for k, a in enumerate(sampled_networks(3))], lesson)
    pack.run_epoch(StopSignal())
    stop = StopSignal()
    stop.set()
    pack.run_epoch(stop)
    assert pack.ended
    assert {(learner.status, learner.reason) for learner in pack.learners} == {("cancelled", "stopped after 1 epochs")}
    assert all(not learner.network.training for learner in pack.learners)
