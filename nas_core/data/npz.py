"""Arrays in a ``.npz`` file: found by their names, checked by their headers before anything is decompressed."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.archives import check_zip
from nas_core.data.arrays import SignalLimits
from nas_core.errors import DataError

__all__ = ["Arrays", "read_npz"]

X_NAMES = ("x", "images", "image", "data", "inputs", "input", "features", "series", "sequences", "samples")
Y_NAMES = ("y", "labels", "label", "target", "targets", "class", "classes", "outputs")
TRAIN, TEST, VALID = ("train", "training"), ("test", "testing"), ("val", "valid", "validation")
BROKEN = (
    zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, KeyError, TypeError, NotImplementedError,
    RuntimeError, SyntaxError, MemoryError, RecursionError, OverflowError, tokenize.TokenError,
)  # fmt: skip
LARGEST = 8 * SignalLimits.NUMBERS  # bytes of one array


@dataclass(frozen=True)
class Arrays:
    """Rows with their labels; the last ``held`` rows are the declared test part.

    Attributes:
        X: (N, …) numbers.
        y: (N, …) labels as they are in the file.
        held: Number of test rows.
        target: Name of the labels.
        notes: What was left out.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    held: int
    target: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Header:
    """What the header of an array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npz(file: Path, target: str | None = None) -> Arrays:
    """Return the arrays of a ``.npz`` file.

    The rows are called x, images, data, inputs, features or series, the labels y, labels, target or class (any case),
    alone or with train, val and test before or after (``x_train``, ``test_labels``). Rows of val join those of train:
    the validation part is drawn from both. Without any such name a file of two arrays is understood when one of them
    holds one label per row of the other.

    Raises:
        DataError: The file is broken, holds Python objects or too much, or its arrays are not these.
    """
    with _understood(file.name), zipfile.ZipFile(file) as archive:
        check_zip(archive, file.name)
        headers = {
            info.filename.removesuffix(".npy"): _header(archive, info, file.name)
            for info in archive.infolist()
            if info.filename.endswith(".npy")
        }
        if not headers:
            raise DataError(
                f"{file.name} holds no arrays", allowed="arrays written by numpy.savez", fix="write the file again"
            )
        found = _find(headers, target, file.name)
        parts = {part: _read(archive, pair, headers, file.name) for part, pair in found.items()}
    return _joined(parts, found, headers, file.name)


@contextmanager
def _understood(name: str) -> Iterator[None]:
    """Turn what the zip and array readers raise into a DataError."""
    try:
        yield
    except BROKEN as error:
        raise DataError(
            f"{name} cannot be read as .npz ({error or type(error).__name__})",
            allowed="arrays written by numpy.savez or numpy.savez_compressed",
            fix="write the file again",
        ) from error


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> _Header:
    """Return shape and type of an array; only its first bytes are decompressed."""
    with archive.open(info) as stream:
        shape, dtype = _read_header(stream)
    what = f"The array {info.filename.removesuffix('.npy')!r} of {name}"
    if dtype.hasobject:
        raise DataError(
            f"{what} holds Python objects, and reading them could run code that the file brings",
            allowed="arrays of numbers or texts (allow_pickle=False)",
            fix="save numbers: numpy.savez(file, x=numpy.asarray(x, dtype='float32'), y=…)",
        )
    if dtype.names is not None or dtype.kind not in "biufUS" or any(side < 0 for side in shape):
        raise DataError(
            f"{what} has the type {dtype} and the shape {shape}", allowed="numbers or texts", fix="save it as such"
        )
    SignalLimits.check(shape[0] if shape else 1, max(1, math.prod(shape[1:])), what)
    size = math.prod(shape) * dtype.itemsize
    if size > LARGEST:
        raise DataError(
            f"{what} unpacks to {size / 1e6:,.0f} MB", allowed=f"at most {LARGEST / 1e6:,.0f} MB",
            fix="save shorter texts, or smaller numbers such as float32",
        )  # fmt: skip
    return _Header(shape, dtype)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"array format {version[0]}.{version[1]}")
    return shape, dtype


def _words(name: str) -> tuple[str, str | None]:
    """Return what an array is called without its part, and the part: ``x_train`` gives ("x", "train")."""
    text = name.replace("\\", "/").rpartition("/")[2].lower().replace("-", "_")
    for part, endings in (("train", TRAIN), ("test", TEST), ("valid", VALID)):
        for word in endings:
            for candidate in (text.removesuffix(f"_{word}"), text.removeprefix(f"{word}_"),
                              text.removesuffix(word), text.removeprefix(word)):  # fmt: skip
                if candidate != text and candidate.strip("_") in X_NAMES + Y_NAMES:
                    return candidate.strip("_"), part
    return text, None


def _find(headers: Mapping[str, _Header], target: str | None, file: str) -> dict[str, tuple[str, str]]:
    """Return the names of rows and labels of each part, ``train`` first.

    Raises:
        DataError: There are none, or several that could be meant.
    """
    if target is not None and target not in headers:
        raise _unfound(headers, file, f"There is no array {target!r} to predict in {file}")
    rows: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    for name in headers:
        word, part = _words(name)
        if word in X_NAMES and name != target:
            rows.setdefault(part or "train", []).append(name)
        elif word in Y_NAMES:
            labels.setdefault(part or "train", []).append(name)
    if target is not None:
        labels["train"] = [target]
    if not rows and len(headers) == 2:
        first, second = headers
        for x, y in ((first, second), (second, first)):
            if len(headers[y].shape) == 1 < len(headers[x].shape) and headers[x].shape[0] == headers[y].shape[0]:
                return {"train": (x, y)}
    for part, names in [*rows.items(), *labels.items()]:
        if len(names) > 1:
            raise _unfound(headers, file, f"{' and '.join(map(repr, names))} of {file} could both be meant for {part}")
    if "train" not in rows or "train" not in labels:
        raise _unfound(headers, file, f"{file} holds no arrays whose names say rows and labels to learn from")
    return {p: (rows[p][0], labels[p][0]) for p in ("train", "valid", "test") if p in rows and p in labels}


def _unfound(headers: Mapping[str, _Header], file: str, given: str) -> DataError:
    held = ", ".join(f"{name} {header.shape}" for name, header in list(headers.items())[:12])
    return DataError(
        f"{given}; it holds {held}",
        allowed="x and y, or x_train, y_train, x_test, y_test (also images and labels, data and target)",
        fix="name the arrays so: numpy.savez(file, x=…, y=…)",
    )


def _read(
    archive: zipfile.ZipFile, pair: tuple[str, str], headers: Mapping[str, _Header], name: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows and labels of one part."""
    (x, y), shapes = pair, [headers[p].shape for p in pair]
    if len(shapes[0]) < 2 or not shapes[1] or shapes[0][0] != shapes[1][0] or headers[x].dtype.kind in "US":
        raise DataError(
            f"The arrays {x} {shapes[0]} ({headers[x].dtype}) and {y} {shapes[1]} of {name} do not fit together",
            allowed="rows of numbers (rows, …) and one label for each row",
            fix="save arrays with the same number of rows",
        )
    arrays = []
    for key in pair:
        with archive.open(f"{key}.npy") as stream:
            arrays.append(np.lib.format.read_array(stream, allow_pickle=False))
    return arrays[0], arrays[1]


def _joined(
    parts: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], found: Mapping[str, tuple[str, str]],
    headers: Mapping[str, _Header], name: str,
) -> Arrays:  # fmt: skip
    """Return the rows of all parts, those of the test part last."""
    forms = {x.shape[1:] for x, _ in parts.values()} | {y.shape[1:] for _, y in parts.values()}
    if len({x.shape[1:] for x, _ in parts.values()}) > 1 or len({y.shape[1:] for _, y in parts.values()}) > 1:
        raise DataError(
            f"The parts of {name} have rows and labels of different shapes: {', '.join(map(str, sorted(forms)))}",
            allowed="the same shape of a row in every part",
            fix="save them so",
        )
    SignalLimits.check(sum(len(x) for x, _ in parts.values()), math.prod(next(iter(parts.values()))[0].shape[1:]), name)
    used = {key for pair in found.values() for key in pair}
    notes = []
    if unused := sorted(set(headers) - used):
        notes.append(f"Arrays that are not used: {', '.join(unused[:8])}{' …' if len(unused) > 8 else ''}.")
    if "valid" in parts:
        notes.append(f"The {len(parts['valid'][0]):,} rows of {found['valid'][0]} join those of {found['train'][0]}; "
                     "the validation part is drawn from both.")  # fmt: skip
    X, y = (np.concatenate([pair[i] for pair in parts.values()]) for i in (0, 1))
    return Arrays(X, y, len(parts["test"][0]) if "test" in parts else 0, found["train"][1], tuple(notes))
