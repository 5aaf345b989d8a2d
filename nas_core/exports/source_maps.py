"""Image and cell networks as source text: every layer on a line, the joins written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nas_core.exports.pieces import maps as pieces
from nas_core.exports.pieces import rows as row_pieces
from nas_core.exports.writing import Written, literal

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.explanations.signal_candidate import SignalCandidate

__all__ = ["layer_text", "network_class", "write_images"]


def write_images(candidate: SignalCandidate) -> Written:
    """Write a convolutional or a cell network with the standardisation of its images."""
    signal, encoder = candidate.signal, candidate.problem.signal_encoder
    channels, height, width = signal.shape
    written = Written(
        constants=[("SHAPE", literal(list(signal.shape)))],
        rows="image_rows(rows, SHAPE)",
        input=f"images: (N, {channels}, {height}, {width}) float32, values as in the data",
        reading=[f"self.pixels = Pixels({literal(_single(encoder.mean))}, {literal(_single(encoder.sd))})"],
        forward=["columns = self.pixels(rows)"],
    )
    written.need(row_pieces.image_rows, pieces.Pixels)
    if candidate.architecture.family == "cell":
        _cells(candidate, written)
    else:
        _stages(candidate, written)
    return written


def _single(values: Any) -> list[float]:
    """Return numbers in single precision, in which the encoder computes."""
    return [float(v) for v in values.astype("float32")]


def layer_text(layer: nn.Module) -> str:
    """Return what makes a standard layer of torch, with everything that is not the default."""
    from torch import nn

    bias = "" if getattr(layer, "bias", None) is not None else ", bias=False"
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        more = f", stride={layer.stride[0]}" if layer.stride[0] != 1 else ""
        more += f", padding={layer.padding[0]}" if layer.padding[0] else ""
        more += f", dilation={layer.dilation[0]}" if layer.dilation[0] != 1 else ""
        more += f", groups={layer.groups}" if layer.groups != 1 else ""
        name = type(layer).__name__
        return f"nn.{name}({layer.in_channels}, {layer.out_channels}, {layer.kernel_size[0]}{more}{bias})"
    if isinstance(layer, nn.Linear):
        return f"nn.Linear({layer.in_features}, {layer.out_features}{bias})"
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        return f"nn.{type(layer).__name__}({layer.num_features})"
    if isinstance(layer, nn.AvgPool2d):
        more = ", ceil_mode=True" if layer.ceil_mode else ""
        more += "" if layer.count_include_pad else ", count_include_pad=False"
        return f"nn.AvgPool2d({layer.kernel_size}, stride={layer.stride}, padding={layer.padding}{more})"
    if isinstance(layer, nn.MaxPool2d):
        more = ", ceil_mode=True" if layer.ceil_mode else ""
        return f"nn.MaxPool2d({layer.kernel_size}, stride={layer.stride}, padding={layer.padding}{more})"
    if isinstance(layer, nn.Sequential):
        return f"nn.Sequential({', '.join(map(layer_text, layer))})"
    return f"nn.{type(layer).__name__}()"


def network_class(made: list[str], steps: list[str], says: str, name: str = "Network", argument: str = "x") -> str:
    """Return a class with these lines in ``__init__`` and ``forward``."""
    return (
        f'class {name}(nn.Module):\n    """{says}"""\n\n'
        "    def __init__(self) -> None:\n        super().__init__()\n"
        + "".join(f"        {line}\n" for line in made)
        + f"\n    def forward(self, {argument}: Tensor) -> Tensor:\n"
        + "".join(f"        {line}\n" for line in steps)
    )


def keep(written: Written, name: str, state: dict[str, Any]) -> None:
    """Add the state of a part of the network under its name, in single precision."""
    for key, value in state.items():
        single = value.detach().float() if value.is_floating_point() else value.detach()
        written.weights[f"network.{name}.{key}"] = single


def _stages(candidate: SignalCandidate, written: Written) -> None:
    from nas_core.spaces.image.module import Add, Concatenate, Dropout, SpatialAttention, SqueezeExcitation
    from nas_core.spaces.image.plan import plan_of
    from nas_core.spaces.image.rules import rules_of

    plan = plan_of(rules_of(candidate.space), candidate.architecture.values)
    made: list[str] = []
    steps: list[str] = []
    waiting = ""
    body = [x for x in plan.layers if x.stage >= 0]
    for at, layer in enumerate(body):
        module, name = candidate.module.get_submodule(layer.name), layer.name.replace(".", "_")
        if isinstance(module, Add | Concatenate):
            steps.append("x = x + made" if isinstance(module, Add) else "x = torch.cat([x, made], dim=1)")
            continue
        joined = at + 1 < len(body) and body[at + 1].operation in ("add", "concat")
        waiting = "made" if joined else "x"
        if isinstance(module, SqueezeExcitation):
            written.need(pieces.SqueezeExcitation)
            made.append(f"self.{name} = SqueezeExcitation({layer.inputs}, {module.squeeze.out_channels})")
        elif isinstance(module, SpatialAttention):
            written.need(pieces.SpatialAttention)
            made.append(f"self.{name} = SpatialAttention()")
        else:
            made.append(f"self.{name} = {layer_text(module)}")
        keep(written, name, _plain(module))
        steps.append(f"{waiting} = self.{name}(x)  # {layer.outputs} maps of {layer.after[0]} × {layer.after[1]}")
    mean = any(x.operation == "mean" for x in plan.layers)
    steps.append("x = x.mean(dim=(2, 3))" if mean else "x = x.flatten(1)")
    for layer in (x for x in plan.layers if x.stage < 0 and x.operation != "mean"):
        module = candidate.module.get_submodule(layer.name)
        assert not isinstance(module, Dropout)
        made.append(f"self.{layer.name} = {layer_text(module)}")
        keep(written, layer.name, _plain(module))
        steps.append(f"x = self.{layer.name}(x)")
    steps.append("return x")
    written.classes.append(network_class(made, steps, "Stages of blocks, then a head."))


def _plain(module: nn.Module) -> dict[str, Tensor]:
    """Return the state with children counted instead of named, as in ``nn.Sequential``."""
    from torch import nn

    if not isinstance(module, nn.Sequential):
        return dict(module.state_dict())
    named = list(module.named_children())
    return {f"{at}.{key}": value for at, (_, child) in enumerate(named) for key, value in child.state_dict().items()}


def _cells(candidate: SignalCandidate, written: Written) -> None:
    from nas_core.spaces.cell.rules import rules_of
    from nas_core.spaces.cell.structure import blocks_of

    values, module = candidate.architecture.values, cast(Any, candidate.module)
    blocks = list(blocks_of(rules_of(candidate.space), values))
    written.need(pieces.convolved)
    if any(b.reduces for b in blocks):
        written.need(pieces.Reduction)
    written.classes.append(_cell_class(tuple(values["cell"])))
    made, steps = [f"self.stem = {layer_text(module.stem)}"], ["x = self.stem(x)"]
    keep(written, "stem", module.stem.state_dict())
    for block in blocks:
        name = f"{'reduction' if block.reduces else 'cell'}{block.index + 1}"
        what = f"Reduction({block.inputs}, {block.outputs})" if block.reduces else f"Cell({block.outputs})"
        made.append(f"self.{name} = {what}")
        steps.append(f"x = self.{name}(x)  # {block.outputs} maps of {block.size[0]} × {block.size[1]}")
        keep(written, name, module.blocks[block.index].state_dict())
    made += [f"self.norm = {layer_text(module.norm)}", f"self.readout = {layer_text(module.readout)}"]
    keep(written, "norm", module.norm.state_dict())
    keep(written, "readout", module.readout.state_dict())
    steps += ["x = torch.relu(self.norm(x)).mean(dim=(2, 3))", "return self.readout(x)"]
    written.classes.append(network_class(made, steps, "Stem, cells and reductions, the mean over places, a readout."))


def _cell_class(cell: tuple[str, ...]) -> str:
    """Return the class of the cell, each of its nodes on a line."""
    from nas_core.spaces.cell.topology import node_inputs

    made: list[str] = []
    steps: list[str] = []
    known = {0}
    for j, edges in node_inputs(cell).items():
        terms = []
        for _, i, operation in edges:
            if operation == "skip_connect":
                terms.append(f"node{i}")
                continue
            terms.append(f"self.edge{i}{j}(node{i})")
            if operation == "avg_pool_3x3":
                made.append(f"self.edge{i}{j} = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)")
            else:
                kernel = 3 if operation == "nor_conv_3x3" else 1
                made.append(f"self.edge{i}{j} = convolved({kernel}, width, width)")
        if terms:
            known.add(j)
            steps.append(f"node{j} = {' + '.join(terms)}")
    steps.append("return node3" if 3 in known else "return torch.zeros_like(node0)")
    text = network_class(made, steps, "A cell of four nodes; the first is what it reads.", "Cell", "node0")
    return text.replace("def __init__(self) -> None:", "def __init__(self, width: int) -> None:")
