"""The slow twins of the cell family: cells evaluated literally, edge by edge, knowing nothing of the normal form."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional

from nas_core.data.signal import image_signal
from nas_core.records import Architecture
from nas_core.spaces import Categorical, CellConstraints, CellEdges, Integer, Real, SearchSpace, cell_space, facts

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
INPUT, POOLED = 0.7310, 0.3719
CONV, SKIP, POOL = "nor_conv_3x3", "skip_connect", "avg_pool_3x3"


def fingerprint(cell: Sequence[str]) -> frozenset[float]:
    """Return the numbers that a cell gives under every way to hand out six functions of each kind of convolution.

    The values are numbers, pooling a factor, a convolution a non-linear function of its own. Two cells that are the
    same but for the names of their convolutions give the same numbers; others do not, the numbers being generic.
    """
    narrow = [e for e, o in enumerate(cell) if o == "nor_conv_1x1"]
    wide = [e for e, o in enumerate(cell) if o == "nor_conv_3x3"]
    ways = list(itertools.product(_orders(len(narrow)), _orders(len(wide))))
    chosen = np.zeros((6, len(ways)), dtype=np.int64)
    for way, (one, three) in enumerate(ways):
        for edge, function in zip(narrow, one):
            chosen[edge, way] = function
        for edge, function in zip(wide, three):
            chosen[edge, way] = 6 + function
    nodes: dict[int, Any] = {0: np.full(len(ways), INPUT)}
    for edge, ((i, j), operation) in enumerate(zip(EDGES, cell)):
        if operation == "none" or i not in nodes:
            continue  # what nothing reaches brings nothing
        x = nodes[i]
        if operation == "avg_pool_3x3":
            x = POOLED * x
        elif operation != "skip_connect":
            x = np.sin((1.3 + 0.377 * chosen[edge]) * x + 0.211 * chosen[edge] ** 2)
        nodes[j] = nodes[j] + x if j in nodes else x
    result = nodes.get(3, np.zeros(1))
    return frozenset(np.round(result, 9).tolist())


@lru_cache(maxsize=8)
def _orders(count: int) -> list[tuple[int, ...]]:
    return list(itertools.permutations(range(6), count))


def literal(cell: Sequence[str], x: torch.Tensor, weights: dict[int, torch.Tensor]) -> torch.Tensor:
    """Return what a cell gives with ``weights`` (out, in, k, k) of the convolutions by edge, no normalisation."""
    nodes = {0: x}
    for edge, ((i, j), operation) in enumerate(zip(EDGES, cell)):
        if operation == "none" or i not in nodes:
            continue
        y = nodes[i]
        if operation == "avg_pool_3x3":
            y = functional.avg_pool2d(y, 3, stride=1, padding=1, count_include_pad=False)
        elif operation != "skip_connect":
            kernel = weights[edge].shape[-1]
            y = functional.conv2d(functional.relu(y), weights[edge], padding=kernel // 2)
        nodes[j] = nodes[j] + y if j in nodes else y
    return nodes.get(3, torch.zeros_like(x))


def ops(**edges: str) -> list[str]:
    """Return the cell with these operations, such as ``e03="skip_connect"``."""
    return [edges.get(f"e{i}{j}", "none") for i, j in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))]


def network(space: SearchSpace, a: Architecture, seed: int = 0) -> Any:
    """Return the network in eval mode, double precision, with random weights and statistics."""
    module = space.engine.module(space, a.values).double().eval().requires_grad_(False)  # type: ignore[attr-defined]
    generator = torch.Generator().manual_seed(seed)
    for name, values in module.state_dict().items():
        if "running_var" in name:
            values.uniform_(0.5, 2.0, generator=generator)
        elif values.dtype.is_floating_point:
            values.normal_(0, 0.5, generator=generator)
    return module


def random_cell(rng: np.random.Generator) -> list[str]:
    return [OPERATIONS[i] for i in rng.integers(0, 5, 6)]


def architecture(space: SearchSpace, cell: Sequence[str], **changes: Any) -> Architecture:
    known: Any = space.by_name
    values = {
        "cell": list(cell), "stages": known["stages"].low, "repeats": known["repeats"].low,
        "width": known["width"].choices[0], "optimiser": "adam", "learning_rate": 0.01, "weight_decay": 0.01, **changes,
    }  # fmt: skip
    return space.architecture(values)


def tiny_space(operations: tuple[str, ...], repeats: tuple[int, int] = (1, 2), **limits: Any) -> SearchSpace:
    """Return a space small enough to enumerate."""
    one: dict[str, Any] = {"low": 0.01, "high": 0.01, "log": True}
    return cell_space(image_signal(1, 8, 8), 2).changed(
        variables=(
            CellEdges(name="cell", operations=operations),
            Integer(name="stages", low=1, high=2),
            Integer(name="repeats", low=repeats[0], high=repeats[1]),
            Categorical(name="width", choices=(2,)),
            Categorical(name="optimiser", choices=("adam",)),
            Real(name="learning_rate", **one),
            Real(name="weight_decay", **one),
        ),
        constraints=CellConstraints(**limits),
    )


@st.composite
def constrained_spaces(draw: st.DrawFn) -> SearchSpace:
    """Return cell spaces over small images with constraints that leave some architecture."""
    signal = image_signal(draw(st.integers(1, 3)), draw(st.integers(3, 30)), draw(st.integers(3, 30)))
    space = cell_space(signal, draw(st.integers(1, 4)), draw(st.sampled_from(["balanced", "small", "nas_bench_201"])))
    operations = draw(st.lists(st.sampled_from(OPERATIONS), min_size=2, unique=True))
    edges = CellEdges(name="cell", operations=tuple(operations))
    plain = architecture(space, ["none", "none", "none", "skip_connect", "none", "none"])
    least = facts(space, plain)
    return space.changed(
        variables=(edges, *space.variables[1:]),
        constraints=CellConstraints(
            max_convolutions=draw(st.none() | st.integers(0, 4)),
            max_parameters=draw(st.none() | st.integers(1, 20).map(lambda times: times * least.parameters)),
            max_operations=draw(st.none() | st.integers(1, 20).map(lambda times: times * least.operations)),
            max_receptive_field=draw(st.none() | st.integers(max(least.receptive_field or ()), 30)),
            allow_constant=draw(st.booleans()),
        ),
    )
