"""Who is to blame for a pack that fails: candidates that need too much memory, found without a process of their own."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from nas_core.data import Problem, load_data
from nas_core.errors import SettingsError
from nas_core.evaluation.halves import in_halves
from nas_core.evaluation.misbehaving import MisbehavingEvaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal, Status
from nas_core.spaces import SearchSpace, facts
from nas_core.training.shortage import is_shortage


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(Problem.create(load_data("breast_cancer")))


@pytest.fixture(scope="module")
def proposals(space: SearchSpace) -> list[Proposal]:
    return space.initial(9, np.random.default_rng(0))


def numbers(found: Iterator[Evaluation]) -> dict[str, dict[str, object]]:
    return {e.id: e.model_dump(exclude={"finished"}) for e in found}


def failed(proposal: Proposal, error: Exception) -> Evaluation:
    architecture = proposal.architecture
    return Evaluation(id=architecture.id, architecture=architecture, status=Status.FAILED, reason=str(error))


def test_a_pack_that_is_too_large_is_halved_until_it_fits(space: SearchSpace, proposals: list[Proposal]) -> None:
    plain = numbers(SyntheticEvaluator(space, 3).evaluate(proposals, stop=threading.Event()))
    found = numbers(MisbehavingEvaluator(space, 3, larger=2).evaluate(proposals, stop=threading.Event()))
    assert found == plain
    assert list(found) == [p.architecture.id for p in proposals], "in the order they were asked for"


def test_one_that_is_too_large_alone_fails_with_its_size_and_nobody_else(
    space: SearchSpace, proposals: list[Proposal]
) -> None:
    victim = proposals[4].architecture
    plain = numbers(SyntheticEvaluator(space, 3).evaluate(proposals, stop=threading.Event()))
    evaluator = MisbehavingEvaluator(space, 3, larger=3, large={victim.id})
    found = {e.id: e for e in evaluator.evaluate(proposals, stop=threading.Event())}
    bad = found.pop(victim.id)
    assert numbers(iter(found.values())) == {key: e for key, e in plain.items() if key != victim.id}
    assert (bad.status, bad.seed) == (Status.FAILED, plain[victim.id]["seed"])
    known = facts(space, victim)
    assert bad.reason.startswith(f"Too large for the memory, even alone: {known.parameters:,} parameters (")
    assert f"{known.operations:,} operations a prediction. MemoryError: a pack of 1 does not fit" in bad.reason
    assert victim.id not in evaluator.take_weights()


def test_what_finished_before_the_error_stands_and_nobody_is_blamed_in_company(proposals: list[Proposal]) -> None:
    attempts: list[int] = []

    def attempt(part: Sequence[Proposal]) -> Iterator[Evaluation]:
        attempts.append(len(part))
        if len(attempts) == 1:
            yield from (failed(p, ValueError("first")) for p in part[:-1])
        else:
            yield from (failed(p, ValueError("alone")) for p in part)
            return
        raise ValueError("something")

    found = list(in_halves(proposals, attempt, failed))
    assert attempts == [9, 1]
    assert [e.reason for e in found] == ["first"] * 8 + ["alone"]


class Held:
    """Something large in a frame that raises."""


def test_what_a_failed_attempt_held_is_given_back_before_the_next(proposals: list[Proposal]) -> None:
    held: list[weakref.ref[Held]] = []
    freed: list[bool] = []

    def attempt(part: Sequence[Proposal]) -> Iterator[Evaluation]:
        freed.extend(reference() is None for reference in held)
        if len(part) == 1:
            return iter([failed(part[0], ValueError("no"))])
        tensor = Held()
        held.append(weakref.ref(tensor))
        try:
            raise ValueError("inner")
        except ValueError as inner:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB") from inner

    gc.disable()
    try:
        assert len(list(in_halves(proposals[:4], attempt, failed))) == 4
    finally:
        gc.enable()
    assert freed
    assert all(freed)


def test_a_wrong_setting_is_nobodys_fault(proposals: list[Proposal]) -> None:
    def attempt(part: Sequence[Proposal]) -> Iterator[Evaluation]:
        raise SettingsError("There is no such device")

    with pytest.raises(SettingsError, match="no such device"):
        list(in_halves(proposals, attempt, failed))
    assert list(in_halves([], attempt, failed)) == []


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (OSError("[Errno 12] Cannot allocate memory"), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_a_shortage(error: Exception, short: bool) -> None:
    assert is_shortage(error) is short


def test_pytorch_itself_runs_out_of_memory_in_words_that_are_known() -> None:
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_shortage(caught.value)
