"""Running one signal network for a measure: in eval mode, without gradients, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.spaces.layers import SignalNetwork

__all__ = ["layer_sums", "network_outputs"]

# Numbers pushed through a network at once: its wider inner layers stay within some tens of megabytes.
NUMBERS = 400_000


def network_outputs(module: SignalNetwork, E: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return the outputs (n, C) float64 of a signal network for encoded rows ``E`` (n, D) of the given ``shape``."""
    import torch

    with _quietly(module):
        parts = [module(batch).double().cpu().numpy() for batch in _batches(module, E, shape)]
    return np.concatenate(parts) if parts else np.zeros((0, int(module(torch.zeros(1, *shape)).shape[1])))


def layer_sums(
    module: SignalNetwork, E: np.ndarray, shape: Sequence[int], groups: np.ndarray, count: int
) -> list[np.ndarray]:
    """Return for each of ``module.layers`` the summed activations (count, units) of the rows of every group.

    Args:
        module: The network; in eval mode.
        E: Encoded rows (n, D).
        shape: Of one encoded row.
        groups: (n,) the group of each row, 0 to ``count`` − 1.
        count: Number of groups.
    """
    import torch

    sums: dict[str, Tensor] = {}
    inside = torch.zeros(0)

    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _given: object, output: Tensor) -> None:
            added = inside @ output.detach().flatten(1).to("cpu", torch.float32)
            sums[name] = sums[name] + added if name in sums else added

        return hook

    hooks = [module.get_submodule(name).register_forward_hook(keep(name)) for name in module.layers]
    try:
        with _quietly(module):
            at = 0
            for batch in _batches(module, E, shape):
                own = torch.from_numpy(groups[at : at + len(batch)])
                inside = (own[None] == torch.arange(count)[:, None]).float()
                module(batch)
                at += len(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return [sums[name].numpy().astype(float) for name in module.layers]


def _batches(module: nn.Module, E: np.ndarray, shape: Sequence[int]) -> Iterator[Tensor]:
    """Yield the rows as float32 tensors (m, *shape) where the network is."""
    import torch

    place = next((p.device for p in module.parameters()), torch.device("cpu"))
    step = max(1, NUMBERS // int(np.prod(shape)))
    for at in range(0, len(E), step):
        rows = np.ascontiguousarray(E[at : at + step], dtype=np.float32)
        yield torch.from_numpy(rows).reshape(-1, *shape).to(place)


@contextmanager
def _quietly(module: nn.Module) -> Iterator[None]:
    """Compute without gradients, on one thread (small batches gain nothing from more), in eval mode."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            module.eval()
            yield
    finally:
        torch.set_num_threads(threads)
