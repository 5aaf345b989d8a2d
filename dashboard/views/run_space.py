"""The search space of a run, to be edited: what could go, what can be pinned or forbidden, and its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from dashboard.texts import said, text
from dashboard.views.space_diff import space_diff
from dashboard.views.words import count
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from nas_core.runs.versions import SpaceVersion
    from nas_core.search.pruning import Removal
    from nas_core.spaces import Choice, SearchSpace

__all__ = [
    "ChoiceEdit",
    "RunVersion",
    "choice_edit",
    "choice_label",
    "edited",
    "proposal_lines",
    "restored",
    "run_versions",
]

Deed = Literal["forbid", "pin"]


@dataclass(frozen=True)
class ChoiceEdit:
    """What pinning or forbidding a choice would do.

    Attributes:
        words: The differences to the present space, one each; empty where it is refused.
        refused: Why it cannot be done; "" where it can.
    """

    words: tuple[str, ...]
    refused: str


@dataclass(frozen=True)
class RunVersion:
    """An edit of the space of a run: the number of the version it made, what it changed, and what was before.

    Attributes:
        number: Of the version.
        words: What changed, and how many candidates found before are still inside.
        before: The space before the edit.
    """

    number: int
    words: tuple[str, ...]
    before: SearchSpace


def edited(space: SearchSpace, choice: Choice, deed: Deed) -> tuple[SearchSpace, tuple[str, ...]]:
    """Return the next version of ``space`` and what it changes, in words.

    Raises:
        SpaceError: Nothing would be left, or a declaration cannot say it.
    """
    from nas_core.spaces import forbid, pin

    changed = (forbid if deed == "forbid" else pin)(space, choice)
    return changed, space_diff(space, changed)


def choice_label(choice: Choice) -> str:
    """Return what a person reads for a choice: its words, or the list it is in and its option."""
    name, equals, option = str(choice).partition(" = ")
    return f"{said(name)}{equals}{said(option)}"


def choice_edit(space: SearchSpace, choice: Choice, deed: Deed) -> ChoiceEdit:
    """Return what a deed would do, or why it is refused."""
    try:
        return ChoiceEdit(edited(space, choice, deed)[1], "")
    except NasightError as error:
        return ChoiceEdit((), str(error))


def restored(space: SearchSpace, earlier: SearchSpace) -> tuple[SearchSpace, tuple[str, ...]]:
    """Return the next version of ``space`` with the content of an earlier one, and what it changes."""
    changed = space.changed(variables=earlier.variables, constraints=earlier.constraints)
    return changed, space_diff(space, changed)


def run_versions(versions: Sequence[SpaceVersion]) -> tuple[RunVersion, ...]:
    """Return the edits of the space of a run, newest first; ``versions`` begin with the first one."""
    found = []
    for before, version in pairwise(versions):
        words = version.words or text("run_space.version_same")
        stayed = text(
            "run_space.version_inside", inside=count(version.inside), total=count(version.inside + version.outside)
        )
        found.append(RunVersion(version.space.version, (words, stayed), before.space))
    return tuple(reversed(found))


def proposal_lines(removals: Sequence[Removal], space: SearchSpace) -> tuple[tuple[Choice, str, ChoiceEdit], ...]:
    """Return each choice that could go with its evidence and what forbidding it does to the present space."""
    from nas_core.spaces import choices_of

    offered = set(choices_of(space))
    return tuple(
        (r.choice, r.sentence, choice_edit(space, r.choice, "forbid")) for r in removals if r.choice in offered
    )
