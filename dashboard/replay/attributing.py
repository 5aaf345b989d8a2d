"""What the networks of the front look at: mean size of their attributions, for as many as the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import NasightError

if TYPE_CHECKING:
    import threading

    from nas_core.data.problem import Problem
    from nas_core.records import Evaluation
    from nas_core.runs.viewer import RunView

__all__ = ["importances"]

ROWS, BACKGROUND, TOP = 40, 25, 8


def importances(
    view: RunView,
    chosen: Sequence[Evaluation],
    problem: Problem,
    *,
    seconds: float,
    stop: threading.Event,
    told: Callable[[int, int], None],
) -> dict[str, list[list[Any]]]:
    """Return the features with the largest mean |attribution| by identity, as [name, share of all], TOP at most.

    Forty validation rows against 25 training rows, the first answer of the explainer that fits each network. A network
    without stored weights, or that cannot be explained, is left out; so are those that the time does not reach.

    Args:
        view: The run.
        chosen: Whose, the most wanted first.
        problem: The run's.
        seconds: Time for all together; one that was begun is finished.
        stop: Ends it between two networks.
        told: Told how many are done, of how many.
    """
    until = time.monotonic() + seconds
    found: dict[str, list[list[Any]]] = {}
    for number, evaluation in enumerate(chosen):
        if stop.is_set() or time.monotonic() >= until:
            break
        told(number, len(chosen))
        try:
            found[evaluation.id] = _importance(view, evaluation, problem)
        except NasightError:
            continue
    return found


def _importance(view: RunView, evaluation: Evaluation, problem: Problem) -> list[list[Any]]:
    from nas_core.explanations import choose_explainer, default_background
    from nas_core.runs.candidates import load_candidate

    space = view.space_of(evaluation)
    candidate = load_candidate(view.store, view.run_id, evaluation.id, problem=problem, space=space)
    rows = problem.valid.raw
    at = np.unique(np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int))
    background = default_background(problem, BACKGROUND)
    attribution = next(choose_explainer(candidate).refine(candidate, rows[at], background))
    size = np.abs(attribution.values).mean(axis=(0, 2))
    total = float(size.sum())
    if not total > 0.0:
        return []
    order = np.argsort(-size, kind="stable")[:TOP]
    return [[str(attribution.feature_names[j]), round(float(size[j]) / total, 4)] for j in order if size[j] > 0.0]
