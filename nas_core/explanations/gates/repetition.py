"""Whether the same method says the same again with another seed."""

from __future__ import annotations

import math

import numpy as np

from nas_core.errors import NasightError
from nas_core.explanations.gates.base import Checked, Gate, evenly, skipped
from nas_core.explanations.gates.repeating import affordable_pairs, rank_correlation, rerun
from nas_core.records import derive_seed

__all__ = ["STEADY", "repetition_gate"]

STEADY = 0.8
"""Smallest mean rank correlation between two seeds: below it, features that matter trade places."""
ROWS = 5
OPERATIONS = 3_000_000_000  # of the methods that ask for many predictions: fewer rows, one at least
EQUAL = 1e-9  # of the largest value: rounding

NAME, LABEL = "repetition", "Repeatable"


def repetition_gate(checked: Checked) -> Gate:
    """Return whether another seed of the same method ranks the features of a row the same.

    The value is the mean over rows of Spearman's correlation between |φ| and |φ'| over the features that the network
    reads, φ' the method with another seed and as many sampled passes per row. Values that no seed changes are exact.

    Source: MEASURES § 2; instability of sampled explanations: Slack et al. (2021), arXiv 2008.05030. The threshold is
    ours.
    Costs: one explanation of up to 5 rows.
    """
    explainer, attribution = checked.explainer, checked.attribution
    if explainer is None:
        return skipped(NAME, LABEL, f"The method {attribution.method!r} is not known here, so it cannot be run again.")
    pairs = affordable_pairs(explainer, checked.candidate, checked.operations, OPERATIONS)
    at = evenly(len(attribution.values), int(np.clip(pairs // len(checked.background), 1, ROWS)))
    passes = math.ceil(attribution.passes * len(at) / len(attribution.values))
    try:
        again = rerun(explainer, checked.candidate, attribution.data[at], checked.background,
                      seed=derive_seed("again", checked.seed), passes=passes)  # fmt: skip
    except NasightError as error:
        return skipped(NAME, LABEL, f"It cannot be run again: {error}")
    first, second = (v[:, checked.used] for v in (attribution.values[at], again.values[:, :, checked.outputs]))
    difference = float(np.abs(first - second).max(initial=0.0))
    if difference <= EQUAL * max(attribution.scale, 1e-300) or difference == 0:
        return Gate(NAME, LABEL, 1.0, STEADY, True, "Exact: another seed gives the same values.", "≥")
    i = np.arange(len(at))
    value = rank_correlation(first[i, :, checked.told[at]], second[i, :, checked.told[at]])
    if value is None:
        return skipped(NAME, LABEL, f"There are not two {checked.things()} with different values to be ranked.")
    ok = value >= STEADY
    words = (
        f"Another seed gives nearly the same order of {checked.things()}: rank correlation {value:.2f} on "
        f"{len(at)} rows."
        if ok
        else f"Run again, the same method puts the {checked.things()} of a row in another order: rank correlation "
        f"{value:.2f}, at least {STEADY} is asked."
    )
    return Gate(NAME, LABEL, value, STEADY, ok, words, "≥")
