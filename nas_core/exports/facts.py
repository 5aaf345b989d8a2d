"""What is known of a candidate and of where it came from, gathered once for every format."""

from __future__ import annotations

import importlib.metadata
import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nas_core.data.spec import ProblemSpec
from nas_core.runs.settings import RunSettings

if TYPE_CHECKING:
    from nas_core.data.dataset import DataSource
    from nas_core.data.problem import Problem
    from nas_core.records import Evaluation, RunRecord
    from nas_core.spaces.space import SearchSpace

__all__ = ["candidate_document", "model_facts", "reproduction"]


def version() -> str:
    """Return the version of NASight that is installed."""
    try:
        return importlib.metadata.version("nasight")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that nobody installed
        return "unknown"


def shown_source(source: DataSource) -> dict[str, Any]:
    """Return where data came from without the folders of this machine, which say who uses it."""
    document = source.model_dump(mode="json")
    if source.kind == "file":
        document["location"] = PurePath(source.location).name
    if test := document["reading"].get("test"):
        document["reading"]["test"] = PurePath(test).name
    return document


def reproduction(record: RunRecord) -> str:
    """Return the command that runs the same search on the same data."""
    spec, settings = ProblemSpec.model_validate(record.problem), RunSettings.model_validate(record.settings)
    words = ["nasight", "search", shown_source(spec.source)["location"], "--metric", spec.metric]
    if spec.source.target is not None:
        words += ["--target", spec.source.target]
    words += ["--strategy", settings.strategy, "--seed", str(settings.seed)]
    words += ["--weight", f"{settings.preference.weight:g}"]
    if settings.candidates is not None:
        words += ["--candidates", str(settings.candidates)]
    if settings.seconds is not None:
        words += ["--time", f"{settings.seconds:g}s"]
    if settings.halving:
        words.append("--halving")
    if settings.inherit:
        words.append("--inherit")
    for goal in settings.preference.goals:
        words += ["--goal", f"{goal.name}={goal.value:g}"]
    return shlex.join(words)


def model_facts(evaluation: Evaluation, record: RunRecord, problem: Problem, space: SearchSpace) -> dict[str, Any]:
    """Return what a file that predicts says about itself: whose it is, what goes in, what comes out."""
    dataset = problem.dataset
    return {
        "made_by": f"NASight {version()}",
        "candidate": evaluation.id,
        "number": evaluation.index,
        "run": record.id,
        "family": evaluation.architecture.family,
        "structure": space.engine.describe(space, evaluation.architecture.values),
        "data": dataset.name,
        "data_hash": record.data_hash,
        "task": dataset.task,
        "target": dataset.target,
        "classes": list(dataset.classes),
    }


def candidate_document(
    evaluation: Evaluation, record: RunRecord, space: SearchSpace, problem: Problem | None = None
) -> dict[str, Any]:
    """Return a candidate as JSON-able data: architecture, evaluation, and the facts of problem and run.

    Args:
        evaluation: The candidate.
        record: Its run.
        space: The version of the space that it was proposed in.
        problem: The run's problem, for names of features and classes; None where its data cannot be read.
    """
    spec = ProblemSpec.model_validate(record.problem)
    known = evaluation.model_dump(mode="json", exclude={"architecture", "weights", "revision"})
    facts = spec.model_dump(mode="json", exclude={"source"})
    facts["source"] = shown_source(spec.source)
    if problem is not None:
        dataset = problem.dataset
        facts |= {
            "features": [{"name": f.name, "kind": f.kind, "levels": list(f.levels)} for f in dataset.features],
            "class_names": list(dataset.classes), "target": dataset.target, "rows": dataset.N, "task": dataset.task,
        }  # fmt: skip
    weights = evaluation.weights
    return {
        "format": "nasight-candidate",
        "version": 1,
        "made_by": f"NASight {version()}",
        "architecture": evaluation.architecture.model_dump(mode="json"),
        "structure": space.engine.describe(space, evaluation.architecture.values),
        "evaluation": known,
        "weights_sha256": None if weights is None else weights.sha256,
        "problem": facts,
        "run": {"id": record.id, "name": record.name, "created": record.created, "settings": record.settings,
                "command": reproduction(record)},
    }  # fmt: skip
