"""The readable network of one candidate: f(x) = b + Σ_g f_g(x_g), each group its own small network.

Input is the bank of encoded columns E (N, D); output (N, C). Monotone by construction: a group with a marked feature
gives every hidden unit a sign (Runje & Shankaranarayana 2023: a concave unit is a convex one reflected at the origin)
and uses sign·|weight| wherever a weight lies on a path from a marked column to the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces.tabular.layout import Block, ColumnMap, GroupLayout, NetworkLayout, network_layout
from nas_core.spaces.tabular.noise import drop_threshold, keep_mask, unit_keys

__all__ = ["FeatureGroupNetwork", "GroupNetwork", "build", "initial_values"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}


class ConstrainedLinear(nn.Module):
    """A linear map whose weights may have a fixed sign (sign·|weight|) or be fixed at 0 (mask)."""

    sign: Tensor
    mask: Tensor

    def __init__(self, weight: Block, *, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(weight.shape))
        self.bias = nn.Parameter(torch.zeros(weight.shape[0])) if bias else None
        sign = torch.zeros(weight.shape) if weight.sign is None else torch.from_numpy(weight.sign).float()
        mask = torch.ones(weight.shape) if weight.mask is None else torch.from_numpy(weight.mask).float()
        self.register_buffer("sign", sign, persistent=False)
        self.register_buffer("mask", mask, persistent=False)

    def effective(self) -> Tensor:
        """Return the weights the network uses."""
        return torch.where(self.sign == 0, self.weight, self.sign * self.weight.abs()) * self.mask

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.effective(), self.bias)


class BatchNorm(nn.Module):
    """Batch normalisation; ``positive`` uses |weight| so that it cannot reverse a direction."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int, *, positive: bool) -> None:
        super().__init__()
        self.positive = positive
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.abs() if self.positive else self.weight
        return functional.batch_norm(x, self.running_mean, self.running_var, weight, self.bias, self.training)


class CounterDropout(nn.Module):
    """Dropout whose noise is a function of (seed, group, layer, unit) and the row keys of :meth:`at`.

    Without row keys it is ordinary dropout.
    """

    keys: Tensor

    def __init__(self, p: float, seed: int, group: int, layer: int, width: int) -> None:
        super().__init__()
        self.p, self.rows = p, None
        self.register_buffer("keys", torch.from_numpy(unit_keys(seed, group, layer, width)), persistent=False)

    rows: Tensor | None

    def at(self, rows: Tensor | None) -> None:
        """Use the noise of the batch whose (N,) int32 row keys these are."""
        self.rows = rows

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if self.rows is None:
            return functional.dropout(x, self.p, training=True)
        keep = keep_mask(self.keys[:, None], self.rows, drop_threshold(self.p)).T
        return x * (keep.to(x.dtype) * (1 / (1 - self.p)))


class HiddenLayer(nn.Module):
    """h = dropout(act(norm(W x + b))), plus x when the connection is residual."""

    def __init__(self, layout: GroupLayout, layer: int, seed: int) -> None:
        super().__init__()
        blocks = {block.name.rsplit(".", 2)[-2:][0] + "." + block.name.rsplit(".", 1)[-1]: block
                  for block in layout.blocks if block.layer == layer and block.kind != "read"}  # fmt: skip
        self.linear = _linear(blocks["linear.weight"], bias="linear.bias" in blocks)
        self.norm: nn.Module = nn.Identity()
        if layout.normalisation == "batch":
            self.norm = BatchNorm(layout.width, positive=layout.unit_sign is not None)
        elif layout.normalisation == "layer":
            self.norm = nn.LayerNorm(layout.width)
        self.activation = ACTIVATIONS[layout.activation]()
        self.dropout = CounterDropout(layout.dropout, seed, layout.index, layer, layout.width)
        self.residual = layout.residual and layer > 1

    def forward(self, x: Tensor) -> Tensor:
        h = self.respond(self.linear(x))
        return h + x if self.residual else h

    def respond(self, sums: Tensor) -> Tensor:
        """Return what the units answer (N, H) to their weighted sums (N, H)."""
        return self.dropout(self.activation(self.norm(sums)))


class GroupNetwork(nn.Module):
    """The sub-network of one feature group: (N, D) bank to (N, C) contribution."""

    columns: Tensor

    def __init__(self, layout: GroupLayout, seed: int) -> None:
        super().__init__()
        self.features = layout.features
        self.register_buffer("columns", torch.from_numpy(layout.columns), persistent=False)
        self.layers = nn.ModuleList(HiddenLayer(layout, layer, seed) for layer in range(1, layout.depth + 1))
        reads = [block for block in layout.blocks if block.kind == "read"]
        self.reads = nn.ModuleDict({str(block.layer): _linear(block, bias=False) for block in reads})

    def forward(self, bank: Tensor) -> Tensor:
        h = bank[:, self.columns]
        states = [h]
        for layer in self.layers:
            h = layer(h)
            states.append(h)
        return self._read(states)

    def first_layer(self) -> tuple[Tensor, Tensor | None]:
        """Return the weights (H, d) and the bias (H,) that make the sums of the first hidden layer."""
        linear = cast(HiddenLayer, self.layers[0]).linear
        return _weight_of(linear), cast("Tensor | None", linear.bias)

    def direct_readout(self) -> Tensor | None:
        """Return the weights (C, d) with which the output reads the columns themselves; None where it does not."""
        return _weight_of(self.reads["0"]) if "0" in self.reads else None

    def after_sums(self, sums: Tensor) -> Tensor:
        """Return the contribution (N, C) from the weighted sums (N, H) of the first hidden layer, bias included.

        What the readout takes from the columns themselves (dense connections) is left out: like the sums it is linear
        in the columns, so it can be added feature by feature.
        """
        first, *others = self.layers
        h = cast(HiddenLayer, first).respond(sums)
        states = [None, h]
        for layer in others:
            h = layer(h)
            states.append(h)
        return self._read(states)

    def _read(self, states: Sequence[Tensor | None]) -> Tensor:
        """Return the sum (N, C) of the readouts of all layers that are there."""
        known = ((states[int(layer)], read) for layer, read in self.reads.items())
        outputs = [read(state) for state, read in known if state is not None]
        return torch.stack(outputs).sum(0) if len(outputs) > 1 else outputs[0]


class FeatureGroupNetwork(nn.Module):
    """f(x) = bias + Σ_g f_g(x_g) on the bank of encoded columns, (N, D) to (N, C)."""

    def __init__(self, layout: NetworkLayout, seed: int = 0) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(layout.outputs))
        self.groups = nn.ModuleList(GroupNetwork(group, seed) for group in layout.groups)

    def forward(self, bank: Tensor) -> Tensor:
        total = self.bias.expand(len(bank), -1)
        for group in self.groups:
            total = total + group(bank)
        return total

    def group_effects(self, bank: Tensor) -> Tensor:
        """Return each group's contribution (N, G, C); with the bias they sum to the output."""
        return torch.stack([group(bank) for group in self.groups], dim=1)

    def at(self, rows: Tensor | None) -> None:
        """Give every dropout layer the (N,) row keys of the batch that comes next (None: ordinary dropout)."""
        for module in self.modules():
            if isinstance(module, CounterDropout):
                module.at(rows)


def build(architecture: Architecture, columns: ColumnMap, outputs: int, *, seed: int = 0) -> FeatureGroupNetwork:
    """Return the module of ``architecture`` with the initial weights of ``seed``.

    Args:
        architecture: A tabular architecture.
        columns: The encoder, or any map from (encoding, feature) to columns of the bank.
        outputs: C, 1 for binary classification and regression.
        seed: The candidate's seed; the packed training of the same seed starts from the same weights.

    Raises:
        SpaceError: The architecture is of another family.
    """
    if architecture.family != "tabular":
        raise SpaceError(f"An architecture of family {architecture.family!r} was given", allowed="tabular",
                         fix="use the module of its own family")  # fmt: skip
    layout = network_layout(architecture, columns, outputs)
    module = FeatureGroupNetwork(layout, seed)
    values = initial_values(layout, seed)
    parameters = dict(module.named_parameters())
    start = 0
    with torch.no_grad():
        for block in layout.blocks:
            parameters[block.name].copy_(values[start : start + block.size].view(block.shape))
            start += block.size
    return module


def initial_values(layout: NetworkLayout, seed: int) -> Tensor:
    """Return the flat initial parameters (size,) of ``seed`` in canonical order, masked ones 0."""
    generator = torch.Generator().manual_seed(seed & (2**63 - 1))
    values = torch.rand(layout.size, generator=generator).mul_(2).sub_(1)
    start = 0
    for block in layout.blocks:
        part = values[start : start + block.size]
        part.mul_(block.bound).add_(block.centre)
        if block.mask is not None:
            part.mul_(torch.from_numpy(block.mask.reshape(-1)))
        start += block.size
    return values


def _weight_of(linear: nn.Module) -> Tensor:
    """Return the weights that a linear layer uses."""
    return linear.effective() if isinstance(linear, ConstrainedLinear) else cast(nn.Linear, linear).weight


def _linear(weight: Block, *, bias: bool) -> nn.Module:
    if weight.sign is None and weight.mask is None:
        # skip_init: the initial values come from the candidate's own seed, never from the global generator
        return nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=bias)
    return ConstrainedLinear(weight, bias=bias)
