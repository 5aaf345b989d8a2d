"""From a stored evaluation to a network that predicts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError, StoreError
from nas_core.records import Evaluation
from nas_core.store.base import Store

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.explanations.base import Candidate
    from nas_core.spaces.space import SearchSpace

__all__ = ["load_candidate", "load_weights"]


def load_weights(store: Store, evaluation: Evaluation) -> dict[str, np.ndarray]:
    """Return the trained weights of a candidate by parameter name.

    Raises:
        ExplanationError: It has none: it failed, or was never trained.
        StoreError: The artifact is missing or has changed.
    """
    reference = evaluation.weights
    if reference is None:
        raise ExplanationError(
            f"Candidate {evaluation.id} has no trained weights: it is {evaluation.status}",
            allowed="a candidate whose training finished",
            fix="choose another candidate",
        )
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = store.get_artifact(reference.artifact, reference.sha256)
    try:
        tensors = load(data)
    except (SafetensorError, struct.error, ValueError) as error:
        raise StoreError(
            f"The artifact {reference.artifact} holds no weights ({error})", fix="run the search again"
        ) from error
    found = {n.removeprefix(reference.prefix): t for n, t in tensors.items() if n.startswith(reference.prefix)}
    if not found:
        raise StoreError(
            f"The artifact {reference.artifact} has no weights of candidate {evaluation.id}", fix="run the search again"
        )
    return found


def load_candidate(
    store: Store,
    run_id: str,
    candidate_id: str,
    *,
    problem: Problem | None = None,
    space: SearchSpace | None = None,
) -> Candidate:
    """Return a candidate of a run, ready to predict and to be explained: of a table, or of images or sequences.

    Args:
        store: Where the run is kept.
        run_id: The run.
        candidate_id: Its identity.
        problem: The run's problem, where it is loaded already.
        space: The version of the run's space that it was proposed in, likewise.

    Raises:
        StoreError: No such run or candidate, or its weights are missing or have changed.
        ExplanationError: It has no weights, or they do not fit.
        DataError: The data of the run cannot be read or have changed.
    """
    from nas_core.data.problem import Problem, ProblemSpec
    from nas_core.explanations.candidate import TrainedCandidate
    from nas_core.explanations.signal_candidate import SignalCandidate
    from nas_core.runs.versions import proposed_in

    evaluation = store.evaluation(run_id, candidate_id)
    weights = load_weights(store, evaluation)
    if problem is None or space is None:
        record = store.run(run_id)
        problem = problem or Problem.load(ProblemSpec.model_validate(record.problem))
        space = space or proposed_in(store, record, evaluation)[0]
    if space.signal is not None:
        return SignalCandidate.rebuilt(problem, space, evaluation.architecture, weights)
    return TrainedCandidate(problem, space, evaluation.architecture, weights)
