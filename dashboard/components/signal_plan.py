"""Which rows of images or sequences are explained, and against how many others, so that the first answer comes soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.views.attributions import probabilities

if TYPE_CHECKING:
    from nas_core.explanations import Explainer, SignalCandidate

__all__ = ["SignalPlan", "affordable_rows", "signal_plan", "telling_rows"]

ROWS, ROWS_THOROUGH, ROWS_AT_ONCE = 12, 24, 60
FEWEST = 3
BACKGROUNDS = (16, 8, 4)
LOOKED_AT = 500
# Operations, about 9 per nanosecond, before the first answer; and what a prediction costs however small the network is.
QUICK, THOROUGH, OVERHEAD = 7_000_000_000, 30_000_000_000, 40_000


@dataclass(frozen=True)
class SignalPlan:
    """What is explained first.

    Attributes:
        rows: Positions in the validation part.
        background: Number of training rows that stand for absent cells.
        wanted, most: How many rows and training rows there are when nothing has to be saved.
    """

    rows: np.ndarray
    background: int
    wanted: int
    most: int


def signal_plan(candidate: SignalCandidate, explainer: Explainer[Any], *, thorough: bool) -> SignalPlan:
    """Return the rows and the background for the first answer of a method."""
    most = ROWS_THOROUGH if thorough else ROWS
    predictions = explainer.predictions(candidate)
    wanted = min(most if predictions else ROWS_AT_ONCE, len(candidate.problem.valid))
    one = candidate.facts.operations + OVERHEAD
    cost = predictions * one
    count, against = affordable_rows(cost, THOROUGH if thorough else QUICK, wanted)
    look = int(np.clip(QUICK / 4 / one, count, LOOKED_AT))
    return SignalPlan(telling_rows(candidate, count, look), against, wanted, BACKGROUNDS[0])


def affordable_rows(cost: int, budget: int, wanted: int) -> tuple[int, int]:
    """Return how many rows to explain, and against how many others, for operations per explained and other row.

    The background shrinks first, then the rows, to no fewer than three.
    """
    for against in BACKGROUNDS:
        affordable = budget // max(1, cost * against)
        if affordable >= wanted:
            return wanted, against
    return int(np.clip(affordable, min(FEWEST, wanted), wanted)), against


def telling_rows(candidate: SignalCandidate, count: int, look: int) -> np.ndarray:
    """Return ``count`` positions in the validation part, ascending, out of about ``look`` that are predicted.

    The most wrong, the least sure and the surest are among them, the rest is spread evenly.
    """
    valid = candidate.problem.valid
    at = np.unique(np.linspace(0, len(valid) - 1, min(look, len(valid))).astype(int))
    outputs = candidate.predict(valid.raw[at])
    if candidate.problem.task == "regression":
        scale = candidate.problem.target_scale
        error = np.abs((outputs[:, 0] - scale.mean) / scale.sd - valid.y[at])
        picks = [int(np.argmax(error)), int(np.argmin(error))]
    else:
        shares = probabilities(outputs)
        right = shares[np.arange(len(at)), valid.y[at].astype(int)]
        picks = [int(np.argmin(right)), int(np.argmin(shares.max(1))), int(np.argmax(right))]
    spread = np.linspace(0, len(at) - 1, count).astype(int).tolist()
    kept = list(dict.fromkeys([*picks, *spread]))[:count]
    return at[np.sort(kept)]
