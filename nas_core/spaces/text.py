"""Reading and writing a search space as text, with messages that name the line and the field of a fault."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import ValidationError

from nas_core.errors import SpaceError
from nas_core.records import Record, canonical_json

__all__ = ["SIZE_FIX", "dump_yaml", "plain_json", "read_json", "read_yaml"]

MOST = 4_000_000
"""Characters of a text; the largest space of 5,000 columns has a quarter of them."""
PARTS = 500_000
"""Values in a declaration once every alias is written out: a few lines of YAML can stand for billions."""
SIZE_FIX = "start from the exported text of a space"
"""How a text that is too long is mended."""

R = TypeVar("R", bound=Record)
Path = tuple[int | str, ...]


def dump_yaml(data: dict[str, Any]) -> str:
    """Return ``data`` as YAML, keys in their order."""
    import yaml

    return yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, allow_unicode=True)


def read_json(record: type[R], text: str) -> R:
    """Return a record from JSON text.

    Raises:
        SpaceError: Not JSON, or not this record; names line and field.
    """
    return _build(record, plain_json(text), text)


def plain_json(text: str) -> Any:
    """Return what JSON text holds.

    Raises:
        SpaceError: Not JSON (names the line), longer or nested more deeply than anything that is meant, or a text in it
            that no file can hold.
    """
    _check_length(text)
    try:
        data = json.loads(text)
        canonical_json(data).encode()
    except json.JSONDecodeError as error:
        raise SpaceError(
            f"The text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", fix="correct this line"
        ) from None
    except RecursionError:
        raise SpaceError("The text is nested too deeply", allowed="a few levels", fix="correct it") from None
    except ValueError as error:  # digits of a number, NaN, half of a surrogate pair
        raise SpaceError(
            f"The text holds a value that cannot be read ({_reason(error)})",
            allowed="finite numbers of up to 4,300 digits, and Unicode text", fix="correct this value",
        ) from None  # fmt: skip
    return data


def read_yaml(record: type[R], text: str) -> R:
    """Return a record from YAML text.

    Raises:
        SpaceError: Not YAML, or not this record; names line and field.
    """
    import yaml

    _check_length(text)
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpaceError(
            f"The text is not YAML: {getattr(error, 'problem', None) or 'unreadable'}{where}", fix="correct this line"
        ) from None
    except ValueError as error:  # a date that no calendar has, digits of a number
        raise SpaceError(
            f"The text holds a value that cannot be read ({_reason(error)})",
            allowed="dates that exist, and numbers of up to 4,300 digits", fix="correct it, or put it in quotes",
        ) from None  # fmt: skip
    except RecursionError:
        raise SpaceError("The text is nested too deeply", allowed="a few levels", fix="correct it") from None
    _check_parts(data)
    return _build(record, data, text)


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeError):
        return "half of a surrogate pair"
    return str(error).partition(";")[0]


def _check_length(text: str) -> None:
    if len(text) > MOST:
        raise SpaceError(f"The text has {len(text):,} characters", allowed=f"at most {MOST:,}", fix=SIZE_FIX)


def _check_parts(data: Any) -> None:
    """Raise SpaceError when a value stands within itself, or for more values than a declaration can have."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def parts(value: Any) -> int:
        if not isinstance(value, dict | list | set | tuple):
            return 1
        if (known := sizes.get(id(value))) is not None:
            return known
        if id(value) in above:
            raise SpaceError("The text holds a value that stands within itself", fix="write it without aliases (*)")
        above.add(id(value))
        inner = value.values() if isinstance(value, dict) else value
        found = 1 + sum(map(parts, inner))
        above.remove(id(value))
        sizes[id(value)] = found
        return found

    if (found := parts(data)) > PARTS:
        raise SpaceError(
            f"The text stands for {found:,} values once its aliases (*) are written out",
            allowed=f"at most {PARTS:,}", fix="write it without aliases",
        )  # fmt: skip


def _build(record: type[R], data: Any, text: str) -> R:
    if not isinstance(data, dict):
        raise SpaceError(
            f"The text holds {type(data).__name__}, not a declaration",
            allowed="a mapping with the fields " + ", ".join(record.model_fields),
            fix="start from the exported text of a space",
        )
    try:
        return record.model_validate(data)
    except ValidationError as error:
        faults = [_fault(path, message, data, text) for path, message in _leaves(error)]
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise SpaceError(
            f"The declaration has {len(faults)} fault{'s' if len(faults) > 1 else ''}: {'; '.join(faults[:3])}{more}",
            fix="correct the named fields",
        ) from None


def _leaves(error: ValidationError, above: Path = ()) -> list[tuple[Path, str]]:
    """Return path and message of each fault, those of records inside the record included."""
    leaves: list[tuple[Path, str]] = []
    for fault in error.errors():
        path = above + tuple(fault["loc"])
        inner = fault.get("ctx", {}).get("error")
        leaves += _leaves(inner, path) if isinstance(inner, ValidationError) else [(path, fault["msg"])]
    return leaves


def _fault(path: Path, message: str, data: Any, text: str) -> str:
    known = _known_part(path, data)
    line = _line_of(known, text)
    name = ".".join(str(part) for part in path) or "declaration"
    return f"{f'line {line}, ' if line else ''}{name}: {message.removeprefix('Value error, ')}"


def _known_part(path: Path, data: Any) -> Path:
    """Return the longest beginning of ``path`` that exists in ``data``."""
    for depth, part in enumerate(path):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return path[:depth]
    return path


def _line_of(path: Path, text: str) -> int | None:
    """Return the 1-based line of a field; JSON is read as YAML, which keeps positions."""
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        if node is None:
            return None
    return node.start_mark.line + 1 if node is not None else None
