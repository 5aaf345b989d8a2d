"""How the training loss's gradient fares on its way back through the layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas_core.explanations.diagnosis_layers import Layer
from nas_core.explanations.diagnosis_records import Flow

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["FAINT", "Lesson", "flows"]

FAINT = 1e-3
"""Share of the signal of later layers below which it counts as vanished, and its inverse above which as exploded."""


@dataclass(frozen=True)
class Lesson:
    """Training rows as a network takes them: inputs, targets (N,) and how much each row counts, or None."""

    x: Tensor
    y: Tensor
    weights: Tensor | None
    task: str


def flows(module: nn.Module, layers: Sequence[Layer], lesson: Lesson) -> tuple[float, dict[str, Flow]]:
    """Return the mean training loss of ``module`` and what it sends back to each layer.

    The signal is the gradient of the loss with respect to what a layer puts out. It vanishes where it falls below a
    thousandth of the largest of the layers it came through, outputs included, and explodes where it exceeds a thousand
    times the smallest of them. Gradients of weights alone would not tell: in a deep network of a fixed scale they are
    of equal size in all layers while the signal shrinks or grows (Glorot & Bengio). Batch normalisation uses the
    statistics of the rows, as in training; dropout is off.

    Source: Hochreiter (1991); Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward
    neural networks, § 4.2.
    Costs: one prediction and one gradient of the rows. ``module`` is put into training mode where it normalises.
    """
    import torch

    from nas_core.training.device import one_thread
    from nas_core.training.losses import losses

    for part in module.modules():
        part.training = len(lesson.x) > 1 and hasattr(part, "running_mean")
    found: dict[str, Tensor] = {}
    hooks = [module.get_submodule(layer.station).register_forward_hook(_keeper(found, layer.name)) for layer in layers]
    try:
        with torch.enable_grad(), one_thread():
            outputs = module(lesson.x.detach().requires_grad_())  # so that every layer is on the way back
            each = losses(outputs.T[None], lesson.y, lesson.task, lesson.weights)[0]
            named = {n: p for n, p in module.named_parameters() if p.requires_grad}
            passed = {n: t for n, t in found.items() if t.requires_grad}
            wanted = [outputs, *named.values(), *passed.values()]
            slopes = torch.autograd.grad(each.sum(), wanted, allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
    N = len(lesson.x)
    sizes = [0.0 if s is None else _norm(s) for s in slopes]
    start = sizes[0] / math.sqrt(N)
    gradients = {name: size / N for name, size in zip(named, sizes[1:])}
    signals = {name: size / math.sqrt(N) for name, size in zip(passed, sizes[1 + len(named) :])}
    raw = {}
    for layer in layers:
        own = [n for n in layer.parameters if n in named]
        raw[layer.name] = Flow(
            math.hypot(*(gradients[n] for n in own)) if own else None,
            math.hypot(*(_norm(named[n]) for n in own)) if own else None,
            signals.get(layer.name, 0.0),
            signals.get(layer.name, 0.0) / start if start > 0 else None,
        )  # fmt: skip
    return float(each.detach().mean()), {layer.name: _judged(layer, raw, start) for layer in layers}


def _judged(layer: Layer, raw: dict[str, Flow], start: float) -> Flow:
    """Return the flow of a layer with its trend."""
    own = raw[layer.name]
    later = [raw[name].signal for name in layer.later if name in raw] + [start]
    if not math.isfinite(own.signal):
        return replace(own, trend="exploding")
    if start == 0 or not layer.later:
        return own
    if own.signal == 0:
        return replace(own, trend="none", ratio=0.0)
    least = min((s for s in later if s > 0), default=own.signal)
    if own.signal < FAINT * max(later):
        return replace(own, trend="vanishing", ratio=own.signal / max(later))
    if own.signal * FAINT > least:
        return replace(own, trend="exploding", ratio=own.signal / least)
    return replace(own, ratio=own.signal / max(later))


def _norm(tensor: Tensor) -> float:
    return float(tensor.detach().double().norm())


def _keeper(found: dict[str, Tensor], name: str) -> Callable[[nn.Module, object, object], None]:
    """Return a hook that keeps what a submodule puts out."""

    def hook(_module: nn.Module, _given: object, output: object) -> None:
        import torch

        tensor = output[0] if isinstance(output, tuple) else output
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point():
            found[name] = tensor

    return hook
