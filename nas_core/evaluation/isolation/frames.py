"""What goes through the pipes: a JSON document and, after it, arrays in the safetensors format; nothing is unpickled.

A message begins with the lengths of both parts, four bytes each.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

__all__ = ["Frame", "joined", "read_frame", "split", "write_frame"]

_HEAD = struct.Struct("<II")
LARGEST = 2**31
"""Bytes of either part; more than that is no frame, but the noise of a process that lost its mind."""


@dataclass(frozen=True)
class Frame:
    """One message.

    Attributes:
        kind: What it is about.
        said: The JSON document, without the kind.
        arrays: By name.
    """

    kind: str
    said: dict[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Write one message.

    Raises:
        OSError: Nobody reads any more.
    """
    from safetensors.numpy import save

    text = json.dumps({"kind": frame.kind, **frame.said}, ensure_ascii=False).encode()
    data = save({name: np.asarray(a, order="C") for name, a in frame.arrays.items()}) if frame.arrays else b""
    stream.write(_HEAD.pack(len(text), len(data)) + text)
    if data:
        stream.write(data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """Return the next message, None at the end of the stream.

    Raises:
        ValueError: What was read is no message.
    """
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    of_text, of_data = _HEAD.unpack(head)
    if of_text > LARGEST or of_data > LARGEST:
        raise ValueError(f"a message of {of_text:,} and {of_data:,} bytes")
    text, data = stream.read(of_text), stream.read(of_data)
    if len(text) < of_text or len(data) < of_data:
        return None
    said = json.loads(text)
    arrays: dict[str, np.ndarray] = {}
    if data:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load(data)
        except SafetensorError as error:
            raise ValueError(f"arrays that cannot be read ({error})") from error
    return Frame(said.pop("kind"), said, arrays)


def joined(weights: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays of several candidates under one name each."""
    return {f"{candidate}/{name}": a for candidate, named in weights.items() for name, a in named.items()}


def split(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Return the arrays by candidate and name again."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        candidate, _, name = key.partition("/")
        found.setdefault(candidate, {})[name] = array
    return found
