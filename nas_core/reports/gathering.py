"""From a run in a store and a person's choice to the record of that decision."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import NasightError, RunError
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Event, RunRecord
from nas_core.reports.acts import STEERING, acts_of
from nas_core.reports.alternatives import alternatives
from nas_core.reports.caveats import Case, caveats_of
from nas_core.reports.final_test import final_tests_of, looks_at
from nas_core.reports.record import BudgetUsed, CandidateFacts, DataFacts, DecisionRecord, SpaceStep
from nas_core.reports.remaking import remake_of, repeatable_budget
from nas_core.runs.progress import Progress
from nas_core.runs.settings import RunSettings
from nas_core.runs.viewer import RunView

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.search.ranking import Ranking
    from nas_core.search.snapshot import Snapshot

__all__ = ["decision_record", "record_file"]

LIBRARIES = ("nasight", "torch", "pytorch-lightning", "numpy", "scikit-learn", "shap", "captum", "optuna")


def record_file(run_id: str, number: int) -> str:
    """Return what the file of a record is called, without its ending."""
    return f"decision-{run_id}-{number}"


def decision_record(
    view: RunView, candidate_id: str | None = None, *, preference: Preference | None = None, reason: str = "",
    by: str = "", problem: Problem | None = None, doubts: Sequence[str] | None = None, now: float | None = None,
) -> DecisionRecord:  # fmt: skip
    """Return the record of choosing one candidate of a run; nothing is stored yet, see :func:`keep_decision`.

    Args:
        view: The run, refreshed.
        candidate_id: The choice; the best one under ``preference`` when None.
        preference: λ, weights and goals of the decision; those of the run when None.
        reason, by: Why, and who decided, in their own words.
        problem: The run's problem; read from its source when None.
        doubts: What an audit of the candidate says; None where there was none.
        now: Seconds since 1970; the present time when None.

    Raises:
        StoreError: The run has no such candidate.
        RunError: No candidate was named and none is eligible.
        SettingsError: The preference does not fit the run.
    """
    run, snapshot = view.record, view.snapshot
    events = view.store.events(run.id)
    present = RunSettings.model_validate(run.settings)
    wish = present.preference if preference is None else preference
    inside = view.inside(snapshot)
    ranking = snapshot.rank(wish, inside)
    position = _position(view, snapshot, ranking, candidate_id)
    chosen = view.evaluation(snapshot.ids[position])
    problem = problem or _problem(run)
    data, budget, acts = _data(run, problem), _budget(run, present, snapshot), acts_of(events)
    looks = looks_at(view.store, run.id)
    test = next((t for t in final_tests_of(view.store, run.id) if t.id == chosen.id), None)
    case = Case(
        run, chosen, position, snapshot, ranking, inside, data, budget, present.inherit, test, looks, doubts
    )  # fmt: skip
    begun, steered = _begun(events, present), any(act.kind in STEERING for act in acts)
    settings = repeatable_budget(present if steered else begun, len(snapshot))
    space = view.space if steered else view.versions[0].space
    remake = remake_of(
        run, settings, space, chosen, acts, len(snapshot), problem, f"{record_file(run.id, chosen.index)}.json"
    )

    def described(key: str) -> str:
        e = view.evaluation(key)
        return view.space_of(e).engine.describe(view.space_of(e), e.architecture.values)

    return DecisionRecord(
        made=time.time() if now is None else now, by=by, reason=reason, run_id=run.id, run_name=run.name,
        state=run.state.value, state_reason=run.reason, metric=view.objective.name, metric_label=view.objective.label,
        maximise=view.objective.maximise, preference=wish,
        weights=dict(zip(snapshot.names, wish.vector(snapshot.names).tolist())),
        chosen=_facts(chosen, described(chosen.id), ranking, position),
        alternatives=alternatives(snapshot, ranking, position, described), front=int(ranking.on_front.sum()),
        hypervolume=view.archive.hypervolume(), data=data, space_family=view.space.family,
        space=tuple(SpaceStep(version=v.space.version, words=v.words, since=v.since) for v in view.versions),
        strategy=present.strategy, seed=present.seed, device=present.device, budget=budget, acts=acts, test=test,
        caveats=caveats_of(case), versions=library_versions(), remake=remake,
        origin={
            "problem": run.problem, "settings": settings.model_dump(mode="json"),
            "space": space.model_dump(mode="json"), "first_space": view.versions[0].space.model_dump(mode="json"),
            "chosen_space": view.space_of(chosen).model_dump(mode="json"),
        },
    )  # fmt: skip


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that make the numbers; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _position(view: RunView, snapshot: Snapshot, ranking: Ranking, candidate_id: str | None) -> int:
    if candidate_id is None:
        if ranking.best is None:
            raise RunError(
                f"Run {view.run_id} has no candidate to choose: none is eligible yet",
                allowed="a run with at least one candidate that is better than ignoring the inputs",
                fix="let it search longer, or look at the reasons of its candidates",
            )
        return ranking.best
    at = snapshot.position(candidate_id)
    if at is None:
        view.evaluation(candidate_id)  # says that the run has none of that name
        raise RunError(f"Candidate {candidate_id} has only just finished", fix="try again in a second")
    return at


def _problem(run: RunRecord) -> Problem | None:
    """Return the run's problem, None where its data cannot be read or have changed: that becomes a caveat."""
    from nas_core.data.problem import Problem, ProblemSpec

    try:
        return Problem.load(ProblemSpec.model_validate(run.problem))
    except NasightError:
        return None


def _facts(e: Evaluation, structure: str, ranking: Ranking, at: int) -> CandidateFacts:
    value = float(ranking.interpretability[at])
    return CandidateFacts(
        id=e.id, number=e.index, architecture=e.architecture, structure=structure, performance=e.performance,
        skill=e.skill, interpretability=None if np.isnan(value) else value, measures=e.measures, metrics=e.metrics,
        cost=e.cost, seed=e.seed, space=e.space, origin=e.origin, operator=e.operator, inherited=e.inherited,
        status=e.status.value, note=e.reason, on_front=bool(ranking.on_front[at]), meets_goals=bool(ranking.meets[at]),
    )  # fmt: skip


def _data(run: RunRecord, problem: Problem | None) -> DataFacts:
    spec = run.problem
    rows: dict[str, Any] = {}
    if problem is not None:
        parts = problem.split
        rows = {"train_rows": len(parts.train), "valid_rows": len(parts.valid), "test_rows": len(parts.test),
                "features": problem.P}  # fmt: skip
    source, split = spec["source"], spec.get("split") or {}
    signal = run.space.get("signal")
    return DataFacts(
        name=spec.get("name") or source["location"], location=source["location"], kind=source["kind"],
        hash=run.data_hash, target=source.get("target"),
        task="classification" if spec.get("classes") else "regression",
        modality=signal["modality"] if signal else "tabular", split=split.get("kind", "random"),
        split_column=split.get("column"), split_seed=spec.get("split_seed", 0), fractions=tuple(spec["fractions"]),
        **rows,
    )  # fmt: skip


def _budget(run: RunRecord, settings: RunSettings, snapshot: Snapshot) -> BudgetUsed:
    counted = {name: many for name, many in snapshot.counts().items() if many}
    elapsed = Progress.model_validate(run.progress).elapsed
    return BudgetUsed(candidates=settings.candidates, seconds=settings.seconds, evaluated=len(snapshot),
                      by_status=counted, used_seconds=elapsed)  # fmt: skip


def _begun(events: Sequence[Event], present: RunSettings) -> RunSettings:
    """Return the settings the run began with."""
    first = next((event for event in events if event.kind == "started"), None)
    return present if first is None else RunSettings.model_validate(first.payload["settings"])
