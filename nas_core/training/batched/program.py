"""A network as a list of operations: what is computed from what, and how large it is.

The network is run once on one row while everything it calls is noted, so whatever its Python code does with its layers
is unrolled. Values are maps (height, width, channels) of each row; a vector is a map of one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nas_core.spaces.layers import Dropout, SignalNetwork

__all__ = ["INPUT", "Operation", "Program", "program_of"]

INPUT = -1
"""The number of the value that the network is given."""

EACH_CHANNEL = (
    nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.Softplus, nn.MaxPool2d, nn.AvgPool2d,
)  # fmt: skip
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
LAYERS = (*EACH_CHANNEL, *NORMS, nn.Conv2d, nn.Linear, nn.Flatten, nn.AdaptiveAvgPool2d, nn.Identity, Dropout)
KEPT = "same"  # a layer that hands on what it is given

Kind = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Operation:
    """One layer of one network.

    Attributes:
        kind: What is computed; operations of one kind and equal ``traits`` can be computed together.
        inputs: Numbers of the operations whose values it reads, :data:`INPUT` for the rows.
        shape: (height, width, channels) of its value.
        place: Name of its module in the network, "" where it has none.
        traits: What else the computation depends on, such as the size of a kernel.
    """

    kind: str
    inputs: tuple[int, ...]
    shape: tuple[int, int, int]
    place: str = ""
    traits: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Program:
    """The operations of a network in an order in which they can be computed; the last one gives the outputs.

    Attributes:
        operations: What is computed.
        given: (height, width, channels) of the rows.
    """

    operations: tuple[Operation, ...]
    given: tuple[int, int, int]

    def shape(self, number: int) -> tuple[int, int, int]:
        """Return (height, width, channels) of a value."""
        return self.given if number == INPUT else self.operations[number].shape


def program_of(network: SignalNetwork, x: Tensor) -> Program | None:
    """Return the operations of a network of images, None where it does something that is not known here.

    Args:
        network: The network; it is left as it is.
        x: (1, channels, height, width) a row, by which the sizes are found.
    """
    if x.ndim != 4:
        return None
    listener, training = _Listener(x), network.training
    hooks = [h for name, m in network.named_modules() if isinstance(m, LAYERS) for h in listener.hooks(name, m)]
    network.eval()
    try:
        with torch.no_grad(), listener:
            outputs = network(x)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    places = [o.place for o in listener.operations if o.place]
    last = len(listener.operations) - 1
    if listener.unknown or len(set(places)) < len(places) or last < 0 or listener.number(outputs) != last:
        return None
    return Program(tuple(listener.operations), _size(x))


def _size(x: Tensor) -> tuple[int, int, int]:
    """Return (height, width, channels) of a tensor (n, channels, …)."""
    return (x.shape[2], x.shape[3], x.shape[1]) if x.ndim == 4 else (1, 1, x.shape[1])


class _Listener(TorchFunctionMode):
    """Notes every layer and every function between maps that is called."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.unknown = False
        self._numbers = {id(x): INPUT}
        self._alive = [x]  # so that no other tensor gets its identity
        self._within = 0  # in how many layers, whose own functions do not count

    def number(self, value: object) -> int | None:
        """Return the number of a value, None where it is not the value of an operation."""
        return self._numbers.get(id(value))

    def hooks(self, name: str, module: nn.Module) -> list[Any]:
        """Listen to a layer."""

        def before(_module: nn.Module, _given: object) -> None:
            self._within += 1

        def after(_module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            self._within -= 1
            self._note(_layer(module), given, output, name)

        return [module.register_forward_pre_hook(before), module.register_forward_hook(after)]

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        output = func(*args, **(kwargs or {}))
        if not self._within and isinstance(output, Tensor):
            given = args[0] if isinstance(args[0], list | tuple) else [a for a in args if isinstance(a, Tensor)]
            self._note(_function(func, given, args, kwargs or {}), given, output, "")
        return output

    def _note(self, found: Kind | None, given: Sequence[Any], output: Tensor, place: str) -> None:
        inputs = [self._numbers.get(id(value)) for value in given]
        if found is None or None in inputs:
            self.unknown = True
            return
        kind, traits = found
        numbers = tuple(n for n in inputs if n is not None)
        self._alive.append(output)
        if kind == KEPT:
            self._numbers[id(output)] = numbers[0]
            return
        self._numbers[id(output)] = len(self.operations)
        self.operations.append(Operation(kind, numbers, _size(output), place, traits))


def _layer(module: nn.Module) -> Kind | None:
    """Return kind and traits of a layer."""
    if isinstance(module, nn.Conv2d):
        return _convolution(module)
    if isinstance(module, nn.Linear):
        return "linear", ()
    if isinstance(module, NORMS):
        return "norm", (module.momentum, module.eps)
    if isinstance(module, EACH_CHANNEL):
        return "each channel", (repr(module),)
    if isinstance(module, Dropout):
        return ("dropout", ()) if module.p else (KEPT, ())
    if isinstance(module, nn.Flatten):
        return "flatten", ()
    if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
        return "mean", ()
    return (KEPT, ()) if isinstance(module, nn.Identity) else None


def _convolution(module: nn.Conv2d) -> Kind | None:
    traits = (module.kernel_size, module.stride, module.padding)
    if module.dilation != (1, 1) or module.padding_mode != "zeros" or isinstance(module.padding, str):
        return None
    if module.groups == module.in_channels == module.out_channels and module.groups > 1:
        return "depthwise", traits
    return ("convolution", traits) if module.groups == 1 else None


def _function(
    func: Callable[..., Any], given: Sequence[Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Kind | None:
    """Return kind and traits of what is computed outside of layers."""
    if func is torch.cat:
        return ("join", ()) if kwargs.get("dim", args[-1]) == 1 else None
    if func in (Tensor.mean, Tensor.amax):
        if args[1:] != (1,) or kwargs != {"keepdim": True}:
            return None
        return ("channel mean" if func is Tensor.mean else "channel largest"), (given[0].shape[1],)
    if len(given) != 2 or len(args) != 2 or kwargs or given[0].ndim != 4:
        return None
    n, channels, *place = given[0].shape
    if func is Tensor.add:
        return ("sum", ()) if given[0].shape == given[1].shape else None
    if func is Tensor.mul:
        gates = {(n, channels, 1, 1): "gate", (n, 1, *place): "place gate"}
        kind = gates.get(tuple(given[1].shape))
        return (kind, ()) if kind else None
    return None
