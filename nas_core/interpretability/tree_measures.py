"""Measures of a network that a decision tree imitates: how well a small one does, and how long its decisions take."""

from __future__ import annotations

from types import MappingProxyType

from nas_core.interpretability.agreement import Agreement
from nas_core.interpretability.base import Advice, Measure, MeasureContext, MeasuredCandidate, needs_training
from nas_core.interpretability.intervals import RESAMPLES, estimated
from nas_core.interpretability.structure import keep_apart
from nas_core.interpretability.tree_pack import DEPTH, TREE_ROWS
from nas_core.interpretability.trees import LEAF, LEAF_OF_PATH
from nas_core.records import Measurement, Verdict

__all__ = ["DecisionPath", "TreeFidelity", "path_measurement"]

LONGEST = 10


class TreeFidelity(Measure):
    """How well a decision tree of depth 4 reproduces the network on held-out rows: R², or Cohen's κ of the classes.

    The tree is grown on training rows and what the network says of them, over the features that the network uses, with
    5 rows or more in a leaf, and judged on the fixed held-out rows. It reads the rank of a value, so units do not
    matter, and of a category one yes or no per level. There is no value where the network says the same of all rows:
    a constant is reproduced by anything.

    Images and series are judged on a tree over the means of their patches or steps, by five-fold cross-validation on
    held-out rows; words have no order that a tree could split.

    The interval is the 95 % percentile interval over resampled held-out rows, with the tree held fixed.

    Source: Craven & Shavlik (1996), TREPAN; Wu et al. (2018), arXiv 1711.06178.
    Differs: Cohen's κ instead of agreement, which class imbalance inflates; no rows are made up, as TREPAN does.
    Costs: one tree on at most 1,000 rows, fewer where many features are used; one forward pass of these rows.
    """

    name, label, family = "tree_fidelity", "Like a small tree", "summary"
    settings = MappingProxyType({"depth": DEPTH, "rows": TREE_ROWS, "rows in a leaf": LEAF, "resamples": RESAMPLES})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks, and numbers or categories to split."""
        return _can_be_split(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return R² or κ within [0, 1] with its interval; raw = before it is cut."""
        return [_fidelity(found.fidelity) for found in context.trees]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return how much the tree reproduces, and what makes a network more like one."""
        value = candidate.measurement.value
        if value is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        state = f"A tree of at most {DEPTH} decisions per row reproduces {value:.1%} of what the network says."
        return Advice(state) if value >= 1 else Advice(state, _fewer_decisions(candidate))


class DecisionPath(Measure):
    """How few decisions lead to a prediction: 1 − min(1, APL / 10), APL the mean path of a tree that imitates it.

    A tree without a bound on its depth is grown on training rows and the classes the network predicts for them (for a
    regression: its output) with at least max(25, 1 % of the rows) in a leaf. APL is the mean number of decisions that a
    row passes. There is no value where the network says the same of all rows, or with fewer than 50 rows.

    Images and series: as ``tree_fidelity``, over the means of patches or steps.

    The interval is the 95 % percentile interval over resampled rows, with the tree held fixed.

    Source: Wu et al. (2018), arXiv 1711.06178.
    Differs: the tree is not pruned, and the path counts decisions, not the numbers of leaves.
    Costs: one tree on the rows of ``tree_fidelity``; no more forward passes.
    """

    name, label, family = "decision_path", "Short decisions", "summary"
    settings = MappingProxyType({"longest": LONGEST, "rows": TREE_ROWS, "rows in a leaf": f"{LEAF_OF_PATH} or 1 %"})

    def applies_to(self, context: MeasureContext) -> Verdict:
        """Return that it needs trained networks, and numbers or categories to split."""
        return _can_be_split(context)

    def score(self, context: MeasureContext) -> list[Measurement]:
        """Return 1 − min(1, APL / 10) with its interval; raw = APL."""
        return [path_measurement(found.path) for found in context.trees]

    def advise(self, candidate: MeasuredCandidate) -> Advice:
        """Return the mean path, and what shortens it."""
        length, value = candidate.measurement.raw, candidate.measurement.value
        if length is None or value is None:
            return Advice(f"Not measured: {candidate.measurement.reason}.")
        state = f"A tree that decides as the network does asks {length:.1f} questions about a row on average."
        return Advice(state) if value >= 1 else Advice(state, _fewer_decisions(candidate))


def path_measurement(path: Agreement) -> Measurement:
    """Return the score of a mean path with its interval; raw = the mean path."""
    if path.value is None or path.low is None or path.high is None:
        return Measurement(reason=path.reason)
    value, low, high = (1 - min(1.0, length / LONGEST) for length in (path.value, path.high, path.low))
    return Measurement(value=value, raw=path.value, low=min(low, value), high=max(high, value))


def _fidelity(found: Agreement) -> Measurement:
    """Return the score of a held-out R² or κ with its interval."""
    if found.value is None or found.low is None or found.high is None:
        return Measurement(reason=found.reason)
    return estimated(found.value, found.low, found.high)


def _can_be_split(context: MeasureContext) -> Verdict:
    """Return whether a tree can split what the networks read."""
    if context.signal is not None and context.signal.vocabulary:
        return Verdict(ok=False, reason="words have no order that a tree could split")
    return needs_training(context)


def _fewer_decisions(candidate: MeasuredCandidate) -> str:
    """Return what makes a network more like a short tree."""
    if candidate.signal is not None:
        return keep_apart(candidate)
    return "Use fewer features, or fewer hidden units and layers: a simpler output takes fewer decisions."
