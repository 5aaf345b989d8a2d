"""Whether an attribution sees the weights: it must change, and lose its structure, when they become random."""

from __future__ import annotations

from copy import copy, deepcopy

import numpy as np

from nas_core.errors import NasightError
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.gates.base import Checked, Gate, evenly, skipped
from nas_core.explanations.gates.repeating import affordable_pairs, rank_correlation, rerun
from nas_core.records import derive_seed

__all__ = ["SAME", "entropies", "randomised", "rise_gate"]

COPIES, FEW_COPIES = 12, 5
ROWS, BACKGROUND = 6, 10
OPERATIONS = 6_000_000_000  # of all explanations together, where a method asks for many predictions
T_95 = {12: 2.201, 5: 2.776}  # two-sided 95 % of Student's t with one degree of freedom less
SAME = 0.95
"""Mean rank correlation of |φ| with that of random weights from which on the picture is called the same. A method
that does not look at the weights has 1; exact Shapley values reached 0.82, on digits, where some pixels hardly vary."""
RANKED = 5  # features below which the same order says little: a feature that hardly varies is last anyway
EQUAL = 1e-6  # of the largest value: a change below is rounding

NAME, LABEL = "emprt", "Sees the weights"


def entropies(values: np.ndarray) -> np.ndarray:
    """Return the entropy (n,) in nats of each row's shares |φ_j| / Σ|φ|, values (n, u); 0 where all are 0.

    0 where one feature has it all, ln u where all have the same.
    """
    sizes = np.abs(values)
    largest = sizes.max(1, keepdims=True, initial=0.0)
    sizes = np.divide(sizes, largest, out=np.zeros_like(sizes), where=largest > 0)  # so that no sum overflows
    total = sizes.sum(1, keepdims=True)
    p = np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0)
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)
    return np.asarray(-(p * logs).sum(1))


def randomised(candidate: Candidate, seed: int) -> Candidate:
    """Return the same network with all its weights as they are drawn before training.

    The structure stays: which features it reads, how its parts are joined, which weights have a fixed sign.
    """
    import torch

    from nas_core.training.initialise import initialise

    other = copy(candidate)
    other.__dict__.pop("intercept", None)  # known of the trained network only
    if isinstance(other, TrainedCandidate):
        from nas_core.spaces.tabular.module import build

        module = build(candidate.architecture, other._columns, other.outputs, seed=seed)
        other.module = module.double().eval()
    else:
        kind = next((p.dtype for p in other.module.parameters()), torch.float32)
        fresh = deepcopy(other.module).float()
        initialise(fresh, seed)
        other.module = fresh.to(kind).eval()
    return other


def rise_gate(checked: Checked) -> Gate:
    """Return whether the entropy of the attribution rises when the network's weights are replaced by random ones.

    eMPRT = [mean H(φ̂) − mean H(φ)] / mean H(φ), the means over rows (and random networks): H is the entropy of a row's
    shares |φ_j| / Σ|φ| of the features that the network reads, φ̂ the same method on the same rows, for the same
    output, with random weights. It passes where the 95 % interval over the random networks lies above 0. It fails
    where it does not *and* the method draws much the same picture whatever the weights: the values do not change at
    all, or the order of five or more features is kept, a mean rank correlation of |φ| and |φ̂| of at least 0.95. Else
    the test cannot tell, and says so.

    Source: Hedström et al. (2023), arXiv 2401.06465 (eMPRT); Adebayo et al. (2018), arXiv 1810.03292 (the rank
    correlation).
    Differs: entropy of the shares (Bhatt et al. 2020, arXiv 2005.00631, complexity) instead of a histogram of 100 bins,
    which is nearly full of single values where a table has 30 features; twelve random networks instead of one, which
    gives an interval. Entropy that does not rise is not a failure by itself: exact Shapley values of a network that
    uses its features evenly have as much with random weights, or more before than after.
    Costs: thirteen explanations of 6 rows against 10 background rows; six of fewer rows for costly methods.
    """
    explainer, attribution = checked.explainer, checked.attribution
    if explainer is None:
        return skipped(NAME, LABEL, f"The method {attribution.method!r} is not known here, so it cannot be run again.")
    if len(checked.used) < 2:
        return skipped(
            NAME, LABEL, f"The network reads fewer than two {checked.things()}, so there is no structure to lose."
        )
    pairs = affordable_pairs(explainer, checked.candidate, checked.operations, OPERATIONS // (COPIES + 1))
    at = evenly(len(attribution.values), int(np.clip(pairs // 4, 2, ROWS)))
    against = evenly(len(checked.background), int(np.clip(pairs // len(at), 1, BACKGROUND)))
    rows, background = attribution.data[at], checked.background[against]
    seed = derive_seed("weights", checked.seed)
    others = [randomised(checked.candidate, seed + k) for k in range(COPIES if pairs >= 4 else FEW_COPIES)]
    if not any(p.ndim > 1 for p in others[0].module.parameters()):
        return skipped(NAME, LABEL, "The network has no weights that could be made random.")
    try:
        before = rerun(explainer, checked.candidate, rows, background, seed=seed, passes=1)
        told = checked.outputs[checked.told[at]]
        after = [rerun(explainer, other, rows, background, seed=seed, passes=1) for other in others]
    except NasightError as error:
        return skipped(NAME, LABEL, f"It cannot be run with random weights: {error}")
    return _judged(checked, _of(before, told, checked.used), [_of(a, told, checked.used) for a in after])


def _of(attribution: Attribution, told: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return the values (n, u) of one output per row."""
    return attribution.values[np.arange(len(told)), :, told][:, used]


def _judged(checked: Checked, before: np.ndarray, after: list[np.ndarray]) -> Gate:
    """Return the gate from the values (n, u) before and after."""
    things = checked.things()
    if not before.any():
        return skipped(NAME, LABEL, "All values are 0, so they have no structure to lose.")
    kept = [a for a in after if np.isfinite(a).all() and a.any()]
    if len(kept) < len(after):
        return skipped(
            NAME, LABEL, "With random weights there is nothing to explain, so there is nothing to compare with."
        )
    own = float(entropies(before).mean())
    rises = np.array([entropies(a).mean() - own for a in kept]) / (own or np.log(before.shape[1]))
    value, margin = float(rises.mean()), T_95[len(kept)] * float(rises.std(ddof=1)) / len(rises) ** 0.5
    if value - margin > 0:
        words = f"With random weights the values spread out, as they should: entropy {value:+.0%} ± {margin:.0%}."
        return Gate(NAME, LABEL, value, 0.0, True, words, ">")
    if max(float(np.abs(a - before).max()) for a in kept) <= EQUAL * float(np.abs(before).max()):
        words = (
            "With random weights it says exactly the same: the method does not look at what the network has learned."
        )
        return Gate(NAME, LABEL, value, 0.0, False, words, ">")
    alike = [r for a in kept if (r := rank_correlation(before, a)) is not None]
    same = float(np.mean(alike)) if alike else 0.0
    if same >= SAME and int((before != 0).any(0).sum()) >= RANKED:
        words = (
            f"With random weights it says much the same: the {things} keep their order (rank correlation {same:.2f}), "
            f"the values are as uneven as before (entropy {value:+.0%})."
        )
        return Gate(NAME, LABEL, value, 0.0, False, words, ">")
    words = (
        f"Cannot tell: with random weights the values do change (rank correlation {same:.2f}), but are no more "
        f"evenly spread than before (entropy {value:+.0%} ± {margin:.0%})."
    )
    return Gate(NAME, LABEL, value, 0.0, None, words, ">")
