"""Whether taking features away changes the output as their values say, more than random values would have it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.explanations.gates.base import Checked, Gate, evenly, skipped
from nas_core.explanations.gates.mixing import Mixer
from nas_core.records import derive_seed

__all__ = ["PERCENTILE", "Faithfulness", "faithfulness", "faithfulness_gate", "removal_sets"]

PERCENTILE = 95.0
"""Of the same statistic of random attributions; what lies below is not told from chance (MEASURES § 2)."""
DRAWS = 400  # random attributions
CERTAIN = 0.999  # a bar this high says that chance alone does as well as it gets: too few features and rows
ROWS, SETS, BACKGROUND = 10, 64, 100
FEWEST_ROWS, FEWEST_SETS = 3, 24
OPERATIONS = 2_000_000_000  # of all predictions together, some tenths of a second to seconds
FLAT = 1e-9  # changes of the output below this share of its size are rounding

NAME, LABEL = "faithfulness", "Faithful"


@dataclass(frozen=True)
class Faithfulness:
    """Faithfulness correlations of n rows, and of random attributions of the same rows.

    Attributes:
        correlations: (n,) of each row whose output changes at all.
        random: (DRAWS, n) the same of random values.
        rows: n.
        sets: Sets of features that were taken away from each row.
        size: Features in each set; 0 = every set there is.
    """

    correlations: np.ndarray
    random: np.ndarray
    rows: int
    sets: int
    size: int

    @property
    def value(self) -> float:
        """Mean correlation over the rows; 0 where there are none."""
        return float(self.correlations.mean()) if len(self.correlations) else 0.0

    @property
    def bar(self) -> float:
        """What 95 % of random attributions do not reach."""
        return float(np.percentile(self.random.mean(1), PERCENTILE))


def removal_sets(features: int, most: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return sets of features to take away (m, P), and their size (0 = every set there is, the empty one too)."""
    if 2**features <= most:
        return (np.arange(2**features)[:, None] >> np.arange(features) & 1).astype(bool), 0
    size = max(1, features // 4)
    picked = rng.random((most, features)).argpartition(size - 1, axis=1)[:, :size]
    taken = np.zeros((most, features), bool)
    np.put_along_axis(taken, picked, True, axis=1)
    return taken, size


def faithfulness(checked: Checked) -> Faithfulness:
    """Return the faithfulness correlation of the attribution, and of random attributions.

    For a row, sets S of its features are taken away: they take the values of background rows, and the output is
    averaged over these. The row's number is Pearson's correlation over the sets between Σ_{j∈S} φ_j and
    f(x) − f(x without S), the output being that of the predicted class. A row whose output changes, but not its
    Σφ, has 0. Random attributions have independent normal values for every row and every feature that the network
    reads. Values that have no sign (all ≥ 0 and not additive: saliency, attention) are compared with the size of the
    change, and so are their random ones.

    Source: Bhatt et al. (2020), arXiv 2005.00631, faithfulness.
    Differs: background rows instead of one baseline; a quarter of the features at a time, every set where there are at
    most six features; the bar is the 95th percentile of random attributions.
    Costs: at most 10 · 64 · 100 predictions; less of each for costly networks.
    """
    chooser = np.random.default_rng(derive_seed("removed", checked.seed))
    predictions = max(1, OPERATIONS // checked.operations)
    rows = int(np.clip(predictions // SETS, FEWEST_ROWS, ROWS))
    sets = int(np.clip(predictions // rows, FEWEST_SETS, SETS))
    against = int(np.clip(predictions // (rows * sets), 1, BACKGROUND))
    attribution, P = checked.attribution, checked.attribution.values.shape[1]
    at = evenly(len(attribution.values), rows)
    values = attribution.values[at, :, checked.told[at]]
    outputs = checked.outputs[checked.told[at]]
    taken, size = removal_sets(P, sets, chooser)
    mixer = Mixer(checked.candidate, attribution.data[at], checked.background[evenly(len(checked.background), against)])
    changes = np.stack([_changes(mixer, i, taken, int(c)) for i, c in enumerate(outputs)])
    noise = np.zeros((DRAWS, len(at), P))
    noise[:, :, checked.used] = chooser.normal(size=(DRAWS, len(at), len(checked.used)))
    if not attribution.signed:
        changes, noise = np.abs(changes), np.abs(noise)
    moves = changes.std(1) > FLAT * (1 + np.abs(attribution.outputs[at]).max())
    kept = np.flatnonzero(moves)
    found = [_correlations(values[i][None] @ taken.T.astype(float), changes[i])[0] for i in kept]
    random = [_correlations(noise[:, i] @ taken.T, changes[i]) for i in kept]
    return Faithfulness(
        np.array(found), np.stack(random, 1) if random else np.zeros((DRAWS, 0)), len(kept), len(taken), size
    )


def faithfulness_gate(checked: Checked) -> Gate:
    """Return whether the faithfulness correlation is above the 95th percentile of random attributions."""
    found = faithfulness(checked)
    things = checked.things()
    if not found.rows:
        if checked.attribution.scale > 0 and checked.attribution.unit == "output":
            return Gate(NAME, LABEL, 0.0, None, False,
                        f"It gives values to {things}, but no set of {things} changes the output.", ">")  # fmt: skip
        return skipped(
            NAME, LABEL, f"Taking {things} away does not change the output, so there is nothing to be faithful to."
        )
    value, bar = found.value, found.bar
    if not checked.attribution.values.any():
        words = f"All values are 0, but taking {things} away changes the output."
        return Gate(NAME, LABEL, 0.0, bar, False, words, ">")
    of = f"over {found.sets} sets of {things} on {found.rows} rows"
    if bar >= CERTAIN and value > 0:
        words = f"Cannot tell: with so few {things} and rows, random values go along with the output just as well."
        return Gate(NAME, LABEL, value, bar, None, words, ">")
    ok = value > bar
    words = (
        f"Taking {things} away changes the output as the values say: correlation {value:.2f} {of}, of random values "
        f"95 % stay below {bar:.2f}."
        if ok
        else f"Taking {things} away does not change the output as the values say: correlation {value:.2f} {of}, random "
        f"values reach {bar:.2f}."
    )
    return Gate(NAME, LABEL, value, bar, ok, words, ">")


def _changes(mixer: Mixer, row: int, taken: np.ndarray, output: int) -> np.ndarray:
    """Return f(x) − f(x without S) (m,) of one row and output for the sets ``taken`` (m, P)."""
    whole = np.ones((1, taken.shape[1]), bool)
    answers = mixer.answers(row, np.concatenate((whole, ~taken)))[:, output]
    return np.asarray(answers[0] - answers[1:])


def _correlations(sums: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each line of ``sums`` (k, m) with ``changes`` (m,); 0 for a constant line."""
    a, b = sums - sums.mean(1, keepdims=True), changes - changes.mean()
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
    large = size > 1e-12 * (1 + np.abs(sums).max(1)) * (1e-12 + np.abs(changes).max())
    return np.divide(a @ b, size, out=np.zeros(len(a)), where=large)
