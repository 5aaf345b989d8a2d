"""What runs on a node of the cluster: some candidates, evaluated as the local evaluator would."""

from __future__ import annotations

import copy
import importlib.metadata
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import RunError
from nas_core.evaluation.base import Evaluator, Referee, Weights
from nas_core.records import Proposal
from nas_core.spaces import SearchSpace

if TYPE_CHECKING:
    from nas_core.evaluation.packs import Parents
    from nas_core.training.progress import Parent

__all__ = ["Found", "MakeEvaluator", "Share", "evaluate_share", "versions"]

MakeEvaluator = Callable[["Parents"], Evaluator]
"""Makes the evaluator on a node, which asks its argument whose weights proposals may start from."""

KEPT = 2  # evaluators of a node's process: that of the run it works for, and of the one before


@dataclass(frozen=True)
class Share:
    """The part of a pack that one task evaluates; plain documents and arrays.

    Attributes:
        run: Which evaluator: one is made for each, and kept.
        proposals: As documents.
        space: The version of the space, as a document; None for the one that the evaluator was made for.
        parents: Whose weights the proposals may start from.
        referee: A copy of the one of the pack; None for none.
        versions: Of what decides the numbers, in the process of the run.
    """

    run: str
    proposals: list[dict[str, Any]]
    space: dict[str, Any] | None
    parents: Mapping[str, Sequence[Parent]]
    referee: Referee | None
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """What a task gives back: evaluations as documents, weights by candidate, seconds by phase."""

    evaluations: list[dict[str, Any]]
    weights: dict[str, Weights]
    seconds: dict[str, float]

    def owned_weights(self) -> dict[str, Weights]:
        """Return the weights in memory of this process, not of the cluster."""
        return {key: {name: np.array(a) for name, a in found.items()} for key, found in self.weights.items()}


@dataclass
class _Bench:
    """The evaluator of a run in this process, and whose weights the proposals in work may start from."""

    evaluator: Evaluator | None = None
    parents: Mapping[str, Sequence[Parent]] = field(default_factory=dict)
    space: dict[str, Any] | None = None

    def __call__(self, proposals: Sequence[Proposal]) -> Mapping[str, Sequence[Parent]]:
        return self.parents


_benches: dict[str, _Bench] = {}


def evaluate_share(share: Share, made: list[Any]) -> Found:
    """Evaluate a share in this process.

    Args:
        share: What to evaluate.
        made: Holds the reference to the :data:`MakeEvaluator` of the run, which is fetched once.

    Raises:
        RunError: This node has other versions than the process of the run, so its numbers could differ.
    """
    _check_versions(share.versions)
    bench = _benches.get(share.run) or _begun(share.run, made)
    evaluator = bench.evaluator
    assert evaluator is not None
    if share.space is not None and share.space != bench.space:
        evaluator.enter(SearchSpace.model_validate(share.space))
        bench.space = share.space
    bench.parents = copy.deepcopy(dict(share.parents))  # what Ray shares between processes cannot be written to
    proposals = [Proposal.model_validate(document) for document in share.proposals]
    try:
        found = list(evaluator.evaluate(proposals, stop=threading.Event(), referee=share.referee))
    finally:
        bench.parents = {}
        weights, seconds = evaluator.take_weights(), evaluator.take_seconds()
    return Found([e.model_dump() for e in found], weights, seconds)


def versions() -> dict[str, str]:
    """Return the versions of what decides the numbers of a candidate."""
    return {name: importlib.metadata.version(name) for name in ("nasight", "torch", "numpy", "scikit-learn")}


def _begun(run: str, made: list[Any]) -> _Bench:
    """Return the bench of a run that this process works for the first time for."""
    import ray

    bench = _Bench()
    make: MakeEvaluator = copy.deepcopy(ray.get(made[0]))
    bench.evaluator = make(bench)
    _benches[run] = bench
    while len(_benches) > KEPT:
        del _benches[next(iter(_benches))]
    return bench


def _check_versions(wanted: Mapping[str, str]) -> None:
    here = versions()
    if other := [f"{name} {here[name]} instead of {wanted[name]}" for name in wanted if here[name] != wanted[name]]:
        raise RunError(
            f"A node of the cluster has {', '.join(other)}: its numbers could differ",
            allowed="the same versions on every node",
            fix="install the same versions of NASight and PyTorch there",
        )
