"""Drawing an architecture by hand: its steps, the changes that can be made, and what each of them would cost.

Every change goes through ``SearchSpace.architecture``, so nothing can be drawn that the space would not build.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from dashboard.texts import spoken, text
from dashboard.views.words import count, number
from nas_core.errors import SpaceError

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace
    from nas_core.spaces.variables import Edit, Hints

__all__ = ["Change", "CostRow", "Drawing", "Outcome", "Place", "Step", "change_at", "cost_rows", "outcome", "places",
           "read_architecture", "starts"]  # fmt: skip

MOST_CHANGES = 3000  # of one variable; everything else can be written as text
MOST_STEPS = 100
MOST_COMPANIONS = 60


@dataclass(frozen=True)
class Step:
    """An architecture on the way, and what made it."""

    words: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Drawing:
    """What a person has drawn, with every step that led to it.

    Attributes:
        family: The family of the architecture.
        steps: The architectures, the first one first.
        at: The step in view; those after it can be redone.
        parent: Candidate it started from, "" for none.
    """

    family: str
    steps: tuple[Step, ...]
    at: int = 0
    parent: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the step in view."""
        return self.steps[self.at].values

    def added(self, step: Step) -> Drawing:
        """Return the drawing one step further; steps that were undone are given up."""
        steps = (*self.steps[: self.at + 1], step)[-MOST_STEPS:]
        return replace(self, steps=steps, at=len(steps) - 1)

    def moved(self, by: int) -> Drawing:
        """Return the drawing with an earlier or later step in view."""
        return replace(self, at=min(max(0, self.at + by), len(self.steps) - 1))

    def to_plain(self) -> dict[str, Any]:
        """Return plain data."""
        return {"family": self.family, "at": self.at, "parent": self.parent,
                "steps": [{"words": s.words, "values": s.values} for s in self.steps]}  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Drawing:
        """Return the drawing that :meth:`to_plain` wrote.

        Raises:
            ValueError, KeyError, TypeError: This is no drawing.
        """
        steps = tuple(Step(str(s["words"]), dict(s["values"])) for s in plain["steps"])
        at = int(plain["at"])
        if not 0 <= at < len(steps):
            raise ValueError(f"the step {at} of {len(steps)}")
        return cls(str(plain["family"]), steps, at, str(plain["parent"]))


@dataclass(frozen=True)
class Change:
    """One change that can be made: its number among those of its variable, and what it is."""

    number: int
    verb: str
    words: str


@dataclass(frozen=True)
class Place:
    """A part of the architecture that can be changed.

    Attributes:
        variable: Name of the variable it belongs to.
        label: What a person reads.
        changes: What can be done there.
        complete: False where there are more changes than are listed.
    """

    variable: str
    label: str
    changes: tuple[Change, ...]
    complete: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a change leads to: an architecture, or why there is none.

    Attributes:
        architecture: The architecture afterwards; None when it is refused or nothing changes.
        refused: Why, in a sentence; empty when it can be done.
        also: What has to change with it, in words.
    """

    architecture: Architecture | None
    refused: str = ""
    also: str = ""


@dataclass(frozen=True)
class CostRow:
    """One quantity of the architecture, now and after the change; ``after`` is empty where nothing is compared."""

    label: str
    now: str
    after: str
    changed: bool


def starts(space: SearchSpace, hints: Hints | None) -> tuple[tuple[str, Architecture], ...]:
    """Return the landmarks of the space that its constraints allow, by name."""
    from nas_core.records import Architecture

    found: dict[str, tuple[str, Architecture]] = {}
    for name, values in space.engine.landmarks(space, hints):
        landmark = Architecture(family=space.family, values=values)
        if space.engine.rejection(space, values) is None:
            found.setdefault(landmark.id, (name, landmark))
    return tuple(found.values())


def places(space: SearchSpace, architecture: Architecture) -> tuple[Place, ...]:
    """Return every part of ``architecture`` that can be changed, the parts of a variable one after the other."""
    found: list[Place] = []
    for variable in space.variables:
        listed: dict[str, list[Change]] = {}
        for at, edit in enumerate(islice(_edits(space, architecture, variable.name), MOST_CHANGES)):
            listed.setdefault(edit.place, []).append(Change(at, edit.verb, edit.words))
        complete = sum(map(len, listed.values())) < MOST_CHANGES
        name = spoken(variable.label or variable.name)
        taken = {p.label for p in found}
        for place, changes in listed.items():
            label = f"{place[:1].upper()}{place[1:]}" if place else name
            label = f"{name}: {place}" if label in taken else label
            found.append(Place(variable.name, label, tuple(changes), complete))
    return tuple(found)


def change_at(space: SearchSpace, architecture: Architecture, place: Place, change: Change) -> tuple[Edit, str]:
    """Return the edit behind a change, and what it does in words.

    Raises:
        SpaceError: The architecture has no such change any more.
    """
    edit = next(islice(_edits(space, architecture, place.variable), change.number, None), None)
    if edit is None or (edit.verb, edit.words) != (change.verb, change.words):
        raise SpaceError(text("draw.stale"), fix=text("draw.stale_fix"))
    told = f"{place.label}: {verb_words(change.verb)} {change.words}"
    return edit, told


def verb_words(verb: str) -> str:
    """Return what a person reads for a verb of an edit."""
    return text(f"draw.verb_{verb}")


def outcome(space: SearchSpace, architecture: Architecture, variable: str, edit: Edit) -> Outcome:
    """Return what comes of ``edit``.

    Where it means nothing alone (a network instead of a line needs a hidden layer), the smallest change of one other
    variable that gives it a meaning goes with it. A variable that gets a meaning this way but has no value yet gets the
    first one of its domain.
    """
    values = {**architecture.values, variable: edit.value}
    try:
        changed, mended = _mended(space, values, variable)
    except SpaceError as error:
        return Outcome(None, str(error))
    if changed != architecture:
        return Outcome(changed, also="; ".join(mended))
    wanted = space.by_name[variable].tidy(edit.value)
    if wanted == architecture.values[variable]:
        return Outcome(None, text("draw.nothing"))
    for other in space.variables:
        if other.name == variable:
            continue
        label = spoken(other.label or other.name)
        for companion in islice(_edits(space, architecture, other.name), MOST_COMPANIONS):
            try:
                changed, mended = _mended(space, {**values, other.name: companion.value}, variable, other.name)
            except SpaceError:
                continue
            if changed.values[variable] == wanted and changed != architecture:
                return Outcome(changed, also="; ".join([f"{label}: {companion.words}", *mended]))
    return Outcome(None, text("draw.nothing"))


def _mended(space: SearchSpace, values: dict[str, Any], *kept: str) -> tuple[Architecture, list[str]]:
    """Return the architecture of ``values``, and what was changed besides so that there is one.

    Only variables outside their domain are changed, never those of ``kept``.

    Raises:
        SpaceError: There is none; the fault is that of ``values`` as they were given.
    """
    from nas_core.spaces import Context

    try:
        return space.architecture(values), []
    except SpaceError as refused:
        mended, told = dict(values), []
        for variable in space.variables:
            context = Context(space, values=mended)
            if variable.name in kept or variable.validate_value(mended[variable.name], context) is None:
                continue
            first = next(iter(variable.edits(mended[variable.name], context)), None)
            if first is None:
                raise
            mended[variable.name] = first.value
            told.append(f"{spoken(variable.label or variable.name)}: {first.words}")
        if not told:
            raise
        try:
            return space.architecture(mended), told
        except SpaceError:
            raise refused from None


def cost_rows(space: SearchSpace, now: Architecture, after: Architecture | None = None) -> tuple[CostRow, ...]:
    """Return what an architecture costs and how simple it is by its structure alone, beside another one."""
    before = _quantities(space, now)
    then = None if after is None else _quantities(space, after)
    rows = []
    for label, told in before.items():
        other = "" if then is None else then.get(label, "–")
        rows.append(CostRow(label, told, other, bool(other) and other != told))
    return tuple(rows)


def read_architecture(space: SearchSpace, written: str) -> Architecture:
    """Return the architecture that JSON text describes: its values, or an object with ``family`` and ``values``.

    Raises:
        SpaceError: Not JSON (names the line), or no architecture of the space.
    """
    from nas_core.spaces.text import plain_json

    try:
        json.loads(written)
    except json.JSONDecodeError as error:
        raise SpaceError(text("draw.not_json", message=error.msg, line=error.lineno, column=error.colno),
                         fix=text("draw.not_json_fix")) from None  # fmt: skip
    except (ValueError, RecursionError):  # said below
        pass
    read = plain_json(written)
    if not isinstance(read, dict):
        raise SpaceError(text("draw.no_object"), allowed=", ".join(v.name for v in space.variables))
    if set(read) == {"family", "values"} and isinstance(read["values"], dict):
        if read["family"] != space.family:
            raise SpaceError(text("draw.other_family", theirs=read["family"]), allowed=space.family)
        read = read["values"]
    return space.architecture(read)


def _edits(space: SearchSpace, architecture: Architecture, variable: str) -> Iterator[Edit]:
    from nas_core.spaces import Context

    context = Context(space, values=architecture.values)
    return space.by_name[variable].edits(architecture.values[variable], context)


def _quantities(space: SearchSpace, architecture: Architecture) -> dict[str, str]:
    from nas_core.interpretability import MEASURES, MeasureContext
    from nas_core.spaces import facts

    found = facts(space, architecture)
    told = {text("draw.parameters"): count(found.parameters), text("draw.operations"): count(found.operations)}
    if found.receptive_field is not None:
        told[text("draw.receptive_field")] = " × ".join(str(n) for n in found.receptive_field)
    context = MeasureContext(space, [architecture], [found])
    for measure in MEASURES.values():
        if measure.family == "structure" and measure.applies_to(context).ok:
            told[spoken(measure.label)] = number(measure.score(context)[0].value)
    return told
