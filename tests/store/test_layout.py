"""An older store is brought up to date in one transaction, after a copy; nothing is half done."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import Server
from sqlalchemy import Connection, inspect
from store_contract import evaluation, record

from nas_core.errors import StoreError
from nas_core.store import open_store
from nas_core.store.database import Database, transaction
from nas_core.store.layout import LAYOUT, prepare
from nas_core.store.layout import STEPS as REAL
from nas_core.store.marks import mark_candidate
from nas_core.store.schema import metadata
from nas_core.store.sql import SqlStore
from nas_core.store.sqlite import SqliteDatabase


def add_a_column(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN generation INTEGER NOT NULL DEFAULT 7")


def add_a_table(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY)")


def fail(connection: Connection) -> None:
    raise StoreError("The step failed")


STEPS = (*REAL, add_a_column, add_a_table)


def filled(location: str) -> Database:
    """Make a store of the present layout with a run in it, and return its database."""
    store = open_store(location)
    assert isinstance(store, SqlStore)
    store.create_run(record())
    store.commit("r1", [evaluation(n) for n in range(3)], {"told": 3}, {})
    return store.database


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    return server.place()


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    database = filled(place)
    yield database
    database.engine.dispose()


def found(database: Database) -> tuple[int, bool, bool, int]:
    """Return the layout, whether the column and the table are there, and how many evaluations."""
    with transaction(database, writes=False) as c:
        layout = c.exec_driver_sql("SELECT version FROM nasight_schema").scalar_one()
        columns = {column["name"] for column in inspect(c).get_columns("runs")}
        count = c.exec_driver_sql("SELECT count(*) FROM evaluations").scalar_one()
        return layout, "generation" in columns, inspect(c).has_table("notes"), count


def test_all_steps_that_are_missing_are_done(database: Database, place: str) -> None:
    prepare(database, STEPS[:-1])
    assert found(database) == (LAYOUT + 1, True, False, 3)
    prepare(database, STEPS)
    assert found(database) == (LAYOUT + 2, True, True, 3)
    prepare(database, STEPS)
    says = rf"has store layout {LAYOUT + 2}, made by a newer NASight.*layout {LAYOUT} or older"
    with pytest.raises(StoreError, match=says):
        open_store(place)


def test_a_store_from_before_marks_opens_and_takes_them(database: Database, place: str) -> None:
    assert LAYOUT == 2, "give this test the steps that lead back to the layout before"
    with transaction(database, writes=True) as c:
        c.exec_driver_sql("DROP TABLE marks")
        c.exec_driver_sql("UPDATE nasight_schema SET version = 1")
    store = open_store(place)
    candidate = store.evaluations("r1")[1].id
    assert store.marks("r1") == {}
    made = mark_candidate(store, "r1", candidate, note="from now on")
    store.close()
    again = open_store(place)
    assert (again.marks("r1"), len(again.evaluations("r1"))) == ({candidate: made}, 3)
    again.close()


def test_an_upgrade_that_fails_changes_nothing(database: Database, place: str) -> None:
    with pytest.raises(StoreError, match="The step failed"):
        prepare(database, (*STEPS, fail))
    assert found(database) == (LAYOUT, False, False, 3)
    store = open_store(place)
    assert len(store.evaluations("r1")) == 3
    store.close()


def test_of_several_processes_one_does_the_steps(database: Database, place: str) -> None:
    done: list[int] = []
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def once(connection: Connection) -> None:
        done.append(1)
        add_a_column(connection)

    def enter() -> None:
        same = type(database)(database.path if isinstance(database, SqliteDatabase) else database.engine.url)  # type: ignore[call-arg]
        ready.wait()
        try:
            prepare(same, (*REAL, once))
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)
        same.engine.dispose()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, done) == ([], [1])
    assert found(database) == (LAYOUT + 1, True, False, 3)


def test_an_empty_database_gets_the_newest_layout_without_steps(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "new.sqlite")
    prepare(database, (fail,))
    with transaction(database, writes=False) as c:
        assert c.exec_driver_sql("SELECT version FROM nasight_schema").scalar() == 2
        assert set(inspect(c).get_table_names()) == set(metadata.tables)
    database.engine.dispose()


def test_a_copy_of_the_old_file_is_kept(tmp_path: Path) -> None:
    database = filled(str(tmp_path))
    prepare(database, STEPS)
    database.engine.dispose()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "nasight-artifacts",
        f"nasight-layout{LAYOUT}.sqlite",
        "nasight.sqlite",
    ]
    old = open_store(tmp_path / f"nasight-layout{LAYOUT}.sqlite")
    assert len(old.evaluations("r1")) == 3
    old.close()


def test_opening_a_store_of_this_layout_waits_for_nobody(tmp_path: Path) -> None:
    filled(str(tmp_path)).engine.dispose()
    writer = sqlite3.connect(tmp_path / "nasight.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    reader = open_store(tmp_path)
    assert len(reader.evaluations("r1")) == 3
    reader.close()
    writer.execute("ROLLBACK")
    writer.close()
