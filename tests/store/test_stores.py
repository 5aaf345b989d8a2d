"""The contract of a store, for both of them, and what only the one on disk can do."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_contract import StoreContract, evaluation, record

from nas_core.errors import StoreError
from nas_core.records import RunState
from nas_core.store import InMemoryStore, default_location, open_store
from nas_core.store.base import Store
from nas_core.store.layout import LAYOUT
from nas_core.store.sql import SqlStore

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


class TestInMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return InMemoryStore()


class TestSqlStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = open_store(tmp_path / "deep" / "runs.sqlite")
        yield store
        store.close()


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    first = open_store(tmp_path)
    first.create_run(record())
    first.commit("r1", [evaluation(0)], {"counter": 1}, {"evaluated": 1})
    first.put_artifact("weights/a", b"123")
    first.close()
    second = open_store(str(tmp_path / "nasight.sqlite"))
    assert second.url == first.url
    assert second.evaluations("r1") == [evaluation(0, revision=2)]
    assert second.strategy_state("r1") == {"counter": 1}
    assert second.get_artifact("weights/a") == b"123"
    second.close()


def test_the_file_is_in_wal_mode_with_full_fsync(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.sqlite")
    assert isinstance(store, SqlStore)
    with store.database.engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    store.close()
    assert pragmas == ["wal", 2, 1]


def test_an_artifact_whose_file_changed_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_artifact("weights/a", b"123")
    path = tmp_path / "nasight-artifacts" / "weights" / "a"
    path.write_bytes(b"124")
    with pytest.raises(StoreError, match="has changed since it was written"):
        store.get_artifact("weights/a")
    path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        store.get_artifact("weights/a")
    store.close()


def test_an_artifact_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    (tmp_path / "nasight-artifacts" / "weights" / "a").mkdir(parents=True)  # a rename onto it must fail
    with pytest.raises(StoreError, match=r"cannot be written \(Is a directory\)"):
        store.put_artifact("weights/a", b"123")
    assert [p.name for p in (tmp_path / "nasight-artifacts" / "weights").iterdir()] == ["a"]
    store.close()


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "nasight.sqlite") as connection:
        connection.execute("UPDATE nasight_schema SET version = ?", (LAYOUT + 1,))
    connection.close()
    with pytest.raises(StoreError, match=f"store layout {LAYOUT + 1}, made by a newer NASight"):
        open_store(tmp_path)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
    connection.close()
    with pytest.raises(StoreError, match=r"database of another program: it holds invoices"):
        open_store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("invoices",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"these are not the tables you are looking for" * 100)
    with pytest.raises(StoreError, match="is not a NASight store"):
        open_store(path)
    assert path.read_bytes().startswith(b"these are not")


@as_root
def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"cannot be written"):
        open_store(tmp_path / "below")
    tmp_path.chmod(0o700)


def test_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"cannot be written \(Not a directory\)"):
        open_store(tmp_path / "file" / "store")


def test_a_read_only_database_says_that_it_cannot_be_written(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert isinstance(store, SqlStore)
    store.create_run(record())
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match=r"cannot be written .*readonly"):
        store.commit("r1", [evaluation(0)], {}, {})
    store.close()


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert isinstance(store, SqlStore)
    store.create_run(record())
    with store.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # the pool hands out this connection again
    with pytest.raises(StoreError, match=r"is full"):
        store.commit("r1", [evaluation(n) for n in range(200)], {}, {})
    assert store.evaluations("r1") == []
    store.close()


@pytest.mark.parametrize("url", ["mysql://x", "", "s3://bucket/x"])
def test_urls_that_are_not_supported(url: str) -> None:
    with pytest.raises(StoreError, match="not a store that can be opened"):
        open_store(url)


def test_a_url_that_is_refused_does_not_show_its_password() -> None:
    with pytest.raises(StoreError, match="'mysql://me@host/x' is not a store") as refused:
        open_store("mysql://me:s3cr/e@t@host/x")
    assert "s3cr" not in str(refused.value)


def test_where_a_store_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_store("memory:"), InMemoryStore)
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    assert store.url == str(tmp_path / "x.db")
    store.close()
    monkeypatch.setenv("NASIGHT_STORE", str(tmp_path / "chosen"))
    assert default_location() == str(tmp_path / "chosen")
    monkeypatch.delenv("NASIGHT_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_location() == str(tmp_path / "data" / "nasight")


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    script = """
        import sys
        sys.path[:0] = [sys.argv[2]]
        from store_contract import evaluation, record
        from nas_core.records import RunState
        from nas_core.store import open_store
        from nas_core.store.owner import this_process
        store = open_store(sys.argv[1])
        store.create_run(record(state=RunState.RUNNING, owner=this_process()))
        for number in range(100000):
            store.commit("r1", [evaluation(number)], {"counter": number}, {"evaluated": number + 1})
            print(number, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 20:
            break
    store = open_store(tmp_path)
    assert store.run("r1").state is RunState.RUNNING
    process.send_signal(signal.SIGKILL)
    said = [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    state = store.strategy_state("r1")
    assert state is not None
    found = store.evaluations("r1")
    assert [e.index for e in found] == list(range(len(found)))
    assert state["counter"] == len(found) - 1 == store.run("r1").progress["evaluated"] - 1
    assert len(found) - 1 >= max([20, *said])
    assert store.run("r1").state is RunState.INTERRUPTED
    store.close()
