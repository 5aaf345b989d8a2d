"""A backup that is made while a run is searching can be continued to the same end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from run_examples import numbers, synthetic, until

from nas_core.records import RunState
from nas_core.runs import registry
from nas_core.runs.books import misfits
from nas_core.runs.run import Run
from nas_core.store import Store, open_store
from nas_core.store.checking import check_store
from nas_core.store.copying import back_up
from nas_core.store.sql import SqlStore


def test_a_backup_of_a_live_run_is_sound_and_goes_on(launch: Callable[..., Run], disk: Store, tmp_path: Path) -> None:
    run = launch(synthetic(0.02), into=disk)
    until(lambda: len(disk.evaluations(run.id)) >= 8)
    back_up(disk, str(tmp_path / "copy"))
    assert run.alive, "the copy was made while it was running"
    assert run.wait(20)
    copy = open_store(tmp_path / "copy")
    assert isinstance(copy, SqlStore)
    assert check_store(copy, misfits).findings == ()
    assert copy.run(run.id).state is RunState.INTERRUPTED
    assert 8 <= len(copy.evaluations(run.id)) < 40
    assert registry.resume_run(copy, run.id, evaluator=synthetic()).wait(20)
    assert numbers(copy.evaluations(run.id)) == numbers(disk.evaluations(run.id))
    copy.close()
