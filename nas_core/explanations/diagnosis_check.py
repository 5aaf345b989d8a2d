"""Whether automatic differentiation gives the slopes that finite differences of the same network give."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.diagnosis_records import GradientCheck
from nas_core.explanations.signal_candidate import SignalCandidate

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["TOLERANCE", "check_gradients"]

STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # where truncation, h², and rounding, ε/h, are equally small
TOLERANCE = 1e-4
SHRINK = (1.0, 1 / 32)
PARAMETERS, INPUTS, FEWEST = 64, 16, 8
TABLE_ROWS, SIGNAL_ROWS = 32, 4
OPERATIONS = 400_000_000
"""Multiply-adds, times rows, that the comparisons at one set of weights may cost: about a second in float64."""

Value = Callable[[], float]


def check_gradients(
    candidate: TrainedCandidate | SignalCandidate, x: Tensor, *, seed: int = 0, module: nn.Module | None = None
) -> GradientCheck:
    """Compare gradients with central differences in float64, at a seeded sample of weights and inputs.

    What is differentiated is a random projection of the outputs of a few rows. With a step of ∛ε·max(1, |w|) ≈ 6·10⁻⁶
    truncation and rounding leave relative differences of about 10⁻⁸; the tolerance of 10⁻⁴ is far above them and far
    below what a wrong derivative makes. Slopes below 10⁻⁴ of the projection's size are compared on that scale. Where
    the slopes to the left and to the right differ by more than the tolerance, even with a step 32 times smaller, a kink
    (of a ReLU, a maximum, a |weight|) lies in between: there is no gradient to compare, and the point is skipped.

    Source: central differences, Gill, Murray & Wright (1981), Practical Optimization, § 8.6.
    Costs: two predictions of a few rows per point; of a table's network only the group that changed.

    Args:
        candidate: What to look into; untouched.
        x: Encoded rows as the network takes them, N ≥ 1; the first few are used.
        seed: Decides the sample and the projection.
        module: A copy of its network in float64 that nobody else uses; left as it is. Made when None.
    """
    from copy import deepcopy

    import torch

    from nas_core.training.device import one_thread

    rng = np.random.default_rng(seed)
    table = isinstance(candidate, TrainedCandidate)
    x = x[: TABLE_ROWS if table else SIGNAL_ROWS].double().clone()
    module = (deepcopy(candidate.module).double() if module is None else module).eval()
    count = PARAMETERS
    if isinstance(candidate, SignalCandidate):
        count = int(np.clip(OPERATIONS // (2 * len(x) * max(1, candidate.facts.operations)), FEWEST, PARAMETERS))
    columns, reason = _columns(candidate, x)
    with torch.enable_grad(), one_thread():
        projected = _Projection(module, x, rng)
        slopes = projected.slopes(with_inputs=columns.size > 0)
        with torch.no_grad():
            points = _parameter_points(projected, slopes, count, rng)
            points += _input_points(projected, slopes, columns, min(INPUTS, count), rng)
            errors = [_error(point, projected.size) for point in points]
    known = [(e, point.name) for e, point in zip(errors, points) if e is not None]
    of_inputs = sum(name == "inputs" for _, name in known)
    if not known:
        reason = reason or "every sampled point lies on a kink"
    error, worst = max(known, default=(None, ""), key=lambda pair: pair[0])
    return GradientCheck(
        len(known) - of_inputs, of_inputs, len(points) - len(known), error, TOLERANCE, worst, len(x), reason
    )


class _Point:
    """One number of a tensor: what it is called, its gradient, and the projection as a function of it."""

    def __init__(self, name: str, tensor: Tensor, at: int, slope: float, value: Value) -> None:
        self.name, self.slope, self._value = name, slope, value
        self._tensor, self._at = tensor.view(-1), at
        self.here = float(self._tensor[at])

    def at(self, number: float) -> float:
        """Return the projection with this number in place of its own."""
        self._tensor[self._at] = number
        try:
            return self._value()
        finally:
            self._tensor[self._at] = self.here


class _Projection:
    """S = Σ r·f(x) with fixed random r of norm 1; ``size`` is Σ|r·f|, what rounding errors are relative to."""

    def __init__(self, module: nn.Module, x: Tensor, rng: np.random.Generator) -> None:
        import torch

        self.module, self.x = module, x
        with torch.no_grad():
            full = module(x)
            r = torch.from_numpy(rng.normal(size=tuple(full.shape)))
            self.r = r / r.norm()
            self.size = max(1.0, float((self.r * full).abs().sum()))
            groups = getattr(module, "groups", None) or ()
            self._rest = [full - group(x) for group in groups]
        self._groups = list(groups)
        self._reader = {int(c): g for g, group in enumerate(groups) for c in group.columns}

    def slopes(self, *, with_inputs: bool) -> dict[str, Tensor]:
        """Return the gradient of S by parameter name, and of the inputs where they are asked for."""
        import torch

        x = self.x.requires_grad_(with_inputs)
        named = {name: p for name, p in self.module.named_parameters() if p.numel()}
        wanted = [*named.values(), *([x] if with_inputs else [])]
        found = torch.autograd.grad((self.r * self.module(x)).sum(), wanted, allow_unused=True)
        self.x = x.detach()
        names = [*named, *(["inputs"] if with_inputs else [])]
        return {n: torch.zeros_like(w) if s is None else s for n, w, s in zip(names, wanted, found)}

    def value_of(self, name: str, column: int | None = None) -> Value:
        """Return how to compute S after a change of a tensor, or of an input: only what depends on it runs again."""
        owner = None if column is None else self._reader.get(column)
        if self._groups and name.startswith("groups."):
            owner = int(name.split(".")[1])
        if owner is None:
            return lambda: float((self.r * self.module(self.x)).sum())
        group, rest = self._groups[owner], self._rest[owner]
        return lambda: float((self.r * (rest + group(self.x))).sum())


def _columns(candidate: TrainedCandidate | SignalCandidate, x: Tensor) -> tuple[np.ndarray, str]:
    """Return the positions within a row whose inputs have a slope, and why others have none."""
    numbers = np.arange(int(np.prod(x.shape[1:])))
    if isinstance(candidate, TrainedCandidate):
        return numbers, "" if numbers.size else "it reads no feature, so there are no inputs to compare"
    if candidate.signal.vocabulary:
        return numbers[:0], "words are looked up by their number, which has no slope"
    return numbers[: candidate.signal.columns], ""  # behind them, whether a step is there: yes or no


def _parameter_points(
    projected: _Projection, slopes: dict[str, Tensor], count: int, rng: np.random.Generator
) -> list[_Point]:
    """Return up to ``count`` weights: one of each tensor, then a second … tensors in random order."""
    named = {name: p for name, p in projected.module.named_parameters() if p.numel()}
    names = list(named)
    rng.shuffle(names)
    orders = {name: rng.permutation(named[name].numel())[:count] for name in names}
    chosen = [(name, int(orders[name][k])) for k in range(count) for name in names if k < len(orders[name])][:count]
    return [
        _Point(name, named[name].data, at, float(slopes[name].reshape(-1)[at]), projected.value_of(name))
        for name, at in chosen
    ]


def _input_points(
    projected: _Projection, slopes: dict[str, Tensor], columns: np.ndarray, count: int, rng: np.random.Generator
) -> list[_Point]:
    if not columns.size:
        return []
    projected.x = projected.x.contiguous()
    rows, per_row = len(projected.x), int(np.prod(projected.x.shape[1:]))
    chosen = rng.choice(rows * columns.size, min(count, rows * columns.size), replace=False)
    places = (chosen // columns.size) * per_row + columns[chosen % columns.size]
    flat = slopes["inputs"].reshape(-1)
    return [
        _Point("inputs", projected.x, int(at), float(flat[at]), projected.value_of("inputs", int(at % per_row)))
        for at in np.sort(places)
    ]


def _error(point: _Point, size: float) -> float | None:
    """Return the relative difference of the two slopes; None at a kink."""
    floor, here = TOLERANCE * size, point.at(point.here)
    for shrink in SHRINK:
        step = STEP * max(1.0, abs(point.here)) * shrink
        up, down = point.at(point.here + step), point.at(point.here - step)
        right, left = (up - here) / step, (here - down) / step
        if abs(right - left) <= TOLERANCE * max(abs(right), abs(left), floor):
            slope = (up - down) / (2 * step)
            return abs(slope - point.slope) / max(abs(slope), abs(point.slope), floor)
    return None
