"""Running one signal network for a measure: in eval mode, without gradients, in pieces that fit in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.data.problem import Problem
    from nas_core.records import Architecture
    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.tabular.module import FeatureGroupNetwork

__all__ = ["QuickNetwork", "table_network"]

# Numbers in the largest map of the rows pushed through a network at once: 1.6 MB, so that a map is still in the cache
# of the core when the next layer reads it. Four times as many took 1.1 to 3 times as long per row.
NUMBERS, NUMBERS_ON_DEVICE = 400_000, 16_000_000


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


class QuickNetwork:
    """A signal network prepared for many predictions.

    Args:
        network: In whatever mode; it stays as it is.
        shape: Of one encoded row.
    """

    def __init__(self, network: SignalNetwork, shape: Sequence[int]) -> None:
        from nas_core.interpretability.quick_networks import quickened

        self.module, self._shape = quickened(network), tuple(shape)
        self._rows = 0  # that go through the network at once; known when there is one

    def outputs(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (n, C) float64 for encoded rows ``E`` (n, D)."""
        import torch

        with _quietly():
            if not len(E):
                return np.zeros((0, int(self.module(torch.zeros(1, *self._shape)).shape[1])))
            return np.concatenate([self.module(batch).cpu().numpy() for batch in self._batches(E)]).astype(np.float64)

    def layer_sums(self, E: np.ndarray, groups: np.ndarray, count: int) -> list[np.ndarray]:
        """Return for each of ``module.layers`` the summed activations (count, units) of the rows of every group.

        Args:
            E: Encoded rows (n, D).
            groups: (n,) the group of each row, 0 to ``count`` − 1.
            count: Number of groups.
        """
        import torch

        names = self.module.layers
        sums: list[Tensor | float] = [0.0] * len(names)
        inside = torch.zeros(0)

        def keep(at: int) -> Callable[[nn.Module, object, Tensor], None]:
            def hook(_module: nn.Module, _given: object, output: Tensor) -> None:
                sums[at] = sums[at] + inside @ output.flatten(1).to("cpu", torch.float32)

            return hook

        done = 0
        with _quietly():
            batches = self._batches(E)
            with _hooked((self.module.get_submodule(name) for name in names), keep):
                for batch in batches:
                    own = torch.from_numpy(groups[done : done + len(batch)])
                    inside = (own[None] == torch.arange(count)[:, None]).float()
                    self.module(batch)
                    done += len(batch)
        return [np.asarray(found, float) for found in sums]

    def _batches(self, E: np.ndarray) -> Iterator[Tensor]:
        """Return the rows as float32 tensors (m, *shape) where the network is."""
        import torch

        rows = torch.from_numpy(np.ascontiguousarray(E, dtype=np.float32)).reshape(-1, *self._shape)
        rows = rows.to(next((p.device for p in self.module.parameters()), rows.device))
        if not self._rows:
            most = NUMBERS if rows.device.type == "cpu" else NUMBERS_ON_DEVICE
            self._rows = max(1, most // largest_map(self.module, rows[:1]))
        return iter(rows.split(self._rows))


def largest_map(network: nn.Module, x: Tensor) -> int:
    """Return how many numbers the largest output of any submodule has for one row ``x`` (1, *shape)."""
    from torch import Tensor

    sizes = [x.numel()]

    def note(_module: nn.Module, _given: object, output: object) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel())

    with _hooked(network.modules(), lambda _: note):
        network(x)
    return max(sizes)


@contextmanager
def _hooked(modules: Iterable[nn.Module], hook_of: Callable[[int], Callable[..., None]]) -> Iterator[None]:
    """Call ``hook_of(number)`` after each forward pass of one of the modules."""
    hooks = [module.register_forward_hook(hook_of(at)) for at, module in enumerate(modules)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _quietly() -> Iterator[None]:
    """Compute without gradients and on one thread: small batches gain nothing from more."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(threads)
