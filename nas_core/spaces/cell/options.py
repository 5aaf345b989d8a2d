"""What can be pinned or forbidden in a space of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.spaces.cell.rules import classes_over
from nas_core.spaces.cell.topology import OPERATIONS, WORDS
from nas_core.spaces.option_lists import (
    Frame,
    Option,
    OptionList,
    ScalarOptions,
    limited,
    register_option_lists,
    revised,
)

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["EdgeOptions"]

Values = dict[str, Any]
Changes = dict[str, Any]


class EdgeOptions(OptionList):
    """Operations on the edges of a cell.

    A cell has an operation when no cell without it computes the same: the representative of a class may show an
    operation that others of its class do without.
    """

    name = "cell.operations"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        edges: Any = space.by_name["cell"]
        words = {"none": "edges: none"}
        found = {o: words.get(o, f"edges: {WORDS[o]}") for o in edges.operations}
        return dict(found) if len(found) > 1 else {}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        cell = tuple(values["cell"])
        return frozenset(o for o in OPERATIONS if cell not in classes_over(_others(o)))

    def without(self, space: SearchSpace, option: Option) -> Changes:
        edges: Any = space.by_name["cell"]
        return revised(space, "cell", operations=tuple(o for o in edges.operations if o != option))

    def only(self, space: SearchSpace, option: Option) -> Changes:
        edges: Any = space.by_name["cell"]
        changes = revised(space, "cell", operations=tuple(o for o in edges.operations if o in (option, "none")))
        return changes if option == "none" else {**changes, **limited(space, allow_constant=False)}


def _others(operation: str) -> tuple[str, ...]:
    return tuple(sorted(o for o in OPERATIONS if o != operation))


register_option_lists(
    "cell",
    (
        EdgeOptions(),
        ScalarOptions("stages"),
        ScalarOptions("repeats"),
        ScalarOptions("width"),
        ScalarOptions("optimiser"),
        ScalarOptions("weight_decay"),
    ),
)
