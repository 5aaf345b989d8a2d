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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers; a test holds both lists equal
    from nas_core.data import (
        Dataset as Dataset,
        DataSource as DataSource,
        Problem as Problem,
        ProblemSpec as ProblemSpec,
        Recipe as Recipe,
        Signal as Signal,
        builtin_names as builtin_names,
        image_signal as image_signal,
        load_data as load_data,
        sequence_signal as sequence_signal,
        signal_dataset as signal_dataset,
    )
    from nas_core.errors import (
        DataError as DataError,
        ExplanationError as ExplanationError,
        ExportError as ExportError,
        NasightError as NasightError,
        RunError as RunError,
        SettingsError as SettingsError,
        SpaceError as SpaceError,
        StoreError as StoreError,
        TrainingError as TrainingError,
    )
    from nas_core.evaluation.base import Evaluator as Evaluator
    from nas_core.evaluation.baselines import baselines as baselines
    from nas_core.evaluation.floors import trivial_floors as trivial_floors
    from nas_core.evaluation.packs import PackEvaluator as PackEvaluator
    from nas_core.evaluation.synthetic import SyntheticEvaluator as SyntheticEvaluator
    from nas_core.explanations import (
        EXPLAINERS as EXPLAINERS,
        SignalCandidate as SignalCandidate,
        TrainedCandidate as TrainedCandidate,
        explain as explain,
        shape_functions as shape_functions,
    )
    from nas_core.exports.exporting import export_candidate as export_candidate, export_run as export_run
    from nas_core.interpretability import MEASURES as MEASURES, Measure as Measure
    from nas_core.interpretability.model_agnostic import ModelFacts as ModelFacts, measure as measure
    from nas_core.objectives import METRICS as METRICS, Objective as Objective, metric_objective as metric_objective
    from nas_core.preferences import Goal as Goal, Preference as Preference
    from nas_core.records import (
        Architecture as Architecture,
        Estimate as Estimate,
        Evaluation as Evaluation,
        Event as Event,
        Measurement as Measurement,
        Proposal as Proposal,
        RunRecord as RunRecord,
        RunState as RunState,
        Status as Status,
    )
    from nas_core.runs.auditing import RunAudit as RunAudit, audit_run as audit_run
    from nas_core.runs.candidates import load_candidate as load_candidate
    from nas_core.runs.registry import resume_run as resume_run, start_run as start_run
    from nas_core.runs.report import run_document as run_document
    from nas_core.runs.run import Run as Run
    from nas_core.runs.settings import RunSettings as RunSettings
    from nas_core.runs.viewer import RunView as RunView, follow as follow
    from nas_core.search import (
        STRATEGIES as STRATEGIES,
        Archive as Archive,
        Strategy as Strategy,
        hypervolume as hypervolume,
    )
    from nas_core.spaces import (
        SearchSpace as SearchSpace,
        facts as facts,
        families_for as families_for,
        graph as graph,
    )
    from nas_core.store import (
        InMemoryStore as InMemoryStore,
        Mark as Mark,
        Store as Store,
        mark_candidate as mark_candidate,
        open_store as open_store,
    )

_HOMES = {
    "nas_core.data": (
        "DataSource",
        "Dataset",
        "Problem",
        "ProblemSpec",
        "Recipe",
        "Signal",
        "builtin_names",
        "image_signal",
        "load_data",
        "sequence_signal",
        "signal_dataset",
    ),
    "nas_core.errors": (
        "DataError",
        "ExplanationError",
        "ExportError",
        "NasightError",
        "RunError",
        "SettingsError",
        "SpaceError",
        "StoreError",
        "TrainingError",
    ),
    "nas_core.evaluation.base": ("Evaluator",),
    "nas_core.evaluation.baselines": ("baselines",),
    "nas_core.evaluation.floors": ("trivial_floors",),
    "nas_core.evaluation.packs": ("PackEvaluator",),
    "nas_core.evaluation.synthetic": ("SyntheticEvaluator",),
    "nas_core.explanations": ("EXPLAINERS", "SignalCandidate", "TrainedCandidate", "explain", "shape_functions"),
    "nas_core.exports.exporting": ("export_candidate", "export_run"),
    "nas_core.interpretability": ("MEASURES", "Measure"),
    "nas_core.interpretability.model_agnostic": ("ModelFacts", "measure"),
    "nas_core.objectives": ("METRICS", "Objective", "metric_objective"),
    "nas_core.preferences": ("Goal", "Preference"),
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
    "nas_core.runs.auditing": ("RunAudit", "audit_run"),
    "nas_core.runs.candidates": ("load_candidate",),
    "nas_core.runs.registry": ("resume_run", "start_run"),
    "nas_core.runs.report": ("run_document",),
    "nas_core.runs.run": ("Run",),
    "nas_core.runs.settings": ("RunSettings",),
    "nas_core.runs.viewer": ("RunView", "follow"),
    "nas_core.search": ("STRATEGIES", "Archive", "Strategy", "hypervolume"),
    "nas_core.spaces": ("SearchSpace", "facts", "families_for", "graph"),
    "nas_core.store": ("InMemoryStore", "Mark", "Store", "mark_candidate", "open_store"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


if not TYPE_CHECKING:  # a type checker that sees it takes every misspelt name for one of type Any

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module 'nas_core' has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, "__all__", "__doc__", "__name__"]
