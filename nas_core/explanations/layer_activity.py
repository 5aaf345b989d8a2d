"""How active the layers of a signal network are on some rows, and how much of the prediction runs through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.signal_candidate import SignalCandidate

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["LayerActivity", "layer_activity"]


@dataclass(frozen=True)
class LayerActivity:
    """What the output of one submodule does on some rows.

    Attributes:
        mean_abs_activation: Mean absolute activation over rows and units.
        share_zero: Share of the activations that are exactly 0, in [0, 1].
        attribution_share: Mean over rows of Σ|gradient × activation| over the units, gradient of the explained output,
            relative to the layer with the most, in [0, 1].
    """

    mean_abs_activation: float
    share_zero: float
    attribution_share: float


def layer_activity(candidate: SignalCandidate, rows: np.ndarray) -> dict[str, LayerActivity]:
    """Return the activity of every submodule that a node of the architecture's graph stands for, by its name.

    The explained output of a row is its largest logit, minus the mean of the logits where there are several.

    Source: gradient × activation, Shrikumar et al. (2017), arXiv 1605.01713.
    Costs: one prediction and one gradient per row.

    Args:
        candidate: What to look into.
        rows: Raw rows (N, columns), N ≥ 1; some tens are enough.

    Raises:
        ExplanationError: The rows have the wrong shape.
    """
    from copy import deepcopy

    import torch

    from nas_core.spaces.family import graph
    from nas_core.training.device import one_thread

    nodes = graph(candidate.space, candidate.architecture).nodes(data=True)
    names = sorted({str(node["module"]) for _, node in nodes if node.get("module")})
    found: dict[str, Tensor] = {}
    E = candidate.shaped(torch.from_numpy(candidate.encode(rows)))
    module = deepcopy(candidate.module)  # others may be using it, and would run into the hooks
    for name in names:
        module.get_submodule(name).register_forward_hook(_keeper(found, name))
    with torch.enable_grad(), one_thread():
        outputs = module(E if candidate.signal.vocabulary else E.requires_grad_())
        explained = outputs.max(1).values - (outputs.mean(1) if outputs.shape[1] > 1 else 0)
        layers = {name: t for name, t in found.items() if t.requires_grad}
        slopes = torch.autograd.grad(explained.sum(), list(layers.values()), allow_unused=True)
    weights = {n: 0.0 if s is None else (s * layers[n]).detach().abs().sum().item() for n, s in zip(layers, slopes)}
    most = max(weights.values(), default=0.0) or 1.0
    return {
        name: LayerActivity(
            tensor.detach().abs().mean().item(), (tensor == 0).double().mean().item(), weights.get(name, 0.0) / most
        )
        for name, tensor in found.items()
    }


def _keeper(found: dict[str, Tensor], name: str) -> Callable[[nn.Module, object, object], None]:
    """Return a hook that keeps a submodule's output; of a recurrent layer the states."""

    def hook(_module: nn.Module, _given: object, output: object) -> None:
        import torch

        tensor = output[0] if isinstance(output, tuple) else output
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point():
            found[name] = tensor

    return hook
