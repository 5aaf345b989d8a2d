"""The Optuna storage of a run: Optuna reads it, finds the same front, and it is written fast."""

from __future__ import annotations

import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals

from nas_core.errors import ExportError
from nas_core.exports.optuna_file import optuna_file
from nas_core.preferences import Goal, Preference
from nas_core.records import RunRecord
from nas_core.runs.settings import RunSettings
from nas_core.runs.viewer import RunView
from nas_core.store import InMemoryStore, Store


def loaded(store: Store, path: Path, run: str = RUN) -> optuna.Study:
    path.write_bytes(optuna_file(RunView(store, run)))
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    (summary,) = storage.get_all_studies()
    return optuna.load_study(study_name=summary.study_name, storage=storage)


def front_of(view: RunView) -> set[str]:
    ranking = view.snapshot.rank(view.settings.preference, view.inside())
    return {i for i, on in zip(view.snapshot.ids, ranking.leaders) if on}


def test_optuna_finds_the_same_front(tmp_path: Path) -> None:
    store, evaluations = recorded_run(InMemoryStore(), count=40)
    study = loaded(store, tmp_path / "study.db")
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MAXIMIZE"]
    assert study.metric_names == ["roc_auc", "interpretability"]
    assert len(study.trials) == len(evaluations)
    assert {t.user_attrs["id"] for t in study.best_trials} == front_of(RunView(store, RUN))
    for trial, e in zip(study.trials, evaluations, strict=True):
        assert trial.user_attrs["id"] == e.id
        assert (trial.state is TrialState.COMPLETE) == e.eligible
        assert trial.params["width"] == e.architecture.values["width"]
        if e.performance is not None and e.eligible:
            assert trial.values[0] == pytest.approx(e.performance.value)
            assert trial.user_attrs["additivity"] == e.measures["additivity"].value


def test_goals_are_constraints(tmp_path: Path) -> None:
    store, _ = recorded_run(InMemoryStore(), count=30)
    wish = Preference(goals=(Goal(name="feature_parsimony", value=0.8),))
    store.update_run(RUN, settings=RunSettings(preference=wish).model_dump(mode="json"))
    study = loaded(store, tmp_path / "study.db")
    assert {t.user_attrs["id"] for t in study.best_trials} == front_of(RunView(store, RUN))
    assert all(t.user_attrs["feature_parsimony"] >= 0.8 for t in study.best_trials)


def test_a_metric_where_smaller_is_better(tmp_path: Path) -> None:
    store, _ = recorded_run(InMemoryStore(), name="diabetes", count=12)
    record = store.run(RUN)
    store.update_run(RUN, problem={**record.problem, "metric": "mae"})
    study = loaded(store, tmp_path / "study.db")
    assert [d.name for d in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert {t.user_attrs["id"] for t in study.best_trials} == front_of(RunView(store, RUN))


def test_runs_on_images_are_exported_too(tmp_path: Path) -> None:
    store, evaluations = recorded_signals("image", tmp_path, count=2, epochs=1)
    study = loaded(store, tmp_path / "study.db", SIGNAL_RUN)
    assert len(study.trials) == len(evaluations)
    assert all("blocks" in trial.params for trial in study.trials)


def test_a_run_without_candidates_is_refused() -> None:
    store, _ = recorded_run(InMemoryStore(), count=4)
    record: RunRecord = store.run(RUN)
    store.create_run(record.model_copy(update={"id": "empty", "revision": 0}))
    with pytest.raises(ExportError, match="no candidates yet"):
        optuna_file(RunView(store, "empty"))


def test_a_thousand_candidates_take_seconds() -> None:
    store, found = recorded_run(InMemoryStore(), count=20)
    many = [found[n % 20].model_copy(update={"id": f"{n:016x}", "index": n}) for n in range(21, 1001)]
    store.commit(RUN, many, None, {"evaluated": 1000})
    view = RunView(store, RUN)
    told: list[tuple[int, int]] = []
    began = time.process_time()
    data = optuna_file(view, lambda done, total: told.append((done, total)))
    assert time.process_time() - began < 30
    assert told[-1] == (1000, 1000)
    assert data.startswith(b"SQLite format 3")
