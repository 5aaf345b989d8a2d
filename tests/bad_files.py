"""Files from which nothing can be learned, whole or broken, small or far larger than they look."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["BAD_FILES", "GOOD", "ROWS", "BadFile"]

ROWS = [f"{i * 7 % 13},{i % 5},{'yes' if i % 3 else 'no'}" for i in range(60)]
GOOD = "\n".join(["a,b,target", *ROWS, ""])


class BadFile(NamedTuple):
    """A file, and what its message says: what was given, what is allowed, how to fix it."""

    name: str
    content: bytes
    given: str
    allowed: str
    fix: str


def replaced(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1).encode()


def with_target(value: str) -> bytes:
    return "\n".join(["a,b,target", *(f"{i * 7 % 13},{i % 5},{value}" for i in range(60)), ""]).encode()


def arrays(**named: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **named)
    return out.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", store_schema=False)
    return out.getvalue()


def many_rows() -> bytes:
    """Return a Parquet file of some hundred bytes that declares two million rows."""
    return parquet(pa.table({name: pa.array(np.zeros(2_000_000, dtype=np.int8)) for name in ("a", "target")}))


def one_long_text() -> bytes:
    """Return a Parquet file of a text of 200 kB that each of 20,000 rows refers to: 4 GB once written out."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, dtype=np.int32)), pa.array(["y" * 200_000]))
    number = np.arange(20_000)
    return parquet(pa.table({"a": texts, "b": number, "target": number % 2}))


def long_lists() -> bytes:
    """Return a Parquet file of twelve rows whose lists hold sixty million zeros."""
    offsets = pa.array(np.arange(13, dtype=np.int32) * 5_000_000)
    lists = pa.ListArray.from_arrays(offsets, pa.array(np.zeros(60_000_000, dtype=np.int8)))
    return parquet(pa.table({"a": lists, "b": np.arange(12), "target": np.arange(12) % 2}))


def table(**columns: Any) -> bytes:
    out = io.BytesIO()
    pd.DataFrame(columns).to_parquet(out)
    return out.getvalue()


X, Y = np.random.default_rng(0).random((60, 6, 6)), np.arange(60) % 2
FILE = "correct it, and save it as CSV"
IDX = "two zero bytes, the type"
SAVEZ = "numpy.savez"
CHECK = "check the file"
AGAIN = "make the archive again"
TS = "the label last"

BAD_FILES = {
    "empty": BadFile("t.csv", b"", "is empty", "a header line and rows", ""),
    "only blanks": BadFile("t.csv", b"  \n \r\n\t\n", "only blanks", "a header line and rows", FILE),
    "only a header": BadFile("t.csv", b"a,b,target\n", "column names but no rows", "at least 10 rows", "add rows"),
    "one column": BadFile("t.csv", b"abc\n1\n2\n", "only one column", "at least two columns", "check the delimiter"),
    "no header": BadFile(
        "t.csv", b"1.5,2.5,3.5\n2.5,3,4\n", "looks like data", "a first line with the names", "add a header"
    ),
    "quotes never closed": BadFile(
        "t.csv", GOOD.encode() + b'1,2,"yes\n', "malformed near line 62", "quotes opened and closed", FILE
    ),
    "a line too short": BadFile(
        "t.csv", GOOD.encode() + b"1,2\n", "line 62 has 2 fields", "the same number", "correct that line"
    ),
    "a field without end": BadFile(
        "t.csv", replaced("\n0,0,", f'\n"{"x" * 200_000}",0,'), "malformed near line 2", "fields separated", FILE
    ),
    "Latin 1": BadFile(
        "t.csv", GOOD.replace("yes", "oüi").encode("latin1"), "byte 0xfc in line 3", "UTF-8", "CSV UTF-8"
    ),
    "half a surrogate": BadFile(
        "t.csv", GOOD.replace("yes", "y\ud800").encode("utf-8", "surrogatepass"), "byte 0xed", "UTF-8", "CSV UTF-8"
    ),
    "half a UTF-16 text": BadFile("t.csv", b"\xff\xfea", "byte 0x61 in line 1", "UTF-16", "CSV UTF-8"),
    "zero bytes": BadFile("t.csv", GOOD.replace("yes", "y\0s").encode(), "zero bytes", "CSV or TSV", FILE),
    "repeated names": BadFile("t.csv", replaced("a,b", "a,a"), "the column name 'a' 2 times", "differ", "rename"),
    "a column without a name": BadFile(
        "t.csv", replaced("a,b", "a,"), "Column 2", "a name for every column", "name it"
    ),
    "10,000 columns": BadFile(
        "t.csv",
        (",".join(f"c{i}" for i in range(10_000)) + "\n").encode(),
        "10,000 columns",
        "at most 5,000",
        "fewer columns",
    ),
    "a number of 5,000 digits": BadFile("t.csv", replaced("\n0,0,", f"\n{'9' * 5000},0,"), "'a' holds", "numbers", ""),
    "a number beyond all bounds": BadFile(
        "t.csv", replaced("\n0,0,", "\n1e400,0,"), "infinite value in row 1", "finite", "replace"
    ),
    "text as number": BadFile(
        "t.csv", replaced("\n0,0,", "\nabout,0,"), "'about' in row 1", "numbers, and empty", "'categorical'"
    ),
    "no target value": BadFile(
        "t.csv", with_target(""), "has no value in any row", "a target with values", "choose another"
    ),
    "a target of NaN": BadFile(
        "t.csv", with_target("NaN"), "has no value in any row", "a target with values", "choose another"
    ),
    "one class": BadFile(
        "t.csv", with_target("yes"), "one class only: 'yes'", "at least two classes", "choose another target"
    ),
    "a constant target": BadFile(
        "t.csv", with_target("3.5"), "one class only: '3.5'", "at least two", "choose another target"
    ),
    "a class of one row": BadFile(
        "t.csv", GOOD.encode() + b"1,2,rare\n", "'rare' (1)", "at least 3 rows", "merge these classes"
    ),
    "a class for each row": BadFile(
        "t.csv",
        "\n".join(["a,b,target", *(f"{i % 7},{i % 5},v{i}" for i in range(60)), ""]).encode(),
        "60 classes",
        "at most 50 classes",
        "merge classes",
    ),
    "constant features": BadFile(
        "t.csv",
        "\n".join(["a,b,target", *(f"1,1,{i % 2}" for i in range(60)), ""]).encode(),
        "no column to learn from",
        "that varies",
        "choose another target",
    ),
    "one row": BadFile("t.csv", b"a,b,target\n1,2,yes\n", "has 1 row", "at least 10 rows", "add rows"),
    "TSV with a torn line": BadFile(
        "t.tsv",
        GOOD.replace(",", "\t").encode() + b"1\t2\n",
        "line 62 has 2 fields",
        "the same number",
        "correct that line",
    ),
    "junk as Parquet": BadFile(
        "t.parquet", b"PAR1junkPAR1", "cannot be read as Parquet", "a Parquet file", "write the file again"
    ),
    "half a Parquet file": BadFile(
        "t.parquet",
        table(a=range(60), target=[0, 1] * 30)[:300],
        "cannot be read as Parquet",
        "a Parquet file",
        "write",
    ),
    "Parquet of lists": BadFile(
        "t.parquet", table(a=[[1, 2]] * 60, target=["x", "y"] * 30), "its values are nested", "at least one", "choose"
    ),
    "Parquet of two million rows": BadFile(
        "t.parquet", many_rows(), "2,000,000 rows", "at most 1,000,000", "a random sample"
    ),
    "Parquet of one long text": BadFile(
        "t.parquet", one_long_text(), "texts of 4,000 MB", "at most 1,000 MB", "shorten them"
    ),
    "Parquet of long lists": BadFile(
        "t.parquet", long_lists(), "values", "at most 40,000,000 values", "a random sample"
    ),
    "junk as arrays": BadFile("t.npz", b"hello", "cannot be read as .npz", SAVEZ, "write the file again"),
    "no arrays": BadFile("t.npz", zipped({}), "holds no arrays", SAVEZ, "write the file again"),
    "arrays of Python objects": BadFile(
        "t.npz",
        arrays(X=np.array([{}, 1] * 30, dtype=object), y=Y),
        "could run code",
        "allow_pickle=False",
        "save numbers",
    ),
    "images of NaN": BadFile(
        "t.npz",
        arrays(X=np.full((60, 4, 4), np.nan), y=Y),
        "missing, infinite",
        "numbers between",
        "replace the values",
    ),
    "labels of NaN": BadFile(
        "t.npz", arrays(X=X, y=np.full(60, np.nan)), "labels that are not finite", "numbers", "remove those rows"
    ),
    "labels of one class": BadFile(
        "t.npz", arrays(X=X, y=np.zeros(60)), "one class only: '0'", "at least two classes", "add others"
    ),
    "arrays that do not fit": BadFile(
        "t.npz", arrays(X=X, y=Y[:50]), "do not fit together", "one label for each row", "same number of rows"
    ),
    "an array of dates": BadFile(
        "t.npz", arrays(X=np.zeros((60, 4, 4), "M8[s]"), y=Y), "datetime64[s]", "numbers or texts", "save it"
    ),
    "no rows": BadFile("t.npz", arrays(X=X[:0], y=Y[:0]), "0 rows", "at least 10 rows", CHECK),
    "a zip bomb": BadFile(
        "t.zip", zipped({"cat/a.png": bytes(30_000_000)}), "times its size, as bombs do", "plain files", AGAIN
    ),
    "a zip that leaves its folder": BadFile(
        "t.zip", zipped({"../x.png": b"x"}), "leads out of the archive", "plain files", AGAIN
    ),
    "a zip in a zip": BadFile(
        "t.zip", zipped({"a.zip": zipped({})}), "holds another archive", "plain files", "unpack the inner"
    ),
    "an empty zip": BadFile("t.zip", zipped({}), "holds no files", "images (png, jpg, …)", ""),
    "a zip of text": BadFile("t.zip", zipped({"a.txt": b"hi"}), "holds a.txt", "images (png, jpg, …)", ""),
    "half a zip": BadFile(
        "t.zip",
        zipped({"cat/a.png": np.random.default_rng(0).bytes(5000)})[:3000],
        "cannot be read as a zip",
        "a zip archive",
        AGAIN,
    ),
    "half an IDX header": BadFile("t-idx3-ubyte", b"\0\0\x08\x03\0\0", "its header is cut off", IDX, "download"),
    "IDX of four billion rows": BadFile(
        "t-idx3-ubyte",
        struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3),
        "4,294,967,295 rows",
        "at most 1,000,000",
        "a random sample",
    ),
    "IDX of images without a width": BadFile(
        "t-idx3-ubyte", struct.pack(">HBB3I", 0, 8, 3, 5, 4, 0), "5 × 4 × 0, which holds nothing", IDX, "download"
    ),
    "packed IDX of junk": BadFile("t-idx3-ubyte.gz", b"\x1f\x8bjunk", "not a whole IDX file", IDX, "download"),
    "series without data": BadFile(
        "t.ts", b"@classLabel true a b\n@data\n", "has no cases", "one case per line", "complete"
    ),
    "series of junk": BadFile("t.ts", b"\xff\xff hello", "malformed in line 1", TS, "correct that line"),
    "series with words": BadFile("t.ts", b"@classLabel true a b\n@data\n1,x,3:a\n", "line 3", TS, "correct that line"),
}
