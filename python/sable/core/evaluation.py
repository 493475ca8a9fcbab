"""Ops and functions on concrete arrays: by NumPy on the CPU; by compiling them: calls, loops, branches, other devices."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.errors import JaxRuntimeError
from sable.ir.aval import Aval
from sable.ir.function import Function
from sable.ir.location import user_line
from sable.ir.narrow import reference
from sable.ir.op import Op, infer
from sable.runtime import native_kernels

from . import watch
from .array import Array, cpu_device
from .placement import common_device
from .preparation import op_function
from .state import STATE


def evaluate(op: Op, values: Sequence[Any], params: dict) -> Any:
    """Compute an op on arrays now: by NumPy on the CPU, compiled where the row says so, elsewhere, and if it names functions."""
    if config.eager_key is None:
        return _evaluate_watched(op, values, params)
    if op.functions:
        return run_op(op, values, params)
    for x in values:
        if x._device is not None or x.committed:
            return _evaluate_placed(op, values, params)
    return _evaluate_on_cpu(op, values, params)


def _evaluate_on_cpu(op: Op, values: Sequence[Any], params: dict) -> Any:
    if op.eager is not None and op.eager.is_long([x.aval for x in values], params):
        return compiled(op, values, params)
    avals = tuple([x.aval for x in values])
    out = infer(op, avals, params)
    arrays = [x.numpy() for x in values]
    try:
        if op.native is None:
            outs = out if op.multiple_results else (out,)
            result = STATE.run(reference(op, avals, outs), *arrays, **params)
        else:
            result = STATE.run(meaning_of(op, avals, params), *arrays)
    except MemoryError as error:
        raise out_of_memory(op.name, error) from error
    if op.multiple_results:
        return tuple([Array(a, y if type(y) is np.ndarray else np.asarray(y)) for a, y in zip(out, result)])
    return Array(out, result if type(result) is np.ndarray else np.asarray(result))


def out_of_memory(name: str, error: MemoryError) -> JaxRuntimeError:
    """The error of an op for whose result there is no memory."""
    return JaxRuntimeError(
        f"RESOURCE_EXHAUSTED: Out of memory in {name} at {user_line()}: {error}.\nUse smaller arrays, or fewer at a time "
        "(jax.lax.map with batch_size)."
    )


def _evaluate_watched(op: Op, values: Sequence[Any], params: dict) -> Any:
    """`evaluate` where an option is on that each op must heed."""
    watch.refuse_execution(op.name)
    with watch.span(watch.OP, op.name):
        made = run_op(op, values, params) if op.functions else _evaluate_placed(op, values, params)
    watch.check_op(op, values, params, made if op.multiple_results else (made,))
    return made


def _evaluate_placed(op: Op, values: Sequence[Any], params: dict) -> Any:
    """`evaluate` where the operands, or the configuration, name a device."""
    if common_device(values, op.name) is not cpu_device():
        return run_op(op, values, params)
    made = _evaluate_on_cpu(op, values, params)
    if any(x.committed for x in values):
        for y in made if op.multiple_results else (made,):
            y.committed = True
    return made


def run_op(op: Op, values: Sequence[Array], params: dict) -> Any:
    """An op on arrays by compiling it: eager ops elsewhere than on the CPU, and ops that name functions."""
    if op.rules is not None:
        return op.rules.evaluate(_EVALUATOR, op, values, params)
    return compiled(op, values, params)


def compiled(op: Op, values: Sequence[Array], params: dict) -> Any:
    """An op on arrays as a program of its own."""
    function = op_function(op, tuple(x.aval for x in values), params)
    out = run(function, values)
    return tuple(out) if op.multiple_results else out[0]


def meaning_of(op: Op, avals: Sequence[Aval], params: dict) -> Callable[..., Any]:
    """What computes an op on the CPU, as a function of NumPy arrays: its native kernel if there is one for these types."""
    out = infer(op, tuple(avals), params)
    outs = out if op.multiple_results else (out,)
    kernel = op.native.symbol(avals, outs, params) if op.native is not None and native_kernels.available() else None
    if op.native is None or kernel is None:
        ref = reference(op, avals, outs)
        return functools.partial(ref, **params) if params else ref
    operand_stacks, result_stacks = op.native.operand_stacks(avals), op.native.result_stacks(outs)
    words, pieces = op.native.words(params), op.native.pieces(*avals, **params)

    def run_kernel(*arrays: np.ndarray) -> Any:
        operands = [np.reshape(x, s) for x, s in zip(arrays, operand_stacks)]
        results = [np.empty(s, a.dtype) for s, a in zip(result_stacks, outs)]
        native_kernels.call(kernel, operands, results, words, pieces)
        made = tuple([np.reshape(y, a.shape) for y, a in zip(results, outs)])
        return made if op.multiple_results else made[0]

    return run_kernel


def run_on_host(callback: Any, values: Sequence[Array]) -> tuple:
    """A function of the host on arrays."""
    device = common_device(values, "a host callback")
    arrays = callback.checked([x.numpy() for x in values])
    own = None if device is cpu_device() else device
    results = tuple(Array(a, y, None, own) for a, y in zip(callback.out_avals, arrays))
    for y in results:
        y.committed = any(x.committed for x in values)
    return results


def run(function: Function, values: Sequence[Array]) -> list[Array]:
    """Call a function on concrete arrays."""
    return watch.call_program(function, common_device(values, function.name), values)


class _Evaluator:
    """See `sable.ir.function_rules.Evaluator`."""

    run = staticmethod(run)
    run_on_host = staticmethod(run_on_host)
    compiled = staticmethod(compiled)


_EVALUATOR = _Evaluator()
