"""Exact integrals of a forest: its marginal means over facets, and the variance that each facet explains.

A leaf is a box: for each facet it says which answers lead to it. With the facets drawn independently of each other,
each as it occurs among the candidates, the share of leaf l is Π_p q_lp with q_lp = P(an answer to p fits l), so all
integrals are sums over leaves, and no sampling is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.insight.facets import Facet

if TYPE_CHECKING:
    from nas_core.insight.forest import Part

__all__ = ["ANSWERS", "Answers", "Boxes", "answers_of", "boxes_of"]

ANSWERS = 192
"""Different answers to a facet that are integrated over; of more, as many drawn at random."""


@dataclass(frozen=True)
class Answers:
    """The different answers to a facet.

    Attributes:
        rows: (u, d) the answers.
        weights: (u,) how often each occurs, summing to 1.
        level: (u,) the level of each.
    """

    rows: np.ndarray
    weights: np.ndarray
    level: np.ndarray


@dataclass(frozen=True)
class Boxes:
    """The L leaves of a forest as boxes over F facets.

    Attributes:
        values: (L,) what each leaf adds to the prediction.
        inside: For each facet, bool (L, u), which of its answers fit each leaf.
        shares: (F, L) the probability q of that.
        answers: What the columns of ``inside`` are.
        trees: How many trees the leaves are of.
    """

    values: np.ndarray
    inside: tuple[np.ndarray, ...] = field(repr=False)
    shares: np.ndarray = field(repr=False)
    answers: tuple[Answers, ...] = field(repr=False)
    trees: int

    @property
    def mean(self) -> float:
        """The mean prediction."""
        return float(self.values @ self.shares.prod(axis=0))

    def curve(self, facet: int) -> np.ndarray:
        """Return the mean prediction (u,) for each answer to one facet."""
        found: np.ndarray = self._but(facet) @ self.inside[facet]
        return found

    def surface(self, one: int, other: int) -> np.ndarray:
        """Return the mean prediction (u, u') for each pair of answers to two facets."""
        weighted = self.inside[one].astype(np.float64) * self._but(one, other)[:, None]
        found: np.ndarray = weighted.T @ self.inside[other].astype(np.float64)
        return found

    def variances(self, pairs: bool = False) -> tuple[float, np.ndarray, dict[tuple[int, int], float]]:
        """Return the variance of the prediction, that of the F curves, and that of the surfaces of pairs if asked.

        The variance of a surface holds those of its two curves.
        """
        overlaps = []
        for m, a in zip(self.inside, self.answers):
            fits, weights = _told_apart(m, a.weights)
            overlaps.append((fits * weights) @ fits.T)
        both = np.ones_like(overlaps[0])
        for overlap in overlaps:
            both *= overlap
        about = self._centred()  # around the mean: else its square would swallow the digits of a small variance
        whole = _form(about.values, both)
        curves = [about._but(p) @ m for p, m in enumerate(self.inside)]
        alone = np.array([a.weights @ np.square(curve) for a, curve in zip(self.answers, curves)])
        jointly: dict[tuple[int, int], float] = {}
        if pairs:
            for p, q in combinations(range(len(overlaps)), 2):
                jointly[p, q] = _form(about._but(p, q), overlaps[p] * overlaps[q])
        return max(whole, 0.0), np.maximum(alone, 0.0), jointly

    def _centred(self) -> Boxes:
        """Return the same with mean 0; every answer lies in one leaf of each tree."""
        return Boxes(self.values - self.mean / self.trees, self.inside, self.shares, self.answers, self.trees)

    def _but(self, *facets: int) -> np.ndarray:
        """Return the value of each leaf times its share in all facets but these."""
        others = np.delete(self.shares, list(facets), axis=0)
        found: np.ndarray = self.values * others.prod(axis=0)
        return found


def answers_of(facets: Sequence[Facet], seed: int = 0) -> tuple[Answers, ...]:
    """Return the answers that are integrated over: the decided ones, as often as they occur."""
    found = []
    for facet in facets:
        rows, level = facet.columns[facet.decided].astype(np.float32), facet.level[facet.decided]
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        if len(first) > ANSWERS:
            at = np.sort(np.random.default_rng(seed).choice(len(rows), ANSWERS, replace=False))
            weights = np.full(ANSWERS, 1.0 / ANSWERS)
        else:
            at, weights = first, np.bincount(inverse.ravel()) / len(rows)
        found.append(Answers(rows[at], weights, level[at]))
    return tuple(found)


def boxes_of(part: Part, slices: Sequence[slice], answers: Sequence[Answers]) -> Boxes:
    """Return the leaves of one part as boxes over the facets, of which ``slices`` say where their columns are."""
    facet_of = np.concatenate([np.full(s.stop - s.start, p) for p, s in enumerate(slices)])
    values: list[float] = []
    inside: list[list[np.ndarray]] = []
    trees = part.model.estimators_
    everywhere = [np.ones(len(a.weights), dtype=bool) for a in answers]
    for tree in trees:
        for value, fits in _leaves(tree.tree_, facet_of, slices, answers, everywhere):
            values.append(value / len(trees))
            inside.append(fits)
    stacked = tuple(np.array([fits[p] for fits in inside], dtype=bool) for p in range(len(slices)))
    shares = np.stack([m @ a.weights for m, a in zip(stacked, answers)])
    return Boxes(np.array(values), stacked, shares, tuple(answers), len(trees))


def _leaves(
    tree: Any, facet_of: np.ndarray, slices: Sequence[slice], answers: Sequence[Answers], everywhere: list[np.ndarray]
) -> list[tuple[float, list[np.ndarray]]]:
    """Return the value of each leaf and, facet by facet, which answers fit it."""
    found = []
    open_nodes = [(0, everywhere)]
    while open_nodes:
        node, fits = open_nodes.pop()
        column = tree.feature[node]
        if column < 0:
            found.append((float(tree.value[node].ravel()[0]), fits))
            continue
        p = int(facet_of[column])
        left = answers[p].rows[:, column - slices[p].start] <= tree.threshold[node]
        for child, side in ((tree.children_left[node], left), (tree.children_right[node], ~left)):
            open_nodes.append((int(child), [*fits[:p], fits[p] & side, *fits[p + 1 :]]))
    return found


def _told_apart(inside: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers (L, u') that lie in different leaves, and the weight (u') of all that lie in the same."""
    packed = np.ascontiguousarray(np.packbits(inside, axis=0).T)
    _, first, same = np.unique(packed.view(f"V{packed.shape[1]}"), return_index=True, return_inverse=True)
    return inside[:, first].astype(np.float32), np.bincount(same.ravel(), weights).astype(np.float32)


def _form(vector: np.ndarray, matrix: np.ndarray) -> float:
    """Return vᵀ M v."""
    return float(vector @ (matrix.astype(np.float64) @ vector))
