"""Whether interactions are weak enough for one number per feature to tell what the network does.

Asked of every method whose values are contributions in the unit of the output, whether or not they add up to it: a
network whose output is a product is told no better by values that claim less.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.gates.base import Checked, Gate, skipped
from nas_core.interpretability.base import MeasureContext, NetworkPack, PackModel
from nas_core.interpretability.registry import measure_named
from nas_core.records import Measurement

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.spaces.layers import SignalNetwork

__all__ = ["LOCAL_FIT", "WEAK", "additivity_gate", "local_fit_gate"]

WEAK = 0.10
"""Largest interaction strength IAS: a tenth of the variation is not told by main effects. Friedman's function (0.075)
is below it, x1 + x2 + x1·x2 (1/7) above."""
LOCAL_FIT = 0.80
"""Smallest local R²: a fifth of what happens around a row is not told by a sum of contributions."""

MEASURED = {"additivity": "Weak interactions", "local_additive_fidelity": "Locally a sum"}


def additivity_gate(checked: Checked) -> Gate:
    """Return whether main effects tell nearly all: IAS ≤ 0.10 (the measure ``additivity``, stored or measured now).

    Source: Carmichael & Scheirer (2023), arXiv 2310.18496: feature-additive explanations are wrong where interactions
    are strong; IAS: Molnar et al. (2019), arXiv 1904.03867. The threshold is ours.
    """
    name, label = "additivity", MEASURED["additivity"]
    found, why = _measured(checked, name)
    if found is None or found.value is None:
        return skipped(name, label, why)
    ias = max(0.0, 1 - found.value if found.raw is None else found.raw)
    ok = ias <= WEAK
    things, hidden = checked.things(), f"one number per {checked.things(1)} hides them"
    if ok:
        words = f"Effects of single {things} leave {ias:.1%} of the output's variation to interactions."
    elif ias < 1:
        words = f"Interactions make {ias:.1%} of the output's variation; {hidden}."
    else:
        words = f"Effects of single {things} tell nothing of the output's variation: it is interactions; {hidden}."
    return Gate(name, label, ias, WEAK, ok, words, "≤")


def local_fit_gate(checked: Checked) -> Gate:
    """Return whether a sum of contributions reproduces the output around single rows: held-out R² ≥ 0.80.

    It is the measure ``local_additive_fidelity``, stored or measured now; of a method that fits a simple model itself,
    the mean R² of its own fits.

    Source: Ribeiro et al. (2016), arXiv 1602.04938; Carmichael & Scheirer (2023), arXiv 2310.18496. The threshold is
    ours.
    """
    name, label = "local_additive_fidelity", MEASURED["local_additive_fidelity"]
    fit = checked.attribution.fit
    if fit is not None:
        value = float(fit[np.arange(len(fit)), checked.told].mean())
        what = "the simple model that these values are weights of"
    else:
        found, why = _measured(checked, name)
        if found is None or found.value is None:
            return skipped(name, label, why)
        value, what = found.value, f"a sum of contributions of {checked.things()}"
    ok = value >= LOCAL_FIT
    verb = "reproduces" if ok else "reproduces only"
    words = f"Around single rows, {what} {verb} {max(0.0, value):.1%} of what the network does."
    return Gate(name, label, value, LOCAL_FIT, ok, words, "≥")


def _measured(checked: Checked, name: str) -> tuple[Measurement | None, str]:
    """Return the stored or a new measurement; None and why where there is none."""
    if not checked.attribution.signed:
        return None, "The values of this method are not contributions to the output, so no sum of them is claimed."
    stored = checked.measures.get(name)
    if stored is not None and stored.value is not None:
        return stored, ""
    context = _context(checked)
    measure = measure_named(name)
    verdict = measure.applies_to(context)
    if not verdict.ok:
        return None, f"It cannot be measured: {verdict.reason}."
    (found,) = measure.score(context)
    if found.value is None:
        return None, f"It cannot be measured: {found.reason}."
    return found, ""


def _context(checked: Checked) -> MeasureContext:
    """Return what a measure needs of one candidate."""
    from nas_core.spaces.family import facts

    candidate = checked.candidate
    known = facts(candidate.space, candidate.architecture)
    model: PackModel | NetworkPack
    model = (
        _Table(candidate) if isinstance(candidate, TrainedCandidate) else _Network(deepcopy(candidate.module).float())
    )
    return MeasureContext(candidate.space, [candidate.architecture], [known], candidate.problem, model)


@dataclass(frozen=True)
class _Network:
    """One signal network as a pack."""

    of: SignalNetwork

    def module(self, k: int) -> SignalNetwork:
        return self.of


class _Table:
    """One candidate on a table as a pack: on the bank of all encodings of the problem."""

    def __init__(self, candidate: TrainedCandidate) -> None:
        self._candidate = candidate
        encoder, encoding = candidate.problem.encoder, candidate.architecture.values["encoding"]
        whole = [np.asarray(encoder.columns(encoding, j)) for j in candidate.used]
        self._columns = np.concatenate(whole) if whole else np.zeros(0, np.int64)

    def predict(self, E: np.ndarray) -> np.ndarray:
        return self._candidate.predict_bank(np.asarray(E, float)[:, self._columns])[None]

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        candidate = self._candidate
        deltas = np.zeros((1, *X.shape, candidate.outputs))
        for group in candidate.groups:
            bank = candidate.bank(X)
            for j in group.features:
                own = bank[:, candidate.span(j)].copy()
                ends = []
                for border in (bins[:, j] + 1, bins[:, j]):
                    encoded = candidate.encode({j: edges[j][border]}, len(X))
                    bank[:, candidate.span(j)] = encoded[:, candidate.span(j)]
                    ends.append(candidate.group_effect(group.index, bank))
                bank[:, candidate.span(j)] = own
                deltas[0, :, j] = ends[0] - ends[1]
        return deltas
