"""Ready-made cell spaces for a problem."""

from __future__ import annotations

from typing import Any

from nas_core.data.signal import Signal
from nas_core.spaces.cell.edges import CellEdges
from nas_core.spaces.cell.rules import CellConstraints, room_for
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer
from nas_core.spaces.space import SearchSpace, SpaceFeature

__all__ = ["PRESETS", "cell_space", "declare"]

PRESETS = {
    "balanced": "The cells of NAS-Bench-201 in a skeleton for a laptop: one or two in a stage, 8 to 32 maps at first.",
    "small": "One cell in a stage, 8 or 16 maps at first: a candidate trains in seconds on small images.",
    "nas_bench_201": "All 15,625 cells of NAS-Bench-201 in its skeleton: three stages of five cells, 16 maps at first.",
}

_WIDTHS: dict[str, tuple[int, ...]] = {"balanced": (8, 16, 32), "small": (8, 16), "nas_bench_201": (16,)}
_REPEATS = {"balanced": (1, 2), "small": (1, 1), "nas_bench_201": (5, 5)}


def declare(problem: Any, preset: str) -> SearchSpace:
    """Return the space of ``preset`` for ``problem``, which offers ``dataset`` and ``C``."""
    return cell_space(problem.dataset.signal, int(problem.C), preset)


def cell_space(signal: Signal, outputs: int, preset: str = "balanced") -> SearchSpace:
    """Return the space of ``preset`` over the patches of ``signal`` with C = ``outputs``.

    Small images have room for fewer than three stages.
    """
    room = max(1, min(3, room_for(signal.place)))
    low, high = _REPEATS[preset]
    return SearchSpace(
        family="cell",
        features=tuple(SpaceFeature(name=name, kind="numeric") for name in signal.feature_names),
        signal=signal.model_copy(update={"words": ()}),
        outputs=outputs,
        variables=(
            CellEdges(name="cell", label="Cell"),
            Integer(name="stages", label="Stages", low=room if preset == "nas_bench_201" else 1, high=room),
            Integer(name="repeats", label="Cells per stage", low=low, high=high),
            Categorical(name="width", label="Maps of the first stage", choices=_WIDTHS[preset], ordered=True),
            Categorical(name="optimiser", label="Optimiser", choices=("sgd", "adam", "adamw", "adagrad")),
            Real(name="learning_rate", label="Learning rate", low=1e-3, high=0.05, log=True),
            Real(name="weight_decay", label="Weight decay", low=1e-6, high=0.01, log=True, zero=0.3),
        ),
        constraints=CellConstraints(allow_constant=preset == "nas_bench_201"),
    )
