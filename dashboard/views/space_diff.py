"""What differs between two search spaces, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard.texts import spoken, text
from dashboard.views.space_fields import label_of, option_words
from dashboard.views.words import count
from nas_core.records import canonical_json

if TYPE_CHECKING:
    from nas_core.spaces import SearchSpace

__all__ = ["space_diff"]

LISTED = 6


def space_diff(before: SearchSpace, after: SearchSpace) -> tuple[str, ...]:
    """Return what turns ``before`` into ``after``, one change each; empty when only the version differs."""
    return tuple(_changes(before.model_dump(mode="json"), after.model_dump(mode="json")))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["family"] != after["family"]:
        yield text("space.diff_family", before=_family(before["family"]), after=_family(after["family"]))
    yield from _named("feature", before["features"], after["features"])
    for name in ("signal", "outputs"):
        if not _same(before[name], after[name]):
            yield _turned(label_of(name), _written(before[name]), _written(after[name]))
    yield from _named("variable", before["variables"], after["variables"])
    old, new = before["constraints"] or {}, after["constraints"] or {}
    for name in dict.fromkeys([*old, *new]):
        if not _same(old.get(name), new.get(name)):
            yield from _field(name, "", old.get(name), new.get(name))


def _named(what: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what differs between two lists of things with a name."""
    old, new = ({item["name"]: item for item in items} for items in (before, after))
    if gone := [_label(old[n]) for n in old if n not in new]:
        yield text(f"space.diff_{what}_removed", names=_list(gone))
    if come := [_label(new[n]) for n in new if n not in old]:
        yield text(f"space.diff_{what}_added", names=_list(come))
    both = [n for n in new if n in old]
    if [n for n in old if n in new] != both:
        yield text(f"space.diff_{what}_order", names=_list(_label(new[n]) for n in both))
    for name in both:
        yield from _thing(old[name], new[name])


def _thing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between two variables, or two features, of one name."""
    label = _label(new)
    names = [n for n in dict.fromkeys([*old, *new]) if not _same(old.get(n), new.get(n))]
    ends = {"low", "high"}
    if ends & set(names):
        told = [text("space.diff_range", low=_number(v.get("low")), high=_number(v.get("high"))) for v in (old, new)]
        if told[0] == told[1]:  # a difference beyond the digits that are shown
            told = [text("space.diff_range", low=repr(v.get("low")), high=repr(v.get("high"))) for v in (old, new)]
        yield _turned(label, *told)
    for name in names:
        if name in ends:
            continue
        alone = name in ("choices", "signs", "linear")
        yield from _field(name, "" if alone else label, old.get(name), new.get(name), label if alone else "")


def _field(name: str, owner: str, old: Any, new: Any, label: str = "") -> Iterator[str]:
    """Yield what differs between two values of one field."""
    label = label or (f"{owner}, {label_of(name).lower()}" if owner else label_of(name))
    if isinstance(old, list) and isinstance(new, list):
        yield from _listed(name, label, old, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if not _same(old.get(key), new.get(key)):
                yield from _value(f"{label}, {key}", old.get(key), new.get(key), name)
    else:
        yield from _value(label, old, new, name)


def _listed(name: str, label: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    before, after = ([canonical_json(item) for item in items] for items in (old, new))
    removed = [_option(name, item) for item, key in zip(old, before) if key not in after]
    added = [_option(name, item) for item, key in zip(new, after) if key not in before]
    if removed:
        yield text("space.diff_removed", label=label, names=_list(removed))
    if added:
        yield text("space.diff_added", label=label, names=_list(added))
    if not removed and not added:
        yield text("space.diff_order", label=label, names=_list(_option(name, item) for item in new))


def _value(label: str, old: Any, new: Any, name: str) -> Iterator[str]:
    if old is None:
        yield text("space.diff_set", label=label, value=_option(name, new))
    elif new is None:
        yield text("space.diff_unset", label=label, value=_option(name, old))
    elif isinstance(old, bool) and isinstance(new, bool):
        yield text("space.diff_on" if new else "space.diff_off", label=label)
    else:
        told = [_option(name, old), _option(name, new)]
        if told[0] == told[1]:
            told = [canonical_json(old), canonical_json(new)]
        yield _turned(label, *told)


def _turned(label: str, before: str, after: str) -> str:
    return text("space.diff_turned", label=label, before=before, after=after)


def _label(item: Mapping[str, Any]) -> str:
    return str(item.get("label") or item["name"])


def _family(name: str) -> str:
    from nas_core.spaces import family_named, family_names

    return spoken(family_named(name).label) if name in family_names() else name


def _list(names: Any) -> str:
    names = list(names)
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (text("space.diff_more", count=more) if more > 0 else "")


def _option(name: str, value: Any) -> str:
    return option_words(name, value) if isinstance(value, int | str) and not isinstance(value, bool) and (
        option_words(name, value) != str(value)
    ) else _written(value)  # fmt: skip


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return text("space.diff_yes" if value else "space.diff_no")
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list):
        return " – ".join(_written(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {_written(v)}" for k, v in value.items())
    return "–" if value is None else str(value)


def _number(value: Any) -> str:
    return count(value) if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _same(one: Any, two: Any) -> bool:
    return canonical_json(one) == canonical_json(two)
