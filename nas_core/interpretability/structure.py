"""Measures that are read off the architecture: exact, and free."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas_core.interpretability.base import Advice, Measure, MeasureContext, MeasuredCandidate, exact
from nas_core.interpretability.cells import cell_words
from nas_core.records import Measurement, Verdict

__all__ = ["FeatureParsimony", "InteractionSparsity", "MonotoneShare", "OperationEconomy", "economy"]

FROM_STRUCTURE = Verdict(ok=True, reason="read off the architecture")


class FeatureParsimony(Measure):
    """How few features the network looks at: 1 − features used / features of the data.

    Exact: a feature that no group holds has no path to the output, so its influence is zero for every weight. Networks
    of images and sequences read all of them, unless windows without padding leave some at the edge out.

    Source: Molnar et al. (2019), arXiv 1904.03867; Schneider et al. (2023), doi 10.1145/3583131.3590380.
    Differs: counted in the architecture; ``used_features`` is the count by resampling for other models.
    Costs: nothing.
    """

    name, label, family = "feature_parsimony", "Few features", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it always applies."""
        return FROM_STRUCTURE

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − NF/P; raw = NF, the number of features used."""
        return [exact(1 - len(f.used_features) / context.features, len(f.used_features)) for f in context.facts]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return which features are used, and that dropping one raises the score by 1/P."""
        used, total = len(candidate.facts.used_features), len(candidate.feature_names)
        state = f"Uses {used} of {total} {cell_words(candidate.signal)}."
        if not used:
            return Advice(state)
        if candidate.signal is not None:
            return Advice(state, "Use windows without padding, whose steps leave the edge out.")
        return Advice(state, f"Drop a feature: each one dropped raises this score by {1 / total:.3g}.")


class InteractionSparsity(Measure):
    """How few pairs of features may act together: 1 − pairs in a common network / all pairs.

    Exact: features in different groups are added up, so they cannot interact. A group of k features counts all its
    k(k−1)/2 pairs, whether or not its weights use them; a linear group counts none. Patches and steps may act together
    when something that is not linear sees both.

    Source: Schneider et al. (2023), doi 10.1145/3583131.3590380 (pairs closed under transitivity).
    Costs: nothing.
    """

    name, label, family = "interaction_sparsity", "Few interactions", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it always applies."""
        return FROM_STRUCTURE

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − NI; raw = NI, the share of the P(P − 1)/2 pairs that may interact (0 when P = 1)."""
        pairs = max(1, context.features * (context.features - 1) // 2)
        return [exact(1 - f.pairs / pairs, f.pairs / pairs) for f in context.facts]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return how many pairs may interact, and which group to split."""
        total = len(candidate.feature_names) * (len(candidate.feature_names) - 1) // 2
        pairs = candidate.facts.pairs
        if candidate.signal is not None:
            return _cells_together(candidate, total)
        if not pairs:
            return Advice("No feature interacts with another: the network is a sum of one-feature effects.")
        state = f"{pairs} of {total} pairs of features may interact."
        largest = largest_group(candidate)
        if not largest:
            return Advice(state, "Split a group, or make it linear.")
        names = _listed([candidate.feature_names[j] for j in largest])
        k = len(largest)
        freed = (k - 1) / total
        split = f"Split the group of {names}: giving one of its {k} features its own network"
        return Advice(state, f"{split} raises this score by {freed:.3g}.")


class MonotoneShare(Measure):
    """How many features act in one direction only: 1 − features used that are not certified monotone / all features.

    Exact: a feature counts as certified when no choice of weights could make its effect turn. A feature not used
    is constant, hence monotone. Beside it stands the *graded*, measured version: the share of each accumulated effect's
    way that is not taken back, weighted by the effect's variance (numeric features only; categories have no order).

    Source: Schneider et al. (2023), doi 10.1145/3583131.3590380; Runje & Shankaranarayana (2023), arXiv 2205.11775.
    Costs: nothing; the graded version shares the effects of ``additivity``.
    """

    name, label, family = "monotone_share", "Monotone effects", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it applies to tables."""
        if context.signal is not None:
            words = f"{cell_words(context.signal)} have no order in which an effect could rise or fall"
            return Verdict(ok=False, reason=words)
        return FROM_STRUCTURE

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − NNM; raw = NNM; graded = measured monotony where the networks are trained."""
        graded: Sequence[float] = [math.nan] * len(context.facts)
        if context.model is not None and context.problem is not None:
            graded = [float(g) for g in context.effects.monotony]
        turning = [len(set(f.used_features) - set(f.certified)) / context.features for f in context.facts]
        return [exact(1 - t, t, None if math.isnan(g) else min(1.0, g)) for t, g in zip(turning, graded)]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return which features are not certified, and that a monotone mark certifies them."""
        used, certified = candidate.facts.used_features, candidate.facts.certified
        if not used:
            return Advice("Uses no feature.")
        turning = [candidate.feature_names[j] for j in used if j not in certified]
        state = f"{len(used) - len(turning)} of the {len(used)} features used are monotone by construction."
        graded = candidate.measurement.graded
        if graded is not None:
            state += f" Measured on the data, {graded:.0%} of the movement of the effects goes in one direction."
        if not turning:
            return Advice(state)
        gain = 1 / len(candidate.feature_names)
        return Advice(
            state,
            f"Mark a feature as monotone, or drop it ({_listed(turning)}): each raises this score by {gain:.3g}.",
        )


class OperationEconomy(Measure):
    """How little arithmetic one prediction takes: 1 − ln(operations) / ln(most operations in the space).

    Operations are the multiply-adds and function evaluations needed to follow one prediction by hand.

    Source: Slack et al. (2019), arXiv 1902.03501: the operation count predicts how well 1000 people simulate a model.
    Differs: logarithmic, relative to the largest architecture of the space.
    Costs: nothing.
    """

    name, label, family = "operation_economy", "Little arithmetic", "structure"

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it always applies."""
        return FROM_STRUCTURE

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return the score within [0, 1]; raw = operations."""
        return [exact(economy(f.operations, f.max_operations), f.operations) for f in context.facts]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the count, and that halving it raises the score by a fixed amount."""
        operations, most = candidate.facts.operations, candidate.facts.max_operations
        state = f"One prediction takes {operations:,} operations; the largest network of the space takes {most:,}."
        if operations <= 1 or most <= 1:
            return Advice(state)
        gain = math.log(2) / math.log(most)
        parts = "hidden layers, units or features"
        if candidate.signal is not None:
            parts = "layers or channels, a smaller kernel, or larger steps (stride, pooling) early on"
        change = f"Use fewer {parts}: halving the operations"
        return Advice(state, f"{change} raises this score by {gain:.3g}.")


def economy(operations: int, most: int) -> float:
    """Return 1 − ln(operations)/ln(most) within [0, 1]; 1 when nothing has to be computed."""
    if operations <= 1:
        return 1.0
    return max(0.0, 1 - math.log(operations) / math.log(max(most, operations)))


def keep_apart(candidate: MeasuredCandidate) -> str:
    """Return which change of a signal network lets fewer of its cells act together.

    Where places see little of the input and yet everything may interact, it is the part after the maps that joins them.
    """
    signal, facts = candidate.signal, candidate.facts
    P = len(candidate.feature_names)
    if signal is not None and facts.receptive_field is not None and facts.pairs >= P * (P - 1) // 2:
        seen = facts.receptive_field[0] * facts.receptive_field[1]
        if 2 * seen < signal.place[0] * signal.place[1]:
            return "Average over the places before the output, instead of joining them in a layer with an activation."
    if signal is not None and signal.modality == "sequence":
        return "Use smaller kernels, fewer layers, or convolutions instead of recurrent and attention layers."
    return "Use smaller kernels, fewer layers or less pooling: each place then sees less of the input."


def _cells_together(candidate: MeasuredCandidate, total: int) -> Advice:
    """Return how many pairs of cells may act together, and what keeps more of them apart."""
    facts, signal = candidate.facts, candidate.signal
    words = cell_words(signal)
    if not facts.pairs:
        return Advice(f"No two {words} interact: the network is a sum of one-{cell_words(signal, 1)} effects.")
    state = f"{facts.pairs:,} of {total:,} pairs of {words} may interact"
    if facts.receptive_field is None or signal is None:
        return Advice(f"{state}.", keep_apart(candidate))
    height, width = facts.receptive_field
    sees = f"{width} {'words' if signal.vocabulary else 'steps'}"
    if signal.modality == "image":
        sees = f"{height} × {width} pixels"
    return Advice(f"{state}; one place of the last maps sees {sees}.", keep_apart(candidate))


def largest_group(candidate: MeasuredCandidate) -> tuple[int, ...]:
    """Return the features of the largest group that may interact; empty when the architecture has no such group."""
    groups = candidate.architecture.values.get("groups", [])
    joint = [tuple(g["features"]) for g in groups if not g["linear"] and len(g["features"]) > 1]
    return max(joint, key=len, default=())


def _listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first names in one phrase."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
