"""The difference of two architectures of one family, and the way from one to the other through valid architectures."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nas_core.comparison.edits import Edit, Part, Whole
from nas_core.comparison.group_edits import GroupsPart
from nas_core.comparison.list_edits import CellPart, LayersPart, StagesPart
from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces.cell.edges import CellEdges
from nas_core.spaces.image.blocks import ImageBlocks
from nas_core.spaces.scalars import Integer
from nas_core.spaces.sequence.layer_list import SequenceLayers
from nas_core.spaces.tabular.groups import FeatureGroups
from nas_core.spaces.tabular.marks import MonotoneMarks

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.variables import Variable

__all__ = ["ArchitectureDiff", "Step", "architecture_diff", "edit_path"]

Values = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ArchitectureDiff:
    """What differs between ``before`` and ``after``.

    Attributes:
        space: The space in which intermediate architectures have to be valid.
        edits: The differences: as many as from ``after`` to ``before``, none where both are the same.
    """

    space: SearchSpace
    before: Architecture
    after: Architecture
    parts: tuple[Part, ...]

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All edits, the structure first."""
        return tuple(e for part in self.parts for e in part.edits)

    def partial(self, applied: Collection[Edit]) -> Architecture | str:
        """Return ``before`` with some of the edits applied, or why the space refuses that.

        All edits give ``after``, none gives ``before``. What is applied may change nothing by itself: the width of a
        network that has become linear, for example.
        """
        chosen = set(applied)
        values: Values = {}
        for part in self.parts:
            values |= part.values(chosen)
        engine = self.space.engine
        if wrong := engine.problems(self.space, values):
            return wrong[0]
        canonical = engine.canonical(self.space, values)
        rejection = engine.rejection(self.space, canonical)
        return rejection.reason if rejection else Architecture(family=self.space.family, values=canonical)


@dataclass(frozen=True)
class Step:
    """One step of a way between two architectures.

    Attributes:
        edits: What changes. More than one where no single edit that is left gives a valid, different architecture:
            then none of them can be left out of this step.
        idle: Edits that are done here as well and change nothing by themselves.
        architecture: What there is after the step.
        refused: Why the first of joined edits is not valid alone, where the space says so.
    """

    edits: tuple[Edit, ...]
    architecture: Architecture
    idle: tuple[Edit, ...] = ()
    refused: str = ""

    @property
    def joined(self) -> bool:
        """Whether several edits had to be made at once."""
        return len(self.edits) > 1


def architecture_diff(space: SearchSpace, before: Architecture, after: Architecture) -> ArchitectureDiff:
    """Return what differs between two architectures.

    Both need the variables of ``space``; they need not be valid in it, but then not every step of :func:`edit_path` is.

    Raises:
        SpaceError: They are of another family, or of other variables.
    """
    for one in (before, after):
        if one.family != space.family or one.values.keys() != space.by_name.keys():
            raise SpaceError(
                f"The architecture {one.id} is not made of the variables of this space",
                allowed=f"architectures of the family {space.family} with {', '.join(space.by_name)}",
                fix="compare candidates of one run",
            )
    first: list[Part] = []
    rest: list[Part] = []
    groups = next((v.name for v in space.variables if isinstance(v, FeatureGroups)), None)
    for variable in space.variables:
        if isinstance(variable, MonotoneMarks) and groups is not None:
            continue  # with the groups
        part = _part(space, variable, before, after)
        (rest if isinstance(part, Whole) else first).append(part)
    return ArchitectureDiff(space, before, after, (*first, *rest))


def edit_path(diff: ArchitectureDiff, known: Container[str] = frozenset()) -> tuple[Step, ...]:
    """Return a way from ``before`` to ``after`` in single edits, each architecture on it valid and another one.

    Where several edits could come next, one whose result is ``known`` (evaluated already, by identity) comes first,
    else they come in their order, structure first. Where none gives a valid architecture that is new on the way, the
    fewest that were found to do so together are one step: of those none can be left out.
    Costs: O(n²) checks of an architecture for n edits, more where edits have to be joined.

    Raises:
        SpaceError: An end of the way is not valid in the space.
    """
    for end in (diff.before, diff.after):
        if wrong := diff.space.validate_architecture(end):
            raise SpaceError(
                f"The architecture {end.id} is not in this version of the search space: {wrong[0]}",
                fix="compare in a version that holds both",
            )
    applied: set[Edit] = set()
    steps: list[Step] = []
    seen = {diff.before.id}
    while diff.after.id not in seen:
        step = _next_step(diff, applied, seen, known)
        applied |= set(step.edits)
        seen.add(step.architecture.id)
        steps.append(step)
    idle = tuple(e for e in diff.edits if e not in applied)
    if idle and steps:
        last = steps[-1]
        steps[-1] = Step(last.edits, last.architecture, idle, last.refused)
    return tuple(steps)


def _next_step(diff: ArchitectureDiff, applied: set[Edit], seen: set[str], known: Container[str]) -> Step:
    left = [e for e in diff.edits if e not in applied]
    first: Step | None = None
    refused = ""
    for edit in left:
        found = diff.partial({*applied, edit})
        if isinstance(found, str):
            refused = refused or found
        elif found.id not in seen:
            step = Step((edit,), found)
            if found.id in known:
                return step
            first = first or step
    return first or _joined_step(diff, applied, left, seen, refused)


def _joined_step(diff: ArchitectureDiff, applied: set[Edit], left: list[Edit], seen: set[str], refused: str) -> Step:
    """Return a smallest set of edits that works: all that are left, without each that can be left out."""
    chosen, found = list(left), diff.after
    shrinking = True
    while shrinking:
        shrinking = False
        for edit in list(chosen):
            fewer = [e for e in chosen if e is not edit]
            tried = diff.partial({*applied, *fewer}) if fewer else ""
            if not isinstance(tried, str) and tried.id not in seen:
                chosen, found, shrinking = fewer, tried, True
    return Step(tuple(chosen), found, refused=refused)


def _part(space: SearchSpace, variable: Variable, before: Architecture, after: Architecture) -> Part:
    name = variable.name
    one, two = before.values[name], after.values[name]
    if isinstance(variable, FeatureGroups):
        marks = next((v.name for v in space.variables if isinstance(v, MonotoneMarks)), "marks")
        return GroupsPart((name, marks), (one, before.values.get(marks, {})), (two, after.values.get(marks, {})))
    if isinstance(variable, ImageBlocks):
        return StagesPart(name, one, two)
    if isinstance(variable, SequenceLayers):
        return LayersPart(name, one, two, kind=lambda layer: (layer["kind"], *sorted(layer)))
    if isinstance(variable, CellEdges):
        return CellPart(name, one, two)
    return Whole(name, one, two, _asleep(space, variable, before, after))


def _asleep(
    space: SearchSpace, variable: Variable, before: Architecture, after: Architecture
) -> Literal["", "before", "after"]:
    """Return on which side a variable has nothing to decide: the other side's value would change nothing there.

    A number of layers is not: 0 layers say what the network is.
    """
    name = variable.name
    if before.values[name] == after.values[name] or isinstance(variable, Integer):
        return ""
    for side, own, other in (("before", before, after), ("after", after, before)):
        values = {**own.values, name: other.values[name]}
        if not space.engine.problems(space, values) and space.engine.canonical(space, values) == own.values:
            return "before" if side == "before" else "after"
    return ""
