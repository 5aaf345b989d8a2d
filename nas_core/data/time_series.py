"""The ``.ts`` format of the UEA and UCR archives and of sktime: a header of ``@`` lines, then one case per line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nas_core.data.arrays import SignalLimits
from nas_core.data.dataset import Task
from nas_core.errors import DataError

__all__ = ["Cases", "beside_name", "parse_ts"]

Series = NDArray[np.float64]
MAX_CHANNELS = 2_000
STAMPED = re.compile(r"\(\s*([^(),]+?)\s*,\s*([^()]*?)\s*\)")
DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?", re.ASCII)
MISSING = ("?", "nan", "")
FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Cases:
    """The cases of one file.

    Attributes:
        series: N arrays (channels, steps) of one case each; NaN = missing.
        labels: N class names, or numbers to predict as text.
        task: What the header says the labels are; None when it says nothing.
        classes: The class names that the header declares.
        notes: What was changed while reading.
    """

    series: list[Series]
    labels: list[str]
    task: Task | None
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Header:
    """What the lines before ``@data`` say."""

    task: Task | None = None
    labelled: bool = True
    classes: tuple[str, ...] = ()
    stamped: bool = False
    dimensions: int | None = None
    notes: set[str] = field(default_factory=set)


def beside_name(name: str) -> str | None:
    """Return what the file of test cases is called: ``X_TRAIN.ts`` gives ``X_TEST.ts``; None for another name."""
    found = re.search(r"(?i)train(?=\.ts$)", name)
    if found is None:
        return None
    word = found.group()
    other = "TEST" if word.isupper() else "Test" if word[0].isupper() else "test"
    return name[: found.start()] + other + name[found.end() :]


def parse_ts(lines: Iterable[str], name: str) -> Cases:
    """Return the cases of a ``.ts`` file.

    Dimensions are separated by colons, values by commas; ``?`` is a missing value. With time stamps a value is written
    ``(time,value)``: values are put in the order of their times, and the distance between them is not used.

    Raises:
        DataError: A line is not of this format; the message names it.
    """
    header = _Header()
    series: list[Series] = []
    labels: list[str] = []
    numbers, in_data = 0, False
    for number, raw in enumerate(lines, start=1):
        line = raw.strip().lstrip("\ufeff")
        if not line or line.startswith(("#", "%")):
            continue
        if not in_data:
            in_data = _read_header(line, header, number, name)
            continue
        case, label = _case(line, header, number, name)
        numbers += case.size
        SignalLimits.check(1, numbers, name)
        SignalLimits.check(len(series) + 1, 1, name)
        if series and len(case) != len(series[0]):
            raise _wrong(name, number, f"it has {len(case)} dimensions, the first case has {len(series[0])}")
        series.append(case)
        labels.append(label)
    if not in_data or not series:
        raise DataError(f"{name} has no cases", allowed="lines of a header, @data, and one case per line",
                        fix="check that the file is complete")  # fmt: skip
    return Cases(series, labels, header.task, header.classes, tuple(sorted(header.notes)))


def _read_header(line: str, header: _Header, number: int, name: str) -> bool:
    """Take one line of the header; return whether the data begin after it."""
    key, *words = line.split()
    key = key.lower()
    if key == "@data":
        if not header.labelled:
            raise DataError(
                f"{name} has no labels (@classLabel false)", allowed="@classLabel true … or @targetLabel true",
                fix="add what is to be predicted as the last value of each line",
            )  # fmt: skip
        return True
    if not key.startswith("@"):
        raise _wrong(name, number, f"{line[:40]!r} stands before @data")
    if key in ("@timestamps", "@classlabel", "@targetlabel"):
        if not words or words[0].lower() not in FLAGS:
            raise _wrong(name, number, f"{line[:40]!r} says neither true nor false")
        said = FLAGS[words[0].lower()]
        if key == "@timestamps":
            header.stamped = said
        elif key == "@classlabel":
            header.classes, header.labelled = (tuple(words[1:]), True) if said else ((), header.task is not None)
            header.task = "classification" if said else header.task
        elif said:
            header.task, header.labelled = "regression", True
        else:
            header.labelled = header.task is not None
    elif key in ("@dimension", "@dimensions") and words and re.fullmatch("[0-9]{1,9}", words[0]):
        header.dimensions = int(words[0])
    return False


def _case(line: str, header: _Header, number: int, name: str) -> tuple[Series, str]:
    """Return the values (channels, steps) and the label of one line."""
    stamped = header.stamped or line.startswith("(")
    body, colon, label = line.rpartition(":")
    if not colon:
        raise _wrong(name, number, "no colon separates the values from the label")
    label = label.strip()
    if not label or label == "?":
        raise _wrong(name, number, "it has no label")
    if header.classes and label not in header.classes:
        raise _wrong(name, number, f"the label {label[:40]!r} is not among {', '.join(header.classes[:8])}")
    parts = re.split(r":(?=\s*(?:\(|$))", body) if stamped else body.split(":")
    if header.dimensions is not None and len(parts) != header.dimensions:
        raise _wrong(name, number, f"it has {len(parts)} dimensions, the header says {header.dimensions}")
    if len(parts) > MAX_CHANNELS:
        raise _wrong(name, number, f"it has {len(parts):,} dimensions, more than {MAX_CHANNELS:,}")
    channels = [_stamped(p, number, name) if stamped else _plain(p.split(","), number, name) for p in parts]
    return _aligned(channels, header), label


def _plain(texts: Sequence[str], number: int, name: str) -> Series:
    """Return numbers written as text; ``?`` is NaN."""
    try:
        values = np.array([np.nan if t.strip().lower() in MISSING else float(t) for t in texts])
    except ValueError as error:
        raise _wrong(name, number, str(error)) from error
    if not len(values) or (len(texts) == 1 and not texts[0].strip()):
        raise _wrong(name, number, "a dimension has no values")
    return values


def _stamped(text: str, number: int, name: str) -> Series:
    """Return the values of ``(time,value),(time,value)`` in the order of their times."""
    pairs = STAMPED.findall(text)
    if not pairs or STAMPED.sub("", text).replace(",", "").strip():
        raise _wrong(name, number, f"{text.strip()[:40]!r} is not a list of (time,value)")
    values = _plain([value for _, value in pairs], number, name)
    try:
        times: NDArray[np.generic] = np.array([float(t) for t, _ in pairs])
    except ValueError:
        dates = [t.removesuffix("Z") for t, _ in pairs]
        try:
            if wrong := next((d for d in dates if not DATE.fullmatch(d)), None):
                raise ValueError(f"{wrong[:40]!r} is no time")
            times = np.array([d.replace(" ", "T") for d in dates], dtype="datetime64[us]")
        except ValueError as error:
            raise _wrong(name, number, str(error)) from error
    return values[np.argsort(times, kind="stable")]


def _aligned(channels: list[Series], header: _Header) -> Series:
    """Return channels as (channels, steps); shorter ones of a case hold their last value."""
    steps = max(len(c) for c in channels)
    if any(len(c) < steps for c in channels):
        header.notes.add("Dimensions of one case differ in length: shorter ones hold their last value to its end.")
        channels = [np.concatenate([c, np.full(steps - len(c), c[-1])]) for c in channels]
    return np.stack(channels)


def _wrong(name: str, number: int, why: str) -> DataError:
    return DataError(
        f"{name} is malformed in line {number}: {why}",
        allowed="values separated by commas, dimensions by colons, the label last, as in 1.0,2.0:3.0,4.0:yes",
        fix="correct that line",
    )
