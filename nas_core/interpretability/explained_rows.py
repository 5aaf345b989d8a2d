"""Held-out rows of one candidate explained by gradients: what the measures of explanations look at."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nas_core.interpretability.base import MeasureContext, NetworkPack, WeightedPack, measured_rows, needs_training
from nas_core.interpretability.budget import affordable
from nas_core.interpretability.gradients import (
    Network,
    by_owner,
    deep_lift,
    flat_network,
    gradient_shap,
    integrated_gradients,
)
from nas_core.records import Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["ExplainedRows", "affordable_rows", "can_be_differentiated", "small_changes"]

# Baseline rows; points on the line from baseline to row. On trained networks of breast_cancer, four times the points
# change a score by 0.002 at most, four times the baselines by 0.005 on average and 0.04 at most.
BACKGROUND, NODES = 32, 16
# A gradient costs about as much as three predictions.
GRADIENT = 3
# Standard deviations of a small change.
SMALL = 0.05


def can_be_differentiated(context: MeasureContext) -> Verdict:
    """Return whether the trained networks have gradients with respect to what they read, and why not."""
    if context.signal is not None and context.signal.vocabulary:
        return Verdict(ok=False, reason="words are looked up in a table, so the output has no gradient in them")
    verdict = needs_training(context)
    if verdict.ok and not isinstance(context.model, WeightedPack if context.signal is None else NetworkPack):
        return Verdict(ok=False, reason="it needs gradients, and of these models there are predictions only")
    return verdict


def affordable_rows(context: MeasureContext, k: int, gradients: int, share: float, fewest: int, most: int) -> int:
    """Return on how many rows candidate ``k`` is measured at so many gradients each: all on tables, whose cost is low.

    For signals it is what ``share`` of the training pays for, within ``fewest`` and ``most``.
    """
    if context.signal is None:
        return most
    forwards = affordable(context.known_problem, context.facts[k].operations, share)
    return int(np.clip(forwards // (GRADIENT * gradients), fewest, most))


class ExplainedRows:
    """The first ``count`` measured rows of candidate ``k`` and their attributions by three methods.

    What is explained is the logit of the class predicted for a row, or the regression output. Integrated gradients and
    DeepLIFT count from the mean of 32 encoded training rows, GradientSHAP from each of them: so all three agree on a
    network that is linear in its encoded columns. In padded series the baselines have the padding of the row.

    Attributes:
        network: Encoded columns (m, d) to outputs (m, C).
        E: (n, d) the encoded rows.
        outputs: (n,) which output is explained.
    """

    def __init__(self, context: MeasureContext, k: int, count: int) -> None:
        problem = context.known_problem
        self._context, self._k = context, k
        self.at = measured_rows(problem, count)
        self.network, columns = _network(context, k)
        self.E = np.asarray(problem.valid.E[self.at][:, columns], float)
        self._owner = context.owner[columns]
        some = measured_rows(problem, BACKGROUND, "train")
        self._background = _with_padding(problem, np.asarray(problem.train.E[some][:, columns], float), self.E)
        self.outputs = self.predicted(self.E)

    def predicted(self, E: np.ndarray) -> np.ndarray:
        """Return which output is the largest for encoded rows (m, d): 0 where there is one."""
        values = self._values(E)
        return values.argmax(1) if values.shape[1] > 1 else np.zeros(len(values), np.int64)

    def classes(self, E: np.ndarray) -> np.ndarray:
        """Return the class (m,) predicted for encoded rows (m, d); 0 for all in a regression."""
        values = self._values(E)
        if values.shape[1] > 1:
            return values.argmax(1)
        regression = self._context.known_problem.task == "regression"
        return np.zeros(len(values), np.int64) if regression else (values[:, 0] > 0).astype(np.int64)

    @property
    def integrated(self) -> np.ndarray:
        """(n, P) integrated gradients; measures of a context share them."""
        name = ("integrated gradients", self._k)
        known = self._context.kept.get(name)
        if known is None or len(known) < len(self.E):
            known = self._context.kept[name] = self.integrated_at(self.E)
        return known[: len(self.E)]

    def integrated_at(self, E: np.ndarray) -> np.ndarray:
        """Return the integrated gradients (m, P) of other encoded rows, m / n for each row, that lie together."""
        times = len(E) // max(1, len(self.E))
        base = self._base if self._base.ndim == 2 else np.repeat(self._base, times, axis=0)
        return self._summed(integrated_gradients(self.network, E, base, np.repeat(self.outputs, times), NODES))

    @property
    def by_all_methods(self) -> tuple[np.ndarray, ...]:
        """Integrated gradients, GradientSHAP and DeepLIFT, (n, P) each."""
        seed = derive_seed("gradient shap", self._context.known_problem.spec.split_seed)
        sampled = gradient_shap(self.network, self.E, self._background, self.outputs, BACKGROUND, seed=seed)
        lifted = deep_lift(self.network, self.E, self._base, self.outputs, NODES)
        return self.integrated, self._summed(sampled), self._summed(lifted)

    @cached_property
    def _base(self) -> np.ndarray:
        """(1, d) or (n, 1, d) the mean of the background."""
        return self._background.mean(-2, keepdims=True)

    def _summed(self, values: np.ndarray) -> np.ndarray:
        return by_owner(values, self._owner, self._context.features)

    def _values(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (m, C) of encoded rows (m, d)."""
        if self._context.signal is not None:
            return self._context.outputs(self._k, E)
        import torch

        with torch.no_grad():
            return np.asarray(self.network(torch.from_numpy(E)).numpy())


def small_changes(context: MeasureContext, rows: ExplainedRows, k: int, draws: int) -> np.ndarray:
    """Return (n·draws, d) encoded rows with δ ~ N(0, (0.05 sd)²) added, the draws of a row lying together.

    In tables every number gets a change of its raw value, sd being that of the training rows; categories, for which
    there is no small change, and what is missing stay. In signals every encoded number gets one, whose sd is 1 in the
    training rows; padding stays. A row has the same changes however many rows there are.
    """
    problem = context.known_problem
    rng = np.random.default_rng(derive_seed("small changes", problem.spec.split_seed))
    n = len(rows.E)
    if context.signal is not None:
        noise = SMALL * rng.normal(size=(n, draws, rows.E.shape[1]))
        if context.signal.padded:
            present = _present(problem, rows.E)
            noise *= np.concatenate([np.tile(present, context.signal.channels), 0 * present], axis=1)[:, None]
        return (rows.E[:, None] + noise).reshape(n * draws, -1)
    sd = np.asarray(problem.train.X, float).std(0)
    sd[[f.kind == "categorical" for f in problem.dataset.features]] = 0.0
    raw = np.asarray(problem.valid.raw[rows.at], float)
    changed = (raw[:, None] + SMALL * sd * rng.normal(size=(n, draws, raw.shape[1]))).reshape(n * draws, -1)
    encoding = context.architectures[k].values["encoding"]
    parts = [problem.encoder.transform_feature(j, changed[:, j], encoding)[1] for j in context.facts[k].used_features]
    return np.concatenate([np.zeros((n * draws, 0)), *parts], axis=1)


def _network(context: MeasureContext, k: int) -> tuple[Network, np.ndarray]:
    """Return a candidate as a function of encoded columns, and which columns of the bank those are."""
    if context.signal is None:
        return context.table_network(k)
    shape = context.known_problem.signal_encoder.shape
    return flat_network(context.network(k), shape), np.arange(int(np.prod(shape)))


def _with_padding(problem: Problem, background: np.ndarray, E: np.ndarray) -> np.ndarray:
    """Return the background (B, d), or (n, B, d) with the padding of each row where series are padded.

    Nothing flows back through where a series ends, so row and baseline must end at the same place.
    """
    signal = problem.dataset.signal
    if signal is None or not signal.padded:
        return background
    present = _present(problem, E)[:, None]
    values = background[:, : -present.shape[-1]] * np.tile(present, signal.channels)
    return np.concatenate([values, np.broadcast_to(present, (*values.shape[:2], present.shape[-1]))], axis=-1)


def _present(problem: Problem, E: np.ndarray) -> np.ndarray:
    """Return (n, steps): 1 where an encoded padded series has a step."""
    signal = problem.dataset.signal
    assert signal is not None
    return E[:, -(signal.columns // signal.channels) :]
