"""Runs whose candidates are trained in a process of their own: what is kept, changed by a resume, and refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from run_examples import synthetic

from nas_core.command.asked import isolation_of
from nas_core.command.parsing import parse_bytes
from nas_core.data.dataset import DataSource
from nas_core.errors import RunError, SettingsError
from nas_core.evaluation.isolation.limits import Limits, bytes_in_words
from nas_core.runs import registry
from nas_core.runs.executing import check_executor
from nas_core.runs.registry import Isolation
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.store import Store

LIMITS = Limits(seconds=30.0, memory=500_000_000)


def isolation_in(store: Store, run: str) -> Limits | None:
    return RunSettings.model_validate(store.run(run).settings).isolation


def test_limits_are_kept_with_the_run_and_changed_by_a_resume(launch: Callable[..., Run], store: Store) -> None:
    run = launch(candidates=8, isolation=LIMITS)
    assert run.wait(20)
    assert isolation_in(store, run.id) == LIMITS
    again = registry.resume_run(store, run.id, candidates=16, evaluator=synthetic())
    assert again.wait(20)
    assert isolation_in(store, run.id) == LIMITS
    last = registry.resume_run(store, run.id, candidates=24, isolation=Isolation(None), evaluator=synthetic())
    assert last.wait(20)
    assert isolation_in(store, run.id) is None
    assert len(store.evaluations(run.id)) == 24


def test_a_living_run_is_not_moved(launch: Callable[..., Run], store: Store) -> None:
    run = launch(synthetic(0.05), candidates=400)
    with pytest.raises(RunError, match="where its candidates are trained cannot be changed now"):
        registry.resume_run(store, run.id, isolation=Isolation(LIMITS))
    run.stop()
    assert run.wait(10)


def test_what_cannot_be_isolated_is_refused() -> None:
    settings = RunSettings(isolation=LIMITS)
    file = DataSource(kind="file", location="/data/prices.csv")
    check_executor(settings, file)
    with pytest.raises(SettingsError, match="handed over as a table, and a worker process cannot load them again"):
        check_executor(settings, DataSource(kind="memory", location="frame"))
    with pytest.raises(SettingsError, match=r"on ray and in a process of their own here\. Allowed: one of the two"):
        check_executor(settings.model_copy(update={"executor": "ray"}), file)
    check_executor(RunSettings(), DataSource(kind="memory", location="frame"))


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": float("nan")}, {"memory": 10}, {"total": True}])
def test_limits_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"^The (time|memory) of (a candidate|the run) is .* Allowed: .* Fix: "):
        Limits.model_validate(wrong)


def test_a_limit_asks_for_isolation_and_a_resume_keeps_the_others() -> None:
    assert isolation_of(None, None, None, None) is None
    assert isolation_of(True, None, None, None) == Limits()
    assert isolation_of(None, "1m", None, "2GB") == Limits(seconds=60.0, total=2_000_000_000)
    assert isolation_of(None, None, None, None, before=LIMITS) == LIMITS
    assert isolation_of(None, "5s", None, None, before=LIMITS) == Limits(seconds=5.0, memory=500_000_000)
    assert isolation_of(False, None, None, None, before=LIMITS) is None
    with pytest.raises(
        SettingsError, match=r"Limits for candidates are given, and --no-isolate\. Allowed: one of both"
    ):
        isolation_of(False, "5s", None, None)


@pytest.mark.parametrize(
    ("text", "count"), [("800MB", 800_000_000), ("2g", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("2000000B", 2_000_000)]
)
def test_amounts_of_memory(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "much", "-1GB", "1.2.3GB", "GB", "5 m s", "nan"])
def test_texts_that_are_no_amount_of_memory(text: str) -> None:
    with pytest.raises(SettingsError, match="is not an amount of memory"):
        parse_bytes(text)


def test_bytes_are_told_as_people_write_them() -> None:
    assert [bytes_in_words(n) for n in (412_000_000, 3_140_000_000)] == ["412 MB", "3.1 GB"]
