"""Measures of a finished candidate from its stored weights: those that the run did not take, or all again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.records import Architecture, Measurement, Status
from nas_core.runs.candidates import load_weights
from nas_core.store.base import Store

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.spaces.family import SignalFamily
    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.tabular.module import FeatureGroupNetwork

__all__ = ["measure_stored"]

# Rows pushed through a network at once.
CHUNK = 32_768


def measure_stored(
    store: Store,
    run_id: str,
    candidate_id: str,
    names: Iterable[str] | None = None,
    *,
    problem: Problem | None = None,
    space: SearchSpace | None = None,
) -> dict[str, Measurement]:
    """Return measurements of a candidate by name, on the held-out rows of the run, as the search takes them.

    One that does not apply has no value but a reason; so have all of a candidate that is not eligible, whose
    interpretability is undefined.

    Args:
        store: Where the run is kept.
        run_id: The run.
        candidate_id: Its identity.
        names: Which measures; all of the registry by default.
        problem: The run's problem, where it is loaded already.
        space: The run's space, likewise; where that was edited, leave it out: it depends on the candidate.

    Raises:
        StoreError: No such run or candidate, or its weights are missing or have changed.
        ExplanationError: It has no weights, or they do not fit.
        SettingsError: No such measure.
        DataError: The data of the run cannot be read or have changed.
    """
    from nas_core.data.problem import Problem, ProblemSpec
    from nas_core.interpretability import MEASURES, MeasureContext, measure_pack, undefined
    from nas_core.runs.versions import proposed_in
    from nas_core.spaces.family import facts, most_operations

    wanted = tuple(MEASURES if names is None else names)
    evaluation = store.evaluation(run_id, candidate_id)
    if evaluation.status is Status.INELIGIBLE:
        return undefined(f"Not measured: {evaluation.reason.rstrip('.')}", wanted)
    weights = load_weights(store, evaluation)
    if problem is None or space is None:
        record = store.run(run_id)
        problem = problem or Problem.load(ProblemSpec.model_validate(record.problem))
        space, first = (space, space) if space is not None else proposed_in(store, record, evaluation)
    else:
        first = space
    architecture = evaluation.architecture
    model = (_StoredTable if space.signal is None else _StoredSignal)(problem, space, architecture, weights)
    known = facts(space, architecture)
    if first is not space:
        known = replace(known, max_operations=most_operations(first))
    context = MeasureContext(space, [architecture], [known], problem, model)
    return measure_pack(context, wanted)[0]


class _StoredTable:
    """A pack of one network on a table."""

    def __init__(
        self, problem: Problem, space: SearchSpace, architecture: Architecture, weights: Mapping[str, np.ndarray]
    ) -> None:
        self._problem, self._architecture, self._weights = problem, architecture, dict(weights)

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (1, N, C) of encoded rows (N, D)."""
        import torch

        from nas_core.training.device import one_thread

        rows = torch.from_numpy(np.array(E, np.float32))
        with torch.inference_mode(), one_thread():
            return torch.cat([self._module(part) for part in rows.split(CHUNK)]).numpy()[None]

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        """Return (1, N, P, C): the difference of f across the cell of each row and feature, 0 for unused features."""
        bank = np.asarray(problem.encoder.transform(X))
        deltas = np.zeros((1, *X.shape, problem.C))
        for j in sorted({j for g in self._architecture.values["groups"] for j in g["features"]}):
            low, high = (self._with(bank, j, edges[j][bins[:, j] + side]) for side in (0, 1))
            deltas[:, :, j] = high - low
        return deltas

    def weights(self, k: int) -> dict[str, np.ndarray]:
        """Return the weights by name."""
        return self._weights

    def _with(self, bank: np.ndarray, j: int, values: np.ndarray) -> np.ndarray:
        """Return the outputs (1, N, C) with feature ``j`` at ``values`` (N,)."""
        columns, block = self._problem.encoder.transform_feature(j, values)
        changed = bank.copy()
        changed[:, columns] = block
        return self.predict(changed)

    @cached_property
    def _module(self) -> FeatureGroupNetwork:
        from nas_core.explanations.candidate import checked_weights
        from nas_core.spaces.tabular.module import build

        module = build(self._architecture, self._problem.encoder, self._problem.C)
        module.load_state_dict(checked_weights(module, self._weights, self._architecture))
        return module.eval()


class _StoredSignal:
    """A pack of one network on images or sequences."""

    def __init__(
        self, problem: Problem, space: SearchSpace, architecture: Architecture, weights: Mapping[str, np.ndarray]
    ) -> None:
        from nas_core.explanations.candidate import checked_weights

        if problem.dataset.signal is None:
            raise ExplanationError(
                f"{problem.dataset.name} is a table, and the network reads images or sequences",
                allowed="the problem of the run",
                fix="leave problem= out",
            )
        module = cast("SignalFamily", space.engine).module(space, architecture.values)
        module.load_state_dict(checked_weights(module, weights, architecture))
        self._module = cast("SignalNetwork", module.eval())

    def module(self, k: int) -> SignalNetwork:
        """Return the network."""
        return self._module
