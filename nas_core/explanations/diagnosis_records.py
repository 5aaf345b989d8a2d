"""What a diagnosis consists of, as frozen data. Letters: N rows, B bins; a unit is a hidden unit, a map or a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Diagnosis", "Finding", "Flow", "GradientCheck", "Histogram", "LayerDiagnosis", "Severity", "Units"]

Severity = Literal["serious", "warning", "note"]
Trend = Literal["", "vanishing", "exploding", "none"]


@dataclass(frozen=True)
class Histogram:
    """How some numbers are distributed.

    Attributes:
        edges: (B + 1,) borders of the bins, ascending; they span all but the rarest values on either side.
        counts: (B,) numbers in each bin.
        below, above: Numbers outside the borders.
        total: All numbers, those outside included.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int
    above: int
    total: int


@dataclass(frozen=True)
class GradientCheck:
    """Gradients by automatic differentiation beside finite differences of the same network.

    Attributes:
        parameters, inputs: Weights and input numbers at which both were compared.
        skipped: Further ones at which the slopes to the two sides differ: there is a kink, and no gradient to compare.
        error: Largest relative difference; None where nothing could be compared.
        tolerance: What rounding and the step explain.
        worst: Where the largest difference is.
        rows: Rows the network was run on.
        reason: What could not be compared, and why; empty when everything could.
    """

    parameters: int
    inputs: int
    skipped: int
    error: float | None
    tolerance: float
    worst: str
    rows: int
    reason: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether they agree; None where nothing could be compared."""
        return None if self.error is None else self.error <= self.tolerance


@dataclass(frozen=True)
class Flow:
    """What the training loss sends back to one layer, with one set of weights.

    Attributes:
        gradient: Norm of the gradient of the mean loss with respect to the layer's weights; None without weights.
        weights: Norm of these weights.
        signal: Norm of the loss's gradient with respect to what the layer puts out, root mean square over the rows.
        gain: ``signal`` as a multiple of the same at the network's outputs; None where that is 0.
        trend: Whether the signal vanishes or explodes on its way here, compared with the layers it came through.
        ratio: The comparison behind ``trend``: signal here over that of those layers (the largest of them for a
            vanishing one, the smallest for an exploding one); None where nothing comes between.
    """

    gradient: float | None
    weights: float | None
    signal: float
    gain: float | None
    trend: Trend = ""
    ratio: float | None = None

    @property
    def relative(self) -> float | None:
        """The gradient of the weights over their norm; None where either is missing or the weights are all 0."""
        return self.gradient / self.weights if self.gradient is not None and self.weights else None


@dataclass(frozen=True)
class Units:
    """What the units behind one activation function do on the rows.

    Attributes:
        function: What they compute: "relu", "tanh", "forget gate", "attention", "output" …
        what: What they are called, in the plural: "units", "maps", "gates", "heads".
        count: How many.
        dead: Those that are the same on every row (of ReLU: zero on every row); None where the rows cannot tell.
        saturated: Those whose slope is below a thousandth of the steepest on at least 95 % of the rows, dead ones left
            out; None where the function has no flat end.
        dead_at, saturated_at: Their positions, ascending.
        reason: Why there is no number.
    """

    function: str
    what: str
    count: int
    dead: int | None
    saturated: int | None
    dead_at: tuple[int, ...] = ()
    saturated_at: tuple[int, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class LayerDiagnosis:
    """One layer of the network.

    Attributes:
        name: Its name in the architecture graph, or the part its boxes there share.
        label: The same in words.
        nodes: The boxes of the architecture graph it stands for.
        parameters: Trainable numbers in it.
        trained, initial: What comes back to it at the trained weights, and at the initial ones.
        units: Its activation functions.
        weights, activations: Their distributions; None where there are none.
        weight_norm: Norm of its weights.
        connections: Weights that multiply what comes in; biases, scales and shifts, and connections that the
            architecture itself leaves out, are none.
        zeros: Connections that are practically zero, |w| < 1e-6.
    """

    name: str
    label: str
    nodes: tuple[str, ...]
    parameters: int
    trained: Flow | None
    initial: Flow | None
    units: tuple[Units, ...]
    weights: Histogram | None
    activations: Histogram | None
    weight_norm: float
    connections: int
    zeros: int

    @property
    def zero_share(self) -> float | None:
        """Share of its connections that are practically zero; None without any."""
        return self.zeros / self.connections if self.connections else None


@dataclass(frozen=True)
class Finding:
    """Something that was found, in words, and what to do about it."""

    severity: Severity
    kind: str
    words: str
    advice: str
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What was found inside a trained network.

    Attributes:
        layers: From the input to the output; of a table group by group.
        check: Whether its gradients are right.
        findings: The most serious first; empty when nothing is wrong.
        rows: Training rows behind the gradients.
        seen: Rows behind units and activations.
        loss, initial_loss: Mean training loss on those rows, trained and at initialisation.
        notes: What could not be looked at, and why.
    """

    layers: tuple[LayerDiagnosis, ...]
    check: GradientCheck
    findings: tuple[Finding, ...]
    rows: int
    seen: int
    loss: float
    initial_loss: float | None
    notes: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing worse than a note was found."""
        return all(finding.severity == "note" for finding in self.findings)

    def layer(self, name: str) -> LayerDiagnosis:
        """Return the layer of that name; KeyError when there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)
