"""Dead and saturated units, and how weights and activations are distributed. Letters: M rows × places, U units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.diagnosis_layers import Layer
from nas_core.explanations.diagnosis_records import Histogram, Units

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["BINS", "FLAT", "OFTEN", "histogram", "layer_units", "watched"]

CONSTANT = 1e-6
"""Range of a unit over the rows, relative to its largest value (1 at least), up to which it counts as constant."""
FLAT, OFTEN = 1e-3, 0.95
"""Slope, as a share of the steepest, below which a row saturates a unit; share of rows from which the unit is."""
BINS, RARE = 30, 0.005
SAMPLE = 20_000
GATES = {
    "GRU": ("reset gate", "update gate", "candidate state"),
    "LSTM": ("input gate", "forget gate", "cell input", "output gate"),
}
Seen = dict[str, tuple["Tensor", "Tensor"]]


def watched(module: nn.Module, names: Sequence[str], x: Tensor) -> tuple[Tensor, Seen]:
    """Return the outputs (N, C) for x, and what goes into and comes out of the named submodules."""
    import torch

    from nas_core.training.device import one_thread

    found: Seen = {}
    hooks = [module.get_submodule(name).register_forward_hook(_keeper(found, name)) for name in dict.fromkeys(names)]
    try:
        with torch.no_grad(), one_thread():
            return module(x), found
    finally:
        for hook in hooks:
            hook.remove()


def layer_units(
    module: nn.Module, layer: Layer, seen: Seen, present: Tensor | None, *, alike: bool
) -> tuple[tuple[Units, ...], np.ndarray]:
    """Return the units of a layer, and its activations (any number,) over rows and places.

    A unit is dead when it is the same on every row and place, within 10⁻⁶ of its size (a ReLU: zero everywhere).
    A unit is saturated when the slope of its activation function is below a thousandth of the steepest on at least
    95 % of the rows and places: no gradient to speak of passes it. Gates of recurrent layers are recomputed from
    their inputs and states; the slope of an attention weight p is p·(1 − p).

    Source: Glorot & Bengio (2010), § 3 (saturation); Lu et al. (2019), Dying ReLU, arXiv 1903.06733.

    Args:
        module: The network.
        layer: The layer.
        seen: As :func:`watched` gives it.
        present: (N, steps) bool, where a padded sequence has a step; None where nothing is padded.
        alike: Whether all rows are the same, so that they cannot tell what is constant.
    """
    found: list[Units] = []
    for name in layer.sites:
        site, backwards = module.get_submodule(name), name.endswith("backwards")
        found += _of_site(site, *seen[name], present, alike=alike, backwards=backwards)
    shown = [seen[n][1] for n in layer.sites if _elementwise(module.get_submodule(n))]
    last = shown[-1] if shown else seen[layer.station][1]
    if not shown:
        found.insert(0, _units("output", last, None, present, alike=alike))
    return tuple(found), _flat(last, present).reshape(-1).double().cpu().numpy()


def histogram(values: np.ndarray) -> Histogram | None:
    """Return the distribution of ``values`` in :data:`BINS` bins; the rarest 0.5 % at either end are counted outside.

    Numbers that are not finite count as outside too. None where there is no finite number.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    some = finite[:: max(1, finite.size // SAMPLE)]
    low, high = np.quantile(some, [RARE, 1 - RARE])
    if high - low <= 1e-12 * max(1.0, abs(low), abs(high)):
        room = max(abs(low), 1.0) * 0.5
        low, high = low - room, high + room
    counts, edges = np.histogram(finite, BINS, (float(low), float(high)))
    below = int((finite < low).sum() + np.isneginf(values).sum() + np.isnan(values).sum())
    above = int((finite > high).sum() + np.isposinf(values).sum())
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()), below, above, int(values.size))


def _of_site(
    site: nn.Module, given: Tensor, made: Tensor, present: Tensor | None, *, alike: bool, backwards: bool
) -> Iterator[Units]:
    from torch import nn

    from nas_core.spaces.sequence.blocks import Weights

    if isinstance(site, (nn.GRU, nn.LSTM)):
        for gate, values, steep in _gates(site, given, made):
            name = f"{gate}, backwards" if backwards else gate
            yield _units(name, values.transpose(1, 2), steep.transpose(1, 2), present, alike=alike, what="gates")
    elif isinstance(site, Weights):
        yield _attention(made, present, alike=alike)
    else:
        slopes = None if isinstance(site, nn.ReLU) else _slopes(site, given)
        yield _units(type(site).__name__.lower(), made, slopes, present, alike=alike)


def _units(
    function: str, made: Tensor, slopes: Tensor | None, present: Tensor | None, *, alike: bool, what: str = ""
) -> Units:
    """Return the units of one function; ``slopes`` are relative to its steepest, None where it has no flat end."""
    what = what or ("maps" if made.ndim > 2 else "outputs" if function == "output" else "units")
    values = _flat(made, present)
    if alike or len(values) < 2:
        return Units(function, what, values.shape[1], None, None, reason="all rows are the same")
    low, high = values.amin(0), values.amax(0)
    dead = high - low <= CONSTANT * values.abs().amax(0).clamp(min=1.0)
    if function == "relu":
        dead = high == 0
    flat = None
    if slopes is not None:
        flat = ((_flat(slopes, present).abs() < FLAT).double().mean(0) >= OFTEN) & ~dead
    dead_at = tuple(dead.nonzero()[:, 0].tolist())
    saturated_at = () if flat is None else tuple(flat.nonzero()[:, 0].tolist())
    return Units(function, what, values.shape[1], len(dead_at), None if flat is None else len(saturated_at), dead_at,
                 saturated_at)  # fmt: skip


def _flat(tensor: Tensor, present: Tensor | None) -> Tensor:
    """Return (M, U) from (N, U), (N, U, steps) or (N, U, height, width); steps that are padding are left out."""
    if tensor.ndim == 2:
        return tensor
    rows = tensor.flatten(2).transpose(1, 2)
    if present is not None and rows.shape[:2] == present.shape:
        return rows[present]
    return rows.reshape(-1, tensor.shape[1])


def _slopes(site: nn.Module, given: Tensor) -> Tensor:
    """Return |f'| at what went in, relative to its largest value anywhere on [−30, 30]."""
    import torch

    def slope(z: Tensor) -> Tensor:
        with torch.enable_grad():
            z = z.detach().clone().requires_grad_()
            (found,) = torch.autograd.grad(site(z).sum(), z)
        return found.abs()

    steepest = slope(torch.linspace(-30, 30, 3001, dtype=given.dtype)[:, None].expand(-1, 1)).max()
    return slope(given) / steepest.clamp(min=1e-30)


def _gates(site: nn.Module, x: Tensor, states: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield name, values and relative slopes (N, steps, H) of each gate, from the inputs and the states around it.

    Gates read a step and the state before it, so the states of one pass give all of them.
    """
    import torch
    from torch import nn

    assert isinstance(site, nn.RNNBase)
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
    with torch.no_grad():
        w = dict(site.named_parameters())
        own = torch.nn.functional.linear(x, w["weight_ih_l0"], w["bias_ih_l0"]).chunk(len(GATES[site.mode]), -1)
        back = torch.nn.functional.linear(before, w["weight_hh_l0"], w["bias_hh_l0"]).chunk(len(own), -1)
        reset = torch.sigmoid(own[0] + back[0])
        for at, name in enumerate(GATES[site.mode]):
            if name in ("candidate state", "cell input"):
                bent = torch.tanh(own[at] + (reset * back[at] if site.mode == "GRU" else back[at]))
                yield name, bent, 1 - bent.square()
            else:
                gate = torch.sigmoid(own[at] + back[at])
                yield name, gate, 4 * gate * (1 - gate)


def _attention(weights: Tensor, present: Tensor | None, *, alike: bool) -> Units:
    """Return the heads of attention weights (N, heads, steps, steps) or (N, steps).

    A dead head looks at all steps alike, a saturated one at a single step.
    """
    heads = weights if weights.ndim == 4 else weights[:, None, None]
    slopes = (4 * heads * (1 - heads)).amax(-1)  # (N, heads, steps that look)
    several = present.sum(1) > 1 if present is not None else (heads[:, 0, 0] >= 0).sum(1) > 1
    if alike or not bool(several.any()):
        reason = "all rows are the same" if alike else "no row has two steps to choose from"
        return Units("attention", "heads", heads.shape[1], None, None, reason=reason)
    slopes = slopes[several]
    heads, here = heads[several], None if present is None else present[several]
    looking = here if weights.ndim == 4 else None
    share = (_flat(slopes, looking) < FLAT).double().mean(0)
    least = heads if here is None else heads.masked_fill(~here[:, None, None], 1.0)  # weights of padding are 0
    spread = _flat(heads.amax(-1) - least.amin(-1), looking).amax(0)
    saturated, dead = share >= OFTEN, spread <= CONSTANT
    dead_at, saturated_at = (tuple(v.nonzero()[:, 0].tolist()) for v in (dead, saturated))
    return Units("attention", "heads", heads.shape[1], len(dead_at), len(saturated_at), dead_at, saturated_at)


def _elementwise(site: nn.Module) -> bool:
    from torch import nn

    from nas_core.spaces.sequence.blocks import Weights

    return not isinstance(site, (nn.GRU, nn.LSTM, Weights))


def _keeper(found: Seen, name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
    """Return a hook that keeps what goes into a submodule and what comes out."""

    def hook(_module: nn.Module, given: tuple[object, ...], output: object) -> None:
        import torch

        made = output[0] if isinstance(output, tuple) else output
        first = given[0] if given else made
        if isinstance(made, torch.Tensor) and isinstance(first, torch.Tensor):
            found[name] = (first.detach(), made.detach())

    return hook
