"""Errors that programs under transformation raise (the `jax.errors` of programs).

Each takes a finished message. The layer that raises it composes the message, since it knows the function, the
argument and the line; what the error means and how to mend a program is in the class's docstring.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ConcretizationTypeError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KeyReuseError",
    "NonConcreteBooleanIndexError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "UnexpectedTracerError",
]


class JAXTypeError(TypeError):
    """Base of the TypeErrors that come from tracing: a traced value was used where it cannot be."""


class JAXIndexError(IndexError):
    """Base of the IndexErrors that come from tracing: an index that a traced program cannot use."""


class ConcretizationTypeError(JAXTypeError):
    """A value was asked for that does not exist yet, because the function is being traced.

    While `jit` or `vmap` traces a function, its arguments stand for all arrays of a shape and dtype and have
    no values. Whatever Python itself must know (a shape, an axis, the number of results, `float(x)`) cannot
    depend on them.

    Example:
      @jax.jit
      def total(x, axis):
          return x.sum(axis)          # the axis decides the shape of the result

    Mending: make the argument static, `@jax.jit(static_argnames="axis")`; or compute the number from shapes
    and other Python values; or, where the size of a result depends on data (`jnp.where(x > 0)`), keep the
    size fixed: `jnp.where(x > 0, x, 0)`, `jnp.nonzero(x, size=10)`.
    """


class NonConcreteBooleanIndexError(JAXIndexError):
    """A traced array of booleans was used as an index, so that the result's size would depend on its values.

    Example:
      @jax.jit
      def positive(x):
          return x[x > 0]

    Mending: keep the size: `jnp.where(x > 0, x, 0)` in place of selecting; `jnp.where(x > 0, x, 0).sum()` or
    `x.sum(where=x > 0)` in place of summing a selection; `x.at[...]` or `jnp.where` in place of assigning to
    one.
    """


class TracerArrayConversionError(JAXTypeError):
    """NumPy was asked to make an array of a traced value.

    Examples:
      @jax.jit
      def f(x):
          return np.sin(x)            # a function of NumPy, which needs the values

      table = np.arange(10)
      @jax.jit
      def g(i):
          return table[i]             # a NumPy array indexed by a traced value

    Mending: use `jnp.sin`; make the table an array, `jnp.asarray(table)[i]`; make the argument static; or, if
    NumPy has to do it, call it by `jax.pure_callback`.
    """


class TracerBoolConversionError(ConcretizationTypeError):
    """Python asked whether a traced value is true: in `if`, `while`, `assert`, `and`, `or`, `not`, `max`.

    Example:
      @jax.jit
      def f(x):
          if x > 0:
              return x
          return -x

    Mending: `jnp.where(x > 0, x, -x)`, `jax.lax.cond`, `jax.lax.while_loop`, `jnp.logical_and`; or make the
    argument on which the condition depends static (`static_argnums`).
    """


class TracerIntegerConversionError(JAXTypeError):
    """Python needed a traced value as an integer: as the index of a list, the bound of a `range`, a shape.

    Examples:
      @jax.jit
      def f(x, n):
          for i in range(n): ...      # the length of a Python loop

      @jax.jit
      def g(i):
          return [1, 2, 3][i]         # the index of a list

    Mending: `jax.lax.fori_loop`; an array in place of the list, `jnp.array([1, 2, 3])[i]`; or a static
    argument.
    """


class UnexpectedTracerError(JAXTypeError):
    """A traced value outlived the call in which it was traced, or got into another one.

    Example:
      saved = []
      @jax.jit
      def f(x):
          saved.append(x)             # a side effect: what is saved is no array
          return x + 1
      f(1.0)
      saved[0] + 1

    Mending: return the value from the function, and take everything it needs as arguments.
    `jax.checking_leaks()` finds the place where a tracer escapes; `jax.debug.callback` takes values out of a
    running program.
    """


class InconclusiveDimensionOperation(Exception):
    """A comparison of symbolic dimensions has no answer that holds for all their values.

    Example: `n + 1 == m` for unrelated dimensions n and m of an exported function.

    Mending: state what is known when the dimensions are made, by the `constraints` of
    `jax.export.symbolic_shape("n, m", constraints=["n >= m"])`.
    """


class JaxprTypeError(TypeError):
    """A program is not well typed: an operand's shape or dtype is not what the operation takes.

    Code that uses the public functions does not cause it; it points to a bug in a rule or a transformation.
    """


class KeyReuseError(JAXTypeError):
    """A random key was used twice, which makes random numbers that are not independent.

    It is raised only if `jax_debug_key_reuse` is on.

    Example:
      a = jax.random.normal(key)
      b = jax.random.normal(key)      # the same number again

    Mending: `first, second = jax.random.split(key)`, and each used once.
    """


class JaxRuntimeError(RuntimeError):
    """A compiled program failed while it ran, or a device could not do what it was asked to (memory, say)."""


def __getattr__(name: str) -> Any:
    # looked up when asked for: the compiler's package takes 0.05 s, and the runtime does without it
    if name == "CompilationError":
        from sable.compiler.errors import CompilationError

        return CompilationError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
