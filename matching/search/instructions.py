# SPDX-License-Identifier: Apache-2.0
"""Instructions of the processor that Python has no word for."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _popcount(_typing: Any, _value: Any) -> Any:
    """Count the ones of a uint64: one instruction, where there is one."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emit


ones: Any = intrinsic(_popcount)


def _prefetched(_typing: Any, array: Any, place: Any) -> Any:
    """Ask the processor to fetch the start of a row; it changes nothing but time."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, arguments[0])
        first = arguments[1]
        places = [first, *[first.type(0)] * (kind.ndim - 1)]
        pointer = cgutils.get_item_pointer(context, builder, kind, held, places, wraparound=False)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, number, number, number]),
            "llvm.prefetch.p0i8",
        )
        read, keep, data = number(0), number(3), number(1)
        builder.call(fetch, [builder.bitcast(pointer, byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(array, place), emit


prefetch: Any = intrinsic(_prefetched)
