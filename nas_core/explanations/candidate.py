"""A trained candidate as a function of raw feature values, rebuilt from its architecture and its stored weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.records import Architecture

if TYPE_CHECKING:
    import torch

    from nas_core.data.encoder import Encoder
    from nas_core.data.problem import Problem
    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.tabular.module import FeatureGroupNetwork

__all__ = ["FeatureGroup", "TrainedCandidate", "checked_weights", "names_of_outputs"]

# Rows pushed through a network at once, so that wide hidden layers stay within some tens of megabytes.
CHUNK = 32_768


@dataclass(frozen=True)
class FeatureGroup:
    """One group of a candidate: its features (ascending), and whether it is a weighted sum of their encoded columns."""

    index: int
    features: tuple[int, ...]
    linear: bool


class _OwnColumns:
    """The columns of a candidate's own encoding and features, side by side: a small bank instead of the whole one."""

    def __init__(self, encoder: Encoder, encoding: str, features: Sequence[int]) -> None:
        whole = [np.asarray(encoder.columns(encoding, j)) for j in features]
        starts = np.concatenate(([0], np.cumsum([len(c) for c in whole]))).astype(np.int64)
        self.spans = {j: np.arange(starts[i], starts[i + 1]) for i, j in enumerate(features)}
        self.width = int(starts[-1])
        self.monotone = encoder.monotone[np.concatenate(whole)] if whole else np.zeros(0, bool)

    def columns(self, encoding: str, feature: int, /) -> np.ndarray:
        return self.spans[feature]


def names_of_outputs(problem: Problem) -> tuple[str, ...]:
    """Return what each of the C outputs is the logit of, or the name of the target (with its transform)."""
    dataset = problem.dataset
    if dataset.task == "regression":
        return (problem.output_name,)
    return tuple(dataset.classes[1:]) if problem.C == 1 else tuple(dataset.classes)


def checked_weights(
    module: torch.nn.Module, weights: Mapping[str, np.ndarray], architecture: Architecture
) -> dict[str, torch.Tensor]:
    """Return stored ``weights`` as the state dict of ``module``.

    Raises:
        ExplanationError: The weights do not belong to this architecture.
    """
    import torch

    own = module.state_dict()
    state = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
    wrong = sorted(set(own) ^ set(state)) or [n for n, v in own.items() if v.shape != state[n].shape]
    if wrong:
        raise ExplanationError(
            f"The weights do not fit the architecture {architecture.id}: {wrong[0]!r} differs",
            allowed="the weights stored with this candidate",
            fix="evaluate the candidate again",
        )
    return state


class TrainedCandidate:
    """f(x) = b + Σ_g f_g(x_g) of one candidate, on raw rows (N, P) where NaN means missing.

    Outputs are logits, C columns for C classes and one for two classes; for regression they are in the unit of the
    target. Computation is in float64, so that sums of attributions are exact to rounding.

    Args:
        problem: The problem it was trained on; its encoder turns raw values into columns.
        space: The space it comes from.
        architecture: Its architecture.
        weights: Its state dict as arrays.

    Raises:
        ExplanationError: The weights do not belong to this architecture.
    """

    def __init__(
        self, problem: Problem, space: SearchSpace, architecture: Architecture, weights: Mapping[str, np.ndarray]
    ) -> None:
        self.problem, self.space, self.architecture = problem, space, architecture
        self.groups: tuple[FeatureGroup, ...] = tuple(
            FeatureGroup(i, tuple(g["features"]), bool(g["linear"]))
            for i, g in enumerate(architecture.values["groups"])
        )
        self.used: tuple[int, ...] = tuple(sorted(j for g in self.groups for j in g.features))
        self._columns = _OwnColumns(problem.encoder, architecture.values["encoding"], self.used)
        self.module = self._rebuilt(weights)

    def _rebuilt(self, weights: Mapping[str, np.ndarray]) -> FeatureGroupNetwork:
        """Return the network with these weights, in float64, ready to predict."""
        module = self.untrained()
        module.load_state_dict(checked_weights(module, weights, self.architecture))
        return module

    def untrained(self, seed: int = 0) -> FeatureGroupNetwork:
        """Return a network of this architecture with the initial weights of ``seed``, in float64, on :meth:`bank`."""
        from nas_core.spaces.tabular.module import build

        return build(self.architecture, self._columns, self.problem.C, seed=seed).double().eval()

    @property
    def outputs(self) -> int:
        """Number of outputs C."""
        return self.problem.C

    @property
    def output_names(self) -> tuple[str, ...]:
        """What each output is the logit of, or the name of the target."""
        return names_of_outputs(self.problem)

    @cached_property
    def intercept(self) -> np.ndarray:
        """(C,) b, the part of the output that no group holds."""
        return self.module.bias.detach().numpy() * self.problem.target_sd + self.problem.target_mean

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs (N, C) of raw rows ``X`` (N, P)."""
        return self.predict_bank(self.bank(X))

    def group_effects(self, X: np.ndarray) -> np.ndarray:
        """Return each group's contribution (N, G, C) for raw rows ``X``; with the intercept they sum to the output."""
        bank = self.bank(X)
        effects = [self.group_effect(g, bank) for g in range(len(self.groups))]
        return np.stack(effects, axis=1) if effects else np.zeros((len(bank), 0, self.outputs))

    def checked(self, X: np.ndarray) -> np.ndarray:
        """Return the raw rows ``X`` (N, P) as float64.

        Raises:
            ExplanationError: The rows do not have the P features of the problem.
        """
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != self.problem.P:
            raise ExplanationError(
                f"The rows have the shape {X.shape}",
                allowed=f"(N, {self.problem.P}): one column per feature of the data",
                fix="pass raw rows in the order of the data's features",
            )
        return X

    def bank(self, X: np.ndarray) -> np.ndarray:
        """Return the encoded columns (N, d) float64 of the features this candidate uses, of raw rows ``X`` (N, P)."""
        X = self.checked(X)
        return self.encode({j: X[:, j] for j in self.used}, len(X))

    def encode(self, values: Mapping[int, np.ndarray], rows: int) -> np.ndarray:
        """Return a bank (rows, d) with the columns of the given features filled: feature → raw values (rows,)."""
        bank = np.zeros((rows, self._columns.width))
        encoding = self.architecture.values["encoding"]
        for j, x in values.items():
            bank[:, self.span(j)] = self.problem.encoder.transform_feature(j, x, encoding)[1]
        return bank

    def span(self, feature: int) -> slice:
        """Return the columns of a used feature in :meth:`bank`."""
        span = self._columns.spans[feature]
        return slice(int(span[0]), int(span[-1]) + 1)

    def predict_bank(self, bank: np.ndarray) -> np.ndarray:
        """Return the outputs (N, C) of encoded rows ``bank`` (N, d)."""
        return self._run(self.module, bank) * self.problem.target_sd + self.problem.target_mean

    def group_effect(self, group: int, bank: np.ndarray) -> np.ndarray:
        """Return the contribution (N, C) of one group for encoded rows; only that group's columns matter."""
        return self._run(self.module.groups[group], bank) * self.problem.target_sd

    def _run(self, module: torch.nn.Module, bank: np.ndarray) -> np.ndarray:
        import torch

        from nas_core.training.device import one_thread

        with torch.inference_mode(), one_thread():
            parts = [module(torch.from_numpy(bank[a : a + CHUNK])).numpy() for a in range(0, max(len(bank), 1), CHUNK)]
        return np.concatenate(parts)
