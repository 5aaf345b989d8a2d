"""A network of torch behind a function that predicts: its gradients with respect to the rows as they were given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from nas_core.interpretability.black_box import BlackBox, Unusable
from nas_core.interpretability.gradients import Network, deep_lift, gradient_shap, integrated_gradients

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NODES", "by_all_methods", "integrated"]

# Points on the line from baseline to row, as in ``explained_rows``.
NODES = 16


def integrated(box: BlackBox, rows: np.ndarray, baselines: np.ndarray, explained: np.ndarray) -> np.ndarray:
    """Return integrated gradients (r, P) of one output (r,) of each row, from the mean of the baselines (B, P).

    Raises:
        Unusable: The function is no network, or has no gradients.
    """
    with _network(box) as network:
        return integrated_gradients(network, rows, baselines.mean(0, keepdims=True), explained, NODES)


def by_all_methods(
    box: BlackBox, rows: np.ndarray, baselines: np.ndarray, explained: np.ndarray, seed: int
) -> tuple[np.ndarray, ...]:
    """Return integrated gradients, GradientSHAP and DeepLIFT, (r, P) each; see :func:`integrated`."""
    mean = baselines.mean(0, keepdims=True)
    with _network(box) as network:
        return (
            integrated_gradients(network, rows, mean, explained, NODES),
            gradient_shap(network, rows, baselines, explained, len(baselines), seed=seed),
            deep_lift(network, rows, mean, explained, NODES),
        )


@contextmanager
def _network(box: BlackBox) -> Iterator[Network]:
    """Lend the network in eval mode; what it raises is the reason of a measure."""
    module = box.module
    if module is None:
        raise Unusable("it needs gradients, and of a plain function there are predictions only")

    def function(E: Tensor) -> Tensor:
        outputs: Tensor = module(E).reshape(len(E), -1)
        return outputs[:, 1:] - outputs[:, :1] if box.given != box.outputs else outputs

    function.module = module  # type: ignore[attr-defined]
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield function
    except Exception as error:
        raise Unusable(f"its gradients cannot be computed ({type(error).__name__}: {error})") from error
    finally:
        for part, training in modes:
            part.training = training
