"""Normalisation of a stack of sub-networks, forward and backward; (S, H, N) with padded units of value 0.

The same arithmetic as ``torch.nn.BatchNorm1d`` (statistics per unit over the rows, running ones with momentum 0.1 and
unbiased variance) and ``torch.nn.LayerNorm`` (over the units that exist).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["EPSILON", "MOMENTUM", "batch_norm", "batch_norm_backward", "layer_norm", "layer_norm_backward"]

EPSILON, MOMENTUM = 1e-5, 0.1

Saved = tuple[Tensor, ...]


def batch_norm(z: Tensor, scale: Tensor, shift: Tensor, stats: Tensor, rows: int | None) -> tuple[Tensor, Saved]:
    """Normalise each unit; ``scale``, ``shift`` (S, H), ``stats`` (2, S, H) running mean and variance.

    In training ``rows`` is the number of real rows: they make the statistics. Outside training it is None.
    """
    if rows is not None and rows < z.shape[2]:
        out, saved = batch_norm(z[:, :, :rows].contiguous(), scale, shift, stats, rows)
        return functional.pad(out, (0, z.shape[2] - rows)), saved
    S, H, N = z.shape
    # each unit becomes a channel of one long sample: the fused kernel then has the statistics we want
    out, mean, inverse = torch.native_batch_norm(
        z.reshape(1, S * H, N), scale.view(-1), shift.view(-1), stats[0].view(-1), stats[1].view(-1),
        rows is not None, MOMENTUM, EPSILON,
    )  # fmt: skip
    return out.view(S, H, N), (z, scale, mean, inverse)


def batch_norm_backward(g: Tensor, saved: Saved) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the input, the scale and the shift."""
    z, scale, mean, inverse = saved
    S, H, N = z.shape
    total = g.shape[2]
    g = g[:, :, :N]
    dz, dscale, dshift = torch.ops.aten.native_batch_norm_backward(
        g.reshape(1, S * H, N), z.reshape(1, S * H, N), scale.view(-1), None, None, mean, inverse, True, EPSILON,
        [True, True, True],
    )  # fmt: skip
    dz = functional.pad(dz.view(S, H, N), (0, total - N)) if total > N else dz.view(S, H, N)
    return dz, dscale.view(S, H), dshift.view(S, H)


def layer_norm(z: Tensor, scale: Tensor, shift: Tensor, units: Tensor, widths: Tensor) -> tuple[Tensor, Saved]:
    """Normalise each row over its units; ``units`` (S, H, 1) is 1 where one exists, ``widths`` (S, 1) their number."""
    mean = z.sum(1).div_(widths)
    centred = (z - mean[:, None]).mul_(units)
    inverse = (centred * centred).sum(1).div_(widths).add_(EPSILON).rsqrt_()
    unit = centred.mul_(inverse[:, None])
    return torch.addcmul(shift[:, :, None], unit, scale[:, :, None]), (unit, scale, inverse, widths)


def layer_norm_backward(g: Tensor, saved: Saved) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the input, the scale and the shift; those of padded units are meaningless and unused."""
    unit, scale, inverse, widths = saved
    product, weights = g * unit, (scale / widths)[:, None]
    dshift, dscale = g.sum(2), product.sum(2)
    mean, along = torch.bmm(weights, g), torch.bmm(weights, product)
    dz = torch.mul(g, scale[:, :, None], out=product).sub_(mean).addcmul_(unit, along, value=-1)
    return dz.mul_(inverse[:, None]), dscale, dshift
