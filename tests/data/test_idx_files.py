"""IDX files: read as written, with labels and test images found beside them, and never further than their header."""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nas_core.data import load, load_data
from nas_core.data.archives import FolderFiles
from nas_core.data.idx import is_idx, read_idx
from nas_core.errors import DataError

CODES = {"|u1": 8, "|i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (40, 6, 5), dtype=np.uint8), (np.arange(40) % 4).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, CODES[array.dtype.str], array.ndim])
    return head + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def put(folder: Path, name: str, array: np.ndarray) -> Path:
    file = folder / name
    file.write_bytes(gzip.compress(idx(array)) if name.endswith(".gz") else idx(array))
    return file


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("test", ["t10k", "test"])
def test_the_files_of_a_set_find_each_other(ending: str, test: str, tmp_path: Path) -> None:
    file = put(tmp_path, f"train-images-idx3-ubyte{ending}", X[:30])
    put(tmp_path, f"train-labels-idx1-ubyte{ending}", Y[:30])
    alone = load_data(file)
    put(tmp_path, f"{test}-images-idx3-ubyte", X[30:])
    put(tmp_path, f"{test}-labels-idx1-ubyte.gz", Y[30:])
    dataset = load_data(file)
    assert np.array_equal(dataset.X.reshape(X.shape), X)
    assert np.array_equal(dataset.y, Y)
    assert (alone.held_out, dataset.held_out.tolist()) == (None, list(range(30, 40)))
    assert dataset.signal.shape == (1, 6, 5)
    assert dataset.hash == load(dataset.source).hash
    assert load_data(tmp_path).hash == dataset.hash  # the folder
    assert load_data(file, test="").hash == alone.hash
    assert load_data(file, test=tmp_path / f"{test}-images-idx3-ubyte").hash == dataset.hash


def test_a_zip_of_them_is_read_without_unpacking(tmp_path: Path) -> None:
    put(tmp_path, "train-images-idx3-ubyte.gz", X[:30])
    put(tmp_path, "train-labels-idx1-ubyte.gz", Y[:30])
    put(tmp_path, "t10k-images-idx3-ubyte.gz", X[30:])
    put(tmp_path, "t10k-labels-idx1-ubyte.gz", Y[30:])
    expected = load_data(tmp_path)
    archive = tmp_path / "mnist.zip"
    with zipfile.ZipFile(archive, "w") as files:
        for file in sorted(tmp_path.glob("*-ubyte.gz")):
            files.write(file, f"MNIST/raw/{file.name}")
    before = set(tmp_path.iterdir())
    dataset = load_data(archive)
    assert dataset.hash == expected.hash == load(dataset.source).hash
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("train-images-idx3-ubyte", True),
        ("emnist-letters-train-images-idx3-ubyte.gz", True),
        ("train-images.idx3-ubyte", True),
        ("idx3.csv", True),
        ("table.csv", False),
        ("index.csv", False),
        ("idxs-1.csv", False),
    ],
)
def test_names(name: str, yes: bool) -> None:
    assert is_idx(name) == yes


@given(hnp.arrays(st.sampled_from([np.dtype(t) for t in CODES]), hnp.array_shapes(max_dims=4, max_side=4)))
def test_every_type_is_read_as_it_was_written(array: np.ndarray) -> None:
    with TemporaryDirectory() as folder:
        put(Path(folder), "a-idx3-ubyte.gz", array)
        found = read_idx(FolderFiles(Path(folder)), "a-idx3-ubyte.gz")
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it begins with nothing"),
        (b"\x00\x00\x08", "it begins with 00 00 08"),
        (b"\x00\x01\x08\x01\x00\x00\x00\x01a", "it begins with 00 01 08 01"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x01a", "it begins with 00 00 07 01"),
        (b"\x00\x00\x08\x00", "it begins with 00 00 08 00"),
        (b"\x00\x00\x08\x03\x00\x00", "its header is cut off"),
        (idx(X)[:-3], "holds 1,197 bytes instead of the 1,200"),
        (idx(X) + b"a", "holds more than the 1,200 bytes"),
        (gzip.compress(idx(X))[:-9], "is not a whole IDX file"),
        (b"\x1f\x8babc", "is not a whole IDX file"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "4,294,967,295 rows"),
        (b"\x00\x00\x08\x03\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x10\x00", "68,719,476,736 numbers"),
        (gzip.compress(idx(X) + bytes(10**7)), "holds more than the 1,200 bytes"),
    ],
)
def test_what_is_not_whole_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_data(file)


def test_labels_that_are_absent_or_do_not_fit(tmp_path: Path) -> None:
    file = put(tmp_path, "train-images-idx3-ubyte", X)
    with pytest.raises(DataError, match=r"no labels beside train-images.*Allowed: train-labels-idx1-ubyte"):
        load_data(file)
    put(tmp_path, "train-labels-idx1-ubyte", Y[:9])
    with pytest.raises(DataError, match=r"has the shape \(40, 6, 5\) and train-labels-idx1-ubyte \(9,\)"):
        load_data(file)
    with pytest.raises(DataError, match=r"no labels beside train-labels"):
        load_data(tmp_path / "train-labels-idx1-ubyte")
    put(tmp_path, "train-labels-idx1-ubyte", Y)
    put(tmp_path, "t10k-images-idx3-ubyte", X[:9, :4])
    put(tmp_path, "t10k-labels-idx1-ubyte", Y[:9])
    with pytest.raises(DataError, match=r"images of the shape \(6, 5\), t10k-images-idx3-ubyte of \(4, 5\)"):
        load_data(file)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=60), st.booleans())
@example(b"\x00\x00\x08\x01\x00\x00\x00\x00", False)
def test_any_bytes(content: bytes, packed: bool) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "train-images-idx3-ubyte"
        file.write_bytes(gzip.compress(content) if packed else content)
        put(Path(folder), "train-labels-idx1-ubyte", Y)
        with pytest.raises(DataError) as error:
            load_data(file)
        event(error.value.given[:60])
