"""SGD with momentum, Adam, AdamW and AdaGrad on the flat weights of one network, as ``torch.optim`` by default.

The plain loops become vectors by themselves, square roots and divisions too, as their indices are unsigned: one that
may be negative would be counted from the end, and LLVM leaves such loops alone.
"""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.jit import kernel, within
from nas_core.training.optimiser import ADAGRAD_EPSILON, ADAM_EPSILON, BETA1, BETA2, MOMENTUM, OPTIMISERS

__all__ = ["update"]

SGD, ADAM, ADAMW, ADAGRAD = (OPTIMISERS.index(name) for name in ("sgd", "adam", "adamw", "adagrad"))


@kernel
def update(
    kind: int, weights: np.ndarray, gradient: np.ndarray, first: np.ndarray, second: np.ndarray, decayed: int,
    rate: float, decay: float, step: int,
) -> None:  # fmt: skip
    """Make one step of an optimiser, in place.

    Args:
        kind: Its index in :data:`nas_core.training.optimiser.OPTIMISERS`.
        weights, gradient: float32 (T,); the gradient is only read.
        first, second: float32 (T,): the state, zeros before the first step; SGD uses ``first``, AdaGrad ``second``.
        decayed: How many weights, counted from the first, weight decay shrinks.
        rate: Learning rate of this step.
        decay: Weight decay: decoupled in AdamW, an L2 penalty elsewhere.
        step: 1 at the first step.
    """
    for part in range(2):  # one loop over all optimisers in the code
        start, stop, decay = (0, decayed, decay) if part == 0 else (decayed, len(weights), 0.0)
        _some(kind, weights, gradient, first, second, start, stop, rate, decay, step)


@within
def _some(
    kind: int, weights: np.ndarray, gradient: np.ndarray, first: np.ndarray, second: np.ndarray, start: int, stop: int,
    rate: float, decay: float, step: int,
) -> None:  # fmt: skip
    """Update the weights from ``start`` to ``stop``."""
    if kind == SGD:
        _sgd(weights, gradient, first, start, stop, np.float32(rate), np.float32(decay))
    elif kind == ADAGRAD:
        _adagrad(weights, gradient, second, start, stop, np.float32(rate), np.float32(decay))
    else:
        kept, penalty = (1 - rate * decay, 0.0) if kind == ADAMW else (1.0, decay)
        size, unbias = rate / (1 - BETA1**step), 1 / np.sqrt(1 - BETA2**step)
        _adam(
            weights, gradient, first, second, start, stop, np.float32(kept), np.float32(penalty), np.float32(size),
            np.float32(unbias),
        )  # fmt: skip


@within
def _sgd(
    weights: np.ndarray, gradient: np.ndarray, first: np.ndarray, start: int, stop: int, rate: np.float32,
    decay: np.float32,
) -> None:  # fmt: skip
    for i in range(np.uint64(start), np.uint64(stop)):
        first[i] = np.float32(MOMENTUM) * first[i] + (gradient[i] + decay * weights[i])
        weights[i] -= rate * first[i]


@within
def _adagrad(
    weights: np.ndarray, gradient: np.ndarray, second: np.ndarray, start: int, stop: int, rate: np.float32,
    decay: np.float32,
) -> None:  # fmt: skip
    for i in range(np.uint64(start), np.uint64(stop)):
        g = gradient[i] + decay * weights[i]
        second[i] += g * g
        weights[i] -= rate * g / (np.sqrt(second[i]) + np.float32(ADAGRAD_EPSILON))


@within
def _adam(
    weights: np.ndarray, gradient: np.ndarray, first: np.ndarray, second: np.ndarray, start: int, stop: int,
    kept: np.float32, penalty: np.float32, size: np.float32, unbias: np.float32,
) -> None:  # fmt: skip
    """Kingma & Ba 2015, and Loshchilov & Hutter 2019 where a share ``kept`` of the weights is left."""
    for i in range(np.uint64(start), np.uint64(stop)):
        w = weights[i] * kept
        g = gradient[i] + penalty * w
        first[i] += np.float32(1 - BETA1) * (g - first[i])
        second[i] = np.float32(BETA2) * second[i] + np.float32(1 - BETA2) * (g * g)
        weights[i] = w - size * first[i] / (np.sqrt(second[i]) * unbias + np.float32(ADAM_EPSILON))
