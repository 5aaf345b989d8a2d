"""The one form of a cell architecture: networks that compute the same with the same weights have equal values."""

from __future__ import annotations

from typing import Any

from nas_core.spaces.cell.rules import CellRules
from nas_core.spaces.cell.structure import cell_cost
from nas_core.spaces.cell.topology import CONSTANT, IDENTITY, Cell, powers_of, representative, root_of

__all__ = ["canonical"]

Values = dict[str, Any]


def canonical(rules: CellRules, values: Values) -> Values:
    """Return canonical values.

    The cell is its representative. How often the identity or the constant cell is repeated does not matter. A cell that
    is another one two or three times in a row (conv → conv, or x + 2·pool(x) + pool²(x)) is a shorter stage of it: of
    the stages that are the same and in the domain, the cheapest is kept, then the one with fewest repeats.
    """
    changed = dict(values)
    for name, variable in rules.reals.items():
        changed[name] = variable.tidy(changed[name])
    cell, repeats = _stage(rules, representative(values["cell"]), values["repeats"])
    return {**changed, "cell": list(cell), "repeats": repeats}


def _stage(rules: CellRules, cell: Cell, repeats: int) -> tuple[Cell, int]:
    if cell in (CONSTANT, IDENTITY):
        return cell, rules.repeats[0]
    root, times = root_of(cell)
    total, same = times * repeats, []
    for power, other in powers_of(root).items():
        if total % power == 0 and total // power in rules.repeats and other in rules.classes:
            same.append((total // power * cell_cost(other, 1, 1)[1], total // power, other))
    return (min(same)[2], min(same)[1]) if same else (cell, repeats)
