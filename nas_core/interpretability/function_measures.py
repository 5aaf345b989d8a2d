"""The thirteen measures of one function, each from what it needs and nothing else; shared parts are worked out once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from nas_core.interpretability.agreement import Agreement
from nas_core.interpretability.base import exact
from nas_core.interpretability.black_box import BlackBox, Unusable
from nas_core.interpretability.dependence import (
    MOST_NUMBERS,
    MOST_ROWS,
    Linked,
    Used,
    linked_features,
    used_features_of,
)
from nas_core.interpretability.effect_measures import additivity_of, simplicity_of
from nas_core.interpretability.effects import Effects, accumulate_effects
from nas_core.interpretability.explanation_measures import mean_score
from nas_core.interpretability.grid import effect_grid
from nas_core.interpretability.intervals import estimated
from nas_core.interpretability.masked_fits import ExplainedSample
from nas_core.interpretability.rank_agreement import gini, pair_agreement, rank_correlation, sizes
from nas_core.interpretability.standard_order import StandardOrder
from nas_core.interpretability.structure import economy
from nas_core.interpretability.tree_measures import path_measurement
from nas_core.interpretability.trees import SurrogateTree, surrogate_tree
from nas_core.records import Measurement

__all__ = ["NAMES", "MeasuredFunction"]

# Rows that effects are read from at least; numbers that trees are grown on at most, and rows of them at least.
FEWEST, TREE_NUMBERS, FEWEST_OF_TREE = 10, 1_000_000, 200
NO_INFLUENCE = Measurement(reason="no feature has any influence on the explained rows")
NO_FEATURE = "its output varies, but no single feature changes it when it is resampled"


@dataclass(frozen=True)
class MeasuredFunction:
    """A function that varies, with rows in standard order.

    Attributes:
        box: The function.
        X: (N, P) rows.
        outputs: (N, C) of them, centred over several outputs.
        order: Of the features.
        categorical: (P,) True where values have no order.
        facts: What is known by construction: ``used``, ``pair_count``, ``monotone``, ``operations``,
            ``most_operations``, each None where it is not.
        classification: True where a prediction is a class.
        seed: Of all that is resampled.
    """

    box: BlackBox
    X: np.ndarray
    outputs: np.ndarray
    order: StandardOrder
    categorical: np.ndarray
    facts: Any
    classification: bool
    seed: int

    def measurement(self, name: str) -> Measurement:
        """Return one measure; what the function does not allow is its reason."""
        try:
            return _MEASURES[name](self)
        except Unusable as words:
            return Measurement(reason=str(words))

    @property
    def P(self) -> int:  # noqa: N802 - the letters are declared in nas_core.records
        """Number of features."""
        return self.X.shape[1]

    @cached_property
    def used(self) -> Used:
        """The features it depends on, known or found."""
        if self.facts.used is not None:
            features = tuple(sorted(self.facts.used))
            return Used(features, len(features), len(features))
        rng = np.random.default_rng((self.seed, 10))
        return used_features_of(self.box, self.X, self.outputs, self.order.features.tolist(), rng)

    @cached_property
    def features(self) -> tuple[int, ...]:
        """The same in standard order, at least one.

        Raises:
            Unusable: There is none.
        """
        found = tuple(int(j) for j in self.order.features if j in set(self.used.features))
        if not found:
            raise Unusable(NO_FEATURE)
        return found

    @cached_property
    def linked(self) -> Linked:
        """The features that act together."""
        return linked_features(self.box, self.X, self.outputs, self.features, np.random.default_rng((self.seed, 11)))

    @cached_property
    def effects(self) -> Effects:
        """First-order effects of the features used, on as many rows as can be afforded.

        Raises:
            Unusable: Those are too few.
        """
        features = np.array(self.features)
        n, U = len(self.X), len(features)
        if n < FEWEST:
            raise Unusable(f"effects need {FEWEST} rows, there are {n}")
        rows = min(n, MOST_NUMBERS // (2 * U * self.P), MOST_ROWS // (2 * U))
        if rows < min(n, 10 * FEWEST):
            raise Unusable(f"the effects of {U:,} features would take too long")
        at = np.sort(np.random.default_rng((self.seed, 12)).permutation(n)[:rows])
        turned = self.order.turned(self.X[at], features)
        grid = effect_grid(turned, self.categorical[features])
        ends = [
            [((int(j),), (border(k) * self.order.signs[j])[:, None]) for k, j in enumerate(features)]
            for border in (grid.upper, grid.lower)
        ]
        high, low = (self.box.edited(self.X[at], edits) for edits in ends)
        deltas = (high - low).transpose(1, 0, 2)
        return accumulate_effects(self.outputs[at][None], deltas[None], grid)

    @cached_property
    def tree(self) -> SurrogateTree:
        """The decision tree that imitates it, of the features used."""
        features = np.array(self.features)
        rows = int(np.clip(TREE_NUMBERS // len(features), FEWEST_OF_TREE, 2000))
        classes = max(2, self.box.outputs) if self.classification else 0
        # Rounding, which other units change, must not decide between splits that are equally good.
        scale = float(self.outputs.std())
        steady = self.outputs if classes else np.round((self.outputs - self.outputs.mean(0)) / scale, 9)
        return surrogate_tree(
            self.order.turned(self.X, features), steady, classes=classes,
            categorical=self.categorical[features], seed=self.seed, rows=rows,
        )  # fmt: skip

    @cached_property
    def sample(self) -> ExplainedSample:
        """Some rows and their explanations."""
        two_valued = np.array([len(np.unique(self.X[:, j])) <= 2 for j in range(self.P)])
        return ExplainedSample(
            self.box, self.X, self.outputs, self.features, self.order.signs, self.categorical | two_valued,
            self.classification, self.seed,
        )  # fmt: skip

    def parsimony(self) -> Measurement:
        """Return 1 − NF/P; raw = NF."""
        NF, P = len(self.used.features), self.P
        return Measurement(value=1 - NF / P, raw=NF, low=1 - self.used.high / P, high=1 - self.used.low / P)

    def sparsity_of_interactions(self) -> Measurement:
        """Return 1 − NI; raw = NI, 0 when P = 1."""
        every = max(1, self.P * (self.P - 1) // 2)
        if self.facts.pair_count is not None:
            return exact(1 - self.facts.pair_count / every, self.facts.pair_count / every)
        found = self.linked
        low, high = 1 - found.high / every, 1 - found.low / every
        return Measurement(value=1 - found.pairs / every, raw=found.pairs / every, low=low, high=high)

    def additivity(self) -> Measurement:
        """Return 1 − min(1, IAS); raw = IAS."""
        return exact(1.0, 0.0) if self.facts.pair_count == 0 else additivity_of(self.effects)[0]

    def simplicity(self) -> Measurement:
        """Return the simplicity of the effect curves; raw = MEC."""
        return simplicity_of(self.effects)[0]

    def monotony(self) -> Measurement:
        """Return 1 − NNM where features are certified by construction, else only the measured monotony."""
        try:
            share = float(self.effects.monotony[0])
            graded = None if math.isnan(share) else min(1.0, share)
        except Unusable:
            graded = None
        if self.facts.monotone is None:
            reason = "nothing of this model is certified to be monotone by construction"
            return Measurement(
                reason=reason + ("" if graded is None else f"; measured monotony {graded:.3f}"), graded=graded
            )
        turning = len(set(self.used.features) - set(self.facts.monotone)) / self.P
        return exact(1 - turning, turning, graded)

    def operations(self) -> Measurement:
        """Return the economy of operations where they are known; raw = operations."""
        count, most = self.facts.operations, self.facts.most_operations
        if count is None or most is None:
            return Measurement(
                raw=count, reason="how many operations a prediction takes does not show in what it answers"
            )
        return exact(economy(count, most), count)

    def tree_fidelity(self) -> Measurement:
        """Return the fidelity of the tree; raw = R² or κ before it is cut."""
        tree = self.tree
        if tree.fidelity is None or tree.low is None or tree.high is None:
            return Measurement(reason=tree.reason)
        return estimated(tree.fidelity, tree.low, tree.high)

    def decision_path(self) -> Measurement:
        """Return 1 − min(1, APL/10); raw = APL."""
        tree = self.tree
        return path_measurement(Agreement(tree.path_length, tree.path_low, tree.path_high, tree.path_reason))

    def local_fidelity(self) -> Measurement:
        """Return the mean held-out R² of additive fits around rows; raw = before each is cut."""
        if self.facts.pair_count == 0:
            return exact(1.0, 1.0)
        scores = self.sample.scores
        kept = mean_score(np.clip(scores, 0.0, 1.0), NO_INFLUENCE)
        return kept.model_copy(update={"raw": float(scores.mean())})

    def sparsity_of_shares(self) -> Measurement:
        """Return the mean Gini index of |φ| over all features; raw = the same."""
        if self.P < 2:
            return Measurement(reason="there is a single feature, so there is nothing to spread over")
        shares = self.sample.shares
        found = gini(np.concatenate([shares, np.zeros((len(shares), self.P - shares.shape[1]))], axis=1))
        return mean_score(found[np.isfinite(found)], NO_INFLUENCE)

    def agreement(self) -> Measurement:
        """Return the agreement of gradient methods beyond a coin's; raw = PRA."""
        if self.box.module is None:
            return Measurement(reason="it needs gradients, and of a plain function there are predictions only")
        if len(self.features) < 2:
            return exact(1.0, 1.0)
        methods = self.sample.by_all_methods()
        counted = np.any([values.any(1) for values in methods], axis=0)
        ordered = [sizes(values[counted]) for values in methods]
        pairs = np.mean([pair_agreement(a, b) for a, b in combinations(ordered, 2)], axis=0)
        return mean_score(pairs, NO_INFLUENCE, lambda share: np.clip(2 * share - 1, 0.0, 1.0))

    def stability(self) -> Measurement:
        """Return the mean rank correlation of |φ| after small changes; raw = before it is cut."""
        if self.sample.steady[list(self.features)].all():
            return Measurement(reason="its features have two values or no order, so they cannot change a little")
        if len(self.features) < 2:
            return exact(1.0, 1.0)
        before, after, same = self.sample.changed_shares()
        draws = same.shape[1]
        found = rank_correlation(np.repeat(sizes(before), draws, axis=0), sizes(after.reshape(-1, before.shape[1])))
        counted = before.any(1) & same.any(1)
        if before.any() and not counted.any():
            return Measurement(reason="a small change of a row changes the predicted class every time")
        means = (found.reshape(-1, draws) * same).sum(1)[counted] / same.sum(1)[counted]
        return mean_score(means, NO_INFLUENCE)

    def introspectability(self) -> Measurement:
        """Return why there is none."""
        return Measurement(reason="a function of rows shows no layers to look into")


_MEASURES: Mapping[str, Callable[[MeasuredFunction], Measurement]] = {
    "feature_parsimony": MeasuredFunction.parsimony,
    "interaction_sparsity": MeasuredFunction.sparsity_of_interactions,
    "additivity": MeasuredFunction.additivity,
    "main_effect_simplicity": MeasuredFunction.simplicity,
    "monotone_share": MeasuredFunction.monotony,
    "operation_economy": MeasuredFunction.operations,
    "tree_fidelity": MeasuredFunction.tree_fidelity,
    "decision_path": MeasuredFunction.decision_path,
    "local_additive_fidelity": MeasuredFunction.local_fidelity,
    "attribution_sparsity": MeasuredFunction.sparsity_of_shares,
    "explainer_agreement": MeasuredFunction.agreement,
    "explanation_stability": MeasuredFunction.stability,
    "introspectability": MeasuredFunction.introspectability,
}
NAMES: tuple[str, ...] = tuple(_MEASURES)
"""The names of all measures, as in ``nas_core.MEASURES``."""
