"""Running one signal network for a measure: in eval mode, without gradients, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.data.problem import Problem
    from nas_core.records import Architecture
    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.tabular.module import FeatureGroupNetwork

__all__ = ["layer_sums", "network_outputs", "table_network"]

# Numbers pushed through a network at once: its wider inner layers stay within some tens of megabytes.
NUMBERS = 400_000


class _OwnColumns:
    """The columns of the bank that a candidate reads, side by side: a small bank instead of the whole one."""

    def __init__(self, problem: Problem, encoding: str, features: Sequence[int]) -> None:
        whole = [np.asarray(problem.encoder.columns(encoding, j)) for j in features]
        self.kept = np.concatenate([np.zeros(0, np.int64), *whole])
        starts = np.concatenate(([0], np.cumsum([len(c) for c in whole]))).astype(np.int64)
        self._spans = {j: np.arange(starts[i], starts[i + 1]) for i, j in enumerate(features)}
        self.monotone = np.asarray(problem.encoder.monotone)[self.kept]

    def columns(self, encoding: str, feature: int, /) -> np.ndarray:
        """Return where the columns of a feature lie."""
        return self._spans[feature]


def table_network(
    problem: Problem, architecture: Architecture, weights: Mapping[str, np.ndarray]
) -> tuple[FeatureGroupNetwork, np.ndarray]:
    """Return a candidate of a table as a module in float64 and eval mode, and the columns (d,) of the bank it reads.

    It takes those columns, (n, d), and gives logits or standardised regression outputs (n, C).
    """
    import torch

    from nas_core.spaces.tabular.module import build

    features = sorted(j for g in architecture.values["groups"] for j in g["features"])
    own = _OwnColumns(problem, architecture.values["encoding"], features)
    module = build(architecture, own, problem.C)
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return module.double().eval(), own.kept


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
