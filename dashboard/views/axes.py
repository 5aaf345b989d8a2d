"""Everything that candidates of a run can be compared by, as axes: choices, objectives, measures, costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.texts import text
from dashboard.views.card import measure_label

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot
    from nas_core.spaces import SearchSpace

__all__ = ["Axis", "Variable", "axes_view", "code_of", "variables_of"]

SCALARS = ("categorical", "integer", "real", "flag")
"""Kinds of variables whose value is one number or one word."""
WIDE = 30.0
"""A positive quantity whose largest value is so many times its smallest is shown on a logarithmic scale."""


@dataclass(frozen=True)
class Variable:
    """A scalar choice of a space: its name, what a person calls it, its options where it is no number."""

    name: str
    label: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Axis:
    """One quantity over n candidates.

    Attributes:
        name: What it is called in code: "performance", a measure, "choice:depth" …
        label: What a person reads.
        kind: "objective", "measure", "cost" or "choice".
        values: (n,), NaN where a candidate has none; of words the position among ``options``.
        options: The words, of a choice that is no number.
        better: 1 where more is better, −1 where less is, 0 where neither.
        log: Whether a logarithmic scale shows it better.
    """

    name: str
    label: str
    kind: str
    values: np.ndarray
    options: tuple[str, ...] = ()
    better: int = 0
    log: bool = False

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest value, (0, 1) where there is none."""
        known = self.values[~np.isnan(self.values)]
        return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def variables_of(spaces: Iterable[SearchSpace]) -> tuple[Variable, ...]:
    """Return the scalar choices of versions of a space, with every option that one of them had."""
    labels: dict[str, str] = {}
    options: dict[str, dict[str, None]] = {}
    for space in spaces:
        for variable in space.variables:
            declared: Any = variable
            if declared.kind in SCALARS:
                labels.setdefault(variable.name, declared.label or variable.name.replace("_", " "))
                words = declared.choices if declared.kind == "categorical" else ()
                numeric = all(isinstance(option, int | float) for option in words)
                options.setdefault(variable.name, {}).update({} if numeric else {str(w): None for w in words})
    return tuple(Variable(name, label, tuple(options[name])) for name, label in labels.items())


def code_of(variable: Variable, value: Any) -> float:
    """Return a value as a number: itself, or its position among the options; NaN where there is none."""
    if value is None:
        return float("nan")
    if variable.options:
        return float(variable.options.index(str(value))) if str(value) in variable.options else float("nan")
    return float(value) if isinstance(value, int | float) else float("nan")


def axes_view(
    snapshot: Snapshot, ranked: Ranking, variables: Sequence[tuple[Variable, np.ndarray]]
) -> tuple[Axis, ...]:
    """Return the axes of a run: objectives, measures, costs, then the choices that were made differently."""
    objective = snapshot.objective
    found = [
        Axis("performance", objective.label, "objective", snapshot.performance, better=1 if objective.maximise else -1),
        Axis("interpretability", text("run.interpretability"), "objective", ranked.interpretability, better=1),
    ]
    scores = zip(snapshot.names, snapshot.measures.T)
    found += [Axis(name, measure_label(name), "measure", values, better=1) for name, values in scores]
    for name in ("parameters", "operations", "seconds"):
        values = np.where(snapshot.columns[name] > 0, snapshot.columns[name], np.nan)
        found.append(Axis(name, text(f"axes.{name}"), "cost", values, better=-1, log=_wide(values)))
    for variable, values in variables:
        if len(np.unique(values[~np.isnan(values)])) > 1:
            log = not variable.options and _wide(values)
            found.append(Axis(f"choice:{variable.name}", variable.label, "choice", values, variable.options, log=log))
    return tuple(found)


def _wide(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known) and known.min() > 0 and known.max() >= WIDE * known.min())
