"""Archives that could do harm are refused, and nothing is ever written to the disk."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from picture_files import folder, picture, pictures, zipped

from nas_core.data import load_data
from nas_core.data.archives import ZipLimits, open_files
from nas_core.errors import DataError


def member(name: str, content: bytes = b"x", mode: int | None = None, flags: int = 0) -> bytes:
    """Return a zip of good images with one more member of any name, mode and flags."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for good, image in pictures().items():
            archive.writestr(good, image)
        info = zipfile.ZipInfo("PLACEHOLDER")
        if mode is not None:
            info.create_system = 3
            info.external_attr = mode << 16
        archive.writestr(info, content)
    data = bytearray(out.getvalue())
    at = data.rindex(b"PK\x01\x02")  # its entry in the directory is the last one
    struct.pack_into("<H", data, at + 8, flags)
    return bytes(data).replace(b"PLACEHOLDER", name.encode().ljust(11, b"_")[:11])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (member("../../x.png"), "leads out of the archive"),
        (member("cat/../../x"), "leads out of the archive"),
        (member("/etc/passwd"), "is an absolute path"),
        (member("C:/win/file"), "is an absolute path"),
        (member("cat\\..\\..\\x"), "is an absolute path, or one of another system"),
        (member("cat/bad.png", b"/etc/passwd", stat.S_IFLNK | 0o777), "is a link to another file"),
        (member("cat/bad.png", flags=1), "is encrypted"),
        (member("inner12.zip", b"PK\x03\x04"), "holds another archive, 'inner12.zip'"),
        (member("cat/xxx.tgz"), "holds another archive"),
        (member("cat/bad.png", bytes(20_000_000)), None),
    ],
)
def test_archives_that_could_do_harm_are_refused(content: bytes, message: str | None, tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(content)
    if message is None:  # stored as it is, no bomb: an image that is none
        message = "it is no image"
    before = set(tmp_path.iterdir())
    with pytest.raises(DataError, match=message) as error:
        load_data(file)
    assert "Fix:" in str(error.value)
    assert set(tmp_path.iterdir()) == before


def test_bombs(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {**pictures(), "cat/bomb.png": bytes(30_000_000)})
    with pytest.raises(DataError, match=r"'cat/bomb.png', which unpacks to [\d,]+ times its size, as bombs do"):
        load_data(file)
    for limits, message in (
        (ZipLimits(files=5), "holds more than 5 files"),
        (ZipLimits(bytes=500), "more than 0 MB unpacked"),
        (ZipLimits(member=50), "unpacks to 0 MB, more than 0 MB"),
    ):
        good = zipped(tmp_path / "b.zip", pictures())
        with pytest.raises(DataError, match=message), open_files(good, limits) as files:
            files.names
    root = folder(tmp_path / "c", pictures())
    with pytest.raises(DataError, match="holds more than 5 files"), open_files(root, ZipLimits(files=5)) as files:
        files.names


def test_a_directory_of_too_many_entries_is_refused_before_it_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", pictures()).read_bytes())
    at = data.rindex(b"PK\x05\x06")
    struct.pack_into("<HH", data, at + 8, 60_000, 60_000)
    (tmp_path / "a.zip").write_bytes(bytes(data))
    with (
        pytest.raises(DataError, match="more than 50,000 files"),
        open_files(tmp_path / "a.zip", ZipLimits(files=50_000)),
    ):
        pass


def test_repeated_names(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", pictures())
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("cat/0.png", picture())
    with pytest.raises(DataError, match=r"holds 'cat/0.png' twice"):
        load_data(file)


def test_other_contents_are_refused_with_what_is_allowed(tmp_path: Path) -> None:
    for name, message in (("a.csv", "holds a.csv"), ("x/.hidden", "holds no files")):
        file = zipped(tmp_path / "a.zip", {name: b"a,b\n1,2\n"})
        with pytest.raises(DataError, match=message + r"\. Allowed: images .*IDX.*TRAIN.ts"):
            load_data(file)
    (tmp_path / "b.zip").write_bytes(b"no zip at all")
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        load_data(tmp_path / "b.zip")
    with pytest.raises(DataError, match="There is no file"):
        load_data(tmp_path / "absent.zip")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    root = folder(tmp_path / "a", pictures())
    (root / "again").symlink_to(root, target_is_directory=True)
    (root / "cat" / "broken.png").symlink_to(tmp_path / "nowhere")
    assert load_data(root).N == 12


ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as _archive:
    for _name, _content in pictures().items():
        _archive.writestr(_name, _content)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(1, len(ARCHIVE.getvalue())), st.integers(0, 255)), max_size=10),
    st.integers(0, 2000),
)
def test_any_change_of_an_archive(changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(ARCHIVE.getvalue())
    for place, value in changes:
        content[-place] = value

    def make(root: Path) -> Path:
        (root / "a.zip").write_bytes(bytes(content[: len(content) - (cut if cut < 600 else 0)]))
        return root / "a.zip"

    _try(make)


def _try(make: object) -> None:
    with TemporaryDirectory() as root:
        place = make(Path(root))
        try:
            dataset = load_data(place)
        except DataError as error:
            event(f"refused: {error.given.rpartition(':')[2][:40]}")
        else:
            event("read")
            assert np.isfinite(dataset.X).all()
