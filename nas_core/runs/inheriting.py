"""Whose weights the candidates of a pack may start from: those of their parents, as the store has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Proposal
from nas_core.runs.candidates import load_weights
from nas_core.store.base import Store

if TYPE_CHECKING:
    from nas_core.training.progress import Parent

__all__ = ["StoredParents"]


class StoredParents:
    """Finds the trained parents of proposals in the store.

    A parent counts that finished well, and of which the strategy had been told before the pack was asked for. So a
    pack that is interrupted and continued finds the same parents, although some of its own candidates are stored by
    then.

    Args:
        store: Where the run is kept.
        run_id: The run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id

    def __call__(self, proposals: Sequence[Proposal]) -> dict[str, tuple[Parent, ...]]:
        """Return the parents of each proposal that has any, by its identity, in the order in which it names them.

        Raises:
            StoreError: Stored weights have changed.
        """
        from nas_core.training.progress import Parent

        state = self._store.strategy_state(self._run_id)
        told = 0 if state is None else int(state["told"])
        wanted = dict.fromkeys(parent for p in proposals for parent in p.parents)
        trained = {e.id: e for e in map(self._evaluation, wanted) if e is not None and _usable(e, told)}
        parents = {key: Parent(e.architecture, load_weights(self._store, e)) for key, e in trained.items()}
        found = {p.architecture.id: tuple(parents[k] for k in p.parents if k in parents) for p in proposals}
        return {key: own for key, own in found.items() if own}

    def _evaluation(self, candidate: str) -> Evaluation | None:
        try:
            return self._store.evaluation(self._run_id, candidate)
        except StoreError:  # a parent from elsewhere
            return None


def _usable(evaluation: Evaluation, told: int) -> bool:
    return evaluation.eligible and evaluation.weights is not None and evaluation.index < told
