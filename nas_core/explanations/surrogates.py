"""A small decision tree that imitates a candidate as a whole, to be read by a person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations.base import Candidate
from nas_core.explanations.moves import checked_table
from nas_core.explanations.surrogate_rows import MAX_ROWS, ImitatedRows
from nas_core.explanations.surrogate_rules import Condition, Rule, cut_words
from nas_core.interpretability.agreement import Agreement
from nas_core.interpretability.trees import SurrogateTree, hard_classes, surrogate_tree

if TYPE_CHECKING:
    from nas_core.explanations.candidate import TrainedCandidate

__all__ = ["DEPTHS", "TreeNode", "TreeSurrogate", "tree_surrogate"]

DEPTHS = (2, 3, 4, 5)


@dataclass(frozen=True)
class TreeNode:
    """One node of a surrogate tree.

    Attributes:
        parent: Number of the node above, -1 for the first.
        depth: Decisions above it.
        yes, no: Numbers of the nodes below; -1 for a leaf.
        condition: What it asks; None for a leaf.
        rows, share: How many of the rows the tree was grown on reach it, and as a share of all.
        answer: What the tree says of them if it stops here: a class, or a number.
        code: The index of that class; -1 for a regression.
        output: Mean output of the network over the rows, (C,).
        matched: Share of the rows to which the network gives this class; NaN for a regression.
        spread: Standard deviation of the network's output over the rows; NaN for classes.
    """

    parent: int
    depth: int
    yes: int
    no: int
    condition: Condition | None
    rows: int
    share: float
    answer: str
    code: int
    output: np.ndarray
    matched: float
    spread: float


@dataclass(frozen=True)
class TreeSurrogate:
    """A decision tree that imitates a candidate, and how well it does on rows it was not grown on.

    Attributes:
        nodes: In the order of their numbers; the first is the top.
        depth: Most decisions that were allowed.
        agreement: Held-out R² of the outputs, or Cohen's κ of the classes, with its interval; or the reason for none.
        matched: Share of the held-out rows that get the network's class; NaN for a regression.
        rows, held_out: Training rows it was grown on, validation rows it was judged on.
        classes: Names of the classes; empty for a regression.
        filled: Names of the features with missing values, which the tree reads as their training median or mode.
    """

    nodes: tuple[TreeNode, ...]
    depth: int
    agreement: Agreement
    matched: float
    rows: int
    held_out: int
    classes: tuple[str, ...]
    filled: tuple[str, ...]

    @property
    def leaves(self) -> tuple[int, ...]:
        """Numbers of the leaves, in the order in which the tree is read: yes before no."""
        return tuple(n for n, _ in self._paths)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Return the number of the leaf (n,) that raw rows (n, P) without missing values end in."""
        found = np.zeros(len(X), np.int64)
        for leaf, path in self._paths:
            within = np.ones(len(X), bool)
            for condition, holds in path:
                within &= condition.holds(X) == holds
            found[within] = leaf
        return found

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return what the tree says of raw rows (n, P) without missing values: class codes (n,), or outputs (n, C)."""
        leaves = self.apply(X)
        if self.classes:
            return np.array([n.code for n in self.nodes])[leaves]
        return np.stack([n.output for n in self.nodes])[leaves]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """One rule per leaf, in the order in which the tree is read; exactly one holds for every row."""
        return tuple(self._rule(leaf, path) for leaf, path in self._paths)

    def rules_text(self) -> str:
        """Return the rules as text, one to a line, after what they are worth."""
        measure = "Cohen's kappa" if self.classes else "R²"
        a = self.agreement
        head = [f"# A decision tree of depth {self.depth} that imitates a network, grown on {self.rows} rows."]
        if a.value is None:
            head.append(f"# Held-out fidelity: none, {a.reason}.")
        else:
            width = "" if a.low is None or a.high is None else f" (95 % interval {a.low:.3f} to {a.high:.3f})"
            head.append(f"# Held-out fidelity on {self.held_out} rows: {measure} {a.value:.3f}{width}.")
        if self.classes:
            head.append("# In brackets: rows under the rule, and the share to which the network gives the same class.")
        else:
            head.append("# In brackets: rows under the rule, and the standard deviation of the network's output.")
        if self.filled:
            head.append(f"# Missing values count as the median or the commonest value of {', '.join(self.filled)}.")
        return "\n".join([*head, "", *(r.words for r in self.rules), ""])

    @cached_property
    def _paths(self) -> tuple[tuple[int, tuple[tuple[Condition, bool], ...]], ...]:
        """Every leaf with the conditions on its way and whether they hold there, yes before no."""
        found: list[tuple[int, tuple[tuple[Condition, bool], ...]]] = []

        def walk(number: int, path: tuple[tuple[Condition, bool], ...]) -> None:
            node = self.nodes[number]
            if node.condition is None:
                found.append((number, path))
                return
            walk(node.yes, (*path, (node.condition, True)))
            walk(node.no, (*path, (node.condition, False)))

        walk(0, ())
        return tuple(found)

    def _rule(self, leaf: int, path: tuple[tuple[Condition, bool], ...]) -> Rule:
        joined: dict[int, Condition] = {}
        for condition, holds in path:
            own = condition if holds else _opposite(condition)
            joined[own.feature] = joined[own.feature].joined(own) if own.feature in joined else own
        node = self.nodes[leaf]
        confidence = f"{100 * node.matched:.0f} %" if self.classes else f"± {node.spread:.3g}"
        return Rule(tuple(joined.values()), leaf, node.answer, node.rows, confidence)


def tree_surrogate(candidate: Candidate, depth: int = 4, *, seed: int = 0) -> TreeSurrogate:
    """Return the decision tree that imitates a candidate on training rows, judged on validation rows.

    It imitates the predicted class, or the output of a regression. Splits whose sides say the same class are left out,
    which changes no prediction. It asks only about features that the network reads.

    Source: Craven & Shavlik (1996), TREPAN; Wu et al. (2018), arXiv 1711.06178.
    Costs: N predictions and seven tree fits on at most 2000 rows.

    Args:
        candidate: Of a table.
        depth: Most decisions on a path, 2 to 5.
        seed: Of the cross-validation inside the fit; the tree is the same for all.

    Raises:
        ExplanationError: The candidate does not read a table, or its outputs are not finite.
        SettingsError: The depth is not 2 to 5.
    """
    if depth not in DEPTHS:
        raise SettingsError(f"A tree of depth {depth}", allowed="2 to 5", fix="choose one a person can read")
    table = checked_table(candidate, "Surrogate trees")
    seen = ImitatedRows.of(table)
    classes = len(table.problem.dataset.classes)
    fitted = surrogate_tree(
        seen.X, seen.outputs, classes=classes, categorical=seen.categorical, seed=seed, depth=depth, rows=MAX_ROWS
    )
    if fitted.tree is None:
        raise ExplanationError(f"The network cannot be imitated: {fitted.reason}", fix="look at its diagnosis")
    nodes = _Grower(table, fitted, seen).nodes
    raw = table.problem.dataset
    gone = table.problem.encoder.has_indicator
    filled = tuple(f.name for j, f in enumerate(raw.features) if gone[j] and j in table.used)
    own = TreeSurrogate(nodes, depth, Agreement(None, None, None), np.nan, len(seen.X), len(seen.held), raw.classes,
                        filled)  # fmt: skip
    agreement, matched = seen.judged(own.predict(seen.held), classes)
    return TreeSurrogate(nodes, depth, agreement, matched, len(seen.X), len(seen.held), raw.classes, filled)


class _Grower:
    """Turns a fitted tree into nodes that say what they ask and what they stand for."""

    def __init__(self, candidate: TrainedCandidate, fitted: SurrogateTree, seen: ImitatedRows) -> None:
        self._problem, self._fitted, self._seen = candidate.problem, fitted, seen
        self._tree = fitted.tree.tree_
        self._classes = fitted.tree.classes_ if hasattr(fitted.tree, "classes_") else None
        self._own = hard_classes(seen.outputs) if self._classes is not None else None
        self._design = fitted.design(seen.X)
        self.nodes: tuple[TreeNode, ...] = ()
        found: list[TreeNode | None] = []
        self._grow(0, -1, 0, np.arange(len(seen.X)), found)
        self.nodes = tuple(n for n in found if n is not None)

    def _grow(self, node: int, parent: int, depth: int, rows: np.ndarray, found: list[TreeNode | None]) -> int:
        """Append a node and all below it; return its number."""
        number = len(found)
        found.append(None)
        yes = no = -1
        condition = None
        if len(self._answers(node)) > 1 or (self._classes is None and self._tree.children_left[node] >= 0):
            column, cut = self._tree.feature[node], self._tree.threshold[node]
            left = self._design[rows, column] <= cut
            below = (self._tree.children_left[node], rows[left]), (self._tree.children_right[node], rows[~left])
            # of a category the right side, 1, is the level
            first, second = below if self._fitted.columns[column][1] is None else below[::-1]
            condition = self._condition(column, float(cut))
            yes = self._grow(int(first[0]), number, depth + 1, first[1], found)
            no = self._grow(int(second[0]), number, depth + 1, second[1], found)
        found[number] = self._node(node, parent, depth, (yes, no), condition, rows)
        return number

    def _answers(self, node: int) -> set[int]:
        """Return the classes that the leaves below a node say."""
        if self._classes is None:
            return set()
        left = self._tree.children_left[node]
        if left < 0:
            return {int(self._tree.value[node][0].argmax())}
        return self._answers(left) | self._answers(self._tree.children_right[node])

    def _condition(self, column: int, cut: float) -> Condition:
        feature, level = self._fitted.columns[column]
        spec = self._problem.dataset.features[feature]
        if level is not None:
            return Condition(feature, spec.name, codes=(int(level),), levels=spec.levels)
        values = np.concatenate((self._seen.X[:, feature], self._seen.held[:, feature]))
        return Condition(feature, spec.name, high=cut, high_words=cut_words(cut, values))

    def _node(
        self, node: int, parent: int, depth: int, below: tuple[int, int], condition: Condition | None, rows: np.ndarray
    ) -> TreeNode:
        outputs = self._seen.outputs[rows]
        share = len(rows) / len(self._seen.X)
        if self._classes is None or self._own is None:
            output = self._tree.value[node][:, 0]
            return TreeNode(parent, depth, *below, condition, len(rows), share, f"{output[0]:.3g}", -1, output, np.nan,
                            float(outputs[:, 0].std()))  # fmt: skip
        code = int(self._classes[self._tree.value[node][0].argmax()])
        matched = float(np.mean(self._own[rows] == code))
        return TreeNode(parent, depth, *below, condition, len(rows), share, self._problem.dataset.classes[code], code,
                        outputs.mean(0), matched, np.nan)  # fmt: skip


def _opposite(condition: Condition) -> Condition:
    """Return the condition that holds where this one does not."""
    if condition.codes is not None:
        rest = tuple(c for c in range(len(condition.levels)) if c not in condition.codes)
        return Condition(condition.feature, condition.name, codes=rest, levels=condition.levels)
    return Condition(condition.feature, condition.name, low=condition.high, low_words=condition.high_words)
