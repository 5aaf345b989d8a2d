"""A run as an Optuna storage: a SQLite file that optuna-dashboard opens."""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.errors import ExportError
from nas_core.exports.optuna_tables import fill_tables
from nas_core.exports.rows import flattened
from nas_core.records import Evaluation, Status

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from nas_core.runs.viewer import RunView

__all__ = ["optuna_file"]

Told = Callable[[int, int], None]
PIECE = 50  # trials between two words about how far it is


def optuna_file(view: RunView, on_progress: Told | None = None) -> bytes:
    """Return a SQLite file with one study: a trial for each candidate.

    Objectives are the performance, in its own direction, and the interpretability under the run's preference.
    Parameters are the variables of the architectures as single values; measures with their intervals, cost and origin
    are user attributes. Candidates that may not enter a front are failed or pruned trials. Where the space was edited
    or goals are set, what lies outside or misses a goal violates a constraint, so the best trials are the front.

    Args:
        view: The run.
        on_progress: Called with how many trials of how many are written.

    Raises:
        ExportError: The run has no candidate.
    """
    import optuna

    view.refresh()
    evaluations = view.store.evaluations(view.run_id)
    if not evaluations:
        raise ExportError("The run has no candidates yet", allowed="a run with candidates", fix="wait for the first")
    trials = _trials(view, evaluations)
    record = view.record
    with tempfile.TemporaryDirectory(prefix="nasight-optuna-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is experimental in Optuna is not what is used here
        path = Path(folder) / "study.db"
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 30}})
        _hurried(storage)
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(
                storage=storage, study_name=record.name or record.id,
                directions=["maximize" if view.objective.maximise else "minimize", "maximize"],
            )  # fmt: skip
        finally:
            optuna.logging.set_verbosity(before)
        study.set_metric_names([view.objective.name, "interpretability"])
        for name, value in _about(view).items():
            study.set_user_attr(name, value)
        storage.remove_session()
        storage.engine.dispose()
        if not fill_tables(path, trials, on_progress):
            for start in range(0, len(trials), PIECE):
                study.add_trials(trials[start : start + PIECE])
                if on_progress is not None:
                    on_progress(min(len(trials), start + PIECE), len(trials))
            storage.remove_session()
            storage.engine.dispose()
        return path.read_bytes()


def _hurried(storage: Any) -> None:
    """Let SQLite not wait for the disk: the file is a temporary one until it is complete."""
    from sqlalchemy import event

    def hurry(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=DELETE")

    event.listen(storage.engine, "connect", hurry)
    storage.engine.dispose()


def _about(view: RunView) -> dict[str, Any]:
    settings = view.settings
    return {
        "nasight_run": view.record.id,
        "data_hash": view.record.data_hash,
        "metric": view.objective.label,
        "strategy": settings.strategy,
        "weight": settings.preference.weight,
        "seed": settings.seed,
    }


def _trials(view: RunView, evaluations: list[Evaluation]) -> list[FrozenTrial]:
    """Return the trials in the order of the candidates' numbers."""
    snapshot = view.snapshot
    inside = view.inside(snapshot)
    ranking = snapshot.rank(view.settings.preference, inside)
    limited = len(view.versions) > 1 or bool(view.settings.preference.goals)
    params = [_params(view, e) for e in evaluations]
    spans = _distributions(params)
    trials = []
    for evaluation, own in zip(evaluations, params):
        at = snapshot.position(evaluation.id)
        if at is None:
            continue
        violated = (0.0 if inside[at] else 1.0, _finite(float(ranking.violation[at]))) if limited else None
        score = float(ranking.interpretability[at])
        trials.append(_trial(evaluation, own, {n: spans[n] for n in own}, score, violated))
    return trials


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 1.0


def _params(view: RunView, e: Evaluation) -> dict[str, Any]:
    space = view.space_of(e)
    features = [f.name for f in space.features] if space.signal is None else []
    return flattened(e.architecture.values, features)


def _distributions(params: list[dict[str, Any]]) -> dict[str, BaseDistribution]:
    """Return for each parameter what all of its values lie in: Optuna wants one distribution per name."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values: dict[str, list[Any]] = {}
    for own in params:
        for name, value in own.items():
            values.setdefault(name, []).append(value)
    found: dict[str, BaseDistribution] = {}
    for name, seen in values.items():
        if all(type(v) is int for v in seen):
            found[name] = IntDistribution(min(seen), max(seen))
        elif all(type(v) in (int, float) for v in seen):
            low, high = float(min(seen)), float(max(seen))
            found[name] = FloatDistribution(low, high, log=low > 0 and high > 20 * low)
        else:
            choices = sorted(set(seen), key=lambda v: (str(type(v)), str(v)))
            found[name] = CategoricalDistribution(choices)
    return found


def _trial(
    e: Evaluation, params: dict[str, Any], spans: dict[str, BaseDistribution], score: float,
    violated: tuple[float, ...] | None,
) -> FrozenTrial:  # fmt: skip
    from optuna.distributions import FloatDistribution
    from optuna.trial import FrozenTrial, TrialState

    ranked = e.eligible and e.performance is not None and not math.isnan(score)
    state = TrialState.COMPLETE if ranked else TrialState.PRUNED if e.status is Status.PRUNED else TrialState.FAIL
    ended = datetime.fromtimestamp(e.finished, UTC).replace(tzinfo=None) if e.finished else datetime(2000, 1, 1)
    numbers = {name: float(v) if isinstance(spans[name], FloatDistribution) else v for name, v in params.items()}
    return FrozenTrial(
        number=-1,  # given by the study
        trial_id=-1,
        state=state,
        value=None,
        values=[e.performance.value, score] if ranked and e.performance is not None else None,
        datetime_start=ended - timedelta(seconds=e.cost.seconds),
        datetime_complete=ended,
        params=numbers,
        distributions=spans,
        user_attrs=_attributes(e),
        system_attrs={} if violated is None else {"constraints": violated},
        intermediate_values={},
    )


def _attributes(e: Evaluation) -> dict[str, Any]:
    """Return what is known of a candidate beside its variables."""
    found: dict[str, Any] = {"number": e.index, "id": e.id, "status": e.status.value, "operator": e.operator,
                             "parameters": e.cost.parameters, "operations": e.cost.operations}  # fmt: skip
    if e.reason:
        found["reason"] = e.reason
    if e.parents:
        found["parents"] = list(e.parents)
    if e.performance is not None:
        found["performance_interval"] = [e.performance.low, e.performance.high]
    if e.skill is not None:
        found["skill"] = e.skill.value
    return found | {name: m.value for name, m in e.measures.items() if m.value is not None}
