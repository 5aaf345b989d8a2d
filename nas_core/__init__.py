"""The engine of NASight: interpretable neural architecture search, without a user interface.

The names below are the public door. They are imported when they are first used, so ``import nas_core`` is fast and
loads neither PyTorch nor pandas. A search in five lines:

    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem)
    run = start_run(open_store(), problem, space, RunSettings(candidates=300))
    run.wait()
    view = follow(run.store, run.id)
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "nas_core.data": ("DataSource", "Dataset", "Problem", "ProblemSpec", "Recipe", "builtin_names", "load_data"),
    "nas_core.errors": (
        "DataError",
        "ExplanationError",
        "NasightError",
        "RunError",
        "SettingsError",
        "SpaceError",
        "StoreError",
        "TrainingError",
    ),
    "nas_core.evaluation.base": ("Evaluator",),
    "nas_core.evaluation.floors": ("trivial_floors",),
    "nas_core.evaluation.packs": ("PackEvaluator",),
    "nas_core.evaluation.synthetic": ("SyntheticEvaluator",),
    "nas_core.explanations": ("EXPLAINERS", "TrainedCandidate", "explain", "shape_functions"),
    "nas_core.interpretability": ("MEASURES", "Measure"),
    "nas_core.objectives": ("METRICS", "Objective", "metric_objective"),
    "nas_core.preferences": ("Preference",),
    "nas_core.records": (
        "Architecture",
        "Estimate",
        "Evaluation",
        "Event",
        "Measurement",
        "Proposal",
        "RunRecord",
        "RunState",
        "Status",
    ),
    "nas_core.runs.candidates": ("load_candidate",),
    "nas_core.runs.registry": ("resume_run", "start_run"),
    "nas_core.runs.report": ("run_document",),
    "nas_core.runs.run": ("Run",),
    "nas_core.runs.settings": ("RunSettings",),
    "nas_core.runs.viewer": ("RunView", "follow"),
    "nas_core.search": ("STRATEGIES", "Archive", "Strategy", "hypervolume"),
    "nas_core.spaces": ("SearchSpace", "facts", "graph"),
    "nas_core.store": ("InMemoryStore", "Store", "open_store"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'nas_core' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__all__", "__doc__", "__name__"]
