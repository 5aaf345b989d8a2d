"""The one form of a sequence architecture: isomorphic networks get equal values, hence one identity."""

from __future__ import annotations

from typing import Any

from nas_core.spaces.sequence.plan import keeps_width
from nas_core.spaces.sequence.rules import SequenceRules

__all__ = ["canonical", "forced", "tidy_layers"]

Values = dict[str, Any]

_KEYS = {"conv": ("kind", "width", "kernel", "dilation"), "attention": ("kind", "width", "heads")}


def canonical(rules: SequenceRules, values: Values) -> Values:
    """Return canonical values: layers without what their kind does not have, and :func:`forced` variables fixed."""
    changed = {**values, "layers": tidy_layers(values["layers"])}
    for name, variable in rules.reals.items():
        changed[name] = variable.tidy(changed[name])
    changed.update(forced(rules, changed))
    return changed


def tidy_layers(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return fresh layers that hold what their kind has; a convolution over one step has no dilation."""
    tidied = []
    for layer in layers:
        kept = {name: layer[name] for name in _KEYS.get(layer["kind"], ("kind", "width", "both"))}
        if kept.get("kernel") == 1:
            kept["dilation"] = 1
        tidied.append(kept)
    return tidied


def forced(rules: SequenceRules, values: Values) -> Values:
    """Return the variables that mean nothing for these values, with the value they are given.

    Everything about layers without one; the activation without a convolution; residual sums where no layer keeps the
    number of channels; the pooling of a single step. The result need not be in the domain of the variable.
    """
    layers = values["layers"]
    found: Values = {}
    if not any(layer["kind"] == "conv" for layer in layers):
        found["activation"] = "identity"
    if not any(keeps_width(rules, layers, values.get("embedding", 0))):
        found["connections"] = "plain"
    if not layers:
        found.update(normalisation="none", dropout=0.0)
    if rules.length == 1:
        found["pooling"] = "mean"
    return found
