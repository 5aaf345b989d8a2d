"""The explainers of the ``shap`` library that look into a network: DeepSHAP and expected gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.base import Candidate, Explainer, Shares
from nas_core.explanations.borrowed import lent_shap
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.conditions import needs_layers, needs_line
from nas_core.explanations.rounds import Rounds
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.explanations.torch_view import TorchView

__all__ = ["ShapDeep", "ShapGradient"]

# What the library has a rule for. It knows max pooling too, but sends what ties or touches its border elsewhere.
DEEP = frozenset(("ReLU", "Sigmoid", "Tanh", "Softplus", "GELU"))
DRAWS, FIRST = 5, 5  # of a round; rounds before the first answer


class ShapDeep(Explainer[Candidate]):
    """DeepSHAP from the ``shap`` library: DeepLIFT's rescale rule against every background row, averaged.

    For networks of linear layers and simple activations base and values add up to the output. Where features interact
    the values are near Shapley values, not equal to them.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; Shrikumar et al. (2017); ``shap.DeepExplainer``.
    Costs: N·B·C gradients and twice as many predictions.
    """

    name, label = "shap_deep", "SHAP, deep"
    explains = (TrainedCandidate, SignalCandidate)
    per_output = 8
    relatives = ("deep_lift", "integrated_gradients")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether the library has a rule for each of its layers."""
        verdict = needs_line(candidate, "")
        if not verdict.ok:
            return verdict
        return needs_layers(candidate, DEEP, "rule in the library", "the library has a rule for each of its layers")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""
        import torch

        from nas_core.explanations.torch_view import TorchView
        from nas_core.training.device import one_thread

        view = TorchView(candidate)
        E, base = view.encode(rows), view.encode(background)
        found = np.zeros((*E.shape, view.outputs))
        if E.size:
            with lent_shap(seed) as shap, warnings.catch_warnings(), torch.enable_grad(), one_thread():
                # it says of every layer that only moves or adds numbers that it does not know it
                warnings.filterwarnings("ignore", message="unrecognized nn.Module")
                explainer = shap.DeepExplainer(view, view.tensor(base))
                found = np.asarray(explainer.shap_values(view.tensor(E), check_additivity=False), float)
        yield Shares(view.by_feature(found))


class ShapGradient(Explainer[Candidate]):
    """Expected gradients (GradientSHAP) from the ``shap`` library: gradients at random points between random rows.

    Each point lies between the row and a background row; the gradient there times the difference of the two is one
    estimate, and all of them are averaged. On average they are integrated gradients, so on average, and only then, base
    and values add up to the output. Rounds of five points tell the errors.

    Source: Erion et al. (2021), arXiv 1906.10670; Lundberg & Lee (2017); ``shap.GradientExplainer``.
    Costs: 25 gradients per row and output before the first answer, 5 per round after it.
    """

    name, label = "shap_gradient", "SHAP, gradient"
    explains = (TrainedCandidate, SignalCandidate)
    additive, sampled = False, True
    per_output = 16
    relatives = ("integrated_gradients", "deep_lift")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether there is a line of rows between any two on which the output can be differentiated."""
        return needs_line(candidate, "its output has a gradient between any two rows")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ (N, P, C) and its standard errors after every round, without end."""
        from nas_core.explanations.torch_view import TorchView

        view = TorchView(candidate)
        E, base = view.encode(rows), view.encode(background)
        mean = Rounds((len(rows), view.features, view.outputs))
        while True:
            found = np.zeros((*E.shape, view.outputs))
            if E.size:
                found = _expected(view, E, base, derive_seed("draws", seed, mean.count))
            mean.add(view.by_feature(found))
            if mean.count >= FIRST or not E.size:
                errors = mean.errors if E.size else np.zeros_like(mean.values)
                yield Shares(mean.values, errors, mean.count * DRAWS * len(rows))
                if not E.size:
                    return


def _expected(view: TorchView, E: np.ndarray, base: np.ndarray, seed: int) -> np.ndarray:
    """Return one round's values (N, D, C) of encoded rows, from the library."""
    import torch

    from nas_core.training.device import one_thread

    with lent_shap(seed) as shap, torch.enable_grad(), one_thread():
        explainer = shap.GradientExplainer(view, view.tensor(base), batch_size=DRAWS)
        values = explainer.shap_values(view.tensor(E), nsamples=DRAWS, rseed=seed % 2**31)
    return np.asarray(values, float)
