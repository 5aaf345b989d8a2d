"""Layer-wise relevance propagation with the ε-rule, for any network of linear layers and simple activations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nas_core.explanations.base import Candidate, Explainer, Shares
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.conditions import needs_layers
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict

__all__ = ["LayerwiseRelevance"]

# A unit's answer to nothing must be nothing, else it has no relevance to pass on: sigmoid and softplus have no rule.
ALLOWED = frozenset(("ReLU", "Tanh", "GELU", "SiLU", "LayerNorm", "MaxPool2d", "Overlapping", "Largest"))


class LayerwiseRelevance(Explainer[Candidate]):
    """The output handed back from layer to layer: each unit gets the share that it put into the sums above it.

    By the ε-rule a unit's relevance is split among its inputs in proportion to input × weight. For these networks
    that is input × a gradient in which every activation counts with answer / input instead of its slope. What biases
    put in stays with them, so the values add up to the output without its biases. The input is counted from 0: the
    value of a column that is 0 is 0, whatever that means for it.

    Source: Bach et al. (2015), 10.1371/journal.pone.0130140; as a gradient: Ancona et al. (2018), arXiv 1711.06104.
    Differs: layer normalisation holds its spread fixed (Ali et al. 2022, arXiv 2202.07304); ε = 1e-9, next to none.
    Costs: N·C gradients.
    """

    name, label = "lrp", "Layer-wise relevance (LRP-ε)"
    explains = (TrainedCandidate, SignalCandidate)
    additive = False
    relatives = ("deep_lift", "integrated_gradients")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether each of its layers has a rule."""
        reason = "all of its layers are linear or have activations that answer 0 to 0"
        return needs_layers(candidate, ALLOWED, "rule that conserves relevance", reason)

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield the relevances (N, P, C) once."""
        from nas_core.explanations.lrp_rules import relevance, with_rules
        from nas_core.explanations.torch_view import TorchView

        view = with_rules(TorchView(candidate))
        E = view.encode(rows)
        found = np.zeros((*E.shape, view.outputs))
        for c in range(view.outputs if E.size else 0):
            found[:, :, c] = relevance(view, E, c)
        yield Shares(view.by_feature(found))
