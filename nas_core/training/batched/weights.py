"""The weights of a pack of networks: one flat vector, and the parameters of its steps put together from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.layers import SignalNetwork
from nas_core.training.plan import run_length

__all__ = ["Block", "PackWeights", "parameter_runs"]

STATISTICS = ("running_mean", "running_var")


def parameter_runs(network: nn.Module) -> dict[str, tuple[int, int]]:
    """Return where in the vector of a network each parameter lies: (start, stop) by name."""
    found, start = {}, 0
    for name, parameter in network.named_parameters():
        found[name] = (start, start + parameter.numel())
        start += parameter.numel()
    return found


@dataclass(frozen=True)
class Block:
    """A parameter of a step: its shape in memory, and where it begins in the vector of all steps."""

    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape))


class PackWeights:
    """The weights and running statistics of K networks.

    Steps first say what they have (:meth:`add`, :meth:`add_statistics`), then :meth:`close` makes the tables.

    Args:
        networks: The networks; only read.
        device: Where.

    Attributes:
        starts: Where each network begins in the flat vector of weights (T,).
        runs: How much of it each takes, a multiple of ``nas_core.training.plan.LANES``.
        statistics: (2, all of them) running means and variances.
    """

    statistics: Tensor

    def __init__(self, networks: Sequence[SignalNetwork], device: torch.device) -> None:
        self._networks, self._device = networks, device
        self._places = [parameter_runs(network) for network in networks]
        self.runs = [run_length(max(stop for _, stop in of.values())) for of in self._places]
        self.starts = np.cumsum([0, *self.runs])[:-1].tolist()
        self._parameters, self._statistics = _Blocks(sum(self.runs)), _Blocks(0)
        self._steps: list[list[Block]] = []
        self._where: list[dict[str, np.ndarray]] = [{} for _ in networks]  # of the statistics, by their names
        self._zero = torch.zeros(1, device=device)

    def add(self, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
        """Add the parameters of the next step, zeros; return their places, to be set to those of the networks."""
        self._steps.append([self._parameters.add(shape) for shape in shapes])
        return [self._parameters.view(block) for block in self._steps[-1]]

    def places(self, k: int, name: str) -> np.ndarray | None:
        """Return where the numbers of a parameter lie in the flat vector, in its shape; None where there is none."""
        if name not in self._places[k]:
            return None
        shape = self._networks[k].get_parameter(name).shape
        first, stop = self._places[k][name]
        return (self.starts[k] + np.arange(first, stop)).reshape(shape)

    def add_statistics(self, width: int) -> Block:
        """Make room for the running statistics of a step."""
        return self._statistics.add((width,))

    def name_statistics(self, k: int, place: str, at: np.ndarray) -> None:
        """Say where the running statistics of a layer lie."""
        self._where[k] |= {f"{place}.{name}": at for name in STATISTICS}

    def close(self) -> None:
        """Make what is needed to compute, once all steps have been added."""
        self._spread = torch.from_numpy(self._parameters.spread()).to(self._device)
        self._gathered = torch.from_numpy(self._parameters.gathered()).to(self._device)
        self.statistics = torch.zeros(2, self._statistics.size, device=self._device)
        self.statistics[1] = 1.0

    def flat(self) -> Tensor:
        """Return the weights (T,) that the networks have now."""
        vector = torch.zeros(sum(self.runs))
        for network, start, places in zip(self._networks, self.starts, self._places):
            for name, (first, stop) in places.items():
                values = network.get_parameter(name).detach().cpu().contiguous()
                vector[start + first : start + stop] = values.reshape(-1)
        return vector.to(self._device)

    def statistics_of(self, k: int) -> dict[str, Tensor]:
        """Return a copy of the running statistics of a network by their names."""
        return {
            name: self.statistics[STATISTICS.index(name.rpartition(".")[2]), torch.from_numpy(at).to(self._device)]
            for name, at in self._where[k].items()
        }

    def load_statistics(self, k: int, values: dict[str, Tensor]) -> None:
        """Set the running statistics of a network."""
        for name, at in self._where[k].items():
            row = STATISTICS.index(name.rpartition(".")[2])
            self.statistics[row, torch.from_numpy(at).to(self._device)] = values[name].to(self._device)

    def spread(self, flat: Tensor) -> list[list[Tensor]]:
        """Return the parameters of all steps from the flat vector, ready for the pack's ``forward``."""
        every = torch.cat([flat, self._zero]).index_select(0, self._spread)
        return [[every[b.start : b.stop].view(b.shape).requires_grad_() for b in blocks] for blocks in self._steps]

    def gradient(self, objective: Tensor, parameters: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the gradient (T,) of a sum over the networks with respect to the flat vector."""
        found = torch.autograd.grad(objective, [p for own in parameters for p in own])
        every = torch.cat([*(g.reshape(-1) for g in found), self._zero])
        return every.index_select(0, self._gathered)


class _Blocks:
    """A vector put together from blocks, and for each of its numbers which of another vector (total,) it is."""

    def __init__(self, total: int) -> None:
        self._total, self.size = total, 0
        self._indices: list[np.ndarray] = []
        self._starts: dict[int, np.ndarray] = {}

    def add(self, shape: tuple[int, ...]) -> Block:
        """Add a block of zeros."""
        block = Block(shape, self.size)
        self._indices.append(np.full(shape, self._total))
        self._starts[block.start] = self._indices[-1]
        self.size = block.stop
        return block

    def view(self, block: Block) -> np.ndarray:
        """Return the indices of a block, to be set."""
        return self._starts[block.start]

    def spread(self) -> np.ndarray:
        """Return for each number of the blocks its place in the other vector, ``total`` where it is a zero."""
        return np.concatenate([i.ravel() for i in self._indices]) if self._indices else np.zeros(0, dtype=np.int64)

    def gathered(self) -> np.ndarray:
        """Return for each number of the other vector its place in the blocks, their size where it has none."""
        spread = self.spread()
        found = np.full(self._total + 1, self.size)
        found[spread] = np.arange(len(spread))
        return found[:-1]
