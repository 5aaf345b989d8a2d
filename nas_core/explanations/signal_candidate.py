"""A trained network of images or sequences as a function of raw rows, rebuilt from its stored weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.candidate import checked_weights, names_of_outputs
from nas_core.interpretability.cells import column_owner
from nas_core.records import Architecture

if TYPE_CHECKING:
    from torch import Tensor

    from nas_core.data.problem import Problem
    from nas_core.data.signal import Signal
    from nas_core.spaces.family import SignalFamily, StructuralFacts
    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.space import SearchSpace

__all__ = ["SignalCandidate"]

# Numbers pushed through the network at once: its wider inner layers stay within some tens of megabytes.
NUMBERS = 400_000
# Operations of one prediction up to which float64 costs next to nothing; convolutions in it take three times as long.
SMALL = 100_000


class SignalCandidate:
    """A trained network on raw rows (N, columns) of images or sequences, NaN = padding.

    Outputs are logits, C columns for C classes and one for two classes; for regression they are in the unit of the
    target, after its transform where it has one. What is explained are the P cells of the signal. Small networks
    compute in float64, larger ones in float32.

    Args:
        problem: The problem it was trained on; its encoder turns raw values into what the network reads.
        space: The space it comes from.
        architecture: Its architecture.
        module: The trained network of that architecture, on the processor; nobody else uses it.
    """

    def __init__(self, problem: Problem, space: SearchSpace, architecture: Architecture, module: SignalNetwork) -> None:
        import torch

        if problem.dataset.signal is None:
            raise ExplanationError(
                f"{problem.dataset.name} is a table", allowed="images or sequences", fix="use TrainedCandidate"
            )
        self.problem, self.space, self.architecture = problem, space, architecture
        self.signal: Signal = problem.dataset.signal
        self.dtype = torch.float64 if self.facts.operations <= SMALL else torch.float32
        self.module = module.to(self.dtype).eval()

    @classmethod
    def rebuilt(
        cls, problem: Problem, space: SearchSpace, architecture: Architecture, weights: Mapping[str, np.ndarray]
    ) -> SignalCandidate:
        """Return the candidate from its stored weights, the state dict as arrays.

        Raises:
            ExplanationError: The weights do not belong to this architecture, or the problem is a table.
        """
        module = cast("SignalFamily", space.engine).module(space, architecture.values)
        module.load_state_dict(checked_weights(module, weights, architecture))
        return cls(problem, space, architecture, cast("SignalNetwork", module))

    @cached_property
    def facts(self) -> StructuralFacts:
        """What is known of its architecture."""
        from nas_core.spaces.family import facts

        return facts(self.space, self.architecture)

    @property
    def used(self) -> tuple[int, ...]:
        """The cells it reads, ascending."""
        return self.facts.used_features

    @property
    def outputs(self) -> int:
        """Number of outputs C."""
        return self.problem.C

    @property
    def output_names(self) -> tuple[str, ...]:
        """What each output is the logit of, or the name of the target."""
        return names_of_outputs(self.problem)

    @cached_property
    def owner(self) -> np.ndarray:
        """(D,) the cell of each encoded column."""
        return column_owner(self.problem)

    def checked(self, X: np.ndarray) -> np.ndarray:
        """Return the raw rows ``X`` (N, columns) as float32.

        Raises:
            ExplanationError: The rows do not have the columns of the signal.
        """
        X = np.asarray(X, np.float32)
        if X.ndim != 2 or X.shape[1] != self.signal.columns:
            raise ExplanationError(
                f"The rows have the shape {X.shape}",
                allowed=f"(N, {self.signal.columns}): {' × '.join(map(str, self.signal.shape))} numbers in a row",
                fix="pass raw rows, flattened in the order of the signal's shape",
            )
        return X

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Return what the network reads, (N, D) float32, of raw rows ``X`` (N, columns)."""
        X = self.checked(X)
        return self.problem.encode(X) if len(X) else np.zeros((0, self.problem.signal_encoder.D), np.float32)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs (N, C) float64 of raw rows ``X`` (N, columns)."""
        import torch

        from nas_core.training.device import one_thread

        with torch.inference_mode(), one_thread():
            return self.run(torch.from_numpy(self.encode(X))).numpy()

    def run(self, E: Tensor) -> Tensor:
        """Return the outputs (…, C) float64, in the unit of the target, of encoded rows (…, D)."""
        import torch

        rows = E.reshape(-1, E.shape[-1])
        parts = [self.module(self.shaped(part)).double() for part in rows.split(max(1, NUMBERS // E.shape[-1]))]
        found = torch.cat(parts) * self.problem.target_sd + self.problem.target_mean
        return found.reshape(*E.shape[:-1], self.outputs)

    def shaped(self, E: Tensor) -> Tensor:
        """Return encoded rows (n, D) as the network takes them."""
        return E.to(self.dtype).reshape(-1, *self.problem.signal_encoder.shape)
