"""Single differences between two architectures in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.texts import catalogue, text
from dashboard.views.space_fields import option_words
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.comparison.edits import Edit
    from nas_core.spaces import SearchSpace

__all__ = ["SIGNS", "EditLine", "edit_line", "edit_lines", "edit_words"]

SHOWN = 3
KINDS = {"add": "added", "remove": "removed"}
SIGNS = {"added": "+", "removed": "−", "changed": "≠"}


@dataclass(frozen=True)
class EditLine:
    """One difference: "added", "removed" or "changed", and in words."""

    kind: str
    words: str

    @property
    def signed(self) -> str:
        """The words after a sign that says what is done."""
        return f"{SIGNS[self.kind]} {self.words}"


def edit_lines(edits: Iterable[Edit], space: SearchSpace) -> tuple[EditLine, ...]:
    """Return the differences in words, what is added first, then what is removed, then what changes."""
    lines = [edit_line(e, space) for e in edits]
    order = ("added", "removed", "changed")
    return tuple(sorted(lines, key=lambda line: order.index(line.kind)))


def edit_line(edit: Edit, space: SearchSpace) -> EditLine:
    """Return one difference with what is done."""
    return EditLine(KINDS.get(edit.verb, "changed"), edit_words(edit, space))


def edit_words(edit: Edit, space: SearchSpace) -> str:
    """Return one difference in words."""
    if edit.subject == "feature":
        return _feature_words(edit, [f.name for f in space.features])
    if edit.subject == "mark":
        name = space.features[edit.place].name
        return text("compare.edit_mark", name=name, before=_direction(edit.before), after=_direction(edit.after))
    if edit.subject == "edge":
        from nas_core.spaces.cell.topology import EDGES

        source, end = EDGES[edit.place]
        return text("compare.edit_edge", source=source, end=end, before=_operation(edit.before),
                    after=_operation(edit.after))  # fmt: skip
    if edit.subject == "block":
        return _block_words(edit)
    variable = space.by_name[edit.variable]
    told = [
        text("compare.asleep") if edit.asleep == side else _value(edit.variable, value)
        for side, value in (("before", edit.before), ("after", edit.after))
    ]
    return text("compare.edit_value", label=variable.label or edit.variable.replace("_", " "), before=told[0],
                after=told[1])  # fmt: skip


def _feature_words(edit: Edit, names: Sequence[str]) -> str:
    name = names[edit.place]
    if edit.verb == "add":
        return text("compare.edit_feature_add", name=name, place=_place(edit.after, edit.place, names))
    if edit.verb == "remove":
        return text("compare.edit_feature_remove", name=name, place=_place(edit.before, edit.place, names))
    return text("compare.edit_feature_move", name=name, before=_place(edit.before, edit.place, names),
                after=_place(edit.after, edit.place, names))  # fmt: skip


def _place(group: dict[str, Any], feature: int, names: Sequence[str]) -> str:
    """Return in what group a feature is, and whether its direction is certified."""
    others = [names[j] for j in group["features"] if j != feature]
    if group["linear"]:
        told = text("compare.place_linear")
    elif not others:
        told = text("compare.place_alone")
    else:
        more = len(others) - SHOWN
        listed = ", ".join(others[:SHOWN]) + (text("compare.place_more", count=more) if more > 0 else "")
        told = text("compare.place_together", names=listed)
    mark = group.get("mark", 0)
    return text("compare.place_marked", place=told, direction=_direction(mark)) if mark else told


def _direction(mark: int) -> str:
    return text({1: "compare.rises", -1: "compare.falls"}.get(mark, "compare.free"))


def _operation(operation: str) -> str:
    from nas_core.spaces.cell.topology import WORDS

    return text("compare.nothing") if operation == "none" else WORDS[operation]


def _block_words(edit: Edit) -> str:
    if edit.verb == "change":
        return text("compare.edit_block_field", number=edit.place, field=_field(edit.field),
                    before=_option(edit.field, edit.before), after=_option(edit.field, edit.after))  # fmt: skip
    told = {"number": edit.place, "before": block_words(edit.before), "after": block_words(edit.after)}
    return text(f"compare.edit_block_{edit.verb}", **told)


def block_words(block: dict[str, Any] | None) -> str:
    """Return a block of an image network, or a layer of a sequence network, in words."""
    if block is None:
        return text("compare.nothing")
    if "kind" in block:
        from nas_core.spaces.sequence.plan import layer_label

        return layer_label(block)
    from nas_core.spaces.image.rules import WORDS

    operation = block["operation"]
    words = text(f"compare.halving_{operation}") if block.get("halves") else WORDS[operation]
    return text("compare.block_wide", block=words, width=block["width"]) if "width" in block else words


def _field(name: str) -> str:
    return text(f"compare.field_{name}") if f"compare.field_{name}" in catalogue("en") else name.replace("_", " ")


def _option(field: str, value: Any) -> str:
    if field == "operation":
        from nas_core.spaces.image.rules import WORDS

        return WORDS.get(value, str(value))
    return _value(field, value)


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return text("space.diff_yes" if value else "space.diff_no")
    if isinstance(value, float):
        return number(value)
    return option_words(name, value) if isinstance(value, str) else str(value)
