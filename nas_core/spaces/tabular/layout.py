"""The parameters of a feature-group network: names, shapes, signs, masks and initialisation, without torch.

One description serves both the readable module of one candidate and the packed training of many, so that they cannot
disagree. Letters: d columns of a group, H hidden units, C outputs, G groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from nas_core.records import Architecture, derive_seed

__all__ = ["Block", "ColumnMap", "GroupLayout", "NetworkLayout", "network_layout"]


class ColumnMap(Protocol):
    """Where the columns of a feature lie in the bank of encoded columns (an Encoder is one)."""

    @property
    def monotone(self) -> np.ndarray:
        """(D,) True where a column is a non-decreasing function of its feature."""

    def columns(self, encoding: str, feature: int, /) -> np.ndarray:
        """Return the indices in the bank of the columns of ``feature`` under ``encoding``."""


@dataclass(frozen=True)
class Block:
    """One parameter tensor.

    Attributes:
        name: Key in the module's state dict.
        kind: input (H, d), hidden (H, H), read (C, d or H), bias (H), scale (H), shift (H) or offset (C).
        layer: Hidden layer it belongs to, 1 … depth; for ``read`` the layer it reads, 0 being the input.
        bound, centre: Initial values are uniform in centre ± bound.
        sign: Same shape, −1 / 0 / +1; where it is not 0 the network uses sign·|value|.
        mask: Same shape; where it is False the parameter is 0 for ever.
        decays: True when weight decay applies.
    """

    name: str
    kind: str
    layer: int
    shape: tuple[int, ...]
    bound: float
    centre: float = 0.0
    sign: np.ndarray | None = None
    mask: np.ndarray | None = None
    decays: bool = False

    @cached_property
    def size(self) -> int:
        """Number of values, masked ones included."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class GroupLayout:
    """The sub-network of one feature group; ``unit_sign`` (H,) is +1 / −1 in a monotone group, else None."""

    index: int
    features: tuple[int, ...]
    spans: tuple[int, ...]
    columns: np.ndarray
    depth: int
    width: int
    activation: str
    normalisation: str
    residual: bool
    dropout: float
    unit_sign: np.ndarray | None
    blocks: tuple[Block, ...]

    @property
    def linear(self) -> bool:
        """True when the output is a weighted sum of the columns."""
        return self.depth == 0

    @property
    def stats_size(self) -> int:
        """Number of running statistics of batch normalisation: mean and variance of every hidden unit."""
        return 2 * self.width * self.depth if self.normalisation == "batch" else 0

    @property
    def stats_names(self) -> tuple[str, ...]:
        """Keys of the running statistics (H,) in the module's state dict, in canonical order."""
        layers = range(self.depth if self.stats_size else 0)
        kinds = ("running_mean", "running_var")
        return tuple(f"groups.{self.index}.layers.{layer}.norm.{kind}" for layer in layers for kind in kinds)


@dataclass(frozen=True)
class NetworkLayout:
    """All parameters of one candidate in canonical order: the output bias, then group by group."""

    outputs: int
    groups: tuple[GroupLayout, ...]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every parameter tensor in canonical order."""
        offset = Block("bias", "offset", 0, (self.outputs,), 0.0)
        return (offset, *(block for group in self.groups for block in group.blocks))

    @cached_property
    def size(self) -> int:
        """Length of the flat parameter vector, masked values included."""
        return sum(block.size for block in self.blocks)

    @cached_property
    def stats_size(self) -> int:
        """Number of running statistics of all groups."""
        return sum(group.stats_size for group in self.groups)

    @property
    def parameters(self) -> int:
        """Number of trainable parameters (masked values are none)."""
        return sum(block.size if block.mask is None else int(block.mask.sum()) for block in self.blocks)


def network_layout(architecture: Architecture, columns: ColumnMap, outputs: int) -> NetworkLayout:
    """Describe the network of ``architecture`` on the bank of ``columns`` with C = ``outputs`` outputs."""
    values = architecture.values
    groups = []
    for index, group in enumerate(values["groups"]):
        groups.append(_group_layout(architecture, index, group, columns, outputs, len(values["groups"])))
    return NetworkLayout(outputs, tuple(groups))


def _group_layout(
    architecture: Architecture, index: int, group: Mapping[str, Any], columns: ColumnMap, outputs: int, count: int
) -> GroupLayout:
    values = architecture.values
    features = tuple(int(f) for f in group["features"])
    parts = [np.asarray(columns.columns(values["encoding"], f), dtype=np.int64) for f in features]
    chosen = np.concatenate(parts)
    signs = _column_signs(values["marks"], features, parts, np.asarray(columns.monotone))
    depth = 0 if group["linear"] else int(values["depth"])
    width = int(values["width"]) if depth else 0
    units = None
    if depth and signs.any():
        units = np.where(np.arange(width) < (width + 1) // 2, 1, -1).astype(np.int8)
    maker = _BlockMaker(architecture, f"groups.{index}.", len(chosen), depth, width, outputs, count, signs, units)
    return GroupLayout(
        index=index, features=features, spans=tuple(len(p) for p in parts), columns=chosen, depth=depth, width=width,
        activation=values["activation"], normalisation=values["normalisation"],
        residual=values["connections"] == "residual", dropout=float(values["dropout"]) if depth else 0.0,
        unit_sign=units, blocks=tuple(maker.blocks()),
    )  # fmt: skip


def _column_signs(
    marks: Mapping[str, int], features: tuple[int, ...], parts: list[np.ndarray], monotone: np.ndarray
) -> np.ndarray:
    """(d,) mark of each column: the mark of its feature where the column is non-decreasing, else 0 (free)."""
    signs = [np.where(monotone[part], int(marks.get(str(f), 0)), 0) for f, part in zip(features, parts, strict=True)]
    return np.concatenate(signs).astype(np.int8)


@dataclass(frozen=True)
class _BlockMaker:
    """Lists the blocks of one group; ``signs`` (d,) are the marks of the columns, ``units`` (H,) the unit signs."""

    architecture: Architecture
    prefix: str
    d: int
    depth: int
    width: int
    outputs: int
    count: int
    signs: np.ndarray
    units: np.ndarray | None

    def blocks(self) -> Iterator[Block]:
        for layer in range(1, self.depth + 1):
            yield from self._layer(layer)
        dense = self.depth > 0 and self.architecture.values["connections"] == "dense"
        read = range(self.depth + 1) if dense else (self.depth,)
        fan_in = sum(self.width if layer else self.d for layer in read)
        for layer in read:
            yield self._read(layer, fan_in)

    def _layer(self, layer: int) -> Iterator[Block]:
        prefix, values, H = f"{self.prefix}layers.{layer - 1}.", self.architecture.values, self.width
        fan_in, kind, sign, mask = self.d, "input", None, None
        if layer > 1:
            fan_in, kind = H, "hidden"
            mask = self._sparse_mask(layer) if values["connections"] == "sparse" else None
        if self.units is not None:
            sign = np.outer(self.units, self.units if layer > 1 else self.signs).astype(np.int8)
        effective = fan_in if mask is None else int(mask[0].sum())
        bound = _weight_bound(effective, values["activation"], self.units is not None)
        yield Block(prefix + "linear.weight", kind, layer, (H, fan_in), bound, sign=sign, mask=mask, decays=True)
        if values["normalisation"] != "batch":  # batch normalisation subtracts any bias again
            yield Block(prefix + "linear.bias", "bias", layer, (H,), 1 / math.sqrt(effective))
        if values["normalisation"] != "none":
            positive = None if self.units is None else np.ones(H, dtype=np.int8)
            yield Block(prefix + "norm.weight", "scale", layer, (H,), 0.0, centre=1.0, sign=positive)
            yield Block(prefix + "norm.bias", "shift", layer, (H,), 0.0)

    def _sparse_mask(self, layer: int) -> np.ndarray:
        """(H, H) mask in which every unit keeps half of its inputs, fixed by the architecture's identity."""
        rng = np.random.default_rng(derive_seed(self.architecture.id, "sparse", self.prefix, layer))
        kept = rng.random((self.width, self.width)).argsort(axis=1) < max(1, self.width // 2)
        return kept

    def _read(self, layer: int, fan_in: int) -> Block:
        sign = None
        if layer and self.units is not None:
            sign = np.tile(self.units, (self.outputs, 1))
        elif not layer and self.signs.any():
            sign = np.tile(self.signs, (self.outputs, 1))
        bound = math.sqrt(3 / fan_in) if sign is None else min(math.sqrt(3 / fan_in), 4 / fan_in)
        size = self.width if layer else self.d
        return Block(
            f"{self.prefix}reads.{layer}.weight", "read", layer, (self.outputs, size),
            bound / math.sqrt(self.count), sign=sign, decays=True,
        )  # fmt: skip


def _weight_bound(fan_in: int, activation: str, constrained: bool) -> float:
    """Half-width of the uniform initial weights: He for rectifiers, LeCun otherwise.

    Constrained weights of one sign add up coherently, so theirs shrink like 1/fan_in instead of 1/√fan_in.
    """
    bound = math.sqrt((6 if activation in ("relu", "gelu", "silu") else 3) / fan_in)
    return min(bound, 4 / fan_in) if constrained else bound
