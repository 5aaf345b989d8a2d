"""In which order, and how many at a time, the networks of images and sequences are trained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from nas_core.records import Proposal
from nas_core.spaces import SearchSpace, facts

if TYPE_CHECKING:
    from nas_core.spaces import StructuralFacts

__all__ = ["in_turns"]

MOST_PARAMETERS = 50_000_000
"""Parameters of the networks that are in memory at the same time: 200 MB, four times as much for those in training."""


def in_turns(space: SearchSpace, proposals: Sequence[Proposal]) -> list[list[Proposal]]:
    """Return the proposals in parts that are trained one after the other, each in the order of training.

    Cheap and dear ones alternate, from both ends to the middle: so results come steadily from the beginning, and at the
    end no processor core waits long for the last one. A part holds at most MOST_PARAMETERS, or a single network.
    """
    known = {p.architecture.id: facts(space, p.architecture) for p in proposals}

    def cost(proposal: Proposal) -> StructuralFacts:
        return known[proposal.architecture.id]

    ordered = sorted(proposals, key=lambda p: cost(p).operations)
    middle = (len(ordered) + 1) // 2
    pairs = zip_longest(ordered[:middle], ordered[middle:][::-1])
    parts: list[list[Proposal]] = []
    held = 0
    for proposal in [p for pair in pairs for p in pair if p is not None]:
        if not parts or held + cost(proposal).parameters > MOST_PARAMETERS:
            parts.append([])
            held = 0
        parts[-1].append(proposal)
        held += cost(proposal).parameters
    return parts
