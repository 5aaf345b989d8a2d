"""Landmarks: cells that mark the corners of the space, the cheapest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.spaces.cell.operators import fit
from nas_core.spaces.cell.rules import rules_of
from nas_core.spaces.cell.topology import EDGES
from nas_core.spaces.variables import Context

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["landmarks"]

Values = dict[str, Any]

_LETTERS = {".": "none", "s": "skip_connect", "1": "nor_conv_1x1", "3": "nor_conv_3x3", "p": "avg_pool_3x3"}

# 0→1, 0→2, 1→2, 0→3, 1→3, 2→3
_CELLS = {
    "stem and reductions alone": "...s..",
    "average pooling": "...p..",
    "one 1×1 convolution": "...1..",
    "one 3×3 convolution": "...3..",
    "residual 3×3 convolution": ".3.s.s",
    "two 3×3 convolutions around a skip": "3..s3.",
    "3×3 convolution beside pooling": "3..ps.",
    "chain of three 3×3 convolutions": "3.3..3",
    "densely connected 3×3 convolutions": "3s3s33",
    "every edge a 3×3 convolution": "333333",
}

_PREFERRED: Values = {"optimiser": ("adamw", "adam"), "learning_rate": (0.01,), "weight_decay": (0.01, 1e-4, 0.0)}


def landmarks(space: SearchSpace) -> list[tuple[str, Values]]:
    """Return the named landmarks, without those another one already is."""
    found: list[tuple[str, Values]] = []
    known = space.by_name
    stages, repeats, widths = known["stages"], known["repeats"], known["width"]
    sizes = [  # the smallest skeleton and the largest
        {"stages": stages.low, "repeats": repeats.low, "width": widths.choices[0]},  # type: ignore[attr-defined]
        {"stages": stages.high, "repeats": repeats.high, "width": widths.choices[-1]},  # type: ignore[attr-defined]
    ]
    context = Context(space)
    for name, letters in _CELLS.items():
        for size, where in zip(sizes, ("", ", large")):
            values: Values = {"cell": [_LETTERS[x] for x in letters], **size}
            for other, wishes in _PREFERRED.items():
                fitting = [w for w in wishes if known[other].validate_value(w, context) is None]
                values[other] = fitting[0] if fitting else known[other].sample(np.random.default_rng(0), context)
            if known["cell"].validate_value(values["cell"], context) is None and len(letters) == len(EDGES):
                fitted = fit(rules_of(space), values, context, np.random.default_rng(0))
                if all(fitted != seen for _, seen in found):
                    found.append((name + where, fitted))
    return found
