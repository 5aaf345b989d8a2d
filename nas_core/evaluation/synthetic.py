"""A public fake: evaluations with the right shape and believable numbers, without training anything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from nas_core.data.measured import MEASURED
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.interpretability import MeasureContext, measure_pack
from nas_core.records import Architecture, Cost, Estimate, Evaluation, Halt, Measurement, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace, StructuralFacts, facts, most_operations
from nas_core.training.progress import with_performance

__all__ = ["SyntheticEvaluator"]

_NOISE = 0.004
_UNKNOWN = "the synthetic evaluator makes up no value for it"
_ENDED = "Not measured: its training was ended early"
_STRUCTURAL = ("feature_parsimony", "interaction_sparsity", "monotone_share", "operation_economy")
"""Measures that are read off the architecture, for which no training is needed."""


class SyntheticEvaluator(Evaluator):
    """Evaluates without training: performance is a smooth function of the architecture plus a little fixed noise.

    On tables, features have hidden importances with diminishing returns; pairs and operations add a little. On images
    and sequences, every tenfold of operations pays, and so do values near a hidden ideal. So there is a real
    trade-off between performance and the structural measures, which are the true ones; the others are believable.
    Deterministic in (seed, architecture).

    Where a referee looks on, every candidate goes through its epochs: its performance rises from chance to its final
    value, quickly or slowly as it happens, so that curves cross; what the referee does not end has the same numbers as
    without it.

    Args:
        space: The search space.
        seed: Decides the hidden importances and the noise.
        delay: Seconds per candidate, waited for in small steps so that a stop is noticed.
        failing: Identities of candidates that fail.
        ineligible: Identities of candidates that are no better than ignoring the inputs.
        epochs: Of the training that is made believe.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        delay: float = 0.0,
        failing: Collection[str] = (),
        ineligible: Collection[str] = (),
        epochs: int = 5,
    ) -> None:
        self._space, self._seed, self._delay, self._epochs = space, seed, delay, epochs
        self._failing, self._ineligible = failing, ineligible
        rng = np.random.default_rng(derive_seed(seed, "importance"))
        self._importance = rng.exponential(size=len(space.features))
        self._most = most_operations(space)
        self._ideal = _ideal(space, seed)
        self._weights: dict[str, Weights] = {}
        self._seconds = 0.0

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        for number, proposal in enumerate(proposals):
            began = time.perf_counter()
            if on_progress:
                on_progress(PackProgress("train", len(proposals), number, len(proposals)))
            if referee is None:
                found = self._evaluation(proposal) if self._wait(stop, self._delay) else self._cancelled(proposal)
            else:
                found = self._refereed(proposal, stop, referee)
            self._seconds += time.perf_counter() - began
            yield found

    def enter(self, space: SearchSpace) -> None:
        self._space, self._ideal = space, _ideal(space, self._seed)

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        taken, self._seconds = self._seconds, 0.0
        return {"train": taken, "measure": 0.0}

    def _refereed(self, proposal: Proposal, stop: Stop, referee: Referee) -> Evaluation:
        """Return the evaluation of a candidate that the referee sees epoch by epoch."""
        whole, seen = self._evaluation(proposal), dict[int, float]()
        skill = whole.skill.value if whole.skill is not None else 0.0
        for epoch in range(1, self._epochs + 1):
            if not self._wait(stop, self._delay / self._epochs):
                self._weights.pop(whole.id, None)
                return self._cancelled(proposal)
            if whole.status is Status.FAILED:
                return whole
            skill_now = skill * self._progress(whole.id, epoch)
            if looked := referee.looks_at(epoch):
                seen[epoch] = 0.5 + skill_now / 2
            if epoch < self._epochs:
                halt = referee.halt(whole.id, epoch, self._epochs, seen[epoch] if looked else None)
                if halt is not None:
                    return self._halted(whole, halt, epoch, skill_now, seen)
        return whole.model_copy(update={"curves": with_performance(whole.curves, seen)})

    def _progress(self, candidate: str, epoch: int) -> float:
        """Return the share of its final skill that a candidate has reached: 1 at the last epoch."""
        rate = 1.5 + 4.5 * np.random.default_rng(derive_seed(self._seed, "pace", candidate)).random()
        return float(np.expm1(-rate * epoch / self._epochs) / np.expm1(-rate))

    def _halted(
        self, whole: Evaluation, halt: Halt, epoch: int, skill: float, seen: dict[int, float]
    ) -> Evaluation:  # fmt: skip
        """Return what is known of a candidate that was ended after some epochs."""
        performance, certainty = _estimates(skill)
        curves = {name: values[:epoch] for name, values in whole.curves.items()}
        measures = {n: m if n in _STRUCTURAL else Measurement(reason=_ENDED) for n, m in whole.measures.items()}
        cost = whole.cost.model_copy(update={"seconds": self._delay * epoch / self._epochs})
        self._weights[whole.id] = {"readout": np.array([skill], dtype=np.float32)}
        changes = {"status": halt.status, "reason": halt.reason, "performance": performance, "skill": certainty}
        more = {"measures": measures, "cost": cost, "curves": with_performance(curves, seen)}
        return whole.model_copy(update=changes | more)

    def _wait(self, stop: Stop, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not stop.is_set():
            if (left := end - time.monotonic()) <= 0:
                return True
            time.sleep(min(left, 0.02))
        return False

    def _cancelled(self, proposal: Proposal) -> Evaluation:
        return _evaluation(proposal, self._seed, Status.CANCELLED, reason="Stopped before it had finished")

    def _evaluation(self, proposal: Proposal) -> Evaluation:
        architecture = proposal.architecture
        if architecture.id in self._failing:
            return _evaluation(proposal, self._seed, Status.FAILED, reason="The loss became NaN in epoch 1")
        known = replace(facts(self._space, architecture), max_operations=self._most)
        cost = Cost(parameters=known.parameters, operations=known.operations, seconds=self._delay)
        if architecture.id in self._ineligible or not known.used_features:
            reason = "No better than a model that ignores its inputs"
            return _evaluation(proposal, self._seed, Status.INELIGIBLE, reason=reason, cost=cost)
        skill = self._skill(architecture, known)
        performance, certainty = _estimates(skill)
        last = max(1, self._epochs - 1)
        self._weights[architecture.id] = {"readout": np.array([skill], dtype=np.float32)}
        return _evaluation(
            proposal,
            self._seed,
            Status.DONE,
            performance=performance,
            skill=certainty,
            measures=_measures(self._space, architecture, known),
            cost=cost,
            curves={
                "train_loss": [1.0 - skill * k / last for k in range(self._epochs)],
                "valid_loss": [1.1 - skill * k / last for k in range(self._epochs)],
            },
        )

    def _skill(self, architecture: Architecture, known: StructuralFacts) -> float:
        effort = _effort(known)
        if self._ideal is None:
            share = self._importance[list(known.used_features)].sum() / self._importance.sum()
            pairs = known.pairs / max(1.0, _all_pairs(len(self._space.features)))
            smooth = 0.90 * (1.0 - math.exp(-5.0 * share)) + 0.05 * math.sqrt(pairs) + 0.04 * effort
        else:
            near = 1.0 - float(np.abs(self._space.encode(architecture) - self._ideal).mean())
            smooth = effort**1.5 * (0.7 + 0.3 * near)
        noise = np.random.default_rng(derive_seed(self._seed, architecture.id)).normal(0.0, _NOISE)
        return float(np.clip(smooth + noise, 0.02, 0.999))


def _ideal(space: SearchSpace, seed: int) -> np.ndarray | None:
    """Return what suits signals best, in the encoding of ``space`` and entry by entry; None for tables."""
    if space.signal is None:
        return None
    rngs = (np.random.default_rng(derive_seed(seed, "ideal", name)) for name in space.encode_names())
    return np.array([rng.random() for rng in rngs])


def _estimates(skill: float) -> tuple[Estimate, Estimate]:
    """Return performance and skill with believable intervals."""
    value, half = 0.5 + skill / 2, 0.02 * (1.0 - skill) + 0.002
    performance = Estimate(value=value, low=value - half, high=min(1.0, value + half))
    return performance, Estimate(value=skill, low=skill - 2 * half, high=min(1.0, skill + 2 * half))


def _effort(known: StructuralFacts) -> float:
    """Return the operations from 0 to 1, on a logarithmic scale."""
    return math.log(known.operations + 1.0) / math.log(max(known.operations, known.max_operations) + 2.0)


def _all_pairs(features: int) -> float:
    return features * (features - 1) / 2


def _exact(score: float, raw: float) -> Measurement:
    return Measurement(value=score, raw=raw, low=score, high=score)


def _measures(space: SearchSpace, architecture: Architecture, known: StructuralFacts) -> dict[str, Measurement]:
    """Return the true structural measures, and believable ones of those that need a trained network."""
    names = MEASURED[space.signal.modality if space.signal else "tabular"]
    context = MeasureContext(space, [architecture], [known])
    exact = measure_pack(context, [name for name in names if name in _STRUCTURAL])[0]
    strength = 0.7 * known.pairs / max(1.0, _all_pairs(len(space.features)))
    used = len(known.used_features)
    bends = 1.0 + 4.0 * (used - len(known.certified)) / used
    decisions = min(10.0, 2.0 + math.log2(1.0 + used))
    concepts = 0.7 - 0.4 * _effort(known)
    believable = {
        "additivity": _exact(1.0 - strength, strength),
        "main_effect_simplicity": _exact(1.0 - (bends - 1.0) / 8.0, bends),
        "tree_fidelity": _exact(1.0 - strength / 3, 1.0 - strength / 3),
        "decision_path": _exact(1.0 - decisions / 10.0, decisions),
        "local_additive_fidelity": _exact(1.0 - strength / 2, 1.0 - strength / 2),
        "introspectability": _exact(concepts, concepts),
    }
    return {name: exact.get(name) or believable.get(name) or Measurement(reason=_UNKNOWN) for name in names}


def _evaluation(proposal: Proposal, seed: int, status: Status, **fields: object) -> Evaluation:
    values = {
        "id": proposal.architecture.id,
        "architecture": proposal.architecture,
        "status": status,
        "parents": proposal.parents,
        "operator": proposal.operator,
        "origin": proposal.origin,
        "seed": derive_seed(seed, proposal.architecture.id),
        "finished": time.time(),
    }
    return Evaluation.model_validate({**values, **fields})
