"""Valid files of each kind, changes of their bytes, and the doors they come in by: what a fuzzer needs.

A door may refuse with one of the project's own errors; any other exception is a crash.
"""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from bad_files import GOOD, arrays
from hypothesis import strategies as st
from picture_files import pictures, zipped

from dashboard.uploads import keep_uploads
from dashboard.views.drawing import read_architecture
from nas_core.data import Problem, load_data
from nas_core.errors import NasightError
from nas_core.runs.start_file import read_architectures
from nas_core.spaces import SearchSpace
from nas_core.store import open_store

__all__ = ["KINDS", "Change", "changed", "changes", "enter"]

Change = tuple[str, int, bytes]
"""What is done, where (modulo the length), and with which bytes."""

WORDS = (
    *("null", "NaN", "Infinity", "-1", "0", "1e999", "9" * 40, "9" * 5000, "true", "[]", "{}", "[", "]", "{", "}"),
    *('"', "'", ",", ";", "\t", "\n", "\r", ":", "- ", "&a ", "*a", "<<: ", "!!binary ", "2001-99-99", "? ", "| "),
    *("\\ud800", "\ud800", "\x00", "\ufeff", "\xff", "=", "@data\n", "%", "#", "---\n", "0x", "0b", "1:60:60"),
)
SIGNS = (b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"PK\x03\x04", b"PK\x05\x06", b"PAR1")
TOKENS = (*(word.encode("utf-8", "surrogatepass") for word in WORDS), *SIGNS)

_change = st.tuples(
    st.sampled_from(["put", "insert", "cut", "repeat", "end"]),
    st.integers(0, 1 << 20),
    st.one_of(st.sampled_from(TOKENS), st.binary(min_size=1, max_size=4)),
)
changes = st.lists(_change, min_size=1, max_size=8)


def changed(data: bytes, done: Sequence[Change]) -> bytes:
    """Return ``data`` after all changes."""
    for what, where, token in done:
        at = where % (len(data) + 1)
        if what == "put":
            data = data[:at] + token + data[at + len(token) :]
        elif what == "insert":
            data = data[:at] + token + data[at:]
        elif what == "cut":
            data = data[:at] + data[at + len(token) ** 2 :]
        elif what == "repeat":
            data = data[: at + 8] + data[at:]
        else:
            data = data[:at]
    return data


def _parquet() -> bytes:
    out = io.BytesIO()
    pd.read_csv(io.StringIO(GOOD)).to_parquet(out)
    return out.getvalue()


def _pictures() -> bytes:
    with TemporaryDirectory() as folder:
        return zipped(Path(folder) / "a.zip", pictures()).read_bytes()


def _idx() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)
    return struct.pack(">HBBIII", 0, 8, 3, *pixels.shape) + pixels.tobytes()


_LABELS = struct.pack(">HBBI", 0, 8, 1, 12) + bytes(i % 2 for i in range(12))
_SERIES = "@problemName x\n@timeStamps false\n@univariate true\n@classLabel true a b\n@data\n" + "".join(
    f"{i}.5,{i % 3},{i % 5}:{'ab'[i % 2]}\n" for i in range(20)
)


@cache
def space() -> SearchSpace:
    """Return the space that architectures are read for."""
    return SearchSpace.for_problem(Problem.create(load_data("wine")))


def _architecture() -> str:
    return space().sample(np.random.default_rng(0)).model_dump_json()


def _uploaded(*names: str, beside: bytes | None = None) -> Callable[[bytes], None]:
    def enter(data: bytes) -> None:
        given = [(names[0], data)] + ([(names[1], beside)] if beside is not None else [])
        with TemporaryDirectory() as folder:
            store = open_store(folder)
            try:
                Problem.create(load_data(keep_uploads(store, given)))
            finally:
                store.close()

    return enter


def _read(read: Callable[[str], object]) -> Callable[[bytes], None]:
    """Return the door of a text field: what is no text cannot be typed."""

    def enter(data: bytes) -> None:
        read(data.decode("utf-8", "replace"))

    return enter


def _space(read: Callable[[str], SearchSpace]) -> Callable[[bytes], None]:
    def enter(text: str) -> None:
        read(text).sample(np.random.default_rng(0))

    return _read(enter)


def _start(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "start.json"
        file.write_bytes(data)
        read_architectures(file, space())


KINDS: dict[str, tuple[Callable[[], bytes], Callable[[bytes], None]]] = {
    "csv": (GOOD.encode, _uploaded("t.csv")),
    "tsv": (GOOD.replace(",", "\t").encode, _uploaded("t.tsv")),
    "parquet": (_parquet, _uploaded("t.parquet")),
    "npz": (lambda: arrays(X=np.random.default_rng(0).random((12, 4, 4)), y=np.arange(12) % 2), _uploaded("t.npz")),
    "zip": (_pictures, _uploaded("t.zip")),
    "idx": (_idx, _uploaded("t-images-idx3-ubyte", "t-labels-idx1-ubyte", beside=_LABELS)),
    "idx.gz": (lambda: gzip.compress(_idx(), mtime=0),
               _uploaded("t-images-idx3-ubyte.gz", "t-labels-idx1-ubyte", beside=_LABELS)),
    "ts": (_SERIES.encode, _uploaded("t.ts")),
    "space.yaml": (lambda: space().to_yaml().encode(), _space(SearchSpace.from_yaml)),
    "space.json": (lambda: space().to_json().encode(), _space(SearchSpace.from_json)),
    "architecture": (lambda: _architecture().encode(), _read(lambda text: read_architecture(space(), text))),
    "start": (lambda: f"[{_architecture()}]".encode(), _start),
}  # fmt: skip
"""Kind of input to a valid one, and its door."""


def enter(kind: str, done: Sequence[Change]) -> str:
    """Let a changed file of a kind in; return the first words of the refusal, empty where it was let in.

    Raises:
        Exception: Anything but an error of the project is a crash.
    """
    valid, door = KINDS[kind]
    data = changed(valid(), done)
    try:
        door(data)
    except NasightError as error:
        str(error).encode()  # what cannot be written cannot be printed either
        if not (error.fix or error.allowed):
            raise ValueError(f"{error!r} says neither what is allowed nor how to fix it") from error
        return error.given[:40]
    return ""
