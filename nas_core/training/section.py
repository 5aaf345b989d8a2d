"""One section of a pack: S sub-networks of equal padded shape, computed forward and backward together.

Values are laid out (S, units, N): rows last, so that a layer is one batched product W (S, H, I) · x (S, I, N) and the
statistics of a unit run along memory. The backward pass is written out; autograd would cost more than the products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas_core.spaces.tabular.noise import drop_threshold, keep_mask, unit_keys
from nas_core.training.activations import ACTIVATION_NAMES, activate, activate_backward
from nas_core.training.norms import batch_norm, batch_norm_backward, layer_norm, layer_norm_backward
from nas_core.training.plan import Sub, padded, padded_units
from nas_core.training.rows import Rows
from nas_core.training.slots import Slots

__all__ = ["Layer", "Section", "input_columns"]


@dataclass
class Layer:
    """One hidden layer of the sub-networks still alive; the tensors are views on the flat vectors.

    ``weight`` (S, H, I), ``bias`` (S, H, 1), ``scale``/``shift`` (S_n, H) of the normalised ones, ``read`` (S_r, C, H);
    each with its gradient ``d_…``. ``order`` lists what is read, for the sum over each candidate.
    """

    index: int
    subs: list[Sub]
    rows: dict[str, Rows]
    slices: list[tuple[str, int, int]]
    views: dict[str, Tensor] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)


class Section:
    """Sub-networks of equal padded shape: I inputs, H units, as deep as the deepest."""

    def __init__(self, subs: list[Sub], blank: int, slots: Slots, device: torch.device) -> None:
        def order(sub: Sub) -> tuple[object, ...]:
            group = sub.group
            # normalised ones lie together, so that their statistics work on a view: copies cost more than short slices
            return (group.normalisation, ACTIVATION_NAMES.index(group.activation), group.dropout > 0, group.residual,
                    sub.candidate, group.index)  # fmt: skip

        self.device = device
        self.subs = sorted(subs, key=order)
        self.H = padded_units(subs[0].group.width)
        self.inputs = max(padded(len(sub.group.columns)) for sub in subs)
        columns = input_columns([sub.group.columns for sub in self.subs], self.inputs, blank)
        self.columns = torch.from_numpy(columns).to(device)
        self.layers: list[Layer] = []
        alive = self.subs
        for index in range(1, max(sub.group.depth for sub in subs) + 1):
            chosen = [n for n, sub in enumerate(alive) if sub.group.depth >= index]
            rows = {"alive": Rows(chosen, len(alive), device)}
            alive = [alive[n] for n in chosen]
            self.layers.append(self._layer(index, alive, rows, slots))

    def _layer(self, index: int, subs: list[Sub], rows: dict[str, Rows], slots: Slots) -> Layer:
        def where(test: Callable[[Sub], bool]) -> Rows:
            return Rows([n for n, sub in enumerate(subs) if test(sub)], len(subs), self.device)

        rows["batch"] = where(lambda s: s.group.normalisation == "batch")
        rows["layer"] = where(lambda s: s.group.normalisation == "layer")
        rows["dropout"] = where(lambda s: s.group.dropout > 0)
        rows["residual"] = where(lambda s: s.group.residual and index > 1)
        rows["read"] = where(lambda s: bool(s.blocks("read", index)))
        slices, start = [], 0
        for name, members in groupby(subs, key=lambda s: s.group.activation):
            stop = start + len(list(members))
            slices.append((name, start, stop))
            start = stop
        layer = Layer(index, subs, rows, slices)
        self._claim(layer, slots)
        return layer

    def _claim(self, layer: Layer, slots: Slots) -> None:
        """Reserve the layer's parameters in the padded vector."""
        subs, index, H = layer.subs, layer.index, self.H
        kind, inputs = ("input", self.inputs) if index == 1 else ("hidden", H)
        slots.claim(layer, "weight", (len(subs), H, inputs), [s.blocks(kind, index) for s in subs])
        slots.claim(layer, "bias", (len(subs), H, 1), [s.blocks("bias", index) for s in subs])
        readers = [subs[n] for n in layer.rows["read"].index.tolist()]
        C = readers[0].blocks("read", index)[0][0].shape[0] if readers else 1
        slots.claim(layer, "read", (len(readers), C, H), [s.blocks("read", index) for s in readers])
        slots.claim_reads(layer, [(s.candidate, 1 + s.group.index, index) for s in readers])
        for norm in ("batch", "layer"):
            some = [subs[n] for n in layer.rows[norm].index.tolist()]
            slots.claim(layer, f"{norm}_scale", (len(some), H), [s.blocks("scale", index) for s in some])
            slots.claim(layer, f"{norm}_shift", (len(some), H), [s.blocks("shift", index) for s in some])
            if norm == "batch":
                slots.claim_stats(layer, some, index, H)
            elif some:
                self._layer_norm_shapes(layer, some)
        self._dropout_keys(layer)

    def _layer_norm_shapes(self, layer: Layer, some: list[Sub]) -> None:
        widths = torch.tensor([[float(s.group.width)] for s in some])
        units = (torch.arange(self.H)[None] < widths).float()[:, :, None]
        layer.views.update(units=units.to(self.device), widths=widths.to(self.device))

    def _dropout_keys(self, layer: Layer) -> None:
        some = [layer.subs[n] for n in layer.rows["dropout"].index.tolist()]
        keys = np.zeros((len(some), self.H, 1), dtype=np.int32)
        for n, sub in enumerate(some):
            keys[n, : sub.group.width, 0] = unit_keys(sub.seed, sub.group.index, layer.index, sub.group.width)
        limits = torch.tensor([drop_threshold(s.group.dropout) for s in some], dtype=torch.int32)
        scales = torch.tensor([1 / (1 - s.group.dropout) for s in some], dtype=torch.float32)
        layer.views["keys"] = torch.from_numpy(keys).to(self.device)
        layer.views["limits"] = limits.view(-1, 1, 1).to(self.device)
        layer.views["scales"] = scales.view(-1, 1, 1).to(self.device)

    def gather(self, bank: Tensor) -> Tensor:
        """Return the inputs (S, I, N) of the sub-networks from the transposed bank (D + 1, N), whose last row is 0."""
        return bank.index_select(0, self.columns).view(len(self.subs), self.inputs, -1)

    def forward(self, x: Tensor, reads: list[Tensor], noise: Tensor | None, rows: int | None) -> None:
        """Compute from inputs (S, I, N); append to ``reads`` what each layer contributes, (S_r, C, N).

        ``rows`` is the number of real rows of a training batch, None outside training.
        """
        for layer in self.layers:
            x = layer_forward(layer, layer.rows["alive"].take(x), noise, rows)
            if some := layer.rows["read"]:
                hidden = some.take(x)
                reads.append(torch.bmm(layer.views["read"], hidden))
                layer.saved["hidden"] = hidden

    def backward(self, d_logits: Tensor) -> None:
        """Fill the gradients of all parameters from those of the logits (K, C, N)."""
        d_next: Tensor | None = None
        for position in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[position]
            following = self.layers[position + 1].rows["alive"] if position + 1 < len(self.layers) else None
            g = self._gather_gradient(layer, d_logits, following, d_next)
            d_next = layer_backward(layer, g, first=position == 0)

    def _gather_gradient(
        self, layer: Layer, d_logits: Tensor, following: Rows | None, d_next: Tensor | None
    ) -> Tensor:
        read = layer.rows["read"]
        d_read = None
        if read:
            d_out = d_logits.index_select(0, layer.views["owner"])
            hidden = layer.saved["hidden"]
            torch.bmm(d_out, hidden.mT, out=layer.views["d_read"])
            d_read = torch.bmm(layer.views["read"].mT, d_out)
            if read.all and following is None:
                return d_read
        if d_read is None and following is not None and following.all and d_next is not None:
            return d_next
        z = layer.saved["z"]
        covered = (read.count if read else 0) + (following.count if following is not None else 0) == len(layer.subs)
        g = torch.empty_like(z) if covered else torch.zeros_like(z)
        if following is not None and d_next is not None:
            following.put(g, d_next)
        if d_read is not None:
            (read.put if covered else read.add)(g, d_read)
        return g


def layer_forward(layer: Layer, x: Tensor, noise: Tensor | None, real: int | None) -> Tensor:
    """Return the (S, H, N) units of one layer from its inputs (S, I, N), and save what the backward pass needs."""
    views, rows, saved = layer.views, layer.rows, layer.saved
    z = torch.baddbmm(views["bias"], views["weight"], x)
    if some := rows["batch"]:
        out, saved["batch"] = batch_norm(
            some.copy(z), views["batch_scale"], views["batch_shift"], views["stats"], real
        )
        some.put(z, out)
    if some := rows["layer"]:
        out, saved["layer"] = layer_norm(
            some.take(z), views["layer_scale"], views["layer_shift"], views["units"], views["widths"]
        )
        some.put(z, out)
    a = activate(z, layer.slices)
    saved["x"], saved["z"], saved["a"] = x, z, a
    if noise is not None and (some := rows["dropout"]):
        keep = keep_mask(views["keys"], noise, views["limits"]).to(a.dtype).mul_(views["scales"])
        # the backward pass of some activations reads their result, so it is put back there
        saved["keep"], saved["dropped"] = keep, (before := some.copy(a))
        some.put(a, before * keep)
    if some := rows["residual"]:
        saved["summed"] = some.copy(a)
        some.add(a, some.take(x))
    return a


def layer_backward(layer: Layer, g: Tensor, *, first: bool) -> Tensor | None:
    """Fill the layer's gradients from ``g`` (S, H, N), and return that of its inputs unless it is the first."""
    views, rows, saved = layer.views, layer.rows, layer.saved
    x, z, a = saved["x"], saved["z"], saved["a"]
    skipped = None
    if some := rows["residual"]:
        skipped = some.copy(g)
        some.put(a, saved["summed"])
    if "keep" in saved:
        rows["dropout"].multiply(g, saved["keep"])
        rows["dropout"].put(a, saved["dropped"])
    g = activate_backward(g, z, a, layer.slices)
    if chosen := rows["batch"]:
        dz, d_scale, d_shift = batch_norm_backward(chosen.take(g), saved["batch"])
        views["d_batch_scale"].copy_(d_scale)
        views["d_batch_shift"].copy_(d_shift)
        chosen.put(g, dz)
    if chosen := rows["layer"]:
        dz, d_scale, d_shift = layer_norm_backward(chosen.take(g), saved["layer"])
        views["d_layer_scale"].copy_(d_scale)
        views["d_layer_shift"].copy_(d_shift)
        chosen.put(g, dz)
    torch.bmm(g, x.mT, out=views["d_weight"])
    torch.sum(g, 2, keepdim=True, out=views["d_bias"])
    if first:
        return None
    d_x = torch.bmm(views["weight"].mT, g)
    if skipped is not None:
        rows["residual"].add(d_x, skipped)
    return d_x


def input_columns(columns: list[np.ndarray], inputs: int, blank: int) -> np.ndarray:
    """Return the (S·I,) bank rows to gather, padded with ``blank``."""
    table = np.full((len(columns), inputs), blank, dtype=np.int64)
    for n, chosen in enumerate(columns):
        table[n, : len(chosen)] = chosen
    return table.ravel()
