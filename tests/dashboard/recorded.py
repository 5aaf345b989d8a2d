"""A finished run in a store: synthetic performances, and weights as they are initialised or after a few epochs."""

from __future__ import annotations

import threading
import time

import numpy as np

from nas_core.data import Problem, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Architecture, Evaluation, Proposal, RunRecord, RunState, Status, WeightsRef
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.module import build
from nas_core.store import InMemoryStore, Store

__all__ = ["RUN", "recorded_run", "run_problem"]

RUN = "run-1"
TRACEBACK = 'Traceback (most recent call last):\n  File "engine.py", line 7, in step\nFloatingPointError: overflow'


def run_problem(name: str = "breast_cancer") -> Problem:
    """Return the problem of a built-in data set."""
    return Problem.create(load_data(name))


def recorded_run(
    store: Store | None = None,
    name: str = "breast_cancer",
    count: int = 24,
    *,
    dense: bool = False,
    epochs: int = 0,
) -> tuple[Store, list[Evaluation]]:
    """Return a store with one finished run of ``count`` candidates; the last two failed and were not eligible.

    Where ``dense`` is asked for, the first one more is a network of all features in one group.
    """
    from safetensors.numpy import save

    store = store or InMemoryStore()
    problem = run_problem(name)
    space = SearchSpace.for_problem(problem, "balanced")
    proposals = space.initial(count, np.random.default_rng(0))
    if dense:
        proposals.insert(0, Proposal(architecture=_dense(space), operator="dense"))
    failing, ineligible = proposals[-2].architecture.id, proposals[-1].architecture.id
    evaluator = SyntheticEvaluator(space, failing=[failing], ineligible=[ineligible])
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    tensors, evaluations = _weights(problem, space, [e for e in found if e.status is Status.DONE], epochs), []
    digest = store.put_artifact("weights.safetensors", save(tensors))
    for index, evaluation in enumerate(found, start=1):
        changes: dict = {"index": index, "revision": 2, "parents": (found[0].id,) if index == 3 else ()}
        if evaluation.status is Status.FAILED:
            changes["traceback"] = TRACEBACK
        if evaluation.status is Status.DONE:
            changes["weights"] = WeightsRef(artifact="weights.safetensors", prefix=f"{evaluation.id}/", sha256=digest)
        evaluations.append(evaluation.model_copy(update=changes))
    store.create_run(_record(problem, space, name))
    store.commit(RUN, evaluations, None, {"evaluated": len(evaluations)}, state=RunState.DONE)
    return store, store.evaluations(RUN)


def _dense(space: SearchSpace) -> Architecture:
    group = {"features": list(range(len(space.features))), "linear": False}
    values = space.sample(np.random.default_rng(0)).values
    return space.architecture({**values, "groups": [group], "marks": {}, "depth": 2, "width": 16, "activation": "tanh",
                               "connections": "full", "normalisation": "none", "encoding": "quantile",
                               "learning_rate": 0.01, "optimiser": "adam", "dropout": 0.0})  # fmt: skip


def _weights(problem: Problem, space: SearchSpace, done: list[Evaluation], epochs: int) -> dict[str, np.ndarray]:
    """Return the weights of candidates after some epochs, by candidate and name."""
    if epochs:
        from nas_core.training.fit import train_pack
        from nas_core.training.progress import PackItem

        recipe = problem.spec.recipe.model_copy(update={"max_epochs": epochs})
        items = [PackItem(e.architecture, e.seed) for e in done]
        pack = train_pack(problem, space, items, recipe=recipe, device="cpu").pack
        return {f"{e.id}/{key}": value for k, e in enumerate(done) for key, value in pack.weights(k).items()}
    return {
        f"{e.id}/{key}": value.numpy().copy()
        for e in done
        for key, value in build(e.architecture, problem.encoder, problem.C, seed=e.seed).state_dict().items()
    }


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
