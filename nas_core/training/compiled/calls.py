"""Kernels called by their address: which one an operation needs is known when it runs, and only those are compiled.

numba compiles whatever a function calls once more into it; a step that named all kernels would take a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numba import extending, types

from nas_core.training.compiled.fields import Memory
from nas_core.training.compiled.kinds import KINDS

__all__ = ["Kernels", "addresses", "call"]

_NUMBERS, _WHOLE = types.Array(types.float32, 1, "C"), types.Array(types.int64, 1, "C")
_MEMORY = types.NamedTuple([_NUMBERS] * 7 + [types.Array(types.int32, 1, "C")], Memory)
_SIGNATURE = types.void(_WHOLE, _MEMORY, types.int64)

intrinsic: Any = extending.intrinsic
Kernels = Mapping[int, Callable[[np.ndarray, Memory, int], None]]


def addresses(used: Iterable[int], kernels: Kernels) -> np.ndarray:
    """Return (kinds,) where the kernel of each kind that is used begins, compiled if it must be, and 0 for others."""
    found = np.zeros(KINDS, dtype=np.int64)
    for kind in used:
        found[kind] = _address(kernels[kind])
    return found


@cache
def _address(kernel: Any) -> int:
    kernel.compile(_SIGNATURE)
    compiled = kernel.overloads[_SIGNATURE.args]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


@intrinsic
def call(typing: Any, address: Any, op: Any, m: Any, N: Any) -> Any:
    """Call the kernel at an address with a row, the memory and the numbers in a row."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = _SIGNATURE.args
        function = context.call_conv.get_function_type(types.none, kinds)
        context.call_conv.call_function(
            builder, builder.inttoptr(args[0], function.as_pointer()), types.none, kinds, args[1:]
        )
        return context.get_dummy_value()

    return types.void(types.int64, *_SIGNATURE.args), code
