"""Reading and writing a search space as text, with messages that name the line and the field of a fault."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import ValidationError

from nas_core.errors import SpaceError
from nas_core.records import Record

__all__ = ["dump_yaml", "read_json", "read_yaml"]

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
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpaceError(
            f"The text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", fix="correct this line"
        ) from None
    return _build(record, data, text)


def read_yaml(record: type[R], text: str) -> R:
    """Return a record from YAML text.

    Raises:
        SpaceError: Not YAML, or not this record; names line and field.
    """
    import yaml

    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpaceError(
            f"The text is not YAML: {getattr(error, 'problem', None) or 'unreadable'}{where}", fix="correct this line"
        ) from None
    return _build(record, data, text)


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
