"""Reading a table from a file: bounded, strict about structure, and clear about what is wrong with it."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from pyarrow import DataType, Table
    from pyarrow.parquet import FileMetaData

__all__ = ["PARQUET_SUFFIXES", "TEXT_SUFFIXES", "ReadLimits", "check_file", "read_table"]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
PARQUET_SUFFIXES = (".parquet", ".pq")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
PIECE = 1 << 20
FIX_FILE = "open the file in a spreadsheet or editor, correct it, and save it as CSV (UTF-8)"


@dataclass(frozen=True)
class ReadLimits:
    """How large a table may be: bytes of the file, rows, columns, rows times columns, and bytes unpacked."""

    bytes: int = 256 * 1024 * 1024
    rows: int = 1_000_000
    columns: int = 5_000
    cells: int = 40_000_000
    unpacked: int = 1_000_000_000

    def check(self, rows: int, columns: int, name: str) -> None:
        """Raise DataError when a table of this shape is too large."""
        for given, allowed, what in (
            (rows, self.rows, "rows"),
            (columns, self.columns, "columns"),
            (rows * columns, self.cells, "cells (rows × columns)"),
        ):
            if given > allowed:
                raise DataError(
                    f"{name} has {given:,} {what}",
                    allowed=f"at most {allowed:,} {what}",
                    fix="keep a random sample of the rows, or fewer columns",
                )


def read_table(path: str | Path, limits: ReadLimits | None = None) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file into a DataFrame with unique, stripped column names.

    Text files are UTF-8 (or UTF-16 with a byte-order mark); the delimiter (comma, semicolon, tab, vertical bar) and a
    decimal comma are recognised. ``?`` and the usual spellings of "not available" are read as missing.

    Raises:
        DataError: The file is absent, empty, too large, of another format, or not a well-formed table.
    """
    file, limits = Path(path), limits or ReadLimits()
    suffix = file.suffix.lower()
    if suffix not in TEXT_SUFFIXES + PARQUET_SUFFIXES:
        raise DataError(
            f"The file {file.name!r} has the ending {suffix or '(none)'!r}",
            allowed=", ".join(TEXT_SUFFIXES + PARQUET_SUFFIXES),
            fix="save the table as CSV or Parquet",
        )
    check_file(file, limits)
    frame = _read_parquet(file, limits) if suffix in PARQUET_SUFFIXES else _read_text(file, limits)
    if len(frame) == 0:
        raise DataError(f"{file.name} has column names but no rows", allowed="at least 10 rows", fix="add rows")
    return frame


def check_file(file: Path, limits: ReadLimits) -> None:
    """Raise DataError unless ``file`` is a readable, non-empty file of allowed size."""
    if not file.is_file():
        raise DataError(f"There is no file {str(file)!r}", allowed="the path of a file", fix="check the path")
    size = file.stat().st_size
    if size == 0:
        raise DataError(f"The file {file.name!r} is empty", allowed="a header line and rows", fix=FIX_FILE)
    if size > limits.bytes:
        raise DataError(
            f"The file {file.name!r} has {size / 1e6:,.1f} MB",
            allowed=f"at most {limits.bytes / 1e6:,.1f} MB",
            fix="keep a random sample of the rows, or save it as Parquet",
        )


def _read_parquet(file: Path, limits: ReadLimits) -> pd.DataFrame:
    """Read a Parquet file; its shape is known from the footer before any row is read.

    Texts are read as they are packed, each different one once, so that their size is known before they are unpacked.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(file) as source:
            names = [str(n).strip() for n in source.schema_arrow.names]
            _check_declared(source.metadata, len(names), file.name, limits)
            _check_names(names, file.name)
            schema = source.schema_arrow
            packed = [f.name for f in schema if _is_text(f.type)]
        with parquet.ParquetFile(file, read_dictionary=packed) as source:
            table = _unpacked(source.read(), file.name, limits).cast(schema)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=False).reset_index(drop=True)
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, NotImplementedError, OverflowError) as error:
        raise DataError(
            f"{file.name} cannot be read as Parquet ({error})", allowed="a Parquet file", fix="write the file again"
        ) from error
    return frame.set_axis([str(n).strip() for n in frame.columns], axis="columns")


def _check_declared(metadata: FileMetaData, columns: int, name: str, limits: ReadLimits) -> None:
    """Raise DataError when a Parquet file declares more than may be read: rows, values in lists, bytes unpacked."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    limits.check(max(metadata.num_rows, sum(g.num_rows for g in groups)), columns, name)
    chunks = [g.column(j) for g in groups for j in range(g.num_columns)]
    limits.check(0, metadata.num_columns, name)
    for given, allowed, what in (
        (sum(c.num_values for c in chunks), limits.cells, "values"),
        (sum(c.total_uncompressed_size for c in chunks), limits.unpacked, "bytes unpacked"),
    ):
        if given > allowed:
            raise DataError(f"{name} has {given:,} {what}", allowed=f"at most {allowed:,} {what}",
                            fix="keep a random sample of the rows, or fewer columns")  # fmt: skip


def _is_text(kind: DataType) -> bool:
    import pyarrow.types as types

    return types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)


def _unpacked(table: Table, name: str, limits: ReadLimits) -> Table:
    """Return the table after adding up how long its texts will be once each row has its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            if _is_text(chunk.type.value_type):
                total += pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)).as_py() or 0
    if total > limits.unpacked:
        raise DataError(f"{name} unpacks to texts of {total / 1e6:,.0f} MB",
                        allowed=f"at most {limits.unpacked / 1e6:,.0f} MB",
                        fix="shorten them, or leave the column out")  # fmt: skip
    return table


def _read_text(file: Path, limits: ReadLimits) -> pd.DataFrame:
    """Read a delimited text file after checking the structure of every line."""
    import pandas as pd

    encoding = _check_encoding(file)
    with file.open(encoding=encoding, newline="") as source:  # read in pieces: the text is never in memory as a whole
        head = source.read(100_000)
        delimiter = _delimiter(head, file)
        source.seek(0)
        names = _check_structure(source, delimiter, file.name, limits)
    _check_names(names, file.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                file,
                sep=delimiter,
                decimal=_decimal(head, delimiter),
                encoding=encoding,
                header=0,
                names=names,
                index_col=False,
                skipinitialspace=True,
                na_values=["?"],
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        raise DataError(f"{file.name} is not a table: {error}", allowed="one row per line", fix=FIX_FILE) from error
    return frame


def _check_encoding(file: Path) -> str:
    """Return the encoding, UTF-16 when the file starts with that byte-order mark, else UTF-8, after reading it all."""
    with file.open("rb") as source:
        encoding = "utf-16" if source.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        source.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        lines, blank = 1, True
        while True:
            data = source.read(PIECE)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                line = lines + error.object[: error.start].count(b"\n")
                raise DataError(
                    f"{file.name} is not UTF-8 text: byte 0x{error.object[error.start]:02x} in line {line}",
                    allowed="UTF-8, or UTF-16 with a byte-order mark",
                    fix="save the file again as 'CSV UTF-8', or convert it (iconv -f latin1 -t utf-8)",
                ) from error
            if "\x00" in text:
                raise DataError(f"{file.name} contains zero bytes: not a text file", allowed="CSV or TSV", fix=FIX_FILE)
            lines, blank = lines + text.count("\n"), blank and not text.strip()
            if not data:
                break
    if blank:
        raise DataError(f"The file {file.name!r} holds only blanks", allowed="a header line and rows", fix=FIX_FILE)
    return encoding


def _delimiter(head: str, file: Path) -> str:
    """Return the delimiter: the one that splits the first lines into the most equally many fields."""
    head = "\n".join(head.splitlines()[:20])
    best, best_score = "", (0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(head), delimiter=delimiter) if row]
        except csv.Error:
            continue
        score = (sum(w == widths[0] for w in widths), widths[0])
        if widths[0] > 1 and score > best_score:
            best, best_score = delimiter, score
    if not best:
        raise DataError(
            f"{file.name} has only one column: its first line is {head.splitlines()[0][:60]!r}",
            allowed="at least two columns, separated by " + ", ".join(DELIMITERS.values()),
            fix="check the delimiter of the file",
        )
    return best


def _decimal(head: str, delimiter: str) -> str:
    """Return ``,`` when fields look like 1,5 (and none like 1.5) and the comma is not the delimiter."""
    field = rf"(?:^|{re.escape(delimiter)})\s*-?\d+{{}}\d+\s*(?={re.escape(delimiter)}|$)"
    commas = delimiter != "," and re.search(field.format(","), head, re.MULTILINE)
    return "," if commas and not re.search(field.format(r"\."), head, re.MULTILINE) else "."


def _check_structure(source: Iterable[str], delimiter: str, name: str, limits: ReadLimits) -> list[str]:
    """Return the column names after checking that every line has as many fields as there are names."""
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=True)
    names: list[str] = []
    rows = 0
    try:
        for row in reader:
            if not row:
                continue
            if not names:
                names = [cell.strip() for cell in row]
                limits.check(0, len(names), name)
                continue
            rows += 1
            if len(row) != len(names):
                raise DataError(
                    f"{name} is malformed: line {reader.line_num} has {len(row)} fields, the header has {len(names)}",
                    allowed="the same number of fields in every line",
                    fix="correct that line; put text that contains the delimiter in double quotes",
                )
    except csv.Error as error:
        raise DataError(
            f"{name} is malformed near line {reader.line_num}: {error}",
            allowed="fields separated by one delimiter, quotes opened and closed",
            fix=FIX_FILE,
        ) from error
    limits.check(rows, len(names), name)
    return names


def _check_names(names: list[str], file: str) -> None:
    """Raise DataError when column names are repeated, empty, or look like a row of data."""
    repeated = [n for n, count in Counter(names).items() if count > 1 and n]
    if repeated:
        raise DataError(
            f"{file} has the column name {repeated[0]!r} {names.count(repeated[0])} times"
            + (f" ({len(repeated)} names are repeated)" if len(repeated) > 1 else ""),
            allowed="column names that differ from each other",
            fix="rename or remove the repeated columns",
        )
    if "" in names[1:]:
        raise DataError(
            f"Column {names.index('', 1) + 1} of {file} has no name", allowed="a name for every column", fix="name it"
        )
    if names[0] == "":
        names[0] = "(unnamed)"  # what a spreadsheet or pandas writes above row numbers
    decimals = sum(bool(re.fullmatch(r"-?\d+\.\d+(e[+-]?\d+)?", n, re.IGNORECASE)) for n in names)
    if 2 * decimals >= len(names):
        raise DataError(
            f"The first line of {file} looks like data, not like column names: {', '.join(names[:4])}",
            allowed="a first line with the names of the columns",
            fix="add a header line",
        )
