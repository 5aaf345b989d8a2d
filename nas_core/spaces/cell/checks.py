"""What a cell declaration, and a cell architecture, may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.spaces.cell.edges import CellEdges
from nas_core.spaces.cell.rules import SMALLEST, CellConstraints, CellRules, classes_over, room_for
from nas_core.spaces.cell.structure import network_cost, receptive_field
from nas_core.spaces.cell.topology import CONSTANT
from nas_core.spaces.declared import (
    OPTIMISERS,
    Declared,
    check_declared,
    domain_faults,
    form_faults,
    over_limit,
)
from nas_core.spaces.family import Rejection
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["check_declaration", "find_problems", "find_rejection"]

Values = dict[str, Any]

_EXPECTED = {
    "cell": Declared(CellEdges),
    "stages": Declared(Integer, low=1, high=20),
    "repeats": Declared(Integer, low=1, high=20),
    "width": Declared(Categorical, low=1, high=1024),
    "optimiser": Declared(Categorical, OPTIMISERS),
    "learning_rate": Declared(Real, low=1e-8, high=10.0),
    "weight_decay": Declared(Real, low=0.0, high=10.0),
}


def check_declaration(space: SearchSpace) -> None:
    """Raise SpaceError when a declaration contradicts itself or the family."""
    check_declared(space, _EXPECTED, CellConstraints)
    known, signal = space.by_name, space.signal
    _check_room(known["stages"], signal.place)  # type: ignore[arg-type, union-attr]
    _check_cells(known["cell"], space.constraints)  # type: ignore[arg-type]


def _check_room(stages: Integer, size: tuple[int, int]) -> None:
    room = room_for(size)
    if stages.high > room:
        raise SpaceError(
            f"Up to {stages.high} stages are asked; images of {size[0]}×{size[1]} pixels have room for {room}: the "
            f"last maps need {SMALLEST}×{SMALLEST} places",
            fix="lower the limit" if room else "choose the family image",
        )


def _check_cells(edges: CellEdges, limits: CellConstraints) -> None:
    if not limits.allow_constant and classes_over(tuple(sorted(edges.operations))) == {CONSTANT}:
        raise SpaceError(
            "Every cell of the space is constant: its edges can only be none",
            fix="offer another operation or set allow_constant",
        )


def find_problems(space: SearchSpace, values: Values) -> list[str]:
    """Return what is wrong with the form or the domain of ``values``."""
    return form_faults(space, values) or domain_faults(space, values, (), dict)


def find_rejection(rules: CellRules, values: Values) -> Rejection | None:
    """Return the first constraint that canonical values break, or None."""
    if not rules.limited:
        return None
    limits, cell = rules.limits, tuple(values["cell"])
    if cell == CONSTANT and not limits.allow_constant:
        return Rejection(
            "allow_constant",
            "no way leads from the cell's input to its output, so it gives zeros and the network is constant",
        )
    convolutions = sum(o.startswith("nor_conv") for o in cell)
    parameters, operations = network_cost(rules, values)
    seen = max(receptive_field(rules, values)) if limits.max_receptive_field else 0
    return over_limit(
        (
            ("max_convolutions", convolutions, limits.max_convolutions, "convolutions in the cell"),
            ("max_parameters", parameters, limits.max_parameters, "parameters"),
            ("max_operations", operations, limits.max_operations, "operations"),
            ("max_receptive_field", seen, limits.max_receptive_field, "pixels in a row seen by one place"),
        )
    )
