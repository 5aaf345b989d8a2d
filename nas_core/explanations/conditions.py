"""What methods that look inside a network need of it, told from its layers, in words where it is not so.

Nothing is computed: a page asks for all of these every time it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict

if TYPE_CHECKING:
    from torch import nn

__all__ = ["has_kinks", "needs_gradient", "needs_layers", "needs_line"]

Candidate = TrainedCandidate | SignalCandidate

ACTIVATIONS = {
    "ReLU": "ReLU", "Sigmoid": "sigmoid", "Tanh": "tanh", "GELU": "GELU", "SiLU": "SiLU", "Softplus": "softplus",
}  # fmt: skip
# What else the families of networks are made of, in the words of a reason.
PARTS = {
    "LayerNorm": "layer normalisation",
    "Scale": "gates that multiply its maps",
    "ChannelSummary": "the largest value over channels",
    "GRU": "recurrent layers (GRU)",
    "LSTM": "recurrent layers (LSTM)",
    "Weights": "attention",
    "MaxPool2d": "max pooling",
    "Overlapping": "max pooling with windows that overlap",
    "Largest": "the largest value over steps",
    "Foreign": "an operation of its own",
}
LINEAR = frozenset(
    (
        "Linear", "ConstrainedLinear", "Conv1d", "Conv2d", "BatchNorm", "BatchNorm1d", "BatchNorm2d", "StepNorm",
        "AvgPool2d", "AdaptiveAvgPool2d", "Flatten", "Identity", "Dropout", "CounterDropout", "Add", "Concatenate",
        "Sum", "ModuleList", "ModuleDict", "Sequential",
    )
)  # fmt: skip
OWN = ("nas_core.spaces.", "torch.nn.")


def needs_gradient(candidate: Candidate, reason: str) -> Verdict:
    """Return ``reason`` where the output has a gradient with respect to what the network reads, else why not."""
    if isinstance(candidate, SignalCandidate) and candidate.signal.vocabulary:
        return Verdict(ok=False, reason="it reads word ids, and nothing can be differentiated by a word id")
    if not candidate.used:
        return Verdict(ok=True, reason="it reads no feature, so every value is 0")
    return Verdict(ok=True, reason=reason)


def needs_line(candidate: Candidate, reason: str) -> Verdict:
    """Return ``reason`` where the output changes without jumps between any two rows, else why not."""
    if isinstance(candidate, SignalCandidate) and candidate.signal.padded and not candidate.signal.vocabulary:
        return Verdict(ok=False, reason="its series are padded: from one length to another its output jumps")
    return needs_gradient(candidate, reason)


def needs_layers(candidate: Candidate, allowed: frozenset[str], rule: str, reason: str) -> Verdict:
    """Return ``reason`` where every layer is linear or among ``allowed``, else which has no ``rule`` in the method."""
    verdict = needs_gradient(candidate, reason)
    names = {**PARTS, **ACTIVATIONS}
    lacking = sorted({names.get(kind, kind) for kind in _kinds(candidate.module) if kind not in allowed | LINEAR})
    if not verdict.ok or not lacking or not candidate.used:
        return verdict
    return Verdict(ok=False, reason=f"for {', '.join(lacking)} there is no {rule}")


def has_kinks(candidate: Candidate) -> bool:
    """Return whether the slope of the output jumps somewhere: ReLU, maxima, or operations that are not known."""
    sharp = {"ReLU", "MaxPool2d", "Overlapping", "Largest", "ChannelSummary", "Foreign"}
    return any(kind in sharp for kind in _kinds(candidate.module))


def _kinds(network: nn.Module) -> Iterator[str]:
    """Yield the kind of every part of a network that computes something: names of layers, or of what they do."""
    for module in network.modules():
        kind = type(module).__name__
        if kind == "MaxPool2d":
            yield "Overlapping" if module.stride != module.kernel_size else kind
        elif kind == "Pooling":  # of the steps: all but the largest value are sums, or have layers inside
            if module.name == "max":
                yield "Largest"
        elif not type(module).__module__.startswith(OWN):
            yield "Foreign"
        elif not any(True for _ in module.children()) or kind in LINEAR:
            yield kind
