"""Initial weights of a signal network: from the seed, the name and the shape of each parameter, and nothing else.

The constructors of torch draw from the generator that the whole process shares, so what they leave behind depends on
what else happened in it. Here every parameter has a generator of its own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nas_core.records import derive_seed

__all__ = ["initialise"]

NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def initialise(network: nn.Module, seed: int) -> None:
    """Draw the weights of ``network`` in place, in single precision, wherever it lies.

    * Weights of two and more dimensions: uniform within ± √(3 / inputs), a standard deviation of 1 / √inputs, which
      keeps the size of a signal through linear layers (LeCun et al. 1998, Efficient BackProp, § 4.6). The inputs of one
      unit are all dimensions but the first.
    * Embeddings: normal with standard deviation 1, and 0 for the padding word.
    * Normalisation: scale 1, shift 0, running mean 0 and variance 1. Biases: 0.
    * Other parameters of one dimension or none keep what their constructor gave them, which must be a constant.
    """
    drawn: set[int] = set()
    with torch.no_grad():
        for place, module in network.named_modules():
            if isinstance(module, NORMS):
                _reset(module)
            for name, parameter in module.named_parameters(prefix=place, recurse=False):
                if id(parameter) not in drawn and not isinstance(module, NORMS):
                    drawn.add(id(parameter))
                    _draw(module, name, parameter, seed)


def _reset(module: nn.Module) -> None:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        module.reset_running_stats()
    for name, parameter in module.named_parameters(recurse=False):
        parameter.fill_(1.0 if name == "weight" else 0.0)


def _draw(module: nn.Module, name: str, parameter: Tensor, seed: int) -> None:
    if parameter.ndim < 2:
        if "bias" in name.rpartition(".")[2]:
            parameter.zero_()
        return
    generator = torch.Generator().manual_seed(derive_seed("initial", seed, name))
    values = torch.empty(parameter.shape)
    if isinstance(module, nn.Embedding):
        values.normal_(generator=generator)
        if module.padding_idx is not None:
            values[module.padding_idx] = 0.0
    else:
        bound = math.sqrt(3 * parameter.shape[0] / parameter.numel())
        values.uniform_(-bound, bound, generator=generator)
    parameter.copy_(values)
