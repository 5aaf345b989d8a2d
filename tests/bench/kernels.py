"""How fast the compiled convolutions are: forwards and backwards, on one thread, beside torch.

    python tests/bench/kernels.py [batch ...]

Each line: the layer, microseconds of the kernels forwards and backwards (least of several rounds), what that comes to
in GFLOP/s over the pairs of weights and places that exist, and how often torch's time that is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.training.compiled.convolution import convolve, convolve_back
from nas_core.training.compiled.fields import (
    BACK,
    BIAS,
    BY_TAP,
    C_IN,
    C_OUT,
    FIELDS,
    NEEDS,
    OUT,
    P_IN,
    P_OUT,
    TABLE,
    TAPS,
    Memory,
)
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.tables import taps_of

SIZES = (4, 8, 28)
CHANNELS = ((1, 8), (4, 4), (6, 6), (6, 16), (8, 8), (16, 16), (32, 32))
LINEAR = ((64, 32), (1024, 120), (128, 10))
ROUNDS, SECONDS = 5, 0.01


def least(work: Callable[[], None]) -> float:
    """Return the seconds of a call of what is measured, the least of several rounds."""
    work()
    began = time.process_time()
    work()
    calls = max(1, int(SECONDS / max(time.process_time() - began, 1e-6)))
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(calls):
            work()
        rounds.append((time.process_time() - began) / calls)
    return min(rounds)


def kernels(size: int, inputs: int, outputs: int, n: int) -> tuple[Callable[[], None], Callable[[], None], int]:
    """Return the kernels of a 3 × 3 convolution (a linear layer where size is 1) and its multiplications."""
    taps = taps_of((size, size), (1, 1) if size == 1 else (3, 3), (1, 1), (0, 0) if size == 1 else (1, 1))
    N, places = -(-n // LANES) * LANES, size * size
    weights = inputs * outputs * taps.taps
    numbers = np.random.default_rng(0)
    op = np.zeros(FIELDS, dtype=np.int64)
    op[[OUT, C_IN, C_OUT, P_IN, P_OUT]] = inputs * places, inputs, outputs, places, places
    op[[BACK, BY_TAP, TAPS]] = len(taps.forward), len(taps.forward) + len(taps.back), taps.taps
    op[[BIAS, NEEDS, TABLE]] = weights, 1, 0
    values = numbers.normal(size=(inputs + outputs) * places * N).astype(np.float32)
    flat = numbers.normal(size=weights + outputs).astype(np.float32)
    empty = np.zeros(0, dtype=np.float32)
    m = Memory(
        values, values * np.float32(1e-3), flat, flat.copy(), empty, empty, np.zeros(1 << 16, dtype=np.float32),
        np.concatenate([taps.forward, taps.back, taps.by_tap]),
    )  # fmt: skip
    pairs = int(taps.forward[places])
    return lambda: convolve(op, m, N), lambda: convolve_back(op, m, N), pairs * inputs * outputs * n


def by_torch(size: int, inputs: int, outputs: int, n: int) -> Callable[[], None]:
    """Return the same forwards and backwards in torch."""
    layer: nn.Module = nn.Conv2d(inputs, outputs, 3, padding=1)
    x = torch.randn(n, inputs, size, size, requires_grad=True)
    if size == 1:
        layer, x = nn.Linear(inputs, outputs), torch.randn(n, inputs, requires_grad=True)
    slopes: list[Tensor] = [torch.randn_like(layer(x))]
    wanted = [x, *layer.parameters()]

    def both() -> None:
        torch.autograd.grad(layer(x), wanted, slopes)

    return both


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    batches = [int(text) for text in sys.argv[1:]] or [16, 32, 64, 128]
    layers = [(size, *channels) for size in SIZES for channels in CHANNELS] + [(1, *pair) for pair in LINEAR]
    print(f"LANES {LANES}\n{'layer':>16} {'n':>4} {'µs →':>9} {'µs ←':>9} {'GFLOP/s':>14} {'torch µs':>9} {'×':>6}")
    for size, inputs, outputs in layers:
        name = f"{size}×{size} {inputs}→{outputs}" if size > 1 else f"linear {inputs}→{outputs}"
        for n in batches:
            forward, back, products = kernels(size, inputs, outputs, n)
            there, and_back = least(forward), least(back)
            torchs = least(by_torch(size, inputs, outputs, n))
            speed = f"{2e-9 * products / there:5.0f} {4e-9 * products / and_back:5.0f}"
            print(
                f"{name:>16} {n:4} {there * 1e6:9.1f} {and_back * 1e6:9.1f} {speed:>14} {torchs * 1e6:9.0f}"
                f" {torchs / (there + and_back):6.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
