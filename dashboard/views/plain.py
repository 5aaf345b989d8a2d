"""A candidate in one plain sentence: what it reads, what acts together in it, and how well a small tree tells it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dashboard.texts import text
from dashboard.views.words import count, percent

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation
    from nas_core.spaces import SearchSpace, StructuralFacts

__all__ = ["plain_sentence"]


def plain_sentence(
    evaluation: Evaluation, space: SearchSpace, objective: Objective, found: StructuralFacts | None = None
) -> str:
    """Return what a candidate is, for somebody who knows none of the measures.

    Only what is known is said: the structure always, the tree where the run has measured one or says why it could not.
    κ is what a tree reproduces beyond chance, R² a share of the output's variation; each is called what it is.

    Args:
        evaluation: The candidate, however its evaluation ended.
        space: The space it was proposed in.
        objective: Of the run; its task decides whether a tree is judged by κ or by R².
        found: Facts on its structure, where they are known already.
    """
    from nas_core.spaces import facts

    known = found or facts(space, evaluation.architecture)
    parts = [_reads(space, known), _together(space, known), _tree(evaluation, objective)]
    told = text("plain.join").join(part for part in parts if part)
    return text("plain.sentence", told=told[:1].upper() + told[1:])


def _reads(space: SearchSpace, known: StructuralFacts) -> str:
    used, total = len(known.used_features), len(space.features)
    if space.signal is None:
        return text("plain.reads_all" if used == total else "plain.reads", used=count(used), total=count(total))
    return text(f"plain.reads_{space.signal.modality}", used=count(used), total=count(total))


def _together(space: SearchSpace, known: StructuralFacts) -> str:
    if not known.pairs:
        return text("plain.sum")
    total = math.comb(len(space.features), 2)
    if space.signal is not None:
        return text("plain.pairs_share", share=percent(known.pairs / total))
    return text("plain.pair" if known.pairs == 1 else "plain.pairs", count=count(known.pairs))


def _tree(evaluation: Evaluation, objective: Objective) -> str:
    measured = evaluation.measures.get("tree_fidelity")
    if measured is None or not evaluation.eligible:
        return ""
    if measured.value is None:
        return text("plain.tree_none")
    return text("plain.tree_classes" if objective.task == "classification" else "plain.tree_numbers",
                share=percent(measured.value))  # fmt: skip
