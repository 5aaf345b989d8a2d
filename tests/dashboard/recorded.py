"""A finished run in a store, made without training: synthetic performances, and weights as they are initialised."""

from __future__ import annotations

import threading
import time

import numpy as np

from nas_core.data import Problem, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, RunRecord, RunState, Status, WeightsRef
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.module import build
from nas_core.store import InMemoryStore, Store

__all__ = ["RUN", "recorded_run", "run_problem"]

RUN = "run-1"


def run_problem(name: str = "breast_cancer") -> Problem:
    """Return the problem of a built-in data set."""
    return Problem.create(load_data(name))


def recorded_run(
    store: Store | None = None, name: str = "breast_cancer", count: int = 16
) -> tuple[Store, list[Evaluation]]:
    """Return a store with one finished run of ``count`` candidates; the last two failed and were not eligible."""
    from safetensors.numpy import save

    store = store or InMemoryStore()
    problem = run_problem(name)
    space = SearchSpace.for_problem(problem, "balanced")
    proposals = space.initial(count, np.random.default_rng(0))
    failing, ineligible = proposals[-2].architecture.id, proposals[-1].architecture.id
    evaluator = SyntheticEvaluator(space, failing=[failing], ineligible=[ineligible])
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    tensors, evaluations = {}, []
    for evaluation in found:
        if evaluation.status is Status.DONE:
            state = build(evaluation.architecture, problem.encoder, problem.C, seed=evaluation.seed).state_dict()
            tensors |= {f"{evaluation.id}/{key}": value.numpy().copy() for key, value in state.items()}
    digest = store.put_artifact("weights.safetensors", save(tensors))
    for index, evaluation in enumerate(found, start=1):
        changes: dict = {"index": index, "revision": 2, "parents": (found[0].id,) if index == 3 else ()}
        if evaluation.status is Status.DONE:
            changes["weights"] = WeightsRef(artifact="weights.safetensors", prefix=f"{evaluation.id}/", sha256=digest)
        evaluations.append(evaluation.model_copy(update=changes))
    store.create_run(_record(problem, space, name))
    store.commit(RUN, evaluations, None, {"evaluated": len(evaluations)}, state=RunState.DONE)
    return store, store.evaluations(RUN)


def _record(problem: Problem, space: SearchSpace, name: str) -> RunRecord:
    return RunRecord(
        id=RUN,
        name=name,
        created=time.time(),
        state=RunState.CREATED,
        problem=problem.spec.model_dump(mode="json"),
        space=space.model_dump(mode="json"),
        settings={},
        data_hash=problem.spec.data_hash,
    )

