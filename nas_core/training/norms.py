"""Normalisation of a stack of sub-networks as prepared operations; (S, H, N) with padded units of value 0.

The same arithmetic as ``torch.nn.BatchNorm1d`` (statistics per unit over the rows, running ones with momentum 0.1 and
unbiased variance) and ``torch.nn.LayerNorm`` (over the units that exist).
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from nas_core.training.activations import Op

__all__ = ["EPSILON", "MOMENTUM", "batch_norm", "layer_norm"]

EPSILON, MOMENTUM = 1e-5, 0.1

aten = torch.ops.aten


def batch_norm(z: Tensor, out: Tensor, g: Tensor | None, views: dict[str, Tensor], rows: int | None) -> list[list[Op]]:
    """Prepare ``out`` from ``z``, and the gradient of ``z`` in place of that of ``out`` in ``g``.

    In training ``rows`` is the number of real rows: they make the statistics. Outside training it is None.
    """
    S, H, N = z.shape
    before: list[Op] = []
    after: list[Op] = []
    source, target = z, out
    if rows is not None and rows < N:  # the fused kernel wants the real rows without gaps
        source, target = z.new_empty(S, H, rows), z.new_empty(S, H, rows)
        out.zero_()
        before, after = [partial(source.copy_, z[:, :, :rows])], [partial(out[:, :, :rows].copy_, target)]
    # each unit becomes a channel of one long sample: the fused kernel then has the statistics we want
    flat, training = (1, S * H, source.shape[2]), rows is not None
    scale, shift = views["batch_scale"].view(-1), views["batch_shift"].view(-1)
    mean, inverse = (z.new_empty(S * H if training else 0) for _ in range(2))
    forward = partial(
        aten.native_batch_norm.out, source.view(flat), scale, shift, views["stats"][0].view(-1),
        views["stats"][1].view(-1), training, MOMENTUM, EPSILON, out=target.view(flat), save_mean=mean,
        save_invstd=inverse,
    )  # fmt: skip
    if g is None or rows is None:
        return [[*before, forward, *after], []]
    gradient = g[:, :, :rows].view(flat)  # a view: units and sub-networks lie at one distance
    backward: list[Op] = [partial(
        aten.native_batch_norm_backward.out, gradient, source.view(flat), scale, None, None, mean, inverse, True,
        EPSILON, [True, True, True], out0=gradient, out1=views["d_batch_scale"].view(-1),
        out2=views["d_batch_shift"].view(-1),
    )]  # fmt: skip
    if rows < N:
        backward.append(g[:, :, rows:].zero_)
    return [[*before, forward, *after], backward]


def layer_norm(z: Tensor, out: Tensor, g: Tensor | None, views: dict[str, Tensor]) -> list[list[Op]]:
    """Prepare ``out`` from ``z`` over its units, and the gradient of ``z`` in place of that of ``out`` in ``g``.

    ``units`` (S, H, 1) is 1 where a unit exists, ``widths`` (S, 1) is their number; the gradients of the scale and
    shift of padded units are meaningless and unused.
    """
    scale, shift, widths = views["layer_scale"][:, :, None], views["layer_shift"][:, :, None], views["widths"]
    unit, mean, inverse = torch.empty_like(z), torch.empty_like(z[:, 0]), torch.empty_like(z[:, :1])
    flat = inverse[:, 0]
    forward: list[Op] = [
        partial(torch.sum, z, 1, out=mean),
        partial(mean.div_, widths),
        partial(torch.sub, z, mean[:, None], out=unit),
        partial(unit.mul_, views["units"]),
        partial(torch.mul, unit, unit, out=out),
        partial(torch.sum, out, 1, out=flat),
        partial(flat.div_, widths),
        partial(flat.add_, EPSILON),
        flat.rsqrt_,
        partial(unit.mul_, inverse),
        partial(torch.addcmul, shift, unit, scale, out=out),
    ]
    if g is None:
        return [forward, []]
    weights = torch.empty_like(views["layer_scale"])
    product, along, level = torch.empty_like(z), torch.empty_like(inverse), torch.empty_like(inverse)
    return [forward, [
        partial(torch.mul, g, unit, out=product),
        partial(torch.div, views["layer_scale"], widths, out=weights),
        partial(torch.sum, g, 2, out=views["d_layer_shift"]),
        partial(torch.sum, product, 2, out=views["d_layer_scale"]),
        partial(torch.bmm, weights[:, None], g, out=level),
        partial(torch.bmm, weights[:, None], product, out=along),
        partial(torch.mul, g, scale, out=product),
        partial(product.sub_, level),
        partial(product.addcmul_, unit, along, value=-1),
        partial(torch.mul, product, inverse, out=g),
    ]]  # fmt: skip
