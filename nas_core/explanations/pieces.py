"""A group's network taken apart by features: what each feature adds to the sums of the first hidden layer.

Those sums are linear in the encoded columns, so the sums of a mixture of two rows are sums of pieces: nothing is
encoded again and the input layer is not run again, however many mixtures an explanation asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate

if TYPE_CHECKING:
    from torch import Tensor

    from nas_core.spaces.tabular.module import GroupNetwork

__all__ = ["ELEMENTS", "GroupPieces", "Pieces"]

# Numbers in one batch of first-layer sums: they stay in a processor's cache.
ELEMENTS = 2**16


class Pieces(Protocol):
    """A function of k features of which any set can be taken from one of N rows and the others from one of B rows.

    Attributes:
        active: (a,) positions of the features that are not the same in all of these rows; the others have exactly 0.
        own, other: (a, N, H), (a, B, H) what each active feature adds to the H sums the function is computed from.
        fixed: (H,) what all the rest adds to them.
        direct: (N, k, C) Shapley values known without mixtures.
        outputs: C.
    """

    active: np.ndarray
    own: Tensor
    other: Tensor
    fixed: Tensor
    direct: np.ndarray
    outputs: int

    def effect(self, sums: Tensor) -> Tensor:
        """Return the function's values (…, C) at the sums (…, H), without ``direct``."""
        ...


class GroupPieces:
    """The pieces of one non-linear group of k features, of N rows and B background rows, in float64.

    A mixture that takes the features of a set S from row n and the others from background row b has the first-layer
    sums fixed + Σ_{j∈S} own[j, n] + Σ_{j∉S} other[j, b]. Only the a ≤ k active features are kept: those that are not
    the same in all of these rows. The others have exactly 0.

    Attributes:
        active: (a,) positions in the group of the active features.
        own, other: (a, N, H), (a, B, H) their pieces.
        fixed: (H,) the bias and the pieces of the other features.
        direct: (N, k, C) what dense connections add to the Shapley values: it is linear, so it needs no mixtures.
    """

    def __init__(self, candidate: TrainedCandidate, group: FeatureGroup, own: np.ndarray, other: np.ndarray) -> None:
        import torch

        self.network = cast("GroupNetwork", candidate.module.groups[group.index])
        self.scale, self.outputs = float(candidate.problem.target_sd), candidate.outputs
        spans = [candidate.span(j) for j in group.features]
        with torch.inference_mode():
            bank = torch.from_numpy(np.concatenate((own, other)))
            blocks = [bank[:, span] for span in spans]
            weight, bias = self.network.first_layer()
            pieces = _pieces(blocks, weight)
            varies = (pieces != pieces[:, :1]).flatten(1).any(1)
            self.active = torch.nonzero(varies).flatten().numpy()
            self.fixed = pieces[~varies, 0].sum(0)
            if bias is not None:
                self.fixed = self.fixed + bias
            self.own, self.other = pieces[varies, : len(own)], pieces[varies, len(own) :]
            self.direct = np.zeros((len(own), len(spans), self.outputs))
            if (through := self.network.direct_readout()) is not None:
                read = _pieces(blocks, through)
                apart = read[:, : len(own)] - read[:, len(own) :].mean(1, keepdim=True)
                self.direct = apart.permute(1, 0, 2).numpy() * self.scale

    @property
    def width(self) -> int:
        """Number of first-layer units H."""
        return len(self.fixed)

    def effect(self, sums: Tensor) -> Tensor:
        """Return the contribution (…, C) of mixtures with the first-layer sums (…, H), without ``direct``."""
        answer = self.network.after_sums(sums.reshape(-1, self.width))
        return answer.reshape(*sums.shape[:-1], self.outputs) * self.scale


def _pieces(blocks: list[Tensor], weight: Tensor) -> Tensor:
    """Return (k, n, H) what each feature's columns (n, d_j) add to the sums under ``weight`` (H, Σ d_j)."""
    import torch

    parts = torch.split(weight, [block.shape[1] for block in blocks], dim=1)
    return torch.stack([block @ part.T for block, part in zip(blocks, parts)])
