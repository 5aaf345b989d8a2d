"""Counting: how many cell architectures there are, exactly where no budget limits them."""

from __future__ import annotations

import math

from nas_core.spaces.cell.canonical import canonical
from nas_core.spaces.cell.rules import CellRules
from nas_core.spaces.cell.topology import CONSTANT
from nas_core.spaces.family import SpaceSize
from nas_core.spaces.variables import Context

__all__ = ["space_size"]


def space_size(rules: CellRules, context: Context) -> SpaceSize:
    """Return the size of a cell space: exact without limits on convolutions, parameters, operations and pixels."""
    space, limits = context.space, rules.limits
    rest = {name: variable.low for name, variable in rules.reals.items()}
    cells = rules.classes - (frozenset() if limits.allow_constant else {CONSTANT})
    stages = set()
    for cell in cells:
        for repeats in rules.repeats:
            values = canonical(rules, {**rest, "cell": list(cell), "repeats": repeats})
            stages.add((*values["cell"], values["repeats"]))
    others = ("stages", "width", "optimiser", "learning_rate", "weight_decay")
    count = len(stages) * math.prod(space.by_name[n].count(context) for n in others)
    budgets = {n: v for n, v in limits.model_dump().items() if n != "allow_constant"}
    exact = all(v is None for v in budgets.values())
    log10 = math.log10(count) if count else -math.inf
    number = f"{count:,}" if count < 10**9 else f"{10 ** (log10 % 1):.2g} × 10^{math.floor(log10)}"
    prefix = "at most " if not exact else "about " if count >= 10**9 else ""
    return SpaceSize(log10, exact, f"{prefix}{number} architectures")
