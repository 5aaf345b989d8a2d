"""What of a variable or of the constraints can be edited in a form, read off the types that the record declares.

So a new family needs no form of its own: a tuple of choices is a row of pills, two whole numbers ``low`` and ``high``
are a range, a flag is a toggle, and what no field can show is left to the text of the space.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Interval, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dashboard.texts import catalogue, spoken, text

__all__ = ["Field", "label_of", "option_words", "record_fields"]

Kind = Literal["choices", "range", "reals", "number", "flag", "one", "directions", "pairs"]
LEFT_OUT = frozenset({"name", "label", "kind", "ordered", "log", "step", "zero"})
"""Fields that say how a variable works, not what may be built; ``zero`` goes with the range of its variable."""
FEWEST_ENDS = 6  # a slider reaches at least this far


@dataclass(frozen=True)
class Field:
    """One thing that a person can edit.

    Attributes:
        names: The field of the record, or the two that are the ends of a range.
        label, help: What a person reads.
        kind: Which sort of control suits it.
        value: What it is now; both ends of a range.
        options: What can be chosen; None where the record does not say (names of features, for example).
        low, high: The ends it may have, None where there is none.
        optional: Whether it may be left empty.
        whole: Whether it is a whole number.
    """

    names: tuple[str, ...]
    label: str
    kind: Kind
    value: Any
    help: str = ""
    options: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    optional: bool = False
    whole: bool = True


def record_fields(record: BaseModel, known: Sequence[BaseModel] = (), *, label: str = "") -> tuple[Field, ...]:
    """Return what can be edited of ``record``, in the order it declares.

    Args:
        record: A variable or the constraints of a family.
        known: Other records of the same sort (those of the presets); what they offer can be chosen as well.
        label: Name of the whole, used where only one thing can be edited.
    """
    declared = {n: info for n, info in type(record).model_fields.items() if n not in LEFT_OUT}
    partners = {one: two for one in declared if (two := _partner(one)) in declared and _both_numbers(declared, one)}
    found = []
    for name, info in declared.items():
        if name in partners.values():
            continue
        field = _range(record, known, name, partners[name]) if name in partners else _single(record, known, name, info)
        if field is not None:
            found.append(field)
    if label and len(found) == 1 and f"space.field_{found[0].names[0]}" not in catalogue("en"):
        found = [Field(**{**vars(found[0]), "label": label})]
    return tuple(found)


def label_of(name: str) -> str:
    """Return what a person reads for a field: its entry in the catalogue, else its name in words."""
    for key in (f"space.field_{name}", f"space.{name}"):
        if key in catalogue("en"):
            return text(key)
    words = name.replace("_", " ")
    for start, key in (("max ", "space.at_most"), ("min ", "space.at_least")):
        if words.startswith(start):
            return text(key, what=words.removeprefix(start).capitalize())
    return spoken(words.capitalize())


def option_words(name: str, option: Any) -> str:
    """Return what a person reads for a choice of a field."""
    key = f"space.option_{name}_{option}"
    return text(key) if key in catalogue("en") else spoken(str(option))


def _partner(name: str) -> str:
    """Return the name of the upper end that belongs to a lower one, "" where it is none."""
    if name == "low" or name.endswith("_low"):
        return name[: -len("low")] + "high"
    for low, high in (("low_", "high_"), ("min_", "max_"), ("fewest_", "most_")):
        if name.startswith(low):
            return high + name.removeprefix(low)
    return ""


def _both_numbers(declared: dict[str, FieldInfo], name: str) -> bool:
    return all(_bare(declared[n].annotation)[0] in (int, float) for n in (name, _partner(name))) and not any(
        _bare(declared[n].annotation)[1] for n in (name, _partner(name))
    )


def _range(record: BaseModel, known: Sequence[BaseModel], one: str, two: str) -> Field:
    fields = type(record).model_fields
    whole = _bare(fields[one].annotation)[0] is int
    value = (getattr(record, one), getattr(record, two))
    if one in ("low", "min"):
        label = label_of("range")
    else:
        label = label_of(one.removesuffix("_low").removeprefix("low_").removeprefix("min_").removeprefix("fewest_"))
    if not whole:
        return Field((one, two), label, "reals", value, _help(one), whole=False)
    lowest, highest = _bounds(fields[one])[0], _bounds(fields[two])[1]
    ends = [getattr(r, n) for r in (*known, record) for n in (one, two) if isinstance(getattr(r, n, None), int)]
    low = lowest if lowest is not None else min(0, *ends)
    high = highest if highest is not None else max(FEWEST_ENDS, 2 * max(ends))
    return Field((one, two), label, "range", value, _help(one), low=low, high=max(high, low + 1))


def _single(record: BaseModel, known: Sequence[BaseModel], name: str, info: FieldInfo) -> Field | None:
    value, (kind, optional) = getattr(record, name), _bare(info.annotation)
    label, told = label_of(name), _help(name)
    if kind is bool:
        return Field((name,), label, "flag", value, told)
    if kind in (int, float):
        low, high = _bounds(info)
        return Field((name,), label, "number", value, told, None, low, high, optional, kind is int)
    if get_origin(kind) is Literal:
        return Field((name,), label, "one", value, told, get_args(kind))
    if get_origin(kind) is dict and get_args(kind) == (str, int):
        return Field((name,), label, "directions", value, told)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if len(inner) == 2 and inner[1] is Ellipsis:
            if get_origin(inner[0]) is tuple:
                return Field((name,), label, "pairs", value, told) if get_args(inner[0]) == (str, str) else None
            if _plain(inner[0]):
                return Field((name,), label, "choices", value, told, _options(record, known, name, inner[0]))
    return None


def _options(record: BaseModel, known: Sequence[BaseModel], name: str, inner: Any) -> tuple[Any, ...] | None:
    """Return what a tuple may hold: what its type lists, else what any record of the sort has; None when unknown."""
    if get_origin(inner) is Literal:
        return get_args(inner)
    if not isinstance(record, _with_kind()):
        return None
    lists = [getattr(r, name, ()) for r in (*known, record)]
    found = dict.fromkeys(c for choices in sorted(lists, key=len, reverse=True) for c in choices)
    choices = list(found)
    if all(isinstance(c, int | float) for c in choices):
        choices.sort()
    return tuple(choices)


def _with_kind() -> type[BaseModel]:
    from nas_core.spaces import Variable

    return Variable


def _plain(inner: Any) -> bool:
    if get_origin(inner) in (Union, types.UnionType):
        return all(_plain(part) for part in get_args(inner))
    return get_origin(inner) is Literal or inner in (int, str, float)


def _bare(annotation: Any) -> tuple[Any, bool]:
    """Return a type without annotations and without None, and whether None is allowed."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [p for p in get_args(annotation) if p is not type(None)]
        if len(parts) < len(get_args(annotation)) and len(parts) == 1:
            return _bare(parts[0])[0], True
    return annotation, False


def _bounds(info: FieldInfo) -> tuple[Any, Any]:
    low: Any = None
    high: Any = None
    for mark in info.metadata:
        if isinstance(mark, Ge | Interval) and mark.ge is not None:
            low = mark.ge
        if isinstance(mark, Gt) and isinstance(mark.gt, int):
            low = mark.gt + 1
        if isinstance(mark, Le | Interval) and mark.le is not None:
            high = mark.le
        if isinstance(mark, Lt) and isinstance(mark.lt, int):
            high = mark.lt - 1
    return low, high


def _help(name: str) -> str:
    key = f"space.field_{name}_help"
    return text(key) if key in catalogue("en") else ""
