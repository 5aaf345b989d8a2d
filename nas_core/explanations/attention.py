"""Attention weights of sequence networks: where a network looks, which is not yet what it concludes from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AttentionWeights"]

ROWS_AT_ONCE = 64


@runtime_checkable
class ShowsAttention(Protocol):
    """A network that lets its attention be seen; ``visible`` names the submodules whose outputs are the weights."""

    visible: tuple[str, ...]

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the weights by name: (n, heads, steps, steps) of a layer, (n, steps) of a pooling."""
        ...


class AttentionWeights(Explainer[SignalCandidate]):
    """How much of each step the network's last attention takes: its weights, which sum to 1 over the steps.

    They are read off the network: the weights of the attention that sums up the steps, else those of the last attention
    layer, averaged over its heads and over the steps that look. They say where the network looks, not what a step
    speaks for, and are the same for all outputs.

    Source: Bahdanau et al. (2015), arXiv 1409.0473; how little they explain: Jain & Wallace (2019), arXiv 1902.10186.
    Costs: one prediction per row.
    """

    name, label = "attention", "Attention weights"
    explains = SignalCandidate
    additive = False
    unit = "share"

    def fits(self, candidate: SignalCandidate) -> Verdict:
        """Return whether the network has attention."""
        if not isinstance(candidate.module, ShowsAttention) or not candidate.module.visible:
            return Verdict(ok=False, reason="it has no attention over steps")
        pooled = candidate.module.visible[-1].startswith("pool")
        return Verdict(ok=True, reason=f"its {'pooling' if pooled else 'last attention layer'} weighs the steps")

    def shares(
        self, candidate: SignalCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield the weights (N, P, C) and their maps once."""
        from copy import deepcopy

        import torch

        from nas_core.training.device import one_thread

        module = deepcopy(candidate.module)  # it hooks into itself, and others may be using it
        assert isinstance(module, ShowsAttention)
        name, found = module.visible[-1], []
        E = torch.from_numpy(candidate.encode(rows))
        with torch.no_grad(), one_thread():
            for part in E.split(ROWS_AT_ONCE):
                weights = module.attention_weights(candidate.shaped(part))[name].double()
                found.append((weights.mean((1, 2)) if weights.dim() == 4 else weights).numpy())
        steps = np.concatenate(found)
        holds = (candidate.signal.owner[: steps.shape[1], None] == np.arange(candidate.problem.P)).astype(float)
        values = np.repeat((steps @ holds)[:, :, None], candidate.outputs, axis=2)
        yield Shares(values, maps=np.repeat(steps[:, None, None], candidate.outputs, axis=1))
