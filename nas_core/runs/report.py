"""A run as one JSON document: what was found, how good it is, and what trivial models reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.interpretability import MEASURES
from nas_core.interpretability.cells import cell_words
from nas_core.records import Evaluation
from nas_core.runs.settings import RunSettings
from nas_core.runs.viewer import RunView
from nas_core.search.correlations import correlate
from nas_core.search.fronts import hypervolume
from nas_core.search.goals import goal_report
from nas_core.spaces import SearchSpace, facts

if TYPE_CHECKING:
    from nas_core.evaluation.floors import Floor
    from nas_core.preferences import Preference
    from nas_core.runs.progress import Progress
    from nas_core.search.ranking import Ranking
    from nas_core.search.snapshot import Snapshot

__all__ = ["floors_document", "run_document"]


def run_document(view: RunView, floors: Sequence[Floor] | None = None) -> dict[str, Any]:
    """Return everything about a run as JSON-able data.

    ``features`` is what the features are called: features, patches, steps, words. ``structure`` describes an
    architecture in one line; ``receptive_field`` is what one place of the last maps of a signal network can see.
    ``on_front`` refers to the front of performance against interpretability under the run's preference. The hypervolume
    is that of ``hypervolume_losses``, reference point 1, the model without features included. ``measures_correlation``
    says which measures rank the eligible candidates alike, and warns where the weights count one property twice.
    ``best`` meets all goals of the preference or, while no candidate does, is the nearest; ``goals`` says more. It lies
    in the search space as it is now, and so does the front. ``mark`` is what people said of a candidate, None where
    nobody did: ``star``, ``note``, ``tags``, who wrote it and when. ``seconds`` says where the time went: train,
    measure, strategy, store and idle are ``elapsed`` together, pauses are counted apart. ``progress`` has candidates a
    second lately (``rate``) and over the whole run (``mean_rate``), epochs, the device and the memory in bytes.

    Args:
        view: The run.
        floors: The trivial models of its problem, where they were computed.
    """
    view.refresh()
    record, settings = view.record, RunSettings.model_validate(view.record.settings)
    snapshot = view.snapshot
    ranking = snapshot.rank(settings.preference, view.inside(snapshot))
    marks = view.store.marks(view.run_id)
    rows = []
    for evaluation in view.store.evaluations(view.run_id):
        at = snapshot.position(evaluation.id)
        if at is not None:
            interpretability = float(ranking.interpretability[at])
            row = _candidate(view, evaluation, interpretability, on_front=bool(ranking.on_front[at]))
            mark = marks.get(evaluation.id)
            said = None if mark is None else mark.model_dump(mode="json", exclude={"candidate"})
            rows.append({**row, "meets_goals": bool(ranking.meets[at]), "mark": said})
    document = {
        "run_id": record.id,
        "name": record.name,
        "state": record.state.value,
        "reason": record.reason,
        "seed": settings.seed,
        "data_hash": record.data_hash,
        "metric": view.objective.name,
        "features": cell_words(view.space.signal),
        "strategy": settings.strategy,
        "weight": settings.preference.weight,
        "best": None if ranking.best is None else snapshot.ids[ranking.best],
        "goals": _goals(snapshot, ranking),
        "candidates": rows,
        "hypervolume": view.archive.hypervolume(),
        "hypervolume_losses": ["performance", *view.search],
        "measures_correlation": _correlations(snapshot, settings.preference),
        "seconds": {**view.progress.seconds, "elapsed": view.progress.elapsed, "paused": view.progress.paused},
        "progress": _progress(view.progress),
    }
    return document if floors is None else {**document, **floors_document(floors)}


def floors_document(floors: Sequence[Floor]) -> dict[str, Any]:
    """Return the trivial models by name, and the hypervolume they reach together."""
    losses = np.array([f.losses for f in floors])
    return {
        "floors": {
            f.name: {
                "label": f.label,
                "features": list(f.features),
                "performance": f.performance,
                "losses": list(f.losses),
                "hypervolume": hypervolume(losses[[0, at]], np.ones(losses.shape[1])),
            }
            for at, f in enumerate(floors)
        },
        "floors_hypervolume": hypervolume(losses, np.ones(losses.shape[1])),
    }


def _progress(now: Progress) -> dict[str, Any]:
    """Return the counters of a run, without what is said of its candidates and seconds elsewhere."""
    counters = now.model_dump(mode="json", exclude={"pack", "waiting", "seconds", "elapsed", "paused"})
    return {**counters, "mean_rate": now.evaluated / now.elapsed if now.elapsed else None}


def _correlations(snapshot: Snapshot, wish: Preference) -> dict[str, Any]:
    """Return Spearman's ρ of performance and measures over the eligible candidates, and what counts twice."""
    labels = {name: MEASURES[name].label for name in snapshot.names if name in MEASURES}
    return correlate(snapshot, wish).document(labels)


def _goals(snapshot: Snapshot, ranking: Ranking) -> dict[str, Any] | None:
    """Return what became of the goals, None where there are none; see :class:`GoalLine` for the lines."""
    if not ranking.preference.goals:
        return None
    found = goal_report(snapshot, ranking)
    labels = {name: MEASURES[name].label.lower() for name in snapshot.names if name in MEASURES}
    return {
        "lines": [
            {"name": line.goal.name, "value": line.goal.value, "at_least": line.at_least, "met": line.met,
             "best": line.best, "reached": line.reached, "lacks": line.lacks}
            for line in found.lines
        ],
        "met": found.met,
        "eligible": found.eligible,
        "best": found.id if found.met else None,
        "nearest": None if found.met else found.id,
        "sentence": found.sentence(snapshot.objective, labels),
    }  # fmt: skip


def _candidate(view: RunView, e: Evaluation, interpretability: float, *, on_front: bool) -> dict[str, Any]:
    space = view.space_of(e)
    performance = None
    if e.performance is not None:
        performance = {"metric": view.objective.name, **e.performance.model_dump()}
    return {
        "id": e.id,
        "index": e.index,
        "architecture": e.architecture.values,
        "space": e.space,
        "structure": space.engine.describe(space, e.architecture.values),
        "receptive_field": _receptive_field(space, e),
        "status": e.status.value,
        "reason": e.reason,
        "performance": performance,
        "interpretability": None if np.isnan(interpretability) else interpretability,
        "measures": {name: m.model_dump(exclude={"graded"}) for name, m in e.measures.items()},
        "cost": e.cost.model_dump(),
        "on_front": on_front,
        "operator": e.operator,
        "parents": list(e.parents),
    }


def _receptive_field(space: SearchSpace, e: Evaluation) -> list[int] | None:
    if space.signal is None:
        return None
    seen = facts(space, e.architecture).receptive_field
    return None if seen is None else list(seen)
