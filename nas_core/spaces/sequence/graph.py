"""The picture of a sequence network as data: a networkx graph from the steps to the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.spaces.sequence.plan import Part, layer_label, plan_of
from nas_core.spaces.sequence.rules import SequenceRules
from nas_core.spaces.sequence.structure import used_cells

if TYPE_CHECKING:
    import networkx

__all__ = ["network_graph"]

Values = dict[str, Any]


def network_graph(rules: SequenceRules, values: Values) -> networkx.DiGraph:
    """Return the network of canonical ``values``; every layer is a group, so that it can be drawn as one."""
    import networkx as nx

    plan, layers = plan_of(rules, values), values["layers"]
    labels = {i: f"Layer {i + 1}: {layer_label(layer)}" for i, layer in enumerate(layers)}
    picture = nx.DiGraph(family="sequence", groups=labels)
    everything, read = tuple(range(rules.P)), used_cells(rules, values)
    what, shape = ("Words", (rules.length,)) if rules.vocabulary else ("Series", (rules.channels, rules.length))
    last = _add(picture, Part("input", "input", what, shape, 0, 0, ""), everything)
    for part in plan.before:
        last = _after(picture, part, last, everything)
    for parts in plan.layers:
        before = last
        for part in parts:
            last = _after(picture, part, last, everything)
            if part.kind == "add":
                picture.add_edge(before, last, skip=True)
    for part in plan.head:
        last = _after(picture, part, last, read)
    _after(picture, Part("output", "output", "Output", (rules.outputs,), 0, 0, ""), last, read)
    return picture


def _add(picture: networkx.DiGraph, part: Part, features: tuple[int, ...]) -> str:
    picture.add_node(
        part.name, kind=part.kind, label=part.label, shape=part.shape, parameters=part.parameters,
        operations=part.operations, group=part.layer, features=features, module=part.module,
    )  # fmt: skip
    return part.name


def _after(picture: networkx.DiGraph, part: Part, source: str, features: tuple[int, ...]) -> str:
    picture.add_edge(source, _add(picture, part, features), skip=False)
    return part.name
