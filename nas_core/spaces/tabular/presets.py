"""Ready-made tabular spaces for a problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer
from nas_core.spaces.space import SearchSpace, SpaceFeature
from nas_core.spaces.tabular.groups import FeatureGroups
from nas_core.spaces.tabular.marks import MonotoneMarks
from nas_core.spaces.tabular.rules import TabularConstraints
from nas_core.spaces.variables import Variable

__all__ = ["ENCODINGS", "PRESETS", "declare", "preset_space"]

PRESETS = {
    "transparent": "Additive networks of at most ten features: every effect can be drawn as a curve.",
    "balanced": "From a single linear feature to a network that mixes all of them, at most three hidden layers.",
    "accurate": "Everything the family offers, up to four hidden layers of 64 units.",
}

ENCODINGS = ("standardised", "quantile", "piecewise", "periodic")

_ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")


def declare(problem: Any, preset: str) -> SearchSpace:
    """Return the space of ``preset`` for ``problem``, which offers ``dataset``, ``encoder`` and ``C``."""
    return preset_space(_features(problem), int(problem.C), preset)


def preset_space(features: tuple[SpaceFeature, ...], outputs: int, preset: str) -> SearchSpace:
    """Return the space of ``preset`` over ``features`` with C = ``outputs``."""
    limits = TabularConstraints()
    if preset == "transparent":
        limits = TabularConstraints(max_features=min(10, len(features)), max_group_size=1)
    return SearchSpace(
        family="tabular", features=features, outputs=outputs, variables=_variables(preset), constraints=limits
    )


def _variables(preset: str) -> tuple[Variable, ...]:
    widths: dict[str, tuple[int, ...]] = {"transparent": (2, 4, 8, 16), "balanced": (4, 8, 16, 32)}
    depths = {"transparent": 2, "balanced": 3}
    encodings = ENCODINGS[:3] if preset == "transparent" else ENCODINGS
    smooth = tuple(a for a in _ACTIVATIONS if preset != "transparent" or a not in ("gelu", "silu"))
    connections = ("full", "dense") if preset == "transparent" else ("full", "sparse", "residual", "dense")
    norms = ("none", "batch") if preset == "transparent" else ("none", "batch", "layer")
    return (
        FeatureGroups(name="groups", label="Features and groups"),
        MonotoneMarks(name="marks", label="Monotone features"),
        Integer(name="depth", label="Hidden layers", low=0, high=depths.get(preset, 4)),
        Categorical(
            name="width", label="Units per layer", choices=widths.get(preset, (2, 4, 8, 16, 32, 64)), ordered=True
        ),
        Categorical(name="activation", label="Activation", choices=smooth),
        Categorical(name="connections", label="Connections", choices=connections),
        Categorical(name="normalisation", label="Normalisation", choices=norms),
        Real(name="dropout", label="Dropout", low=0.0, high=0.5, step=0.01, zero=0.5),
        Categorical(name="encoding", label="Numeric encoding", choices=encodings),
        Categorical(name="optimiser", label="Optimiser", choices=("sgd", "adam", "adamw", "adagrad")),
        Real(name="learning_rate", label="Learning rate", low=1e-3, high=0.1, log=True),
        Real(name="weight_decay", label="Weight decay", low=1e-6, high=0.01, log=True, zero=0.3),
    )


def _features(problem: Any) -> tuple[SpaceFeature, ...]:
    encoder = problem.encoder
    monotone = np.asarray(encoder.monotone)
    features = []
    for j, spec in enumerate(problem.dataset.features):
        columns = {e: np.asarray(encoder.columns(e, j)) for e in ENCODINGS}
        features.append(
            SpaceFeature(
                name=spec.name,
                kind=spec.kind,
                levels=len(spec.levels),
                columns={e: len(c) for e, c in columns.items()},
                monotone_columns={e: int(monotone[c].sum()) for e, c in columns.items()},
            )
        )
    return tuple(features)
