"""How much a shape function owes to the rows it was learned from and to its seed: the network trained again, together.

The band of a curve over the rows that it averages holds the network as it is. Here the network itself is learned again:
R refits of the same architecture, each with another seed and with the training rows drawn again, trained as one pack.
Letters: R refits, n training rows, M values of a feature, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.curves import CurveMethod, effect_curve
from nas_core.explanations.moves import checked_table
from nas_core.records import derive_seed

if TYPE_CHECKING:
    from nas_core.training.progress import PackProgress, StopSignal

__all__ = ["FEWEST", "REFITS", "Refits", "ShapeBand", "bootstrap_counts", "refit", "shape_band", "student_band"]

REFITS = 12
FEWEST = 4
"""Refits below which a standard deviation says too little."""


@dataclass(frozen=True, eq=False)
class Refits:
    """One architecture, trained again.

    Attributes:
        candidate: The network that is explained.
        networks: (R,) the same architecture with what each refit learned.
        lost: Why a refit is missing, one reason each.
        seconds: Wall time of the training.
    """

    candidate: TrainedCandidate
    networks: tuple[TrainedCandidate, ...]
    lost: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class ShapeBand:
    """The curve of one feature with its pointwise 95 % band over refits, in logits or the unit of the target.

    Attributes:
        feature, name: Which feature.
        grid: (M,) raw values, increasing; category codes for a category.
        effect: (M, C) of the network that is explained, counted from its mean over the rows.
        curves: (R, M, C) of the refits, each counted from its own mean.
        low, high: (M, C) the band around ``effect``.
        missing: (2, C) the band of the effect of a missing value; None when the training rows have none.
    """

    feature: int
    name: str
    grid: np.ndarray
    effect: np.ndarray
    curves: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray | None

    @property
    def width(self) -> float:
        """Half the width of the band: its mean over the values and outputs."""
        return float((self.high - self.low).mean() / 2) if self.low.size else 0.0


def bootstrap_counts(rows: int, repeats: int, *, seed: int) -> np.ndarray:
    """Return how often each of ``rows`` is drawn in each of ``repeats`` bootstrap samples, (repeats, rows) float32.

    A sample is ``rows`` draws with replacement, so each line sums to ``rows``.
    """
    draws = [np.random.default_rng(derive_seed("refit rows", seed, r)) for r in range(repeats)]
    return np.stack([rng.multinomial(rows, np.full(rows, 1 / rows)) for rng in draws]).astype(np.float32)


def refit(
    candidate: Candidate,
    *,
    seed: int = 0,
    repeats: int = REFITS,
    stop: StopSignal | None = None,
    on_epoch: Callable[[PackProgress], None] | None = None,
    device: str = "auto",
) -> Refits | None:
    """Return ``repeats`` refits of a candidate of a table, trained in one pack; None when it was stopped.

    Each has its own initial weights and its own bootstrap sample of the training rows: a row counts in the loss as
    often as it was drawn. Encoder, recipe and the validation rows of the early stop are those of the search, and every
    refit starts from its seed, also where the candidate had inherited weights. Test rows are not read.

    Source: Efron (1979), Annals of Statistics 7, for the bootstrap of the rows.
    Differs: the order of the batches is that of the search for all refits.
    Costs: one training of a pack of ``repeats`` networks of the same size.

    Raises:
        ExplanationError: The candidate does not read a table, or fewer than four refits could be trained.
        SettingsError: The device does not exist.
    """
    from nas_core.training.fit import train_pack
    from nas_core.training.progress import PackItem

    table = checked_table(candidate, "Refits")
    counts = bootstrap_counts(len(table.problem.train), repeats, seed=seed)
    seeds = [derive_seed("refit", seed, table.architecture.id, r) for r in range(repeats)]
    items = [PackItem(table.architecture, s, row_weights=c) for s, c in zip(seeds, counts, strict=True)]
    found = train_pack(table.problem, table.space, items, stop=stop, on_epoch=on_epoch, device=device)
    if stop is not None and stop.is_set():
        return None
    good = [r for r, outcome in enumerate(found.outcomes) if outcome.status == "done"]
    lost = tuple(o.reason for o in found.outcomes if o.status != "done")
    if len(good) < min(FEWEST, repeats):
        raise ExplanationError(
            f"Only {len(good)} of {repeats} refits could be trained: {lost[0]}",
            allowed=f"at least {FEWEST} refits that finish",
            fix="look at a candidate with a smaller learning rate",
        )
    networks = tuple(
        TrainedCandidate(table.problem, table.space, table.architecture, found.pack.weights(r)) for r in good
    )
    return Refits(table, networks, lost, found.seconds)


def shape_band(
    refits: Refits, feature: int, method: CurveMethod = "ale", X: np.ndarray | None = None, *, points: int = 40
) -> ShapeBand:
    """Return the curve of one feature with its pointwise 95 % band over refits.

    The curve is that of :func:`~nas_core.explanations.effect_curve`, which is the exact shape function of a feature
    that is alone in its group; each refit has its own on the same values over the same rows. The band is the curve of
    the network ± t · s, where s is the standard deviation of the refits at a value and t the 97.5 % point of Student's
    distribution with R − 1 degrees of freedom, since s comes from R numbers.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 12 (standard intervals with Student's t).
    Differs: seeds vary together with the rows. It is pointwise: that a whole curve lies inside is less likely than
        95 %. What all refits get wrong alike (too small a network, an early stop) is not in it.

    Args:
        refits: The network and its refits.
        feature: Which one, 0 … P−1.
        method: "ale" or "pdp", the same where the feature is alone in its group.
        X: Raw rows (N, P) to average over; those of ``effect_curve`` when None.
        points: Most values on the grid.

    Raises:
        SettingsError: There is no such feature or method.
    """
    own = effect_curve(refits.candidate, feature, method, X, points=points)
    others = [effect_curve(network, feature, method, X, points=points) for network in refits.networks]
    curves = np.stack([c.effect for c in others])
    low, high = student_band(own.effect, curves)
    missing = None
    if own.missing is not None:
        missing = np.stack(student_band(own.missing, np.stack([_missing(c.missing, own.missing) for c in others])))
    return ShapeBand(feature, own.name, own.grid, own.effect, curves, low, high, missing)


def student_band(centre: np.ndarray, refits: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % band (…) around ``centre`` (…) of values that R ≥ 2 refits (R, …) give."""
    from scipy.stats import t

    values = np.asarray(refits)
    half = float(t.ppf(0.975, len(values) - 1)) * values.std(0, ddof=1)
    return centre - half, centre + half


def _missing(found: np.ndarray | None, own: np.ndarray) -> np.ndarray:
    return np.zeros_like(own) if found is None else found
