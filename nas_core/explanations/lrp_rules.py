"""The ε-rule of layer-wise relevance propagation as layers whose gradient times their input is the relevance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.explanations.torch_view import TorchView, replaced
from nas_core.training.device import one_thread

__all__ = ["EPSILON", "HeldSpread", "Ratio", "relevance", "with_rules"]

EPSILON = 1e-9
ANSWERS = (nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU)
# Numbers pushed through a network at once: its wider inner layers stay within some tens of megabytes.
NUMBERS = 400_000


class Ratio(nn.Module):
    """An activation whose slope is taken to be answer / (input ± ε)."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, z: Tensor) -> Tensor:
        """Return the activation's answer to ``z``."""
        with torch.no_grad():
            answer: Tensor = self.activation(z)
            ratio = answer / (z + EPSILON * torch.where(z < 0, -1.0, 1.0))
        return answer + ratio * (z - z.detach())


class HeldSpread(nn.Module):
    """Layer normalisation whose spread is taken not to depend on its input."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, z: Tensor) -> Tensor:
        """Return the normalised ``z``."""
        dims = tuple(range(-len(self.norm.normalized_shape), 0))
        centred = z - z.mean(dims, keepdim=True)
        spread = (centred.detach().square().mean(dims, keepdim=True) + self.norm.eps).sqrt()
        result: Tensor = centred / spread * self.norm.weight
        return result + self.norm.bias


def with_rules(view: TorchView) -> TorchView:
    """Return the view with a rule in place of every activation and normalisation; changes it in place."""
    view.network = replaced(view.network, _rule)
    return view


def relevance(view: TorchView, E: np.ndarray, output: int) -> np.ndarray:
    """Return the relevance (n, D) of encoded rows ``E`` (n, D) for one output of a view :func:`with_rules`."""
    found = np.zeros(E.shape)
    step = max(1, NUMBERS // max(1, E.shape[1]))
    with torch.inference_mode(False), torch.enable_grad(), one_thread():
        for at in range(0, len(E), step):
            x = view.tensor(E[at : at + step]).requires_grad_()
            chosen = view(x)[:, output].sum()
            if chosen.requires_grad:
                (slopes,) = torch.autograd.grad(chosen, x)
                found[at : at + step] = (slopes * x).detach().double().numpy()
    return found


def _rule(module: nn.Module) -> nn.Module | None:
    if isinstance(module, ANSWERS):
        return Ratio(module)
    return HeldSpread(module) if isinstance(module, nn.LayerNorm) else None
