"""Attributions from gradients, of tables and of signals: integrated gradients, DeepLIFT and two quick looks.

The maths of the first two is in ``interpretability.gradients``; values of encoded columns are summed per feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.base import Candidate, Explainer, Shares
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.conditions import has_kinks, needs_gradient, needs_line
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict

if TYPE_CHECKING:
    from nas_core.explanations.torch_view import TorchView

__all__ = ["DeepLift", "InputTimesGradient", "IntegratedGradients", "Saliency"]

SMOOTH, KINKED = 32, 128  # points on each line
# Numbers pushed through a network at once: its wider inner layers stay within some tens of megabytes.
NUMBERS = 400_000


class IntegratedGradients(Explainer[Candidate]):
    """Gradients along the straight lines from background rows to the row, times the change of each column.

    Every gradient on the way counts alike, so what the output rises from the mean of the background rows to the row is
    shared out completely, up to the error of the quadrature that the completeness line shows. Interactions are split
    evenly. For networks that are the same function the values are the same, however they are built.

    Source: Sundararajan, Taly & Yan (2017), arXiv 1703.01365.
    Differs: every background row is a baseline and the results are averaged, so that nothing depends on one choice;
    Gauss–Legendre points instead of equal steps.
    Costs: N·B·C gradients at 32 points, at 128 where activations have kinks (ReLU, maxima).
    """

    name, label = "integrated_gradients", "Integrated gradients"
    explains = (TrainedCandidate, SignalCandidate)
    per_output = 2 * KINKED
    tolerance = 0.05
    relatives = ("deep_lift", "shap_gradient")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether there is a line of rows between any two on which the output can be differentiated."""
        nodes = _nodes(candidate)
        return needs_line(candidate, f"its output has a gradient everywhere on a line; taken at {nodes} points")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""
        from nas_core.explanations.torch_view import TorchView
        from nas_core.interpretability.gradients import integrated_gradients

        view, nodes = TorchView(candidate), _nodes(candidate)
        E, base = view.encode(rows), view.encode(background)
        yield Shares(
            view.by_feature(_per_output(view, E, lambda c: integrated_gradients(view, E, base, c, nodes=nodes)))
        )


class DeepLift(Explainer[Candidate]):
    """What each column's difference from the background rows does, passed back layer by layer by the rescale rule.

    Every operation passes back its mean slope between the background row and the row instead of its slope, so
    saturated units still speak, and the differences add up to that of the output. The way the network is built matters:
    two networks that are the same function may get different values.

    Source: Shrikumar, Greenside & Kundaje (2017), arXiv 1704.02685; against several rows: Lundberg & Lee (2017).
    Differs: operations without a rule there (products, normalisation, attention, recurrent layers) have their slopes
    averaged numerically instead of being ignored; every background row is a reference.
    Costs: N·B·C gradients and twice as many predictions.
    """

    name, label = "deep_lift", "DeepLIFT"
    explains = (TrainedCandidate, SignalCandidate)
    per_output = 8
    relatives = ("integrated_gradients", "shap_gradient")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether two rows differ by numbers that can be passed back."""
        return needs_line(candidate, "each of its operations has a mean slope between two rows")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""
        from nas_core.explanations.torch_view import TorchView
        from nas_core.interpretability.gradients import deep_lift

        view = TorchView(candidate)
        E, base = view.encode(rows), view.encode(background)
        yield Shares(view.by_feature(_per_output(view, E, lambda c: deep_lift(view, E, base, c))))


class Saliency(Explainer[Candidate]):
    """How steeply the output changes with a feature at this row, whichever way: |gradient| × standard deviation.

    A quick look: it says what the network is sensitive to at this row, not what made the output what it is. A
    saturated unit hides what it stands for. Columns of one feature are added up. The values have no sign, do not add
    up to the output, and are in its unit per standard deviation of each column.

    Source: Simonyan, Vedaldi & Zisserman (2014), arXiv 1312.6034.
    Differs: times the standard deviation of the column over the background rows, without which it would depend on how
    columns are scaled.
    Costs: N·C gradients.
    """

    name, label = "saliency", "Saliency"
    explains = (TrainedCandidate, SignalCandidate)
    additive, unit = False, "slope"
    relatives = ("input_x_gradient", "occlusion")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether there is a gradient."""
        return needs_gradient(candidate, "its output has a gradient")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield the slopes (N, P, C) once."""
        from nas_core.explanations.torch_view import TorchView

        view = TorchView(candidate)
        E, base = view.encode(rows), view.encode(background)
        spread = np.sqrt(np.mean((base - base.mean(0)) ** 2, axis=0))
        yield Shares(view.by_feature(np.abs(_slopes(view, E)) * spread[:, None]))


class InputTimesGradient(Explainer[Candidate]):
    """The gradient at the row times how far each column is from the mean of the background rows.

    A first-order picture: exact for linear networks; where units saturate, features that made the output what it is
    get nothing. The values do not add up to the output.

    Source: Shrikumar et al. (2016), arXiv 1605.01713; Ancona et al. (2018), arXiv 1711.06104.
    Differs: the input is counted from the background's mean, because 0 means nothing in encoded columns.
    Costs: N·C gradients.
    """

    name, label = "input_x_gradient", "Gradient × input"
    explains = (TrainedCandidate, SignalCandidate)
    additive = False
    relatives = ("integrated_gradients", "occlusion")

    def fits(self, candidate: Candidate) -> Verdict:
        """Return whether there is a gradient."""
        return needs_gradient(candidate, "its output has a gradient")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""
        from nas_core.explanations.torch_view import TorchView

        view = TorchView(candidate)
        E, base = view.encode(rows), view.encode(background)
        yield Shares(view.by_feature((E - base.mean(0))[:, :, None] * _slopes(view, E)))


def _nodes(candidate: Candidate) -> int:
    """Return how many points on a line are enough."""
    return KINKED if has_kinks(candidate) else SMOOTH


def _per_output(view: TorchView, E: np.ndarray, of: Callable[[int], np.ndarray]) -> np.ndarray:
    """Return (N, D, C) from the values (N, D) ``of`` each output; zeros where there is nothing to explain."""
    if not E.size:
        return np.zeros((*E.shape, view.outputs))
    return np.stack([of(c) for c in range(view.outputs)], axis=2)


def _slopes(view: TorchView, E: np.ndarray) -> np.ndarray:
    """Return the gradients (N, D, C) of the outputs at encoded rows, by captum."""
    import torch
    from captum.attr import Saliency as Gradients

    from nas_core.training.device import one_thread

    def of(output: int) -> np.ndarray:
        step = max(1, NUMBERS // E.shape[1])
        found = []
        for at in range(0, len(E), step):
            x = view.tensor(E[at : at + step]).requires_grad_()
            found.append(Gradients(view).attribute(x, target=output, abs=False).detach().double().numpy())
        return np.concatenate(found)

    with torch.inference_mode(False), torch.enable_grad(), one_thread():
        return _per_output(view, E, of)
