"""Folders and zip archives of images: one size, colours, test folders, and broken images named."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from picture_files import folder, picture, pictures, pixels, zipped
from PIL import Image

from nas_core.data import Problem, load, load_data
from nas_core.data.image_files import PictureLimits, labelled
from nas_core.errors import DataError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_a_folder_and_a_zip_of_it_are_the_same_data(kind: str, tmp_path: Path) -> None:
    files = pictures(kind)
    root = folder(tmp_path / "pets", files)
    extra = {"__MACOSX/cat/._0.png": b"junk", "cat/.DS_Store": b"junk", "README.md": b"about"}
    archive = zipped(tmp_path / "pets.zip", {**files, **extra})
    before = set(tmp_path.rglob("*"))
    a, b = load_data(root), load_data(archive)
    assert a.hash == b.hash == load(a.source).hash == load(b.source).hash
    assert set(tmp_path.rglob("*")) == before
    assert a.signal.shape == ((1 if kind == "grey" else 3), 6, 5)
    assert (a.classes, a.target, a.name) == (("cat", "dog"), "class", "pets")
    assert a.y.tolist() == [0] * 6 + [1] * 6
    first = pixels(files["cat/0.png"])
    expected = first[None] if kind == "grey" else np.moveaxis(first, 2, 0)
    assert np.array_equal(a.X[0].reshape(a.signal.shape), expected)
    assert b.notes == ("1 files that are no images are left out.",)
    assert np.isfinite(Problem.create(a).train.E).all()


@pytest.mark.parametrize("around", ["", "data/", "a/b/"])
def test_train_and_test_folders(around: str, tmp_path: Path) -> None:
    files = {f"{around}{part}/{name}": c for part in ("train", "val", "test") for name, c in pictures(rows=5).items()}
    dataset = load_data(zipped(tmp_path / "a.zip", files))
    assert dataset.N == 30
    assert dataset.held_out.tolist() == list(range(20, 30))
    assert dataset.classes == ("cat", "dog")
    assert np.array_equal(dataset.X[20].reshape(6, 5), pixels(files[f"{around}test/cat/0.png"]))
    assert "10 images of a validation folder join the others: the validation part is drawn anew." in dataset.notes
    assert dataset.hash == load(dataset.source).hash
    alone = load_data(tmp_path / "a.zip", test="")
    assert (alone.N, alone.held_out) == (20, None)


def test_a_test_archive_of_its_own(tmp_path: Path) -> None:
    train, test = zipped(tmp_path / "a.zip", pictures()), folder(tmp_path / "b", pictures(rows=2))
    dataset = load_data(train, test=test)
    assert dataset.held_out.tolist() == [12, 13, 14, 15]
    assert dataset.hash == load(dataset.source).hash


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.png", "2.png"], "'1.png' of pets lies in no folder of a class"),
        (["cat/1.png", "2.png"], "'2.png' of pets lies in no folder of a class"),
        (["cat/a/1.png", "dog/2.png"], "'cat/a/1.png' of pets lies in a folder within a folder"),
        (["train/1.png", "train/cat/2.png"], "'train/1.png' of pets lies in no folder of a class"),
        (["a.txt"], "pets holds no images"),
        ([], "pets holds no images"),
    ],
)
def test_folders_that_are_arranged_otherwise(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        labelled(names, "pets")


def test_a_class_may_be_called_test() -> None:
    found, _ = labelled(["test/1.png", "control/2.png"], "pets")
    assert [(i.label, i.test) for i in found] == [("test", False), ("control", False)]


def test_mixed_sizes_become_the_commonest_and_large_ones_at_most_64(tmp_path: Path) -> None:
    mixed = load_data(folder(tmp_path / "a", pictures(sizes=((6, 5), (6, 5), (12, 10)))))
    assert mixed.signal.shape == (1, 6, 5)
    assert mixed.notes == ("4 of 12 images are resized to 6 × 5 pixels (2 sizes are mixed).",)
    large = load_data(folder(tmp_path / "b", pictures(sizes=((100, 200),))))
    assert large.signal.shape == (1, 32, 64)
    assert large.notes == ("All 12 images are resized from 100 × 200 to 32 × 64 pixels.",)
    wished = load_data(tmp_path / "a", size=(3, 5))
    assert wished.signal.shape == (1, 3, 5)
    assert wished.hash == load(wished.source).hash


def test_resizing_averages_over_areas(tmp_path: Path) -> None:
    files = pictures(sizes=((6, 10),))
    dataset = load_data(folder(tmp_path / "a", files), size=(3, 5))
    expected = pixels(files["cat/0.png"]).reshape(3, 2, 5, 2).mean(axis=(1, 3))
    assert np.abs(dataset.X[0].reshape(3, 5) - expected).max() <= 1.01  # rounded along each axis


def test_colours(tmp_path: Path) -> None:
    grey, colour = pictures("grey"), pictures("colour")
    one = {**grey, "cat/0.png": colour["cat/0.png"]}
    assert load_data(folder(tmp_path / "a", one)).signal.shape == (3, 6, 5)
    assert load_data(tmp_path / "a", colour="grey").signal.shape == (1, 6, 5)
    assert load_data(folder(tmp_path / "b", grey), colour="colour").signal.shape == (3, 6, 5)
    forced = load_data(folder(tmp_path / "c", colour), colour="grey")
    expected = pixels(colour["cat/0.png"]) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(forced.X[0].reshape(6, 5) - expected).max() <= 0.51


def test_modes_transparency_and_the_camera_that_was_turned(tmp_path: Path) -> None:
    files = pictures("colour")
    base = np.zeros((6, 5), dtype=np.uint8)
    clear = np.zeros((6, 5, 4), dtype=np.uint8)
    out = {
        "16": Image.fromarray(np.full((6, 5), 25_700, dtype=np.uint16)),
        "rgba": Image.fromarray(clear),
        "la": Image.fromarray(base).convert("LA"),
        "1": Image.fromarray(base).convert("1"),
        "p": Image.fromarray(np.full((6, 5, 3), 90, dtype=np.uint8)).quantize(4),
    }
    for name, image in out.items():
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        files[f"cat/{name}.png"] = buffer.getvalue()
    turned = Image.fromarray(np.repeat(np.arange(5, dtype=np.uint8)[:, None] * 40, 6, axis=1))  # 5 high, 6 wide
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    buffer = io.BytesIO()
    turned.save(buffer, "PNG", exif=exif)
    files["cat/turned.png"] = buffer.getvalue()
    dataset = load_data(folder(tmp_path / "a", files))
    order = sorted(name for name in files)
    row = {name: dataset.X[order.index(f"cat/{name}.png")].reshape(3, 6, 5) for name in [*out, "turned"]}
    assert (row["16"] == 100).all()
    assert (row["rgba"] == 255).all()
    assert (row["la"] == 0).all()
    assert (row["1"] == 0).all()
    assert (row["p"] == 90).all()
    assert (row["turned"][0] == np.arange(5)[::-1] * 40).all()  # the left becomes the top


@pytest.mark.parametrize("way", ["JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"])
def test_other_formats(way: str, tmp_path: Path) -> None:
    suffix = {"JPEG": "jpg", "TIFF": "tif"}.get(way, way.lower())
    files = {f"{name}/{i}.{suffix}": picture(way=way) for name in ("cat", "dog") for i in range(6)}
    assert load_data(folder(tmp_path / "a", files)).signal.columns in (30, 90)


def broken_images() -> list[tuple[str, bytes, str]]:
    whole = picture(40, 40)
    return [
        ("cut", whole[: len(whole) // 2], "'cat/bad.png' of a cannot be read"),
        ("empty", b"", "it is no image of a known format"),
        ("text", b"hello", "it is no image of a known format"),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is no image of a known format"),
        ("huge", whole[:16] + struct.pack(">II", 20_000, 20_000) + whole[24:], "cannot be read|pixels"),
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "message"), broken_images(), ids=[b[0] for b in broken_images()])
def test_broken_images_are_named(kind: str, content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as error:
        load_data(folder(tmp_path / "a", {**pictures(), "cat/bad.png": content}))
    assert "cat/bad.png" in str(error.value)


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = b"\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 9_000, 9_000, 8, 0, 0, 0, 0)
    import zlib

    bomb = b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", zlib.crc32(header[4:])) + picture()[33:]
    root = folder(tmp_path / "a", {**pictures(), "cat/bomb.png": bomb})
    with pytest.raises(DataError, match=r"'cat/bomb.png' of a has 9,000 × 9,000 pixels.*at most 50,000,000 pixels"):
        load_data(root)
    huge = b"\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    (root / "cat/bomb.png").write_bytes(bomb[:8] + huge + struct.pack(">I", zlib.crc32(huge[4:])) + picture()[33:])
    with pytest.raises(DataError, match=r"'cat/bomb.png' of a cannot be read: .*decompression bomb"):
        load_data(root)
    monkeypatch.setattr(PictureLimits, "BYTES", 20)
    with pytest.raises(DataError, match="more than 0 MB"):
        load_data(root)


WHOLE = picture(8, 8)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(WHOLE)))
def test_any_change_of_an_image(changes: list[tuple[int, int]], end: int) -> None:
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    _try(lambda root: folder(root / "a", {**pictures(), "cat/x.png": bytes(content[: end or None])}))


MAGIC = [
    b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"P5 4 4 255\n", b"II*\0",
    b"RIFF\0\0\0\0WEBPVP8 ",
]  # fmt: skip


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.sampled_from(MAGIC))
def test_any_bytes_as_an_image(content: bytes, magic: bytes) -> None:
    _try(lambda root: folder(root / "a", {**pictures(), "cat/x.png": magic + content}))


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
