"""Packs divided among processes: who evaluates a candidate, and when, is not to be seen in any number."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from test_referees import GIVEN_UP, PRUNED, Scripted

from nas_core.data import Problem, Recipe, load_data
from nas_core.evaluation.base import Evaluator, PackProgress
from nas_core.evaluation.cores import LEAST, CoresEvaluator, divided
from nas_core.evaluation.isolation.beside import NICE, Beside
from nas_core.evaluation.isolation.recipes import MisbehavingRecipe, PackRecipe
from nas_core.evaluation.packs import PackEvaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Proposal, Status
from nas_core.runs.executing import trained_in_packs
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.training.progress import Parent

SEED = 5
CLOCKS = {"finished": True, "cost": {"seconds"}}


def problem_of(name: str) -> Problem:
    return Problem.create(load_data(name), recipe=Recipe(max_epochs=2, batch_size=64, patience=2))


@pytest.fixture(scope="module")
def problem() -> Problem:
    return problem_of("breast_cancer")


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


@pytest.fixture(scope="module")
def proposals(problem: Problem, space: SearchSpace) -> list[Proposal]:
    return space.initial(2 * LEAST, np.random.default_rng(0), problem.hints)


def evaluated(
    evaluator: Evaluator, parts: Sequence[Sequence[Proposal]], referee: Scripted | None = None
) -> tuple[dict[str, object], dict[str, dict[str, list[float]]]]:
    """Evaluations and weights by candidate, of packs that are evaluated one after the other."""
    found = [e for part in parts for e in evaluator.evaluate(part, stop=threading.Event(), referee=referee)]
    weights = {key: {name: w.tolist() for name, w in own.items()} for key, own in evaluator.take_weights().items()}
    return {e.id: e.model_dump(exclude=CLOCKS) for e in found}, weights


def begun(evaluator: CoresEvaluator, processes: int) -> None:
    """Wait until so many processes are ready."""
    deadline = time.monotonic() + 120
    while evaluator.ready < processes:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_shares_of_a_pack_give_the_bits_of_the_whole(name: str) -> None:
    problem = problem_of(name)
    space = SearchSpace.for_problem(problem)
    work = space.initial(23, np.random.default_rng(3), problem.hints)
    whole = evaluated(PackEvaluator(problem, space, SEED, device="cpu"), [work])
    for parts in ([work[:5], work[5:]], divided(problem)(work, 2)):
        assert sorted(p.architecture.id for part in parts for p in part) == sorted(p.architecture.id for p in work)
        assert evaluated(PackEvaluator(problem, space, SEED, device="cpu"), parts) == whole


def test_two_cores_give_the_weights_and_the_numbers_of_one(
    problem: Problem, space: SearchSpace, proposals: list[Proposal]
) -> None:
    ids = [p.architecture.id for p in proposals]
    referee = Scripted({ids[1]: (1, PRUNED), ids[-2]: (1, GIVEN_UP)}, every=1)
    first = PackEvaluator(problem, space, SEED, device="cpu")
    list(first.evaluate(proposals[:1], stop=threading.Event()))
    mother = Parent(proposals[0].architecture, first.take_weights()[ids[0]])

    def parents(asked: Sequence[Proposal]) -> dict[str, tuple[Parent, ...]]:
        assert threading.current_thread() is threading.main_thread(), "a store is read by the thread of the run"
        return {p.architecture.id: (mother,) for p in asked}

    plain = PackEvaluator(problem, space, SEED, device="cpu", parents=parents)
    expected = evaluated(plain, [proposals], referee)
    recipe = PackRecipe(
        problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), seed=SEED, device="cpu"
    )
    here = PackEvaluator(problem, space, SEED, device="cpu", parents=parents)
    both = CoresEvaluator(here, lambda: Beside(recipe, parents), divided(problem), 2, worth=0.0)
    try:
        assert evaluated(both, [proposals], referee) == expected, "nobody waits for the worker"
        begun(both, 2)
        both.take_seconds()
        began = time.perf_counter()
        assert evaluated(both, [proposals], referee) == expected
        took, seconds = time.perf_counter() - began, both.take_seconds()
        assert min(seconds.values()) > 0.0
        assert sum(seconds.values()) <= took, "what is done side by side is not counted twice"
    finally:
        both.close()


def halves(proposals: Sequence[Proposal], parts: int) -> list[list[Proposal]]:
    assert parts == 2
    return [list(proposals[:LEAST]), list(proposals[LEAST:])]


@contextmanager
def shared(space: SearchSpace, proposals: list[Proposal], **how: object) -> Iterator[CoresEvaluator]:
    """A fake on two processes that are ready: the first half of a pack here, the second in a worker."""
    recipe = MisbehavingRecipe.model_validate({"space": space.model_dump(mode="json"), "seed": SEED, **how})
    evaluator = CoresEvaluator(SyntheticEvaluator(space, SEED), lambda: Beside(recipe), halves, 2, worth=0.0)
    try:
        evaluated(evaluator, [proposals])
        begun(evaluator, 2)
        yield evaluator
    finally:
        evaluator.close()
        assert not [t for t in threading.enumerate() if t.name == "beside"], "its process has ended before the thread"


@pytest.fixture(scope="module")
def expected(space: SearchSpace, proposals: list[Proposal]) -> tuple[dict[str, object], object]:
    return evaluated(SyntheticEvaluator(space, SEED), [proposals])


def test_a_candidate_that_crashes_its_worker_fails_alone(
    space: SearchSpace, proposals: list[Proposal], expected: tuple[dict[str, object], object]
) -> None:
    victim = proposals[-1].architecture.id
    with shared(space, proposals, crashing=(victim,)) as evaluator:
        found, _ = evaluated(evaluator, [proposals])
    crashed = found.pop(victim)
    assert isinstance(crashed, dict)
    assert crashed["status"] is Status.FAILED
    assert "SIGSEGV" in crashed["reason"]
    assert found == {key: e for key, e in expected[0].items() if key != victim}


def test_what_a_worker_gives_up_is_evaluated_here(
    space: SearchSpace, proposals: list[Proposal], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shared(space, proposals, crashing=(proposals[-1].architecture.id,)) as evaluator:
        monkeypatch.setattr(sys, "executable", "/bin/false")  # once it has crashed, it cannot be started again
        assert evaluated(evaluator, [proposals]) == expected
        assert evaluator.ready == 1


def test_a_stop_ends_even_a_worker_that_hangs(space: SearchSpace, proposals: list[Proposal]) -> None:
    with shared(space, proposals, hanging=(proposals[-1].architecture.id,)) as evaluator:
        stop, began, told = threading.Event(), time.monotonic(), list[PackProgress]()
        found = evaluator.evaluate(proposals, stop=stop, on_progress=told.append)
        done = [next(found) for _ in range(LEAST)]
        threading.Timer(0.2, stop.set).start()
        assert [e.status for e in found] == [Status.CANCELLED] * LEAST
        assert time.monotonic() - began < 10.0
        assert {e.status for e in done} != {Status.CANCELLED}
        assert {p.size for p in told} <= {len(proposals)}


def test_who_stops_listening_ends_the_share_of_the_worker(space: SearchSpace, proposals: list[Proposal]) -> None:
    with shared(space, proposals, hanging=(proposals[-1].architecture.id,)) as evaluator:
        found = evaluator.evaluate(proposals, stop=threading.Event())
        next(found)
        found.close()  # type: ignore[attr-defined]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_let_the_studio_go_first(space: SearchSpace, proposals: list[Proposal]) -> None:
    with shared(space, proposals):
        tasks = Path("/proc/self/task").iterdir()
        pids = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
        assert os.getpriority(os.PRIO_PROCESS, 0) + NICE in {os.getpriority(os.PRIO_PROCESS, pid) for pid in pids}


def test_a_run_may_end_while_a_worker_is_starting(space: SearchSpace, proposals: list[Proposal]) -> None:
    recipe = MisbehavingRecipe(space=space.model_dump(mode="json"))
    evaluator = CoresEvaluator(SyntheticEvaluator(space, SEED), lambda: Beside(recipe), halves, 2, worth=0.0)
    evaluated(evaluator, [proposals])
    assert [t for t in threading.enumerate() if t.name == "beside"]
    evaluator.close()
    assert not [t for t in threading.enumerate() if t.name == "beside"]


def test_a_worker_that_cannot_begin_is_done_without(
    space: SearchSpace, proposals: list[Proposal], expected: object, caplog: pytest.LogCaptureFixture
) -> None:
    gone = PackRecipe(problem={"source": {"kind": "builtin", "location": "nowhere"}}, space={}, device="cpu")
    evaluator = CoresEvaluator(SyntheticEvaluator(space, SEED), lambda: Beside(gone), halves, 2, worth=0.0)
    try:
        assert evaluated(evaluator, [proposals]) == expected
        deadline = time.monotonic() + 60
        while "one process less" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert evaluated(evaluator, [proposals]) == expected
        assert evaluator.ready == 1
    finally:
        evaluator.close()


def test_workers_are_only_used_where_they_help(
    problem: Problem, space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RunSettings(device="cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert isinstance(trained_in_packs(problem, space, settings), PackEvaluator)
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert isinstance(trained_in_packs(problem, space, settings), CoresEvaluator)
    tasks = settings.model_copy(update={"executor": "ray"})
    assert isinstance(trained_in_packs(problem, space, tasks), PackEvaluator), "a task on a cluster has its cores"
