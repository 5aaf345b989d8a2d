"""The diagnosis of a network as data: what was found, how gradients fare layer by layer, which units do nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dashboard.texts import said, text
from dashboard.views.lettering import shorten
from dashboard.views.words import count, number, percent

if TYPE_CHECKING:
    from nas_core.explanations.diagnosis import Diagnosis, Flow, Histogram, LayerDiagnosis, Units

__all__ = [
    "QUANTITIES",
    "Badge",
    "BarsView",
    "DiagnosisView",
    "DotsView",
    "HistogramView",
    "TableView",
    "UnitBar",
    "diagnosis_view",
    "dots_view",
    "histogram_view",
    "table_view",
    "units_view",
]

QUANTITIES = ("gain", "relative")
SHOWN = 20
"""Layers of a figure; of more the most conspicuous ones."""
LETTERS = 34
LEAST = 1e-12
"""Numbers below are drawn at the left end of a logarithmic axis."""


@dataclass(frozen=True)
class Badge:
    """One verdict: right, wrong, or (None) not to be told; ``words`` are the numbers behind it."""

    good: bool | None
    label: str
    words: str


@dataclass(frozen=True)
class DiagnosisView:
    """The head of the tab."""

    check: Badge
    healthy: str
    summary: str
    findings: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Dots:
    """One state of the network: a number for each label, None where there is none; ``flags`` say what is wrong."""

    name: Literal["trained", "initial"]
    values: tuple[float | None, ...]
    hover: tuple[str, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class DotsView:
    """Layers from the input (top) to the output, each with a number on a logarithmic axis."""

    quantity: str
    labels: tuple[str, ...]
    series: tuple[Dots, ...]
    total: int
    words: str


@dataclass(frozen=True)
class UnitBar:
    """Shares of the units behind one activation function that do nothing."""

    label: str
    dead: float
    saturated: float
    words: str


@dataclass(frozen=True)
class BarsView:
    """Activation functions with their dead and saturated shares; those with none at all are ``sound``."""

    bars: tuple[UnitBar, ...]
    sound: int
    total: int
    words: str


@dataclass(frozen=True)
class HistogramView:
    """One histogram, and what lies outside in words."""

    quantity: Literal["weights", "activations"]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    outside: str
    words: str


@dataclass(frozen=True)
class TableView:
    """All layers: column → values, one per layer; None where there is no number."""

    columns: dict[str, list[Any]]


def diagnosis_view(found: Diagnosis) -> DiagnosisView:
    """Return the verdict on the gradients, the findings, and what could not be looked at."""
    loss = text("diagnosis.loss", rows=count(found.rows), loss=number(found.loss))
    if found.initial_loss is not None:
        loss = text("diagnosis.loss_both", rows=count(found.rows), loss=number(found.loss),
                    initial=number(found.initial_loss))  # fmt: skip
    summary = f"{loss} {text('diagnosis.seen', rows=count(found.seen), layers=count(len(found.layers)))}"
    return DiagnosisView(
        _badge(found), _healthy(found), summary,
        tuple((f.severity, said(f.words), said(f.advice)) for f in found.findings), tuple(map(said, found.notes)),
    )  # fmt: skip


def _healthy(found: Diagnosis) -> str:
    if not found.healthy:
        return ""
    return text("diagnosis.healthy_but" if found.findings else "diagnosis.healthy")


def _badge(found: Diagnosis) -> Badge:
    check = found.check
    key = {True: "right", False: "wrong", None: "unknown"}[check.ok]
    if check.error is None:
        return Badge(None, text("diagnosis.check_unknown"), said(check.reason))
    words = text("diagnosis.check_words", parameters=check.parameters, inputs=check.inputs, rows=check.rows,
                 error=f"{check.error:.1g}", tolerance=f"{check.tolerance:g}")  # fmt: skip
    if check.skipped:
        words += " " + text("diagnosis.check_skipped", count=check.skipped)
    return Badge(check.ok, text(f"diagnosis.check_{key}"), words)


def dots_view(found: Diagnosis, quantity: str) -> DotsView:
    """Return how much of the loss's gradient reaches each layer (``quantity`` is one of :data:`QUANTITIES`)."""

    def there(layer: LayerDiagnosis) -> bool:
        """A readout passes on what the outputs get as it is, which says nothing."""
        hidden = quantity != "gain" or not (layer is found.layers[-1] or layer.name.endswith(".read"))
        return hidden and _of(layer.trained, quantity) is not None

    layers = _chosen(found, there)
    states: tuple[Literal["trained", "initial"], ...] = ("trained", "initial")
    flows = {name: [getattr(x, name) for x in layers] for name in states}
    series = tuple(
        Dots(
            name,
            tuple(_of(f, quantity) for f in flows[name]),
            tuple(_hover(x, f, name) for x, f in zip(layers, flows[name])),
            tuple("" if f is None else f.trend for f in flows[name]),
        )
        for name in states
        if any(f is not None and _of(f, quantity) is not None for f in flows[name])
    )
    labels = tuple(shorten(x.label, LETTERS) for x in layers)
    total = sum(there(x) for x in found.layers)
    known = [(v, label) for v, label in zip(series[0].values, labels) if v is not None] if series else []
    words = text(f"diagnosis.{quantity}_title")
    if known:
        low, high = min(known), max(known)
        words = text("diagnosis.dots_words", title=words, low=number(low[0]), lowest=low[1], high=number(high[0]),
                     highest=high[1])  # fmt: skip
    return DotsView(quantity, labels, series, total, words)


def units_view(found: Diagnosis) -> BarsView:
    """Return the activation functions that have dead or saturated units, the worst of many."""
    every = [(x, u) for x in found.layers for u in x.units if u.dead is not None and u.function != "output"]
    some = [(x, u) for x, u in every if u.dead or u.saturated]
    worst = sorted(some, key=lambda p: -_idle(p[1]))[:SHOWN]
    bars = tuple(_bar(x, u) for x, u in some if any(u is w for _, w in worst))
    total, idle = sum(u.count for _, u in every), sum((u.dead or 0) + (u.saturated or 0) for _, u in every)
    words = text("diagnosis.units_words", idle=count(idle), total=count(total))
    return BarsView(bars, len(every) - len(some), len(every), words)


def histogram_view(layer: LayerDiagnosis, quantity: Literal["weights", "activations"]) -> HistogramView | None:
    """Return the histogram of a layer's weights or activations; None where there are none."""
    found: Histogram | None = getattr(layer, quantity)
    if found is None:
        return None
    outside = ""
    if found.below or found.above:
        outside = text("diagnosis.outside", below=count(found.below), above=count(found.above),
                       total=count(found.total))  # fmt: skip
    words = text(f"diagnosis.{quantity}_words", layer=layer.label, total=count(found.total),
                 low=number(found.edges[0]), high=number(found.edges[-1]))  # fmt: skip
    return HistogramView(quantity, found.edges, found.counts, outside, words)


def table_view(found: Diagnosis) -> TableView:
    """Return one line per layer."""
    layers = found.layers
    units = [[u for u in x.units if u.dead is not None] for x in layers]
    return TableView(
        {
            "layer": [x.label for x in layers],
            "parameters": [x.parameters for x in layers],
            "norm": [_finite(x.weight_norm) if x.parameters else None for x in layers],
            "zeros": [x.zero_share for x in layers],
            "gain": [_of(x.trained, "gain") for x in layers],
            "initial": [_of(x.initial, "gain") for x in layers],
            "relative": [_of(x.trained, "relative") for x in layers],
            "dead": [", ".join(f"{u.dead} / {u.count}" for u in of) for of in units],
            "saturated": [
                ", ".join(f"{u.saturated} / {u.count}" for u in of if u.saturated is not None) for of in units
            ],
        }
    )


def _chosen(found: Diagnosis, there: Any) -> list[LayerDiagnosis]:
    """Return the layers to draw, in their order: all of few, the most conspicuous of many."""
    layers = [x for x in found.layers if there(x)]
    if len(layers) <= SHOWN:
        return layers
    kept = sorted(range(len(layers)), key=lambda at: _plain(layers[at]))[:SHOWN]
    return [layers[at] for at in sorted(kept)]


def _plain(layer: LayerDiagnosis) -> tuple[bool, bool, float]:
    """Return a key that is small for a conspicuous layer: a trend, then a gain far from 1."""
    trained, initial = layer.trained, layer.initial
    gain = _of(trained, "gain")
    far = 99.0 if not gain else abs(math.log(gain))
    return not (trained and trained.trend), not (initial and initial.trend), -far


def _of(flow: Flow | None, quantity: str) -> float | None:
    value = None if flow is None else getattr(flow, quantity)
    return None if value is None else _finite(float(value))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _hover(layer: LayerDiagnosis, flow: Flow | None, name: str) -> str:
    if flow is None:
        return ""
    parts = [f"<b>{layer.label}</b>", text(f"diagnosis.{name}")]
    if (gain := _of(flow, "gain")) is not None:
        parts.append(text("diagnosis.hover_gain", value=number(gain)))
    if (relative := _of(flow, "relative")) is not None:
        parts.append(text("diagnosis.hover_relative", value=number(relative), norm=number(flow.weights)))
    if flow.trend:
        parts.append(text(f"diagnosis.trend_{flow.trend}"))
    return "<br>".join(parts)


def _idle(units: Units) -> float:
    return ((units.dead or 0) + (units.saturated or 0)) / max(1, units.count)


def _bar(layer: LayerDiagnosis, units: Units) -> UnitBar:
    dead, saturated = (units.dead or 0) / units.count, (units.saturated or 0) / units.count
    label = f"{shorten(layer.label, LETTERS)} · {units.function}"
    words = text("diagnosis.bar_words", layer=layer.label, function=units.function, dead=units.dead,
                 saturated=units.saturated or 0, count=units.count, what=units.what,
                 share=percent(dead + saturated))  # fmt: skip
    return UnitBar(label, dead, saturated, words)
