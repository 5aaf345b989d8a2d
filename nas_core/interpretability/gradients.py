"""Attributions from gradients: integrated gradients, expected gradients (GradientSHAP), DeepLIFT.

They explain one output of a function f of torch, from encoded rows (m, D) to outputs (m, C), against baseline rows.
Values are per encoded column; :func:`by_owner` sums them per feature. A network must be in eval mode; nothing of it is
changed, no hooks are left behind and no gradients of its parameters are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

__all__ = ["Network", "by_owner", "deep_lift", "flat_network", "gradient_shap", "integrated_gradients"]

Network = Callable[["Tensor"], "Tensor"]
# Numbers pushed through a network at once: with its wider inner layers it stays within some tens of megabytes.
NUMBERS = 400_000


def integrated_gradients(
    f: Network, E: np.ndarray, base: np.ndarray, output: int | np.ndarray, nodes: int = 32
) -> np.ndarray:
    """Return φ (n, D) float64: (x − b) times the mean gradient on the line from b to x, averaged over the baselines.

    The sum over columns is f(x) − mean f(b), to 1e-4 for smooth networks with 32 nodes; where activations have kinks
    (ReLU) to about 5 % with 128.

    Source: Sundararajan et al. (2017), arXiv 1703.01365, with Gauss–Legendre quadrature.
    Costs: n·B·nodes gradients.

    Args:
        f: The function, e.g. a module in eval mode; rows (m, D) to outputs (m, C).
        E: (n, D) encoded rows to explain.
        base: (B, D) baselines of all rows, or (n, B, D) of each.
        output: Which of the C outputs is explained, one for all rows or (n,).
        nodes: Points on the line.

    Raises:
        ExplanationError: The shapes do not fit, or there is no baseline or no node.
    """
    E, bases, outputs = _checked(E, base, output)
    _positive("nodes", nodes)
    at, weights = np.polynomial.legendre.leggauss(nodes)
    at, weights = (at + 1) / 2, weights / 2
    values = np.zeros(E.shape)
    for rows in _pieces(len(E), nodes * E.shape[1]):
        for b in range(bases.shape[1]):
            start = bases[rows, b]
            step = E[rows] - start
            slopes = _gradients(f, start[:, None] + at[:, None] * step[:, None], outputs[rows])
            values[rows] += step * np.einsum("k,nkd->nd", weights, slopes)
    return values / bases.shape[1]


def gradient_shap(
    f: Network, E: np.ndarray, base: np.ndarray, output: int | np.ndarray, draws: int = 64, *, seed: int = 0
) -> np.ndarray:
    """Return φ (n, D) float64: the mean of (x − b)·∇f(b + a(x − b)) over random baselines b and random a in (0, 1).

    Every baseline is drawn as often as every other, once more at most, and a is drawn once in each of ``draws`` equal
    parts of (0, 1): that is unbiased like independent draws, and less noisy. A row has the same draws beside any other.

    Source: Erion et al. (2021), arXiv 1906.10670 (expected gradients); Lundberg & Lee (2017).
    Differs: stratified draws.
    Costs: n·draws gradients.

    Args:
        f, E, base, output: See :func:`integrated_gradients`.
        draws: Random points per row.
        seed: Of the draws.

    Raises:
        ExplanationError: The shapes do not fit, or there is no baseline or no draw.
    """
    E, bases, outputs = _checked(E, base, output)
    _positive("draws", draws)
    n, count, D = bases.shape
    values = np.zeros((n, D))
    for rows in _pieces(n, draws * D):
        drawn = [_drawn(count, draws, np.random.default_rng((seed, i))) for i in range(n)[rows]]
        start = np.stack([bases[i, chosen] for i, (chosen, _) in zip(range(n)[rows], drawn)])
        step = E[rows][:, None] - start
        slopes = _gradients(f, start + np.stack([a for _, a in drawn])[..., None] * step, outputs[rows])
        values[rows] = (step * slopes).mean(1)
    return values


def deep_lift(f: Network, E: np.ndarray, base: np.ndarray, output: int | np.ndarray, nodes: int = 32) -> np.ndarray:
    """Return φ (n, D) float64 of DeepLIFT by the rescale rule, averaged over the baselines.

    The sum over columns is f(x) − mean f(b) to rounding where the network is made of linear maps, activations, products
    and maxima, and to the quadrature's error where it has layer normalisation, softmax or recurrent layers.

    Source: Shrikumar et al. (2017), arXiv 1704.02685.
    Differs: operations of several numbers have their mean slope between baseline and row (see ``rescale``), while
    captum's DeepLift passes plain gradients through layers that it does not know, GELU and SiLU among them.
    Costs: two predictions and one gradient of n·B rows, plus ``nodes`` of each recurrent, attention or normalising
    layer.

    Args:
        f, E, base, output: See :func:`integrated_gradients`.
        nodes: Points for operations without a closed form.

    Raises:
        ExplanationError: The shapes do not fit, there is no baseline or node, or f mixes its rows.
    """
    from nas_core.interpretability.rescale import RescaleRule

    E, bases, outputs = _checked(E, base, output)
    _positive("nodes", nodes)
    n, count, D = bases.shape
    against, which = bases.reshape(-1, D), np.repeat(outputs, count)
    step = np.repeat(E, count, axis=0) - against
    values = np.zeros((n * count, D))
    for rows in _pieces(n * count, 2 * D):
        with _differentiable(f) as tensor:
            x = tensor(np.concatenate([against[rows] + step[rows], against[rows]])).requires_grad_()
            with RescaleRule(x, nodes):
                found = f(x)
            half = len(x) // 2
            values[rows] = step[rows] * _slopes(found[:half], x, which[rows])[:half]
    return values.reshape(n, count, D).mean(1)


def by_owner(values: np.ndarray, owner: np.ndarray, P: int) -> np.ndarray:
    """Return the values (n, D) of columns summed per feature, (n, P); ``owner`` (D,) is the feature of each column."""
    summed = np.zeros((len(values), P))
    np.add.at(summed.T, np.asarray(owner), np.asarray(values, float).T)
    return summed


def flat_network(module: nn.Module, shape: tuple[int, ...]) -> Network:
    """Return a network of images or sequences as a function of flat encoded rows (m, D), D numbers of that shape."""

    def function(E: Tensor) -> Tensor:
        outputs: Tensor = module(E.reshape(-1, *shape))
        return outputs

    function.module = module  # type: ignore[attr-defined]
    return function


def _drawn(count: int, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return which of ``count`` baselines to use in each draw, and where on the line, (draws,) each."""
    rounds = -(-draws // count)
    chosen = rng.permuted(np.tile(np.arange(count), (rounds, 1)), axis=1).reshape(-1)[:draws]
    return chosen, (rng.permutation(draws) + rng.random(draws)) / draws


def _gradients(f: Network, points: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the gradients (n, k, D) float64 of the given output (n,) of each row at k points of it (n, k, D)."""
    flat, which = points.reshape(-1, points.shape[-1]), np.repeat(outputs, points.shape[1])
    found = np.zeros(flat.shape)
    for some in _pieces(len(flat), flat.shape[1]):
        with _differentiable(f) as tensor:
            x = tensor(flat[some]).requires_grad_()
            found[some] = _slopes(f(x), x, which[some])
    return found.reshape(points.shape)


def _slopes(outputs: Tensor, x: Tensor, which: np.ndarray) -> np.ndarray:
    """Return the gradient of one output of each row with respect to x; zeros where f does not depend on it."""
    import torch

    chosen = outputs.gather(1, torch.as_tensor(which, device=outputs.device)[:, None]).sum()
    if not chosen.requires_grad:
        return np.zeros(x.shape)
    (slopes,) = torch.autograd.grad(chosen, x, allow_unused=True)
    return np.zeros(x.shape) if slopes is None else np.asarray(slopes.double().cpu().numpy())


@contextmanager
def _differentiable(f: Network) -> Iterator[Callable[[np.ndarray], Tensor]]:
    """Compute with gradients on one thread; lends the conversion to tensors of the kind that f reads."""
    import torch

    # cuDNN gives no gradients of recurrent layers in eval mode
    device, dtype = _place(f)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            yield lambda values: torch.tensor(values, dtype=dtype, device=device)
    finally:
        torch.set_num_threads(threads)


def _place(f: Network) -> tuple[torch.device, torch.dtype]:
    """Return where a network computes and in which precision; float64 on the processor for a plain function."""
    import torch

    module = getattr(f, "module", f)
    if isinstance(module, torch.nn.Module):
        for parameter in module.parameters():
            if parameter.is_floating_point():
                return parameter.device, parameter.dtype
    return torch.device("cpu"), torch.float64


def _pieces(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, NUMBERS // max(1, columns))
    yield from (slice(at, at + step) for at in range(0, rows, step))


def _positive(name: str, count: int) -> None:
    if count < 1:
        raise ExplanationError(f"{name} is {count}", allowed="1 or more", fix="choose for example 32")


def _checked(E: np.ndarray, base: np.ndarray, output: int | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows (n, D), baselines (n, B, D) and outputs (n,)."""
    E, base = np.asarray(E, float), np.asarray(base, float)
    shared = base.ndim == 2
    fits = E.ndim == 2 and base.ndim in (2, 3) and base.shape[-1] == E.shape[1] and base.shape[-2] > 0
    if not fits or (not shared and len(base) != len(E)):
        raise ExplanationError(
            f"The rows have the shape {E.shape} and the baselines {base.shape}",
            allowed="(n, D) rows and (B, D) or (n, B, D) baselines, B ≥ 1",
            fix="encode both with the problem's encoder",
        )
    bases = np.broadcast_to(base, (len(E), *base.shape[-2:])) if shared else base
    return E, bases, np.broadcast_to(np.asarray(output, np.int64), (len(E),))
