"""Start from a parent's trained weights, where they fit; everything else keeps the initial values of its own seed.

Networks of tables inherit sub-network by sub-network: one that reads the same columns and is built in the same way
starts as the parent's ended, running statistics included; as soon as one does, so does the output bias. Networks of
images and sequences inherit entry by entry of the state dict, by name and shape (after Real et al. 2017, arXiv
1703.01041, and Elsken et al. 2019, arXiv 1804.09081, who begin children from their parents' weights).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.tabular.layout import Block, ColumnMap, GroupLayout, NetworkLayout, network_layout
from nas_core.training.progress import Parent

__all__ = ["fill", "inherit_entries", "inherited_groups"]

Weights = Mapping[str, np.ndarray]


def inherited_groups(
    layout: NetworkLayout, parents: Sequence[Parent], columns: ColumnMap
) -> tuple[str, dict[str, np.ndarray]]:
    """Return the first parent of whom a sub-network fits, and the values taken over by the names of ``layout``.

    Returns:
        The parent's identity and the values; empty, both of them, where nothing fits.
    """
    for parent in parents:
        found = _fitting(layout, network_layout(parent.architecture, columns, layout.outputs), parent.weights)
        if found:
            return parent.architecture.id, found
    return "", {}


def fill(layout: NetworkLayout, values: Weights, flat: Tensor, stats: Tensor) -> None:
    """Write values by name over the flat parameters (size,) and running statistics (stats_size,) of one candidate."""
    start = 0
    for block in layout.blocks:
        if block.name in values:
            flat[start : start + block.size] = _tensor(values[block.name]).reshape(-1)
        start += block.size
    start = 0
    for group in layout.groups:
        for name in group.stats_names:
            if name in values:
                stats[start : start + group.width] = _tensor(values[name])
            start += group.width


def inherit_entries(network: nn.Module, parents: Sequence[Parent]) -> str:
    """Copy what fits of the first parent of whom a weight fits into ``network``; return its identity, or nothing.

    An entry fits that has the same name and shape. Biases and normalisation alone are no inheritance.
    """
    own = {name: values for name, values in network.state_dict().items() if values.is_floating_point()}
    for parent in parents:
        fitting = [n for n, t in own.items() if n in parent.weights and parent.weights[n].shape == tuple(t.shape)]
        if any(own[name].ndim > 1 for name in fitting):
            with torch.no_grad():
                for name in fitting:
                    own[name].copy_(_tensor(parent.weights[name]))
            return parent.architecture.id
    return ""


def _fitting(layout: NetworkLayout, old: NetworkLayout, weights: Weights) -> dict[str, np.ndarray]:
    """Return what the groups of ``layout`` take from those of ``old`` with its ``weights``."""
    twins = {group.features: group for group in old.groups}
    found: dict[str, np.ndarray] = {}
    for group in layout.groups:
        twin = twins.get(group.features)
        if twin is None or not _alike(group, twin):
            continue
        pairs = dict(zip(_names(group), _names(twin), strict=True))
        if all(name in weights for name in pairs.values()):
            found |= {own: weights[name] for own, name in pairs.items()}
    if found and "bias" in weights:
        found["bias"] = weights["bias"]
    return found


def _alike(one: GroupLayout, other: GroupLayout) -> bool:
    """Return whether two sub-networks compute the same function of the same columns when they have the same weights."""
    if (one.depth, one.width) != (other.depth, other.width) or not np.array_equal(one.columns, other.columns):
        return False
    inside = [(g.activation, g.normalisation, g.residual) for g in (one, other)]
    if one.depth and inside[0] != inside[1]:
        return False
    return len(one.blocks) == len(other.blocks) and all(map(_same, one.blocks, other.blocks))


def _same(one: Block, other: Block) -> bool:
    """Return whether two blocks are the same parameter: of one shape, with the same signs and the same zeros."""
    if (one.kind, one.layer, one.shape) != (other.kind, other.layer, other.shape):
        return False
    pairs = ((one.sign, other.sign), (one.mask, other.mask))
    return all(np.array_equal(a, b) if a is not None and b is not None else a is b for a, b in pairs)


def _names(group: GroupLayout) -> list[str]:
    return [*(block.name for block in group.blocks), *group.stats_names]


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))
