"""Evaluation in a process of its own: the same numbers, and nothing a candidate does ends the run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from test_heirs import plain as plain_network
from test_referees import GIVEN_UP, PRUNED, Scripted

from nas_core.data import Problem, Recipe, load_data
from nas_core.errors import RunError, SettingsError
from nas_core.evaluation.base import Evaluator, PackProgress
from nas_core.evaluation.isolation.evaluator import IsolatedEvaluator
from nas_core.evaluation.isolation.limits import Limits
from nas_core.evaluation.isolation.recipes import MisbehavingRecipe, PackRecipe
from nas_core.evaluation.packs import PackEvaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Proposal, Status
from nas_core.spaces import SearchSpace
from nas_core.training.progress import Parent

SEED = 5


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=6, batch_size=64, patience=6))


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


@pytest.fixture(scope="module")
def proposals(problem: Problem, space: SearchSpace) -> list[Proposal]:
    return space.initial(8, np.random.default_rng(0), problem.hints)


@pytest.fixture(scope="module")
def real(problem: Problem, space: SearchSpace) -> Iterator[IsolatedEvaluator]:
    recipe = PackRecipe(
        problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), seed=SEED, device="cpu"
    )
    evaluator = IsolatedEvaluator(recipe, Limits(seconds=120.0, memory=2_000_000_000))
    yield evaluator
    evaluator.close()


def evaluated(
    evaluator: Evaluator, proposals: list[Proposal], referee: Scripted | None = None
) -> dict[str, dict[str, object]]:
    found = evaluator.evaluate(proposals, stop=threading.Event(), referee=referee)
    return {e.id: e.model_dump(exclude={"finished": True, "cost": {"seconds"}}) for e in found}


def assert_same_weights(one: Evaluator, other: Evaluator) -> None:
    ours, theirs = one.take_weights(), other.take_weights()
    assert ours.keys() == theirs.keys()
    for key, weights in ours.items():
        assert weights.keys() == theirs[key].keys()
        for name, array in weights.items():
            assert array.dtype == theirs[key][name].dtype
            assert np.array_equal(array, theirs[key][name])


def test_numbers_weights_progress_and_order_are_those_of_this_process(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], real: IsolatedEvaluator
) -> None:
    plain = PackEvaluator(problem, space, SEED, device="cpu")
    seen: list[PackProgress] = []
    found = list(real.evaluate(proposals, stop=threading.Event(), on_progress=seen.append))
    expected = list(plain.evaluate(proposals, stop=threading.Event()))
    assert [e.id for e in found] == [e.id for e in expected]
    clocks = {"finished": True, "cost": {"seconds"}}
    assert [e.model_dump(exclude=clocks) for e in found] == [e.model_dump(exclude=clocks) for e in expected]
    assert_same_weights(real, plain)
    epochs = [p.epoch for p in seen if p.phase == "train"]
    assert epochs == sorted(epochs)
    assert epochs[-1] == 6
    assert seen[-1].phase == "measure"
    seconds = real.take_seconds()
    assert min(seconds["train"], seconds["measure"]) > 0.0
    assert set(real.take_seconds().values()) == {0.0}, "they are told once"


def test_the_referee_of_this_process_decides(
    problem: Problem, space: SearchSpace, proposals: list[Proposal], real: IsolatedEvaluator
) -> None:
    ids = [p.architecture.id for p in proposals]
    ends = {ids[1]: (4, PRUNED), ids[3]: (1, GIVEN_UP)}
    plain = PackEvaluator(problem, space, SEED, device="cpu")
    expected = evaluated(plain, proposals, Scripted(ends, every=1))
    assert evaluated(real, proposals, Scripted(ends, every=1)) == expected
    assert {expected[key]["status"] for key in ends} == {Status.PRUNED, Status.CANCELLED}
    assert_same_weights(real, plain)


def test_what_a_person_gives_up_between_two_looks_is_seen_soon(space: SearchSpace, proposals: list[Proposal]) -> None:
    long = Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=4000, batch_size=64, patience=4000))
    recipe = PackRecipe(problem=long.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), device="cpu")
    victim = proposals[2].architecture.id
    evaluator = IsolatedEvaluator(recipe)
    try:
        found = evaluated(evaluator, proposals, Scripted({victim: (1, GIVEN_UP)}, every=0))
    finally:
        evaluator.close()
    assert found[victim]["status"] == Status.CANCELLED
    assert found[victim]["reason"] == GIVEN_UP.reason
    assert len(found[victim]["curves"]["valid_loss"]) < 4000
    assert {e["status"] for key, e in found.items() if key != victim} <= {Status.DONE, Status.INELIGIBLE}


def test_parents_come_with_the_pack(problem: Problem, space: SearchSpace, proposals: list[Proposal]) -> None:
    first = PackEvaluator(problem, space, SEED, device="cpu")
    evaluated(first, [Proposal(architecture=plain_network())])
    mother, weights = plain_network(), first.take_weights()
    children = [Proposal(architecture=plain_network(dropout=0.2), parents=(mother.id,)), proposals[3]]

    def parents(asked: list[Proposal]) -> dict[str, tuple[Parent, ...]]:
        own = (Parent(mother, weights[mother.id]),)
        return {p.architecture.id: own for p in asked if mother.id in p.parents}

    plain = PackEvaluator(problem, space, SEED, device="cpu", parents=parents)
    recipe = PackRecipe(
        problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), seed=SEED, device="cpu"
    )
    isolated = IsolatedEvaluator(recipe, parents=parents)
    wider = space.model_copy(update={"version": 2})
    try:
        for evaluator in (plain, isolated):
            evaluator.enter(wider)
        expected = evaluated(plain, children)
        assert [e["inherited"] for e in expected.values()] == [mother.id, ""]
        assert evaluated(isolated, children) == expected
        assert_same_weights(isolated, plain)
    finally:
        isolated.close()


MB = 1_000_000


def misbehaving(space: SearchSpace, limits: Limits | None = None, **how: object) -> IsolatedEvaluator:
    recipe = MisbehavingRecipe.model_validate({"space": space.model_dump(mode="json"), "seed": SEED, **how})
    return IsolatedEvaluator(recipe, limits)


@pytest.mark.parametrize(
    ("how", "limits", "reason"),
    [
        (
            "crashing",
            Limits(),
            r"^Its training crashed: the worker process was ended by SIGSEGV \(Segmentation fault\)",
        ),
        ("hanging", Limits(seconds=0.6), r"^Its training took more than the 0\.6 s .* was ended after 0\.[67]"),
        ("hungry", Limits(memory=100 * MB), r"^Its training used \d+ MB of memory, and a candidate may use 100 MB\."),
        ("hungry", Limits(total=250 * MB), r"^The worker process had \d+ MB of memory .* the run may use 250 MB\."),
    ],
)
def test_the_guilty_one_fails_alone_and_the_others_have_their_numbers(
    space: SearchSpace, proposals: list[Proposal], how: str, limits: Limits, reason: str
) -> None:  # fmt: skip
    some = proposals[:3]
    plain = SyntheticEvaluator(space, SEED)
    expected = evaluated(plain, some)
    victim = some[1].architecture.id
    guilty = {victim: 400 * MB} if how == "hungry" else (victim,)
    evaluator = misbehaving(space, limits, **{how: guilty, "digest": 5.0} if how == "hungry" else {how: guilty})
    try:
        found = evaluated(evaluator, some)
        bad = found.pop(victim)
        assert (bad["status"], bad["seed"]) == (Status.FAILED, expected[victim]["seed"])
        assert re.search(reason, str(bad["reason"])), bad["reason"]
        assert found == {key: e for key, e in expected.items() if key != victim}
        weights = plain.take_weights()
        assert evaluator.take_weights() == {key: weights[key] for key in found}
        after = evaluated(evaluator, proposals[3:])
        assert len(after) == 5, "the next pack is evaluated as a whole, whoever was guilty before"
    finally:
        evaluator.close()
    if how == "crashing":
        assert "in string_at" in str(bad["traceback"]), "it is told where it crashed"


def test_packs_that_are_too_large_are_made_smaller_and_stay_so(
    space: SearchSpace, proposals: list[Proposal], caplog: pytest.LogCaptureFixture
) -> None:
    each = {p.architecture.id: 64 * MB for p in proposals}
    evaluator = misbehaving(space, Limits(memory=150 * MB), hungry=each, digest=0.2)
    try:
        expected = evaluated(SyntheticEvaluator(space, SEED), proposals)
        first = evaluated(evaluator, proposals[:4])
        assert first == {key: expected[key] for key in first}
        assert "A pack of 4 failed (Its training used" in caplog.text
        caplog.clear()
        assert evaluated(evaluator, proposals[4:]) == {
            p.architecture.id: expected[p.architecture.id] for p in proposals[4:]
        }
        assert "failed" not in caplog.text
    finally:
        evaluator.close()


def test_a_stop_ends_even_what_hangs_at_once(space: SearchSpace, proposals: list[Proposal]) -> None:
    before = workers_of(os.getpid()).keys()
    evaluator = misbehaving(space, hanging=(proposals[0].architecture.id,))
    evaluated(evaluator, proposals[1:2])  # the worker is there
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    found = list(evaluator.evaluate(proposals[:3], stop=stop))
    assert time.monotonic() - began < 3.0
    assert [(e.status, e.id) for e in found] == [(Status.CANCELLED, p.architecture.id) for p in proposals[:3]]
    assert workers_of(os.getpid()).keys() <= before, "no worker and no zombie is left"


def workers_of(parent: int) -> dict[int, str]:
    """Return the child processes of one and the state of each; a zombie is "Z"."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, ppid, *_ = stat.read_text().rpartition(") ")[2].split()
            if int(ppid) == parent:
                found[int(stat.parent.name)] = state
    return found


PARENT = """
import sys, threading
from nas_core.evaluation.isolation.evaluator import IsolatedEvaluator
from nas_core.evaluation.isolation.recipes import MisbehavingRecipe
from nas_core.records import Proposal

recipe, *proposals = sys.argv[1:]
evaluator = IsolatedEvaluator(MisbehavingRecipe.model_validate_json(recipe))
for proposal in proposals:
    print("begins", flush=True)
    list(evaluator.evaluate([Proposal.model_validate_json(proposal)], stop=threading.Event()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills children with their parent")
def test_a_killed_parent_takes_even_a_hanging_worker_with_it(space: SearchSpace, proposals: list[Proposal]) -> None:
    recipe = MisbehavingRecipe(space=space.model_dump(mode="json"), hanging=(proposals[0].architecture.id,))
    asked = [recipe.model_dump_json(), proposals[1].model_dump_json(), proposals[0].model_dump_json()]
    with subprocess.Popen([sys.executable, "-c", PARENT, *asked], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline() for _ in range(2)] == [b"begins\n"] * 2
        time.sleep(0.5)  # now it hangs
        (worker,) = workers_of(parent.pid)
        parent.kill()
    deadline = time.monotonic() + 5.0
    while (stat := Path(f"/proc/{worker}/stat")).exists() and ") Z " not in stat.read_text():
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.02)


def test_a_worker_that_cannot_begin_is_nobodys_fault(space: SearchSpace, proposals: list[Proposal]) -> None:
    evaluator = misbehaving(space, Limits(total=20 * MB))
    with pytest.raises(SettingsError, match=r"has \d+ MB before it trains anything, and the run may use 20 MB"):
        evaluated(evaluator, proposals)
    evaluator.close()
    gone = PackRecipe(problem={"source": {"kind": "builtin", "location": "nowhere"}}, space={}, device="cpu")
    with pytest.raises(RunError, match="could not be prepared: ValidationError: 2 validation errors for ProblemSpec"):
        evaluated(IsolatedEvaluator(gone), proposals)
