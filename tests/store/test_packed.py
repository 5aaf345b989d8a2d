"""A run in one file, and a store that shows it beside a person's own runs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_contract import StoreContract, evaluation, record

from nas_core.errors import StoreError
from nas_core.records import Event, RunState, WeightsRef
from nas_core.store import InMemoryStore, open_store, packed
from nas_core.store.base import Store
from nas_core.store.beside import StoreWithExamples
from nas_core.store.packed import PackedStore, write_packed

NAME = "example-small"


def finished() -> InMemoryStore:
    """A store with one finished run whose second candidate has weights."""
    store = InMemoryStore()
    store.create_run(record("r1", state=RunState.DONE))
    digest = store.put_artifact("weights/r1/0.safetensors", b"weights")
    weights = WeightsRef(artifact="weights/r1/0.safetensors", prefix="1/", sha256=digest)
    found = [evaluation(0), evaluation(1, weights=weights)]
    store.commit("r1", found, {"counter": 1}, {"evaluated": 2}, [Event(time=1.0, kind="started")])
    return store


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "small.zip"
    write_packed(finished(), "r1", path, name=NAME)
    return path


class TestStoreWithExamples(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path, file: Path) -> Iterator[Store]:
        store = StoreWithExamples(open_store(tmp_path), {NAME: file})
        yield store
        store.close()


def test_everything_of_a_run_comes_back_except_what_makes_it_go_on(file: Path) -> None:
    opened, original = PackedStore(file), finished()
    assert [r.id for r in opened.runs()] == [NAME]
    assert opened.run(NAME).model_copy(update={"id": "r1", "revision": 0}) == original.run("r1").model_copy(
        update={"revision": 0}
    )
    first, second = opened.evaluations(NAME)
    assert first == original.evaluation("r1", first.id)
    assert second.weights is not None
    assert opened.get_artifact(second.weights.artifact, second.weights.sha256) == b"weights"
    assert opened.evaluation(NAME, second.id) == second
    assert [e.kind for e in opened.events(NAME)] == ["started"]
    assert opened.strategy_state(NAME) is None


def test_the_same_run_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    write_packed(finished(), "r1", tmp_path / "again.zip", name=NAME)
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()


def test_nothing_of_a_packed_run_can_be_changed(file: Path) -> None:
    store = StoreWithExamples(InMemoryStore(), {NAME: file})
    before = store.run(NAME)
    for change in (
        lambda: store.create_run(before),
        lambda: store.update_run(NAME, name="x"),
        lambda: store.claim(NAME, "me", 0.0),
        lambda: store.commit(NAME, [], None, {}),
        lambda: store.delete_run(NAME),
        lambda: store.put_artifact(f"weights/{NAME}/1", b"x"),
    ):
        with pytest.raises(StoreError, match=r"recorded example.*start a run of your own"):
            change()
    assert store.run(NAME) == before


def test_a_packed_run_is_not_among_a_persons_own(file: Path) -> None:
    store = StoreWithExamples(InMemoryStore(), {NAME: file})
    store.create_run(record())
    assert [r.id for r in store.runs()] == ["r1"]
    assert store.run(NAME).id == NAME
    assert store.url == "memory:"


def test_only_an_ended_run_is_packed_and_under_a_name_of_an_example(tmp_path: Path) -> None:
    store = finished()
    with pytest.raises(StoreError, match=r"no name of a packed run.*example-"):
        write_packed(store, "r1", tmp_path / "x.zip", name="mine")
    store.update_run("r1", state=RunState.PAUSED)
    with pytest.raises(StoreError, match=r"paused.*stop it first"):
        write_packed(store, "r1", tmp_path / "x.zip", name=NAME)


def test_what_is_no_packed_run_is_said_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    for content in (b"", b"no zip"):
        broken.write_bytes(content)
        with pytest.raises(StoreError, match=r"broken\.zip is not a packed run"):
            PackedStore(broken)
    with pytest.raises(StoreError, match="not a packed run"):
        PackedStore(tmp_path / "missing.zip")
    with zipfile.ZipFile(broken, "w") as pack:
        pack.writestr(packed.RECORD, json.dumps({"id": 1}))
    with pytest.raises(StoreError, match="not a packed run"):
        PackedStore(broken)


def test_a_file_that_unpacks_to_too_much_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LARGEST", 100)
    with pytest.raises(StoreError, match="unpacks to more than 100 bytes"):
        PackedStore(file)
