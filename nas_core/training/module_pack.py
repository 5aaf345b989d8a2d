"""A trained pack of signal networks: each a module of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.data.signal import Signal
from nas_core.errors import ExplanationError
from nas_core.spaces.layers import SignalNetwork
from nas_core.training.signal_rows import shaped

__all__ = ["ModulePack"]

CHUNK_NUMBERS = 8_000_000  # numbers in the largest map of a chunk: 32 MB


class ModulePack:
    """K trained networks that read images or sequences.

    Args:
        networks: The K networks; None where one could not be built.
        signal: How the rows lie.
        outputs: C.
        device: Where the networks are.
    """

    def __init__(
        self, networks: Sequence[SignalNetwork | None], signal: Signal, outputs: int, device: torch.device
    ) -> None:
        self.networks, self.signal, self.outputs, self.device = list(networks), signal, outputs, device

    @property
    def K(self) -> int:  # noqa: N802 - the letters are declared in nas_core.records
        """Number of candidates."""
        return len(self.networks)

    def module(self, k: int) -> SignalNetwork:
        """Return candidate ``k`` in eval mode; everybody shares it, so leave no hooks behind.

        Raises:
            ExplanationError: It could not be built.
        """
        network = self.networks[k]
        if network is None:
            raise ExplanationError(f"Candidate {k} of the pack could not be built", fix="look at its outcome")
        return network

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (K, n, C), logits or standardised regression outputs, of the encoded rows (n, D).

        Rows go through a network in chunks whose largest map holds 32 MB, so memory is bounded for any network and any
        n. A network that could not be built gives NaN.
        """
        x = shaped(np.asarray(E), self.signal, self.device)
        found = np.full((self.K, len(x), self.outputs), np.nan, dtype=np.float32)
        for k, network in enumerate(self.networks):
            if network is not None and len(x):
                self._fill(found[k], network, x)
        return found

    def _fill(self, found: np.ndarray, network: SignalNetwork, x: Tensor) -> None:
        with torch.inference_mode():
            size = max(1, CHUNK_NUMBERS // largest_map(network, x[:1]))
            for start in range(0, len(x), size):
                found[start : start + size] = network(x[start : start + size]).cpu().numpy()

    def weights(self, k: int) -> dict[str, np.ndarray]:
        """Return the state dict of candidate ``k`` as contiguous arrays, statistics of normalisation included."""
        return {name: values.numpy() for name, values in self.state_dict(k).items()}

    def state_dict(self, k: int) -> dict[str, Tensor]:
        """Return a copy of the state dict of candidate ``k``; empty when it could not be built."""
        network = self.networks[k]
        if network is None:
            return {}
        plain = torch.contiguous_format
        return {n: v.detach().cpu().clone(memory_format=plain) for n, v in network.state_dict().items()}


def largest_map(network: nn.Module, x: Tensor) -> int:
    """Return how many numbers the largest output of any submodule has for one row ``x`` (1, *shape)."""
    sizes = [math.prod(x.shape)]

    def note(_module: nn.Module, _given: object, output: object) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel())

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    try:
        network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return max(sizes)
