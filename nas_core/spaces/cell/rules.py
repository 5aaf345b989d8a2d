"""What a cell space allows, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from nas_core.spaces.cell.topology import CONSTANT, Cell, all_cells, representative
from nas_core.spaces.family import Constraints
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer

if TYPE_CHECKING:
    from nas_core.spaces.cell.edges import CellEdges
    from nas_core.spaces.space import SearchSpace

__all__ = ["CellConstraints", "CellRules", "Size", "classes_over", "halved", "room_for", "rules_of", "work_out"]

Size = tuple[int, int]
"""Height and width."""

SMALLEST = 3
"""Places along the shorter side of the last maps, at least: on fewer, pooling twice is pooling once."""


class CellConstraints(Constraints):
    """Limits of cell networks; None means no limit.

    Attributes:
        max_convolutions: Convolutions of the cell.
        max_receptive_field: Height and width, in pixels, of what one place of the last maps sees.
        allow_constant: Whether the cell may lead nothing from its input to its output. The whole network is constant
            then, also with residual reductions: they stand between the cells. NAS-Bench-201 counts such cells.
    """

    max_convolutions: int | None = Field(default=None, ge=0)
    max_parameters: int | None = Field(default=None, ge=1)
    max_operations: int | None = Field(default=None, ge=1)
    max_receptive_field: int | None = Field(default=None, ge=1)
    allow_constant: bool = False


@dataclass(frozen=True)
class CellRules:
    """A cell space by part. ``classes`` holds the representative of every cell the operations can make."""

    channels: int
    size: Size
    cell: Size
    P: int
    outputs: int
    edges: CellEdges
    classes: frozenset[Cell]
    choices: dict[str, Categorical]
    numbers: dict[str, Integer]
    reals: dict[str, Real]
    limits: CellConstraints
    limited: bool
    most_operations: int = 0

    @property
    def repeats(self) -> range:
        """How many cells a stage may have."""
        return range(self.numbers["repeats"].low, self.numbers["repeats"].high + 1)


@lru_cache(maxsize=64)
def classes_over(operations: tuple[str, ...]) -> frozenset[Cell]:
    """Return the representatives of all cells over ``operations``; each may hold others of the five."""
    return frozenset(representative(cell) for cell in all_cells(operations))


def halved(size: Size) -> Size:
    """Return the size after a reduction: half, rounded up."""
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def room_for(size: Size) -> int:
    """Return how many stages images of this size have room for, 0 where they are too small for any."""
    stages = 0
    while min(size) >= SMALLEST:
        stages, size = stages + 1, halved(size)
        if stages == 8:
            break
    return stages


def rules_of(space: SearchSpace) -> CellRules:
    """Return the rules of a cell space; they are worked out once per space."""
    rules: CellRules = space.compiled
    return rules


def work_out(space: SearchSpace) -> CellRules:
    """Return the rules of a checked declaration."""
    known = space.by_name
    limits: CellConstraints = space.constraints  # type: ignore[assignment]
    edges: CellEdges = known["cell"]  # type: ignore[assignment]
    signal = space.signal
    assert signal is not None  # check_space refuses a cell space without one
    height, width = signal.place
    budgets = [v for n, v in limits.model_dump().items() if n != "allow_constant"]
    classes = classes_over(tuple(sorted(edges.operations)))
    return CellRules(
        channels=signal.encoded_shape[0],
        size=(height, width),
        cell=signal.cell,
        P=len(space.features),
        outputs=space.outputs,
        edges=edges,
        classes=classes,
        choices={n: v for n, v in known.items() if isinstance(v, Categorical)},
        numbers={n: v for n, v in known.items() if isinstance(v, Integer)},
        reals={n: v for n, v in known.items() if isinstance(v, Real)},
        limits=limits,
        limited=any(v is not None for v in budgets) or (not limits.allow_constant and CONSTANT in classes),
    )
