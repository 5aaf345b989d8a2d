"""Multi-objective successive halving: who is trained no further, and why.

A candidate is looked at after a few epochs, and again each time it has been trained η times as long. At such a rung it
is ended when two things hold: it is not among the best 1/η of those that were seen there (by non-dominated rank, then
crowding), and its final point is dominated by the present front with a probability of .95 or more. The first alone is
asynchronous successive halving with several objectives; the second keeps it from ending what only began slowly.

The decision depends on the candidate and on what was told before its pack, never on the rest of the pack, so a run that
is interrupted and resumed comes to the same decisions. Letters: n candidates, m measures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability import MeasureContext, measure_pack
from nas_core.objectives import Objective
from nas_core.records import Architecture, Evaluation, Halt, Proposal, Status, derive_seed
from nas_core.search.rungs import History, Witnesses
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.spaces import SearchSpace, facts

__all__ = ["Halving", "HalvingReferee", "HalvingRules", "rungs_of"]


@dataclass(frozen=True)
class HalvingRules:
    """How candidates are ended early.

    Attributes:
        eta: η: each rung is η times as long as the one before, and the best 1/η of a rung always go on.
        first: Epochs of the first rung; a third of the training where that is less.
        certainty: Probability of being dominated in the end from which on a candidate is ended.
        least: Candidates that must have been seen at a rung and finished before anything is ended there.
        nearest: So many of them predict the end of a candidate: those whose loss at the rung was nearest to its own.
        control: Share of the candidates that is always trained to the end, chosen by their identity. Without them those
            that begin slowly would vanish from what later predictions learn from.
        as_seen: Whether measures that only a trained network has are predicted as well, from the same candidates;
            otherwise they count as possibly perfect, and nothing is ended because of them.

    Raises:
        SettingsError: A number outside what is allowed.
    """

    eta: int = 3
    first: int = 4
    certainty: float = 0.95
    least: int = 30
    nearest: int = 60
    control: float = 0.1
    as_seen: bool = False

    def __post_init__(self) -> None:
        allowed = {
            "eta": (self.eta >= 2, "a whole number from 2"),
            "first": (self.first >= 1, "a whole number from 1"),
            "certainty": (0.5 <= self.certainty < 1.0, "a probability from .5, below 1"),
            "least": (self.least >= 1, "a whole number from 1"),
            "nearest": (self.nearest >= 1, "a whole number from 1"),
            "control": (0.0 <= self.control <= 1.0, "a share from 0 to 1"),
        }
        for name, (fine, words) in allowed.items():
            if not fine:
                raise SettingsError(
                    f"The {name} of successive halving is {getattr(self, name)!r}", allowed=words, fix="leave it out"
                )


def rungs_of(epochs: int, rules: HalvingRules) -> tuple[int, ...]:
    """Return after how many epochs candidates are looked at, of ``epochs`` at most; none for a single epoch."""
    rung, found = max(1, min(rules.first, epochs // rules.eta)), []
    while rung < epochs:
        found.append(rung)
        rung *= rules.eta
    return tuple(found)


class Halving:
    """Makes the referee of each pack (``Parts.referee``).

    Source: Li et al. (2018), arXiv 1603.06560 (Hyperband); Li et al. (2020), arXiv 1810.05934 (ASHA); Schmucker et al.
    (2021), arXiv 2106.12639 (several objectives).
    Differs: nothing is ended by its rank alone. The final performance is predicted from how far the performance of
    similar candidates still moved; structural measures are exact before training. So the probability that is asked for
    bounds the share of front candidates among those ended (a conformal bound, Vovk et al. 2005).
    Costs: a prediction of the validation rows per rung and candidate; decisions take milliseconds.

    Args:
        space: Where architectures come from; structural measures are read off in it.
        objective: The performance objective.
        measures: Those that are losses of the search, beside performance.
        epochs: How long a candidate is trained at most.
        seed: Decides the control group.
        rules: How candidates are ended.
    """

    def __init__(
        self, space: SearchSpace, objective: Objective, measures: Sequence[str] = SEARCH_MEASURES, *, epochs: int,
        seed: int = 0, rules: HalvingRules | None = None,
    ) -> None:  # fmt: skip
        self._space, self._objective, self._measures, self._seed = space, objective, tuple(measures), seed
        self._rules = rules or HalvingRules()
        self._witnesses = Witnesses(objective, self._measures, rungs_of(epochs, self._rules))

    def __call__(
        self, told: Sequence[Evaluation], proposals: Sequence[Proposal], spared: Collection[str] = ()
    ) -> HalvingReferee:
        """Return the referee of a pack.

        Spared are candidates that a person drew, those that were told of before (somebody asked for them again, so they
        overrule an earlier stop) and the control group.

        Args:
            told: What was evaluated since the last call, at first everything, in any order; the same again changes
                nothing, a later evaluation of one candidate replaces the earlier one.
            proposals: The pack.
            spared: Identities of others that are never ended.
        """
        self._witnesses.add(told)
        free = {
            p.architecture.id: p.architecture
            for p in proposals
            if p.origin != "manual"
            and not self._spares(p.architecture.id, spared)
            and not self._control(p.architecture.id)
        }
        history = self._witnesses.history()
        if history.most() < self._rules.least:
            free = {}
        structure = dict(zip(free, self._structure(list(free.values()))))
        return HalvingReferee(history, structure, self._objective, self._rules)

    def _spares(self, candidate: str, spared: Collection[str]) -> bool:
        return candidate in self._witnesses.known or candidate in spared

    def _control(self, candidate: str) -> bool:
        return derive_seed(self._seed, "control", candidate) % 1000 < 1000 * self._rules.control

    def _structure(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Return the losses (n, m) of architectures as far as they are known before training, else NaN."""
        if not architectures:
            return np.empty((0, len(self._measures)))
        context = MeasureContext(self._space, architectures, [facts(self._space, a) for a in architectures])
        rows = measure_pack(context, self._measures)
        values = [[row[name].value for name in self._measures] for row in rows]
        return np.array([[np.nan if v is None else 1.0 - v for v in row] for row in values], dtype=np.float64)


class HalvingReferee:
    """The decisions about one pack; may be asked from any thread.

    Args:
        history: What was told before the pack.
        structure: Losses (m,) of the candidates that may be ended, by identity; NaN where training will tell.
        objective: The performance objective.
        rules: How candidates are ended.
    """

    def __init__(
        self, history: History, structure: Mapping[str, np.ndarray], objective: Objective, rules: HalvingRules
    ) -> None:
        self._history, self._structure, self._objective, self._rules = history, structure, objective, rules

    def looks_at(self, epoch: int) -> bool:
        """Return whether there is a rung after this many epochs."""
        return epoch in self._history.rungs

    def halt(self, candidate: str, epoch: int, epochs: int, performance: float | None) -> Halt | None:
        """Return why a candidate is ended at a rung, None where it goes on."""
        history, rules = self._history, self._rules
        rung, structure = history.rungs.get(epoch), self._structure.get(candidate)
        if rung is None or structure is None or performance is None or rung.learners.sum() < rules.least:
            return None
        loss = self._objective.loss(performance)
        similar = rung.nearest(loss, rules.nearest)
        ends = loss - rung.at[similar] + history.final[similar]
        rivals = self._ahead(epoch, loss, structure)
        wins = history.final[rivals, None] < ends
        if rules.as_seen:
            wins &= self._as_simple(rivals, similar, np.isnan(structure))
        # of these candidates and this one so many would be dominated: it never reads 1 (conformal prediction)
        chance = float(wins.any(axis=0).sum()) / (len(ends) + 1)
        if chance < rules.certainty or rung.among_best(loss, structure, 1.0 / rules.eta):
            return None
        best = rivals[np.lexsort((history.index[rivals], history.final[rivals], -wins.sum(axis=1)))[0]]
        gap = float(ends.mean() - history.final[best])
        return Halt(Status.PRUNED, self._words(int(history.index[best]), epoch, epochs, chance, gap))

    def _ahead(self, epoch: int, loss: float, structure: np.ndarray) -> np.ndarray:
        """Return the positions of front candidates that are at least as simple and were at least as good at the rung.

        What training will tell of the candidate counts as possibly perfect, unless it is predicted.
        """
        history, front = self._history, self._history.front
        simple = np.where(np.isnan(structure), np.inf if self._rules.as_seen else 0.0, structure)
        ahead = (history.measures[front] <= simple).all(axis=1) & (history.rungs[epoch].at[front] <= loss)
        return front[ahead]

    def _as_simple(self, rivals: np.ndarray, similar: np.ndarray, unknown: np.ndarray) -> np.ndarray:
        """Return (rivals, similar) whether a rival is at least as simple as a similar candidate in unknown measures."""
        measures = self._history.measures[:, unknown]
        return (measures[rivals][:, None] <= measures[similar][None]).all(axis=2)

    def _words(self, rival: int, epoch: int, epochs: int, chance: float, gap: float) -> str:
        objective = self._objective
        size = f"{gap * abs(objective.best - objective.worst):.2g}".removeprefix("0")
        shown = f"{math.floor(100 * chance) / 100:.2f}".removeprefix("0")
        return (
            f"Dominated at epoch {epoch} of {epochs} with probability {shown}: #{rival} is at least as simple and "
            f"expected to be better by {size} {objective.unit or objective.label}"
        )
