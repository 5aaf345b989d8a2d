"""The layers of a trained network as a diagnosis sees them: named as in the architecture graph, found in the module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate
from nas_core.explanations.signal_candidate import SignalCandidate

if TYPE_CHECKING:
    import networkx
    from torch import nn

__all__ = ["Layer", "is_site", "layers_of"]

SHOWN = 3
"""Features of a group that are named."""


@dataclass(frozen=True)
class Layer:
    """Where one layer lies.

    Attributes:
        name, label, nodes: As in :class:`~nas_core.explanations.diagnosis_records.LayerDiagnosis`.
        parameters: Names of its parameters in the module.
        sites: Names of its submodules that are activation functions, or hold some: gates, attention.
        station: Name of the submodule whose output is what the layer puts out, before its activation function; "" is
            the network itself.
        later: Names of the layers between here and the output.
    """

    name: str
    label: str
    nodes: tuple[str, ...]
    parameters: tuple[str, ...]
    sites: tuple[str, ...]
    station: str
    later: frozenset[str]


def layers_of(candidate: TrainedCandidate | SignalCandidate) -> list[Layer]:
    """Return the layers that have weights or activation functions, from the input to the output.

    A layer of a table's network is a dense layer with its normalisation and activation; of a sequence network likewise;
    of an image or cell network it is one box of the graph. A network that is not the one its architecture describes is
    taken apart by its modules.
    """
    if isinstance(candidate, TrainedCandidate):
        return _of_table(candidate)
    from nas_core.spaces.family import graph

    picture = graph(candidate.space, candidate.architecture)
    named = {str(data["module"]) for _, data in picture.nodes(data=True) if data.get("module")}
    present = {name for name, _ in candidate.module.named_modules()}
    return _of_graph(candidate.module, picture) if named <= present else _of_modules(candidate.module)


def is_site(module: nn.Module) -> bool:
    """Return whether ``module`` is an activation function, a recurrent layer (it has gates) or a softmax."""
    from torch import nn

    from nas_core.spaces.sequence.blocks import Weights

    functions = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.Softplus)
    return isinstance(module, (*functions, nn.GRU, nn.LSTM, Weights))


def _of_table(candidate: TrainedCandidate) -> list[Layer]:
    names, layers, module = candidate.problem.feature_names, [], candidate.module
    only, homes = len(candidate.groups) == 1, _parameters_by_home(module)
    for group in candidate.groups:
        depth = 0 if group.linear else int(candidate.architecture.values["depth"])
        path, box = f"groups.{group.index}.", f"group{group.index}."
        words = _group_words(group, names)
        chain = [f"{box}layer{k + 1}" for k in range(depth)]
        for k, name in enumerate(chain):
            inside = f"{path}layers.{k}."
            kinds = [n for n, part in module.get_submodule(inside[:-1]).named_children() if _drawn(n, part)]
            label = f"layer {k + 1}" if only else f"layer {k + 1} of {words}"
            layers.append(Layer(
                name, label, tuple(f"{name}.{kind}" for kind in kinds), homes.get(inside, ()),
                tuple(f"{inside}{kind}" for kind in kinds if kind == "activation"),
                inside + ("norm" if "norm" in kinds else "linear"),
                frozenset([*chain[k + 1 :], f"{box}read", "output"]),
            ))  # fmt: skip
        label = f"weights of {words}" if not depth else "readout" if only else f"readout of {words}"
        reads = homes.get(f"{path}reads.", ())
        layers.append(Layer(f"{box}read", label, (f"{box}read",), reads, (), path[:-1], frozenset(["output"])))
    return [*layers, Layer("output", "output", ("output",), ("bias",), (), "", frozenset())]


def _group_words(group: FeatureGroup, names: Sequence[str]) -> str:
    """Return the network of a group in words, by its features."""
    shown = [f"‘{names[j]}’" for j in group.features[:SHOWN]]
    more = len(group.features) - len(shown)
    features = ", ".join(shown) + (f" and {more} more" if more else "")
    return features if group.linear else f"the network of {features}"


def _drawn(name: str, part: nn.Module) -> bool:
    """Return whether a part of a hidden layer has weights or bends: an identity does neither."""
    from torch import nn

    return name in ("linear", "norm", "activation") and not isinstance(part, nn.Identity)


def _parameters_by_home(module: nn.Module) -> dict[str, tuple[str, ...]]:
    """Return the parameters of each hidden layer ("groups.0.layers.1.") and of each readout ("groups.0.reads.")."""
    homes: dict[str, tuple[str, ...]] = {}
    for name, _ in module.named_parameters():
        parts = name.split(".")
        home = ".".join(parts[: 4 if "layers" in parts else 3]) + "."
        homes[home] = (*homes.get(home, ()), name)
    return homes


def _of_graph(module: nn.Module, picture: networkx.DiGraph) -> list[Layer]:
    """Return the boxes of a signal network's graph that have weights or activation functions."""
    import networkx as nx

    sequence = picture.graph.get("family") == "sequence"
    boxes: dict[str, list[str]] = {}
    for node in nx.topological_sort(picture):
        if picture.nodes[node].get("module"):
            boxes.setdefault(_name_of(str(node), sequence), []).append(str(node))
    homes = {str(picture.nodes[n]["module"]): name for name, nodes in boxes.items() for n in nodes}
    parameters = {name: _home(name.rpartition(".")[0], homes) for name, _ in module.named_parameters()}
    sites = {name: _home(name, homes) for name, part in module.named_modules() if is_site(part)}
    kept = [n for n in boxes if n in parameters.values() or n in sites.values()]
    layers = []
    for name in kept:
        nodes = boxes[name]
        own = tuple(p for p, home in parameters.items() if home == name)
        active = tuple(s for s, home in sites.items() if home == name)
        paths = [str(picture.nodes[n]["module"]) for n in nodes]
        behind = {_name_of(str(d), sequence) for n in nodes for d in nx.descendants(picture, n)} - {name}
        layers.append(Layer(
            name, _label(picture, nodes, sequence=sequence), tuple(nodes), own, active,
            _sequence_station(paths) if sequence else _station(module, own, active, paths),
            frozenset(n for n in kept if n in behind),
        ))  # fmt: skip
    return layers


def _name_of(node: str, sequence: bool) -> str:
    """Return the layer that a box belongs to: the boxes of a sequence layer are one layer."""
    return node.split(".")[0] if sequence else node


def _home(path: str, homes: dict[str, str]) -> str | None:
    """Return the layer with the longest module name that ``path`` lies within."""
    while path:
        if path in homes:
            return homes[path]
        path = path.rpartition(".")[0]
    return None


def _label(picture: networkx.DiGraph, nodes: Sequence[str], *, sequence: bool) -> str:
    first = picture.nodes[nodes[0]]
    group = picture.graph.get("groups", {}).get(first["group"], "")
    if sequence:
        return str(group or first["label"])
    words = f"activation ({first['label']})" if first["kind"] == "activation" else str(first["label"]).split(" · ")[0]
    if picture.graph.get("family") == "cell":
        return f"{group}: {words}" if group else words
    place = re.sub(r"\b(stage|block|transition|hidden)(\d*)\.?", r"\1 \2 ", nodes[0]).strip()
    place = re.sub(r"\s+", " ", place)
    return words if place.startswith(("readout", "hidden")) and words.lower() == place else f"{place}: {words}"


def _sequence_station(paths: Sequence[str]) -> str:
    """Return the module before the activation function: the normalisation of a layer, else what mixes its steps."""
    for ending in (".norm", ".mixer"):
        for path in paths:
            if path.endswith(ending):
                return path
    return paths[0]


def _station(module: nn.Module, parameters: Sequence[str], sites: Sequence[str], paths: Sequence[str]) -> str:
    """Return the last module with weights; of a layer without any, its activation function."""
    if not parameters:
        return sites[-1] if sites else paths[-1]
    return parameters[-1].rpartition(".")[0]


def _of_modules(module: nn.Module) -> list[Layer]:
    """Return the modules with weights and the activation functions, in the order they were made."""
    found: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    for name, part in module.named_modules():
        own = tuple(f"{name}.{p}" if name else p for p, _ in part.named_parameters(recurse=False))
        active = (name,) if is_site(part) else ()
        if own or active:
            found.append((name, own, active))
    names = [name or "network" for name, _, _ in found]
    return [
        Layer(names[at], names[at], (), own, active, name, frozenset(names[at + 1 :]))
        for at, (name, own, active) in enumerate(found)
    ]
