"""What differs between two architectures, as single edits of which any subset can be applied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Edit", "Part", "Subject", "Verb", "Whole"]

Subject = Literal["value", "feature", "mark", "block", "edge"]
Verb = Literal["add", "remove", "change", "replace", "move"]


@dataclass(frozen=True, eq=False)
class Edit:
    """One difference; an edit is equal to itself only.

    Attributes:
        variable: The variable of the space that it is in.
        subject: What it is about: the value of a variable as a whole, a feature, the direction a feature is held to,
            a block or layer of a list, an edge of a cell.
        verb: What is done; ``change`` keeps the kind of a block, ``replace`` does not, ``move`` is of features.
        place: Index of the feature; number of the block from 1, in the first architecture, or in the second where it is
            added; number of the edge; 0 for a whole value.
        before, after: What was there and what is there then, None for nothing: a value; of a feature
            ``{"features": those of its group, "linear": …, "mark": …}``; of a block its fields; of an edge its
            operation.
        field: Of a changed block the field that changes.
        asleep: "before" or "after": there the variable has nothing to decide, and the value means nothing.
    """

    variable: str
    subject: Subject
    verb: Verb
    place: int
    before: Any
    after: Any
    field: str = ""
    asleep: Literal["", "before", "after"] = ""


class Part(ABC):
    """What differs in one variable, or in several that belong together."""

    edits: tuple[Edit, ...]

    @abstractmethod
    def values(self, applied: Collection[Edit]) -> dict[str, Any]:
        """Return the value of each variable after some of the edits: with none the first's, with all the second's."""


class Whole(Part):
    """A variable whose value changes as a whole, in one edit."""

    def __init__(self, name: str, before: Any, after: Any, asleep: Literal["", "before", "after"] = "") -> None:
        self._name, self._before, self._after = name, before, after
        self.edits = (Edit(name, "value", "change", 0, before, after, asleep=asleep),) if before != after else ()

    def values(self, applied: Collection[Edit]) -> dict[str, Any]:
        """Return the second value where the edit is applied, else the first."""
        return {self._name: self._after if any(e in applied for e in self.edits) else self._before}
