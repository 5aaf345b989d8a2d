"""A quantity laid over an architecture graph: one number per box, how it is written, and the scale of its colours.

Parameters and operations come from the graph itself; what the network does with data (activations, attributions,
contributions of groups) is measured elsewhere and handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from dashboard.texts import text
from dashboard.views.graph import GraphNode, GraphView
from dashboard.views.words import count, number, percent

__all__ = [
    "ACTIVITY",
    "COUNTS",
    "LayerNumbers",
    "Overlay",
    "activity_overlay",
    "contribution_overlay",
    "count_overlay",
    "gradient_overlay",
]

COUNTS = ("parameters", "operations")
ACTIVITY = ("mean_abs_activation", "share_zero", "attribution_share")
Hue = Literal["accuracy", "interpretability"]
DECADES = 100.0
"""A logarithmic scale ends at this part of its largest number; what is smaller has the colour of nothing."""


class LayerNumbers(Protocol):
    """What was measured at the output of one submodule; a number is None where it is not defined there."""

    @property
    def mean_abs_activation(self) -> float | None:
        """Mean of |activation| over rows and units."""
        ...

    @property
    def share_zero(self) -> float | None:
        """Share of activations that are zero, in [0, 1]."""
        ...

    @property
    def attribution_share(self) -> float | None:
        """Share of the attribution that passes through here, in [0, 1]."""
        ...


@dataclass(frozen=True)
class Overlay:
    """One number per box.

    Attributes:
        label: What the colour bar says.
        values: Box → number; boxes that are left out have none and stay plain.
        words: Box → the number as it is written on hover.
        low, high: Ends of the colour scale; numbers outside have the colour of the nearer end.
        logarithmic: Whether colours follow the logarithm, as counts over several orders of magnitude need.
        hue: The colour of the high end.
    """

    name: str
    label: str
    values: Mapping[str, float]
    words: Mapping[str, str]
    low: float
    high: float
    logarithmic: bool
    hue: Hue

    def position(self, box: str) -> float | None:
        """Return where the number of ``box`` lies on the scale, in [0, 1]; None where it has no number."""
        value = self.values.get(box)
        return None if value is None else self.at(value)

    def at(self, value: float) -> float:
        """Return where ``value`` lies on the scale, in [0, 1]."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        if high <= low:
            return 1.0 if value > 0 else 0.0
        return min(1.0, max(0.0, (self._scaled(value) - low) / (high - low)))

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """The two ends of the scale and its middle: position in [0, 1] and how the number is written."""
        if self.high <= self.low:
            return ((1.0, number(self.high)),)
        low, high = self._scaled(self.low), self._scaled(self.high)
        middle = (low + high) / 2
        shown = 10**middle if self.logarithmic else middle
        return ((0.0, number(self.low)), (0.5, number(shown)), (1.0, number(self.high)))

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.logarithmic and self.low > 0 else value


def count_overlay(view: GraphView, name: str) -> Overlay:
    """Return the parameters or the operations of every box (``name`` is one of :data:`COUNTS`), on a log scale."""
    values = {node.id: float(getattr(node, name)) for node in view.nodes}
    total = sum(values.values())
    words = {
        box: text("graph.share_of", value=count(int(v)), share=percent(v / total if total else 0.0))
        for box, v in values.items()
    }
    return _overlay(name, values, words, logarithmic=True, hue="accuracy")


def activity_overlay(view: GraphView, name: str, layers: Mapping[str, LayerNumbers]) -> Overlay:
    """Return what was measured at the submodules behind each box (``name`` is one of :data:`ACTIVITY`).

    A box that stands for several submodules has their mean activation and share of zeros, and the largest of their
    attributions: layers that follow one another pass on the same attribution, so it must not be added up.
    """
    values: dict[str, float] = {}
    for node in view.nodes:
        known = [getattr(layers[m], name) for m in node.modules if m in layers]
        found = [float(v) for v in known if v is not None and math.isfinite(v)]
        if found:
            values[node.id] = max(found) if name == "attribution_share" else sum(found) / len(found)
    written: Callable[[float], str] = number if name == "mean_abs_activation" else percent
    hue: Hue = "interpretability" if name == "attribution_share" else "accuracy"
    return _overlay(name, values, {box: written(v) for box, v in values.items()}, logarithmic=False, hue=hue)


def contribution_overlay(view: GraphView, contributions: Mapping[int, float], unit: str) -> Overlay:
    """Return the mean |contribution| of the group behind each box of a table's network; of several groups their sum.

    Args:
        contributions: Group index → mean of |contribution to the output|.
        unit: Unit of the output.
    """
    values: dict[str, float] = {}
    for node in view.nodes:
        groups = _groups(node)
        if groups and all(g in contributions for g in groups):
            values[node.id] = sum(contributions[g] for g in groups)
    words = {box: f"{number(v)} {unit}".strip() for box, v in values.items()}
    return _overlay("contribution", values, words, logarithmic=False, hue="interpretability")


def gradient_overlay(view: GraphView, gains: Mapping[str, float]) -> Overlay:
    """Return how much of the loss's gradient reaches each box, on a log scale; of several layers the least.

    Args:
        gains: Node of the engine's graph → the gradient there as a multiple of that at the outputs.
    """
    values = {}
    for node in view.nodes:
        known = [gains[m] for m in node.members if m in gains and math.isfinite(gains[m])]
        if known:
            values[node.id] = min(known)
    words = {box: text("graph.gradient_words", value=number(v)) for box, v in values.items()}
    made = _overlay("gradient", values, words, logarithmic=True, hue="accuracy")
    least = min((v for v in values.values() if v > 0), default=made.low)
    return replace(made, low=min(made.low, least))


def _groups(node: GraphNode) -> tuple[int, ...]:
    if node.closed:
        return node.closed
    return () if node.group is None else (node.group,)


def _overlay(
    name: str, values: Mapping[str, float], words: Mapping[str, str], *, logarithmic: bool, hue: Hue
) -> Overlay:
    known = list(values.values())
    return Overlay(
        name=name,
        label=text(f"graph.overlay_{name}"),
        values=dict(values),
        words=dict(words),
        low=max(known, default=0.0) / DECADES if logarithmic else 0.0,
        high=max(known, default=0.0),
        logarithmic=logarithmic,
        hue=hue,
    )
