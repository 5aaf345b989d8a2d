"""A finished run on images, series or texts in a store: a few networks trained for a few epochs, measured and kept."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from nas_core.data import Problem, load_data
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Evaluation, Proposal, RunRecord, RunState, WeightsRef
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store

__all__ = ["SIGNAL_RUN", "recorded_signals", "signal_source"]

SIGNAL_RUN = "signals"
NICE = ("good", "great", "fine", "lovely")
BAD = ("bad", "awful", "poor", "dull")
PLAIN = ("the", "film", "was", "a", "story", "with", "actors", "and", "music")


def signal_source(kind: str, folder: Path) -> str:
    """Return what to load: digits as images, or a file of "series" or "words" written into ``folder``."""
    rng = np.random.default_rng(0)
    if kind == "image":
        return "digits_images"
    if kind == "series":
        lines = ["@problemName waves", "@timeStamps false", "@univariate true", "@classLabel true slow fast", "@data"]
        for i in range(160):
            wave = np.sin(np.arange(24) * (0.4 + 0.5 * (i % 2)) + rng.uniform(0, 6)) + 0.3 * rng.normal(size=24)
            lines.append(",".join(f"{v:.4f}" for v in wave) + (":fast" if i % 2 else ":slow"))
        path = folder / "waves.ts"
    else:
        lines = ["text,label"]
        for i in range(160):
            words = [*rng.choice(PLAIN, 5), rng.choice(NICE if i % 2 else BAD), *rng.choice(PLAIN, rng.integers(1, 5))]
            lines.append(" ".join(words) + (",praise" if i % 2 else ",blame"))
        path = folder / "reviews.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def recorded_signals(
    kind: str, folder: Path, store: Store | None = None, *, count: int = 3, epochs: int = 3, family: str | None = None
) -> tuple[Store, list[Evaluation]]:
    """Return a store with one finished run of ``count`` networks on "image", "series" or "words"."""
    from safetensors.numpy import save

    store = store or InMemoryStore()
    problem = Problem.create(load_data(signal_source(kind, folder)))
    space = SearchSpace.for_problem(problem, "balanced", family)
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": epochs})
    evaluator = PackEvaluator(problem, space, recipe=recipe, device="cpu")
    proposals = [p for p in space.initial(4 * count, np.random.default_rng(0)) if _small(space, p)][:count]
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    tensors = {f"{i}/{name}": value for i, own in evaluator.take_weights().items() for name, value in own.items()}
    digest = store.put_artifact("weights.safetensors", save(tensors))
    kept = {name.split("/")[0] for name in tensors}
    evaluations = [
        e.model_copy(
            update={
                "index": index,
                "revision": 2,
                "weights": WeightsRef(artifact="weights.safetensors", prefix=f"{e.id}/", sha256=digest)
                if e.id in kept
                else None,
            }
        )
        for index, e in enumerate(found, start=1)
    ]
    store.create_run(
        RunRecord(
            id=SIGNAL_RUN,
            name=f"{kind} run",
            created=time.time(),
            state=RunState.CREATED,
            problem=problem.spec.model_dump(mode="json"),
            space=space.model_dump(mode="json"),
            settings={},
            data_hash=problem.spec.data_hash,
        )
    )
    store.commit(SIGNAL_RUN, evaluations, None, {"evaluated": len(evaluations)}, state=RunState.DONE)
    return store, store.evaluations(SIGNAL_RUN)


def _small(space: SearchSpace, proposal: Proposal) -> bool:
    from nas_core.spaces import facts

    return 1000 < facts(space, proposal.architecture).operations < 300_000
