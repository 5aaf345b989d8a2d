"""Blocks of running sums: O × V vectors that stay in registers, written down as tuples of tuples of vectors.

Their sizes are part of their type, so one kernel is compiled for each size that it is given; the sums are unrolled.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types

from nas_core.training.compiled.lanes import LANES, VECTOR, address, called, filled, lanes, loaded, stored

__all__ = ["blank", "fill", "inner", "keep", "outer", "read", "scatter", "turn"]

intrinsic: Any = extending.intrinsic
_INT = ir.IntType(32)


def _each(sums: Any) -> list[tuple[int, int]]:
    """Return the places of the vectors in a block."""
    return [(o, v) for o in range(sums.count) for v in range(sums.dtype.count)]


def _put(context: Any, builder: Any, kind: Any, vectors: dict[tuple[int, int], Any]) -> Any:
    """Return a block of vectors."""
    block = ir.Constant(context.get_value_type(kind), ir.Undefined)
    for place, vector in vectors.items():
        block = builder.insert_value(block, vector, place)
    return block


def _at(builder: Any, at: Any, *parts: tuple[Any, int]) -> Any:
    """Return a place and multiples of steps beyond it."""
    for step, times in parts:
        if times:
            at = builder.add(at, builder.mul(step, ir.Constant(step.type, times)))
    return at


def _load(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    return loaded(builder, address(context, builder, kind, array, at))


def _spread(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    return filled(builder, builder.load(address(context, builder, kind, array, at)))


_LANES = ir.Constant(ir.IntType(64), LANES)


def _once(builder: Any) -> None:
    """Keep LLVM from unrolling the loop around: a block is unrolled as it is, and code takes time to compile."""
    nothing = ir.InlineAsm(ir.FunctionType(ir.VoidType(), []), "", "", side_effect=True)
    builder.call(nothing, [], attrs=("convergent", "nounwind"))


@extending.intrinsic(prefer_literal=True)
def _blank(typing: Any, outputs: Any, vectors: Any) -> Any:
    kind = types.UniTuple(types.UniTuple(lanes, vectors.literal_value), outputs.literal_value)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(kind), None)

    return kind(outputs, vectors), code


blank: Any = _blank
"""Return a block of O × V vectors of zeros; O and V are written as numbers."""


@intrinsic
def fill(typing: Any, like: Any, w: Any, at: Any, step: Any) -> Any:
    """Return a block whose vectors o hold the number ``w[at + o · step]``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, array, place, by = args
        numbers = [_spread(context, builder, w, array, _at(builder, place, (by, o))) for o in range(like.count)]
        return _put(context, builder, like, {(o, v): numbers[o] for o, v in _each(like)})

    return like(like, w, types.intp, types.intp), code


@intrinsic
def read(typing: Any, like: Any, y: Any, at: Any, step: Any) -> Any:
    """Return a block of rows of an array: o begins at ``at + o · step``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, array, place, by = args
        return _put(context, builder, like, {
            (o, v): _load(context, builder, y, array, _at(builder, place, (by, o), (_LANES, v)))
            for o, v in _each(like)
        })  # fmt: skip

    return like(like, y, types.intp, types.intp), code


@intrinsic
def keep(typing: Any, sums: Any, y: Any, at: Any, step: Any) -> Any:
    """Write a block to rows of an array, as :func:`read` reads it."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, array, place, by = args
        for o, v in _each(sums):
            to = address(context, builder, y, array, _at(builder, place, (by, o), (_LANES, v)))
            stored(builder, builder.extract_value(block, (o, v)), to)
        return context.get_dummy_value()

    return types.void(sums, y, types.intp, types.intp), code


@intrinsic
def outer(typing: Any, sums: Any, w: Any, at: Any, step: Any, x: Any, row: Any) -> Any:
    """Return the sums plus ``w[at + o · step]`` times the V vectors of x from ``row`` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, weights, place, by, values, start = args
        _once(builder)
        rows = [
            _load(context, builder, x, values, _at(builder, start, (_LANES, v))) for v in range(sums.dtype.count)
        ]  # fmt: skip
        factors = [_spread(context, builder, w, weights, _at(builder, place, (by, o))) for o in range(sums.count)]
        return _put(context, builder, sums, {
            (o, v): called(builder, "fma", factors[o], rows[v], builder.extract_value(block, (o, v)))
            for o, v in _each(sums)
        })  # fmt: skip

    return sums(sums, w, types.intp, types.intp, x, types.intp), code


@intrinsic
def inner(typing: Any, sums: Any, g: Any, g_at: Any, g_step: Any, x: Any, x_at: Any, x_step: Any) -> Any:
    """Return the sums plus vectors of g, at ``g_at + o · g_step``, times vectors of x, at ``x_at + v · x_step``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, left, at, by, right, start, stride = args
        _once(builder)
        columns = [
            _load(context, builder, x, right, _at(builder, start, (stride, v))) for v in range(sums.dtype.count)
        ]  # fmt: skip
        rows = [_load(context, builder, g, left, _at(builder, at, (by, o))) for o in range(sums.count)]
        return _put(context, builder, sums, {
            (o, v): called(builder, "fma", rows[o], columns[v], builder.extract_value(block, (o, v)))
            for o, v in _each(sums)
        })  # fmt: skip

    return sums(sums, g, types.intp, types.intp, x, types.intp, types.intp), code


def _totals(builder: Any, vectors: list[Any]) -> Any:
    """Return a vector whose lane k is the sum of the lanes of vector k: halves of two are added at a time."""
    width = LANES
    while width > 1:
        width //= 2
        starts = [i for i in range(2 * LANES) if i % (2 * width) < width]
        halves = [ir.Constant(ir.VectorType(_INT, LANES), [i + by for i in starts]) for by in (0, width)]
        pairs = list(zip(vectors[::2], vectors[1::2])) or [(vectors[0], vectors[0])]
        vectors = [builder.fadd(*(builder.shuffle_vector(a, b, half) for half in halves)) for a, b in pairs]
    return vectors[0]


@intrinsic
def scatter(typing: Any, sums: Any, w: Any, at: Any, step: Any, by: Any, add: Any) -> Any:
    """Write the total of the lanes of each vector to ``w[at + o · step + v · by]``, or add it to what is there.

    O and V are powers of two, V at most ``LANES``.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, array, place, rows, columns, more = args
        vectors = sums.dtype.count
        parts = [builder.extract_value(block, each) for each in _each(sums)]
        totals = [_totals(builder, parts[k : k + LANES]) for k in range(0, len(parts), LANES)]

        def put(value: Any, o: int, v: int) -> None:
            to = address(context, builder, w, array, _at(builder, place, (rows, o), (columns, v)))
            to = builder.bitcast(to, value.type.as_pointer())
            before = builder.select(more, builder.load(to, align=4), ir.Constant(value.type, None))
            builder.store(builder.fadd(before, value), to, align=4)

        beside = builder.icmp_signed("==", columns, ir.Constant(columns.type, 1))
        with builder.if_else(beside) as (together, apart):
            with together:
                for o in range(sums.count):
                    whole, first = divmod(o * vectors, LANES)
                    order = ir.Constant(ir.VectorType(_INT, vectors), [first + v for v in range(vectors)])
                    put(builder.shuffle_vector(totals[whole], totals[whole], order), o, 0)
            with apart:
                for k, (o, v) in enumerate(_each(sums)):
                    put(builder.extract_element(totals[k // LANES], ir.Constant(_INT, k % LANES)), o, v)
        return context.get_dummy_value()

    return types.void(sums, w, types.intp, types.intp, types.intp, types.boolean), code


@intrinsic
def turn(
    typing: Any, x: Any, places: Any, first: Any, last: Any, width: Any, at: Any, y: Any, to: Any, step: Any
) -> Any:
    """Write ``LANES`` numbers of ``LANES`` rows of x side by side: ``y[to + j · step + k] = x[row k, at + j]``.

    Row k is the one whose number is ``places[first + k]``, of ``width`` numbers. Those from ``last`` on are not there:
    zeros are written for them.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, rows, begin, end, numbers, start, out, target, by = args
        last = builder.sub(end, ir.Constant(end.type, 1))
        vectors = []
        for k in range(LANES):
            place = builder.add(begin, ir.Constant(begin.type, k))
            there = builder.icmp_signed("<=", place, last)
            row = builder.load(address(context, builder, places, rows, builder.select(there, place, last)))
            vector = _load(context, builder, x, array, builder.add(builder.mul(row, numbers), start))
            vectors.append(builder.select(there, vector, ir.Constant(VECTOR, [0.0] * LANES)))
        half = LANES // 2
        while half:  # rows k and k + half change their odd and even runs of as many numbers
            low = [i + LANES - half if i & half else i for i in range(LANES)]
            high = [i + LANES if i & half else i + half for i in range(LANES)]
            orders = [ir.Constant(ir.VectorType(_INT, LANES), order) for order in (low, high)]
            for k in [k for k in range(LANES) if not k & half]:
                pair = vectors[k], vectors[k + half]
                vectors[k], vectors[k + half] = (builder.shuffle_vector(*pair, order) for order in orders)
            half //= 2
        for j, vector in enumerate(vectors):
            place = address(context, builder, y, out, _at(builder, target, (by, j)))
            stored(builder, vector, place)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(x, places, whole, whole, whole, whole, y, whole, whole), code
