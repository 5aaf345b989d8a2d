"""A surrogate tree as a picture needs it: one line of the page per node, so that no two labels can meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    from nas_core.explanations import ForestSurrogate, TreeNode, TreeSurrogate

__all__ = ["Fidelity", "TreeMark", "TreeView", "fidelity", "forest_words", "tree_view"]

GOOD, FAIR = 0.9, 0.7


@dataclass(frozen=True)
class TreeMark:
    """One node of the picture.

    Attributes:
        column, line: Decisions above it, and its line, 0 at the top.
        label: What it asks, or what it says.
        detail: How many rows, and how sure; on the same line as the label, quieter.
        hover: All of it.
        leaf: Whether it is a leaf.
        size: Square root of the share of rows, in (0, 1].
        kind: Index of the class that colours it; -1 for a regression.
        level: Where its value lies between the lowest (0) and highest (1) leaf of a regression; for classes, the share
            of its rows that the network gives its class.
        parent: Number of the mark above it; -1 at the top.
        branch: What the link from above says; empty at the top.
    """

    column: int
    line: int
    label: str
    detail: str
    hover: str
    leaf: bool
    size: float
    kind: int
    level: float
    parent: int
    branch: str


@dataclass(frozen=True)
class TreeView:
    """All marks of a tree, the names of what colours them, and the tree in words."""

    marks: tuple[TreeMark, ...]
    classes: tuple[str, ...]
    unit: str
    spoken: str


@dataclass(frozen=True)
class Fidelity:
    """How well a tree reproduces a network: a sentence, its state (good, fair, bad or unknown), and what it means."""

    state: str
    words: str
    warning: str


def tree_view(tree: TreeSurrogate, unit: str) -> TreeView:
    """Return the picture of a tree.

    Every node has a line of its own: what is below its yes stands above it, what is below its no stands under it, so
    links never cross and labels have the whole width to their right.
    """
    lines = _lines(tree)
    outputs = [float(n.output[0]) for n in tree.nodes]
    low, high = min(outputs), max(outputs)
    marks = []
    for number_, node in enumerate(tree.nodes):
        level = node.matched if tree.classes else (float(node.output[0]) - low) / ((high - low) or 1.0)
        branch = ""
        if node.parent >= 0:
            branch = text("whole.yes" if tree.nodes[node.parent].yes == number_ else "whole.no")
        label, detail = _words(tree, node, unit)
        marks.append(TreeMark(
            node.depth, lines[number_], label, detail, _hover(tree, node, label, unit), node.condition is None,
            float(np.sqrt(max(node.share, 1e-9))), node.code, float(level), node.parent, branch,
        ))  # fmt: skip
    return TreeView(tuple(marks), tree.classes, unit, "; ".join(rule.words for rule in tree.rules))


def fidelity(tree: TreeSurrogate) -> Fidelity:
    """Return what the tree is worth: good from 0.9 of κ or R² on, fair from 0.7, else it is not to be read alone."""
    found = tree.agreement
    if found.value is None:
        return Fidelity("unknown", text("whole.fidelity_none", reason=found.reason), "")
    state = "good" if found.value >= GOOD else "fair" if found.value >= FAIR else "bad"
    width = "" if found.low is None or found.high is None else text(
        "whole.interval", low=f"{found.low:.2f}", high=f"{found.high:.2f}"
    )  # fmt: skip
    if tree.classes:
        words = text("whole.fidelity_classes", share=percent(tree.matched), kappa=f"{found.value:.2f}", interval=width,
                     rows=tree.held_out)  # fmt: skip
        missed = percent(1 - tree.matched)
    else:
        words = text("whole.fidelity_numbers", share=_floor(found.value), interval=width, rows=tree.held_out)
        missed = percent(1 - max(0.0, found.value))
    return Fidelity(state, words, text(f"whole.fidelity_{state}", missed=missed))


def forest_words(forest: ForestSurrogate, tree: TreeSurrogate, most: int = 5) -> str:
    """Return how much better a forest does than the tree, and what it finds important."""
    order = [j for j in np.argsort(-forest.importance, kind="stable")[:most] if forest.importance[j] > 0]
    names = ", ".join(f"{forest.feature_names[j]} {percent(float(forest.importance[j]))}" for j in order)
    measure = "κ" if tree.classes else "R²"
    if forest.agreement.value is None or tree.agreement.value is None:
        return text("whole.forest_none", reason=forest.agreement.reason or tree.agreement.reason, names=names or "–")
    return text("whole.forest", trees=forest.trees, measure=measure, value=f"{forest.agreement.value:.2f}",
                tree=f"{tree.agreement.value:.2f}", names=names)  # fmt: skip


def _floor(value: float) -> str:
    return percent(value) if value >= 0 else number(value, 2)


def _lines(tree: TreeSurrogate) -> dict[int, int]:
    """Return the line of each node, in the order yes, node, no."""
    order: list[int] = []

    def walk(at: int) -> None:
        node = tree.nodes[at]
        if node.condition is not None:
            walk(node.yes)
        order.append(at)
        if node.condition is not None:
            walk(node.no)

    walk(0)
    return {at: line for line, at in enumerate(order)}


def _words(tree: TreeSurrogate, node: TreeNode, unit: str) -> tuple[str, str]:
    """Return the label and the detail of a node."""
    if node.condition is not None:
        return f"{node.condition.words}?", ""
    rows = text("whole.one_row") if node.rows == 1 else text("whole.rows", count=node.rows)
    if tree.classes:
        return node.answer, f"{rows} · {percent(node.matched)}"
    return f"{node.answer} {unit}", f"{rows} · ± {number(node.spread, 2)}"


def _hover(tree: TreeSurrogate, node: TreeNode, label: str, unit: str) -> str:
    rows = text("whole.hover_rows", count=node.rows, share=percent(node.share))
    if tree.classes:
        said = text("whole.hover_class", name=node.answer, share=percent(node.matched))
    else:
        said = text("whole.hover_value", value=node.answer, unit=unit, spread=number(node.spread, 2))
    return f"<b>{label}</b><br>{rows}<br>{said}"
