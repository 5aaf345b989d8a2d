"""Vectors of single-precision numbers as a type of numba: as many lanes as a register of this processor has.

numba compiles loops over numbers and leaves it to LLVM which of them become vector instructions. The kernels here hold
sixteen running sums in registers, which LLVM does not find by itself; with vectors as values they are written down.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, register_model

__all__ = [
    "LANES", "add", "at_most", "divide", "first_largest", "fma", "lane", "load", "multiply", "none", "root", "scaled",
    "spread", "store", "subtract", "total", "upto", "where_equal",
]  # fmt: skip

intrinsic: Any = extending.intrinsic
"""Untyped: kernels call an intrinsic without the context that its first argument is."""


def _features() -> dict[str, bool]:
    """Return what this processor can do, nothing where LLVM cannot tell."""
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:
        return {}


_FEATURES = _features()
LANES = 16 if _FEATURES.get("avx512f") else 8 if _FEATURES.get("avx2") else 4
"""Numbers in a vector."""

VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INT = ir.IntType(32)
_INTS = ir.VectorType(_INT, LANES)


class Lanes(types.Type):
    """The type of a vector of ``LANES`` numbers."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


lanes = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """A vector is a value of LLVM."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, VECTOR)


def address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Return the address of an element of a flat array."""
    return builder.gep(cgutils.create_struct_proxy(kind)(context, builder, array).data, [at])


def called(builder: Any, name: str, *values: Any) -> Any:
    """Return what an intrinsic function of LLVM says of vectors."""
    kind = ir.FunctionType(VECTOR, [VECTOR] * len(values))
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32")
    return builder.call(function, values)


def loaded(builder: Any, place: Any) -> Any:
    """Return the vector at an address."""
    value = builder.load(builder.bitcast(place, VECTOR.as_pointer()))
    value.align = 4
    return value


def stored(builder: Any, vector: Any, place: Any) -> None:
    """Write a vector to an address."""
    builder.store(vector, builder.bitcast(place, VECTOR.as_pointer())).align = 4


def filled(builder: Any, number: Any) -> Any:
    """Return a vector of one number."""
    nothing = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(_INTS, [0] * LANES))


@intrinsic
def load(typing: Any, array: Any, at: Any) -> Any:
    """Return the vector that begins at element ``at`` of a flat array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return loaded(builder, address(context, builder, signature.args[0], args[0], args[1]))

    return lanes(array, types.intp), code


@intrinsic
def store(typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Write a vector to a flat array from element ``at`` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        stored(builder, args[2], address(context, builder, signature.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), code


@intrinsic
def spread(typing: Any, number: Any) -> Any:
    """Return a vector of one number."""
    return lanes(types.float32), lambda context, builder, signature, args: filled(builder, args[0])


@intrinsic
def none(typing: Any) -> Any:
    """Return a vector of zeros."""
    return lanes(), lambda context, builder, signature, args: ir.Constant(VECTOR, [0.0] * LANES)


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a · b + c, rounded once."""
    return lanes(lanes, lanes, lanes), lambda context, builder, signature, args: called(builder, "fma", *args)


@intrinsic
def total(typing: Any, a: Any) -> Any:
    """Return the sum of the lanes."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, half = args[0], LANES
        while half > 1:
            half //= 2
            order = [(i + half) % LANES for i in range(LANES)]
            value = builder.fadd(
                value, builder.shuffle_vector(value, value, ir.Constant(ir.VectorType(_INT, LANES), order))
            )
        return builder.extract_element(value, ir.Constant(_INT, 0))

    return types.float32(lanes), code


@intrinsic
def lane(typing: Any, a: Any, which: Any) -> Any:
    """Return the number of one lane, counted from 0."""
    return types.float32(lanes, types.intp), lambda context, builder, signature, args: builder.extract_element(*args)


@intrinsic
def add(typing: Any, a: Any, b: Any) -> Any:
    """Return a + b."""
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fadd(*args)


@intrinsic
def subtract(typing: Any, a: Any, b: Any) -> Any:
    """Return a - b."""
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fsub(*args)


@intrinsic
def multiply(typing: Any, a: Any, b: Any) -> Any:
    """Return a · b."""
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fmul(*args)


@intrinsic
def divide(typing: Any, a: Any, b: Any) -> Any:
    """Return a / b."""
    return lanes(lanes, lanes), lambda context, builder, signature, args: builder.fdiv(*args)


@intrinsic
def at_most(typing: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """Return ``yes`` where a ≤ b, ``no`` elsewhere and where a or b is NaN."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<=", args[0], args[1]), args[2], args[3])

    return lanes(lanes, lanes, lanes, lanes), code


@intrinsic
def scaled(typing: Any, a: Any, power: Any) -> Any:
    """Return a · 2^k where ``power`` is 1.5 · 2^23 + k, with whole k from -252 to 254: its last bits are those of k."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def spread_int(number: int) -> Any:
            return ir.Constant(_INTS, [number] * LANES)

        a, power = args
        k = builder.sub(builder.bitcast(power, _INTS), spread_int(0x4B400000))
        half = builder.ashr(k, spread_int(1))  # 2^k itself may be no number of single precision
        for part in (half, builder.sub(k, half)):
            bits = builder.shl(builder.add(part, spread_int(127)), spread_int(23))
            a = builder.fmul(a, builder.bitcast(bits, VECTOR))
        return a

    return lanes(lanes, lanes), code


@intrinsic
def root(typing: Any, a: Any) -> Any:
    """Return the square root of a."""
    return lanes(lanes), lambda context, builder, signature, args: called(builder, "sqrt", *args)


@intrinsic
def first_largest(typing: Any, x: Any, largest: Any, yes: Any, no: Any) -> Any:
    """Return ``yes`` where x is larger than the largest so far, or NaN, and ``no`` elsewhere."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        larger = builder.fcmp_ordered(">", args[0], args[1])
        return builder.select(builder.or_(larger, builder.fcmp_unordered("uno", args[0], args[0])), args[2], args[3])

    return lanes(lanes, lanes, lanes, lanes), code


@intrinsic
def where_equal(typing: Any, a: Any, b: Any, yes: Any) -> Any:
    """Return ``yes`` where a is b, and 0 elsewhere."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = ir.Constant(VECTOR, [0.0] * LANES)
        return builder.select(builder.fcmp_ordered("==", args[0], args[1]), args[2], zeros)

    return lanes(lanes, lanes, lanes), code


@intrinsic
def upto(typing: Any, a: Any, count: Any) -> Any:
    """Return the first ``count`` lanes (all, where there are fewer), and 0 in the others."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ints = ir.VectorType(_INT, LANES)
        nothing = ir.Constant(ints, ir.Undefined)
        count = builder.insert_element(nothing, builder.trunc(args[1], _INT), ir.Constant(_INT, 0))
        counts = builder.shuffle_vector(count, nothing, ir.Constant(ints, [0] * LANES))
        here = builder.icmp_signed("<", ir.Constant(ints, list(range(LANES))), counts)
        return builder.select(here, args[0], ir.Constant(VECTOR, [0.0] * LANES))

    return lanes(lanes, types.intp), code
