"""Choices: single options of a space that can be pinned or forbidden, each as the next version of the space.

A choice says "activation = sigmoid", "a 3×3 convolution", "uses mean radius". After :func:`forbid` no architecture of
the space has it. After :func:`pin` every architecture that has something to decide there has it: a linear network has
no activation, and stays; a pinned feature is used by all. An option that a canonical form merely writes down where
nothing was to decide (the activation of a linear network) is not had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nas_core.errors import SpaceError
from nas_core.spaces.option_lists import Frame, Option, OptionList, option_lists

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces.space import SearchSpace

__all__ = ["PAIRS", "Choice", "choices_of", "forbid", "has", "pin"]

PAIRS = "pairs"
"""The list of pairs of features, P (P − 1) / 2 of them: only listed when asked for."""

_SEEDS = 3
"""Samples that show that something is left."""


@dataclass(frozen=True)
class Choice:
    """One option of one list.

    Attributes:
        variable: A variable, or a list of options inside it: "activation", "stages.operations", "features".
        option: One of its options; of features and pairs the indices.
        label: What a person reads.
        frame: What decides whether the variable means something; from :func:`choices_of`.
    """

    variable: str
    option: Option
    label: str = field(default="", compare=False)
    frame: Frame | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.label or f"{self.variable} = {self.option}"


def choices_of(space: SearchSpace, *, pairs: bool = False) -> tuple[Choice, ...]:
    """Return the choices that ``space`` offers, list by list.

    A list of one option is no choice. Not every choice can be pinned and forbidden: :func:`pin` and :func:`forbid` say
    why.

    Args:
        space: The space.
        pairs: Whether pairs of features that may act together are listed too.
    """
    frame = Frame.of(space)
    return tuple(
        Choice(name, option, label, frame)
        for name, listed in option_lists(space.family).items()
        if pairs or name != PAIRS
        for option, label in listed.offered(space).items()
    )


def has(architecture: Architecture, choice: Choice) -> bool:
    """Return whether ``architecture`` decided for ``choice``.

    Exact for choices from :func:`choices_of`; one made by hand, without a frame, takes every feature for numeric.
    """
    listed = option_lists(architecture.family).get(choice.variable)
    return listed is not None and choice.option in listed.held(architecture.values, choice.frame)


def forbid(space: SearchSpace, choice: Choice) -> SearchSpace:
    """Return the next version of ``space``, in which no architecture has ``choice``.

    Raises:
        SpaceError: The space does not offer it, nothing would be left, or a declaration cannot say it.
    """
    listed, named = _list_of(space, choice)
    return _next_version(space, f"{named} cannot be forbidden", lambda: listed.without(space, choice.option))


def pin(space: SearchSpace, choice: Choice) -> SearchSpace:
    """Return the next version of ``space``, in which nothing else than ``choice`` can be decided.

    Raises:
        SpaceError: The space does not offer it, nothing would be left, or a declaration cannot say it.
    """
    listed, named = _list_of(space, choice)
    return _next_version(space, f"{named} cannot be pinned", lambda: listed.only(space, choice.option))


def _list_of(space: SearchSpace, choice: Choice) -> tuple[OptionList, str]:
    """Return the list of a choice, and what a person calls the choice."""
    lists = option_lists(space.family)
    listed = lists.get(choice.variable)
    if listed is None:
        raise SpaceError(
            f"The family {space.family!r} has no list of options {choice.variable!r}",
            allowed=", ".join(lists) or "none",
            fix="take a choice of choices_of(space)",
        )
    offered = listed.offered(space)
    if choice.option not in offered:
        raise SpaceError(
            f"{choice} is nothing this space leaves open",
            allowed=", ".join(map(str, list(offered)[:12])) or f"nothing of {choice.variable}: one option is left",
            fix="take a choice of choices_of(space)",
        )
    return listed, choice.label or offered[choice.option]


def _next_version(space: SearchSpace, refused: str, changes: Callable[[], dict[str, object]]) -> SearchSpace:
    """Return the space with the changes made; an error names what was refused and why."""
    import numpy as np

    try:
        changed = space.changed(**changes())
        for seed in range(_SEEDS):
            changed.sample(np.random.default_rng(seed))
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise SpaceError(f"{refused}: {reason}", fix="leave another option beside it") from None
    except SpaceError as error:
        raise SpaceError(f"{refused}: {error.given}", allowed=error.allowed, fix=error.fix) from None
    return changed
