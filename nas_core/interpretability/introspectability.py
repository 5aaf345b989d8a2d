"""How differently the layers of a network respond to the classes."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from nas_core.interpretability.base import (
    Advice,
    Measure,
    MeasureContext,
    MeasuredCandidate,
    exact,
    measured_rows,
    needs_training,
)
from nas_core.interpretability.budget import affordable
from nas_core.records import Measurement, Verdict

__all__ = ["Introspectability", "class_distance"]

FEWEST, MOST, SHARE = 32, 512, 0.04
# Parts of the rows that are left out in turn for the interval; fewer where there are many classes.
FOLDS, MANY = 5, 20


class Introspectability(Measure):
    """How well the layers keep the classes apart: mean cosine distance of the classes' mean activations.

    In every layer the activations of held-out rows are averaged by true class; the score is the mean over layers of the
    mean over pairs of classes of 1 − cosine of two such means, cut to [0, 1]. A layer that responds to every class
    alike has 0, and so have rows of one class. The labels are the true ones, so that a network that predicts a single
    class has a number too.

    The interval is value ± 1.96 standard errors from leaving out one of 5 parts of the rows.

    Source: Carmichael, Moon & Jacobs (2021), arXiv 2112.08645.
    Costs: one prediction of at most 512 held-out rows, 4 % of the training.
    """

    name, label, family = "introspectability", "Layers tell classes apart", "explanation"
    settings = MappingProxyType({"rows": MOST, "parts left out": FOLDS})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained signal networks and two classes or more."""
        if context.signal is None:
            return Verdict(
                ok=False, reason="tables are read by separate networks per group, which have no common layers"
            )
        verdict = needs_training(context)
        if not verdict.ok or context.problem is None:
            return verdict
        dataset = context.problem.dataset
        if dataset.task == "regression":
            return Verdict(ok=False, reason="it compares classes, and a regression has none")
        if len(dataset.classes) < 2:
            return Verdict(ok=False, reason="it compares classes, and there is only one")
        return verdict

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the mean distance within [0, 1] with its interval; raw = before it is cut."""
        return [_measured(context, k) for k in range(len(context.facts))]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the mean distance, and what makes layers respond to fewer classes each."""
        value = candidate.measurement.value
        if value is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        state = f"The mean activations of two classes have a cosine distance of {value:.2f}, averaged over the layers."
        if value >= 1:
            return Advice(state)
        change = "Use fewer layers before the classes part, or activations that are 0 for much of their input (ReLU)."
        return Advice(state, change)


def class_distance(means: np.ndarray) -> float:
    """Return the mean over pairs of 1 − cosine of the ``means`` (classes, units); 0 for fewer than two.

    The cosine with a mean that is 0 everywhere is 0, and two such means are alike.
    """
    return float(_class_distances(means[None])[0])


def _class_distances(means: np.ndarray) -> np.ndarray:
    """Return the distances (B,) of class means (B, classes, units)."""
    k = means.shape[1]
    if k < 2:
        return np.zeros(len(means))
    lengths = np.linalg.norm(means, axis=2)
    silent = lengths == 0
    units = means / np.where(silent, 1.0, lengths)[..., None]
    distance = np.clip(1 - units @ units.transpose(0, 2, 1), 0.0, 2.0)
    distance[silent[:, :, None] & silent[:, None]] = 0.0
    first, second = np.triu_indices(k, 1)
    return np.asarray(distance[:, first, second].mean(1))


def _measured(context: MeasureContext, k: int) -> Measurement:
    """Return the introspectability of one signal network."""
    problem, network = context.known_problem, context.quick_network(k)
    if not network.module.layers:
        return Measurement(reason="it has no layer between the input and the output")
    forwards = affordable(problem, context.facts[k].operations, SHARE)
    at = measured_rows(problem, int(np.clip(forwards, FEWEST, MOST)))
    present, labels = np.unique(problem.valid.y[at], return_inverse=True)
    if len(present) < 2:
        return exact(0.0, 0.0)
    folds = FOLDS if len(present) <= MANY else 1
    parts = _parts(labels, folds)
    sums = network.layer_sums(problem.valid.E[at], labels * folds + parts, folds * len(present))
    if not all(np.isfinite(s).all() for s in sums):
        return Measurement(reason="its activations are not finite numbers")
    sums = [s.reshape(len(present), folds, -1) for s in sums]
    counts = np.stack([np.bincount(parts[labels == c], minlength=folds) for c in range(len(present))])
    whole, *left = _distances(sums, counts)
    raw = float(whole)
    value = min(1.0, raw)
    if folds == 1 or (counts.sum(1) < 2).any():
        return Measurement(value=value, raw=raw)
    error = 1.96 * float(np.sqrt((folds - 1) / folds * np.sum((np.array(left) - np.mean(left)) ** 2)))
    return Measurement(value=value, raw=raw, low=max(0.0, value - error), high=min(1.0, value + error))


def _parts(labels: np.ndarray, folds: int) -> np.ndarray:
    """Return the part (n,) of each row, so that the rows of every class are dealt out evenly."""
    parts = np.empty(len(labels), int)
    for c in np.unique(labels):
        rows = np.flatnonzero(labels == c)
        parts[rows] = np.arange(len(rows)) % folds
    return parts


def _distances(sums: list[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Return the mean class distance over layers, of all parts together and without each of them (1 + parts,).

    Args:
        sums: (classes, parts, units) of each layer.
        counts: (classes, parts).
    """
    kept = np.concatenate([np.ones((1, counts.shape[1])), 1 - np.eye(counts.shape[1])])
    total = np.maximum(1, kept @ counts.T)[..., None]
    return np.mean([_class_distances(np.einsum("bp,cpu->bcu", kept, s) / total) for s in sums], axis=0)
