"""What a network of images or sequences predicts when a person takes some of its patches, steps or words away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.explanations.what_if import otherwise
from nas_core.interpretability.cells import absent_rows, mixtures

__all__ = ["FewestCells", "fewest_cells", "occluded"]

MOST_CELLS = 12


def occluded(candidate: SignalCandidate, row: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Return what is predicted (n, C) for one raw row with sets of cells taken away, ``absent`` (n, P) True where gone.

    A patch or step that is taken away holds its mean over the training rows; a word is cut out of the text, as padding.

    Costs: n predictions.

    Raises:
        ExplanationError: The sets are not over the P cells of the signal.
    """
    import torch

    from nas_core.training.device import one_thread

    absent = np.asarray(absent, bool)
    P = candidate.problem.P
    if absent.ndim != 2 or absent.shape[1] != P:
        raise ExplanationError(f"Sets of cells of the shape {absent.shape}", allowed=f"(n, {P})",
                               fix="say of each cell whether it is taken away")  # fmt: skip
    encoded = candidate.encode(np.asarray(row)[None])
    mixed = mixtures(encoded, absent_rows(candidate.problem, encoded), ~absent, candidate.owner)
    with torch.inference_mode(), one_thread():
        return candidate.run(torch.from_numpy(np.ascontiguousarray(mixed, np.float32))).numpy()


@dataclass(frozen=True, eq=False)
class FewestCells:
    """Cells whose absence changes the prediction.

    Attributes:
        cells: Which, in the order in which they were taken away.
        outputs: (C,) what is predicted without them.
        reached: Whether that is another prediction.
    """

    cells: tuple[int, ...]
    outputs: np.ndarray
    reached: bool


def fewest_cells(
    candidate: SignalCandidate, row: np.ndarray, *, most: int = MOST_CELLS, keep: Collection[int] = ()
) -> FewestCells:
    """Return few cells whose absence leads to another prediction, found greedily; cells not needed are given back.

    Source: Martens & Provost (2014): evidence counterfactuals.
    Costs: ``most`` · P predictions.

    Args:
        candidate: The network.
        row: A raw row.
        most: Cells at most.
        keep: Cells that stay.
    """
    P = candidate.problem.P
    gone = np.zeros(P, bool)
    reference = occluded(candidate, row, gone[None])[0]
    order: list[int] = []
    score = float(otherwise(candidate.problem, reference, reference[None])[0])
    while score <= 0 and len(order) < most:
        free = [j for j in candidate.used if not gone[j] and j not in keep]
        if not free:
            break
        sets = np.repeat(gone[None], len(free), axis=0)
        sets[np.arange(len(free)), free] = True
        scores = otherwise(candidate.problem, reference, occluded(candidate, row, sets))
        at = int(np.argmax(scores))
        if scores[at] <= score + 1e-12:
            break
        gone, score = sets[at], float(scores[at])
        order.append(free[at])
    if score > 0:
        order = _needed(candidate, row, reference, order)
    gone = np.isin(np.arange(P), order)
    outputs = occluded(candidate, row, gone[None])
    return FewestCells(tuple(order), outputs[0], bool(otherwise(candidate.problem, reference, outputs)[0] > 0))


def _needed(candidate: SignalCandidate, row: np.ndarray, reference: np.ndarray, order: list[int]) -> list[int]:
    """Return the cells without those that can be given back one by one."""
    kept, again = list(order), True
    while again:
        again = False
        for j in kept:
            less = [i for i in kept if i != j]
            gone = np.isin(np.arange(candidate.problem.P), less)[None]
            if otherwise(candidate.problem, reference, occluded(candidate, row, gone))[0] > 0:
                kept, again = less, True
                break
    return kept
