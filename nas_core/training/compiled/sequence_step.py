"""What only networks of sequences compute, by kind."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.attention import (
    mix,
    mix_back,
    place,
    place_back,
    scores,
    scores_back,
    soften,
    soften_back,
)  # fmt: skip
from nas_core.training.compiled.fields import KIND, Memory
from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.kinds import (
    CHANNEL_NORM,
    EMBED,
    LARGEST,
    LAST,
    MIX,
    PLACED,
    PRESENCE,
    RECUR,
    SCORES,
    SOFTMAX,
    STEP_MEAN,
    STEP_NORM,
)  # fmt: skip
from nas_core.training.compiled.recurrent import recur, recur_back
from nas_core.training.compiled.step_norms import channel_norm, channel_norm_back, step_norm, step_norm_back
from nas_core.training.compiled.steps import (
    embed,
    embed_back,
    largest,
    largest_back,
    last,
    last_back,
    presence,
    step_mean,
    step_mean_back,
)  # fmt: skip

__all__ = ["backward_steps", "forward_steps"]


@kernel
def forward_steps(op: np.ndarray, real: np.ndarray, m: Memory, N: int, n: int, training: bool) -> None:
    """Compute a value that only networks of sequences have."""
    kind = op[KIND]
    if kind == RECUR:
        recur(op, m, N)
    elif kind == SCORES:
        scores(op, m, N)
    elif kind == MIX:
        mix(op, m, N)
    elif kind == SOFTMAX:
        soften(op, m, N)
    elif kind == PLACED:
        place(op, m, N)
    elif kind == CHANNEL_NORM:
        channel_norm(op, real, m, N)
    elif kind == STEP_NORM:
        step_norm(op, real, m, N, training)
    elif kind == LAST:
        last(op, m, N)
    elif kind == LARGEST:
        largest(op, m, N)
    elif kind == STEP_MEAN:
        step_mean(op, m, N)
    elif kind == PRESENCE:
        presence(op, m, N, n)
    elif kind == EMBED:
        embed(op, m, N, n)


@kernel
def backward_steps(op: np.ndarray, m: Memory, N: int, n: int) -> None:
    """Compute the slopes that such a value hands on."""
    kind = op[KIND]
    if kind == RECUR:
        recur_back(op, m, N)
    elif kind == SCORES:
        scores_back(op, m, N)
    elif kind == MIX:
        mix_back(op, m, N)
    elif kind == SOFTMAX:
        soften_back(op, m, N)
    elif kind == PLACED:
        place_back(op, m, N)
    elif kind == CHANNEL_NORM:
        channel_norm_back(op, m, N)
    elif kind == STEP_NORM:
        step_norm_back(op, m, N)
    elif kind == LAST:
        last_back(op, m, N)
    elif kind == LARGEST:
        largest_back(op, m, N)
    elif kind == STEP_MEAN:
        step_mean_back(op, m, N)
    elif kind == EMBED:
        embed_back(op, m, N, n)
