"""A candidate as a torch module on encoded columns, in the unit of its attributions, for methods that differentiate."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.interpretability.gradients import by_owner
from nas_core.spaces.layers import Dropout
from nas_core.spaces.tabular.module import BatchNorm, ConstrainedLinear, CounterDropout

__all__ = ["TorchView", "replaced"]


class TorchView(nn.Module):
    """f: encoded columns (n, D) → outputs (n, C) float64: logits, or regression outputs in the unit of the target.

    It holds a copy of the network, so that hooks and replaced layers disturb nobody. What the project has of its own
    among the layers is replaced by layers of torch that compute the same in eval mode, so that libraries know them.

    Attributes:
        owner: (D,) the feature, or the cell of a signal, of each column.
        features: P.
        outputs: C.
        network: The copy.
        dtype: What it computes in: float64 for tables and small networks, else float32.
    """

    def __init__(self, candidate: TrainedCandidate | SignalCandidate) -> None:
        super().__init__()
        self._encode: Callable[[np.ndarray], np.ndarray]
        self._shape: tuple[int, ...]
        self.features, self.outputs = candidate.problem.P, candidate.outputs
        if isinstance(candidate, TrainedCandidate):
            spans = [candidate.span(j) for j in candidate.used]
            self.owner = np.repeat(np.array(candidate.used, np.int64), [s.stop - s.start for s in spans])
            self._encode, self._shape, self.dtype = candidate.bank, (), torch.float64
        else:
            self.owner, self._encode, self.dtype = candidate.owner, candidate.encode, candidate.dtype
            self._shape = tuple(candidate.problem.signal_encoder.shape)
        self.network = replaced(deepcopy(candidate.module), _standard).eval().requires_grad_(False)
        self._scale, self._shift = float(candidate.problem.target_sd), float(candidate.problem.target_mean)

    @property
    def D(self) -> int:  # noqa: N802 - the letter is declared in nas_core.records
        """Number of encoded columns."""
        return len(self.owner)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Return the encoded columns (n, D) float64 of raw rows (n, P) or (n, columns)."""
        return np.asarray(self._encode(raw), float)

    def tensor(self, E: np.ndarray) -> Tensor:
        """Return encoded rows (n, D) as the network's kind of tensor."""
        return torch.tensor(np.asarray(E), dtype=self.dtype)

    def forward(self, E: Tensor) -> Tensor:
        """Return the outputs (n, C) of encoded rows (n, D)."""
        rows = E.to(self.dtype)
        outputs: Tensor = self.network(rows.reshape(-1, *self._shape) if self._shape else rows)
        return outputs.double() * self._scale + self._shift

    def by_feature(self, values: np.ndarray) -> np.ndarray:
        """Return the values (n, D, C) of columns summed per feature, (n, P, C)."""
        values = np.asarray(values, float)
        parts = [by_owner(values[..., c], self.owner, self.features) for c in range(values.shape[2])]
        return np.stack(parts, axis=2) if parts else np.zeros((len(values), self.features, 0))


def replaced(module: nn.Module, other: Callable[[nn.Module], nn.Module | None]) -> nn.Module:
    """Return ``module`` with its layers replaced, inside and out, wherever ``other`` gives one; changes it in place."""
    instead = other(module)
    if instead is not None:
        return instead
    for name, child in list(module.named_children()):
        new = replaced(child, other)
        if new is not child:
            setattr(module, name, new) if not isinstance(module, nn.ModuleDict) else module.update({name: new})
    return module


def _standard(module: nn.Module) -> nn.Module | None:
    """Return the layer of torch that computes what a layer of the project's own does in eval mode."""
    if isinstance(module, (Dropout, CounterDropout)):
        return nn.Identity()
    if isinstance(module, ConstrainedLinear):
        weight = module.effective().detach()
        linear = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=module.bias is not None)
        linear.weight = nn.Parameter(weight)
        if module.bias is not None:
            linear.bias = nn.Parameter(module.bias.detach())
        return linear
    if isinstance(module, BatchNorm):
        weight = module.weight.detach()
        norm = nn.BatchNorm1d(len(weight), dtype=weight.dtype)
        norm.weight, norm.bias = nn.Parameter(weight.abs() if module.positive else weight), module.bias
        norm.running_mean, norm.running_var = module.running_mean, module.running_var
        return norm.eval()
    return None
