"""Divide a pack among processor cores: parts that cost about the same and hold candidates of like shape."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core.spaces.tabular.layout import NetworkLayout
from nas_core.training.plan import ROWS, SECONDS_PER_MAC, SECONDS_PER_VALUE, padded, padded_units

__all__ = ["equal_shares", "layout_seconds"]

SECONDS_EACH = 6e-5
"""Of a gradient step that a candidate takes whatever its size: its outputs, its part of the optimiser, measuring it.

Measured on three tables, shares of 10 to 54 candidates: the estimate of a share is off by a fifth, with 8e-6 by half.
"""


def equal_shares(layouts: Sequence[NetworkLayout], parts: int) -> list[list[int]]:
    """Return the numbers of the candidates in each of at most ``parts`` parts, none of which is empty.

    Candidates of like shape stay together: a section of every padded shape costs its operations once more in each part
    that holds one. A part is full when it has its share of the estimated seconds.
    """
    order = sorted(range(len(layouts)), key=lambda k: (*_shape(layouts[k]), k))
    total, behind = sum(map(layout_seconds, layouts)), 0.0
    shares: list[list[int]] = [[] for _ in range(parts)]
    for k in order:
        seconds = layout_seconds(layouts[k])
        middle = behind + seconds / 2
        shares[min(parts - 1, int(parts * middle / total))].append(k)
        behind += seconds
    return [sorted(share) for share in shares if share]


def layout_seconds(layout: NetworkLayout) -> float:
    """Return the estimated seconds that a candidate adds to a gradient step of a pack, without what the pack shares."""
    seconds = SECONDS_EACH
    for group in layout.groups:
        inputs = padded(len(group.columns))
        if not group.depth:
            seconds += ROWS * inputs * SECONDS_PER_MAC
            continue
        H = padded_units(group.width)
        macs, values = H * inputs + (group.depth - 1) * H * H, group.depth * H + inputs
        seconds += ROWS * (macs * SECONDS_PER_MAC + values * SECONDS_PER_VALUE)
    return seconds


def _shape(layout: NetworkLayout) -> tuple[int, int]:
    """Return the padded units and the depth of the widest sub-network, (0, 0) where all is linear."""
    return max(((padded_units(g.width), g.depth) for g in layout.groups if g.depth), default=(0, 0))
