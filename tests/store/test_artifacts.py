"""Where large bytes go: a directory, and whatever fsspec reaches."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nas_core.errors import StoreError
from nas_core.store.artifacts import Artifacts, DirectoryArtifacts
from nas_core.store.remote import RemoteArtifacts


class ArtifactsContract:
    """Inherited by the tests of each place."""

    @pytest.fixture
    def place(self) -> Artifacts:
        raise NotImplementedError

    def test_what_is_written_is_read(self, place: Artifacts) -> None:
        digest = place.write("weights/r1/0", b"\x00\x01")
        assert place.read("weights/r1/0") == (b"\x00\x01", digest)
        assert digest == hashlib.sha256(b"\x00\x01").hexdigest()
        place.write("weights/r1/0", b"new")
        assert place.read("weights/r1/0")[0] == b"new"
        place.write("empty", b"")
        assert place.read("empty")[0] == b""

    def test_names_are_all_files_and_deleting_takes_them_away(self, place: Artifacts) -> None:
        assert list(place.names()) == []
        for name in ("weights/r1/1", "weights/r1/0", "weights/r2/0", "other"):
            place.write(name, b"x")
        assert list(place.names()) == ["other", "weights/r1/0", "weights/r1/1", "weights/r2/0"]
        for name in ("weights/r1/0", "weights/r1/0", "weights/r1/1"):
            place.delete(name)
        assert list(place.names()) == ["other", "weights/r2/0"]
        place.write("weights/r1/0", b"again")
        assert place.read("weights/r1/0")[0] == b"again"

    def test_what_is_not_there(self, place: Artifacts) -> None:
        with pytest.raises(FileNotFoundError):
            place.read("weights/r1/0")

    def test_no_name_leaves_the_place(self, place: Artifacts) -> None:
        for use in (lambda: place.write("../x", b""), lambda: place.read("../x")):
            with pytest.raises(StoreError, match="is not an artifact name"):
                use()


class TestDirectory(ArtifactsContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Artifacts:
        return DirectoryArtifacts(tmp_path / "deep" / "artifacts")


class TestMemory(ArtifactsContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Artifacts:
        return RemoteArtifacts(f"memory://tests{tmp_path}")


class TestFileUrl(ArtifactsContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Artifacts:
        return RemoteArtifacts(f"file://{tmp_path}/artifacts")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    for place in (DirectoryArtifacts(tmp_path / "a"), RemoteArtifacts(f"file://{tmp_path}/b")):
        place.write("weights", b"x")
        with pytest.raises(OSError, match=r"(?i)directory|exists"):
            place.write("weights/r1/0", b"y")
        assert list(place.names()) == ["weights"]


def test_a_place_that_nobody_knows_is_said_without_its_password() -> None:
    with pytest.raises(StoreError, match=r"kept at nothing://host/x: Protocol not known: nothing"):
        RemoteArtifacts("nothing://me:secret@host/x?key=secret")
