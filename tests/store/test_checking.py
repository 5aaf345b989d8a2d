"""Check and repair: everything that can be wrong with a store is found, and nothing finished is ever deleted."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_contract import evaluation, record

from nas_core.errors import StoreError
from nas_core.records import Event, RunState, WeightsRef
from nas_core.runs.books import misfits
from nas_core.store import open_store
from nas_core.store.checking import Health, check_store
from nas_core.store.marks import mark_candidate
from nas_core.store.owner import this_process
from nas_core.store.repairing import repair_store
from nas_core.store.sql import SqlStore

DEAD = f"{this_process()}9"


def words(health: Health) -> str:
    return "\n".join(f"{'harm' if f.harmful else 'litter'} {f.run}: {f.words}" for f in health.findings)


def edit(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path / "nasight.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount >= 1
    connection.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A sound store with one run of four candidates, whose weights are in two artifacts."""
    store = open_store(tmp_path)
    assert isinstance(store, SqlStore)
    store.create_run(record(state=RunState.RUNNING, owner=this_process()))
    digests = {n: store.put_artifact(f"weights/r1/{n}", b"weights %d" % n) for n in range(2)}
    found = [
        evaluation(n, weights=WeightsRef(artifact=f"weights/r1/{n % 2}", prefix="", sha256=digests[n % 2]))
        for n in range(4)
    ]
    store.commit("r1", found, {"told": 4}, {"evaluated": 4}, [Event(kind="started", time=1.0)])
    store.update_run("r1", state=RunState.DONE, owner="")
    mark_candidate(store, "r1", found[1].id, note="marked")
    yield store
    store.close()


def test_a_sound_store_is_called_so(store: SqlStore) -> None:
    steps: list[tuple[int, int]] = []
    health = check_store(store, misfits, lambda done, total: steps.append((done, total)))
    assert (health.sound, health.findings) == (True, ())
    assert health.counts == {"runs": 1, "evaluations": 4, "events": 1, "marks": 1, "artifacts": 2, "bytes": 18}
    assert steps == [(1, 2), (2, 2)]
    before = store.run("r1")
    assert repair_store(store, misfits) == health
    assert store.run("r1") == before, "nothing to repair, nothing changed"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM evaluations WHERE number = 1", "1 of 4 candidates are missing, the first is number 1"),
        ("DELETE FROM strategy_states", "candidates and no strategy state"),
        ("UPDATE strategy_states SET body = '{}'", "does not say how many"),
        ("UPDATE strategy_states SET body = '{'", "strategy state cannot be read"),
        ("UPDATE evaluations SET body = '{}' WHERE number = 1", "row of evaluations cannot be read: Field required"),
        ("UPDATE events SET body = 'nonsense'", "row of events cannot be read: Invalid JSON"),
        ("UPDATE runs SET body = 'nonsense'", "row of record cannot be read"),
        ("UPDATE evaluations SET number = 7 WHERE number = 1", "does not agree with its text"),
        ("UPDATE marks SET body = '{}'", f"The mark of {evaluation(1).id} cannot be read: Field required"),
        ("UPDATE marks SET changed = 7", f"row of the mark of {evaluation(1).id} does not agree with its text"),
        (
            "UPDATE marks SET candidate_id = 'x', body = replace(body, candidate_id, 'x')",
            "1 marks are of candidates that the run does not have",
        ),
        ("UPDATE runs SET revision = 9", "record says revision 3, its row 9"),
        (
            "UPDATE events SET revision = 99, body = replace(body, '\"revision\":2', '\"revision\":99')",
            "1 rows have revision 99, after its own 3",
        ),
    ],
)
def test_what_is_damaged_is_said_and_not_made_worse(store: SqlStore, tmp_path: Path, statement: str, says: str) -> None:
    edit(tmp_path, statement)
    health = check_store(store, misfits)
    assert not health.sound
    assert says in words(health)
    assert "harm r1:" in words(health)
    assert not repair_store(store, misfits).sound
    assert says in words(check_store(store, misfits)), "it cannot be repaired, and is still there to be looked at"
    assert store.get_artifact("weights/r1/0") == b"weights 0"


def test_two_candidates_with_one_number_are_found() -> None:
    assert misfits(record(), [evaluation(1), evaluation(2, index=1)], {"told": 0}) == ["2 candidates have the number 1"]


def test_a_row_of_no_run_is_found(store: SqlStore, tmp_path: Path) -> None:
    edit(tmp_path, "UPDATE events SET run_id = 'r9'")
    assert "harm : A row of events belongs to no runs" in words(check_store(store, misfits))
    with pytest.raises(StoreError, match=r"damaged and cannot be repaired: A row of events.*restore a backup"):
        repair_store(store, misfits)


def test_a_torn_file_is_found(store: SqlStore, tmp_path: Path) -> None:
    for number in range(40):
        store.commit("r1", [evaluation(10 + number, reason="x" * 3000)], None, {})
    store.close()
    path = tmp_path / "nasight.sqlite"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8 * 4096] = b"\xff" * (8 * 4096)
    path.write_bytes(data)
    torn = open_store(tmp_path)
    assert isinstance(torn, SqlStore)
    health = check_store(torn, misfits)
    assert not health.sound
    torn.close()


@pytest.mark.parametrize("harm", ["changed", "missing", "unknown"])
def test_lost_weights_are_found_and_no_longer_promised(store: SqlStore, tmp_path: Path, harm: str) -> None:
    file = tmp_path / "nasight-artifacts" / "weights" / "r1" / "1"
    if harm == "changed":
        file.write_bytes(b"weights !")
    elif harm == "missing":
        file.unlink()
    else:
        edit(tmp_path, "DELETE FROM artifacts WHERE name = 'weights/r1/1'")
    says = {"changed": "has changed", "missing": "is missing", "unknown": "does not know the file"}[harm]
    health = check_store(store, misfits)
    assert not health.sound
    assert f"harm r1: The weights of 2 candidates in weights/r1/1 are lost: the file {says}" in words(health) or (
        harm == "unknown" and "the store does not know the file" in words(health)
    )
    before = store.evaluations("r1")
    repaired = repair_store(store, misfits)
    assert repaired.sound
    assert [f.repaired for f in repaired.findings] == [True]
    after = store.evaluations("r1")
    assert [e.id for e in after] == [e.id for e in before]
    assert [e.weights is None for e in after] == [False, True, False, True]
    assert "Its weights were lost" in after[1].reason
    assert after[1].revision == store.run("r1").revision, "a reader who looks for news sees it"
    assert store.run("r1").state is RunState.DONE
    event = store.events("r1")[-1]
    assert (event.kind, event.payload["lost_weights"]) == ("repaired", [after[1].id, after[3].id])
    assert check_store(store, misfits).findings == ()
    assert not file.exists()
    assert store.get_artifact("weights/r1/0") == b"weights 0"


def test_nothing_is_given_up_when_all_artifacts_are_somewhere_else(store: SqlStore, tmp_path: Path) -> None:
    shutil.move(tmp_path / "nasight-artifacts" / "weights", tmp_path / "elsewhere")
    assert not check_store(store, misfits).sound
    with pytest.raises(StoreError, match=r"None of 2 artifacts is in .*nothing was changed"):
        repair_store(store, misfits)
    shutil.move(tmp_path / "elsewhere", tmp_path / "nasight-artifacts" / "weights")
    assert check_store(store, misfits).findings == ()


def test_leftovers_are_no_harm_and_are_removed(store: SqlStore, tmp_path: Path) -> None:
    root = tmp_path / "nasight-artifacts"
    store.put_artifact("weights/r1/7", b"killed before its candidates were committed")
    store.put_artifact("weights/gone/0", b"its run was deleted")
    for stray in (root / "weights" / "r1" / ".writing-abc", root / "loose"):
        stray.write_bytes(b"half")
    health = check_store(store, misfits)
    assert health.sound
    assert "litter r1: 2 files that nothing refers to, such as weights/r1/.writing-abc" in words(health)
    assert "litter : 2 files that nothing refers to, such as loose" in words(health)
    repair_store(store, misfits)
    assert sorted(p.name for p in root.rglob("*") if p.is_file()) == ["0", "1"]
    assert check_store(store, misfits).findings == ()
    assert store.events("r1")[-1].payload["removed"] == 2


def test_a_run_that_is_alive_is_left_alone(store: SqlStore, tmp_path: Path) -> None:
    store.create_run(record("r2", state=RunState.RUNNING, owner=this_process()))
    store.put_artifact("weights/r2/0", b"about to be committed")
    writing = tmp_path / "nasight-artifacts" / "weights" / "r2" / ".writing-now"
    writing.write_bytes(b"ha")
    assert check_store(store, misfits).findings == ()
    repair_store(store, misfits)
    assert writing.exists()
    assert store.get_artifact("weights/r2/0") == b"about to be committed"
    ref = WeightsRef(artifact="weights/r2/0", prefix="", sha256="0" * 64)
    store.commit("r2", [evaluation(0, weights=ref)], {"told": 1}, {})
    assert not repair_store(store, misfits).sound, "damage in a live run is said, and repaired when it has ended"
    assert store.evaluations("r2")[0].weights == ref


def test_a_run_that_begins_and_ends_during_the_check_keeps_its_files(store: SqlStore) -> None:
    def meanwhile(done: int, total: int) -> None:
        if done == 1:
            store.create_run(record("r2", state=RunState.DONE))
            ref = WeightsRef(artifact="weights/r2/0", prefix="", sha256=store.put_artifact("weights/r2/0", b"new"))
            store.commit("r2", [evaluation(0, weights=ref)], {"told": 1}, {})

    assert repair_store(store, misfits, meanwhile).findings == ()
    assert store.get_artifact("weights/r2/0") == b"new"


def test_a_run_that_goes_on_during_the_check_is_left_as_it_is(store: SqlStore) -> None:
    store.put_artifact("weights/r1/9", b"left over, until the run that goes on writes it again")

    def meanwhile(done: int, total: int) -> None:
        if done == total:
            ref = WeightsRef(artifact="weights/r1/9", prefix="", sha256=store.put_artifact("weights/r1/9", b"again"))
            store.commit("r1", [evaluation(4, weights=ref)], {"told": 5}, {})

    assert [f.repaired for f in repair_store(store, misfits, meanwhile).findings] == [False]
    assert store.get_artifact("weights/r1/9") == b"again"


def test_a_run_whose_process_died_is_marked_as_interrupted(store: SqlStore) -> None:
    store.update_run("r1", state=RunState.RUNNING, owner=DEAD)
    health = check_store(store, misfits)
    assert health.sound
    assert "litter r1: It is called running, and its process has ended" in words(health)
    repair_store(store, misfits)
    found = store.run("r1")
    assert (found.state, found.owner) == (RunState.INTERRUPTED, "")
    assert "ended without stopping" in found.reason
    assert check_store(store, misfits).findings == ()
