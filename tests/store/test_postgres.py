"""The store on a real PostgreSQL server: the contract, two writers, passwords, restarts."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PASSWORD, QUOTED, Server
from store_contract import StoreContract, evaluation, record

from nas_core.errors import StoreError
from nas_core.records import WeightsRef
from nas_core.runs.books import misfits
from nas_core.store import Store, open_store
from nas_core.store.checking import check_store
from nas_core.store.copying import back_up
from nas_core.store.database import transaction
from nas_core.store.layout import LAYOUT
from nas_core.store.repairing import repair_store
from nas_core.store.sql import SqlStore


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.place()


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    assert isinstance(store, SqlStore)
    yield store
    store.close()


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        store = open_store(url)
        yield store
        store.close()


def test_everything_is_there_after_reopening(url: str) -> None:
    first = open_store(url)
    first.create_run(record())
    first.commit("r1", [evaluation(0)], {"counter": 1}, {"evaluated": 1})
    first.put_artifact("weights/a", b"123")
    first.close()
    second = open_store(url.replace("postgresql:", "postgresql+psycopg:"))
    assert second.evaluations("r1") == [evaluation(0, revision=2)]
    assert second.get_artifact("weights/a") == b"123"
    second.close()


def test_several_can_open_an_empty_database_at_once(url: str) -> None:
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def enter() -> None:
        ready.wait()
        try:
            open_store(url).close()
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_revisions_of_one_run_never_repeat_whoever_writes(url: str, store: SqlStore) -> None:
    store.create_run(record())
    other = open_store(url)
    got: list[int] = []

    def write(into: Store, first: int) -> None:
        got.extend(into.commit("r1", [evaluation(first + n)], {"told": n}, {}) for n in range(25))

    threads = [threading.Thread(target=write, args=(s, n)) for s, n in ((store, 0), (other, 100))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(2, 52))
    assert sorted(e.revision for e in store.evaluations("r1")) == list(range(2, 52))
    other.close()


def test_a_reader_sees_one_moment_and_waits_for_nobody(url: str, store: SqlStore) -> None:
    store.create_run(record())
    with transaction(store.database, writes=False) as reading:
        before = reading.exec_driver_sql("SELECT count(*) FROM evaluations").scalar()
        store.commit("r1", [evaluation(0)], {}, {})
        assert reading.exec_driver_sql("SELECT count(*) FROM evaluations").scalar() == before == 0
    with transaction(store.database, writes=True) as writing:
        writing.exec_driver_sql("SELECT * FROM runs FOR UPDATE")
        assert store.run("r1").revision == 2


def test_a_writer_that_waits_too_long_for_another_is_told(store: SqlStore) -> None:
    store.create_run(record())
    with transaction(store.database, writes=True) as writing:
        writing.exec_driver_sql("SELECT * FROM runs FOR UPDATE")
        with pytest.raises(StoreError, match=r"is busy .*lock timeout.*when the other writer is done"):
            impatient(store)


def impatient(store: SqlStore) -> None:
    with transaction(store.database, writes=True) as other:
        assert other.exec_driver_sql("SHOW lock_timeout").scalar() == "10s"
        other.exec_driver_sql("SET LOCAL lock_timeout = 50")
        other.exec_driver_sql("SELECT * FROM runs FOR UPDATE")


def test_check_and_repair(store: SqlStore, postgres: Server) -> None:
    store.create_run(record())
    refs = []
    for n in range(2):
        digest = store.put_artifact(f"weights/r1/{n}", b"weights")
        refs.append(WeightsRef(artifact=f"weights/r1/{n}", prefix="", sha256=digest))
    store.commit("r1", [evaluation(n, weights=ref) for n, ref in enumerate(refs)], {"told": 2}, {})
    assert check_store(store, misfits).findings == ()
    store.artifacts.delete("weights/r1/1")
    store.put_artifact("weights/r1/9", b"orphan")
    assert not check_store(store, misfits).sound
    assert repair_store(store, misfits).sound
    assert check_store(store, misfits).findings == ()
    assert [e.weights for e in store.evaluations("r1")] == [refs[0], None]


def test_a_backup_is_for_pg_dump(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be copied by NASight.*pg_dump"):
        back_up(store, str(tmp_path / "copy"))


def test_a_newer_layout_and_another_program_are_refused(url: str, store: SqlStore) -> None:
    with transaction(store.database, writes=True) as c:
        c.exec_driver_sql(f"UPDATE nasight_schema SET version = {LAYOUT + 1}")
    with pytest.raises(StoreError, match=f"store layout {LAYOUT + 1}, made by a newer NASight"):
        open_store(url)
    with transaction(store.database, writes=True) as c:
        c.exec_driver_sql("DROP TABLE nasight_schema")
    with pytest.raises(StoreError, match="database of another program: it holds artifacts"):
        open_store(url)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace(QUOTED, "wr0ng"), r"did not let NASight in .*password authentication failed"),
        (lambda url: url.replace("/postgres?", "/nothing?"), r"did not let NASight in .*does not exist"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"), r"cannot be (reached|read)"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:x"), r"address of the PostgreSQL store cannot be read"),
        (lambda url: url.replace("127.0.0.1", "no-such-host.invalid"), r"cannot be reached .*no-such-host"),
        (lambda url: url + "&password=wr0ng&nonsense=1", r"nonsense"),
        (lambda url: url.partition("artifacts=")[0] + "artifacts=nothing://me:wr0ng@x", r"Artifacts cannot be kept at"),
        (lambda url: url.partition("artifacts=")[0] + "artifacts=/proc/nothing", r"/proc/nothing"),
    ],
)
def test_what_cannot_be_opened_is_said_without_the_password(url: str, change: object, says: str) -> None:
    with pytest.raises(StoreError, match=says) as refused:
        open_store(change(url))
    trace = "".join(traceback.format_exception(refused.value))
    assert not any(secret in trace for secret in (PASSWORD, QUOTED, "wr0ng"))


def test_the_password_is_nowhere_that_people_look(store: SqlStore, postgres: Server, url: str) -> None:
    plain = url.partition("&artifacts")[0]
    assert store.url == plain.replace(f":{QUOTED}@", "@")
    secret = open_store(url.replace("?", f"?password={QUOTED}&", 1))
    assert PASSWORD not in secret.url
    assert QUOTED not in secret.url
    secret.close()
    with pytest.raises(StoreError, match="no run 'r1'") as refused:
        store.run("r1")
    assert PASSWORD not in str(refused.value)


def test_a_store_survives_a_restart_of_its_server(postgres: Server, store: SqlStore) -> None:
    store.create_run(record())
    for how in ("immediate", "fast"):
        postgres.stop(how)
        try:
            with pytest.raises(StoreError, match=r"server of postgresql://.* cannot be reached .*goes on when it is"):
                store.commit("r1", [evaluation(0)], {}, {})
        finally:
            postgres.start()
        store.commit("r1", [evaluation(0)], {}, {})


def test_artifacts_go_to_any_url(url: str, tmp_path: Path) -> None:
    plain = url.partition("&artifacts")[0]
    in_memory = open_store(f"{plain}&artifacts=memory://nasight-tests/{plain[-3:]}")
    in_memory.put_artifact("weights/a", b"123")
    assert in_memory.get_artifact("weights/a") == b"123"
    in_memory.close()
    in_files = open_store(f"{plain}&artifacts=file://{tmp_path}/x")
    with pytest.raises(StoreError, match="weights/a is missing"):
        in_files.get_artifact("weights/a")
    in_files.put_artifact("weights/a", b"123")
    assert (tmp_path / "x" / "weights" / "a").read_bytes() == b"123"
    in_files.close()


def test_without_a_place_artifacts_go_to_the_data_directory(
    url: str, postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = url.partition("&artifacts")[0]
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("NASIGHT_STORE", plain)
    store = open_store()
    store.put_artifact("weights/a", b"123")
    (place,) = (tmp_path / "nasight" / "artifacts").iterdir()
    assert place.name.startswith(f"127.0.0.1-{postgres.port}-postgres-"), "and a mark of the schema"
    assert (place / "weights" / "a").exists()
    store.close()


def test_stores_that_share_a_place_do_not_remove_the_files_of_each_other(postgres: Server, tmp_path: Path) -> None:
    urls = [postgres.place().partition("&artifacts")[0] + f"&artifacts={tmp_path}/shared" for _ in range(2)]
    stores = [open_store(url) for url in urls]
    for number, store in enumerate(stores):
        store.create_run(record(f"r{number}"))
        store.put_artifact(f"weights/r{number}/0", b"x")
    assert isinstance(stores[0], SqlStore)
    repaired = repair_store(stores[0], misfits)
    assert [(f.run, f.repaired) for f in repaired.findings] == [("r0", True), ("", False)]
    assert stores[1].get_artifact("weights/r1/0") == b"x"
    for store in stores:
        store.close()
