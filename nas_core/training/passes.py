"""The forward and backward pass of a section as a list of prepared operations on fixed buffers.

The work of a layer is small, so choosing, slicing and allocating would cost as much as computing. All of that happens
once per number of rows; a pass then only runs its operations. The backward pass is written out: autograd would cost
more than the products.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from nas_core.training.activations import Op, activate, activate_backward
from nas_core.training.norms import batch_norm, layer_norm
from nas_core.training.rows import Room
from nas_core.training.section import Layer, Run, Section

__all__ = ["SectionPass", "run_all"]


def run_all(operations: Sequence[Op]) -> None:
    """Run prepared operations in order."""
    for operation in operations:
        operation()


class SectionPass:
    """The operations of one section for N rows.

    Args:
        section: What to compute.
        room: Gives the buffers.
        read: (R, C, N) where all contributions to the outputs are written.
        d_read: (R, C, N) their gradients, in training.
        keep: (S_d·H, N) factors of the units with dropout, 0 or 1 / (1 − p), in training.
        real: Number of real rows in training, None outside.

    ``x`` (S, I, N) is for the caller to fill before ``forward``.
    """

    def __init__(
        self, section: Section, room: Room, read: Tensor, d_read: Tensor, keep: Tensor, real: int | None
    ) -> None:
        self.room, self.read, self.d_read, self.keep, self.real = room, read, d_read, keep, real
        self.H, self.kept = section.H, 0
        self.forward: list[Op] = []
        self.backward: list[Op] = []
        self.x = x = room.lasting("inputs", len(section.subs), section.inputs)
        for layer in section.layers:
            x, backward = self._layer(layer, x)
            self.backward[:0] = backward

    def _layer(self, layer: Layer, x: Tensor) -> tuple[Tensor, list[Op]]:
        """Prepare one layer from its inputs (S, I, N); return the units that go on, and the backward pass."""
        room, views, S, H = self.room, layer.views, len(layer.subs), self.H
        odd, on = layer.index % 2, S - layer.ended
        z = room.lasting("z", S, H)
        units = {False: room.lasting(f"units {odd}", on, H), True: room.lasting("ended", layer.ended, H)}
        self.forward.append(partial(torch.baddbmm, views["bias"], views["weight"], x, out=z))
        if not room.training:
            parts, _ = self._normalise(layer, z, None)
            for run in layer.runs:
                self.forward += _run_forward(run, parts[run], x, _place(run, units), None, None)
            self._readings(layer, units, units)
            return units[False], []
        g = room.scratch("g", S, H)
        d_x = room.scratch(f"d_units {1 - odd}", S, H)  # unused in the first layer
        d_units = {False: room.scratch(f"d_units {odd}", on, H), True: room.scratch("d_ended", layer.ended, H)}
        parts, normalised = self._normalise(layer, z, g)
        backward: list[Op] = []
        skipped: list[Op] = []
        for run in layer.runs:
            target, gradient = _place(run, units), _place(run, d_units)
            a = room.own(run.stop - run.start, H) if run.dropout or run.residual else target
            keep = self._keep(run) if run.dropout else None
            self.forward += _run_forward(run, parts[run], x, target, a, keep)
            backward += _run_backward(run, parts[run], a, keep, gradient, g[run.start : run.stop])
            if run.residual:
                skipped.append(partial(d_x[run.start : run.stop].add_, gradient))
        backward = [*self._readings(layer, units, d_units), *backward, *normalised]
        backward.append(partial(torch.bmm, g, x.mT, out=views["d_weight"]))
        backward.append(partial(torch.sum, g, 2, keepdim=True, out=views["d_bias"]))
        if layer.index > 1:
            backward += [partial(torch.bmm, views["weight"].mT, g, out=d_x), *skipped]
        return units[False], backward

    def _normalise(self, layer: Layer, z: Tensor, g: Tensor | None) -> tuple[dict[Run, Tensor], list[Op]]:
        """Prepare the normalisation; return what each run finds as its input, and the backward pass."""
        sources, offsets, backward = {"none": z}, {"none": 0}, []
        for norm, (start, stop) in layer.spans.items():
            part = z[start:stop]
            out = self.room.own(stop - start, self.H) if g is not None else part
            d_part = g[start:stop] if g is not None else None
            if norm == "batch":
                ops, back = batch_norm(part, out, d_part, layer.views, self.real)
            else:
                ops, back = layer_norm(part, out, d_part, layer.views)
            self.forward += ops
            backward += back
            sources[norm], offsets[norm] = out, start
        parts = {}
        for run in layer.runs:
            offset = offsets[run.normalisation]
            parts[run] = sources[run.normalisation][run.start - offset : run.stop - offset]
        return parts, backward

    def _keep(self, run: Run) -> Tensor:
        """Return the dropout factors of a run; they lie in the order of layers and runs."""
        start, rows = self.kept, (run.stop - run.start) * self.H
        self.kept += rows
        return self.keep[start : self.kept].view(-1, self.H, self.room.N)

    def _readings(self, layer: Layer, units: dict[bool, Tensor], d_units: dict[bool, Tensor]) -> list[Op]:
        """Prepare what the layer adds to the outputs; return the backward pass."""
        room, backward = self.room, list[Op]()
        for reading in layer.readings:
            weights, places = reading.views["read"], reading.places
            chosen = slice(reading.first, reading.first + reading.count)
            hidden = units[places is None]
            every = reading.count == len(hidden)
            if not every and places is not None:
                hidden = room.lasting("dense", reading.count, self.H)
                self.forward.append(partial(torch.index_select, units[False], 0, places, out=hidden))
            self.forward.append(partial(torch.bmm, weights, hidden, out=self.read[chosen]))
            if not room.training:
                continue
            d_out = self.d_read[chosen]
            d_on = d_units[False]
            d_hidden = d_units[True] if places is None else room.scratch("d_dense", reading.count, self.H)
            backward.append(partial(torch.bmm, d_out, hidden.mT, out=reading.views["d_read"]))
            # with one output the product has no sum in it
            product = torch.mul if weights.shape[1] == 1 else torch.bmm
            backward.append(partial(product, weights.mT, d_out, out=d_hidden))
            if places is not None:
                add = partial(d_on.add_, d_hidden) if every else partial(d_on.index_add_, 0, places, d_hidden)
                backward.append(add)
        return backward


def _place(run: Run, units: dict[bool, Tensor]) -> Tensor:
    """Return where a run lies among the units that go on (False) or end (True)."""
    return units[run.ended][run.first : run.first + run.stop - run.start]


def _run_forward(run: Run, z: Tensor, x: Tensor, target: Tensor, a: Tensor | None, keep: Tensor | None) -> list[Op]:
    """Prepare activation, dropout and residual of a run; the backward pass needs the activation's own result ``a``."""
    if a is None:
        a = z if run.residual else target
    ops = activate(run.activation, z, a)
    if keep is not None:
        ops.append(partial(torch.mul, a, keep, out=target))
        a = target
    if run.residual:
        ops.append(partial(torch.add, a, x[run.start : run.stop], out=target))
    return ops


def _run_backward(run: Run, z: Tensor, a: Tensor, keep: Tensor | None, gradient: Tensor, out: Tensor) -> list[Op]:
    """Prepare the gradient of ``z`` from that of the run's units."""
    if keep is None:
        return activate_backward(run.activation, gradient, z, a, out)
    return [partial(torch.mul, gradient, keep, out=out), *activate_backward(run.activation, out, z, a, out)]
