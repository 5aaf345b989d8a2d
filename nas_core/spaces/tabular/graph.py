"""The picture of a feature-group network as data: a networkx graph from the features to the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.spaces.tabular.rules import Rules
from nas_core.spaces.tabular.structure import GroupCost, group_cost

if TYPE_CHECKING:
    import networkx

__all__ = ["network_graph"]

Values = dict[str, Any]

_ARROWS = {1: " ↑", -1: " ↓"}


def network_graph(rules: Rules, values: Values) -> networkx.DiGraph:
    """Return the network of canonical ``values``; parameters and operations over the nodes sum to the facts."""
    import networkx as nx

    picture = nx.DiGraph(family="tabular", encoding=values["encoding"])
    everything = tuple(sorted(j for g in values["groups"] for j in g["features"]))
    output = _node(picture, "output", "output", "Sum", (rules.outputs,), rules.outputs, 0, -1, everything)
    for index, group in enumerate(values["groups"]):
        inputs = [_input(picture, rules, values, index, j) for j in group["features"]]
        last = (_linear_group if group["linear"] else _hidden_group)(picture, rules, values, index, inputs)
        picture.add_edge(last, output, skip=False)
    return picture


def _node(
    picture: networkx.DiGraph, name: str, kind: str, label: str, shape: tuple[int, ...],
    parameters: int, operations: int, group: int, features: tuple[int, ...],
) -> str:  # fmt: skip
    picture.add_node(
        name, kind=kind, label=label, shape=shape, parameters=parameters, operations=operations, group=group,
        features=features,
    )  # fmt: skip
    return name


def _input(picture: networkx.DiGraph, rules: Rules, values: Values, group: int, j: int) -> str:
    columns = rules.columns[values["encoding"]][j]
    arrow = _ARROWS.get(values["marks"].get(str(j), 0), "")
    return _node(picture, f"feature{j}", "input", rules.names[j] + arrow, (columns,), 0, 0, group, (j,))


def _linear_group(picture: networkx.DiGraph, rules: Rules, values: Values, index: int, inputs: list[str]) -> str:
    features = tuple(values["groups"][index]["features"])
    weights = rules.outputs * sum(rules.columns[values["encoding"]][j] for j in features)
    label = "Linear" if weights == rules.outputs else f"Linear on {weights // rules.outputs} columns"
    name = _node(picture, f"group{index}.read", "readout", label, (rules.outputs,), weights, weights, index, features)
    picture.add_edges_from(((source, name) for source in inputs), skip=False)
    return name


def _hidden_group(picture: networkx.DiGraph, rules: Rules, values: Values, index: int, inputs: list[str]) -> str:
    """Add input → (linear → norm → activation → dropout → sum) per layer → readout, with the skip edges."""
    features = tuple(values["groups"][index]["features"])
    d = sum(rules.columns[values["encoding"]][j] for j in features)
    cost = group_cost(
        d, rules.outputs, values["width"], values["depth"], values["activation"], values["connections"],
        values["normalisation"],
    )  # fmt: skip
    sources, layers = inputs, []
    for layer in range(values["depth"]):
        sources = [_layer(picture, values, cost, index, layer, features, sources, d)]
        layers.append(sources[0])
    weights, operations = cost.readout
    read = _node(
        picture, f"group{index}.read", "readout", "Readout", (rules.outputs,), weights, operations, index, features
    )
    picture.add_edge(layers[-1], read, skip=False)
    if values["connections"] == "dense":
        picture.add_edges_from(((source, read) for source in [*inputs, *layers[:-1]]), skip=True)
    return read


def _layer(
    picture: networkx.DiGraph, values: Values, cost: GroupCost, index: int, layer: int, features: tuple[int, ...],
    sources: list[str], d: int,
) -> str:  # fmt: skip
    """Add one hidden layer after ``sources`` and return its last node."""
    width, before = values["width"], list(sources)
    labels = {
        "linear": f"{'Sparse' if values['connections'] == 'sparse' and layer else 'Dense'} "
        f"{d if layer == 0 else width} → {width}",
        "norm": {"batch": "Batch norm", "layer": "Layer norm"}.get(values["normalisation"], ""),
        "activation": values["activation"],
        "dropout": f"Dropout {values['dropout']:g}",
        "add": "Add",
    }
    parts = dict(cost.layers[layer])
    order: list[str] = [k for k in ("linear", "norm", "activation") if k in parts]
    order += ["dropout"] if values["dropout"] else []
    order += ["add"] if "add" in parts else []
    for kind in order:
        parameters, operations = parts.get(kind, (0, 0))
        name = f"group{index}.layer{layer + 1}.{kind}"
        _node(picture, name, kind, labels[kind], (width,), parameters, operations, index, features)
        picture.add_edges_from(((source, name) for source in sources), skip=False)
        if kind == "add":
            picture.add_edges_from(((source, name) for source in before), skip=True)
        sources = [name]
    return sources[0]
