"""IDX files, the format of MNIST: a header of a few bytes, then numbers; often packed with gzip."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.archives import Files
from nas_core.data.arrays import SignalLimits
from nas_core.errors import DataError

__all__ = ["IdxSet", "idx_names", "is_idx", "read_idx", "read_idx_set"]

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
NAME = re.compile(r"(^|[-._])idx\d([-._]|$)", re.IGNORECASE)
IMAGES = re.compile(r"images?(?=[-._])", re.IGNORECASE)
TESTS = ("t10k", "test")
PIECE = 1 << 20


@dataclass(frozen=True)
class IdxSet:
    """Images with their labels; the last ``held`` rows are the declared test part."""

    X: NDArray[Any]
    y: NDArray[Any]
    held: int
    notes: tuple[str, ...] = ()


def is_idx(name: str) -> bool:
    """Return whether a file name is one of an IDX file: ``…-idx3-ubyte``, ``….idx3-ubyte.gz``."""
    return bool(NAME.search(PurePosixPath(name).name))


def idx_names(files: Files) -> tuple[str, ...]:
    """Return the paths of the IDX files of images, those to train on first."""
    images = [n for n in files.names if is_idx(n) and IMAGES.search(PurePosixPath(n).name)]
    return tuple(sorted(images, key=lambda n: (any(t in PurePosixPath(n).name for t in TESTS), n)))


def read_idx_set(files: Files, images: str, test: tuple[Files, str] | None, *, look: bool) -> IdxSet:
    """Return images and labels, with those of the test files.

    Args:
        files: Where the files are.
        images: Path of the images; the labels are beside it (``…images-idx3…`` → ``…labels-idx1…``).
        test: Images of the test part, when a person named them.
        look: Whether to look for test files beside (``train…`` → ``t10k…`` or ``test…``).

    Raises:
        DataError: A file is broken or too large, or there are no labels.
    """
    X, y = _pair(files, images)
    if test is None and look:
        test = next(((files, n) for n in _test_names(images) if files.has(n)), None)
    if test is None:
        return IdxSet(X, y, 0)
    other, labels = _pair(*test)
    if other.shape[1:] != X.shape[1:]:
        raise DataError(
            f"{images} has images of the shape {X.shape[1:]}, {test[1]} of {other.shape[1:]}",
            allowed="the same size in both",
            fix="choose the test file that belongs to it",
        )
    SignalLimits.check(len(X) + len(other), math.prod(X.shape[1:]), files.name)
    return IdxSet(np.concatenate([X, other]), np.concatenate([y, labels]), len(other))


def read_idx(files: Files, name: str) -> NDArray[Any]:
    """Return the numbers of an IDX file; not one byte more is decompressed than its header says.

    Raises:
        DataError: It is broken, too long, too short or too large.
    """
    with files.understood(name), files.open(name) as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            if packed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    return _parse(stream, name)
            return _parse(raw, name)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _broken(name, str(error)) from error


def _parse(stream: IO[bytes] | gzip.GzipFile, name: str) -> NDArray[Any]:
    """Return the array behind the header: two zeros, the type, the number of axes, their lengths."""
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\x00\x00" or head[2] not in TYPES or not 1 <= head[3] <= 4:
        raise _broken(name, f"it begins with {head.hex(' ') or 'nothing'}")
    sides = stream.read(4 * head[3])
    if len(sides) < 4 * head[3]:
        raise _broken(name, "its header is cut off")
    shape = tuple(int(side) for side in np.frombuffer(sides, dtype=">u4"))
    if 0 in shape[1:]:
        raise _broken(name, f"its header says {' × '.join(map(str, shape))}, which holds nothing")
    SignalLimits.check(shape[0], math.prod(shape[1:]), name)
    dtype = np.dtype(TYPES[head[2]])
    expected = math.prod(shape) * dtype.itemsize
    data = bytearray()
    while len(data) <= expected and (piece := stream.read(min(PIECE, expected + 1 - len(data)))):
        data += piece
    if len(data) != expected:
        amount = "more than" if len(data) > expected else f"{len(data):,} bytes instead of"
        raise _broken(name, f"it holds {amount} the {expected:,} bytes that its header says")
    return np.frombuffer(bytes(data), dtype=dtype).reshape(shape)


def _pair(files: Files, images: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the images of a file and the labels beside it."""
    X = read_idx(files, images)
    labels = next((n for n in _label_names(images) if files.has(n)), None)
    if labels is None:
        raise DataError(
            f"There are no labels beside {images} in {files.name}",
            allowed=" or ".join(list(dict.fromkeys(_label_names(images)))[:2]) or "…images-idx3-ubyte, …labels-idx1…",
            fix="put the file of labels in the same folder or zip archive",
        )
    y = read_idx(files, labels)
    if X.ndim not in (3, 4) or y.ndim != 1 or len(X) != len(y):
        raise DataError(
            f"{images} has the shape {X.shape} and {labels} {y.shape}",
            allowed="(rows, height, width) and (rows,)",
            fix="choose the file of images; the labels are found beside it",
        )
    return X, y


def _label_names(images: str) -> list[str]:
    """Return what the file of labels may be called, packed or not."""
    folder, slash, name = images.rpartition("/")
    labels = IMAGES.sub(lambda m: "labels" if m.group().lower().endswith("s") else "label", name)
    labels = re.sub(r"idx[34]", "idx1", labels, flags=re.IGNORECASE)
    return [folder + slash + n for n in _packed_or_not(labels)] if labels != name else []


def _test_names(images: str) -> list[str]:
    """Return what the images of the test part may be called."""
    folder, slash, name = images.rpartition("/")
    if "train" not in name:
        return []
    return [folder + slash + n for word in TESTS for n in _packed_or_not(name.replace("train", word))]


def _packed_or_not(name: str) -> list[str]:
    return [name, name.removesuffix(".gz") if name.endswith(".gz") else name + ".gz"]


def _broken(name: str, why: str) -> DataError:
    return DataError(
        f"{name} is not a whole IDX file: {why}",
        allowed="two zero bytes, the type, the number of axes, their lengths, the numbers; packed with gzip or not",
        fix="download the file again",
    )
