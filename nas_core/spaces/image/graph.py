"""The picture of a convolutional network as data: a networkx graph from the image to the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.spaces.image.plan import Layer, plan_of
from nas_core.spaces.image.rules import CONVOLUTIONS, ImageRules

if TYPE_CHECKING:
    import networkx

__all__ = ["network_graph"]

Values = dict[str, Any]

_NAMES = {
    "conv1": "Conv 1×1", "conv3": "Conv 3×3", "conv5": "Conv 5×5", "sep3": "Separable 3×3", "sep5": "Separable 5×5",
    "max": "Max pool 3×3", "avg": "Mean pool 3×3", "se": "Squeeze-excitation", "attention": "Spatial attention",
    "down.max": "Max pool ÷2", "down.avg": "Mean pool ÷2", "down.conv": "Conv 3×3 ÷2", "add": "Add", "concat": "Join",
    "mean": "Mean over places", "hidden": "Dense", "readout": "Readout",
}  # fmt: skip

_KINDS = {
    **dict.fromkeys(("conv1", "conv3", "conv5", "sep3", "sep5", "down.conv"), "conv"),
    **dict.fromkeys(("max", "avg", "down.max", "down.avg", "mean"), "pool"),
    **dict.fromkeys(("se", "attention"), "attention"),
    "add": "add", "concat": "concat", "hidden": "linear", "readout": "readout",
}  # fmt: skip

_ACTIVATED = frozenset({*CONVOLUTIONS, "down.conv", "hidden"})


def network_graph(rules: ImageRules, values: Values) -> networkx.DiGraph:
    """Return the network of canonical ``values``: one node for each block, join, transition and layer of the head.

    Parameters and operations over the nodes sum to the facts. Nodes also have ``details``, what else happens in them.
    """
    import networkx as nx

    plan = plan_of(rules, values)
    picture = nx.DiGraph(family="image", groups=_groups(plan.layers, bool(values["stages"])))
    last = "input"
    picture.add_node(
        last, kind="input", label="Image", shape=(rules.channels, *rules.size), parameters=0, operations=0, group=-1,
        features=rules.features, module="", details="",
    )  # fmt: skip
    before = last
    head = len(values["stages"])
    for layer in plan.layers:
        _add_layer(picture, rules, values, layer, head)
        picture.add_edge(last, layer.name, skip=False)
        if layer.operation in ("add", "concat"):
            picture.add_edge(before, layer.name, skip=True)
        else:
            before = last
        last = layer.name
    return picture


def _add_layer(picture: networkx.DiGraph, rules: ImageRules, values: Values, layer: Layer, head: int) -> None:
    label, details = _NAMES[layer.operation], []
    if layer.operation in _ACTIVATED:
        label += f" → {layer.outputs}"
        details += [f"{values['normalisation']} norm"] if values["normalisation"] != "none" else []
        details += [values["activation"]] if values["activation"] != "identity" else []
    dense = layer.operation in ("hidden", "readout")
    if dense and values["dropout"]:
        details.insert(0, f"dropout {values['dropout']:g}")
    picture.add_node(
        layer.name, kind=_KINDS[layer.operation], label=" · ".join([label, *details[-1:]]) if not dense else label,
        shape=(layer.outputs,) if dense else (layer.outputs, *layer.after), parameters=layer.parameters,
        operations=layer.operations, group=head if layer.stage < 0 else layer.stage, features=rules.features,
        module=layer.name, details=", ".join(details),
    )  # fmt: skip


def _groups(layers: tuple[Layer, ...], staged: bool) -> dict[int, str]:
    """Return a label for each stage with the size of its maps, and one for the head."""
    groups: dict[int, str] = {}
    for layer in layers:
        if layer.stage >= 0:
            groups.setdefault(layer.stage, f"stage {layer.stage + 1} · {layer.size[0]}×{layer.size[1]}")
    return {**groups, len(groups): "head"}
