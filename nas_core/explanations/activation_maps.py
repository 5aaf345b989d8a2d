"""Class-activation maps: where in an image or a sequence the last maps of a network speak for an output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ClassActivationMaps", "GradCam", "spread"]

ROWS_AT_ONCE = 64


class ClassActivationMaps(Explainer[SignalCandidate]):
    """Exact class-activation maps: what each place of the last maps adds to each output.

    The output of a network whose head is a mean over places and a linear layer is its bias plus the mean over places of
    the weighted maps, so every place has a share and the shares add up to the output. Each place's share is spread
    smoothly over the part of the input it stands for. A place sees as much of the input as the network's receptive
    field, so a share may come from farther away than it is drawn.

    Source: Zhou et al. (2016), arXiv 1512.04150.
    Differs: upsampling that keeps sums; maps that are smaller than the input because windows do not reach over its edge
    are drawn over the whole input.
    Costs: one prediction per row.
    """

    name, label = "cam", "Class-activation maps"
    explains = SignalCandidate

    def fits(self, candidate: SignalCandidate) -> Verdict:
        """Return whether the head is a mean over places and a linear layer."""
        if candidate.module.map_weights is None:
            return Verdict(ok=False, reason="its output is not a mean over places with a linear layer")
        return _has_places(candidate, "its output is a mean over places of weighted maps")

    def shares(
        self, candidate: SignalCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) and the maps once; the base is the output's bias."""
        import torch

        from nas_core.training.device import one_thread

        found = []
        with torch.inference_mode(), one_thread():
            for E in _encoded(candidate, rows):
                maps = _planes(candidate.module.features(E))
                weights = candidate.module.map_weights
                assert weights is not None
                found.append(torch.einsum("nfhw,cf->nchw", maps, weights).double() / math.prod(maps.shape[2:]))
            bias = candidate.module.head(torch.zeros_like(_example(candidate)))[0].double().numpy()
        sd, mean = candidate.problem.target_sd, candidate.problem.target_mean
        yield _shares(candidate, torch.cat(found).numpy() * sd, bias * sd + mean)


class GradCam(Explainer[SignalCandidate]):
    """Gradient-weighted maps: the last maps, each weighted by how much the output rises with it on average.

    For a head that is a mean and a linear layer they are the exact class-activation maps; else a first-order picture of
    where the evidence is, whose values do not add up to the output.

    Source: Selvaraju et al. (2017), arXiv 1610.02391.
    Differs: evidence against an output is kept (the source sets negative values to 0); upsampling that keeps sums.
    Costs: one prediction per row and C gradients of the head.
    """

    name, label = "grad_cam", "Grad-CAM"
    explains = SignalCandidate
    additive = False

    def fits(self, candidate: SignalCandidate) -> Verdict:
        """Return whether the last maps have places."""
        return _has_places(candidate, "its last maps have places")

    def shares(
        self, candidate: SignalCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) and the maps once."""
        import torch

        from nas_core.training.device import one_thread

        found = []
        with torch.enable_grad(), one_thread():
            for E in _encoded(candidate, rows):
                with torch.no_grad():
                    maps = candidate.module.features(E)
                maps = maps.detach().requires_grad_()
                outputs = candidate.module.head(maps)
                planes, parts = _planes(maps.detach()), []
                for c in range(candidate.outputs):
                    (slope,) = torch.autograd.grad(outputs[:, c].sum(), maps, retain_graph=True)
                    weights = _planes(slope).mean((2, 3))
                    parts.append(torch.einsum("nfhw,nf->nhw", planes, weights))
                found.append(torch.stack(parts, 1).double())
        yield _shares(candidate, torch.cat(found).numpy() * candidate.problem.target_sd, None)


def spread(places: int, size: int) -> np.ndarray:
    """Return (size, places) how the share of each of the evenly spaced ``places`` is spread over ``size`` positions.

    Linear interpolation between the centres of the places; every column sums to 1, so sums are kept.
    """
    centres = (np.arange(size) + 0.5) * places / size - 0.5
    distance = np.abs(np.clip(centres, 0, places - 1)[:, None] - np.arange(places)[None])
    weights = np.maximum(0.0, 1 - distance)
    if size < places:  # several places per position: each goes to the one it lies in
        weights = (np.arange(places)[None] * size // places == np.arange(size)[:, None]).astype(float)
    return weights / weights.sum(0, keepdims=True)


def _has_places(candidate: SignalCandidate, reason: str) -> Verdict:
    """Return whether the last maps have more than one place."""
    import torch

    with torch.no_grad():
        maps = _example(candidate)
    if maps.dim() < 3 or maps[0, 0].numel() == 1:
        return Verdict(ok=False, reason="its last maps have one place only, so there is nothing to locate")
    return Verdict(ok=True, reason=reason)


def _example(candidate: SignalCandidate) -> Tensor:
    """Return the last maps (1, F, …) of a row of zeros."""
    import torch

    return candidate.module.features(candidate.shaped(torch.zeros(1, candidate.problem.signal_encoder.D)))


def _encoded(candidate: SignalCandidate, rows: np.ndarray) -> Iterator[Tensor]:
    """Yield what the network reads in pieces; one empty piece for no rows."""
    import torch

    E = torch.from_numpy(candidate.encode(rows))
    yield from (candidate.shaped(part) for part in E.split(ROWS_AT_ONCE))


def _planes(maps: Tensor) -> Tensor:
    """Return maps (n, F, steps) or (n, F, h, w) as (n, F, h, w)."""
    return maps[:, :, None] if maps.dim() == 3 else maps


def _shares(candidate: SignalCandidate, found: np.ndarray, base: np.ndarray | None) -> Shares:
    """Return the shares of maps (n, C, h, w), spread over the input and summed by cell."""
    height, width = candidate.signal.place
    maps = np.einsum("Hh,nchw,Ww->ncHW", spread(found.shape[2], height), found, spread(found.shape[3], width))
    cells = candidate.signal.owner[: height * width]
    holds = (cells[:, None] == np.arange(candidate.problem.P)).astype(float)
    values = maps.reshape(*maps.shape[:2], height * width) @ holds
    return Shares(values.transpose(0, 2, 1), maps=maps, base=base)
