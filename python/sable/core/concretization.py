"""Errors for values that are asked of tracers: which function, which argument, which line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sable.errors import (
    ConcretizationTypeError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
)
from sable.ir.function import Variable
from sable.ir.location import user_line
from sable.passes.diagnostics import place_of

if TYPE_CHECKING:
    from .trace import Trace, Tracer


def origin(tracer: Tracer) -> str:
    """The paragraph that says what was being traced and on which arguments the value depends."""
    trace = tracer.owner
    where = f" at {trace.place}" if trace.place else ""
    lines = [f"The error occurred while tracing the function {trace.name}{where} for {trace.kind}."]
    names = depends_on(trace, tracer.value)
    if len(names) == 1:
        lines[0] += (
            f" This concrete value was not available in Python because it depends on the value of the argument {names[0]}."
        )
    elif names:
        lines[0] += (
            " This concrete value was not available in Python because it depends on the values of the arguments "
            + ", ".join(names[:-1])
            + f" and {names[-1]}."
        )
    lines.append(f"The value was asked for at {user_line()}.")
    if not trace.live:
        lines.append(
            f"That function has ended: the value, created on line {created(tracer)}, was stored in it and leaked. Return values "
            "from the function instead; jax.checking_leaks() finds what stores them."
        )
    return "\n".join(lines)


def created(tracer: Tracer) -> str:
    """The user's line that made a value; for an argument the function's."""
    node = tracer.owner.function.producer(tracer.value)
    place = place_of(node.location) if node is not None else None
    return f"{place.file}:{place.line}" if place is not None else tracer.owner.place or "<unknown>"


def depends_on(trace: Trace, value: Variable) -> list[str]:
    """Names of the arguments that a value is computed from, in the order of the signature."""
    names = trace.argument_names
    seen: set = set()
    found: set[int] = set()
    todo = [value]
    while todo:
        v = todo.pop()
        if v in seen:
            continue
        seen.add(v)
        node = trace.function.producer(v)
        if node is None:
            found.add(-1 - v.place)
        else:
            todo.extend(node.operands)
    return list(dict.fromkeys(names[i] for i in sorted(found) if i < len(names)))


def bool_error(tracer: Tracer) -> Exception:
    """For `if x:`, `while x:`, `and`, `or`, `not`."""
    return TracerBoolConversionError(
        f"Attempted boolean conversion of traced array with shape {tracer.aval.short()}.\n{origin(tracer)}\n"
        "Use jnp.where, lax.cond or lax.while_loop, or make the argument static (static_argnums)."
    )


def index_error(tracer: Tracer) -> Exception:
    """For `range(x)`, `list[x]`, shapes."""
    return TracerIntegerConversionError(
        f"The __index__() method was called on traced array with shape {tracer.aval.short()}.\n{origin(tracer)}\n"
        "Use lax.fori_loop or lax.dynamic_slice, or make the argument static (static_argnums)."
    )


def shape_error(tracer: Tracer, message: str) -> Exception:
    """For sizes that are traced."""
    return TracerIntegerConversionError(
        f"{message}\nIf using `jit`, try using `static_argnums` or applying `jit` to smaller subfunctions.\n{origin(tracer)}"
    )


def array_error(tracer: Tracer) -> Exception:
    """For NumPy functions on tracers."""
    return TracerArrayConversionError(
        "The numpy.ndarray conversion method __array__() was called on traced array with shape "
        f"{tracer.aval.short()}.\n{origin(tracer)}\nUse the function of jax.numpy in place of NumPy's."
    )


def scalar_error(tracer: Tracer, what: str) -> Exception:
    """For `float(x)`, `int(x)`, `complex(x)`, `x.item()`."""
    return concretization_error(
        tracer,
        f"The problem arose with the `{what}` function. If the cast is meant for the array, try using `x.astype({what})`.",
    )


def method_error(tracer: Tracer, method: str) -> Exception:
    """For methods that need all values."""
    what = f"The {method}() method was called on traced array with shape {tracer.aval.short()}."
    return concretization_error(tracer, what)


def concretization_error(tracer: Tracer, what: str) -> Exception:
    """For everything else that needs a value."""
    return ConcretizationTypeError(
        "Abstract tracer value encountered where concrete value is expected: traced array with shape "
        f"{tracer.aval.short()}\n{what}\n{origin(tracer)}\n"
        "Make the argument static (static_argnums, static_argnames), or compute with arrays in place of Python's values."
    )
