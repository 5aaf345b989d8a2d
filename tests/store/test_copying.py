"""A backup: complete in itself, also of a store that is being written, and never over something that is there."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from store_contract import evaluation, record

from nas_core.errors import StoreError
from nas_core.records import RunState, WeightsRef
from nas_core.runs.books import misfits
from nas_core.store import InMemoryStore, Store, open_store
from nas_core.store.checking import check_store
from nas_core.store.copying import back_up
from nas_core.store.owner import this_process
from nas_core.store.sql import SqlStore


def grow(store: Store, number: int) -> None:
    digest = store.put_artifact(f"weights/r1/{number}", b"weights %d" % number)
    ref = WeightsRef(artifact=f"weights/r1/{number}", prefix="", sha256=digest)
    store.commit("r1", [evaluation(number, weights=ref)], {"told": number + 1}, {"evaluated": number + 1})


def test_copies_of_a_store_that_is_being_written_are_sound(tmp_path: Path) -> None:
    store = open_store(tmp_path / "live")
    store.create_run(record(state=RunState.RUNNING, owner=this_process()))
    grow(store, 0)
    done = threading.Event()

    def write() -> None:
        number = 1
        while not done.is_set():
            grow(store, number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [back_up(store, str(tmp_path / f"copy{n}")) for n in range(5)]
    finally:
        done.set()
        writer.join()
    sizes = []
    for path in copies:
        assert sorted(p.name for p in path.parent.iterdir()) == ["nasight-artifacts", "nasight.sqlite"]
        copy = open_store(path.parent)
        assert isinstance(copy, SqlStore)
        assert check_store(copy, misfits).findings == ()
        found = copy.evaluations("r1")
        assert found == store.evaluations("r1")[: len(found)]
        assert (copy.run("r1").state, copy.run("r1").owner) == (RunState.INTERRUPTED, "")
        assert "when this copy was made" in copy.run("r1").reason
        sizes.append(len(found))
        copy.close()
    assert sizes == sorted(sizes)
    assert store.run("r1").state is RunState.RUNNING
    store.close()


def test_only_what_a_candidate_needs_is_copied(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a")
    store.create_run(record())
    grow(store, 0)
    store.put_artifact("weights/r1/99", b"not committed")
    steps: list[tuple[int, int]] = []
    path = back_up(store, str(tmp_path / "b.sqlite"), lambda done, total: steps.append((done, total)))
    assert path == tmp_path / "b.sqlite"
    assert [p.name for p in (tmp_path / "b-artifacts").rglob("*") if p.is_file()] == ["0"]
    assert steps == [(1, 1)]
    store.close()


def test_a_copy_is_there_when_it_is_complete_or_not_at_all(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a")
    store.create_run(record())
    grow(store, 0)
    (tmp_path / "a" / "nasight-artifacts" / "weights" / "r1" / "0").write_bytes(b"damaged")
    with pytest.raises(StoreError, match="weights/r1/0 has changed since it was written"):
        back_up(store, str(tmp_path / "b.sqlite"))
    assert not list(tmp_path.glob("*.sqlite*"))
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    store.close()


def test_a_copy_never_replaces_anything(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a")
    open_store(tmp_path / "b").close()
    for target in ("a", "b"):
        with pytest.raises(StoreError, match=r"something at .*nasight.sqlite already"):
            back_up(store, str(tmp_path / target))
    store.close()


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"memory: cannot be copied.*keep runs in a directory"):
        back_up(InMemoryStore(), str(tmp_path / "b"))
    store = open_store(tmp_path / "a")
    with pytest.raises(StoreError, match="'s3://bucket' is not a store that can be opened"):
        back_up(store, "s3://bucket")
    store.close()
