"""A real cluster of two nodes on this machine: its numbers are those of this process, and it may lose what it likes.

The tests share the cluster and go from harmless to fatal: the last ones kill a node, then the head.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray_cluster import LoopbackCluster
from run_examples import numbers, synthetic, until

from nas_core.data import Problem
from nas_core.errors import RunError, SettingsError
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.cluster.connection import Cluster, Needs
from nas_core.evaluation.cluster.evaluator import ClusterEvaluator
from nas_core.evaluation.packs import PackEvaluator, Parents
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Architecture, Evaluation, Proposal, RunState, Status
from nas_core.runs.control import Control
from nas_core.runs.registry import resume_run, start_run
from nas_core.runs.settings import RunSettings
from nas_core.runs.work import GIVEN_UP, PersonFirst
from nas_core.spaces import SearchSpace
from nas_core.store import Store, open_store
from nas_core.training.progress import Parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::ray"),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (pip install '.[ray]')"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LoopbackCluster]:
    made = LoopbackCluster(head_cpus=1)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def node(cluster: LoopbackCluster) -> int:
    """The second node, once it has joined."""
    made = cluster.add_node(cpus=1)
    cluster.wait_for(made)
    return made


@pytest.fixture(scope="module")
def proposals(space: SearchSpace) -> list[Proposal]:
    rng = np.random.default_rng(5)
    return [Proposal(architecture=space.sample(rng), operator="sample") for _ in range(7)]


@pytest.fixture(scope="module")
def joined(cluster: LoopbackCluster, node: int) -> Iterator[Cluster]:
    """The connection of this process; left before the tests that start whole runs."""
    found = Cluster(cluster.executor)
    yield found
    found.close()


class Heirloom:
    """Everybody's parent, and who asked for it."""

    def __init__(self, parent: Parent) -> None:
        self.parent, self.asked = parent, list[str]()

    def __call__(self, proposals: Sequence[Proposal]) -> dict[str, tuple[Parent, ...]]:
        self.asked += [p.architecture.id for p in proposals]
        return {p.architecture.id: (self.parent,) for p in proposals}


def evaluated(evaluator: Evaluator, proposals: Sequence[Proposal], **asked: Any) -> dict[str, Evaluation]:
    found = list(evaluator.evaluate(proposals, **{"stop": threading.Event(), **asked}))
    assert len({e.id for e in found}) == len(found)
    return {e.id: e for e in found}


def slow(space: SearchSpace, delay: float, **options: Any) -> Any:
    """Return what makes a slow synthetic evaluator on a node."""

    def make(parents: Parents) -> Evaluator:
        return SyntheticEvaluator(space, delay=delay, **options)

    return make


def test_real_training_has_the_numbers_and_weights_of_this_process(
    joined: Cluster, problem: Problem, space: SearchSpace, proposals: list[Proposal]
) -> None:
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": 4})
    first = PackEvaluator(problem, space, 3, recipe=recipe)
    parent = evaluated(first, proposals[:1])[proposals[0].architecture.id]
    heirloom = Heirloom(Parent(parent.architecture, first.take_weights()[parent.id]))
    local = PackEvaluator(problem, space, 3, recipe=recipe, parents=heirloom)
    mutants = [space.mutate(parent.architecture, np.random.default_rng(seed))[0] for seed in range(2)]
    children = [*(Proposal(architecture=a) for a in mutants), *proposals[1:3]]
    expected = [e for at in (0, 2) for e in evaluated(local, children[at : at + 2]).values()]  # the same company
    weights = local.take_weights()
    heirloom.asked.clear()
    there = ClusterEvaluator(
        joined, lambda parents: PackEvaluator(problem, space, 3, recipe=recipe, parents=parents), size=2,
        parents=heirloom,
    )  # fmt: skip
    found = evaluated(there, children)
    assert numbers([found[e.id] for e in expected]) == numbers(expected)
    assert any(e.inherited == parent.id for e in expected)
    assert sorted(heirloom.asked) == sorted(e.id for e in expected)
    came = there.take_weights()
    assert came.keys() == weights.keys() != set()
    for key, own in weights.items():
        assert all(np.array_equal(own[name], came[key][name]) and came[key][name].flags.writeable for name in own)
    spent = there.take_seconds()
    assert spent["train"] > 0
    assert there.take_seconds() == {"train": 0.0, "measure": 0.0}


def test_another_version_of_the_space_is_entered_on_the_nodes(
    joined: Cluster, space: SearchSpace, proposals: list[Proposal]
) -> None:
    edited = space.model_copy(update={"version": 2})
    local, there = SyntheticEvaluator(space), ClusterEvaluator(joined, slow(space, 0.0), size=4)
    before = evaluated(there, proposals)
    local.enter(edited)
    there.enter(edited)
    expected = evaluated(local, proposals)
    after = evaluated(there, proposals)
    assert numbers([after[key] for key in expected]) == numbers(list(expected.values()))
    there.enter(space)
    again = evaluated(there, proposals)
    assert numbers([again[key] for key in before]) == numbers(list(before.values()))


def test_who_is_given_up_is_ended_at_once_and_the_others_of_its_task_are_not(
    joined: Cluster, space: SearchSpace, proposals: list[Proposal]
) -> None:
    control, there = Control(), ClusterEvaluator(joined, slow(space, 0.4), size=4)
    victim = proposals[1].architecture.id
    looks = Counter[str]()

    def look(progress: object) -> None:
        looks["seen"] += 1
        if looks["seen"] == 4:
            control.kill(victim)

    found = evaluated(there, proposals, on_progress=look, referee=PersonFirst(control, None))
    assert (found[victim].status, found[victim].reason) == (Status.CANCELLED, GIVEN_UP)
    others = [found[p.architecture.id] for p in proposals if p.architecture.id != victim]
    expected = evaluated(SyntheticEvaluator(space, delay=0.4), proposals)
    assert numbers(others) == numbers([expected[e.id] for e in others])


def test_a_stop_ends_all_tasks_at_once(joined: Cluster, space: SearchSpace, proposals: list[Proposal]) -> None:
    stop, there = threading.Event(), ClusterEvaluator(joined, slow(space, 60.0), size=4)
    began = time.monotonic()
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    found = evaluated(there, proposals, stop=stop)
    assert time.monotonic() - began < 30.0  # one candidate takes 60
    assert {e.status for e in found.values()} == {Status.CANCELLED}
    assert there.take_weights() == {}
    assert {e.status for e in evaluated(there, proposals, stop=stop).values()} == {Status.CANCELLED}


def test_a_candidate_that_ends_its_process_fails_alone(
    joined: Cluster, space: SearchSpace, proposals: list[Proposal]
) -> None:
    victim = proposals[2].architecture.id

    class Deadly(SyntheticEvaluator):
        def evaluate(self, proposals: Sequence[Proposal], **options: Any) -> Iterator[Evaluation]:
            import os

            if any(p.architecture.id == victim for p in proposals):
                os._exit(1)
            yield from super().evaluate(proposals, **options)

    def make(parents: Parents) -> Evaluator:
        return Deadly(space)

    found = evaluated(ClusterEvaluator(joined, make, size=2), proposals[1:3])
    assert found[victim].status is Status.FAILED
    assert "The process that trained it ended 3 times" in found[victim].reason
    assert Counter(e.status for e in found.values()) == {Status.DONE: 1, Status.FAILED: 1}


def test_what_an_evaluator_refuses_is_said_as_it_is(joined: Cluster, space: SearchSpace) -> None:
    def make(parents: Parents) -> Evaluator:
        raise SettingsError("There is no device 'abacus'", allowed="auto, cpu", fix="choose auto")

    wrong = Proposal(architecture=Architecture(family="tabular", values={}))
    with pytest.raises(SettingsError, match=r"no device 'abacus'\. Allowed: auto, cpu\. Fix: choose auto\.$"):
        evaluated(ClusterEvaluator(joined, make, size=4), [wrong])

    def broken(parents: Parents) -> Evaluator:
        raise ZeroDivisionError("by a person")

    with pytest.raises(RunError, match="A task failed on a node of the cluster: ZeroDivisionError: by a person"):
        evaluated(ClusterEvaluator(joined, broken, size=4), [wrong])


def test_a_process_joins_one_cluster(joined: Cluster, cluster: LoopbackCluster) -> None:
    with pytest.raises(RunError, match="This process has joined a Ray cluster already"):
        Cluster(cluster.executor, Needs())


def test_a_node_is_killed_and_no_candidate_is_lost_or_comes_twice(
    joined: Cluster, cluster: LoopbackCluster, node: int, problem: Problem, space: SearchSpace, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    joined.close()
    caplog.set_level(logging.WARNING, logger="nas_core.evaluation.cluster")
    store, marks = open_store(tmp_path), tmp_path / "marks"
    marks.mkdir()

    def marked(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        (marks / str(os.getpid())).touch()  # a node makes its evaluator at the beginning of its first task
        return SyntheticEvaluator(space, settings.seed, delay=0.05)

    settings = RunSettings(candidates=200, pack_size=100, first_pack=100)
    run = start_run(store, problem, space, settings.model_copy(update={"executor": cluster.executor}), evaluator=marked)
    until(lambda: len(list(marks.iterdir())) == 2 or not run.alive, 100.0)
    cluster.kill(node)
    assert run.wait(150.0)
    record, found = store.run(run.id), store.evaluations(run.id)
    assert (record.state, record.reason) == (RunState.DONE, "All 200 candidates are evaluated")
    assert len({e.id for e in found}) == len(found) == 200
    assert sorted(e.index for e in found) == list(range(200))
    assert "lost with its node" in caplog.text
    local = start_run(store, problem, space, settings, evaluator=synthetic())
    assert local.wait(60.0)
    assert numbers(in_order(store, run.id)) == numbers(in_order(store, local.id))
    store.close()


def test_the_loss_of_the_head_leaves_a_run_that_goes_on_elsewhere(
    cluster: LoopbackCluster, problem: Problem, space: SearchSpace, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    settings = RunSettings(candidates=64, pack_size=32, executor=cluster.executor)
    run = start_run(store, problem, space, settings, evaluator=synthetic(0.05))
    until(lambda: run.snapshot().progress.evaluated >= 16 or not run.alive, 100.0)
    cluster.kill(cluster.head)
    assert run.wait(50.0)  # Ray would end this process after 60
    record = store.run(run.id)
    assert record.state is RunState.INTERRUPTED
    assert "The head of the Ray cluster at" in record.reason
    assert "does not answer any more" in record.reason
    assert 16 <= len(store.evaluations(run.id)) < 64
    with pytest.raises(SettingsError, match="No Ray cluster answers"):
        resume_run(store, run.id, evaluator=synthetic(0.05))
    assert store.run(run.id).state is RunState.INTERRUPTED
    again = resume_run(store, run.id, executor="local", evaluator=synthetic(0.05))
    assert again.wait(60.0)
    assert store.run(run.id).settings["executor"] == "local"
    assert len(store.evaluations(run.id)) == 64
    store.close()


def in_order(store: Store, run_id: str) -> list[Evaluation]:
    return sorted(store.evaluations(run_id), key=lambda e: e.index)
